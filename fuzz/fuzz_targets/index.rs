//! The record in an output folder, `.srcnn-gpu.jsonl`: whatever is in it, reading it never panics, and a line that is
//! added to it counts.
#![no_main]

use std::fs::{self, File};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

#[allow(dead_code, reason = "only what the target calls")]
#[path = "../../src/cli/jobs/index.rs"]
mod index;

use index::{Index, NAME, Stamp, State};

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder for the record"));

fuzz_target!(|data: &[u8]| {
    let folder = FOLDER.path();
    let stamp = |file: &File| Stamp::of(&file.metadata().expect("an open file has metadata"));
    let result = File::create(folder.join("a.png")).expect("a result");
    let picture = stamp(&result);
    fs::write(folder.join(NAME), data).expect("the record");

    let index = Index::open(folder, "settings");
    for name in ["a.png", "b/c.png"] {
        index.state(name, picture, picture);
    }
    index.add("a.png", &result, picture).expect("a line");
    let state = Index::open(folder, "settings").state("a.png", stamp(&result), picture);
    assert_eq!(state, State::Fresh);
});
