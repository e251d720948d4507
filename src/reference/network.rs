//! A whole network, layer by layer.

use super::{Maps, conv_forward, pad};
use crate::network::Padding;
use crate::weights::Weights;

/// F(Y) of section 3.1: all layers, with a ReLU after each but the last. `input` is the bicubic enlargement,
/// `[channels][height][width]`; the output has its size, except with [`Padding::Valid`].
pub fn forward(weights: &Weights, input: &Maps, padding: Padding) -> Maps {
    let last = weights.layers().len() - 1;
    let mut maps = input.clone();
    for (i, layer) in weights.layers().iter().enumerate() {
        let padded = pad(&maps, layer.shape.radius(), padding);
        maps = conv_forward(layer, &padded, i < last, padding == Padding::Normalized);
    }
    maps
}
