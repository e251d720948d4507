//! The program driven by other programs: events, dry runs, completions, manual pages, and command lines written for
//! the ncnn-vulkan programs.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output, Stdio};

use crate::common::desk::{Desk, Run, color, grey};
use serde_json::Value;

/// The events of a run; every line must be one.
#[track_caller]
fn events(run: &Run) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    let events: Vec<_> = run.stdout.lines().map(parse).collect();
    assert!(events.iter().all(|event| event["v"] == 1), "{}", run.stdout);
    assert_eq!(events[0]["event"], "start");
    assert_eq!(events.last().unwrap()["event"], "end");
    events
}

fn of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == kind).collect()
}

#[test]
fn events_as_lines_of_json() {
    let desk = Desk::new();
    desk.save("a.png", color(20, 10));
    fs::write(desk.path("b.png"), "no picture").unwrap();
    desk.save("c.png", grey(6, 6));
    desk.upscale("c.png -o out/").wrote(&["out/c.png"]);
    let run = desk.upscale("a.png b.png c.png -o out --json -t 16");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let all = events(&run);
    assert_eq!((&all[0]["total"], &all[0]["version"]), (&3.into(), &env!("CARGO_PKG_VERSION").into()));
    assert!(all[0]["model"].as_str().unwrap().contains("m.safetensors"));
    let gpu = of(&all, "gpu");
    assert!(gpu.len() == 1 && gpu[0]["name"].is_string() && gpu[0]["backend"].is_string(), "{gpu:?}");
    let file = of(&all, "file");
    assert_eq!(file.len(), 1);
    for (key, value) in [("i", 1), ("w", 20), ("h", 10), ("ow", 40), ("oh", 20)] {
        assert_eq!(file[0][key], value, "{key}");
    }
    assert_eq!((&file[0]["in"], &file[0]["out"]), (&"a.png".into(), &"out/a.png".into()));
    let progress = of(&all, "progress");
    let last = progress.last().unwrap();
    assert!(last["done"] == last["total"] && last["total"].as_u64() > Some(1), "{last}");
    assert!(progress.iter().all(|event| event["i"] == 1 && event["mpix_s"].as_f64().unwrap() >= 0.0));
    let done = of(&all, "done");
    assert!(
        done.len() == 1 && done[0]["out"] == "out/a.png" && done[0]["ms"]["gpu"].as_f64() > Some(0.0),
        "{done:?}"
    );
    let skip = of(&all, "skip");
    assert!(skip.len() == 1 && skip[0]["i"] == 3 && skip[0]["why"] == "it is up to date", "{skip:?}");
    let error = of(&all, "error");
    assert!(
        error.len() == 1 && error[0]["i"] == 2 && error[0]["code"] == 1 && error[0]["in"] == "b.png",
        "{error:?}"
    );
    assert!(error[0]["msg"].as_str().unwrap().contains("b.png"));
    let end = all.last().unwrap();
    for (key, value) in [("ok", 1), ("skipped", 1), ("failed", 1), ("left", 0), ("code", 1)] {
        assert_eq!(end[key], value, "{key}");
    }
    assert!(!run.stderr.contains("error: "), "told once: {}", run.stderr);

    // The other spelling, with nothing on stderr but warnings. A fatal error is an event too.
    let run = desk.upscale("a.png -o x.png --progress json --quiet");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(of(&events(&run), "done").len(), 1);
    let run = desk.upscale("a.png -o y.png --json -g no-such-adapter");
    assert_eq!(run.code, Some(3));
    let all = events(&run);
    assert_eq!((&of(&all, "error")[0]["code"], &all.last().unwrap()["left"]), (&3.into(), &1.into()));
}

#[test]
fn a_dry_run_reports_and_does_nothing() {
    let desk = Desk::new();
    desk.save("a.png", color(20, 10));
    fs::write(desk.path("b.png"), "no picture").unwrap();
    let run = desk.upscale("a.png b.png -o out --dry-run -g no-such-adapter -s 1.5");
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(1), "a.png -> out/a.png (20x10 to 30x15)\n"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("error: b.png"), "{}", run.stderr);
    let run = desk.upscale("a.png -o a2.png --dry-run --json");
    let all = events(&run);
    assert!(
        all[0]["dry_run"] == true && of(&all, "file")[0]["out"] == "a2.png" && all.last().unwrap()["ok"] == 1
    );
    assert_eq!(desk.names("."), ["a.png", "b.png", "m.safetensors"]);
}

