//! What lies beside pictures in a folder and is none: links that lead nowhere or elsewhere, and what systems leave.

use std::os::unix::fs::symlink;

use crate::common::desk::{Desk, color};

const SMALL: &str = "--arch 3-1-3 --filters 4-4 --batch 2 --patch 33";

/// Two pictures; a third one in a folder that is linked to; a dangling link by a name that nobody wants, one that begins with
/// a dot, and a resource fork of macOS by a picture's name.
fn folder() -> Desk {
    let desk = Desk::new();
    for folder in ["in", "elsewhere"] {
        std::fs::create_dir_all(desk.path(folder)).unwrap();
    }
    for name in ["in/a.png", "in/b.png", "elsewhere/c.png"] {
        desk.save(name, color(48, 40));
    }
    symlink("nowhere", desk.path("in/notes")).unwrap();
    symlink("nowhere", desk.path("in/.b.png")).unwrap();
    symlink("../elsewhere", desk.path("in/linked")).unwrap();
    std::fs::write(desk.path("in/._a.png"), b"\0\x05\x16\x07\0\x02\0\0Mac OS X").unwrap();
    desk
}

#[test]
fn they_stop_no_command() {
    let desk = folder();
    for (args, printed) in [
        ("upscale in -r -o out -s 2", "linked/c.png"),
        ("degrade -s 2 in small", "b.png"),
        ("eval in -s 2", "average"),
        ("compare in in", "average"),
    ] {
        let run = desk.run(args);
        assert!(run.code == Some(0) && run.stdout.contains(printed), "{args}: {}", run.stderr);
    }
    assert_eq!(desk.names("out"), ["a.png", "b.png", "linked"]);
    assert_eq!(desk.names("small"), ["a.png", "b.png"]);
}

#[test]
fn links_to_folders_are_followed_in_training_and_never_in_circles() {
    let desk = folder();
    let train = |to: &str| desk.run(&format!("train in -s 2 --steps 1 {SMALL} -o {to}"));
    let run = train("with");
    assert!(run.code == Some(0) && run.stderr.contains("on 9 sub-images"), "{}", run.stderr);
    assert!(!run.stderr.contains("left out"), "{}", run.stderr);
    symlink("../elsewhere", desk.path("elsewhere/back")).unwrap();
    symlink("nowhere", desk.path("elsewhere/d.png")).unwrap();
    let run = train("circle");
    let told = ["leads back to", "linked/d.png: no such file or folder; left out", "on 9 sub-images"];
    assert!(run.code == Some(0) && told.iter().all(|words| run.stderr.contains(words)), "{}", run.stderr);
}

/// A picture that is wanted and not there is one failed picture, in words.
#[test]
fn a_link_to_a_missing_picture_is_told() {
    let desk = folder();
    symlink("nowhere", desk.path("in/c.jpg")).unwrap();
    let run = desk.run("upscale in -o out -s 2");
    assert!(run.code == Some(1) && run.stderr.contains("c.jpg: no such file or folder\n"), "{}", run.stderr);
    assert_eq!(desk.names("out"), ["a.png", "b.png"]);
}
