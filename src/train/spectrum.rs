//! The cosine transform that Adam on spectra works in: the table that `spectrum.wgsl` and `spectrum_update.wgsl` read.

use std::f64::consts::PI;

/// `C[u][i]` of the orthonormal cosine transform (DCT-II) of `size` values, `[frequency][place]`: C times its transpose is
/// the identity.
pub(super) fn cosines(size: usize) -> Vec<f64> {
    let length = size as f64;
    let value = |u: usize, i: usize| {
        let first = if u == 0 { 0.5f64.sqrt() } else { 1.0 };
        first * (2.0 / length).sqrt() * (PI * (2 * i + 1) as f64 * u as f64 / (2.0 * length)).cos()
    };
    (0..size * size).map(|at| value(at / size, at % size)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;

    #[test]
    fn agrees_with_the_twin() {
        for size in [1, 2, 5, 9, 13] {
            let c = cosines(size);
            for tap in 0..size * size {
                let mut taps = vec![0.0; size * size];
                taps[tap] = 1.0;
                // One tap's spectrum is a column of the transform of both axes.
                for (k, expected) in reference::spectrum(&taps, size).into_iter().enumerate() {
                    let actual = c[k / size * size + tap / size] * c[k % size * size + tap % size];
                    assert!((actual - expected).abs() < 1e-14, "{size}: {k} of {tap}");
                }
            }
        }
    }
}
