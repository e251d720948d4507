//! The pictures to look at: bicubic interpolation, the result of each network, and the truth, in color.
//!
//! A network of luminance gets its colors from bicubic interpolation, as the paper shows its results.

use super::Shown;
use super::data_uri::Pixels;
use super::gain::Window;
use crate::color::ycbcr_to_rgb;
use crate::degrade::{Degradation, Degrader, Shrink};
use crate::error::Result;
use crate::eval::dataset::Picture;
use crate::eval::protocol::{Compared, Luminance, to_u8};
use crate::network::Channels;
use crate::planes::Planes;
use crate::ratio::Ratio;

/// One view of a picture.
pub struct View {
    /// What it is called in the page's styles and scripts: a word.
    pub class: String,
    /// What it is called to the reader.
    pub title: String,
    /// PSNR of the whole picture in dB; none for the truth.
    pub psnr: Option<f64>,
}

/// One measured picture, without what the networks did not compute of it.
pub struct Views {
    /// Bicubic interpolation first, the networks, the truth last.
    pub views: Vec<View>,
    /// Their luminance.
    pub luminance: Vec<Luminance>,
    /// What their PSNR compares.
    pub compared: Compared,
    /// Pixels on each side that are not measured.
    pub border: usize,
    cut: Picture,
    margin: usize,
    /// Enlargement.
    pub scale: Ratio,
    degradation: Degradation,
    /// Red, green and blue of bicubic interpolation, where that was compared.
    bicubic: Option<Vec<u8>>,
    networks: Vec<Network>,
}

/// A network's result, as large as the luminance.
struct Network {
    channels: Channels,
    /// In its channels.
    planes: Vec<Vec<f32>>,
}

impl Views {
    /// Takes a picture and what was measured of it, of one method at least.
    pub fn new(picture: &Picture, results: Vec<Shown<'_>>) -> Self {
        let scale = results.first().map_or(Ratio::ONE, |shown| shown.protocol.scale);
        let degradation = results.first().map(|shown| shown.protocol.degradation).unwrap_or_default();
        let compared = results.first().map_or(Compared::Luminance, |shown| shown.protocol.samples());
        let cut = picture.modcrop(scale);
        let own = |shown: &Shown<'_>| (cut.width - shown.measured.network.width) / 2;
        let margin = results.iter().map(own).max().unwrap_or(0);
        let (width, height) = (cut.width - 2 * margin, cut.height - 2 * margin);
        let part = |data: &[u8], margin: usize, row: usize| Luminance {
            width,
            height,
            data: Window { left: margin, top: margin, width, height }.cut(data, row),
        };
        let (mut views, mut luminance, mut networks) = (Vec::new(), Vec::new(), Vec::new());
        let (mut bicubic, mut border) = (None, 0);
        let several = results.iter().filter(|shown| shown.is_network).count() > 1;
        for shown in results {
            let (own, measured) = (own(&shown), shown.measured);
            let (class, score) = (String::from("bicubic"), measured.score);
            border = border.max(measured.border);
            if views.is_empty() {
                views.push(View { class, title: "Bicubic".into(), psnr: Some(score.psnr_bicubic) });
                luminance.push(part(&measured.bicubic.data, margin, cut.width));
                bicubic = measured.colors.map(|[bicubic, _]| bicubic);
            }
            if !shown.is_network {
                continue;
            }
            let (class, title) = match several {
                true => (format!("network-{}", networks.len() + 1), shown.title.into()),
                false => ("network".into(), shown.alone.into()),
            };
            views.push(View { class, title, psnr: Some(score.psnr) });
            luminance.push(part(&measured.network.data, margin - own, measured.network.width));
            networks.push(Network {
                channels: shown.protocol.channels,
                planes: planes(&measured.output, margin - own, (width, height)),
            });
        }
        views.push(View { class: "truth".into(), title: "Original".into(), psnr: None });
        luminance.push(part(&cut.luminance(), margin, cut.width));
        let border = border.saturating_sub(margin);
        Self { views, luminance, compared, border, cut, margin, scale, degradation, bicubic, networks }
    }

