//! Least squares with coefficients that are not negative.

use nalgebra::{DMatrix, DVector};

/// The x >= 0 with the least |f - N x|^2, from N'N (`normal`) and N'f (`right`): the active set method of Lawson and Hanson
/// (1974, chapter 23) on the normal equations (Bro and de Jong, 1997).
pub(crate) fn nnls(normal: &DMatrix<f64>, right: &DVector<f64>) -> DVector<f64> {
    let count = right.len();
    let mut x = DVector::zeros(count);
    let mut passive: Vec<usize> = Vec::new();
    let tolerance = 1e-12 * right.amax();
    // Each round lowers the objective, so that no passive set comes twice. The bound is for rounding.
    for _ in 0..10 * count {
        let slope = right - normal * &x;
        let best = (0..count).filter(|i| !passive.contains(i)).max_by(|&a, &b| slope[a].total_cmp(&slope[b]));
        let Some(entering) = best.filter(|&i| slope[i] > tolerance) else { break };
        passive.push(entering);
        while !passive.is_empty() {
            let Some(solution) = solve(normal, right, &passive) else {
                // The last one is a multiple of the others.
                passive.pop();
                return x;
            };
            if solution.iter().all(|&value| value > 0.0) {
                x.fill(0.0);
                passive.iter().zip(solution.iter()).for_each(|(&i, &value)| x[i] = value);
                break;
            }
            // As far towards the solution as all coefficients stay above 0; those that reach it leave.
            let way = |(&i, &value): (&usize, &f64)| {
                let ratio: f64 = x[i] / (x[i] - value);
                (value <= 0.0).then_some(ratio)
            };
            let share = passive.iter().zip(solution.iter()).filter_map(way).fold(1.0, f64::min);
            for (&i, &value) in passive.iter().zip(solution.iter()) {
                x[i] += share * (value - x[i]);
            }
            let stays = |&i: &usize| x[i] > 1e-14 * right.amax();
            let before = passive.len();
            let leaving: Vec<usize> = passive.iter().copied().filter(|i| !stays(i)).collect();
            leaving.iter().for_each(|&i| x[i] = 0.0);
            passive.retain(|i| !leaving.contains(i));
            if passive.len() == before {
                return x;
            }
        }
    }
    x
}

fn solve(normal: &DMatrix<f64>, right: &DVector<f64>, atoms: &[usize]) -> Option<DVector<f64>> {
    let part = DMatrix::from_fn(atoms.len(), atoms.len(), |i, j| normal[(atoms[i], atoms[j])]);
    let right = DVector::from_iterator(atoms.len(), atoms.iter().map(|&atom| right[atom]));
    part.cholesky().map(|cholesky| cholesky.solve(&right))
}

#[cfg(test)]
mod tests {
    use super::super::problems::{problem, solve as by_qr};
    use super::*;

    /// The best of the least squares solutions on all sets of atoms that have no negative coefficient.
    fn brute_force(dictionary: &DMatrix<f64>, vector: &DVector<f64>) -> (f64, DVector<f64>) {
        let count = dictionary.ncols();
        let mut best = (vector.norm_squared(), DVector::zeros(count));
        for set in 1..1u32 << count {
            let atoms: Vec<usize> = (0..count).filter(|&i| set >> i & 1 == 1).collect();
            if atoms.len() > dictionary.nrows() {
                continue;
            }
            let solution = by_qr(dictionary, &atoms, vector);
            if solution.iter().any(|&value| value < 0.0) {
                continue;
            }
            let mut x = DVector::zeros(count);
            atoms.iter().zip(solution.iter()).for_each(|(&i, &value)| x[i] = value);
            let error = (vector - dictionary * &x).norm_squared();
            if error < best.0 {
                best = (error, x);
            }
        }
        best
    }

    #[test]
    fn agrees_with_brute_force() {
        let mut several = 0;
        for seed in 0..30 {
            let (dictionary, vector) = problem(10, 9, seed);
            let found = nnls(&dictionary.tr_mul(&dictionary), &dictionary.tr_mul(&vector));
            let (least, expected) = brute_force(&dictionary, &vector);
            let error = (&vector - &dictionary * &found).norm_squared();
            assert!(found.iter().all(|&value| value >= 0.0), "{found}");
            assert!((error - least).abs() < 1e-11, "seed {seed}: {error} {least}");
            assert!((&found - &expected).amax() < 1e-8, "seed {seed}: {found} {expected}");
            several += usize::from(expected.iter().filter(|&&value| value > 0.0).count() > 2);
        }
        assert!(several > 10, "the problems are too easy");
    }

    #[test]
    fn nothing_helps() {
        let (dictionary, _) = problem(6, 4, 1);
        let away = -dictionary.column_sum();
        let right = dictionary.tr_mul(&away);
        if right.iter().all(|&value| value < 0.0) {
            assert_eq!(nnls(&dictionary.tr_mul(&dictionary), &right), DVector::zeros(4));
        }
        assert_eq!(
            nnls(&DMatrix::identity(3, 3), &DVector::from_vec(vec![-1.0, -2.0, 0.0])),
            DVector::zeros(3)
        );
    }
}
