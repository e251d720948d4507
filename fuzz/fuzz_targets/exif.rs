//! Exif blocks: reading and changing them never panics, and what was read is the same after writing and reading it
//! again.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
// Where the module looks for it.
use srcnn_gpu::limits;

#[allow(dead_code, reason = "only what the target calls")]
#[path = "../../src/picture/exif/mod.rs"]
mod exif;

use exif::{Directories, tag};

/// In the order that a block has them, without pointers to the other directories.
fn sorted(mut directories: Directories) -> Directories {
    directories.main.retain(|entry| ![tag::EXIF, tag::GPS].contains(&entry.tag));
    for entries in [&mut directories.main, &mut directories.exif, &mut directories.gps] {
        entries.sort_by_key(|entry| entry.tag);
    }
    Directories { more: false, ..directories }
}

fuzz_target!(|data: &[u8]| {
    let turned = data.len() % 2 == 1;
    let mut block = data.to_vec();
    exif::update(&mut block, (640, 480), turned);
    exif::set_orientation(&mut block, 1);
    let _ = exif::about(&block);
    let _ = Directories::read(&mut Cursor::new(&block));

    let Some(directories) = Directories::read(&mut Cursor::new(data)) else { return };
    let block = directories.to_block();
    let again = Directories::read(&mut Cursor::new(&block)).expect("what was written can be read");
    assert_eq!(sorted(again), sorted(directories.clone()));
    let _ = directories.descriptive().to_block();
});
