//! Weight files of the project: reading never panics, and what was read is the same after writing and reading it
//! again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use srcnn_gpu::Weights;

fuzz_target!(|data: &[u8]| {
    let Ok(weights) = Weights::from_bytes(data) else { return };
    let written = weights.to_safetensors().expect("what was read can be written");
    let again = Weights::from_bytes(&written).expect("what was written can be read");
    assert_eq!(again, weights);
    assert_eq!(again.to_safetensors().ok(), Some(written));
});
