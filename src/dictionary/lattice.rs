//! Where patches lie in a picture, and the gradients that their features come from.

/// Gradients of a pixel: horizontal and vertical, of first and of second order.
pub(crate) const GRADIENTS: usize = 4;

/// The places of patches on one axis: every `step` pixels from 0 on, the last one where it ends with the picture. They cover
/// all pixels. A picture smaller than a patch has one, which reaches beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Axis {
    /// Pixels of the picture.
    pub length: usize,
    /// Pixels from one patch to the next.
    pub step: usize,
    /// Pixels of a patch.
    pub patch: usize,
}

impl Axis {
    /// Where the last patch begins.
    pub fn last(&self) -> usize {
        self.length.saturating_sub(self.patch)
    }

    /// Number of patches.
    pub fn count(&self) -> usize {
        self.last().div_ceil(self.step) + 1
    }

    /// Where a patch begins.
    pub fn start(&self, index: usize) -> usize {
        (index * self.step).min(self.last())
    }

    /// How many patches cover each pixel.
    pub fn cover(&self) -> Vec<u32> {
        let mut cover = vec![0; self.length];
        for start in (0..self.count()).map(|index| self.start(index)) {
            cover.iter_mut().skip(start).take(self.patch).for_each(|count| *count += 1);
        }
        cover
    }
}

/// The gradients of a plane, `[row][column]`, edges repeated: on each axis
///
///   first(x) = f(x + ceil(step/2)) - f(x - floor(step/2)),  second(x) = f(x - step)/2 - f(x) + f(x + step)/2,
///
/// in the order first horizontal, first vertical, second horizontal, second vertical. `step` is the scale: differences of
/// neighboring low-resolution pixels.
#[cfg(any(feature = "train", test))]
pub(crate) fn gradients(plane: &[f64], width: usize, step: usize) -> Vec<[f64; GRADIENTS]> {
    let height = plane.len() / width.max(1);
    let (before, after) = (step / 2, step.div_ceil(2));
    let mut gradients = Vec::with_capacity(plane.len());
    for y in 0..height {
        for x in 0..width {
            let across = |x: usize| plane[y * width + x.min(width - 1)];
            let down = |y: usize| plane[y.min(height - 1) * width + x];
            let here = plane[y * width + x];
            gradients.push([
                across(x + after) - across(x.saturating_sub(before)),
                down(y + after) - down(y.saturating_sub(before)),
                0.5 * (across(x.saturating_sub(step)) + across(x + step)) - here,
                0.5 * (down(y.saturating_sub(step)) + down(y + step)) - here,
            ]);
        }
    }
    gradients
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_cover_the_picture() {
        for (length, step, patch) in [(30, 3, 9), (31, 3, 9), (9, 3, 9), (5, 3, 9), (26, 4, 12), (1, 2, 6)] {
            let axis = Axis { length, step, patch };
            let cover = axis.cover();
            assert!(cover.len() == length && cover.iter().all(|&count| count > 0), "{axis:?}: {cover:?}");
            assert!(axis.start(axis.count() - 1) == axis.last() && axis.start(0) == 0);
        }
        // At whole multiples, three patches for a pixel that is away from the edges.
        assert_eq!(
            Axis { length: 15, step: 3, patch: 9 }.cover(),
            [1, 1, 1, 2, 2, 2, 3, 3, 3, 2, 2, 2, 1, 1, 1]
        );
    }

    /// Away from the edges, a parabola has the derivatives that calculus gives it.
    #[test]
    fn gradients_of_a_parabola() {
        let (width, height) = (20, 17);
        let plane: Vec<f64> = (0..width * height)
            .map(|i| ((i % width) as f64, (i / width) as f64))
            .map(|(x, y)| 0.5 * x * x + 3.0 * x - 0.25 * y * y)
            .collect();
        for step in 2..=4 {
            let all = gradients(&plane, width, step);
            let (x, y, s) = (10.0, 8.0, step as f64);
            // The middle of the two pixels of a first difference.
            let middle = if step % 2 == 0 { 0.0 } else { 0.5 };
            let expected = [s * (x + middle + 3.0), -0.5 * s * (y + middle), 0.5 * s * s, -0.25 * s * s];
            for (value, expected) in all[8 * width + 10].iter().zip(expected) {
                assert!((value - expected).abs() < 1e-12, "{step}: {:?} {expected}", all[8 * width + 10]);
            }
        }
        assert!(gradients(&[0.7; 12], 4, 3).iter().flatten().all(|&v| v == 0.0));
    }
}
