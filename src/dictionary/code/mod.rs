//! What is computed on the processor for each patch: coefficients of atoms from features, and the residual from those.

mod feature_sign;
mod least_squares;
mod nnls;
mod omp;

use std::ops::Range;

use nalgebra::{DMatrix, DVector};

pub(crate) use feature_sign::feature_sign;
pub(crate) use least_squares::least_squares;
pub(crate) use nnls::nnls;
pub(crate) use omp::omp;

use super::{CHUNK, Dictionary, Method};
use crate::parallel;

/// Coefficients of a few atoms, by their indices.
pub(crate) type Code = Vec<(usize, f64)>;

/// Finds the coefficients of patches on one dictionary.
#[derive(Debug)]
pub(crate) struct Coder {
    method: Method,
    low: DMatrix<f64>,
    high: DMatrix<f64>,
    /// Correlations of all atoms.
    gram: DMatrix<f64>,
}

impl Coder {
    pub fn new(dictionary: &Dictionary) -> Self {
        let (low, high) = (dictionary.low().clone(), dictionary.high().clone());
        Self { method: *dictionary.method(), gram: low.tr_mul(&low), low, high }
    }

    /// The residuals `[patch][pixel]` of patches with these features `[patch][stride]`, of which each has as many as the
    /// dictionary, and these nearest atoms `[patch][neighbors]`. With ANR there is nothing to code: the device has done it.
    pub fn residuals(&self, features: &[f32], stride: usize, nearest: &[u32]) -> Vec<f32> {
        let parts = parallel::chunks(features.len() / stride, CHUNK, |patches| {
            let features = self.features(&features[patches.start * stride..patches.end * stride], stride);
            self.chunk(&features, nearest, patches)
        });
        parts.concat()
    }

    /// A column for each patch.
    fn features(&self, values: &[f32], stride: usize) -> DMatrix<f64> {
        let own = values.chunks_exact(stride).flat_map(|patch| &patch[..self.low.nrows()]);
        DMatrix::from_iterator(self.low.nrows(), values.len() / stride, own.map(|&v| f64::from(v)))
    }

    fn chunk(&self, features: &DMatrix<f64>, nearest: &[u32], patches: Range<usize>) -> Vec<f32> {
        let correlations = self.low.tr_mul(features);
        let neighbors = self.method.nearest();
        let mut residuals = Vec::with_capacity(features.ncols() * self.high.nrows());
        for (column, patch) in patches.enumerate() {
            let near = nearest.get(patch * neighbors..(patch + 1) * neighbors).unwrap_or_default();
            let code = self.code(features, &correlations, column, near);
            let mut residual = DVector::zeros(self.high.nrows());
            for (atom, coefficient) in code {
                residual.axpy(coefficient, &self.high.column(atom), 1.0);
            }
            residuals.extend(residual.iter().map(|&v| v as f32));
        }
        residuals
    }

    /// The coefficients of one patch.
    fn code(
        &self,
        features: &DMatrix<f64>,
        correlations: &DMatrix<f64>,
        column: usize,
        nearest: &[u32],
    ) -> Code {
        let energy = features.column(column).norm_squared();
        let correlations = correlations.column(column);
        let correlations = correlations.as_slice();
        match self.method {
            // A patch without gradients is what bicubic interpolation makes of it.
            _ if energy == 0.0 => Code::new(),
            Method::Ksvd { nonzeros } => omp(&self.gram, correlations, nonzeros),
            Method::NeLle { ridge, .. } => {
                let (atoms, normal, right) = self.neighborhood(nearest, correlations);
                pair(atoms, least_squares(normal, right, ridge))
            }
            Method::NeNnls { .. } => {
                let (atoms, normal, right) = self.neighborhood(nearest, correlations);
                let coefficients = nnls(&normal, &right);
                pair(atoms, coefficients)
            }
            Method::Sc { lambda, .. } => feature_sign(&self.gram, correlations, lambda * energy.sqrt()),
            Method::Anr { .. } => Code::new(),
        }
    }

    /// The normal equations of the nearest atoms.
    fn neighborhood(
        &self,
        nearest: &[u32],
        correlations: &[f64],
    ) -> (Vec<usize>, DMatrix<f64>, DVector<f64>) {
        let atoms: Vec<usize> = nearest.iter().map(|&atom| atom as usize).collect();
        let normal = DMatrix::from_fn(atoms.len(), atoms.len(), |i, j| self.gram[(atoms[i], atoms[j])]);
        let right = DVector::from_iterator(atoms.len(), atoms.iter().map(|&atom| correlations[atom]));
        (atoms, normal, right)
    }
}

fn pair(atoms: Vec<usize>, coefficients: DVector<f64>) -> Code {
    atoms.into_iter().zip(coefficients.iter().copied()).collect()
}

/// Problems for the tests of the parts.
#[cfg(test)]
mod problems {
    use nalgebra::{DMatrix, DVector};

    /// Atoms of unit length and a vector, pseudo-random.
    pub fn problem(features: usize, atoms: usize, seed: u64) -> (DMatrix<f64>, DVector<f64>) {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        };
        let mut dictionary = DMatrix::from_fn(features, atoms, |_, _| next());
        dictionary.column_iter_mut().for_each(|mut atom| {
            atom.normalize_mut();
        });
        (dictionary, DVector::from_fn(features, |_, _| next()))
    }

    /// The least squares solution on some atoms, by QR of the atoms themselves.
    pub fn solve(dictionary: &DMatrix<f64>, atoms: &[usize], vector: &DVector<f64>) -> DVector<f64> {
        let part = dictionary.select_columns(atoms);
        let qr = part.qr();
        let right = qr.q().tr_mul(vector);
        qr.r().solve_upper_triangular(&right).unwrap()
    }
}
