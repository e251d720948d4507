//! `--model`: the networks and dictionaries that a command works with.

use std::path::{Path, PathBuf};

use clap::Args;
use srcnn_gpu::dictionary::Dictionary;
use srcnn_gpu::train::run::BEST;
use srcnn_gpu::{Channels, Error, Metadata, Padding, Result, Shipped, Weights};

/// The scale of the one network that is taken where small or large is given and nothing says for which scale.
const USUAL_SCALE: f64 = 3.0;

/// What enlarges pictures, with its file's or its own name.
#[derive(Debug)]
pub struct Model {
    pub name: String,
    pub trained: Trained,
}

/// What has been trained.
#[derive(Debug)]
pub enum Trained {
    Network(Weights),
    Dictionary(Dictionary),
}

impl Model {
    fn network_of(name: impl Into<String>, weights: Weights) -> Self {
        Self { name: name.into(), trained: Trained::Network(weights) }
    }

    /// The network, where nothing else will do.
    ///
    /// # Errors
    /// [`Error::Model`] for a dictionary.
    pub fn network(&self) -> Result<&Weights> {
        match &self.trained {
            Trained::Network(weights) => Ok(weights),
            Trained::Dictionary(dictionary) => {
                let reason = format!("it holds a dictionary ({dictionary}); a network is needed here");
                Err(Error::Model { path: (&self.name).into(), reason: reason.into() })
            }
        }
    }

    /// The scales that it was trained for; empty when unknown.
    pub fn scales(&self) -> Vec<f32> {
        match &self.trained {
            Trained::Network(weights) => weights.metadata.scales.clone(),
            Trained::Dictionary(dictionary) => vec![dictionary.scale() as f32],
        }
    }

    /// How far `scale` is from the nearest trained scale, as a ratio; infinite if they are unknown.
    pub fn scale_distance(&self, scale: f64) -> f64 {
        let scales = self.scales();
        Metadata { scales, ..Metadata::default() }.scale_distance(scale)
    }

    /// The planes that it works on.
    pub fn channels(&self) -> Channels {
        match &self.trained {
            Trained::Network(weights) => weights.metadata.channels,
            Trained::Dictionary(_) => Channels::Y,
        }
    }

    /// The padding that a network is meant for.
    pub fn padding(&self) -> Option<Padding> {
        match &self.trained {
            Trained::Network(weights) => Some(weights.metadata.padding),
            Trained::Dictionary(_) => None,
        }
    }

    /// Multiply-adds of a pixel of the result.
    pub fn multiply_adds(&self) -> usize {
        match &self.trained {
            Trained::Network(weights) => weights.architecture().multiply_adds(),
            Trained::Dictionary(dictionary) => dictionary.multiply_adds(),
        }
    }

    /// What it is: an architecture, or a method with the size of its dictionary.
    pub fn what(&self) -> String {
        match &self.trained {
            Trained::Network(weights) => weights.architecture().to_string(),
            Trained::Dictionary(dictionary) => dictionary.to_string(),
        }
    }

    /// The content of a `.safetensors` file with it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when it cannot be serialized.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        match &self.trained {
            Trained::Network(weights) => weights.to_safetensors(),
            Trained::Dictionary(dictionary) => dictionary.to_safetensors(),
        }
    }
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
        return Ok(vec![Model::network_of(name, Weights::load(&best)?)]);
    }
    let is_word = choice.components().count() == 1 && choice.extension().is_none();
    if is_word && !choice.exists() {
        return Err(failed(format!(
            "no such file; the networks that come with the program are {}",
            Shipped::NAMES.join(" and ")
        )));
    }
    if Dictionary::is_at(choice) {
        return Ok(vec![Model { name, trained: Trained::Dictionary(Dictionary::load(choice)?) }]);
    }
    Ok(vec![Model::network_of(name, Weights::load(choice)?)])
}

/// As [`load`], where one network is needed: of small or large, the one for the scale, or for the usual one, which is then
/// said.
///
/// # Errors
/// As [`load`].
pub fn load_one(choice: &Path, scale: Option<f64>) -> Result<Weights> {
    let models = load(choice)?;
    if scale.is_none() && models.len() > 1 {
        log::warn!(
            "{} has a network for each scale; this is the one for x{USUAL_SCALE} (--scale chooses)",
            choice.display()
        );
    }
    let index = nearest(&models, scale.unwrap_or(USUAL_SCALE));
    models[index].network().cloned()
}

/// Refuses a flag that only networks know when there is a dictionary.
///
/// # Errors
/// [`Error::InvalidArgument`].
pub fn only_networks<'a>(models: impl IntoIterator<Item = &'a Model>, flag: &str) -> Result<()> {
    match models.into_iter().find(|model| matches!(model.trained, Trained::Dictionary(_))) {
        None => Ok(()),
        Some(model) => {
            Err(Error::invalid(format!("{flag} is for networks, and {} holds a dictionary", model.name)))
        }
    }
}

/// The networks of this name that come with the program.
pub fn family(choice: &Path) -> Option<Shipped> {
    choice.to_str()?.parse().ok()
}

fn shipped(name: Shipped) -> Result<Vec<Model>> {
    let all = name.all()?.into_iter();
    Ok(all.map(|(name, weights)| Model::network_of(name, weights)).collect())
}

/// The index of the network trained for the scale nearest to `scale`, as a ratio; unknown scales come last.
pub fn nearest(models: &[Model], scale: f64) -> usize {
    let distance = |index: usize| models[index].scale_distance(scale);
    (0..models.len()).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
}
