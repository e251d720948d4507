//! The weights of `conv_winograd_body.wgsl`.

use crate::gpu::kernels::{BODY_POINTS, WinogradBodyVariant};
use crate::weights::Weights;

/// The points of F(4, 5) but for infinity.
const POINTS: [f64; BODY_POINTS - 1] = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5];

/// The weights in the kernel's order: for each group of filters of layer 2 and each input their rows, transformed at the points
/// of F(4, 5); then for each group the biases; then for each group the taps of layer 3.
pub(super) fn pack(variant: &WinogradBodyVariant, weights: &Weights) -> Vec<f32> {
    let [_, second, third] = weights.layers() else { return Vec::new() };
    let (inputs, size, group_filters) = (second.shape.inputs, second.shape.size, variant.group());
    let mut packed = vec![0.0; 4 * variant.weights()];
    for (k, filter) in second.weight.chunks_exact(inputs * size * size).enumerate() {
        let (group, n) = (k / group_filters, k % group_filters);
        for (c, plane) in filter.chunks_exact(size * size).enumerate() {
            let start = (group * inputs + c) * variant.input();
            for (i, row) in plane.chunks_exact(size).enumerate() {
                for (point, value) in points(row).into_iter().enumerate() {
                    packed[4 * (start + variant.row(n / 8, point, i)) + n % 8] = value as f32;
                }
            }
        }
        packed[4 * (variant.bias_2() + group * variant.tap_3()) + n] = second.bias[k];
        let taps = third.shape.size * third.shape.size;
        for (tap, &value) in third.weight[k * taps..][..taps].iter().enumerate() {
            packed[4 * (variant.taps_3() + (group * taps + tap) * variant.tap_3()) + n] = value;
        }
    }
    packed
}

/// U = G g: the five taps of a row, evaluated at the points, with the divisors of Lagrange interpolation.
fn points(taps: &[f32]) -> [f64; BODY_POINTS] {
    let at = |x: f64| taps.iter().rev().fold(0.0, |sum, &tap| sum * x + f64::from(tap));
    std::array::from_fn(|point| match POINTS.get(point) {
        Some(&x) => {
            let others = POINTS.iter().filter(|&&other| other != x);
            at(x) / others.map(|other| x - other).product::<f64>()
        }
        None => taps.last().map_or(0.0, |&tap| f64::from(tap)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// V = B' d and A' as in the kernel, in f64.
    fn four(d: [f64; 8], u: [f64; BODY_POINTS]) -> [f64; 4] {
        let (even1, odd1) = (d[2] + d[6] - 4.25 * d[4], d[1] + d[5] - 4.25 * d[3]);
        let (even2, odd2) = (d[6] + 0.25 * d[2] - 1.25 * d[4], 0.5 * d[1] + 2.0 * d[5] - 2.5 * d[3]);
        let (even3, odd3) = (d[6] + 4.0 * d[2] - 5.0 * d[4], 2.0 * d[1] + 0.5 * d[5] - 2.5 * d[3]);
        let v = [
            d[6] - d[0] + 5.25 * (d[2] - d[4]),
            even1 + odd1,
            even1 - odd1,
            even2 + odd2,
            even2 - odd2,
            even3 + odd3,
            even3 - odd3,
            d[7] - d[1] + 5.25 * (d[3] - d[5]),
        ];
        let m: Vec<f64> = v.iter().zip(u).map(|(v, u)| v * u).collect();
        let (even1, odd1, even2, odd2) = (m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]);
        let (even3, odd3) = (m[5] + m[6], m[5] - m[6]);
        [
            m[0] + even1 + even2 + even3,
            odd1 + 2.0 * odd2 + 0.5 * odd3,
            even1 + 4.0 * even2 + 0.25 * even3,
            odd1 + 8.0 * odd2 + 0.125 * odd3 + m[7],
        ]
    }

    #[test]
    fn eight_products_make_four_sums_of_five() {
        let d = [0.3, -1.25, 0.7, 2.0, -0.4, 1.1, -0.6, 0.9];
        for taps in [[0.5, -2.0, 1.5, 0.25, -1.0], [0.0, 0.0, 1.0, 0.0, 0.0], [0.75, 0.5, 0.0, -3.0, 2.0]] {
            let expected: [f64; 4] =
                std::array::from_fn(|x| taps.iter().zip(&d[x..]).map(|(&t, d)| f64::from(t) * d).sum());
            for (actual, expected) in four(d, points(&taps)).into_iter().zip(expected) {
                assert!((actual - expected).abs() < 1e-12, "{taps:?}: {actual} instead of {expected}");
            }
        }
    }
}
