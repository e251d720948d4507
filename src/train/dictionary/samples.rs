//! Patches to train on: their features and residuals.

use std::path::PathBuf;

use nalgebra::{DMatrix, DVector};

use super::{DictionaryConfig, draw};
use crate::degrade::{Degrader, Shrink};
use crate::dictionary::{Axis, Dictionary, GRADIENTS, gradients};
use crate::error::{Error, Result};
use crate::eval::dataset::Picture;
use crate::network::Channels;
use crate::train::files::list;

/// The share of the energy of the gradients that their principal components hold.
const ENERGY: f64 = 0.999;

/// Patches, a column each.
#[derive(Debug)]
pub(super) struct Samples {
    /// `[features][gradients of a patch]`.
    pub projection: DMatrix<f64>,
    /// `[features][patches]`.
    pub features: DMatrix<f64>,
    /// What the bicubic patches lack of the original: `[pixels][patches]`.
    pub residuals: DMatrix<f64>,
    /// Pictures that they come from.
    pub pictures: usize,
}

/// A picture and which of its patches are drawn.
struct Drawn {
    picture: Picture,
    places: Vec<[usize; 2]>,
}

impl Samples {
    /// Reads all pictures. Those that cannot be read are logged and left out.
    ///
    /// # Errors
    /// [`Error::Picture`] when a folder cannot be listed, or there are fewer patches than atoms.
    pub fn read(config: &DictionaryConfig) -> Result<Self> {
        let drawn = Self::draw(config)?;
        let patch = Dictionary::PATCH * config.scale;
        let (pixels, raw) = (patch * patch, GRADIENTS * patch * patch);
        // Twice through the pictures, since the gradients of all patches would take much memory.
        let mut energy = DMatrix::zeros(raw, raw);
        for one in &drawn {
            let gradients = one.gradients(config.scale)?;
            energy.gemm(1.0, &gradients, &gradients.transpose(), 1.0);
        }
        let projection = principal_components(energy);
        let count = drawn.iter().map(|one| one.places.len()).sum();
        let mut features = DMatrix::zeros(projection.nrows(), count);
        let mut residuals = DMatrix::zeros(pixels, count);
        let mut column = 0;
        for one in &drawn {
            let own = one.places.len();
            features.columns_mut(column, own).copy_from(&(&projection * one.gradients(config.scale)?));
            residuals.columns_mut(column, own).copy_from(&one.residuals(config.scale)?);
            column += own;
        }
        Ok(Self { projection, features, residuals, pictures: drawn.len() })
    }

    /// Draws patches from the places in all pictures.
    fn draw(config: &DictionaryConfig) -> Result<Vec<Drawn>> {
        let mut files: Vec<PathBuf> = Vec::new();
        for path in &config.data {
            list(path, &mut files)?;
        }
        let mut pictures = Vec::new();
        for path in &files {
            match Picture::read(path) {
                Ok(picture) => pictures.push(picture.modcrop(config.scale)),
                Err(error) => log::warn!("{error}; left out"),
            }
        }
        let patch = Dictionary::PATCH * config.scale;
        let axes = |picture: &Picture| {
            let axis = |length| Axis { length, step: config.scale, patch };
            [axis(picture.width), axis(picture.height)]
        };
        pictures.retain(|picture| picture.width.min(picture.height) >= patch);
        let places = |picture: &Picture| axes(picture).iter().map(|axis| axis.count()).product::<usize>();
        let total = pictures.iter().map(places).sum();
        if total < config.atoms {
            return Err(Error::Picture(
                format!(
                    "{} pictures with {total} patches: fewer than the {} atoms",
                    pictures.len(),
                    config.atoms
                )
                .into(),
            ));
        }
        let mut numbers =
            draw(config.seed, 0, total, config.samples.max(config.atoms)).into_iter().peekable();
        let mut drawn = Vec::new();
        let mut first = 0;
        for picture in pictures {
            let [across, down] = axes(&picture);
            let end = first + across.count() * down.count();
            let mut own = Vec::new();
            while let Some(number) = numbers.next_if(|&number| number < end) {
                let index = number - first;
                own.push([across.start(index % across.count()), down.start(index / across.count())]);
            }
            first = end;
            drawn.push(Drawn { picture, places: own });
        }
        Ok(drawn)
    }
}

