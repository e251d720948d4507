//! Fragment shaders: a pass for the bicubic enlargement, and one for every four maps of each layer.

use super::glsl::{Code, VALID, biases, bicubic, groups, times_group, times_scalar};
use super::{MOST_TEXTURES, Pass};
use crate::error::{Error, Result};
use crate::network::Padding;
use crate::ratio::Ratio;
use crate::weights::Weights;

pub fn passes(weights: &Weights, ratio: Ratio) -> Result<Vec<Pass>> {
    let padding = weights.metadata.padding;
    let mut code = Code(bicubic(ratio));
    code.line("vec4 hook() {");
    code.line("    return vec4(bicubic(ivec2(LUMA_pos * vec2(large_size()))));");
    code.line("}");
    let first = "SRCNN_0".to_owned();
    let mut passes = vec![Pass {
        about: "SRCNN, bicubic enlargement".into(),
        binds: vec!["LUMA".into()],
        save: Some(first.clone()),
        texels: [1, 1],
        components: 1,
        block: None,
        code: code.0,
    }];
    let mut binds = vec![first];
    let count = weights.layers().len();
    for number in 1..=count {
        if binds.len() > MOST_TEXTURES {
            return Err(Error::invalid(format!(
                "{} maps before layer {number}: fragment shaders take {} at most; compute shaders take more",
                4 * binds.len(),
                4 * MOST_TEXTURES
            )));
        }
        let is_last = number == count;
        let filters = weights.layers()[number - 1].shape.filters;
        let made: Vec<String> = (0..groups(filters)).map(|group| format!("SRCNN_{number}_{group}")).collect();
        for (group, name) in made.iter().enumerate() {
            let maps = format!("{} to {}", 4 * group + 1, filters.min(4 * group + 4));
            passes.push(Pass {
                about: format!("SRCNN, layer {number}, maps {maps}"),
                binds: binds.clone(),
                save: (!is_last).then(|| name.clone()),
                texels: [1, 1],
                components: if is_last { 1 } else { 4 },
                block: None,
                code: layer(weights, number, group, &binds, padding),
            });
        }
        binds = made;
    }
    Ok(passes)
}

/// The code for a group of a layer's maps.
fn layer(weights: &Weights, number: usize, group: usize, sources: &[String], padding: Padding) -> String {
    let layer = &weights.layers()[number - 1];
    let (size, radius) = (layer.shape.size, layer.shape.radius() as i64);
    let mut code = Code::default();
    let source = &sources[0];
    let normalized = padding == Padding::Normalized && radius > 0;
    let zeros = radius > 0 && padding != Padding::Replicate;
    if normalized {
        code.line(VALID);
    }
    if zeros {
        code.line("float inside(vec2 offset) {");
        code.line(format_args!("    vec2 at = {source}_pos + offset * {source}_pt;"));
        code.line("    return float(all(greaterThan(at, vec2(0.0))) && all(lessThan(at, vec2(1.0))));");
        code.line("}");
    }
    code.line("vec4 hook() {");
    code.line("    vec4 sums = vec4(0.0);");
    // The network's input has one channel, its maps come in groups of four.
    let scalar = number == 1;
    for (index, name) in sources.iter().enumerate() {
        for row in 0..size {
            for column in 0..size {
                let offset = format!("vec2({}.0, {}.0)", column as i64 - radius, row as i64 - radius);
                let mut value = format!("{name}_texOff({offset})");
                if scalar {
                    value += ".x";
                }
                if zeros {
                    value = format!("(inside({offset}) * {value})");
                }
                let product = if scalar {
                    times_scalar(layer, group, 0, [row, column], &value)
                } else {
                    times_group(layer, group, index, [row, column], &value)
                };
                code.line(format_args!("    sums += {product};"));
            }
        }
    }
    if normalized {
        code.line(format_args!("    ivec2 size = ivec2({source}_size);"));
        code.line(format_args!("    sums *= valid(ivec2({source}_pos * vec2(size)), size, {radius});"));
    }
    code.line(format_args!("    sums += {};", biases(layer, group)));
    let is_last = number == weights.layers().len();
    code.line(if is_last {
        "    return vec4(sums.x, 0.0, 0.0, 1.0);"
    } else {
        "    return max(sums, vec4(0.0));"
    });
    code.line("}");
    code.0
}
