//! YUV4MPEG2 streams: reading never panics, and what was read is the same after writing and reading it again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use srcnn_gpu::video::y4m::{Frame, Header, Reader, Writer};

/// Larger frames only cost time: the input has no bytes for them.
const MAX_FRAME_BYTES: usize = 1 << 20;

/// Header and frames up to the end or the first broken frame; `None` where the header is refused.
fn read(stream: &[u8]) -> Option<(Header, Vec<Frame>)> {
    let mut reader = Reader::new(stream).ok()?;
    let header = reader.header().clone();
    let bytes = header.frame_bytes();
    let mut frames = Vec::new();
    let mut frame = Frame::default();
    while bytes <= MAX_FRAME_BYTES && reader.read(&mut frame).is_ok_and(|more| more) {
        assert_eq!(frame.data.len(), bytes);
        frame.is_interlaced(header.interlacing);
        frames.push(frame.clone());
    }
    Some((header, frames))
}

fuzz_target!(|data: &[u8]| {
    let Some((header, frames)) = read(data) else { return };
    let mut written = Vec::new();
    let mut writer = Writer::new(&mut written, &header).expect("memory takes any output");
    for frame in &frames {
        writer.write(frame).expect("memory takes any output");
    }
    // Bytes that are not UTF-8 become longer, and a line may become too long with them.
    if data.is_ascii() {
        assert_eq!(read(&written), Some((header, frames)));
    }
});
