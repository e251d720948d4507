//! K-SVD, and the atoms of residuals that belong to its atoms of features.

use nalgebra::{Cholesky, DMatrix, DVector};

use super::samples::Samples;
use super::{Atoms, DictionaryConfig, DictionaryEvent, Tell, draw};
use crate::dictionary::code::{Code, omp};
use crate::dictionary::{CHUNK, Method};
use crate::error::{Error, Result};
use crate::parallel;

/// Atoms of a code while a dictionary is trained, unless the method sets it: the paper's.
const NONZEROS: usize = 3;

/// Trains the atoms of features by rounds of OMP and approximate K-SVD (Rubinstein, Zibulevsky and Elad, 2008), then finds the
/// atoms of residuals. `None` if `tell` ends it.
///
/// # Errors
/// [`Error::InvalidArgument`] when the codes do not determine the atoms of residuals.
pub(super) fn train(samples: &Samples, config: &DictionaryConfig, tell: Tell<'_>) -> Result<Option<Atoms>> {
    let nonzeros = match config.method {
        Method::Ksvd { nonzeros } => nonzeros,
        _ => NONZEROS,
    };
    let features = &samples.features;
    let energy = features.norm_squared();
    let mut low = first_atoms(features, config);
    for round in 1..=config.rounds {
        let codes = encode(&low, features, nonzeros);
        let error = update(&mut low, features, codes);
        if !tell(DictionaryEvent::Round { round, rounds: config.rounds, error: error / energy }) {
            return Ok(None);
        }
    }
    let codes = encode(&low, features, nonzeros);
    let high = residual_atoms(&codes, &samples.residuals, low.ncols())?;
    Ok(Some((low, high)))
}

/// Features of patches that are drawn among those with gradients, at unit length.
pub(super) fn first_atoms(features: &DMatrix<f64>, config: &DictionaryConfig) -> DMatrix<f64> {
    let mean = features.norm_squared() / features.ncols() as f64;
    let strong: Vec<usize> =
        (0..features.ncols()).filter(|&i| features.column(i).norm_squared() > 1e-3 * mean).collect();
    let drawn = draw(config.seed, 1, strong.len(), config.atoms);
    let mut atoms: Vec<usize> = drawn.into_iter().map(|i| strong[i]).collect();
    // In flat pictures there are not enough of them; repeated ones are replaced as they go unused.
    let own = atoms.len().max(1);
    (atoms.len()..config.atoms).for_each(|i| atoms.push(atoms.get(i % own).copied().unwrap_or(0)));
    let mut low = features.select_columns(&atoms);
    for (index, mut atom) in low.column_iter_mut().enumerate() {
        if atom.try_normalize_mut(0.0).is_none() {
            atom[index % features.nrows()] = 1.0;
        }
    }
    low
}

/// The codes of all samples.
fn encode(low: &DMatrix<f64>, features: &DMatrix<f64>, nonzeros: usize) -> Vec<Code> {
    let gram = low.tr_mul(low);
    let transposed = low.transpose();
    let parts = parallel::chunks(features.ncols(), CHUNK, |range| {
        let correlations = &transposed * features.columns(range.start, range.len());
        (0..range.len())
            .map(|i| omp(&gram, &correlations.as_slice()[i * low.ncols()..(i + 1) * low.ncols()], nonzeros))
            .collect::<Vec<_>>()
    });
    parts.concat()
}

/// Updates each atom in turn to the best for the samples that use it, with their coefficients (one step of the power method
/// on what the other atoms leave of them). Returns the energy that is left. An atom that no sample uses is replaced by the
/// sample that is represented worst.
fn update(low: &mut DMatrix<f64>, features: &DMatrix<f64>, mut codes: Vec<Code>) -> f64 {
    let mut users: Vec<Vec<(usize, usize)>> = vec![Vec::new(); low.ncols()];
    let mut left = features.clone();
    for (sample, code) in codes.iter().enumerate() {
        for (place, &(atom, coefficient)) in code.iter().enumerate() {
            users[atom].push((sample, place));
            left.column_mut(sample).axpy(-coefficient, &low.column(atom), 1.0);
        }
    }
    let mut worst: Option<Vec<usize>> = None;
    for (atom, users) in users.iter().enumerate() {
        if users.is_empty() {
            let order = worst.get_or_insert_with(|| {
                let mut order: Vec<usize> = (0..left.ncols()).collect();
                let energy: Vec<f64> = left.column_iter().map(|column| column.norm_squared()).collect();
                order.sort_by(|&a, &b| energy[a].total_cmp(&energy[b]));
                order
            });
            if let Some(sample) = order.pop() {
                let mut vector = features.column(sample).clone_owned();
                if vector.try_normalize_mut(0.0).is_some() {
                    low.set_column(atom, &vector);
                }
            }
            continue;
        }
        let old = low.column(atom).clone_owned();
        // What the others leave, times the coefficients.
        let mut direction = DVector::zeros(low.nrows());
        for &(sample, place) in users {
            let coefficient = codes[sample][place].1;
            left.column_mut(sample).axpy(coefficient, &old, 1.0);
            direction.axpy(coefficient, &left.column(sample), 1.0);
        }
        let atom_now = direction.try_normalize(0.0).unwrap_or(old);
        for &(sample, place) in users {
            let coefficient = atom_now.dot(&left.column(sample));
            codes[sample][place].1 = coefficient;
            left.column_mut(sample).axpy(-coefficient, &atom_now, 1.0);
        }
        low.set_column(atom, &atom_now);
    }
    left.norm_squared()
}

