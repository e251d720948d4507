//! `--crop`: the part of pictures that the page shows enlarged.

use srcnn_gpu::{Error, Result};

/// Column and row of the upper left corner, columns and rows.
///
/// # Errors
/// [`Error::InvalidArgument`] for anything but four whole numbers, the last two of them above 0.
pub fn crop(text: &str) -> Result<[usize; 4]> {
    // Sums of two fit.
    let numbers: Vec<usize> = text
        .split(',')
        .filter_map(|number| number.trim().parse::<u32>().ok())
        .map(|number| number as usize)
        .collect();
    match (numbers.as_slice(), text.split(',').count()) {
        (&[x, y, width, height], 4) if width.min(height) > 0 => Ok([x, y, width, height]),
        _ => Err(Error::invalid("column, row, width and height are needed, such as 120,80,64,48")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_numbers() {
        assert_eq!(crop("120,80,64,48").unwrap(), [120, 80, 64, 48]);
        assert_eq!(crop("0, 0, 1, 1").unwrap(), [0, 0, 1, 1]);
        for text in ["", "1,2,3", "1,2,3,0", "1,2,3,4,5", "1,2,-3,4", "a,2,3,4,5", "1,2,3,99999999999"] {
            assert!(crop(text).is_err(), "{text}");
        }
    }
}
