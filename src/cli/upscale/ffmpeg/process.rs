//! Child processes that end when this program does, and whose last words are kept.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;
use srcnn_gpu::{Error, Result};
use tempfile::TempDir;

/// Time between two looks at a process that is expected to end.
const LOOK: Duration = Duration::from_millis(5);
/// Longest part of a line that is kept, in bytes.
const LONGEST_LINE: usize = 400;

/// What has to go if this program is stopped.
static LEFT_BEHIND: Mutex<LeftBehind> = Mutex::new(LeftBehind { children: Vec::new(), folders: Vec::new() });

struct LeftBehind {
    children: Vec<Arc<Mutex<Child>>>,
    folders: Vec<PathBuf>,
}

/// Ends all child processes, removes their folders, and prevents new ones: for the last moment before this process ends.
pub fn end_all() {
    let all = LEFT_BEHIND.lock();
    for child in &all.children {
        let mut child = child.lock();
        // One that has ended already cannot be killed.
        let _ = child.kill();
        let _ = child.wait();
    }
    for folder in &all.folders {
        let _ = std::fs::remove_dir_all(folder);
    }
    std::mem::forget(all);
}

/// A temporary folder.
pub struct Scratch(TempDir);

impl Scratch {
    /// # Errors
    /// [`Error::Output`].
    pub fn new() -> Result<Self> {
        // The list stays locked until the folder is in it.
        let mut all = LEFT_BEHIND.lock();
        let folder = tempfile::Builder::new()
            .prefix("srcnn-gpu-")
            .tempdir()
            .map_err(|e| Error::Output { path: std::env::temp_dir(), reason: e.into() })?;
        all.folders.push(folder.path().into());
        Ok(Self(folder))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        LEFT_BEHIND.lock().folders.retain(|path| path != self.0.path());
    }
}

/// A running program. It is killed when this is dropped.
pub struct Process {
    child: Arc<Mutex<Child>>,
    stderr: Option<JoinHandle<Words>>,
    pub stdin: Option<ChildStdin>,
    pub stdout: Option<ChildStdout>,
}

impl Process {
    /// Starts a program; what it says on its standard error is kept. Its standard input and output are pipes if `command` says
    /// so.
    ///
    /// # Errors
    /// Those of the system, such as [`io::ErrorKind::NotFound`].
    pub fn start(command: &mut Command) -> io::Result<Self> {
        // Ctrl-C reaches this program alone, which then ends the others in its way.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut all = LEFT_BEHIND.lock();
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take().map(|stderr| thread::spawn(move || Words::hear(stderr)));
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let child = Arc::new(Mutex::new(child));
        all.children.push(child.clone());
        Ok(Self { child, stderr, stdin, stdout })
    }

    /// A way to ask whether it still runs.
    pub fn watch(&self) -> Watch {
        Watch(self.child.clone())
    }

    /// Waits for the program's end. Returns what it said; `Err` if it failed.
    pub fn finish(mut self) -> Result<String, String> {
        // A program that waits for more input has got all of it.
        self.stdin = None;
        let status = loop {
            // Not locked while waiting, so that it can be killed.
            match self.child.lock().try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) => {}
                Err(e) => return Err(e.to_string()),
            }
            thread::sleep(LOOK);
        };
        let words = self.stderr.take().and_then(|stderr| stderr.join().ok()).unwrap_or_default();
        match (status.success(), words.text()) {
            (true, words) => Ok(words),
            (false, words) if words.is_empty() => Err(ended(status)),
            (false, words) => Err(words),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        {
            let mut child = self.child.lock();
            let _ = child.kill();
            let _ = child.wait();
        }
        LEFT_BEHIND.lock().children.retain(|other| !Arc::ptr_eq(other, &self.child));
    }
}

fn ended(status: ExitStatus) -> String {
    format!("it ended without a word ({status})")
}

/// Tells whether a process still runs.
pub struct Watch(Arc<Mutex<Child>>);

impl Watch {
    pub fn is_running(&self) -> bool {
        matches!(self.0.lock().try_wait(), Ok(None))
    }
}

/// The first and the last lines of what a program says: where the trouble began, and how it ended.
#[derive(Default)]
struct Words {
    first: Vec<String>,
    last: Vec<String>,
}

impl Words {
    const EACH: usize = 2;

    fn hear(stream: impl Read) -> Self {
        let mut words = Self::default();
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            match stream.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return words,
                Ok(_) => words.add(&line[..line.len().min(LONGEST_LINE)]),
            }
        }
    }

    fn add(&mut self, line: &[u8]) {
        let line = without_addresses(String::from_utf8_lossy(line).trim());
        if line.is_empty() || self.first.contains(&line) || self.last.contains(&line) {
            return;
        }
        if self.first.len() < Self::EACH {
            return self.first.push(line);
        }
        if self.last.len() == Self::EACH {
            self.last.remove(0);
        }
        self.last.push(line);
    }

    fn text(&self) -> String {
        let lines: Vec<_> = self.first.iter().chain(&self.last).map(String::as_str).collect();
        lines.join("; ")
    }
}

/// A line of ffmpeg's without the addresses in `[libx264 @ 0x55d3b0]`, which tell a user nothing.
fn without_addresses(line: &str) -> String {
    let mut kept = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(" @ 0x") {
        kept.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_few_and_readable() {
        let said = "[libx264 @ 0x55aF] too odd\n\nb\nb\nc\nd\n[a @ 0x1] e @ home\nf";
        assert_eq!(Words::hear(said.as_bytes()).text(), "[libx264] too odd; b; [a] e @ home; f");
        let long = Words::hear(vec![b'x'; 100_000].as_slice()).text();
        assert_eq!(long.len(), LONGEST_LINE);
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_fails_is_quoted() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            Process::start(command.args(["-c", script])).unwrap().finish()
        };
        assert_eq!(shell("echo fine >&2"), Ok("fine".into()));
        assert_eq!(shell("echo no >&2; exit 3"), Err("no".into()));
        assert!(shell("exit 3").unwrap_err().contains("exit status: 3"));
        // More than any pipe holds.
        let many = shell("i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); done").unwrap();
        assert_eq!(many, "line 0; line 1; line 19998; line 19999");
        let asleep = Process::start(Command::new("sleep").arg("1000")).unwrap();
        let watch = asleep.watch();
        assert!(watch.is_running());
        drop(asleep);
        assert!(!watch.is_running());
    }
}
