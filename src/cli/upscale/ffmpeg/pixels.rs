//! Which of the formats that this program computes in a video's frames are decoded to: the same wherever there is one.

use srcnn_gpu::Result;
use srcnn_gpu::video::format::Format;

/// How to decode.
#[derive(Debug, PartialEq, Eq)]
pub struct Pixels {
    /// ffmpeg's name of the format to decode to.
    pub format: String,
    /// The source is RGB, in a palette or not.
    pub is_rgb: bool,
    /// What gets lost.
    pub loss: Option<&'static str>,
}

const ALPHA: &str = "transparency is not kept";

/// Formats of chroma subsampling that hold the samples of others in another order, and those others.
const REORDERED: [(&str, &[&str]); 4] = [
    ("yuv411p", &["uyyvyy411", "yuvj411p"]),
    ("yuv420p", &["nv12", "nv21"]),
    ("yuv422p", &["nv16", "nv20", "yuyv422", "uyvy422", "yvyu422", "y2"]),
    ("yuv444p", &["nv24", "nv42", "vuyx", "vuya", "uyva", "ayuv", "xv3"]),
];

impl Pixels {
    /// For ffmpeg's name of a format.
    pub fn of(name: &str) -> Self {
        let own = |format: &str, depth: u32| match depth {
            8 => format.to_owned(),
            depth => format!("{format}{depth}le"),
        };
        let kept = |format: String, loss| Self { format, is_rgb: false, loss };
        let (base, depth) = parts(name);
        // Full range has names of its own at 8 bits, which ffmpeg keeps apart.
        if matches!(base, "yuvj420p" | "yuvj422p" | "yuvj444p") {
            return kept(base.into(), None);
        }
        if matches!(base, "yuv420p" | "yuv422p" | "yuv444p" | "gray") || (base, depth) == ("yuv411p", 8) {
            return kept(own(base, depth), None);
        }
        if let Some(opaque) = base.strip_prefix("yuva") {
            return kept(own(&format!("yuv{opaque}"), depth), Some(ALPHA));
        }
        match base {
            "p0" | "p2" | "p4" => {
                let format = ["yuv420p", "yuv422p", "yuv444p"][usize::from(base.as_bytes()[1] - b'0') / 2];
                return kept(own(format, depth), None);
            }
            "yuv440p" | "yuvj440p" => return kept(own("yuv444p", depth), Some("4:4:0 becomes 4:4:4")),
            "yuv410p" => return kept("yuv420p".into(), Some("4:1:0 becomes 4:2:0")),
            "ya" => return kept(own("gray", depth), Some(ALPHA)),
            "monow" | "monob" => return kept("gray".into(), None),
            "grayf" => return kept("gray16le".into(), None),
            _ => {}
        }
        let reordered =
            REORDERED.iter().find(|(_, others)| others.contains(&base) || others.contains(&bare(name)));
        if let Some((format, _)) = reordered {
            let loss = base.contains('a').then_some(ALPHA);
            return kept(own(format, if *format == "yuv411p" { 8 } else { depth }), loss);
        }
        let loss = (base.contains('a') && !base.starts_with("bayer")).then_some(ALPHA);
        Self { format: own("yuv444p", depth), is_rgb: true, loss }
    }

    /// The format in this program's terms, but for the siting.
    ///
    /// # Errors
    /// [`Error::Picture`](srcnn_gpu::Error::Picture) for one that it does not have.
    pub fn decoded(&self) -> Result<Format> {
        let tag = self.format.replace("yuvj", "").replace("yuv", "").replace("gray", "mono");
        let tag = tag.trim_end_matches("le");
        Format::parse(tag.strip_suffix('p').unwrap_or(tag))
    }

    /// The filter that turns RGB into Y'CbCr; the program that reads the result has to be told BT.709.
    pub fn filter(&self) -> Option<String> {
        let flags = "flags=accurate_rnd+full_chroma_inp+full_chroma_int";
        let scale = format!("scale=out_color_matrix=bt709:out_range=tv:{flags},format={}", self.format);
        self.is_rgb.then_some(scale)
    }
}

/// The name of a format without its byte order.
fn bare(name: &str) -> &str {
    name.strip_suffix("le").or(name.strip_suffix("be")).unwrap_or(name)
}

