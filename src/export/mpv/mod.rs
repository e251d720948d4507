//! Networks as user shaders of mpv and libplacebo: text files of GLSL that take a video's luminance and return it enlarged.
//!
//! What players of both kinds have in common is used and no more: one output a pass, textures of 16-bit floats between passes,
//! and weights as literals in the code, which is what drivers compile best.

use std::fmt::Write as _;

use super::{About, ratio};
use crate::error::{Error, Result};
use crate::network::Padding;
use crate::ratio::Ratio;
use crate::weights::Weights;

mod compute;
mod fragment;
mod glsl;

/// Kinds of shaders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Compute shaders. Maps stay in registers from a layer to the next where that is 1x1, and a last layer's sums over rows
    /// are all that is stored before it.
    Compute,
    /// Fragment shaders, for outputs that have no others: a pass for four maps.
    Fragment,
}

/// Most parameters of a network: drivers compile each as an operand of an instruction.
const MOST_PARAMETERS: usize = 1 << 18;
/// Textures that a pass can read.
const MOST_TEXTURES: usize = 16;
/// Bytes of memory that a workgroup has everywhere.
const WORKGROUP_MEMORY: usize = 32 << 10;
/// How much larger than the video the window has to be for the shader to run.
const LEAST_ENLARGEMENT: f64 = 1.1;

/// A network as the text of a user shader that enlarges luminance by `scale`.
///
/// # Errors
/// [`Error::InvalidArgument`] for a network that is not on luminance, has padding `valid` or is too large, and for a scale that
/// [`ratio()`] does not take.
pub fn file(weights: &Weights, scale: f64, variant: Variant, about: &About) -> Result<String> {
    let ratio = ratio(scale)?;
    let channels = weights.metadata.channels;
    if channels.count() != 1 {
        return Err(Error::invalid(format!(
            "a network on {channels}: a shader for video takes one on luminance"
        )));
    }
    if weights.metadata.padding == Padding::Valid {
        return Err(Error::invalid(
            "a network with padding 'valid' makes pictures smaller, which a shader for video cannot; give it another padding",
        ));
    }
    if weights.parameters() > MOST_PARAMETERS {
        return Err(Error::invalid(format!(
            "{} parameters: a shader for video has at most {MOST_PARAMETERS}",
            weights.parameters()
        )));
    }
    let mut text = header(weights, scale, about);
    let passes = match variant {
        Variant::Compute => compute::passes(weights, ratio)?,
        Variant::Fragment => fragment::passes(weights, ratio)?,
    };
    for pass in passes {
        text += &pass.text(ratio);
    }
    Ok(text)
}

fn header(weights: &Weights, scale: f64, about: &About) -> String {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let or_unknown = |text: &str| if text.is_empty() { "unknown".into() } else { one_line(text) };
    format!(
        "// SRCNN {} for mpv and libplacebo: enlarges a video's luminance {scale} times.\n\
         // Written by {} {}. Bicubic enlargement as MATLAB's imresize, padding {}.\n\
         // Network: {}\n\
         // License of the network: {}\n\
         //\n\
         // It runs where the window is {LEAST_ENLARGEMENT} times larger than the video, or more; the WHEN lines say so.\n",
        weights.architecture(),
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
        weights.metadata.padding,
        or_unknown(&about.source),
        or_unknown(&about.license),
    )
}

/// A pass over the video's luminance.
struct Pass {
    about: String,
    /// Textures that it reads.
    binds: Vec<String>,
    /// The texture that it writes; the luminance itself if there is none.
    save: Option<String>,
    /// Texels that it writes for each pixel of the large picture, side by side and one below another.
    texels: [usize; 2],
    components: usize,
    /// Columns, rows, and both of the workgroup for a compute shader.
    block: Option<[usize; 4]>,
    code: String,
}

impl Pass {
    /// The directives of a pass, and its code.
    fn text(&self, ratio: Ratio) -> String {
        let mut text = format!("\n//!HOOK LUMA\n//!DESC {}\n", self.about);
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "//!{name} {value}");
        };
        for bind in &self.binds {
            line("BIND", bind);
        }
        if let Some(save) = &self.save {
            line("SAVE", save);
        }
        line("WIDTH", &length(ratio, "LUMA.w", self.texels[0]));
        line("HEIGHT", &length(ratio, "LUMA.h", self.texels[1]));
        line("COMPONENTS", &self.components);
        if let Some([width, height, columns, rows]) = self.block {
            line("COMPUTE", &format_args!("{width} {height} {columns} {rows}"));
        }
        let least = LEAST_ENLARGEMENT;
        line("WHEN", &format_args!("OUTPUT.w LUMA.w / {least} > OUTPUT.h LUMA.h / {least} > *"));
        text + &self.code
    }
}

/// An axis of the large picture in reverse Polish notation, rounded up, times `texels`.
fn length(ratio: Ratio, axis: &str, texels: usize) -> String {
    let (up, down) = (ratio.up(), ratio.down());
    let mut text = format!("{axis} {up} *");
    if down > 1 {
        let raised = format!("{text} {} +", down - 1);
        text = format!("{raised} {raised} {down} % - {down} /");
    }
    if texels > 1 {
        text += &format!(" {texels} *");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Evaluates what players evaluate.
    fn evaluate(text: &str, width: f64) -> f64 {
        let mut stack = Vec::new();
        for word in text.split(' ') {
            let value = match word {
                "LUMA.w" => width,
                "+" | "-" | "*" | "/" | "%" => {
                    let (b, a): (f64, f64) = (stack.pop().unwrap(), stack.pop().unwrap());
                    match word {
                        "+" => a + b,
                        "-" => a - b,
                        "*" => a * b,
                        "/" => a / b,
                        _ => a % b,
                    }
                }
                number => number.parse().unwrap(),
            };
            stack.push(value);
        }
        assert_eq!(stack.len(), 1);
        stack[0]
    }

    #[test]
    fn lengths_are_rounded_up() {
        for (scale, texels) in [(2.0, 1), (3.0, 2), (1.5, 1), (1.7, 3), (2.25, 1)] {
            let text = length(ratio(scale).unwrap(), "LUMA.w", texels);
            assert!(text.split(' ').count() <= 32, "players take no longer expressions: {text}");
            for width in [1.0, 7.0, 10.0, 640.0, 1919.0] {
                let expected = (width * scale).ceil() * texels as f64;
                assert_eq!(evaluate(&text, width), expected, "{width} by {scale}: {text}");
            }
        }
    }
}
