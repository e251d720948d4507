//! What files say about their colors, in ffmpeg's words, and as the numbers of ITU-T H.273 that Matroska has too.

use serde_json::Value;

/// Numbers for ffmpeg's names.
type Names = &'static [(&'static str, u64)];

const SPACES: Names = &[
    ("bt709", 1),
    ("fcc", 4),
    ("bt470bg", 5),
    ("smpte170m", 6),
    ("smpte240m", 7),
    ("ycgco", 8),
    ("bt2020nc", 9),
    ("bt2020c", 10),
    ("smpte2085", 11),
    ("chroma-derived-nc", 12),
    ("chroma-derived-c", 13),
    ("ictcp", 14),
];

const PRIMARIES: Names = &[
    ("bt709", 1),
    ("bt470m", 4),
    ("bt470bg", 5),
    ("smpte170m", 6),
    ("smpte240m", 7),
    ("film", 8),
    ("bt2020", 9),
    ("smpte428", 10),
    ("smpte431", 11),
    ("smpte432", 12),
    ("ebu3213", 22),
];

const TRANSFERS: Names = &[
    ("bt709", 1),
    ("bt470m", 4),
    ("bt470bg", 5),
    ("smpte170m", 6),
    ("smpte240m", 7),
    ("linear", 8),
    ("log100", 9),
    ("log316", 10),
    ("iec61966-2-4", 11),
    ("bt1361e", 12),
    ("iec61966-2-1", 13),
    ("bt2020-10", 14),
    ("bt2020-12", 15),
    ("smpte2084", 16),
    ("smpte428", 17),
    ("arib-std-b67", 18),
];

/// What a file says about its colors, as numbers; `None` where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Colors {
    pub matrix: Option<u64>,
    pub transfer: Option<u64>,
    pub primaries: Option<u64>,
}

impl Colors {
    /// From ffmpeg's names: matrix, transfer, primaries.
    pub fn new([matrix, transfer, primaries]: [Option<&str>; 3]) -> Self {
        let number = |names: Names, name: Option<&str>| {
            let name = name?;
            names.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
        };
        Self {
            matrix: number(SPACES, matrix),
            transfer: number(TRANSFERS, transfer),
            primaries: number(PRIMARIES, primaries),
        }
    }

    /// Of RGB pictures for screens, as they come out of the conversion to Y'CbCr.
    pub fn of_screens() -> Self {
        Self::new([Some("bt709"), Some("iec61966-2-1"), Some("bt709")])
    }
}

/// Whether a transfer function is one of high dynamic range.
pub fn is_hdr(transfer: &str) -> bool {
    matches!(transfer, "smpte2084" | "arib-std-b67")
}

/// What the display was like that a video was made on, and how bright it gets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mastering {
    /// Chromaticities x and y of red, green, blue and white, then most and least luminance.
    pub display: Option<[f64; 10]>,
    /// Largest brightness of a pixel and of a frame's average.
    pub light: Option<[u64; 2]>,
}

/// ffprobe's names of the values of [`Mastering::display`].
const DISPLAY: [&str; 10] = [
    "red_x",
    "red_y",
    "green_x",
    "green_y",
    "blue_x",
    "blue_y",
    "white_point_x",
    "white_point_y",
    "max_luminance",
    "min_luminance",
];

impl Mastering {
    /// From ffprobe's list of side data.
    pub fn from(side_data: &[Value]) -> Self {
        let mut found = Self::default();
        for data in side_data {
            let values: Option<Vec<f64>> = DISPLAY.iter().map(|name| fraction(&data[name])).collect();
            found.display = values.and_then(|values| values.try_into().ok()).or(found.display);
            if let [Some(most), Some(average)] =
                ["max_content", "max_average"].map(|name| data[name].as_u64())
            {
                found.light = Some([most, average]);
            }
        }
        found
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A number that ffprobe writes as `17/25`.
fn fraction(value: &Value) -> Option<f64> {
    let (a, b) = value.as_str()?.split_once('/')?;
    Some(a.parse::<f64>().ok()? / b.parse::<f64>().ok()?).filter(|ratio| ratio.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_names() {
        let colors = Colors::new([Some("bt2020nc"), Some("smpte2084"), Some("bt2020")]);
        assert_eq!(colors, Colors { matrix: Some(9), transfer: Some(16), primaries: Some(9) });
        assert_eq!(
            Colors::new([Some("unknown"), None, Some("bt709")]),
            Colors { primaries: Some(1), ..Colors::default() }
        );
    }

    #[test]
    fn side_data() {
        let display: serde_json::Map<_, _> =
            DISPLAY.iter().zip(1..).map(|(name, n)| ((*name).to_owned(), format!("{n}/4").into())).collect();
        let light = serde_json::json!({"max_content": 1000, "max_average": 400});
        let found = Mastering::from(&[serde_json::json!({"rotation": 90}), display.into(), light]);
        assert_eq!(found.light, Some([1000, 400]));
        assert_eq!(found.display.unwrap()[..3], [0.25, 0.5, 0.75]);
        assert!(Mastering::from(&[serde_json::json!({"red_x": "1/2"})]).is_empty());
    }
}