/// The name of a format without its depth and byte order, and the depth.
fn parts(name: &str) -> (&str, u32) {
    let bare = bare(name);
    if bare.contains("565") || bare.contains("555") || bare.contains("444") && !bare.contains("yuv") {
        return (name, 8);
    }
    let base = bare.trim_end_matches(|c: char| c.is_ascii_digit());
    let per_pixel = matches!(base, "rgb" | "bgr" | "rgba" | "bgra" | "argb" | "abgr" | "x2rgb" | "x2bgr");
    let depth = match (base, &bare[base.len()..]) {
        (_, "48" | "64" | "161616" | "16161616") if per_pixel => 16,
        ("x2rgb" | "x2bgr", _) => 10,
        _ if per_pixel => 8,
        // p010: the first digit is that of the chroma format.
        ("p" | "y" | "xv", digits) if digits.len() == 3 => {
            return (&bare[..base.len() + 1], digits[1..].parse().unwrap_or(8));
        }
        ("xv", "30") => return ("xv3", 10),
        ("xv", "36") => return ("xv3", 12),
        // The digits of the others say how chroma is subsampled.
        ("nv", "20") => 10,
        ("nv", _) => 8,
        ("ayuv", "64") => 16,
        ("grayf" | "gbrpf" | "gbrapf", _) => 16,
        (_, digits) => digits.parse().ok().filter(|depth| (9..=16).contains(depth)).unwrap_or(8),
    };
    // What y4m, and so this program, has formats for.
    (base, [8, 9, 10, 12, 14, 16].into_iter().find(|&known| known >= depth).unwrap_or(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_keep_depth_and_chroma() {
        for (name, format) in [
            ("yuv420p", "yuv420p"),
            ("yuvj422p", "yuvj422p"),
            ("yuv422p10le", "yuv422p10le"),
            ("yuv444p12be", "yuv444p12le"),
            ("yuv411p", "yuv411p"),
            ("gray", "gray"),
            ("gray10le", "gray10le"),
            ("nv12", "yuv420p"),
            ("p010le", "yuv420p10le"),
            ("p016le", "yuv420p16le"),
            ("p210le", "yuv422p10le"),
            ("p416be", "yuv444p16le"),
            ("y210le", "yuv422p10le"),
            ("y212le", "yuv422p12le"),
            ("yuyv422", "yuv422p"),
            ("nv20le", "yuv422p10le"),
            ("xv36le", "yuv444p12le"),
            ("uyyvyy411", "yuv411p"),
            ("monob", "gray"),
        ] {
            let expected = Pixels { format: format.into(), is_rgb: false, loss: None };
            assert_eq!(Pixels::of(name), expected, "{name}");
        }
        for (name, format, is_rgb, loss) in [
            ("yuva420p", "yuv420p", false, true),
            ("yuva444p10le", "yuv444p10le", false, true),
            ("ya8", "gray", false, true),
            ("yuv440p12le", "yuv444p12le", false, true),
            ("yuv410p", "yuv420p", false, true),
            ("rgb24", "yuv444p", true, false),
            ("bgra", "yuv444p", true, true),
            ("pal8", "yuv444p", true, true),
            ("gbrp", "yuv444p", true, false),
            ("gbrp10le", "yuv444p10le", true, false),
            ("rgb48le", "yuv444p16le", true, false),
            ("rgba64be", "yuv444p16le", true, true),
            ("rgb565le", "yuv444p", true, false),
            ("0rgb", "yuv444p", true, false),
            ("x2rgb10le", "yuv444p10le", true, false),
        ] {
            let Pixels { format: found, is_rgb: rgb, loss: lost } = Pixels::of(name);
            assert_eq!((found.as_str(), rgb, lost.is_some()), (format, is_rgb, loss), "{name}");
        }
        let decoded = |name| Pixels::of(name).decoded().unwrap();
        for (name, tag) in
            [("yuvj420p", "420"), ("yuv422p10le", "422p10"), ("gray12be", "mono12"), ("gbrp", "444")]
        {
            assert_eq!(decoded(name), Format::parse(tag).unwrap(), "{name}");
        }
        assert!(Pixels::of("rgb24").filter().unwrap().ends_with(",format=yuv444p"));
        assert_eq!(Pixels::of("yuv420p").filter(), None);
    }
}