/// The atoms that reconstruct the residuals best with given codes: D = R C' (C C')^-1.
fn residual_atoms(codes: &[Code], residuals: &DMatrix<f64>, atoms: usize) -> Result<DMatrix<f64>> {
    let mut normal: DMatrix<f64> = DMatrix::zeros(atoms, atoms);
    let mut right = DMatrix::zeros(residuals.nrows(), atoms);
    for (sample, code) in codes.iter().enumerate() {
        for &(i, a) in code {
            right.column_mut(i).axpy(a, &residuals.column(sample), 1.0);
            code.iter().for_each(|&(j, b)| normal[(i, j)] += a * b);
        }
    }
    // Atoms that no code uses stay zero.
    let least = 1e-9 * normal.diagonal().amax().max(f64::MIN_POSITIVE);
    (0..atoms).for_each(|i| normal[(i, i)] += least);
    let inverse = Cholesky::new(normal)
        .ok_or_else(|| Error::invalid("the codes do not determine the atoms of residuals"))?;
    Ok(inverse.solve(&right.transpose()).transpose())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples that are made of two atoms each of a hidden dictionary, whose residuals are those of hidden atoms too.
    #[test]
    fn hidden_dictionaries_are_found() {
        let (features, atoms, count) = (12, 18, 3000);
        let mut state = 5u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        let mut uniform = |_: usize, _: usize| next() as f64 / (1u64 << 30) as f64 - 1.0;
        let mut hidden = DMatrix::from_fn(features, atoms, &mut uniform);
        hidden.column_iter_mut().for_each(|mut atom| {
            atom.normalize_mut();
        });
        let above = DMatrix::from_fn(7, atoms, &mut uniform);
        let mut codes: DMatrix<f64> = DMatrix::zeros(atoms, count);
        for sample in 0..count {
            for k in 0..2 {
                let atom = (sample * 7 + k * (3 + sample / atoms % 11)) % atoms;
                codes[(atom, sample)] += 1.5 + uniform(0, 0);
            }
        }
        let samples = Samples {
            projection: DMatrix::identity(features, features),
            features: &hidden * &codes,
            residuals: &above * &codes,
            pictures: 1,
        };
        let method = Method::Ksvd { nonzeros: 2 };
        let config =
            DictionaryConfig { atoms: 24, rounds: 60, ..DictionaryConfig::new(method, Vec::new(), 2) };
        let mut errors = Vec::new();
        let (low, high) = train(&samples, &config, &mut |event| {
            if let DictionaryEvent::Round { error, .. } = event {
                errors.push(error);
            }
            true
        })
        .unwrap()
        .unwrap();
        assert!(errors[0] > 5.0 * errors[59] && errors[59] < 0.02, "{errors:?}");
        assert!(low.column_iter().all(|atom| (atom.norm() - 1.0).abs() < 1e-12));
        // Most hidden atoms are among them, with the right residuals: the codes' scale is the hidden one's.
        let found = (0..atoms).filter(|&i| {
            let products = low.tr_mul(&hidden.column(i));
            let best = products.iamax();
            let residual = high.column(best) * products[best].signum();
            products[best].abs() > 0.99 && (residual - above.column(i)).norm() < 0.3 * above.column(i).norm()
        });
        assert!(found.clone().count() >= 14, "{} of {atoms} found", found.count());
        // Ended on wish, and the same a second time.
        assert!(train(&samples, &config, &mut |_| false).unwrap().is_none());
        assert_eq!(train(&samples, &config, &mut |_| true).unwrap().unwrap().0, low);
    }
}
