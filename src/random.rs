//! Random numbers that are the same on every platform: ChaCha8, and what is made of its bits by arithmetic that IEEE 754
//! rounds the same everywhere.

use rand::Rng;
#[cfg(feature = "headless")]
use rand::{SeedableRng, rngs::ChaCha8Rng};

#[cfg(feature = "headless")]
use crate::hash::Fnv;

/// A number in 0..1, 1 excluded, with all bits of a double.
#[cfg(feature = "headless")]
pub fn uniform(random: &mut impl Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A generator for what has this key: the same numbers for the same key, on every platform.
#[cfg(feature = "headless")]
pub fn keyed(key: &[u64]) -> ChaCha8Rng {
    let mut hash = [Fnv::default(); 4];
    for (lane, hash) in hash.iter_mut().enumerate() {
        hash.add(&[lane as u8]);
        key.iter().for_each(|word| hash.add(&word.to_le_bytes()));
    }
    let mut seed = [0; 32];
    seed.as_chunks_mut::<8>()
        .0
        .iter_mut()
        .zip(hash)
        .for_each(|(part, hash)| *part = hash.hash().to_le_bytes());
    ChaCha8Rng::from_seed(seed)
}

/// A number from the standard normal distribution, by the polar method of Marsaglia (one of its pair), from
/// operations that IEEE 754 rounds the same everywhere.
pub fn normal(random: &mut impl Rng) -> f64 {
    // The upper 53 bits as a number in -1..1.
    let mut uniform = || (random.next_u64() >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
    loop {
        let (x, y) = (uniform(), uniform());
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            return x * (-2.0 * logarithm(square) / square).sqrt();
        }
    }
}

/// Natural logarithm of a positive normal number: the platform's own may differ in the last bit.
fn logarithm(x: f64) -> f64 {
    // x = m 2^e with m in 0.75..1.5; ln m = 2 artanh z, z = (m - 1) / (m + 1) in -1/7..1/5.
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut m = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    if m >= 1.5 {
        (m, exponent) = (m / 2.0, exponent + 1);
    }
    let z = (m - 1.0) / (m + 1.0);
    let terms = (0..12).rev().fold(0.0, |sum, k| sum * z * z + 1.0 / f64::from(2 * k + 1));
    2.0 * z * terms + exponent as f64 * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms() {
        for i in 1..2000 {
            let x = f64::from(i) / 1000.0;
            assert!((logarithm(x) - x.ln()).abs() < 2e-16 * (1.0 + x.ln().abs() * 2.0), "{x}");
        }
        assert_eq!(logarithm(1.0), 0.0);
        assert!((logarithm(1e-300) + 690.775_527_898_213_7).abs() < 1e-12);
    }

    /// Mean and variance of both distributions within five of their own deviations, and keys that differ in one word.
    #[test]
    fn distributions_and_keys() {
        let mut random = keyed(&[1, 2, 3]);
        let n = 20_000;
        let uniforms: Vec<f64> = (0..n).map(|_| uniform(&mut random)).collect();
        assert!(uniforms.iter().all(|v| (0.0..1.0).contains(v)));
        let normals: Vec<f64> = (0..n).map(|_| normal(&mut random)).collect();
        for (values, mean, variance, kurtosis) in [(uniforms, 0.5, 1.0 / 12.0, 1.8), (normals, 0.0, 1.0, 3.0)]
        {
            let n = n as f64;
            let found = values.iter().sum::<f64>() / n;
            let spread = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
            assert!((found - mean).abs() < 5.0 * (variance / n).sqrt(), "{found}");
            assert!((spread / variance - 1.0).abs() < 5.0 * ((kurtosis - 1.0_f64) / n).sqrt(), "{spread}");
        }
        let first = |key: &[u64]| keyed(key).next_u64();
        assert_eq!(first(&[1, 2, 3]), first(&[1, 2, 3]));
        let others = [first(&[1, 2, 3]), first(&[1, 2, 4]), first(&[1, 3, 2]), first(&[1, 2])];
        assert_eq!(others.iter().collect::<std::collections::HashSet<_>>().len(), 4);
    }
}
