//! The three pictures to look at: the truth, bicubic interpolation, and the network's result, in color.
//!
//! A network of luminance gets its colors from bicubic interpolation, as the paper shows its results.

use super::data_uri::Pixels;
use super::gain::Window;
use crate::color::ycbcr_to_rgb;
use crate::degrade::{Degradation, Degrader};
use crate::error::Result;
use crate::eval::dataset::Picture;
use crate::eval::protocol::{Luminance, Measured, Protocol, to_u8};
use crate::network::Channels;
use crate::planes::Planes;

/// The names of the views, in their order.
pub const NAMES: [&str; 3] = ["bicubic", "network", "truth"];

/// One measured picture, without what the network did not compute of it.
pub struct Views {
    /// Luminance of bicubic interpolation, the network's result, and the truth, in the order of [`NAMES`].
    pub luminance: [Luminance; 3],
    /// Pixels on each side that are not measured.
    pub border: usize,
    cut: Picture,
    margin: usize,
    channels: Channels,
    scale: usize,
    output: Planes,
}

impl Views {
    /// Takes a picture and what was measured of it.
    pub fn new(picture: &Picture, protocol: &Protocol, measured: Measured) -> Self {
        let cut = picture.modcrop(protocol.scale);
        let (width, height) = (measured.network.width, measured.network.height);
        let margin = (cut.width - width) / 2;
        let inner = Window { left: margin, top: margin, width, height };
        let part = |data: &[u8]| Luminance { width, height, data: inner.cut(data, cut.width) };
        let luminance = [part(&measured.bicubic.data), measured.network, part(&cut.luminance())];
        Self {
            luminance,
            border: measured.border - margin,
            cut,
            margin,
            channels: protocol.channels,
            scale: protocol.scale,
            output: measured.output,
        }
    }

    /// Columns and rows.
    pub fn size(&self) -> (usize, usize) {
        (self.luminance[0].width, self.luminance[0].height)
    }

    /// A part of all three as they look.
    ///
    /// # Errors
    /// None that a measured picture could have.
    pub fn show(&self, part: &Window) -> Result<[Pixels; 3]> {
        let [bicubic, network, truth] = &self.luminance;
        let pixels = |samples| Pixels { width: part.width, height: part.height, samples };
        if self.cut.is_grey() {
            let plane = |plane: &Luminance| pixels(part.cut(&plane.data, plane.width));
            return Ok([plane(bicubic), plane(network), plane(truth)]);
        }
        let whole = Window { left: part.left + self.margin, top: part.top + self.margin, ..*part };
        let (width, height) = (self.cut.width, self.cut.height);
        let degrader = Degrader::new(width, height, self.scale, Degradation::Bicubic)?;
        let chroma: Vec<Vec<f64>> = self.cut.planes(Channels::YCbCr)[1..]
            .iter()
            .map(|plane| {
                let plane: Vec<f64> = plane.iter().map(|&v| f64::from(v) / 255.0).collect();
                whole.cut(&degrader.enlarge(&degrader.shrink(&plane)), width)
            })
            .collect();
        let with_chroma = |luminance: &Luminance| {
            let plane = part.cut(&luminance.data, luminance.width);
            let color =
                |(i, &y): (usize, &u8)| ycbcr_to_rgb([f64::from(y) / 255.0, chroma[0][i], chroma[1][i]]);
            pixels(plane.iter().enumerate().flat_map(color).map(to_u8).collect())
        };
        let planes: Vec<Vec<f32>> = self
            .output
            .data
            .chunks_exact(self.output.width * self.output.height)
            .map(|plane| part.cut(plane, self.output.width))
            .collect();
        let computed = |i: usize| [0, 1, 2].map(|channel: usize| f64::from(planes[channel][i]));
        let count = part.width * part.height;
        let network = match self.channels {
            Channels::Y => with_chroma(network),
            Channels::YCbCr => {
                pixels((0..count).flat_map(|i| ycbcr_to_rgb(computed(i))).map(to_u8).collect())
            }
            Channels::Rgb => pixels((0..count).flat_map(computed).map(to_u8).collect()),
        };
        let truth: Vec<Vec<u8>> =
            self.cut.planes(Channels::Rgb).iter().map(|plane| whole.cut(plane, width)).collect();
        let truth = pixels((0..count).flat_map(|i| [truth[0][i], truth[1][i], truth[2][i]]).collect());
        Ok([with_chroma(bicubic), network, truth])
    }
}
