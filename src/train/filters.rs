//! Figure 5 of the paper: the first layer's filters as pictures, ordered by their variance.

use image::{Rgb, RgbImage};

use crate::weights::Weights;

/// Filters in a row.
const COLUMNS: usize = 8;
/// Pixels between filters.
const GAP: u32 = 4;

/// The first layer's filters, the one with the most variance first, each tap `zoom` pixels wide. Each filter
/// is stretched to its own range, with zero in the middle grey; a filter without variance is that grey
/// throughout. Filters of three channels are shown in color, the channels as red, green, blue.
pub fn sheet(weights: &Weights, zoom: u32) -> RgbImage {
    let layer = &weights.layers()[0];
    let (size, products) = (layer.shape.size, layer.shape.products());
    let mut filters: Vec<&[f32]> = layer.weight.chunks_exact(products).collect();
    filters.sort_by(|a, b| variance(b).total_cmp(&variance(a)));

    let zoom = zoom.max(1);
    let cell = size as u32 * zoom + GAP;
    let columns = filters.len().min(COLUMNS) as u32;
    let rows = filters.len().div_ceil(COLUMNS) as u32;
    let white = Rgb([255; 3]);
    let mut sheet = RgbImage::from_pixel(columns * cell + GAP, rows * cell + GAP, white);
    for (i, filter) in filters.iter().enumerate() {
        let (left, top) = ((i % COLUMNS) as u32 * cell + GAP, (i / COLUMNS) as u32 * cell + GAP);
        let peak = filter.iter().fold(0f32, |peak, w| peak.max(w.abs()));
        let level = |at: usize| match peak > 0.0 {
            true => (127.5 + 127.5 * filter[at] / peak).round() as u8,
            false => 128,
        };
        for y in 0..size as u32 * zoom {
            for x in 0..size as u32 * zoom {
                let tap = (y / zoom) as usize * size + (x / zoom) as usize;
                let channel = |c: usize| level((c % layer.shape.inputs) * size * size + tap);
                sheet.put_pixel(left + x, top + y, Rgb([channel(0), channel(1), channel(2)]));
            }
        }
    }
    sheet
}

fn variance(values: &[f32]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Architecture, Channels};
    use crate::weights::{Layer, Metadata};

    fn weights(channels: Channels, first: Vec<f32>, filters: &str) -> Weights {
        let architecture = Architecture::parse("3-1", filters, channels.count()).unwrap();
        let layers = architecture.layers().iter().enumerate().map(|(i, &shape)| {
            let weight = if i == 0 { first.clone() } else { vec![0.0; shape.weights()] };
            Layer { shape, weight, bias: vec![0.0; shape.filters] }
        });
        Weights::new(layers.collect(), Metadata { channels, ..Metadata::default() }).unwrap()
    }

    #[test]
    fn most_variance_first() {
        let mut first = vec![0.0; 27];
        first[9 + 4] = 1.0; // second filter: some
        first[18 + 3] = 2.0; // third: most
        first[18 + 5] = -1.0;
        let sheet = sheet(&weights(Channels::Y, first, "3"), 2);
        assert_eq!(sheet.dimensions(), (3 * 10 + 4, 14));
        let at = |filter: u32, x: u32, y: u32| sheet.get_pixel(4 + filter * 10 + 2 * x, 4 + 2 * y).0[0];
        assert_eq!((at(0, 0, 1), at(0, 2, 1), at(0, 0, 0)), (255, 64, 128));
        assert_eq!((at(1, 1, 1), at(1, 0, 1)), (255, 128));
        assert_eq!((at(2, 1, 1), sheet.get_pixel(0, 0).0[0]), (128, 255));
    }

    #[test]
    fn color_filters_and_rows() {
        let mut first = vec![0.0; 27 * 9];
        first[8 * 27 + 9 + 4] = 1.0; // the last filter's channel 2, in the middle
        first[8 * 27 + 18 + 8] = -3.0; // its channel 3, in the corner
        let picture = sheet(&weights(Channels::Rgb, first, "9"), 1);
        assert_eq!(picture.dimensions(), (8 * 7 + 4, 2 * 7 + 4));
        let at = |x: u32, y: u32| picture.get_pixel(GAP + x, GAP + y).0;
        assert_eq!((at(1, 1), at(2, 2), at(0, 0)), ([128, 170, 128], [128, 128, 0], [128; 3]));
    }
}
