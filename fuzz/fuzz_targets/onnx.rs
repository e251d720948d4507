//! ONNX files: no panic, and what was read is the same after writing it as `.safetensors` and reading that, and after exporting it
//! and reading that.
#![no_main]

use libfuzzer_sys::fuzz_target;
use srcnn_gpu::Weights;
use srcnn_gpu::export::About;
use srcnn_gpu::export::onnx::{Enlargement, file};

fuzz_target!(|data: &[u8]| {
    // Without the version in front it would be another kind of file.
    let Ok(weights) = Weights::from_bytes(&[&[0x08, 0x08], data].concat()) else { return };
    let written = weights.to_safetensors().expect("what was read can be written");
    assert_eq!(Weights::from_bytes(&written).expect("what was written can be read"), weights);
    let exported = file(&weights, Enlargement::Bicubic(2.0), &About::default()).expect("what was read can be exported");
    assert_eq!(Weights::from_bytes(&exported).expect("what was exported can be read"), weights);
});
