//! Least squares on a few atoms.

use nalgebra::{DMatrix, DVector};

/// The coefficients x with the least |f - N x|^2 + ridge |x|^2, from N'N (`normal`) and N'f (`right`).
pub(crate) fn least_squares(mut normal: DMatrix<f64>, right: DVector<f64>, ridge: f64) -> DVector<f64> {
    (0..normal.nrows()).for_each(|i| normal[(i, i)] += ridge);
    // With a ridge above 0 there is a solution; nothing is added to bicubic interpolation if rounding prevents it.
    let zeros = DVector::zeros(right.len());
    normal.cholesky().map_or(zeros, |cholesky| cholesky.solve(&right))
}

#[cfg(test)]
mod tests {
    use super::super::problems::{problem, solve};
    use super::*;

    /// The ridge is least squares with further rows: its root on the diagonal, and zeros on the right.
    #[test]
    fn agrees_with_qr() {
        for seed in 0..10 {
            let (atoms, vector) = problem(7, 12, seed);
            let ridge = 0.03;
            let wide = DMatrix::from_fn(19, 12, |i, j| match i.checked_sub(7) {
                None => atoms[(i, j)],
                Some(row) if row == j => f64::sqrt(ridge),
                Some(_) => 0.0,
            });
            let long = DVector::from_fn(19, |i, _| if i < 7 { vector[i] } else { 0.0 });
            let expected = solve(&wide, &(0..12).collect::<Vec<_>>(), &long);
            let found = least_squares(atoms.tr_mul(&atoms), atoms.tr_mul(&vector), ridge);
            assert!((&found - &expected).amax() < 1e-11, "{found} {expected}");
            let other = least_squares(atoms.tr_mul(&atoms), atoms.tr_mul(&vector), 2.0 * ridge);
            assert!((&other - &expected).amax() > 1e-3);
        }
    }
}
