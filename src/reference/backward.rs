//! A network's loss and all gradients: the twin of a whole training step up to the update.

use super::conv_forward::valid_part;
use super::{Maps, conv_forward, conv_grad_input, conv_grad_weight, loss, pad};
use crate::network::Padding;
use crate::weights::Layer;

/// Gradients of one layer: filters `[filters][inputs][row][column]`, then biases.
pub type LayerGradient = (Vec<f64>, Vec<f64>);

/// The loss of equation 4 over a batch, and its gradient for each layer. `padding` is
/// [`Padding::Valid`], [`Padding::Zero`] or [`Padding::Normalized`]; targets have the size of the network's output.
pub fn backward(
    layers: &[Layer],
    inputs: &[Maps],
    targets: &[Maps],
    padding: Padding,
) -> (f64, Vec<LayerGradient>) {
    let normalized = padding == Padding::Normalized;
    let zeros = |layer: &Layer| if padding == Padding::Valid { 0 } else { layer.shape.radius() };
    // maps[l][b] is the input of layer l for sub-image b.
    let mut maps = vec![inputs.to_vec()];
    for (l, layer) in layers.iter().enumerate() {
        let relu = l + 1 < layers.len();
        let output = |input| conv_forward(layer, &pad(input, zeros(layer), padding), relu, normalized);
        maps.push(maps[l].iter().map(output).collect());
    }
    let (value, mut gradients) = loss(&maps[layers.len()], targets);
    let mut all = Vec::new();
    for (layer, input) in layers.iter().zip(&maps).rev() {
        // Biases are added after the normalization.
        let bias = bias_gradient(&gradients);
        if normalized {
            gradients = gradients.iter().map(|g| by_valid_pixels(g, layer.shape.size)).collect();
        }
        let pairs: Vec<_> = input.iter().zip(&gradients).collect();
        let (weight, _) = conv_grad_weight(layer.shape, &pairs, zeros(layer));
        all.push((weight, bias));
        gradients = pairs
            .iter()
            .map(|(input, gradient)| conv_grad_input(layer, gradient, input, zeros(layer)))
            .collect();
    }
    all.reverse();
    (value, all)
}

/// The sum of each plane over a batch.
fn bias_gradient(gradients: &[Maps]) -> Vec<f64> {
    let plane = |maps: &Maps, n: usize| {
        let pixels = maps.height * maps.width;
        maps.data[n * pixels..(n + 1) * pixels].iter().sum::<f64>()
    };
    let filters = gradients.first().map_or(0, |maps| maps.channels);
    (0..filters).map(|n| gradients.iter().map(|maps| plane(maps, n)).sum()).collect()
}

/// Maps divided by the part of the taps that are valid pixels, for a layer with filters of `size`: what such a layer does
/// to its sums, and so to their gradient.
pub fn by_valid_pixels(maps: &Maps, size: usize) -> Maps {
    Maps::from_fn([maps.channels, maps.height, maps.width], |c, y, x| {
        maps.at(c, y, x) / (valid_part(y, maps.height, size) * valid_part(x, maps.width, size))
    })
}
