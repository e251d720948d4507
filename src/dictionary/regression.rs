//! ANR's matrices.

use nalgebra::{Cholesky, DMatrix};

use super::CHUNK;
use crate::error::{Error, Result};
use crate::parallel;

/// The `count` atoms that are correlated most with atom `anchor`, of either sign, by their indices: itself first. `gram` is
/// the matrix of all correlations.
fn most_correlated(gram: &DMatrix<f64>, anchor: usize, count: usize) -> Vec<usize> {
    let correlation = |&atom: &usize| gram[(atom, anchor)].abs();
    let mut atoms: Vec<usize> = (0..gram.nrows()).filter(|&atom| atom != anchor).collect();
    atoms.sort_by(|a, b| correlation(b).total_cmp(&correlation(a)));
    atoms.truncate(count.saturating_sub(1));
    atoms.insert(0, anchor);
    atoms
}

/// For each atom the matrix `[pixels][features]` that maps features to a residual (Timofte et al. 2013, equation 6): with
/// the atoms N of its neighborhood, of features and of residuals,
///
///   P = N_high (N_low' N_low + ridge I)^-1 N_low'
///
/// # Errors
/// [`Error::InvalidArgument`] when a neighborhood cannot be inverted.
pub(super) fn anchored_regressions(
    low: &DMatrix<f64>,
    high: &DMatrix<f64>,
    neighbors: usize,
    ridge: f64,
) -> Result<Vec<DMatrix<f64>>> {
    let gram = low.tr_mul(low);
    let regression = |anchor: usize| {
        let atoms = most_correlated(&gram, anchor, neighbors);
        let (low, high) = (low.select_columns(&atoms), high.select_columns(&atoms));
        let mut normal = low.tr_mul(&low);
        (0..atoms.len()).for_each(|i| normal[(i, i)] += ridge);
        let inverse = Cholesky::new(normal)
            .ok_or_else(|| Error::invalid(format!("the neighborhood of atom {anchor} cannot be inverted")))?;
        Ok(high * inverse.solve(&low.transpose()))
    };
    let parts =
        parallel::chunks(low.ncols(), CHUNK, |atoms| atoms.map(regression).collect::<Result<Vec<_>>>());
    Ok(parts.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: usize, columns: usize, seed: usize) -> DMatrix<f64> {
        DMatrix::from_fn(rows, columns, |i, j| ((i * 37 + j * 101 + seed * 13) % 97) as f64 / 48.0 - 1.0)
    }

    /// The definition by another way: gradient descent on the ridge regression's own objective.
    #[test]
    fn regressions_minimize_the_objective() {
        let mut low = matrix(6, 12, 1);
        low.column_iter_mut().for_each(|mut atom| {
            atom.normalize_mut();
        });
        let (high, neighbors, ridge) = (matrix(5, 12, 2), 4, 0.05);
        let all = anchored_regressions(&low, &high, neighbors, ridge).unwrap();
        assert_eq!(all.len(), 12);
        let features = matrix(6, 1, 3);
        for anchor in [0, 7, 11] {
            let mut order: Vec<usize> = (0..12).collect();
            let correlation = |atom: usize| low.column(anchor).dot(&low.column(atom)).abs();
            order.sort_by(|&a, &b| correlation(b).partial_cmp(&correlation(a)).unwrap());
            let atoms = &order[..neighbors];
            assert_eq!(atoms[0], anchor);
            let (near, above) = (low.select_columns(atoms), high.select_columns(atoms));
            let mut x = DMatrix::zeros(neighbors, 1);
            for _ in 0..20_000 {
                let slope = near.tr_mul(&(&near * &x - &features)) + &x * ridge;
                x -= slope * 0.2;
            }
            let expected = above * x;
            assert!((&all[anchor] * &features - &expected).amax() < 1e-9 * expected.amax(), "{anchor}");
            // It would notice another ridge.
            let other = anchored_regressions(&low, &high, neighbors, 2.0 * ridge).unwrap();
            assert!((&other[anchor] * &features - &expected).amax() > 1e-6 * expected.amax());
        }
    }
}
