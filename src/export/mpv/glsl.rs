//! Pieces of GLSL that both kinds of shaders are made of.

use std::fmt::Write as _;

use crate::ratio::Ratio;
use crate::weights::Layer;

/// Code in the making.
#[derive(Debug, Default)]
pub struct Code(pub String);

impl Code {
    /// Adds a line.
    pub fn line(&mut self, line: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// Groups of four filters, the last one filled up with zeros.
pub fn groups(filters: usize) -> usize {
    filters.div_ceil(4)
}

/// A number as GLSL has it, such that it comes back bit for bit.
pub fn number(value: f32) -> String {
    format!("{value:?}")
}

/// Four numbers.
pub fn vec4(values: [f32; 4]) -> String {
    format!("vec4({})", values.map(number).join(", "))
}

/// A layer's weight, zero for filters and inputs that fill up a group.
pub fn weight(layer: &Layer, filter: usize, input: usize, row: usize, column: usize) -> f32 {
    let shape = layer.shape;
    if filter >= shape.filters || input >= shape.inputs {
        return 0.0;
    }
    layer.weight[((filter * shape.inputs + input) * shape.size + row) * shape.size + column]
}

/// The biases of a group of filters.
pub fn biases(layer: &Layer, group: usize) -> String {
    vec4(std::array::from_fn(|i| layer.bias.get(4 * group + i).copied().unwrap_or(0.0)))
}

/// What a group of filters makes of one value of input `input`: `value * vec4(..)`.
pub fn times_scalar(
    layer: &Layer,
    group: usize,
    input: usize,
    [row, column]: [usize; 2],
    value: &str,
) -> String {
    let weights = std::array::from_fn(|i| weight(layer, 4 * group + i, input, row, column));
    format!("{value} * {}", vec4(weights))
}

/// What a group of filters makes of a group of inputs: `mat4(..) * value`.
pub fn times_group(
    layer: &Layer,
    group: usize,
    inputs: usize,
    [row, column]: [usize; 2],
    value: &str,
) -> String {
    let mut columns = (0..4).map(|input| {
        let weights = (0..4).map(|i| number(weight(layer, 4 * group + i, 4 * inputs + input, row, column)));
        weights.collect::<Vec<_>>().join(", ")
    });
    let columns: [String; 4] = std::array::from_fn(|_| columns.next().unwrap_or_default());
    format!("mat4({}) * {value}", columns.join(", "))
}

/// `large_size()`, and `bicubic(pixel)`: a pixel of the large picture, as MATLAB's `imresize` makes it of the luminance. Its
/// place among the small picture's pixels is worked out in whole numbers; beyond the edges, the picture is mirrored.
pub fn bicubic(ratio: Ratio) -> String {
    let (up, down) = (ratio.up(), ratio.down());
    format!(
        "ivec2 large_size() {{\n    return (ivec2(LUMA_size) * {up} + {less}) / {down};\n}}\n\
         \n\
         float small(ivec2 at) {{\n\
         \x20   ivec2 size = ivec2(LUMA_size);\n\
         \x20   ivec2 there = (at + 2 * size) % (2 * size);\n\
         \x20   there = min(there, 2 * size - 1 - there);\n\
         \x20   return LUMA_tex((vec2(there) + 0.5) * LUMA_pt).x;\n\
         }}\n\
         \n\
         vec4 cubic(float t) {{\n\
         \x20   return vec4(((-0.5 * t + 1.0) * t - 0.5) * t, (1.5 * t - 2.5) * t * t + 1.0,\n\
         \x20       ((-1.5 * t + 2.0) * t + 0.5) * t, (0.5 * t - 0.5) * t * t);\n\
         }}\n\
         \n\
         float row(ivec2 at, vec4 weights) {{\n\
         \x20   return dot(weights, vec4(small(at), small(at + ivec2(1, 0)), small(at + ivec2(2, 0)), small(at + ivec2(3, 0))));\n\
         }}\n\
         \n\
         float bicubic(ivec2 pixel) {{\n\
         \x20   ivec2 place = pixel * {twice_down} + {shift};\n\
         \x20   ivec2 whole = place / {twice_up};\n\
         \x20   vec2 rest = vec2(place - whole * {twice_up}) / {twice_up}.0;\n\
         \x20   vec4 across = cubic(rest.x);\n\
         \x20   ivec2 at = whole - 2;\n\
         \x20   vec4 rows = vec4(row(at, across), row(at + ivec2(0, 1), across), row(at + ivec2(0, 2), across), row(at + ivec2(0, 3), across));\n\
         \x20   return dot(cubic(rest.y), rows);\n\
         }}\n\
         \n",
        less = down - 1,
        twice_down = 2 * down,
        shift = down + up,
        twice_up = 2 * up,
    )
}

/// `valid(pixel, size, radius)`: a filter's taps over those of them that lie inside a picture of that size.
pub const VALID: &str = "float valid(ivec2 pixel, ivec2 size, int radius) {
    ivec2 inside = min(pixel + radius + 1, size) - max(pixel - radius, ivec2(0));
    float taps = float(2 * radius + 1);
    return taps * taps / float(inside.x * inside.y);
}

";
