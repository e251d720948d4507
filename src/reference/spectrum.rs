//! Twin of `spectrum.wgsl` and `descend.wgsl`.

use std::f64::consts::PI;

/// `C[u][i]` of the orthonormal cosine transform (DCT-II) of `size` values, in rows: C times its transpose is the identity.
pub fn cosines(size: usize) -> Vec<f64> {
    let length = size as f64;
    let value = |u: usize, i: usize| {
        let first = if u == 0 { 0.5f64.sqrt() } else { 1.0 };
        first * (2.0 / length).sqrt() * (PI * (2 * i + 1) as f64 * u as f64 / (2.0 * length)).cos()
    };
    (0..size * size).map(|at| value(at / size, at % size)).collect()
}

/// The spectrum of `size` x `size` taps: sum over p of `D[k][p] taps[p]`.
pub fn spectrum(taps: &[f64], size: usize) -> Vec<f64> {
    transform(taps, size, |c, k, p| c[k * size + p])
}

/// The taps of a spectrum: sum over k of `D[k][p] values[k]`.
pub fn taps(values: &[f64], size: usize) -> Vec<f64> {
    transform(values, size, |c, p, k| c[k * size + p])
}

/// Sums over both axes; `of` takes C and the places on one axis of the result and of what is summed.
fn transform(values: &[f64], size: usize, of: impl Fn(&[f64], usize, usize) -> f64) -> Vec<f64> {
    let c = cosines(size);
    let one = |to: usize| {
        let from = values.iter().enumerate();
        let terms = from.map(|(at, v)| v * of(&c, to / size, at / size) * of(&c, to % size, at % size));
        terms.sum()
    };
    (0..size * size).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for size in [1, 2, 5, 9] {
            let values: Vec<f64> = (0..size * size).map(|i| ((i * i) as f64 * 0.7).sin()).collect();
            let back = taps(&spectrum(&values, size), size);
            assert!(values.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-13), "{size}");
            // What is constant has one frequency.
            let flat = spectrum(&vec![1.0; size * size], size);
            assert!((flat[0] - size as f64).abs() < 1e-13 && flat[1..].iter().all(|v| v.abs() < 1e-13));
        }
    }
}
