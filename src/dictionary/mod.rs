//! The methods that the paper compares with (section 4.3), which represent patches by a dictionary: ANR, K-SVD, NE+LLE,
//! NE+NNLS and SC.
//!
//! All work in the frame of Zeyde, Elad and Protter (2010) and of Timofte, De Smet and Van Gool (2013). The luminance is
//! enlarged by bicubic interpolation. Patches of 3x3 low-resolution pixels are taken at every low-resolution pixel, in SC at every second; a patch's
//! features are the gradients of the bicubic picture in it (two of first order, two of second), projected on the principal
//! components that hold 99.9 % of their energy. A method estimates from the features the residual, which is what the
//! bicubic patch lacks, and where patches overlap, their residuals are averaged.
//!
//! [`Dictionary`] is a trained one, with its file; [`DictionaryUpscaler`] enlarges pictures with it. Features, nearest atoms
//! and ANR's matrices are computed on the GPU, OMP, NNLS and feature-sign search on all processor cores. `train::dictionary`
//! trains.

mod back_projection;
pub(crate) mod code;
mod engine;
mod file;
pub(crate) mod gpu;
mod lattice;
mod method;
mod regression;
mod strips;

use nalgebra::DMatrix;

pub use engine::{DictionaryUpscaler, PatchValues};
pub use gpu::shaders::variants;
pub(crate) use lattice::GRADIENTS;
#[cfg(feature = "train")]
pub(crate) use lattice::{Axis, gradients};
pub use method::Method;
use regression::anchored_regressions;

use crate::error::{Error, Result};

/// Patches or atoms that a thread takes at a time.
pub(crate) const CHUNK: usize = 256;

/// A trained dictionary: pairs of atoms, one for the features of a patch and one for its residual.
#[derive(Debug, Clone, PartialEq)]
pub struct Dictionary {
    method: Method,
    scale: usize,
    /// Features from gradients: [features][row, column and gradient of a patch].
    projection: DMatrix<f64>,
    /// Atoms of features, a column each, of unit length.
    low: DMatrix<f64>,
    /// Atoms of residuals, a column each: [row and column of a patch].
    high: DMatrix<f64>,
    /// How it was trained, as free text.
    pub training: Option<String>,
}

impl Dictionary {
    /// Low-resolution pixels on each axis of a patch.
    pub const PATCH: usize = 3;

    /// The scales that dictionaries are trained for.
    pub const SCALES: std::ops::RangeInclusive<usize> = 2..=4;

    /// The most atoms, so that their indices and matrices stay within what devices bind.
    pub const MOST_ATOMS: usize = 4096;

    /// Puts a dictionary together: `projection` is [features][4 gradients of the patch's pixels], `low` [features][atoms],
    /// `high` [pixels of a patch][atoms].
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for sizes that do not go together, values that are not finite, and parameters of the method
    /// out of their range.
    pub(crate) fn new(
        method: Method,
        scale: usize,
        projection: DMatrix<f64>,
        low: DMatrix<f64>,
        high: DMatrix<f64>,
    ) -> Result<Self> {
        let pixels = Self::pixels(scale)?;
        let (features, gradients) = projection.shape();
        let atoms = low.ncols();
        if gradients != GRADIENTS * pixels || !(1..=gradients).contains(&features) {
            return Err(Error::invalid(format!(
                "a projection of {gradients} gradients to {features} features does not go with patches of {pixels} pixels"
            )));
        }
        if low.nrows() != features
            || high.shape() != (pixels, atoms)
            || !(1..=Self::MOST_ATOMS).contains(&atoms)
        {
            return Err(Error::invalid(format!(
                "atoms of {:?} and {:?} values do not go with {features} features and {pixels} pixels, or are more than {}",
                low.shape(),
                high.shape(),
                Self::MOST_ATOMS
            )));
        }
        if ![&projection, &low, &high].iter().all(|matrix| matrix.iter().all(|v| v.is_finite())) {
            return Err(Error::invalid("it holds values that are not finite numbers"));
        }
        method.check(atoms)?;
        Ok(Self { method, scale, projection, low, high, training: None })
    }

    /// Pixels of a patch of the result.
    fn pixels(scale: usize) -> Result<usize> {
        if !Self::SCALES.contains(&scale) {
            let (least, most) = Self::SCALES.into_inner();
            return Err(Error::invalid(format!(
                "scale {scale}: dictionaries are for scales from {least} to {most}"
            )));
        }
        Ok((Self::PATCH * scale).pow(2))
    }

    /// Puts a dictionary together from rows: `projection` is `[features][4 gradients of each pixel of a patch, row by row]`, `low`
    /// `[atoms][features]`, `high` `[atoms][pixels of a patch]`. Atoms of features are of unit length.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for sizes that do not go together, values that are not finite, and parameters of the method
    /// out of their range.
    pub fn from_rows(
        method: Method,
        scale: usize,
        projection: &[f64],
        low: &[f64],
        high: &[f64],
    ) -> Result<Self> {
        let pixels = Self::pixels(scale)?;
        let (gradients, atoms) = (GRADIENTS * pixels, high.len() / pixels);
        let features = projection.len() / gradients;
        if projection.len() != features * gradients
            || low.len() != atoms * features
            || high.len() != atoms * pixels
        {
            return Err(Error::invalid(format!(
                "{}, {} and {} values do not go with patches of {pixels} pixels",
                projection.len(),
                low.len(),
                high.len()
            )));
        }
        let columns =
            |rows: usize, columns: usize, values: &[f64]| DMatrix::from_column_slice(rows, columns, values);
        let projection = columns(gradients, features, projection).transpose();
        Self::new(method, scale, projection, columns(features, atoms, low), columns(pixels, atoms, high))
    }

    /// The method and its parameters.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The same dictionary for another method.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for parameters out of their range.
    pub fn for_method(&self, method: Method) -> Result<Self> {
        method.check(self.atoms())?;
        Ok(Self { method, ..self.clone() })
    }

    /// The scale that it was trained for.
    pub fn scale(&self) -> usize {
        self.scale
    }

    /// Number of atoms.
    pub fn atoms(&self) -> usize {
        self.low.ncols()
    }

    /// Number of features of a patch.
    pub fn features(&self) -> usize {
        self.low.nrows()
    }

    /// Pixels of the result on each axis of a patch.
    pub fn patch(&self) -> usize {
        Self::PATCH * self.scale
    }

    /// Pixels of the result from one patch to the next.
    pub fn step(&self) -> usize {
        (Self::PATCH - self.method.overlap()) * self.scale
    }

    /// Multiply-adds that a pixel of the result takes in dense arithmetic, about: features, correlations with all atoms,
    /// and a matrix for each patch.
    pub fn multiply_adds(&self) -> usize {
        let (features, pixels) = (self.features(), self.patch().pow(2));
        features * (GRADIENTS * pixels + self.atoms() + pixels) / self.step().pow(2)
    }

    pub(crate) fn projection(&self) -> &DMatrix<f64> {
        &self.projection
    }

    pub(crate) fn low(&self) -> &DMatrix<f64> {
        &self.low
    }

    pub(crate) fn high(&self) -> &DMatrix<f64> {
        &self.high
    }
}

/// Its method, scale and size, such as `ANR x3, 1024 atoms of 30 features`.
impl std::fmt::Display for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { method, scale, .. } = self;
        write!(f, "{method} x{scale}, {} atoms of {} features", self.atoms(), self.features())?;
        match method {
            Method::Sc { back_projection: rounds @ 1.., .. } => {
                write!(f, ", {rounds} rounds of back-projection")
            }
            _ => Ok(()),
        }
    }
}
