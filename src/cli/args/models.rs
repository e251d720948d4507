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
    /// small, large, a weight file (.safetensors, .onnx, PyTorch's .pth, the authors' .mat), the folder of a training run, or
    /// the dictionary of another method (train --method). Of several, the one trained for the nearest scale is used [default: small]
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
    if choice.symlink_metadata().is_err() {
        return Err(unknown(choice, "no such file or folder"));
    }
    if Dictionary::is_at(choice) {
        return Ok(vec![Model { name, trained: Trained::Dictionary(Dictionary::load(choice)?) }]);
    }
    Ok(vec![Model::network_of(name, Weights::load(choice)?)])
}

/// The error for what is no network, and says what is.
pub fn unknown(choice: &Path, what: &str) -> Error {
    let built_in = Shipped::NAMES.join(" and ");
    let meant = similar(&choice.to_string_lossy()).map(|near| format!(" did you mean {near}?"));
    let meant = meant.unwrap_or_default();
    let reason = format!(
        "{what};{meant} {built_in} are built in; else name a weight file (.safetensors, .onnx, .pth, .mat) or the folder of \
         a training run"
    );
    Error::Model { path: choice.into(), reason: reason.into() }
}

/// The built-in name that a word with a slip of the keyboard is meant for.
fn similar(word: &str) -> Option<&'static str> {
    let slips = |name: &&str| strsim::damerau_levenshtein(&word.to_lowercase(), name);
    Shipped::NAMES.iter().copied().filter(|name| slips(name) <= 2).min_by_key(slips)
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
    let named = |weights: Weights| match weights.metadata.scales.as_slice() {
        [scale] => Model::network_of(format!("{name} x{scale}"), weights),
        _ => Model::network_of(name.to_string(), weights),
    };
    Ok(name.all()?.into_iter().map(|(_, weights)| named(weights)).collect())
}

/// Warns of a network that is used for another scale than those that it was trained for, if it says which these are.
pub fn warn_of_scale(model: &Model, scale: f64) {
    let trained = model.scales();
    if trained.is_empty() || trained.iter().any(|&trained| f64::from(trained) == scale) {
        return;
    }
    let names: Vec<String> = trained.iter().map(|scale| format!("x{scale}")).collect();
    let scale = (scale * 100.0).round() / 100.0;
    log::warn!("{} was trained for {}, not for x{scale}", model.name, names.join(", "));
}

/// The index of the network trained for the scale nearest to `scale`, as a ratio; unknown scales come last.
pub fn nearest(models: &[Model], scale: f64) -> usize {
    let distance = |index: usize| models[index].scale_distance(scale);
    (0..models.len()).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
}
