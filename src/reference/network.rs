//! A whole network on the CPU.

use super::{Maps, conv_forward, pad};
use crate::network::Padding;
use crate::weights::Weights;

/// F(Y): all layers, ReLU after each but the last. `input` is the bicubic enlargement, `[c][height][width]`.
pub fn forward(weights: &Weights, input: &Maps, padding: Padding) -> Maps {
    let last = weights.layers().len() - 1;
    let mut maps = input.clone();
    for (i, layer) in weights.layers().iter().enumerate() {
        let padded = pad(&maps, layer.shape.radius(), padding);
        maps = conv_forward(layer, &padded, i < last, padding == Padding::Normalized);
    }
    maps
}
