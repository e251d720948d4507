//! The record in an output folder, `.srcnn-gpu.jsonl`: whatever is in it, reading it never panics, and a line that is
//! added to it counts.
#![no_main]

use std::fs::{self, File};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use srcnn_gpu::jobs::{INDEX, Index, Mark, Name, Seen, State};
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder for the record"));

fuzz_target!(|data: &[u8]| {
    let at = |name: &str| FOLDER.path().join(name);
    let (picture, result) = (at("picture.png"), at("a.png"));
    fs::write(&picture, b"a picture").expect("a picture");
    fs::write(&result, b"a result").expect("a result");
    fs::write(at(INDEX), data).expect("the record");
    let state = |index: &Index, name: &str| {
        let seen = |path| Seen::at(path).expect("a file that was just written");
        index.state(&Name::of(name.as_ref()), &seen(&result), &seen(&picture))
    };

    let index = Index::open(FOLDER.path(), "settings");
    for name in ["a.png", "b/c.png"] {
        state(&index, name);
    }
    index.has(&result);
    index.settle();
    let mark = Mark::of_picture(&picture).expect("a mark of the picture");
    let file = File::open(&result).expect("the result");
    index.add(&Name::of("a.png".as_ref()), &file, &mark).expect("a line");
    assert_eq!(state(&Index::open(FOLDER.path(), "settings"), "a.png"), State::Fresh);
});
