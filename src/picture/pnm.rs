//! Writing PNM files. The `image` crate's encoder has neither 16-bit PPM nor 16-bit grey with alpha.

use std::io::{self, Write};

use image::ColorType;

use super::samples::{Reordered, depth};

/// Writes a binary PGM, PPM, or PAM file (on request, or if alpha needs it); `fill` writes the samples in the machine's
/// byte order.
pub fn write(
    out: &mut dyn Write,
    (width, height): (u32, u32),
    color: ColorType,
    pam: bool,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let channels = color.channel_count();
    let top = if depth(color) == 8 { 255 } else { 65535 };
    if pam || color.has_alpha() {
        let model = if color.has_color() { "RGB" } else { "GRAYSCALE" };
        let alpha = if color.has_alpha() { "_ALPHA" } else { "" };
        write!(out, "P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {channels}\n")?;
        write!(out, "MAXVAL {top}\nTUPLTYPE {model}{alpha}\nENDHDR\n")?;
    } else {
        let magic = if color.has_color() { "P6" } else { "P5" };
        write!(out, "{magic}\n{width} {height}\n{top}\n")?;
    }
    if top == 65535 { fill(&mut Reordered::big_endian(out)) } else { fill(out) }
}
