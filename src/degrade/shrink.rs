//! Linear parts of a degradation, on planes in f64: blurring, shrinking, and the bicubic enlargement that a network starts
//! from.

use super::Shrink;
use crate::error::{Error, Result};
use crate::ratio::Ratio;
use crate::resample::{ResampleTable, apply};

/// Shrinks and enlarges pictures of one size. At scale 1 both return the picture as it is.
#[derive(Debug, Clone)]
pub struct Degrader {
    down: [ResampleTable; 2],
    up: [ResampleTable; 2],
}

impl Degrader {
    /// For pictures of `width` x `height`, both multiples of `scale`, or of its numerator: of 5 for 2.5.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for sizes that are not such multiples, or empty, and for a scale that
    /// is not whole and another shrink than bicubic.
    pub fn new(width: usize, height: usize, scale: impl Into<Ratio>, shrink: Shrink) -> Result<Self> {
        let scale = scale.into();
        let parts = scale.up();
        if parts == 0 || !width.is_multiple_of(parts) || !height.is_multiple_of(parts) {
            let of = if scale == parts { String::new() } else { format!("{parts}, as needed for ") };
            return Err(Error::invalid(format!(
                "{width}x{height} are not multiples of {of}the scale {scale}"
            )));
        }
        let factor = scale.value();
        let down = |length: usize| match shrink {
            Shrink::Bicubic => ResampleTable::bicubic(length, scale.shrunk(length), 1.0 / factor),
            Shrink::Subsample => centers(length, shrink.whole(scale)?),
            Shrink::Gaussian { sigma } => gaussian(length, shrink.whole(scale)?, sigma),
        };
        let up = |length: usize| ResampleTable::bicubic(scale.shrunk(length), length, factor);
        Ok(Self { down: [down(height)?, down(width)?], up: [up(height)?, up(width)?] })
    }

    /// `[height][width]` to `[height / scale][width / scale]`.
    pub fn shrink(&self, plane: &[f64]) -> Vec<f64> {
        apply(plane, &self.down[0], &self.down[1])
    }

    /// `[height / scale][width / scale]` to `[height][width]`, by bicubic.
    pub fn enlarge(&self, plane: &[f64]) -> Vec<f64> {
        apply(plane, &self.up[0], &self.up[1])
    }
}

/// Blurs a plane of `[height][width]` with a Gaussian that ends three deviations from its center; edges are repeated.
///
/// # Errors
/// [`Error::InvalidArgument`] for an empty picture.
#[cfg(any(feature = "headless", test))]
pub fn blur(plane: &[f64], width: usize, height: usize, sigma: f64) -> Result<Vec<f64>> {
    if sigma == 0.0 {
        return Ok(plane.to_vec());
    }
    Ok(apply(plane, &gaussian(height, 1, sigma)?, &gaussian(width, 1, sigma)?))
}

/// Every `scale`th sample: the one in the middle, or the mean of the two in the middle.
fn centers(input_len: usize, scale: usize) -> Result<ResampleTable> {
    if input_len == 0 {
        return Err(Error::invalid("a picture has at least one pixel on each axis"));
    }
    let output_len = input_len / scale;
    let taps = 2 - scale % 2;
    let first = |i: usize| i * scale + (scale - 1) / 2;
    let indices = (0..output_len).flat_map(|i| (0..taps).map(move |tap| (first(i) + tap) as u32)).collect();
    let weights = vec![1.0 / taps as f64; output_len * taps];
    Ok(ResampleTable { input_len, output_len, taps, indices, weights })
}

