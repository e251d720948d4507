//! Weight files of the project, with networks and with dictionaries: reading never panics, and what was read is the same after
//! writing and reading it again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use srcnn_gpu::Weights;
use srcnn_gpu::dictionary::Dictionary;

fuzz_target!(|data: &[u8]| {
    if let Ok(dictionary) = Dictionary::from_bytes(data) {
        let written = dictionary.to_safetensors().expect("what was read can be written");
        let again = Dictionary::from_bytes(&written).expect("what was written can be read");
        assert_eq!(again, dictionary);
        assert!(Dictionary::is_in(&written));
    }
    let Ok(weights) = Weights::from_bytes(data) else { return };
    let written = weights.to_safetensors().expect("what was read can be written");
    let again = Weights::from_bytes(&written).expect("what was written can be read");
    assert_eq!(again, weights);
    assert_eq!(again.to_safetensors().ok(), Some(written));
});
