//! What enlarges pictures: networks and dictionaries with their names, and which of them a factor can be left to.

use std::path::Path;

use crate::dictionary::Dictionary;
use crate::error::{Error, Result};
use crate::network::{Channels, Padding};
use crate::weights::{BEST, Metadata, Shipped, Weights, plan_steps, read_file};

/// What enlarges pictures, with its file's or its own name.
#[derive(Debug)]
pub struct Model {
    /// For messages.
    pub name: String,
    /// For those that come with the crate.
    pub family: Option<Shipped>,
    /// What has been trained.
    pub trained: Trained,
}

/// What has been trained.
#[derive(Debug)]
pub enum Trained {
    /// A network.
    Network(Weights),
    /// A dictionary of one of the methods that the paper compares with.
    Dictionary(Dictionary),
}

impl Model {
    /// A network with a name for messages.
    pub fn network_of(name: impl Into<String>, weights: Weights) -> Self {
        Self { name: name.into(), family: None, trained: Trained::Network(weights) }
    }

    /// The networks of a family.
    ///
    /// # Errors
    /// As [`Shipped::all`].
    pub fn shipped(family: Shipped) -> Result<Vec<Self>> {
        let named = |weights: Weights| {
            let name = match weights.metadata.scales.as_slice() {
                [scale] if *scale > 1.0 => format!("{family} x{scale}"),
                _ => family.to_string(),
            };
            Self { family: Some(family), ..Self::network_of(name, weights) }
        };
        Ok(family.all()?.into_iter().map(|(_, weights)| named(weights)).collect())
    }

    /// What enlarges by a factor where no network is asked for: `deblock` for factor 1, `small` for others; for `pictures`,
    /// `photo` besides, which those with the traces of compression get.
    ///
    /// # Errors
    /// As [`Shipped::all`].
    pub fn usual(factor: Option<f64>, pictures: bool) -> Result<Vec<Self>> {
        let families: &[Shipped] = match (factor == Some(1.0), pictures) {
            (true, _) => &[Shipped::Deblock],
            (false, true) => &[Shipped::Small, Shipped::Photo],
            (false, false) => &[Shipped::Small],
        };
        let models = families.iter().map(|&family| Self::shipped(family)).collect::<Result<Vec<_>>>()?;
        Ok(models.into_iter().flatten().collect())
    }

    /// The same models, and `large` where `photo` is all that enlarges: for pictures without the traces of compression, which
    /// `photo` would take detail from.
    ///
    /// # Errors
    /// As [`Shipped::all`].
    pub fn with_clean(mut models: Vec<Self>) -> Result<Vec<Self>> {
        let alone = !models.is_empty() && models.iter().all(|model| model.family == Some(Shipped::Photo));
        if alone {
            models.extend(Self::shipped(Shipped::Large)?);
        }
        Ok(models)
    }

