//! A whole network's loss and gradients on the CPU.

use super::{Maps, conv_forward, conv_grad_input, conv_grad_weight, loss, pad};
use crate::network::Padding;
use crate::weights::Layer;

/// The gradients of one layer: of its filters `[filters][inputs][row][column]`, and of its biases.
pub type LayerGradient = (Vec<f64>, Vec<f64>);

/// The loss of equation 4 over a batch, and its gradients for each layer's filters and biases. `padding` is
/// [`Padding::Valid`] or [`Padding::Zero`]; targets have the size of the network's output.
pub fn backward(
    layers: &[Layer],
    inputs: &[Maps],
    targets: &[Maps],
    padding: Padding,
) -> (f64, Vec<LayerGradient>) {
    let zeros = |layer: &Layer| if padding == Padding::Valid { 0 } else { layer.shape.radius() };
    // maps[l][b] is the input of layer l.
    let mut maps = vec![inputs.to_vec()];
    for (l, layer) in layers.iter().enumerate() {
        let relu = l + 1 < layers.len();
        let output = |input| conv_forward(layer, &pad(input, zeros(layer), padding), relu, false);
        maps.push(maps[l].iter().map(output).collect());
    }
    let (value, mut gradients) = loss(&maps[layers.len()], targets);
    let mut all = Vec::new();
    for (layer, input) in layers.iter().zip(&maps).rev() {
        let pairs: Vec<_> = input.iter().zip(&gradients).collect();
        all.push(conv_grad_weight(layer.shape, &pairs, zeros(layer)));
        gradients = pairs
            .iter()
            .map(|(input, gradient)| conv_grad_input(layer, gradient, input, zeros(layer)))
            .collect();
    }
    all.reverse();
    (value, all)
}
