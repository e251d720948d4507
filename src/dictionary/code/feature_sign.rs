//! Feature-sign search.

use nalgebra::{DMatrix, DVector};

use super::Code;

/// The x with the least 1/2 |f - D x|^2 + lambda |x|_1, from D'D (`gram`) and D'f (`correlations`): feature-sign search (Lee,
/// Battle, Raina and Ng, NIPS 2006, algorithm 1).
pub(crate) fn feature_sign(gram: &DMatrix<f64>, correlations: &[f64], lambda: f64) -> Code {
    let mut active: Vec<usize> = Vec::new();
    let mut signs: Vec<f64> = Vec::new();
    let mut x: Vec<f64> = Vec::new();
    // What is left of the correlations.
    let mut left = correlations.to_vec();
    let tolerance = 1e-9 * lambda;
    // Each step lowers the objective, so that no signs come twice. The bound is for rounding.
    for _ in 0..8 * correlations.len() {
        let settled =
            active.iter().zip(&signs).all(|(&i, sign)| (left[i] - lambda * sign).abs() <= tolerance);
        if settled {
            // The zero coefficient that the objective wants to move most.
            let zeros = (0..left.len()).filter(|i| !active.contains(i));
            let best = zeros.max_by(|&a, &b| left[a].abs().total_cmp(&left[b].abs()));
            let Some(entering) = best.filter(|&i| left[i].abs() > lambda + tolerance) else { break };
            active.push(entering);
            signs.push(left[entering].signum());
            x.push(0.0);
        }
        let Some(solution) = solve(gram, correlations, &active, &signs, lambda) else { break };
        let step = line_search(gram, correlations, &active, &x, &solution, lambda);
        x.iter_mut().zip(&step).for_each(|(x, step)| *x = *step);
        let zero = |value: f64| value == 0.0;
        let kept: Vec<usize> = (0..x.len()).filter(|&i| !zero(x[i])).collect();
        active = kept.iter().map(|&i| active[i]).collect();
        x = kept.iter().map(|&i| x[i]).collect();
        signs = x.iter().map(|x| x.signum()).collect();
        left.copy_from_slice(correlations);
        for (&atom, &coefficient) in active.iter().zip(&x) {
            let column = gram.column(atom);
            left.iter_mut().zip(column.iter()).for_each(|(left, g)| *left -= coefficient * g);
        }
    }
    active.into_iter().zip(x).collect()
}

/// The best point if the signs were to stay: D'D x = D'f - lambda signs on the active atoms.
fn solve(
    gram: &DMatrix<f64>,
    correlations: &[f64],
    active: &[usize],
    signs: &[f64],
    lambda: f64,
) -> Option<DVector<f64>> {
    let normal = DMatrix::from_fn(active.len(), active.len(), |i, j| gram[(active[i], active[j])]);
    let right = active.iter().zip(signs).map(|(&i, sign)| correlations[i] - lambda * sign);
    let right = DVector::from_iterator(active.len(), right);
    // With more atoms than features no point is best, and any way down leads to where a coefficient is zero: a ridge finds one.
    let ridge = DMatrix::from_diagonal_element(active.len(), active.len(), 1e-9);
    let cholesky = normal.clone().cholesky().or_else(|| (normal + ridge).cholesky());
    cholesky.map(|cholesky| cholesky.solve(&right))
}

