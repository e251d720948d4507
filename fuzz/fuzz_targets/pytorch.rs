//! PyTorch's files, zip archives and rows of pickles: no panic, and what was read is the same after writing it as `.safetensors`
//! and reading that.
#![no_main]

use libfuzzer_sys::fuzz_target;
use srcnn_gpu::Weights;

fuzz_target!(|data: &[u8]| {
    let Ok(weights) = Weights::from_bytes(data) else { return };
    let written = weights.to_safetensors().expect("what was read can be written");
    assert_eq!(Weights::from_bytes(&written).expect("what was written can be read"), weights);
});