/// Blur and subsampling of one axis. Output sample i is centered on its `scale` input samples, where bicubic enlargement
/// puts it, so that even scales do not shift the picture.
fn gaussian(input_len: usize, scale: usize, sigma: f64) -> Result<ResampleTable> {
    if input_len == 0 {
        return Err(Error::invalid("a picture has at least one pixel on each axis"));
    }
    let output_len = input_len / scale;
    let offset = (scale - 1) as f64 / 2.0;
    let reach = (3.0 * sigma).max(0.5).floor() as i64 + 1;
    let taps = (2 * reach + 1) as usize;
    let mut table = ResampleTable { input_len, output_len, taps, indices: Vec::new(), weights: Vec::new() };
    for i in 0..output_len {
        let center = (i * scale) as f64 + offset;
        let first = center.floor() as i64 - reach;
        let row = table.weights.len();
        for at in first..first + taps as i64 {
            let distance = (at as f64 - center) / sigma;
            // The two middle samples of even scales count for any sigma.
            let inside = distance.abs() <= 3.0 || (at as f64 - center).abs() <= 0.5;
            table.weights.push(if inside { (-0.5 * distance * distance).exp() } else { 0.0 });
            table.indices.push(at.clamp(0, input_len as i64 - 1) as u32);
        }
        let sum: f64 = table.weights[row..].iter().sum();
        table.weights[row..].iter_mut().for_each(|w| *w /= sum);
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::resample::imresize_to;

    /// A constant stays what it is, and a ramp is sampled at the centers: interpolation restores it.
    #[test]
    fn neither_brightens_nor_shifts() {
        for shrink in [Shrink::Bicubic, Shrink::Subsample, Shrink::Gaussian { sigma: 1.3 }] {
            for scale in 2..=5 {
                let (width, height) = (20 * scale, 12 * scale);
                let degrader = Degrader::new(width, height, scale, shrink).unwrap();
                let low = degrader.shrink(&vec![0.25; width * height]);
                assert_eq!(low.len(), 240);
                assert!(low.iter().all(|v| (v - 0.25).abs() < 1e-12));
                let ramp: Vec<f64> =
                    (0..width * height).map(|i| (i % width) as f64 + 0.5 * (i / width) as f64).collect();
                let back = degrader.enlarge(&degrader.shrink(&ramp));
                let at = height / 2 * width + width / 2;
                assert!((back[at] - ramp[at]).abs() < 1e-9, "{shrink} x{scale}: {} {}", back[at], ramp[at]);
            }
        }
    }

    /// Between whole factors, a picture of 5 by 10 becomes one of 2 by 4, as the twin of MATLAB's imresize makes it, and is
    /// enlarged to its size again.
    #[test]
    fn factors_between() {
        for (factor, parts) in [(2.5, (5, 2)), (1.5, (3, 2)), (2.25, (9, 4)), (7.0 / 3.0, (7, 3))] {
            let (width, height) = (6 * parts.0, 4 * parts.0);
            let (columns, rows) = (6 * parts.1, 4 * parts.1);
            let degrader = Degrader::new(width, height, Ratio::of(factor).unwrap(), Shrink::Bicubic).unwrap();
            let plane: Vec<f64> = (0..width * height).map(|i| ((i * i % 97) as f64 * 0.4).cos()).collect();
            let low = degrader.shrink(&plane);
            let back = degrader.enlarge(&low);
            let twin = imresize_to(&plane, (height, width), (rows, columns)).unwrap();
            let twin_back = imresize_to(&twin, (rows, columns), (height, width)).unwrap();
            assert_eq!((low.len(), back.len()), (columns * rows, width * height));
            for (a, b) in low.iter().zip(&twin).chain(back.iter().zip(&twin_back)) {
                assert!((a - b).abs() < 1e-12, "x{factor}: {a} {b}");
            }
        }
    }

    /// Each weight equals the Gaussian by its definition.
    #[test]
    fn gaussian_weights() {
        let table = gaussian(30, 3, 1.0).unwrap();
        let row = 5 * table.taps..6 * table.taps;
        let center = 16.0; // 3 * 5 + 1
        let exact = |at: f64| {
            let sum: f64 = (-3..=3).map(|d| (-0.5 * f64::from(d * d)).exp()).sum();
            (-0.5 * (at - center) * (at - center)).exp() / sum
        };
        for (index, weight) in table.indices[row.clone()].iter().zip(&table.weights[row]) {
            let at = f64::from(*index);
            let expected = if (at - center).abs() <= 3.0 { exact(at) } else { 0.0 };
            assert!((weight - expected).abs() < 1e-15, "{at}: {weight} {expected}");
        }
    }

    /// At factor 1 nothing is resampled, to the last bit; blurring is the Gaussian by its definition, and keeps constants.
    #[test]
    fn factor_1_and_blur() {
        let (width, height) = (17, 13);
        let plane: Vec<f64> = (0..width * height).map(|i| (i * 37 % 256) as f64 / 255.0).collect();
        for shrink in [Shrink::Bicubic, Shrink::Subsample] {
            let degrader = Degrader::new(width, height, 1, shrink).unwrap();
            assert_eq!(degrader.enlarge(&degrader.shrink(&plane)), plane);
        }
        assert_eq!(blur(&plane, width, height, 0.0).unwrap(), plane);
        let sigma = 0.8_f64;
        let weight = |d: i64| {
            if d.abs() as f64 <= 3.0 * sigma { (-0.5 * (d as f64 / sigma).powi(2)).exp() } else { 0.0 }
        };
        let sum: f64 = (-3..=3).map(weight).sum();
        let blurred = blur(&plane, width, height, sigma).unwrap();
        for (y, x) in [(0, 0), (6, 8), (12, 16)] {
            let at = |dy: i64, dx: i64| {
                let row = (y + dy).clamp(0, height as i64 - 1) as usize;
                plane[row * width + (x + dx).clamp(0, width as i64 - 1) as usize]
            };
            let exact: f64 = (-3..=3)
                .flat_map(|dy| (-3..=3).map(move |dx| (dy, dx)))
                .map(|(dy, dx)| weight(dy) * weight(dx) * at(dy, dx) / sum / sum)
                .sum();
            assert!((blurred[y as usize * width + x as usize] - exact).abs() < 1e-12, "{y} {x}");
        }
    }

    #[test]
    fn sizes_are_multiples() {
        assert!(Degrader::new(10, 9, 3, Shrink::Bicubic).is_err());
        assert!(Degrader::new(0, 9, 3, Shrink::Bicubic).is_err());
        assert!(Degrader::new(9, 9, 0, Shrink::Gaussian { sigma: 1.0 }).is_err());
        let half = Ratio::of(2.5).unwrap();
        let told = Degrader::new(10, 8, half, Shrink::Bicubic).unwrap_err().to_string();
        assert!(told.contains("not multiples of 5"), "{told}");
        for shrink in [Shrink::Subsample, Shrink::Gaussian { sigma: 1.0 }] {
            let told = Degrader::new(10, 5, half, shrink).unwrap_err().to_string();
            assert!(told.contains("x2.5") && told.contains("bicubic"), "{told}");
        }
    }
}
