//! Training of dictionaries ([`crate::dictionary`]) from folders of pictures.
//!
//! Pictures are shrunk and enlarged as for networks. From patches at places drawn with a seed come features of the bicubic
//! picture, projected on the principal components that hold 99.9 % of their energy, and residuals. ANR, K-SVD and the neighbor
//! embeddings share one dictionary: K-SVD's atoms of features, and the atoms of residuals that reconstruct the training
//! residuals best with the same codes (Zeyde et al. 2010, section 3). SC has dictionaries of its own, trained jointly.

mod joint;
mod ksvd;
mod samples;

use std::path::PathBuf;

use nalgebra::DMatrix;

use crate::dictionary::{Dictionary, Method};
use crate::error::{Error, Result};
use samples::Samples;

/// What a dictionary is trained from, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct DictionaryConfig {
    /// The method, with its parameters.
    pub method: Method,
    /// Folders of pictures with their subfolders, or single pictures.
    pub data: Vec<PathBuf>,
    /// 2, 3 or 4.
    pub scale: usize,
    /// Atoms.
    pub atoms: usize,
    /// Patches to train on at most; all if there are fewer.
    pub samples: usize,
    /// Rounds of coding and of updating the atoms.
    pub rounds: usize,
    /// Seed of the places of the patches, and of the first atoms.
    pub seed: u32,
}

impl DictionaryConfig {
    /// The usual settings: 1024 atoms, as in the papers. K-SVD learns from 150,000 patches in 20 rounds; SC, whose coding takes
    /// longer, from 20,000 in 6.
    pub fn new(method: Method, data: Vec<PathBuf>, scale: usize) -> Self {
        let (samples, rounds) = match method {
            Method::Sc { .. } => (20_000, 6),
            _ => (150_000, 20),
        };
        Self { method, data, scale, atoms: 1024, samples, rounds, seed: 0 }
    }

    fn check(&self) -> Result<()> {
        let (least, most) = Dictionary::SCALES.into_inner();
        if !Dictionary::SCALES.contains(&self.scale) {
            return Err(Error::invalid(format!(
                "scale {}: dictionaries are trained for scales from {least} to {most}",
                self.scale
            )));
        }
        if !(1..=Dictionary::MOST_ATOMS).contains(&self.atoms) {
            return Err(Error::invalid(format!(
                "{} atoms: from 1 to {}",
                self.atoms,
                Dictionary::MOST_ATOMS
            )));
        }
        if self.rounds == 0 || self.samples == 0 {
            return Err(Error::invalid("training needs one round and one patch at least"));
        }
        self.method.check(self.atoms)
    }

    /// In words, for the file.
    fn description(&self, patches: usize, pictures: usize) -> String {
        let names =
            self.data.iter().map(|path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy());
        let names = names.collect::<Vec<_>>().join(", ");
        // Whoever uses the dictionary may choose another weight.
        let lambda = match self.method {
            Method::Sc { lambda, .. } => format!(", lambda {lambda}"),
            _ => String::new(),
        };
        format!(
            "{patches} patches of {pictures} pictures ({names}), {} rounds{lambda}, seed {}",
            self.rounds, self.seed
        )
    }
}

/// What happens while a dictionary is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DictionaryEvent {
    /// The patches are ready.
    Samples {
        /// How many.
        patches: usize,
        /// Of so many pictures.
        pictures: usize,
        /// Features of each.
        features: usize,
    },
    /// A round is done.
    Round {
        /// Counted from 1.
        round: usize,
        /// Of so many.
        rounds: usize,
        /// The share of the samples' energy that their codes do not represent.
        error: f64,
    },
}

/// Hears of what happens; `false` ends the training.
pub type Tell<'a> = &'a mut dyn FnMut(DictionaryEvent) -> bool;

/// Trains a dictionary. `None` if `tell` ends it. Equal configurations on equal pictures give equal dictionaries on one kind of
/// processor; how many cores there are does not matter.
///
/// # Errors
/// [`Error::InvalidArgument`] for settings out of their range, [`Error::Picture`] when a folder cannot be listed or the
/// pictures hold fewer patches than the dictionary has atoms.
pub fn train(config: &DictionaryConfig, tell: Tell<'_>) -> Result<Option<Dictionary>> {
    config.check()?;
    let samples = Samples::read(config)?;
    let (patches, pictures) = (samples.features.ncols(), samples.pictures);
    let features = samples.features.nrows();
    if !tell(DictionaryEvent::Samples { patches, pictures, features }) {
        return Ok(None);
    }
    let trained = match config.method {
        Method::Sc { lambda, .. } => joint::train(&samples, config, lambda, tell),
        _ => ksvd::train(&samples, config, tell)?,
    };
    let Some((low, high)) = trained else { return Ok(None) };
    let mut dictionary = Dictionary::new(config.method, config.scale, samples.projection, low, high)?;
    dictionary.training = Some(config.description(patches, pictures));
    Ok(Some(dictionary))
}

/// Atoms of features and of residuals.
type Atoms = (DMatrix<f64>, DMatrix<f64>);

/// As many different numbers below `len`, drawn with a seed, in ascending order.
fn draw(seed: u32, salt: u32, len: usize, count: usize) -> Vec<usize> {
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    let order = super::shuffle::Permutation::new(seed, salt, 0, len);
    let mut drawn: Vec<usize> = (0..len.min(count as u32)).map(|i| order.at(i) as usize).collect();
    drawn.sort_unstable();
    drawn
}
