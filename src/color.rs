//! Color conversion as MATLAB's `rgb2ycbcr` and `ycbcr2rgb`: BT.601 on gamma-encoded values, luminance in 16..235, in f64.

/// Rows Y, Cb, Cr; columns R, G, B; for values in 0..1.
pub const TO_YCBCR: [[f64; 3]; 3] = [
    [65.481 / 255.0, 128.553 / 255.0, 24.966 / 255.0],
    [-37.797 / 255.0, -74.203 / 255.0, 112.0 / 255.0],
    [112.0 / 255.0, -93.786 / 255.0, -18.214 / 255.0],
];

/// Added to Y, Cb, Cr after the matrix, for values in 0..1.
pub const OFFSET: [f64; 3] = [16.0 / 255.0, 128.0 / 255.0, 128.0 / 255.0];

/// The inverse of [`TO_YCBCR`]: rows R, G, B; columns Y, Cb, Cr, after subtraction of [`OFFSET`].
pub const TO_RGB: [[f64; 3]; 3] = inverse(TO_YCBCR);

/// R, G, B in 0..1 to Y (16/255..235/255), Cb and Cr (16/255..240/255).
pub fn rgb_to_ycbcr(rgb: [f64; 3]) -> [f64; 3] {
    let product = multiply(&TO_YCBCR, rgb);
    std::array::from_fn(|i| product[i] + OFFSET[i])
}

/// Y, Cb, Cr to R, G, B in 0..1; colors outside of that range are not clamped.
pub fn ycbcr_to_rgb(ycbcr: [f64; 3]) -> [f64; 3] {
    multiply(&TO_RGB, std::array::from_fn(|i| ycbcr[i] - OFFSET[i]))
}

/// `rgb2ycbcr` of a `uint8` color, rounded to `uint8`.
pub fn rgb_to_ycbcr_u8(rgb: [u8; 3]) -> [u8; 3] {
    let product = multiply(&TO_YCBCR, rgb.map(f64::from));
    std::array::from_fn(|i| (product[i] + [16.0, 128.0, 128.0][i]).round() as u8)
}

/// Luminance of a `uint8` color as `rgb2ycbcr` gives it: 16..235, rounded.
pub fn luminance_u8(rgb: [u8; 3]) -> u8 {
    rgb_to_ycbcr_u8(rgb)[0]
}

fn multiply(matrix: &[[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2])
}

/// Adjugate over determinant.
const fn inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let mut adjugate = [[0.0; 3]; 3];
    let mut i = 0;
    while i < 9 {
        // Cyclic indices carry the cofactor's sign.
        let (row, column) = (i / 3, i % 3);
        let (r1, r2, c1, c2) = ((row + 1) % 3, (row + 2) % 3, (column + 1) % 3, (column + 2) % 3);
        adjugate[column][row] = m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1];
        i += 1;
    }
    let determinant = m[0][0] * adjugate[0][0] + m[0][1] * adjugate[1][0] + m[0][2] * adjugate[2][0];
    i = 0;
    while i < 9 {
        adjugate[i / 3][i % 3] /= determinant;
        i += 1;
    }
    adjugate
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known colors of BT.601 in 8 bits.
    #[test]
    fn known_colors() {
        for (rgb, ycbcr) in [
            ([0, 0, 0], [16, 128, 128]),
            ([255, 255, 255], [235, 128, 128]),
            ([255, 0, 0], [81, 90, 240]),
            ([0, 255, 0], [145, 54, 34]),
            ([0, 0, 255], [41, 240, 110]),
        ] {
            assert_eq!(rgb_to_ycbcr_u8(rgb), ycbcr, "{rgb:?}");
            assert_eq!(luminance_u8(rgb), ycbcr[0]);
        }
    }

    #[test]
    fn round_trip() {
        for rgb in [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.2, 0.7, 0.4], [1.3, -0.2, 0.5]] {
            let back = ycbcr_to_rgb(rgb_to_ycbcr(rgb));
            for (a, b) in rgb.iter().zip(back) {
                assert!((a - b).abs() < 1e-14, "{rgb:?} {back:?}");
            }
        }
    }
}
