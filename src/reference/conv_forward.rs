//! Twin of the convolutions `conv_forward.wgsl`, `conv_batch*.wgsl` and `conv_pointwise.wgsl`; the fused and Winograd kernels
//! compute the same, several layers at once.

use super::Maps;
use crate::weights::Layer;

/// One layer over the valid positions of `input` (equations 1 to 3): the output is smaller by f - 1 on each axis.
///
/// With `normalized` the input is a picture padded by the layer's radius, and each sum is divided by the fraction of
/// the filter's taps that fall inside that picture, before bias and ReLU (section 4).
pub fn conv_forward(layer: &Layer, input: &Maps, relu: bool, normalized: bool) -> Maps {
    let (f, inputs) = (layer.shape.size, layer.shape.inputs);
    let (height, width) = (input.height + 1 - f, input.width + 1 - f);
    Maps::from_fn([layer.shape.filters, height, width], |n, y, x| {
        let mut sum = 0.0;
        for c in 0..inputs {
            for i in 0..f {
                for j in 0..f {
                    let weight = layer.weight[((n * inputs + c) * f + i) * f + j];
                    sum += f64::from(weight) * input.at(c, y + i, x + j);
                }
            }
        }
        if normalized {
            sum /= valid_part(y, height, f) * valid_part(x, width, f);
        }
        sum += f64::from(layer.bias[n]);
        if relu { sum.max(0.0) } else { sum }
    })
}

/// The part of the `f` taps of a filter around place `at` that fall inside an axis of `len` pixels.
pub(super) fn valid_part(at: usize, len: usize, f: usize) -> f64 {
    let inside = (0..f).filter(|tap| (f / 2..len + f / 2).contains(&(at + tap))).count();
    inside as f64 / f as f64
}
