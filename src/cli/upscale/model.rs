//! The networks that can enlarge.

use std::path::PathBuf;

use srcnn_gpu::{Error, Result, Weights};

/// A network, and where it comes from.
#[derive(Debug)]
pub struct Model {
    pub name: String,
    pub weights: Weights,
}

/// Reads all weight files. Which of them enlarges a picture is for [`super::steps::plan_steps`] to say.
pub fn load_models(files: &[PathBuf]) -> Result<Vec<Model>> {
    if files.is_empty() {
        return Err(Error::invalid(
            "no model: name a weight file with -m, a .safetensors or one of the authors' .mat files",
        ));
    }
    let load = |file: &PathBuf| Ok(Model { name: file.display().to_string(), weights: Weights::load(file)? });
    files.iter().map(load).collect()
}
