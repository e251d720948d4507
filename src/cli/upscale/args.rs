//! What is asked for of the results' pictures.

use clap::{Args, ValueEnum};
use image::ColorType;
use srcnn_gpu::{Error, Result};

use super::size::SizeArgs;
use crate::cli::jobs::Naming;
use srcnn_gpu::picture::{Kind, Metadata, PictureFile, Settings, color_type, depth};

/// Size of the results; format and contents.
#[derive(Debug, Clone, Default, Args)]
pub struct PictureArgs {
    #[command(flatten)]
    pub size: SizeArgs,
    #[command(flatten)]
    pub content: ContentArgs,
}

/// Format and contents of the results.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Format")]
pub struct ContentArgs {
    /// Format of the results, by extension: png, jpg, webp, tiff, .. or same as the picture; else as the name of the
    /// output says, else same where it loses nothing
    #[arg(short, long, value_name = "FORMAT", value_parser = format)]
    format: Option<Format>,
    /// Quality of formats that leave something out, 1 to 100 [default: 95 for jpg]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: Option<u8>,
    /// Bits a channel; auto keeps what the picture has, as far as the format can
    #[arg(long, value_enum, default_value_t, value_name = "BITS")]
    depth: Depth,
    /// How alpha is enlarged; auto is by the network unless it is the same everywhere, drop leaves it out
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub alpha: Alpha,
    /// Colour to put pictures with alpha on, as RRGGBB; they lose their alpha
    #[arg(long, value_name = "HEX", value_parser = colour, conflicts_with = "alpha")]
    pub background: Option<[u8; 3]>,
    /// Colour profiles; srgb changes the colours to that one
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    icc: Icc,
    /// Exif, XMP, IPTC, texts; orientation and sizes in them are brought up to date
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    metadata: Keep,
}

/// A format of results.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Format {
    Same,
    Kind(&'static Kind),
}

/// Bits a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Depth {
    #[default]
    Auto,
    #[value(name = "8")]
    Eight,
    #[value(name = "16")]
    Sixteen,
}

/// How alpha is enlarged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Alpha {
    #[default]
    Auto,
    Net,
    Bicubic,
    Drop,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Icc {
    #[default]
    Keep,
    Srgb,
    Strip,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Keep {
    #[default]
    Keep,
    Strip,
}

fn format(text: &str) -> Result<Format> {
    if text.eq_ignore_ascii_case("same") {
        return Ok(Format::Same);
    }
    let kind = Kind::named(text.trim_start_matches('.')).map(Format::Kind);
    kind.ok_or_else(|| Error::invalid(format!("one of same, {} is needed", Kind::extensions())))
}

fn colour(text: &str) -> Result<[u8; 3]> {
    let digits = text.trim_start_matches('#');
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 6);
    let [_, red, green, blue] = number
        .ok_or_else(|| Error::invalid("six hexadecimal digits are needed, such as ffffff"))?
        .to_be_bytes();
    Ok([red, green, blue])
}

impl PictureArgs {
    /// How results are named.
    pub fn naming(&self) -> Naming {
        Naming { size: self.size.label(), format: self.content.format }
    }
}

impl ContentArgs {
    /// How results are written.
    pub fn settings(&self) -> Settings {
        Settings { quality: self.quality }
    }

    /// Leaves out what is not to be kept.
    pub fn strip(&self, metadata: &mut Metadata) {
        metadata.strip(self.icc == Icc::Strip, self.metadata == Keep::Strip);
    }

    /// Whether colours are brought to sRGB.
    pub fn to_srgb(&self) -> bool {
        self.icc == Icc::Srgb
    }

    /// What of the arguments does not apply to a picture, in words.
    pub fn remark(&self, header: &PictureFile, kind: &Kind) -> Option<String> {
        let lossless = kind.extension == "webp" && cfg!(not(feature = "webp-lossy"));
        match (self.quality, header.animation) {
            (Some(_), _) if lossless => {
                Some("this build writes WebP without loss, --quality is not used".into())
            }
            (_, Some(_)) if self.to_srgb() => Some("animations keep their colour profile".into()),
            _ if self.to_srgb() && !header.color.has_color() => {
                Some("grey pictures keep their colour profile".into())
            }
            _ => None,
        }
    }

    /// Whether pictures lose their alpha.
    pub fn removes_alpha(&self) -> bool {
        self.alpha == Alpha::Drop || self.background.is_some()
    }

    /// The colour type of a picture's result, and a remark on what it loses by that.
    ///
    /// # Errors
    /// [`Error::Picture`] for a depth that the kind does not have.
    pub fn color(&self, header: &PictureFile, kind: &Kind) -> Result<(ColorType, Option<String>)> {
        let color = header.color;
        let alpha = color.has_alpha() && !self.removes_alpha();
        let bits = depth(color);
        let asked = match self.depth {
            Depth::Auto => {
                return Ok(match kind.depth {
                    most if bits <= most => (color_type(color.has_color(), alpha, bits), None),
                    most => {
                        let bits = if bits == 32 {
                            "float samples".into()
                        } else {
                            format!("{bits} bits a channel")
                        };
                        let remark = format!("{bits} become {most} bits in a .{} file", kind.extension);
                        (color_type(color.has_color(), alpha, most), Some(remark))
                    }
                });
            }
            Depth::Eight => 8,
            Depth::Sixteen => 16,
        };
        if asked > kind.depth {
            return Err(Error::Picture(format!(
                "{}: --depth {asked}, but a .{} file holds {} bits; write png or tiff",
                header.path.display(),
                kind.extension,
                kind.depth
            )));
        }
        Ok((color_type(color.has_color(), alpha, asked), None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_colours() {
        assert!(matches!(format("same"), Ok(Format::Same)));
        assert!(matches!(format(".JPG"), Ok(Format::Kind(kind)) if kind.extension == "jpg"));
        assert!(format("doc").is_err());
        assert_eq!(colour("#1020ff").unwrap(), [16, 32, 255]);
        assert!(colour("fff").is_err() && colour("-12345").is_err() && colour("").is_err());
    }
}
