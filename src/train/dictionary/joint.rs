//! SC's dictionaries of features and residuals, trained jointly.

use nalgebra::DMatrix;

use super::ksvd::first_atoms;
use super::samples::Samples;
use super::{Atoms, DictionaryConfig, DictionaryEvent, Tell};
use crate::dictionary::CHUNK;
use crate::dictionary::code::{Code, feature_sign};
use crate::parallel;

/// Rounds of updating all atoms, one after the other, for given codes.
const DESCENTS: usize = 3;

/// Trains both dictionaries on pairs of features f and residuals r (Yang et al. 2010, equation 24):
///
///   min |X - D Z|^2 / 2 + lambda |Z|_1,  X = [f / sqrt(n), r / sqrt(m)],  atoms no longer than 1
///
/// with n features and m pixels, by turns of feature-sign search and descent on the atoms. Each pair is divided by the length of
/// its features, as patches are when they are enlarged, and the residual is scaled so that both halves have the same energy.
/// `None` if `tell` ends it.
pub(super) fn train(
    samples: &Samples,
    config: &DictionaryConfig,
    lambda: f64,
    tell: Tell<'_>,
) -> Option<Atoms> {
    let (features, pixels) = (samples.features.nrows(), samples.residuals.nrows());
    let mean = samples.features.norm_squared() / samples.features.ncols() as f64;
    // Patches without structure teach nothing (Yang et al., section V).
    let strong: Vec<usize> = (0..samples.features.ncols())
        .filter(|&i| samples.features.column(i).norm_squared() > 0.05 * mean)
        .collect();
    let mut pairs = DMatrix::zeros(features + pixels, strong.len());
    let balance =
        (samples.features.norm_squared() / samples.residuals.norm_squared().max(f64::MIN_POSITIVE)).sqrt();
    for (column, &sample) in strong.iter().enumerate() {
        let length = samples.features.column(sample).norm();
        pairs.view_mut((0, column), (features, 1)).copy_from(&(samples.features.column(sample) / length));
        pairs
            .view_mut((features, column), (pixels, 1))
            .copy_from(&(samples.residuals.column(sample) * (balance / length)));
    }
    let energy = pairs.norm_squared();
    let mut atoms = first_atoms(&pairs, config);
    for round in 1..=config.rounds {
        let codes = encode(&atoms, &pairs, lambda);
        let error = update(&mut atoms, &pairs, &codes);
        if !tell(DictionaryEvent::Round { round, rounds: config.rounds, error: error / energy }) {
            return None;
        }
    }
    let (mut low, mut high) =
        (atoms.rows(0, features).clone_owned(), atoms.rows(features, pixels).clone_owned());
    for (mut low, mut high) in low.column_iter_mut().zip(high.column_iter_mut()) {
        // Features of unit length; the residual keeps its proportion to them.
        let length = low.norm();
        if length > 1e-6 {
            low /= length;
            high /= length * balance;
        } else {
            high.fill(0.0);
        }
    }
    Some((low, high))
}

fn encode(atoms: &DMatrix<f64>, pairs: &DMatrix<f64>, lambda: f64) -> Vec<Code> {
    let gram = atoms.tr_mul(atoms);
    let transposed = atoms.transpose();
    let count = atoms.ncols();
    let parts = parallel::chunks(pairs.ncols(), CHUNK, |range| {
        let correlations = &transposed * pairs.columns(range.start, range.len());
        (0..range.len())
            .map(|i| feature_sign(&gram, &correlations.as_slice()[i * count..(i + 1) * count], lambda))
            .collect::<Vec<_>>()
    });
    parts.concat()
}

/// The best atoms no longer than 1 for given codes, by descent on one atom after the other: the same convex problem that the
/// paper solves by its dual. Returns the energy that the codes leave.
fn update(atoms: &mut DMatrix<f64>, pairs: &DMatrix<f64>, codes: &[Code]) -> f64 {
    let count = atoms.ncols();
    let mut normal: DMatrix<f64> = DMatrix::zeros(count, count);
    let mut right = DMatrix::zeros(pairs.nrows(), count);
    let mut left = 0.0;
    for (pair, code) in pairs.column_iter().zip(codes) {
        let mut residual = pair.clone_owned();
        for &(i, a) in code {
            residual.axpy(-a, &atoms.column(i), 1.0);
            right.column_mut(i).axpy(a, &pair, 1.0);
            code.iter().for_each(|&(j, b)| normal[(j, i)] += a * b);
        }
        left += residual.norm_squared();
    }
    for _ in 0..DESCENTS {
        for atom in 0..count {
            let weight: f64 = normal[(atom, atom)];
            if weight <= 0.0 {
                continue;
            }
            let slope = right.column(atom) - &*atoms * normal.column(atom);
            let mut moved = atoms.column(atom) + slope / weight;
            let length = moved.norm();
            if length > 1.0 {
                moved /= length;
            }
            atoms.set_column(atom, &moved);
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictionary::Method;

    /// The objective falls from round to round, and pairs with one hidden relation between features and residual get atoms
    /// with that relation.
    #[test]
    fn residuals_follow_the_features() {
        let (features, pixels, count) = (6, 4, 800);
        let value = |i: usize, j: usize| ((i * 37 + j * 101 + i * j * 17) % 199) as f64 / 99.0 - 1.0;
        let relation = DMatrix::from_fn(pixels, features, |i, j| 0.1 * value(i + 3, j + 5));
        let low = DMatrix::from_fn(features, count, value);
        let samples = Samples {
            projection: DMatrix::identity(features, features),
            residuals: &relation * &low,
            features: low,
            pictures: 1,
        };
        let method = Method::Sc { lambda: 0.05, overlap: 1, back_projection: 0 };
        let config =
            DictionaryConfig { atoms: 30, rounds: 12, ..DictionaryConfig::new(method, Vec::new(), 2) };
        let mut errors = Vec::new();
        let (low, high) = train(&samples, &config, 0.05, &mut |event| {
            if let DictionaryEvent::Round { error, .. } = event {
                errors.push(error);
            }
            true
        })
        .unwrap();
        assert!(errors[11] < errors[0] && errors[11] < 0.05, "{errors:?}");
        let wrong = (&relation * &low - &high).norm() / high.norm();
        assert!(wrong < 0.05, "{wrong}");
        assert!(low.column_iter().all(|atom| (atom.norm() - 1.0).abs() < 1e-12));
        assert!(train(&samples, &config, 0.05, &mut |_| false).is_none());
    }
}
