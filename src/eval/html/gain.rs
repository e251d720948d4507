//! Where a network gains most over bicubic interpolation: the part of a picture to show enlarged.

use crate::eval::protocol::Luminance;

/// A part of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Column of its left edge.
    pub left: usize,
    /// Row of its upper edge.
    pub top: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Window {
    /// Its part of rows of `row` samples of `T`.
    pub fn cut<T: Copy>(&self, samples: &[T], row: usize) -> Vec<T> {
        let rows = samples.chunks_exact(row).skip(self.top).take(self.height);
        rows.flat_map(|samples| &samples[self.left..self.left + self.width]).copied().collect()
    }

    /// A window of at most `width` x `height` around this one's center, inside of a picture.
    pub fn around(&self, size: (usize, usize), picture: (usize, usize)) -> Self {
        let (width, height) = (size.0.min(picture.0), size.1.min(picture.1));
        let begin =
            |center: usize, length: usize, all: usize| center.saturating_sub(length / 2).min(all - length);
        Self {
            left: begin(self.left + self.width / 2, width, picture.0),
            top: begin(self.top + self.height / 2, height, picture.1),
            width,
            height,
        }
    }

    /// This window seen from inside of another one that holds it.
    pub fn within(&self, outer: &Self) -> Self {
        Self { left: self.left - outer.left, top: self.top - outer.top, ..*self }
    }
}

/// The square of at most `side` pixels over which the networks together take most of bicubic's squared error away, or add
/// least to it; the first one of equals. Without networks, where that error is greatest. `border` pixels on each side, which
/// are not measured, are left out as long as that leaves something. All pictures have the same size, one pixel at least.
pub fn greatest(
    truth: &Luminance,
    bicubic: &Luminance,
    networks: &[Luminance],
    border: usize,
    side: usize,
) -> Window {
    let (width, height) = (truth.width, truth.height);
    let border = if width.min(height) > 2 * border { border } else { 0 };
    let (columns, rows) = (side.clamp(1, width - 2 * border), side.clamp(1, height - 2 * border));
    // Sums over all rows of the window, one column each; they move down with it.
    let error = |plane: &Luminance, at: usize| i64::from(plane.data[at].abs_diff(truth.data[at])).pow(2);
    let gain = |x: usize, y: usize| {
        let at = y * width + x;
        let remaining: i64 = networks.iter().map(|network| error(network, at)).sum();
        networks.len().max(1) as i64 * error(bicubic, at) - remaining
    };
    let mut sums: Vec<i64> =
        (0..width).map(|x| (border..border + rows).map(|y| gain(x, y)).sum::<i64>()).collect();
    let mut best = (i64::MIN, Window { left: border, top: border, width: columns, height: rows });
    for top in border..=height - border - rows {
        if top > border {
            for (x, sum) in sums.iter_mut().enumerate() {
                *sum += gain(x, top + rows - 1) - gain(x, top - 1);
            }
        }
        let mut sum: i64 = sums[border..border + columns].iter().sum();
        for left in border..=width - border - columns {
            if left > border {
                sum += sums[left + columns - 1] - sums[left - 1];
            }
            if sum > best.0 {
                best = (sum, Window { left, top, ..best.1 });
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> Luminance {
        let data = (0..width * height).map(|i| value(i % width, i / width)).collect();
        Luminance { width, height, data }
    }

    /// Against all squares, summed one by one.
    #[test]
    fn is_the_greatest_of_all() {
        let value =
            |a: usize, b: usize| move |x: usize, y: usize| ((x * x * a + y * y * b + x * y) % 97) as u8;
        let (truth, bicubic) = (plane(23, 17, value(3, 5)), plane(23, 17, value(7, 2)));
        let network = plane(23, 17, value(11, 3));
        for (border, side) in [(0, 5), (3, 4), (2, 30), (8, 6), (9, 4)] {
            let sum = |window: &Window| -> i64 {
                let cut = |plane: &Luminance| window.cut(&plane.data, 23);
                let error = |a: Vec<u8>| -> i64 {
                    a.iter().zip(cut(&truth)).map(|(a, b)| i64::from(a.abs_diff(b)).pow(2)).sum()
                };
                error(cut(&bicubic)) - error(cut(&network))
            };
            let found = greatest(&truth, &bicubic, std::slice::from_ref(&network), border, side);
            let used = if border == 9 { 0 } else { border };
            let expected = (side.min(23 - 2 * used), side.min(17 - 2 * used));
            assert_eq!((found.width, found.height), expected, "{border} {side}");
            for top in used..=17 - used - found.height {
                for left in used..=23 - used - found.width {
                    assert!(
                        sum(&Window { left, top, ..found }) <= sum(&found),
                        "{border} {side} {left} {top}"
                    );
                }
            }
        }
    }

    #[test]
    fn windows_stay_inside() {
        let window = Window { left: 90, top: 3, width: 10, height: 10 };
        let around = window.around((40, 40), (100, 30));
        assert_eq!(around, Window { left: 60, top: 0, width: 40, height: 30 });
        assert_eq!(window.within(&around), Window { left: 30, top: 3, ..window });
        assert_eq!(Window { left: 1, top: 1, width: 2, height: 1 }.cut(&[0, 1, 2, 3, 4, 5], 3), [4, 5]);
    }
}
