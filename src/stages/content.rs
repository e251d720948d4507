//! Size, format and contents of the results, as the arguments ask for them.

use crate::error::{Error, Result};
use crate::picture::{Kind, Metadata, PictureFile, Settings, color_type, depth, refuse};
use clap::{Args, ValueEnum};
use image::ColorType;

use super::size::SizeArgs;
use crate::jobs::{Job, Naming, OutputFormat};

// The Debug texts of these types, their fields' names included, are part of what an output folder's index keeps a
// fingerprint of (`settings` in mod.rs): a change makes all results count as out of date.

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
    /// Format of the results, by extension: png, jpg, webp, tiff, .. or same for the input's [default: by the output's
    /// name, else same where that loses nothing, else png]; of videos mp4, m4v, mov, mkv, webm or y4m [default: mkv for
    /// others]
    #[arg(short, long, value_name = "FORMAT", value_parser = OutputFormat::parse)]
    format: Option<OutputFormat>,
    /// Quality of jpg and webp, 1 to 100 [default: 95 for jpg; webp loses nothing without this]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: Option<u8>,
    /// Bits per channel; auto keeps those of the picture as far as the format can hold them
    #[arg(long, value_enum, default_value_t, value_name = "BITS")]
    depth: Depth,
    /// How to enlarge alpha; auto uses the network unless alpha is the same everywhere, drop removes it
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub alpha: Alpha,
    /// Color to put behind pictures with alpha, as RRGGBB; the results have no alpha
    #[arg(long, value_name = "HEX", value_parser = color, conflicts_with = "alpha")]
    pub background: Option<[u8; 3]>,
    /// Color profiles; srgb converts the colors to sRGB
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    icc: Icc,
    /// Exif, XMP, IPTC, texts; orientation and sizes in them are updated
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    metadata: Keep,
}

/// Bits per channel.
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

fn color(text: &str) -> Result<[u8; 3]> {
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
        Naming { size: self.size.label().to_string(), format: self.content.format }
    }
}

impl ContentArgs {
    /// The same as `--format` and `--quality`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a quality out of 1 to 100.
    pub fn new(format: Option<OutputFormat>, quality: Option<u8>) -> Result<Self> {
        if quality.is_some_and(|quality| !(1..=100).contains(&quality)) {
            return Err(Error::invalid("a quality is 1 to 100"));
        }
        Ok(Self { format, quality, ..Self::default() })
    }

    /// Makes sure that a quality is asked for only where it can mean something; tells of results that have none.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if no result can have one.
    pub fn check_quality(&self, jobs: &[Result<Job>]) -> Result<()> {
        if self.quality.is_none() {
            return Ok(());
        }
        if let Some(OutputFormat::Kind(kind)) = self.format
            && !kind.has_quality()
        {
            let extension = kind.extension;
            return Err(Error::invalid(format!(
                "--quality is for formats that lose something, such as jpg and webp; {extension} loses nothing"
            )));
        }
        let mut without = jobs.iter().flatten().filter(|job| !job.kind.has_quality());
        if let Some(first) = without.next() {
            let which = match without.count() {
                0 => first.output.display().to_string(),
                more => format!("{} and {more} more", first.output.display()),
            };
            log::warn!("--quality is not used for {which}: written without loss");
        }
        Ok(())
    }

    /// Makes sure that no quality is asked for, which videos have other arguments for.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub fn refuse_quality(&self) -> Result<()> {
        match self.quality {
            Some(_) => Err(Error::invalid("--quality is for pictures; --crf sets the quality of a video")),
            None => Ok(()),
        }
    }

    /// How results are written.
    pub fn settings(&self) -> Settings {
        Settings { quality: self.quality }
    }

    /// Removes the metadata that is not to be kept.
    pub fn strip(&self, metadata: &mut Metadata) {
        metadata.strip(self.icc == Icc::Strip, self.metadata == Keep::Strip);
    }

    /// Whether to convert colors to sRGB.
    pub fn to_srgb(&self) -> bool {
        self.icc == Icc::Srgb
    }

    /// In words, which arguments do not apply to a picture.
    pub fn remark(&self, header: &PictureFile, kind: &Kind) -> Option<String> {
        let lossless = kind.extension == "webp" && cfg!(not(feature = "webp-lossy"));
        match (self.quality, header.animation) {
            (Some(_), _) if lossless => {
                Some("this build writes WebP without loss only, --quality is not used; a build with the feature webp-lossy uses it".into())
            }
            (_, Some(_)) if self.to_srgb() => Some("animations keep their color profile".into()),
            _ if self.to_srgb() && !header.color.has_color() => {
                Some("grey pictures keep their color profile".into())
            }
            _ => None,
        }
    }

    /// Whether alpha is removed.
    pub fn removes_alpha(&self) -> bool {
        self.alpha == Alpha::Drop || self.background.is_some()
    }

    /// The color type of a picture's result, and a remark on what is lost.
    ///
    /// # Errors
    /// [`Error::Picture`] for a depth that the kind cannot hold.
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
                            format!("{bits} bits per channel")
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
            return Err(refuse(
                &header.path,
                format!(
                    "--depth {asked}, but a .{} file holds {} bits; write png or tiff",
                    kind.extension, kind.depth
                ),
            ));
        }
        Ok((color_type(color.has_color(), alpha, asked), None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors() {
        assert_eq!(color("#1020ff").unwrap(), [16, 32, 255]);
        assert!(color("fff").is_err() && color("-12345").is_err() && color("").is_err());
    }
}
