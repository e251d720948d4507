//! What to encode with: the codec that is asked for or that suits the container, and the format of its samples.

use srcnn_gpu::video::format::{Format, Sampling};
use srcnn_gpu::{Error, Result};

use super::args::VideoArgs;
use super::color::Mastering;
use srcnn_gpu::jobs::Container;

/// What is to be encoded.
pub struct Content<'a> {
    pub format: Format,
    /// The source was RGB.
    pub is_rgb: bool,
    /// Its colors are of high dynamic range.
    pub is_hdr: bool,
    /// Whether the top field comes first, for frames that consist of fields.
    pub top_first: Option<bool>,
    pub mastering: &'a Mastering,
}

/// How to encode.
#[derive(Debug, PartialEq)]
pub struct Encoding {
    pub container: &'static Container,
    /// ffmpeg's arguments for the video stream, which is the first one.
    pub args: Vec<String>,
    /// ffmpeg's name of the format of samples.
    pub pixels: String,
    /// Width and height have to be multiples of these.
    pub multiple: (u32, u32),
    /// What is stored in another form than it had.
    pub note: Option<String>,
}

impl Encoding {
    /// Chooses for a container, as far as the user has not.
    ///
    /// # Errors
    /// [`Error::Picture`] for content that the default codec cannot hold.
    pub fn new(asked: &VideoArgs, container: &'static Container, content: &Content<'_>) -> Result<Self> {
        let codec = asked.codec.as_deref().unwrap_or(default(container, content));
        let (stored, note) = match asked.codec {
            Some(_) => (content.format, None),
            None => stored(codec, content)?,
        };
        let mut args = vec!["-c:0".to_owned(), codec.to_owned()];
        let mut add = |name: &str, value: String| args.extend([name.to_owned(), value]);
        if let Some(crf) = asked.crf.or(crf(codec)) {
            add("-crf:0", crf.to_string());
        }
        if matches!(codec, "libvpx-vp9" | "libaom-av1") {
            // Else the quality is only an upper limit.
            add("-b:0", "0".into());
            add("-row-mt:0", "1".into());
        }
        if codec == "libx265" {
            add("-x265-params:0", x265(content.mastering));
        }
        if is_hevc(codec) && matches!(container.muxer, Some("mp4" | "mov")) {
            // What Apple's players look for.
            add("-tag:0", "hvc1".into());
        }
        if let Some(top) = content.top_first {
            add("-flags:0", "+ildct+ilme".into());
            if codec == "libx264" {
                // It goes by the frames too, but not where it writes into the file.
                add("-x264-params:0", if top { "tff=1" } else { "bff=1" }.into());
            }
        }
        // With the plus, ffmpeg refuses what the codec does not take, instead of choosing something similar.
        let plus = if stored == content.format { "+" } else { "" };
        let pixels = pixels(&stored);
        add("-pix_fmt:0", format!("{plus}{pixels}"));
        let (columns, rows) = match stored.sampling {
            _ if !is_hevc(codec) && !codec.contains("264") => (1, 1),
            Sampling::S420 => (2, 2),
            Sampling::S422 => (2, 1),
            Sampling::S411 => (4, 1),
            Sampling::S444 | Sampling::Mono => (1, 1),
        };
        let multiple = (columns, if content.top_first.is_some() { 2 * rows } else { rows });
        Ok(Self { container, args, pixels, multiple, note })
    }

    /// The largest size that the codec takes within another, or the next larger one if that is not `above` a size.
    pub fn size(&self, asked: (u32, u32), above: (u32, u32)) -> (u32, u32) {
        let side = |asked: u32, above: u32, multiple: u32| match asked / multiple * multiple {
            less if less >= above && less > 0 => less,
            _ => asked.next_multiple_of(multiple),
        };
        (side(asked.0, above.0, self.multiple.0), side(asked.1, above.1, self.multiple.1))
    }
}

