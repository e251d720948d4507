//! PSNR and SSIM of 8-bit planes as the super-resolution literature computes them, in f64.
//!
//! Planes are `[row][column]`, 0..255. [`shave`] removes the border that the protocols leave out.

/// Peak signal-to-noise ratio in dB with a peak of 255: infinite for equal planes, NaN when the planes
/// are empty or differ in length.
pub fn psnr(a: &[u8], b: &[u8]) -> f64 {
    if a.is_empty() || a.len() != b.len() {
        return f64::NAN;
    }
    let squares: u64 = a.iter().zip(b).map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum();
    let mse = squares as f64 / a.len() as f64;
    10.0 * (255.0 * 255.0 / mse).log10()
}

/// Taps of the Gaussian window on each axis.
const WINDOW: usize = 11;
/// Standard deviation of the Gaussian window in pixels.
const SIGMA: f64 = 1.5;

/// Structural similarity (Wang et al. 2004): 11x11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03,
/// peak 255, the mean over the positions where the window lies inside of the picture; no downsampling.
///
/// NaN (null in JSON) when the picture is smaller than the window on an axis, where no position exists,
/// or when a plane does not hold `width * height` samples.
pub fn ssim(a: &[u8], b: &[u8], width: usize, height: usize) -> f64 {
    if width < WINDOW || height < WINDOW || a.len() != width * height || b.len() != a.len() {
        return f64::NAN;
    }
    let window = gaussian();
    let out_width = width - WINDOW + 1;
    // The last WINDOW rows after the horizontal pass, row y in slot y % WINDOW, so that memory is a few rows.
    let mut rows = vec![vec![Moments::default(); out_width]; WINDOW];
    let mut sum = 0.0;
    for (y, (row_a, row_b)) in a.chunks_exact(width).zip(b.chunks_exact(width)).enumerate() {
        let moments: Vec<Moments> = row_a.iter().zip(row_b).map(|(&a, &b)| Moments::of(a, b)).collect();
        for (out, taps) in rows[y % WINDOW].iter_mut().zip(moments.windows(WINDOW)) {
            *out = Moments::weighted(&window, taps);
        }
        if y + 1 < WINDOW {
            continue;
        }
        sum = (0..out_width).fold(sum, |sum, x| {
            let column: [Moments; WINDOW] = std::array::from_fn(|tap| rows[(y + 1 + tap) % WINDOW][x]);
            sum + Moments::weighted(&window, &column).similarity()
        });
    }
    sum / (out_width * (height - WINDOW + 1)) as f64
}

/// The middle of a plane without `border` pixels on each side; empty when nothing is left.
pub fn shave(plane: &[u8], width: usize, height: usize, border: usize) -> Vec<u8> {
    let (columns, rows) = (width.saturating_sub(2 * border), height.saturating_sub(2 * border));
    if columns == 0 || rows == 0 {
        return Vec::new();
    }
    let middle = plane.chunks_exact(width).skip(border).take(rows);
    middle.flat_map(|row| &row[border..border + columns]).copied().collect()
}

/// One axis of the window, summing to 1; their outer product is the normalized 2-D window.
fn gaussian() -> [f64; WINDOW] {
    let raw: [f64; WINDOW] = std::array::from_fn(|i| {
        let x = i as f64 - (WINDOW / 2) as f64;
        (-x * x / (2.0 * SIGMA * SIGMA)).exp()
    });
    let sum: f64 = raw.iter().sum();
    raw.map(|weight| weight / sum)
}

/// Weighted sums of a, b, a a, b b, a b over a window.
#[derive(Debug, Clone, Copy, Default)]
struct Moments([f64; 5]);

impl Moments {
    fn of(a: u8, b: u8) -> Self {
        let (a, b) = (f64::from(a), f64::from(b));
        Self([a, b, a * a, b * b, a * b])
    }

    fn weighted(window: &[f64; WINDOW], taps: &[Moments]) -> Self {
        let mut sum = [0.0; 5];
        for (weight, tap) in window.iter().zip(taps) {
            for (sum, value) in sum.iter_mut().zip(tap.0) {
                *sum += weight * value;
            }
        }
        Self(sum)
    }

    fn similarity(self) -> f64 {
        const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
        const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);
        let [mean_a, mean_b, aa, bb, ab] = self.0;
        let (mean_ab, mean_squares) = (mean_a * mean_b, mean_a * mean_a + mean_b * mean_b);
        let (variances, covariance) = (aa + bb - mean_squares, ab - mean_ab);
        (2.0 * mean_ab + C1) * (2.0 * covariance + C2) / ((mean_squares + C1) * (variances + C2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two planes made by formula, so that other programs can make the same ones.
    fn pair(width: usize, height: usize) -> (Vec<u8>, Vec<u8>) {
        (0..width * height)
            .map(|i| {
                let (x, y) = (i % width, i / width);
                let a = (x * 7 + y * 13 + x * y % 11 * 9) % 256;
                let b = (a + (x * 5 + y * 3) % 17).saturating_sub(8).min(255);
                (a as u8, b as u8)
            })
            .unzip()
    }

    /// Figures from scikit-image 0.26 on the same planes: `peak_signal_noise_ratio(a, b, data_range=255)`
    /// and `structural_similarity(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    /// data_range=255)`, whose mean leaves out 5 pixels on each side, the same positions as here.
    #[test]
    fn agrees_with_scikit_image() {
        let (a, b) = pair(24, 19);
        assert!((psnr(&a, &b) - 34.41405008663713).abs() < 1e-10);
        assert!((ssim(&a, &b, 24, 19) - 0.9963981700666805).abs() < 1e-12);
    }

    #[test]
    fn extremes() {
        let (a, b) = pair(24, 19);
        assert_eq!(psnr(&a, &a), f64::INFINITY);
        assert_eq!(psnr(&[0], &[255]), 0.0);
        assert!(psnr(&[], &[]).is_nan() && psnr(&a, &b[1..]).is_nan());
        assert!((ssim(&a, &a, 24, 19) - 1.0).abs() < 1e-12);
        assert!(!ssim(&a[..121], &b[..121], 11, 11).is_nan());
        assert!(ssim(&a[..110], &b[..110], 11, 10).is_nan());
    }

    #[test]
    fn shave_keeps_the_middle() {
        let plane: Vec<u8> = (0..20).collect();
        assert_eq!(shave(&plane, 5, 4, 0), plane);
        assert_eq!(shave(&plane, 5, 4, 1), [6, 7, 8, 11, 12, 13]);
        assert!(shave(&plane, 5, 4, 2).is_empty());
        assert!(shave(&plane, 5, 4, 9).is_empty());
    }
}
