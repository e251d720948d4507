//! A browser, for tests of what runs in one. Its pages come from a folder by a server of the test's own, and tell what they find by
//! POST: files to `/files/NAME`, and at last JSON to `/told`.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

/// What a page has told.
pub struct Visit {
    pub told: serde_json::Value,
    pub files: HashMap<String, Vec<u8>>,
}

/// The name of an installed Chromium; without one, prints a line and returns `None`.
pub fn chromium() -> Option<&'static str> {
    let works = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success());
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(works);
    if found.is_none() {
        eprintln!("SKIPPED: no Chromium is installed (Debian: apt install chromium)");
    }
    found
}

/// Opens a page of a folder in a headless browser with WebGPU in software, and waits until it has told all. Fails if it tells an
/// `error`, or nothing for minutes.
pub fn visit(browser: &str, folder: &Path, page: &str) -> Visit {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/{page}", listener.local_addr().unwrap());
    let (sender, posts) = mpsc::channel();
    let served = folder.to_owned();
    // The thread ends with the process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (folder, sender) = (served.clone(), sender.clone());
            // A browser that goes away in the middle of an answer is no fault.
            std::thread::spawn(move || answer(stream, &folder, &sender).ok());
        }
    });
    let profile = tempfile::tempdir().unwrap();
    let log = profile.path().join("log");
    let mut command = Command::new(browser);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command
        .args(["--headless", "--no-sandbox", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--disable-quic", "--enable-unsafe-webgpu"])
        .args(["--use-webgpu-adapter=swiftshader", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
        .arg(&address)
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let _browser = Ends(child);
    let (mut files, deadline) = (HashMap::new(), Instant::now() + Duration::from_secs(400));
    loop {
        let Ok((path, body)) = posts.recv_timeout(deadline.saturating_duration_since(Instant::now())) else {
            panic!("{page} told nothing; the browser's log:\n{}", fs::read_to_string(&log).unwrap());
        };
        if let Some(name) = path.strip_prefix("/files/") {
            files.insert(name.to_owned(), body);
            continue;
        }
        let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert!(told.get("error").is_none(), "{page}: {told}");
        return Visit { told, files };
    }
}

/// Ends the browser when the test ends, in whatever way.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        // Its processes too: one that computes outlives the first.
        if cfg!(unix) {
            Command::new("kill").args(["-9", "--", &format!("-{}", self.0.id())]).status().ok();
        }
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Answers one request.
fn answer(stream: TcpStream, folder: &Path, posts: &Sender<(String, Vec<u8>)>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or("/").to_owned());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut stream = reader.into_inner();
    let (status, kind, bytes) = if method == "POST" {
        // Nobody listens any more once a page has told all.
        posts.send((path, body)).ok();
        ("200 OK", "text/plain", Vec::new())
    } else {
        match fs::read(folder.join(path.trim_start_matches('/'))) {
            Ok(bytes) => ("200 OK", kind(&path), bytes),
            Err(_) => ("404 Not Found", "text/plain", Vec::new()),
        }
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        bytes.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&bytes)
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("json") => "application/json",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}
