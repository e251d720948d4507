//! Twin of `spectrum.wgsl` and `spectrum_update.wgsl`: the orthonormal cosine transform (DCT-II) of both axes of a filter.

use std::f64::consts::PI;

/// The spectrum of `size` x `size` taps: sum over p of `D[k][p] taps[p]`.
pub fn spectrum(taps: &[f64], size: usize) -> Vec<f64> {
    transform(taps, size, |k, p| cosine(size, k, p))
}

/// The taps of a spectrum: sum over k of `D[k][p] values[k]`.
pub fn taps(values: &[f64], size: usize) -> Vec<f64> {
    transform(values, size, |p, k| cosine(size, k, p))
}

/// Frequency `k` of the transform of `size` values, at place `i`.
fn cosine(size: usize, k: usize, i: usize) -> f64 {
    let length = size as f64;
    let norm = if k == 0 { 1.0 / length } else { 2.0 / length };
    norm.sqrt() * (PI / length * (i as f64 + 0.5) * k as f64).cos()
}

/// Sums over both axes; `factor` takes the places on one axis of the result and of what is summed.
fn transform(values: &[f64], size: usize, factor: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let one = |to: usize| {
        let terms = values
            .iter()
            .enumerate()
            .map(|(from, value)| value * factor(to / size, from / size) * factor(to % size, from % size));
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
            // A constant has only the frequency 0.
            let flat = spectrum(&vec![1.0; size * size], size);
            assert!((flat[0] - size as f64).abs() < 1e-13 && flat[1..].iter().all(|v| v.abs() < 1e-13));
        }
    }
}
