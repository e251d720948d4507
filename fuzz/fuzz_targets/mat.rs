//! The authors' MATLAB 5 weight files: no panic leaves the reader, and what was read is the same after writing it as
//! `.safetensors` and reading that.
#![no_main]

use libfuzzer_sys::fuzz_target;
use srcnn_gpu::Weights;

/// A file with the usual header, little-endian, around the elements; complete files stay as they are.
fn file(data: &[u8]) -> Vec<u8> {
    const MAGIC: &[u8] = b"MATLAB 5.0";
    if data.starts_with(MAGIC) {
        return data.to_vec();
    }
    let mut file = MAGIC.to_vec();
    file.resize(124, b' ');
    file.extend(b"\0\x01IM");
    file.extend(data);
    file
}

fuzz_target!(|data: &[u8]| {
    let Ok(weights) = Weights::from_bytes(&file(data)) else { return };
    let written = weights.to_safetensors().expect("what was read can be written");
    assert_eq!(Weights::from_bytes(&written).expect("what was written can be read"), weights);
});