    /// What one word stands for: the networks that come with the crate under this name; else one model, that of a weight file
    /// or a dictionary's, or the best network of a training run's folder.
    ///
    /// # Errors
    /// [`Error::Model`].
    pub fn load(choice: &Path) -> Result<Vec<Self>> {
        if let Some(family) = choice.to_str().and_then(|word| word.parse().ok()) {
            return Self::shipped(family);
        }
        let name = choice.display().to_string();
        if choice.is_dir() {
            let best = choice.join(BEST);
            if !best.is_file() {
                let reason = format!(
                    "it is a folder without {BEST}, so not that of a training run; name a weight file"
                );
                return Err(Error::Model { path: choice.into(), reason: reason.into() });
            }
            return Ok(vec![Self::network_of(name, Weights::load(&best)?)]);
        }
        // Read once: it may be a pipe.
        let bytes = read_file(choice)?;
        let trained = match Dictionary::is_in(&bytes) {
            true => Trained::Dictionary(Dictionary::of_file(choice, &bytes)?),
            false => Trained::Network(Weights::of_file(choice, &bytes)?),
        };
        Ok(vec![Self { name, family: None, trained }])
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

    /// As [`Metadata::step`].
    pub fn step(&self, factor: f64) -> Option<f64> {
        let scales = self.scales();
        Metadata { scales, ..Metadata::default() }.step(factor)
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

    /// Whether it removes borders, with `padding` in place of its own if there is one.
    pub fn crops(&self, padding: Option<Padding>) -> bool {
        self.padding().map(|own| padding.unwrap_or(own)) == Some(Padding::Valid)
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

/// Whether pictures with the traces of compression get other networks than those without.
pub fn tells_apart(models: &[Model]) -> bool {
    let is_photo = |model: &Model| model.family == Some(Shipped::Photo);
    models.iter().any(is_photo) && !models.iter().all(is_photo)
}

/// Which networks can be used for a factor: those that were trained for factors above 1, or those for 1 where a picture keeps
/// its size, and those that do not say. Where pictures with the traces of compression have networks of their own, these are taken for
/// `compressed` ones and for no others; where that is not known, the kind of network that is named first.
///
/// # Errors
/// [`Error::InvalidArgument`] when there is none.
pub fn usable(models: &[Model], factor: f64, compressed: Option<bool>) -> Result<Vec<usize>> {
    let in_place = factor == 1.0;
    let fits = |model: &Model| {
        let scales = model.scales();
        scales.is_empty() || scales.iter().any(|&scale| (scale == 1.0) == in_place)
    };
    let fitting: Vec<usize> = (0..models.len()).filter(|&index| fits(&models[index])).collect();
    if fitting.is_empty() {
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        let (for_what, other) = match in_place {
            true => ("enlarges pictures", "the network deblock restores them at factor 1"),
            false => ("restores pictures at factor 1", "the networks small and photo enlarge them"),
        };
        return Err(Error::invalid(format!("{} {for_what}; {other}", names.join(", "))));
    }
    let is_photo = |&index: &usize| models[index].family == Some(Shipped::Photo);
    let photo_first = is_photo(&fitting[0]);
    let (photo, others): (Vec<usize>, Vec<usize>) = fitting.into_iter().partition(is_photo);
    Ok(match compressed.unwrap_or(photo_first) {
        true if !photo.is_empty() => photo,
        false if others.is_empty() => photo,
        _ => others,
    })
}

/// Of the networks that can be used for a factor, the one that takes it where one step has to do: [`Metadata::step`] tells how far.
///
/// # Errors
/// As [`usable`].
pub fn one_step(models: &[Model], factor: f64, compressed: Option<bool>) -> Result<usize> {
    let usable = usable(models, factor, compressed)?;
    let scales =
        |&index: &usize| models[index].scales().into_iter().map(move |scale| (f64::from(scale), index));
    let (scales, network_of_scale): (Vec<f64>, Vec<usize>) = usable.iter().flat_map(scales).unzip();
    let step = plan_steps(factor, &scales, 1).networks.first().map_or(0, |step| step.trained);
    let found = network_of_scale.get(step).or(usable.first()).copied();
    found.ok_or_else(|| Error::invalid("no model"))
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
        let models: Vec<Model> =
            families.into_iter().flat_map(|family| Model::shipped(family).unwrap()).collect();
        let names = |factor, compressed: bool| -> Vec<String> {
            let usable = usable(&models, factor, Some(compressed)).unwrap();
            usable.into_iter().map(|index| models[index].family.unwrap().to_string()).collect()
        };
        assert_eq!(names(3.0, false), ["small"; 3]);
        assert_eq!(names(3.0, true), ["photo"]);
        assert_eq!(names(1.0, true), ["deblock"]);
        let photo = Model::shipped(Shipped::Photo).unwrap();
        assert_eq!(usable(&photo, 2.5, Some(false)).unwrap(), [0]);
        assert!(usable(&photo, 1.0, None).unwrap_err().to_string().contains("deblock restores"));
        let deblock = Model::shipped(Shipped::Deblock).unwrap();
        // Not known: the first that are named.
        assert_eq!(usable(&models, 2.0, None).unwrap(), [0, 1, 2]);
        assert!(!tells_apart(&photo) && tells_apart(&models));
        let photo = Model::with_clean(photo).unwrap();
        assert_eq!(usable(&photo, 2.0, None).unwrap(), [0]);
        assert_eq!(usable(&photo, 2.0, Some(false)).unwrap(), [1, 2, 3]);
        assert_eq!(Model::with_clean(Model::shipped(Shipped::Small).unwrap()).unwrap().len(), 3);
        assert!(
            usable(&deblock, 2.0, Some(true)).unwrap_err().to_string().contains("small and photo enlarge")
        );
    }

    #[test]
    fn words_and_folders() {
        assert_eq!(Model::load(Path::new("small")).unwrap().len(), 3);
        let folder = tempfile::tempdir().unwrap();
        let error = Model::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains(BEST), "{error}");
        let network = Shipped::Small.nearest(3.0).unwrap();
        std::fs::write(folder.path().join(BEST), network.to_safetensors().unwrap()).unwrap();
        assert_eq!(Model::load(folder.path()).unwrap()[0].network().unwrap(), &network);
        assert!(Model::load(&folder.path().join("none")).is_err());
    }

    /// A pipe gives its content once.
    #[cfg(unix)]
    #[test]
    fn files_are_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let pixels = 36;
        let values = |count: usize| (0..count).map(|i| (i % 7) as f64 - 2.5).collect::<Vec<_>>();
        let method = crate::dictionary::Method::Ksvd { nonzeros: 1 };
        let [projection, low, high] = [8 * pixels, 6, 3 * pixels].map(values);
        let dictionary = Dictionary::from_rows(method, 2, &projection, &low, &high).unwrap();
        let network = Shipped::Small.nearest(3.0).unwrap().to_safetensors().unwrap();
        for (bytes, is_dictionary) in [(dictionary.to_safetensors().unwrap(), true), (network, false)] {
            let (to, from) = (pipe.clone(), bytes.clone());
            let writer = std::thread::spawn(move || std::fs::write(to, from).unwrap());
            let model = Model::load(&pipe).unwrap().remove(0);
            writer.join().unwrap();
            assert_eq!(model.to_safetensors().unwrap(), bytes);
            assert_eq!(model.network().is_err(), is_dictionary);
        }
    }
}
