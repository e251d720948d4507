//! Twin of `conv_batch*.wgsl` and `conv_pointwise.wgsl` with flipped and transposed filters: the gradient of a layer's input.

use super::Maps;
use crate::weights::Layer;

/// The gradient of one layer's input, from the gradient of its output (before its own ReLU). The input was padded by
/// `padding` zeros on each side. It is the output of a ReLU, so where it is not above 0, its gradient is 0.
pub fn conv_grad_input(layer: &Layer, gradient: &Maps, input: &Maps, padding: usize) -> Maps {
    let (f, inputs) = (layer.shape.size, layer.shape.inputs);
    Maps::from_fn([inputs, input.height, input.width], |c, y, x| {
        if input.at(c, y, x) <= 0.0 {
            return 0.0;
        }
        let mut sum = 0.0;
        for n in 0..layer.shape.filters {
            for i in 0..f {
                for j in 0..f {
                    // Output pixel that sees this one under tap i, j.
                    let (row, column) = ((y + padding).wrapping_sub(i), (x + padding).wrapping_sub(j));
                    if row < gradient.height && column < gradient.width {
                        let weight = layer.weight[((n * inputs + c) * f + i) * f + j];
                        sum += f64::from(weight) * gradient.at(n, row, column);
                    }
                }
            }
        }
        sum
    })
}