/// A run with `input` on its standard input.
fn with_stdin(desk: &Desk, args: &str, input: &[u8]) -> Output {
    let mut command = desk.command(&format!("upscale -m m.safetensors {args}"));
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

#[test]
fn pictures_from_and_to_pipes() {
    let desk = Desk::new();
    desk.save("a.png", color(20, 10));
    desk.save("a.jpg", color(20, 10));
    let [png, jpg] = ["a.png", "a.jpg"].map(|name| fs::read(desk.path(name)).unwrap());
    desk.upscale("a.png -o file.png").wrote(&["file.png"]);
    let expected = fs::read(desk.path("file.png")).unwrap();
    for args in ["-", "- -o -", "-i - -o - -f png", "a.png -o -"] {
        let output = with_stdin(&desk, args, &png);
        assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout == expected, "{args}: the bytes of the file and no others");
    }
    for (args, input, format) in
        [("-", &jpg, "jpg"), ("- -f webp", &jpg, "webp"), ("- -f jpg -o -", &png, "jpg")]
    {
        let output = with_stdin(&desk, args, input);
        let format = image::ImageFormat::from_extension(format);
        assert_eq!(image::guess_format(&output.stdout).ok(), format, "{args}");
        assert_eq!(image::load_from_memory(&output.stdout).unwrap().width(), 40, "{args}");
    }
    let output = with_stdin(&desk, "- -o b.png", &jpg);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"b.png\n"[..]));
    assert_eq!(desk.open("b.png").width(), 40);
    for (args, input, code, words) in [
        ("-", &b"no picture"[..], 1, "not a kind of picture"),
        ("-", b"", 1, "empty"),
        ("-", &png[..png.len() / 2], 1, "stdin"),
        ("- a.png", &png, 2, "needs a folder"),
        ("- - -o out", &png, 2, "standard input"),
        ("a.png a.jpg -o -", &png, 2, "standard output"),
        ("- --json", &png, 2, "--json"),
    ] {
        let run = Run::from(with_stdin(&desk, args, input));
        run.fails(code, &[words]);
    }
    // A reader that closes the pipe.
    let mut child = desk
        .command("upscale -m m.safetensors a.png -o - --quiet")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn completions_of_every_shell() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = desk.run(&format!("completions {shell}"));
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{shell}");
        for word in ["upscale", "existing", "recursive"] {
            assert!(run.stdout.contains(word), "{shell}: {word}");
        }
        fs::write(desk.path(shell), &run.stdout).unwrap();
    }
    match Command::new("bash").arg("-n").arg(desk.path("bash")).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(e) => println!("SKIPPED: no bash to read its completions ({e})"),
    }
    desk.run("completions tcsh").fails(2, &["'tcsh'", "bash"]);
}

#[test]
fn manual_pages_of_every_command() {
    let desk = Desk::new();
    let run = desk.run("man pages");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let names = desk.names("pages");
    assert_eq!(names.len(), run.stdout.lines().count());
    for name in ["srcnn-gpu.1", "srcnn-gpu-upscale.1", "srcnn-gpu-train.1", "srcnn-gpu-model-info.1"] {
        assert!(names.iter().any(|other| other == name), "{name}: {names:?}");
    }
    let page = fs::read_to_string(desk.path("pages/srcnn-gpu-upscale.1")).unwrap();
    assert!(page.contains(".TH") && page.contains("recursive"), "{page}");
    desk.run("man m.safetensors").fails(5, &["m.safetensors"]);
}

#[test]
fn ncnn_command_lines() {
    let desk = Desk::new();
    fs::create_dir(desk.path("models")).unwrap();
    fs::create_dir(desk.path("in")).unwrap();
    fs::create_dir(desk.path("out")).unwrap();
    fs::copy(desk.path("m.safetensors"), desk.path("models/mine.safetensors")).unwrap();
    desk.save("in/a.png", color(10, 8));
    desk.save("in/b.jpg", color(10, 8));
    // As their front ends call them: no command, short flags, two files or two folders.
    for (line, results) in [
        ("-i in/a.png -o a.png -s 2 -t 0 -m models -n mine -g auto -j 1:2:2 -v", &["a.png"][..]),
        ("-v -i in/a.png -o v.png -m models -n mine", &[]),
        ("-i in/a.png -o b.png -s4 -m models -n mine.safetensors -t 32 -j 2:2,2:2", &["b.png"]),
        ("-i in -o out -m models -n mine -t 0,0 -g auto", &["out/a.png", "out/b.jpg"]),
    ] {
        let run = desk.run(line);
        if results.is_empty() {
            // A flag that other commands have too does not imply `upscale`.
            assert_eq!(run.code, Some(2), "{line}");
            continue;
        }
        assert_eq!(run.code, Some(0), "{line}: {}", run.stderr);
        assert_eq!(run.stdout.lines().collect::<Vec<_>>(), results, "{line}");
        // One such line ends the progress of each picture; front ends read it.
        let whole = run.stderr.lines().filter(|line| *line == "100.00%").count();
        assert_eq!(whole, results.len(), "{line}: {}", run.stderr);
    }
    assert_eq!((desk.open("a.png").width(), desk.open("b.png").width()), (20, 40));
    desk.run("-i in/a.png -o c.png -m models -n nobodys").fails(4, &["nobodys", ".safetensors"]);
    desk.run("-i in/a.png -o c.png -m models -n mine -j 1:2").wrote(&["c.png"]);
    desk.run("-i in/a.png -o c.png -m models -n mine -j 0:1:1").fails(2, &["--jobs"]);
    desk.run("-i in/a.png -o c.png -m models -n mine -g 4711").fails_with(3, "'4711'");
    let help = desk.run("-h");
    assert!(help.code == Some(0) && help.stdout.contains("upscale"));
}

#[test]
fn several_adapters_and_software_ones() {
    let desk = Desk::new();
    let devices: Vec<Value> = serde_json::from_str(&desk.run("devices --json").stdout).unwrap();
    fs::create_dir(desk.path("in")).unwrap();
    (0..6).for_each(|i| desk.save(&format!("in/{i}.png"), color(8, 8)));
    if let Some(software) = devices.iter().find(|d| d["type"] == "software" && d["usable"] == true) {
        let run = desk.upscale("in/0.png -o a.png --json -g -1");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let all = events(&run);
        assert_eq!(
            (&of(&all, "gpu")[0]["type"], &of(&all, "gpu")[0]["name"]),
            (&"software".into(), &software["name"])
        );
    }
    let run = desk.upscale("in -o out -g 0,0");
    if devices[0]["backend"] == "gl" {
        return run.fails_with(3, "OpenGL");
    }
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 6), "{}", run.stderr);
    assert!(run.stdout.lines().is_sorted(), "{}", run.stdout);
}

#[test]
fn a_closed_pipe_does_not_stop_the_work() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    (0..12).for_each(|i| desk.save(&format!("in/{i}.png"), color(8, 8)));
    let mut command = desk.command("upscale -m m.safetensors in -o out --quiet");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(desk.names("out").len(), 12);
}
