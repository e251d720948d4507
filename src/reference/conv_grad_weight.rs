//! Twin of `conv_grad_weight*.wgsl` and `grad_sum.wgsl`: the gradient of a layer's filters and biases.

use super::{Maps, pad};
use crate::network::{LayerShape, Padding};

/// Gradients of a layer's filters, `[filters][inputs][row][column]`, and of its biases, summed over a batch of pairs: the
/// layer's input, and the gradient of its output. The input was padded by `padding` zeros on each side.
pub fn conv_grad_weight(shape: LayerShape, batch: &[(&Maps, &Maps)], padding: usize) -> (Vec<f64>, Vec<f64>) {
    let LayerShape { inputs, filters, size } = shape;
    let (mut weight, mut bias) = (vec![0.0; shape.weights()], vec![0.0; filters]);
    for (input, gradient) in batch {
        let input = pad(input, padding, Padding::Zero);
        for n in 0..filters {
            for y in 0..gradient.height {
                for x in 0..gradient.width {
                    let g = gradient.at(n, y, x);
                    bias[n] += g;
                    for c in 0..inputs {
                        for i in 0..size {
                            for j in 0..size {
                                weight[((n * inputs + c) * size + i) * size + j] +=
                                    g * input.at(c, y + i, x + j);
                            }
                        }
                    }
                }
            }
        }
    }
    (weight, bias)
}
