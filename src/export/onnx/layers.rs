//! A network's layers as nodes: convolutions, their paddings, rectifiers.

use std::collections::BTreeMap;

use super::build::{Builder, float_tensor, int, ints, text};
use crate::network::Padding;
use crate::weights::{Layer, Weights};

/// Adds all layers of a network from the value `input` to the value `output`.
pub fn network(builder: &mut Builder, weights: &Weights, input: &str, output: &str) {
    let padding = weights.metadata.padding;
    let factors =
        if padding == Padding::Normalized { valid_factors(builder, weights, input) } else { BTreeMap::new() };
    let last = weights.layers().len();
    let mut at = input.to_owned();
    for (number, layer) in (1..).zip(weights.layers()) {
        // The graph's output is the value of the last convolution.
        let name = if number == last { output.to_owned() } else { format!("conv{number}") };
        let factor = factors.get(&layer.shape.size).map(String::as_str);
        at = convolution(builder, layer, number, &name, &at, padding, factor);
        if number < last {
            at = builder.apply("Relu", &format!("relu{number}"), &[&at]);
        }
    }
}

/// Adds a layer without its rectifier. Parameters have the names that PyTorch gives them.
fn convolution(
    builder: &mut Builder,
    layer: &Layer,
    number: usize,
    name: &str,
    input: &str,
    padding: Padding,
    factor: Option<&str>,
) -> String {
    let shape = layer.shape;
    let (size, radius) = (shape.size, shape.radius() as i64);
    let weight = builder.floats(
        &format!("conv{number}.weight"),
        &[shape.filters, shape.inputs, size, size],
        &layer.weight,
    );
    let bias_shape: &[usize] = if factor.is_some() { &[1, shape.filters, 1, 1] } else { &[shape.filters] };
    let bias = builder.floats(&format!("conv{number}.bias"), bias_shape, &layer.bias);
    let mut attributes = vec![ints("kernel_shape", [size as i64; 2])];
    if matches!(padding, Padding::Zero | Padding::Normalized) && radius > 0 {
        attributes.push(ints("pads", [radius; 4]));
    }
    if let Some(factor) = factor {
        let sums = builder.node("Conv", &format!("sums{number}"), &[input, &weight], attributes);
        let sums = builder.apply("Mul", &format!("normalized{number}"), &[&sums, factor]);
        return builder.apply("Add", name, &[&sums, &bias]);
    }
    let mut padded = input.to_owned();
    if padding == Padding::Replicate && radius > 0 {
        let pads = [0, 0, radius, radius, 0, 0, radius, radius];
        let pads = builder.integers(&format!("pad{number}.pads"), &[8], &pads);
        padded = builder.node("Pad", &format!("pad{number}"), &[input, &pads], vec![text("mode", "edge")]);
    }
    builder.node("Conv", name, &[&padded, &weight, &bias], attributes)
}

/// Adds for each size of filter the factors of section 4: a filter's taps over those of them that lie inside the picture.
/// Returns their names.
fn valid_factors(builder: &mut Builder, weights: &Weights, input: &str) -> BTreeMap<usize, String> {
    let mut factors = BTreeMap::new();
    for size in weights.layers().iter().map(|layer| layer.shape.size).filter(|&size| size > 1) {
        if factors.contains_key(&size) {
            continue;
        }
        if factors.is_empty() {
            let area = builder.node("Shape", "valid.area", &[input], vec![int("start", 2), int("end", 4)]);
            let front = builder.integers("valid.front", &[2], &[1, 1]);
            let shape = builder.node("Concat", "valid.shape", &[&front, &area], vec![int("axis", 0)]);
            builder.node("ConstantOfShape", "valid.ones", &[&shape], vec![float_tensor("value", 1.0)]);
        }
        let taps = size * size;
        let filter = builder.floats(&format!("valid{size}.filter"), &[1, 1, size, size], &vec![1.0; taps]);
        let attributes = vec![ints("kernel_shape", [size as i64; 2]), ints("pads", [(size / 2) as i64; 4])];
        let inside =
            builder.node("Conv", &format!("valid{size}.inside"), &["valid.ones", &filter], attributes);
        let taps = builder.floats(&format!("valid{size}.taps"), &[], &[taps as f32]);
        factors.insert(size, builder.apply("Div", &format!("valid{size}"), &[&taps, &inside]));
    }
    factors
}
