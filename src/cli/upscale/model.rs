//! Which network enlarges.

use std::path::PathBuf;

use srcnn_gpu::{Error, Result, Weights};

/// Reads all weight files and takes the one whose trained scale is nearest, as a ratio.
pub fn choose_model(files: &[PathBuf], scale: f64) -> Result<Weights> {
    let mut best: Option<(f64, &PathBuf, Weights)> = None;
    for file in files {
        let weights = Weights::load(file)?;
        let ratios = weights.metadata.scales.iter().map(|&trained| (f64::from(trained) / scale).ln().abs());
        // Unknown scales come after all known ones.
        let distance = ratios.fold(f64::INFINITY, f64::min);
        if best.as_ref().is_none_or(|(least, ..)| distance < *least) {
            best = Some((distance, file, weights));
        }
    }
    let Some((_, file, weights)) = best else {
        return Err(Error::invalid(
            "no model: name a weight file with -m, a .safetensors or one of the authors' .mat files",
        ));
    };
    log::info!("model {}: {}", file.display(), weights.architecture());
    Ok(weights)
}
