//! `--model`: the networks that a command works with.

use std::path::{Path, PathBuf};

use clap::Args;
use srcnn_gpu::train::run::BEST;
use srcnn_gpu::{Error, Result, Shipped, Weights};

/// The scale of the one network that is taken where small or large is given and nothing says for which scale.
const USUAL_SCALE: f64 = 3.0;

/// A network, with its file's or its own name.
#[derive(Debug)]
pub struct Model {
    pub name: String,
    pub weights: Weights,
}

/// Which networks to use.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// small, large, a weight file (.safetensors, .onnx, PyTorch's .pth, the authors' .mat), or the folder of a training run.
    /// Of several, the one trained for the nearest scale is used [default: small]
    #[arg(short, long, value_name = "NAME|FILE|RUN", help_heading = "Network")]
    pub model: Vec<PathBuf>,
}

/// Reads networks by name, file or run; without any, the small ones that come with the program.
///
/// # Errors
/// As [`load`].
pub fn load_models(choices: &[PathBuf]) -> Result<Vec<Model>> {
    if choices.is_empty() {
        return shipped(Shipped::default());
    }
    let each = choices.iter().map(|choice| load(choice)).collect::<Result<Vec<_>>>()?;
    Ok(each.into_iter().flatten().collect())
}

/// What one choice stands for: the networks of small or large, one for each scale; else one network, that of a weight
/// file or the best of a training run.
///
/// # Errors
/// [`Error::Model`].
pub fn load(choice: &Path) -> Result<Vec<Model>> {
    if let Some(name) = family(choice) {
        return shipped(name);
    }
    let failed = |reason: String| Error::Model { path: choice.into(), reason: reason.into() };
    let name = choice.display().to_string();
    if choice.is_dir() {
        let best = choice.join(BEST);
        if !best.is_file() {
            return Err(failed(format!(
                "it is a folder without {BEST}, so not that of a training run; name a weight file"
            )));
        }
        return Ok(vec![Model { name, weights: Weights::load(&best)? }]);
    }
    let is_word = choice.components().count() == 1 && choice.extension().is_none();
    if is_word && !choice.exists() {
        return Err(failed(format!(
            "no such file; the networks that come with the program are {}",
            Shipped::NAMES.join(" and ")
        )));
    }
    Ok(vec![Model { name, weights: Weights::load(choice)? }])
}

/// As [`load`], where one network is needed: of small or large, the one for the scale, or for the usual one, which is then
/// said.
///
/// # Errors
/// As [`load`].
pub fn load_one(choice: &Path, scale: Option<f64>) -> Result<Model> {
    let mut models = load(choice)?;
    if scale.is_none() && models.len() > 1 {
        log::warn!(
            "{} has a network for each scale; this is the one for x{USUAL_SCALE} (--scale chooses)",
            choice.display()
        );
    }
    let index = nearest(&models, scale.unwrap_or(USUAL_SCALE));
    Ok(models.swap_remove(index))
}

/// The networks of this name that come with the program.
pub fn family(choice: &Path) -> Option<Shipped> {
    choice.to_str()?.parse().ok()
}

fn shipped(name: Shipped) -> Result<Vec<Model>> {
    let all = name.all()?.into_iter();
    Ok(all.map(|(name, weights)| Model { name: name.into(), weights }).collect())
}

/// The index of the network trained for the scale nearest to `scale`, as a ratio; unknown scales come last.
pub fn nearest(models: &[Model], scale: f64) -> usize {
    let distance = |index: usize| models[index].weights.metadata.scale_distance(scale);
    (0..models.len()).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
}
