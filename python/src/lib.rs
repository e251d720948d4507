//! The Python package `srcnn_gpu`: the crate's engine, mathematics and training on numpy's arrays.
//!
//! Arrays are copied when they come in, which is little work beside enlarging them, so that no other thread can change them
//! while the GIL is released; results are handed over without a copy. `array.rs` knows numpy, `networks.rs` the interpreter's rules.

use pyo3::prelude::*;

mod array;
mod degrade;
mod errors;
mod frames;
mod mathematics;
mod measure;
mod networks;
mod options;
mod train;
mod upscaler;
mod weights;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<upscaler::Upscaler>()?;
    module.add_class::<frames::Frames>()?;
    module.add_class::<weights::Weights>()?;
    module.add_function(wrap_pyfunction!(options::devices, module)?)?;
    module.add_function(wrap_pyfunction!(mathematics::imresize, module)?)?;
    module.add_function(wrap_pyfunction!(mathematics::rgb2ycbcr, module)?)?;
    module.add_function(wrap_pyfunction!(measure::psnr, module)?)?;
    module.add_function(wrap_pyfunction!(measure::ssim, module)?)?;
    module.add_function(wrap_pyfunction!(degrade::degrade, module)?)?;
    module.add_function(wrap_pyfunction!(train::train, module)?)
}
