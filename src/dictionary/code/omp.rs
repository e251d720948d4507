//! Orthogonal matching pursuit.

use nalgebra::{DMatrix, DVector};

use super::Code;

/// Up to `nonzeros` atoms, one after the other that which is correlated most with what the ones before it leave, with the
/// coefficients of least squares on all of them (Pati, Rezaiifar and Krishnaprasad, 1993). `gram` has the correlations of all
/// atoms, which are of unit length, and `correlations` those of the vector with them, so that the vector itself is not
/// needed (Rubinstein, Zibulevsky and Elad, 2008).
pub(crate) fn omp(gram: &DMatrix<f64>, correlations: &[f64], nonzeros: usize) -> Code {
    let mut left = correlations.to_vec();
    let mut atoms: Vec<usize> = Vec::with_capacity(nonzeros);
    let mut coefficients = DVector::zeros(0);
    // Below it, what is left is rounding.
    let least = 1e-12 * largest(&left).map_or(0.0, |(_, value)| value);
    while atoms.len() < nonzeros {
        let Some((atom, _)) = largest(&left).filter(|&(atom, value)| value > least && !atoms.contains(&atom))
        else {
            break;
        };
        atoms.push(atom);
        let normal = DMatrix::from_fn(atoms.len(), atoms.len(), |i, j| gram[(atoms[i], atoms[j])]);
        let right = DVector::from_iterator(atoms.len(), atoms.iter().map(|&atom| correlations[atom]));
        let Some(solution) = normal.cholesky().map(|cholesky| cholesky.solve(&right)) else {
            // It is a multiple of the ones before.
            atoms.pop();
            break;
        };
        coefficients = solution;
        if atoms.len() < nonzeros {
            left.copy_from_slice(correlations);
            for (&atom, &coefficient) in atoms.iter().zip(coefficients.iter()) {
                let column = gram.column(atom);
                left.iter_mut().zip(column.iter()).for_each(|(left, g)| *left -= coefficient * g);
            }
        }
    }
    atoms.into_iter().zip(coefficients.iter().copied()).collect()
}

/// The first of the values that are largest by magnitude.
fn largest(values: &[f64]) -> Option<(usize, f64)> {
    let mut found = None;
    let mut most = -1.0;
    for (index, value) in values.iter().enumerate() {
        if value.abs() > most {
            most = value.abs();
            found = Some((index, most));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::problems::{problem, solve};
    use super::*;

    /// The textbook's algorithm on the vector itself, its least squares by QR.
    fn textbook(dictionary: &DMatrix<f64>, vector: &DVector<f64>, nonzeros: usize) -> Code {
        let mut residual = vector.clone();
        let mut atoms = Vec::new();
        let mut coefficients = DVector::zeros(0);
        for _ in 0..nonzeros {
            let products = dictionary.tr_mul(&residual);
            atoms.push(products.iamax());
            coefficients = solve(dictionary, &atoms, vector);
            residual = vector - dictionary.select_columns(&atoms) * &coefficients;
        }
        atoms.into_iter().zip(coefficients.iter().copied()).collect()
    }

    #[test]
    fn agrees_with_the_textbook() {
        for seed in 0..20 {
            let (dictionary, vector) = problem(7, 23, seed);
            let gram = dictionary.tr_mul(&dictionary);
            for nonzeros in 1..=5 {
                let code = omp(&gram, dictionary.tr_mul(&vector).as_slice(), nonzeros);
                let expected = textbook(&dictionary, &vector, nonzeros);
                assert_eq!(code.len(), expected.len());
                for ((atom, value), (expected_atom, expected)) in code.iter().zip(&expected) {
                    assert_eq!(atom, expected_atom, "seed {seed}");
                    assert!((value - expected).abs() < 1e-10, "seed {seed}: {value} {expected}");
                }
            }
        }
    }

    /// A vector that is a sum of two atoms of an orthogonal dictionary is found exactly, and nothing else.
    #[test]
    fn stops_when_nothing_is_left() {
        let gram = DMatrix::identity(5, 5);
        assert_eq!(omp(&gram, &[0.0, 0.5, 0.0, -2.0, 0.0], 4), [(3, -2.0), (1, 0.5)]);
        assert_eq!(omp(&gram, &[0.0; 5], 3), []);
    }
}
