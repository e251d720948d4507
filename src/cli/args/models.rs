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
    /// For those that come with the program.
    pub family: Option<Shipped>,
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
        Self { name: name.into(), family: None, trained: Trained::Network(weights) }
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
    /// small, large, photo (for pictures with the traces of JPEG or WebP files), deblock (removes these at factor 1), a weight
    /// file (.safetensors, .onnx, PyTorch's .pth, the authors' .mat), the folder of a training run, or the dictionary of another
    /// method (train --method). Of several, the one trained for the nearest scale is used [default: small]
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

/// What one choice stands for: the networks that come with the program under this name; else one network, that of a weight
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
        return Ok(vec![Model {
            name,
            family: None,
            trained: Trained::Dictionary(Dictionary::load(choice)?),
        }]);
    }
    Ok(vec![Model::network_of(name, Weights::load(choice)?)])
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

/// The networks of a family.
///
/// # Errors
/// As [`Shipped::all`].
pub fn shipped(family: Shipped) -> Result<Vec<Model>> {
    let named = |weights: Weights| {
        let name = match weights.metadata.scales.as_slice() {
            [scale] if *scale > 1.0 => format!("{family} x{scale}"),
            _ => family.to_string(),
        };
        Model { family: Some(family), ..Model::network_of(name, weights) }
    };
    Ok(family.all()?.into_iter().map(|(_, weights)| named(weights)).collect())
}

/// Which networks can be used for a factor: those that were trained for factors above 1, or those for 1 where a picture keeps
/// its size, and those that do not say. Where `compressed` pictures have networks of their own, these are taken for them and
/// for no others.
///
/// # Errors
/// [`Error::InvalidArgument`] when there is none.
pub fn usable(models: &[Model], factor: f64, compressed: bool) -> Result<Vec<usize>> {
    let in_place = factor == 1.0;
    let fits = |model: &Model| {
        let scales = model.scales();
        scales.is_empty() || scales.iter().any(|&scale| (scale == 1.0) == in_place)
    };
    let fitting: Vec<usize> = (0..models.len()).filter(|&index| fits(&models[index])).collect();
    if fitting.is_empty() {
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        let (for_what, other) = match in_place {
            true => ("enlarges pictures", "deblock restores them at factor 1"),
            false => ("restores pictures at factor 1 (--scale 1)", "small and photo enlarge them"),
        };
        return Err(Error::invalid(format!("{} {for_what}; {other} (--model)", names.join(", "))));
    }
    let is_photo = |&index: &usize| models[index].family == Some(Shipped::Photo);
    let (photo, others): (Vec<usize>, Vec<usize>) = fitting.into_iter().partition(is_photo);
    Ok(match (photo.is_empty(), others.is_empty()) {
        (false, false) if compressed => photo,
        (_, false) => others,
        (_, true) => photo,
    })
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

/// The index of the network trained for the scale nearest to `scale`, as a ratio; unknown scales come last.
pub fn nearest(models: &[Model], scale: f64) -> usize {
    let distance = |index: usize| models[index].scale_distance(scale);
    (0..models.len()).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_by_factor_and_picture() {
        let families = [Shipped::Small, Shipped::Photo, Shipped::Deblock];
        let models: Vec<Model> = families.into_iter().flat_map(|family| shipped(family).unwrap()).collect();
        let names = |factor, compressed| -> Vec<String> {
            let usable = usable(&models, factor, compressed).unwrap();
            usable.into_iter().map(|index| models[index].family.unwrap().to_string()).collect()
        };
        assert_eq!(names(3.0, false), ["small"; 3]);
        assert_eq!(names(3.0, true), ["photo"; 3]);
        assert_eq!(names(1.0, true), ["deblock"]);
        let photo = shipped(Shipped::Photo).unwrap();
        assert_eq!(usable(&photo, 2.0, false).unwrap(), [0, 1, 2]);
        assert!(usable(&photo, 1.0, false).unwrap_err().to_string().contains("deblock restores"));
        let deblock = shipped(Shipped::Deblock).unwrap();
        assert!(usable(&deblock, 2.0, true).unwrap_err().to_string().contains("--scale 1"));
    }
}
