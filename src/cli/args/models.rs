//! `--model`: the networks and dictionaries that a command works with.

use std::path::{Path, PathBuf};

use clap::Args;
pub use srcnn_gpu::enlarge::{Model, Trained, nearest, one_step, usable};
use srcnn_gpu::{Error, Result, Shipped, Weights};

/// The scale of the one network that is taken where small or large is given and nothing says for which scale.
const USUAL_SCALE: f64 = 3.0;

/// Which networks to use.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// small, large, photo (for pictures with the traces of JPEG files; upscale gives large to those without), deblock (removes
    /// these at factor 1), a weight file (.safetensors, .onnx, PyTorch's .pth, the authors' .mat), the folder of a training run, or
    /// the dictionary of another method (train --method). Of several, the one that suits the scale is used [default: small]
    #[arg(short, long, value_name = "NAME|FILE|RUN", help_heading = "Network")]
    pub model: Vec<PathBuf>,
}

/// Reads networks by name, file or run; without any, the small ones that come with the program.
///
/// # Errors
/// As [`load`].
pub fn load_models(choices: &[PathBuf]) -> Result<Vec<Model>> {
    if choices.is_empty() {
        return Model::shipped(Shipped::default());
    }
    let each = choices.iter().map(|choice| load(choice)).collect::<Result<Vec<_>>>()?;
    Ok(each.into_iter().flatten().collect())
}

/// What one choice stands for: the networks that come with the program under this name; else one network, that of a weight
/// file or the best of a training run.
///
/// # Errors
/// [`Error::Model`].
pub fn load(choice: &Path) -> Result<Vec<Model>> {
    if family(choice).is_none() && choice.symlink_metadata().is_err() {
        return Err(unknown(choice, "no such file or folder"));
    }
    Model::load(choice)
}

/// The error for what is no network, and says what is.
pub fn unknown(choice: &Path, what: &str) -> Error {
    let built_in = built_in();
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

/// The names of the networks that come with the program, for messages: `small, large and photo`.
pub fn built_in() -> String {
    match Shipped::NAMES {
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
        [] => String::new(),
    }
}

/// The networks of this name that come with the program.
pub fn family(choice: &Path) -> Option<Shipped> {
    choice.to_str()?.parse().ok()
}

/// Warns of a network that is used for another scale than those that it was trained for, if it says which these are.
pub fn warn_of_scale(model: &Model, scale: f64) {
    let trained = model.scales();
    if trained.is_empty() || model.scale_distance(scale) == 0.0 {
        return;
    }
    let names: Vec<String> = trained.iter().map(|scale| format!("x{scale}")).collect();
    let scale = (scale * 100.0).round() / 100.0;
    log::warn!("{} was trained for {}, not for x{scale}", model.name, names.join(", "));
}