/// The point with the least objective among the solution and those on the way to it where a coefficient changes its sign.
/// There it is exactly 0.
fn line_search(
    gram: &DMatrix<f64>,
    correlations: &[f64],
    active: &[usize],
    x: &[f64],
    solution: &DVector<f64>,
    lambda: f64,
) -> Vec<f64> {
    let objective = |point: &[f64]| {
        let quadratic: f64 = (0..point.len())
            .map(|i| {
                let product: f64 = (0..point.len()).map(|j| gram[(active[i], active[j])] * point[j]).sum();
                point[i] * (0.5 * product - correlations[active[i]])
            })
            .sum();
        quadratic + lambda * point.iter().map(|v| v.abs()).sum::<f64>()
    };
    let end: Vec<f64> = solution.iter().copied().collect();
    let mut best = (objective(&end), end.clone());
    for crossing in 0..x.len() {
        if x[crossing] * end[crossing] >= 0.0 {
            continue;
        }
        let share = x[crossing] / (x[crossing] - end[crossing]);
        let mut point: Vec<f64> = x.iter().zip(&end).map(|(from, to)| from + share * (to - from)).collect();
        point[crossing] = 0.0;
        let value = objective(&point);
        if value < best.0 {
            best = (value, point);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::super::problems::problem;
    use super::*;

    fn objective(dictionary: &DMatrix<f64>, vector: &DVector<f64>, x: &DVector<f64>, lambda: f64) -> f64 {
        0.5 * (vector - dictionary * x).norm_squared() + lambda * x.lp_norm(1)
    }

    /// The best of the stationary points for all choices of signs and zeros.
    fn brute_force(dictionary: &DMatrix<f64>, vector: &DVector<f64>, lambda: f64) -> DVector<f64> {
        let count = dictionary.ncols();
        let mut best = DVector::zeros(count);
        for choice in 0..3usize.pow(count as u32) {
            let sign = |i: usize| (choice / 3usize.pow(i as u32) % 3) as f64 - 1.0;
            let atoms: Vec<usize> = (0..count).filter(|&i| sign(i) != 0.0).collect();
            if atoms.is_empty() || atoms.len() > dictionary.nrows() {
                continue;
            }
            let part = dictionary.select_columns(&atoms);
            let signs = DVector::from_iterator(atoms.len(), atoms.iter().map(|&i| sign(i)));
            let right = part.tr_mul(vector) - signs * lambda;
            let Some(solution) = part.tr_mul(&part).lu().solve(&right) else { continue };
            let mut x = DVector::zeros(count);
            atoms.iter().zip(solution.iter()).for_each(|(&i, &value)| x[i] = value);
            if objective(dictionary, vector, &x, lambda) < objective(dictionary, vector, &best, lambda) {
                best = x;
            }
        }
        best
    }

    #[test]
    fn agrees_with_brute_force() {
        let mut several = 0;
        for seed in 0..20 {
            let (dictionary, vector) = problem(5, 7, seed);
            for lambda in [0.02, 0.1, 0.4] {
                let code = feature_sign(
                    &dictionary.tr_mul(&dictionary),
                    dictionary.tr_mul(&vector).as_slice(),
                    lambda,
                );
                let mut found = DVector::zeros(7);
                code.iter().for_each(|&(i, value)| found[i] = value);
                let expected = brute_force(&dictionary, &vector, lambda);
                let [value, least] = [&found, &expected].map(|x| objective(&dictionary, &vector, x, lambda));
                assert!((value - least).abs() < 1e-10, "seed {seed}, {lambda}: {value} {least}");
                assert!((&found - &expected).amax() < 1e-6, "seed {seed}, {lambda}: {found} {expected}");
                several += usize::from(code.len() > 2);
            }
        }
        assert!(several > 20, "the problems are too easy");
    }

    /// With more atoms than any brute force takes, the conditions of a minimum hold (Lee et al., step 4).
    #[test]
    fn large_problems_are_at_their_minimum() {
        for seed in 0..5 {
            let (dictionary, vector) = problem(30, 400, seed);
            let lambda = 0.05;
            let code =
                feature_sign(&dictionary.tr_mul(&dictionary), dictionary.tr_mul(&vector).as_slice(), lambda);
            let mut x = DVector::zeros(400);
            code.iter().for_each(|&(i, value)| x[i] = value);
            let slope = dictionary.tr_mul(&(&vector - &dictionary * &x));
            for i in 0..400 {
                match x[i] {
                    0.0 => assert!(slope[i].abs() <= lambda * (1.0 + 1e-6), "{i}: {}", slope[i]),
                    value => assert!(
                        (slope[i] - lambda * value.signum()).abs() < 1e-6 * lambda,
                        "{i}: {}",
                        slope[i]
                    ),
                }
            }
            assert!(code.len() > 5, "{}", code.len());
        }
    }
}
