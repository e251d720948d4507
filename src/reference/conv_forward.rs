//! Twin of `conv_forward.wgsl`.

use super::Maps;
use crate::upscaler::valid_factors;
use crate::weights::Layer;

/// One layer over the valid positions of `input` (equations 1 to 3): the output is smaller by f - 1 on each axis.
///
/// With `normalized` the input is a picture padded by the layer's radius, and each sum is divided by the fraction of
/// the filter's taps that fall inside that picture, before bias and ReLU (section 4).
pub fn conv_forward(layer: &Layer, input: &Maps, relu: bool, normalized: bool) -> Maps {
    let (f, inputs) = (layer.shape.size, layer.shape.inputs);
    let (height, width) = (input.height + 1 - f, input.width + 1 - f);
    let factors = |len| valid_factors(len, f).map(f64::from).collect::<Vec<_>>();
    let (rows, columns) = (factors(height), factors(width));
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
            sum *= rows[y] * columns[x];
        }
        sum += f64::from(layer.bias[n]);
        if relu { sum.max(0.0) } else { sum }
    })
}
