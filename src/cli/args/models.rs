//! `--model`: the networks that a command works with.

use std::path::PathBuf;

use clap::Args;
use srcnn_gpu::{Result, Shipped, Weights};

/// A network, with its file's or its own name.
#[derive(Debug)]
pub struct Model {
    pub name: String,
    pub weights: Weights,
}

/// Which networks to use: part of every command that runs them.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// small, large, or weight files (.safetensors, .onnx, PyTorch's .pth, the authors' .mat); if there are several, the one
    /// trained for the nearest scale is used [default: small]
    #[arg(short, long, value_name = "NAME|FILE")]
    pub model: Vec<PathBuf>,
}

/// Reads networks by name or file; without any, the small ones that come with the program.
///
/// # Errors
/// As [`Weights::load`].
pub fn load_models(choices: &[PathBuf]) -> Result<Vec<Model>> {
    let shipped = |shipped: Shipped| -> Result<Vec<Model>> {
        let all = shipped.all()?.into_iter();
        Ok(all.map(|(name, weights)| Model { name: name.into(), weights }).collect())
    };
    if choices.is_empty() {
        return shipped(Shipped::default());
    }
    let mut models = Vec::new();
    for choice in choices {
        match choice.to_str().and_then(|name| name.parse().ok()) {
            Some(name) => models.extend(shipped(name)?),
            None => {
                models.push(Model { name: choice.display().to_string(), weights: Weights::load(choice)? })
            }
        }
    }
    Ok(models)
}

/// The index of the network trained for the scale nearest to `scale`, as a ratio; unknown scales come last.
pub fn nearest(models: &[Model], scale: f64) -> usize {
    let distance = |index: usize| models[index].weights.metadata.scale_distance(scale);
    (0..models.len()).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
}