impl Drawn {
    fn planes(&self, scale: usize) -> Result<[Vec<f64>; 2]> {
        let Picture { width, height, .. } = self.picture;
        let degrader = Degrader::new(width, height, scale, Shrink::Bicubic)?;
        let plane = self.picture.planes(Channels::Y).concat();
        let truth: Vec<f64> = plane.iter().map(|&v| f64::from(v) / 255.0).collect();
        let bicubic = degrader.enlarge(&degrader.shrink(&truth));
        Ok([truth, bicubic])
    }

    /// The gradients of each patch's pixels, a column for each patch.
    fn gradients(&self, scale: usize) -> Result<DMatrix<f64>> {
        let [_, bicubic] = self.planes(scale)?;
        let width = self.picture.width;
        let all = gradients(&bicubic, width, scale);
        let patch = Dictionary::PATCH * scale;
        let values = self.places.iter().flat_map(|&[x, y]| {
            let all = &all;
            let rows = (y..y + patch).map(move |y| &all[y * width + x..y * width + x + patch]);
            rows.flat_map(|row| row.iter().flatten().copied())
        });
        Ok(DMatrix::from_iterator(GRADIENTS * patch * patch, self.places.len(), values))
    }

    fn residuals(&self, scale: usize) -> Result<DMatrix<f64>> {
        let [truth, bicubic] = self.planes(scale)?;
        let (width, patch) = (self.picture.width, Dictionary::PATCH * scale);
        let lacking: Vec<f64> = truth.iter().zip(&bicubic).map(|(truth, bicubic)| truth - bicubic).collect();
        let values = self.places.iter().flat_map(|&[x, y]| {
            let lacking = &lacking;
            (y..y + patch).flat_map(move |y| lacking[y * width + x..y * width + x + patch].iter().copied())
        });
        Ok(DMatrix::from_iterator(patch * patch, self.places.len(), values))
    }
}

/// The fewest eigenvectors of a matrix of energies whose eigenvalues sum to [`ENERGY`] of all, a row each, largest first.
fn principal_components(energy: DMatrix<f64>) -> DMatrix<f64> {
    let eigen = energy.symmetric_eigen();
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let total: f64 = eigen.eigenvalues.sum();
    let mut held = 0.0;
    let mut count = 0;
    while count < order.len() && (count == 0 || held < ENERGY * total) {
        held += eigen.eigenvalues[order[count]];
        count += 1;
    }
    let mut components = eigen.eigenvectors.select_columns(&order[..count]);
    // An eigenvector's sign is nobody's choice; the largest value is made positive.
    for mut column in components.column_iter_mut() {
        let largest = DVector::from(column.clone_owned()).iamax();
        if column[largest] < 0.0 {
            column.neg_mut();
        }
    }
    components.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Data that vary along two orthogonal directions and hardly along a third.
    #[test]
    fn components_hold_the_energy() {
        let directions = [[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, 1.0]];
        let strengths = [1.0, 5.0, 0.01];
        let mut energy = DMatrix::zeros(3, 3);
        for (direction, strength) in directions.iter().zip(strengths) {
            let vector = DVector::from_row_slice(direction);
            energy += &vector * vector.transpose() * (strength * strength);
        }
        let found = principal_components(energy);
        assert_eq!(found.nrows(), 2);
        let expected = DMatrix::from_row_slice(2, 3, &[0.8, -0.6, 0.0, 0.6, 0.8, 0.0]);
        assert!((&found - &expected).amax() < 1e-12, "{found}");
    }
}
