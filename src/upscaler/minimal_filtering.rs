//! Winograd's minimal filtering F(4, 5) and F(4, 4): what 4 neighbors under 5 or 4 taps of a row are multiplied with, at the
//! points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity. Lavin and Gray, *Fast algorithms for convolutional neural networks*
//! (CVPR 2016), section 3.

use crate::gpu::kernels::POINTS;

/// The points but for infinity.
const FINITE: [f64; POINTS - 1] = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5];

/// U = G g of F(4, 5): up to five taps, evaluated at the points, with the divisors of Lagrange interpolation.
pub(super) fn five(taps: &[f32]) -> [f64; POINTS] {
    transformed(taps, 5, &FINITE)
}

/// The same of F(4, 4), up to four taps: zero at -1/2, which it does without.
pub(super) fn four(taps: &[f32]) -> [f64; POINTS] {
    transformed(taps, 4, &FINITE[..POINTS - 2])
}

fn transformed(taps: &[f32], count: usize, points: &[f64]) -> [f64; POINTS] {
    let at = |x: f64| taps.iter().rev().fold(0.0, |sum, &tap| sum * x + f64::from(tap));
    let mut values = [0.0; POINTS];
    for (value, &x) in values.iter_mut().zip(points) {
        let others = points.iter().filter(|&&other| other != x);
        *value = at(x) / others.map(|other| x - other).product::<f64>();
    }
    values[POINTS - 1] = taps.get(count - 1).map_or(0.0, |&tap| f64::from(tap));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B' of F(4, 5), as in the kernels.
    fn five_pixels(d: &[f64]) -> [f64; POINTS] {
        let (even1, odd1) = (d[2] + d[6] - 4.25 * d[4], d[1] + d[5] - 4.25 * d[3]);
        let (even2, odd2) = (d[6] + 0.25 * d[2] - 1.25 * d[4], 0.5 * d[1] + 2.0 * d[5] - 2.5 * d[3]);
        let (even3, odd3) = (d[6] + 4.0 * d[2] - 5.0 * d[4], 2.0 * d[1] + 0.5 * d[5] - 2.5 * d[3]);
        [
            d[6] - d[0] + 5.25 * (d[2] - d[4]),
            even1 + odd1,
            even1 - odd1,
            even2 + odd2,
            even2 - odd2,
            even3 + odd3,
            even3 - odd3,
            d[7] - d[1] + 5.25 * (d[3] - d[5]),
        ]
    }

    /// B' of F(4, 4).
    fn four_pixels(d: &[f64]) -> [f64; POINTS] {
        [
            d[5] - 2.0 * d[0] + 4.0 * d[1] + 2.5 * d[2] - 5.0 * d[3] - 0.5 * d[4],
            d[5] + 2.0 * d[1] - 2.0 * d[2] - 4.5 * d[3] + 0.5 * d[4],
            d[5] - 2.0 * d[1] + 6.0 * d[2] - 3.5 * d[3] - 1.5 * d[4],
            d[5] + d[1] - 1.5 * d[2] - 2.0 * d[3] + 1.5 * d[4],
            d[5] - d[1] + 2.5 * (d[2] - d[4]),
            d[5] + 4.0 * d[1] - 5.0 * d[3],
            0.0,
            d[6] - 2.0 * d[1] + 4.0 * d[2] + 2.5 * d[3] - 5.0 * d[4] - 0.5 * d[5],
        ]
    }

    /// A' of the products.
    fn sums(u: [f64; POINTS], v: [f64; POINTS]) -> [f64; 4] {
        let m: [f64; POINTS] = std::array::from_fn(|p| u[p] * v[p]);
        std::array::from_fn(|x| {
            let finite: f64 = FINITE.iter().zip(m).map(|(point, m)| point.powi(x as i32) * m).sum();
            finite + if x == 3 { m[POINTS - 1] } else { 0.0 }
        })
    }

    #[test]
    fn a_few_products_make_four_sums() {
        let d = [0.3, -1.25, 0.7, 2.0, -0.4, 1.1, -0.6, 0.9];
        let all = [0.5, -2.0, 1.5, 0.25, -1.0];
        for count in 1..=5 {
            let taps = &all[..count];
            let expected: [f64; 4] =
                std::array::from_fn(|x| taps.iter().zip(&d[x..]).map(|(&t, d)| f64::from(t) * d).sum());
            let by_five = sums(five(taps), five_pixels(&d));
            let by_four = (count < 5).then(|| sums(four(taps), four_pixels(&d)));
            for actual in by_four.into_iter().chain([by_five]) {
                for (actual, expected) in actual.into_iter().zip(expected) {
                    assert!((actual - expected).abs() < 1e-12, "{taps:?}: {actual} instead of {expected}");
                }
            }
        }
    }
}