fn default(container: &Container, content: &Content<'_>) -> &'static str {
    match container.muxer {
        Some("webm") => "libvpx-vp9",
        _ if content.is_hdr || content.format.depth > 10 => "libx265",
        _ => "libx264",
    }
}

fn is_hevc(codec: &str) -> bool {
    codec.contains("265") || codec.contains("hevc")
}

fn crf(codec: &str) -> Option<f32> {
    match codec {
        "libx264" | "libx265" => Some(18.0),
        "libvpx-vp9" | "libaom-av1" | "libsvtav1" => Some(24.0),
        _ => None,
    }
}

/// The format that a default codec stores, and what is to be said about it.
fn stored(codec: &str, content: &Content<'_>) -> Result<(Format, Option<String>)> {
    let Format { sampling, depth, .. } = content.format;
    let depths: &[u32] = if codec == "libx264" { &[8, 10] } else { &[8, 10, 12] };
    let as_is = pixels(&content.format);
    if !depths.contains(&depth) {
        let why = format!(
            "{codec} has no format for samples of {depth} bits ({as_is}); choose another codec, such as --codec ffv1 for .mkv"
        );
        return Err(Error::Picture(why.into()));
    }
    let becomes = |sampling: Sampling, why: &str| {
        let format = Format { sampling, ..content.format };
        Ok((format, Some(format!("{as_is} is stored as {}, {why}", pixels(&format)))))
    };
    match sampling {
        _ if content.is_rgb => becomes(
            Sampling::S420,
            "which all players take; --codec ffv1 or another keeps each pixel's own color",
        ),
        Sampling::S411 => becomes(Sampling::S422, &format!("as {codec} has no 4:1:1")),
        Sampling::Mono if codec == "libvpx-vp9" => becomes(Sampling::S420, "as libvpx-vp9 has no gray"),
        _ => Ok((content.format, None)),
    }
}

/// ffmpeg's name for a format.
fn pixels(format: &Format) -> String {
    let chroma = match format.sampling {
        Sampling::Mono => "gray",
        Sampling::S420 => "yuv420p",
        Sampling::S411 => "yuv411p",
        Sampling::S422 => "yuv422p",
        Sampling::S444 => "yuv444p",
    };
    match format.depth {
        8 => chroma.to_owned(),
        depth => format!("{chroma}{depth}le"),
    }
}

/// Parameters of x265: what HDR displays are told, which older versions of ffmpeg do not pass on.
fn x265(mastering: &Mastering) -> String {
    let mut text = "log-level=error".to_owned();
    if let Some(display) = mastering.display {
        let part = |value: f64, steps: f64| (value * steps).round() as u64;
        let at = |index: usize| format!("({},{})", part(display[index], 5e4), part(display[index + 1], 5e4));
        let light = format!("({},{})", part(display[8], 1e4), part(display[9], 1e4));
        text += &format!(":master-display=G{}B{}R{}WP{}L{light}", at(2), at(4), at(0), at(6));
    }
    if let Some([most, average]) = mastering.light {
        text += &format!(":max-cll={most},{average}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &Mastering = &Mastering { display: None, light: None };

    fn content(tag: &str) -> Content<'static> {
        let format = Format::parse(tag).unwrap();
        Content { format, is_rgb: false, is_hdr: false, top_first: None, mastering: NONE }
    }

    fn encoding(codec: Option<&str>, extension: &str, content: &Content<'_>) -> Result<Encoding> {
        let asked = VideoArgs { codec: codec.map(str::to_owned), ..VideoArgs::default() };
        Encoding::new(&asked, Container::named(extension).unwrap(), content)
    }

    fn args(codec: Option<&str>, extension: &str, content: &Content<'_>) -> String {
        encoding(codec, extension, content).unwrap().args.join(" ")
    }

    #[test]
    fn defaults_keep_the_format() {
        let plain = |extension, tag| args(None, extension, &content(tag));
        assert_eq!(plain("mp4", "420mpeg2"), "-c:0 libx264 -crf:0 18 -pix_fmt:0 +yuv420p");
        assert_eq!(plain("mkv", "422p10"), "-c:0 libx264 -crf:0 18 -pix_fmt:0 +yuv422p10le");
        assert_eq!(
            plain("webm", "420p10"),
            "-c:0 libvpx-vp9 -crf:0 24 -b:0 0 -row-mt:0 1 -pix_fmt:0 +yuv420p10le"
        );
        assert!(plain("mov", "mono").ends_with("+gray"));
        let deep = plain("mp4", "420p12");
        assert!(
            deep.contains("libx265") && deep.contains("-tag:0 hvc1") && deep.ends_with("+yuv420p12le"),
            "{deep}"
        );
        let hdr = Content { is_hdr: true, ..content("420p10") };
        assert!(args(None, "mkv", &hdr).starts_with("-c:0 libx265"));
        assert_eq!(args(Some("ffv1"), "mkv", &content("444p16")), "-c:0 ffv1 -pix_fmt:0 +yuv444p16le");
        let fields = Content { top_first: Some(false), ..content("420") };
        assert!(args(None, "mkv", &fields).contains("-flags:0 +ildct+ilme -x264-params:0 bff=1"));
    }

    #[test]
    fn what_cannot_be_kept_is_said() {
        let of = |extension, content| encoding(None, extension, content).unwrap();
        let rgb = Content { is_rgb: true, ..content("444") };
        for (encoding, name) in [
            (of("mp4", &rgb), "yuv420p"),
            (of("mp4", &content("411")), "yuv422p"),
            (of("webm", &content("mono")), "yuv420p"),
        ] {
            assert_eq!(encoding.args.last().unwrap(), name);
            assert!(encoding.note.unwrap().contains(&format!("is stored as {name}, ")));
        }
        assert!(
            args(Some("libx264"), "mp4", &rgb).ends_with("+yuv444p"),
            "a codec that is asked for gets what there is"
        );
        let error = encoding(None, "mkv", &content("420p16")).unwrap_err().to_string();
        assert!(error.contains("16 bits") && error.contains("ffv1"), "{error}");
    }

    #[test]
    fn sizes() {
        let size = |content: &Content<'_>, codec, asked| {
            encoding(codec, "mkv", content).unwrap().size(asked, (3, 3))
        };
        assert_eq!(size(&content("420"), None, (99, 65)), (98, 64));
        assert_eq!(size(&content("422"), None, (99, 65)), (98, 65));
        assert_eq!(size(&content("420"), Some("ffv1"), (99, 65)), (99, 65));
        assert_eq!(size(&content("420"), None, (3, 3)), (4, 4));
        let fields = Content { top_first: Some(false), ..content("420") };
        assert_eq!(size(&fields, None, (98, 98)), (98, 96));
    }

    #[test]
    fn what_displays_are_told() {
        let display = [0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329, 1000.0, 0.0001];
        let mastering = Mastering { display: Some(display), light: Some([1000, 400]) };
        assert_eq!(
            x265(&mastering),
            "log-level=error:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
        );
    }
}