    /// Columns and rows.
    pub fn size(&self) -> (usize, usize) {
        self.luminance.first().map_or((0, 0), |plane| (plane.width, plane.height))
    }

    /// A part of the whole picture as it is in the views; none if nothing of it is in them.
    pub fn inside(&self, part: &Window) -> Option<Window> {
        let (width, height) = self.size();
        let axis = |start: usize, length: usize, all: usize| {
            let end = (start + length).saturating_sub(self.margin).min(all);
            let start = start.saturating_sub(self.margin);
            (start < end).then(|| (start, end - start))
        };
        let ((left, width), (top, height)) =
            (axis(part.left, part.width, width)?, axis(part.top, part.height, height)?);
        Some(Window { left, top, width, height })
    }

    /// A part of all views as they look.
    ///
    /// # Errors
    /// None that a measured picture could have.
    pub fn show(&self, part: &Window) -> Result<Vec<Pixels>> {
        let pixels = |samples| Pixels { width: part.width, height: part.height, samples };
        if self.cut.is_grey() {
            let plane = |plane: &Luminance| pixels(part.cut(&plane.data, plane.width));
            return Ok(self.luminance.iter().map(plane).collect());
        }
        let whole = Window { left: part.left + self.margin, top: part.top + self.margin, ..*part };
        let (width, height) = (self.cut.width, self.cut.height);
        let degrader = Degrader::new(width, height, self.scale, Shrink::Bicubic)?;
        let key = [self.cut.key()];
        let low = self.cut.degraded(Channels::YCbCr, self.scale, &self.degradation, &key)?;
        let enlarged = low.planes[1..].iter().map(|plane| whole.cut(&degrader.enlarge(plane), width));
        let chroma: Vec<Vec<f64>> = enlarged.collect();
        let with_chroma = |luminance: &Luminance| {
            let plane = part.cut(&luminance.data, luminance.width);
            let color =
                |(i, &y): (usize, &u8)| ycbcr_to_rgb([f64::from(y) / 255.0, chroma[0][i], chroma[1][i]]);
            pixels(plane.iter().enumerate().flat_map(color).map(to_u8).collect())
        };
        let count = part.width * part.height;
        let mut shown = Vec::with_capacity(self.views.len());
        shown.push(match &self.bicubic {
            Some(colors) => pixels(whole.cut(colors.as_chunks::<3>().0, width).concat()),
            None => with_chroma(&self.luminance[0]),
        });
        for (network, luminance) in self.networks.iter().zip(&self.luminance[1..]) {
            let row = luminance.width;
            let planes: Vec<Vec<f32>> = network.planes.iter().map(|plane| part.cut(plane, row)).collect();
            let computed = |i: usize| [0, 1, 2].map(|channel: usize| f64::from(planes[channel][i]));
            shown.push(match network.channels {
                Channels::Y => with_chroma(luminance),
                Channels::YCbCr => {
                    pixels((0..count).flat_map(|i| ycbcr_to_rgb(computed(i))).map(to_u8).collect())
                }
                Channels::Rgb => pixels((0..count).flat_map(computed).map(to_u8).collect()),
            });
        }
        let truth: Vec<Vec<u8>> =
            self.cut.planes(Channels::Rgb).iter().map(|plane| whole.cut(plane, width)).collect();
        shown.push(pixels((0..count).flat_map(|i| [truth[0][i], truth[1][i], truth[2][i]]).collect()));
        Ok(shown)
    }
}

/// The planes without `margin` pixels on each side.
fn planes(output: &Planes, margin: usize, (width, height): (usize, usize)) -> Vec<Vec<f32>> {
    let inner = Window { left: margin, top: margin, width, height };
    let planes = output.data.chunks_exact(output.width * output.height);
    planes.map(|plane| inner.cut(plane, output.width)).collect()
}
