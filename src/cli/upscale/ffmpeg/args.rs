//! The arguments for video.

use clap::Args;
use srcnn_gpu::{Error, Result};

/// Settings for video.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Video")]
pub struct VideoArgs {
    /// Take the videos of folders and lists instead of the pictures
    #[arg(long)]
    pub videos: bool,
    /// ffmpeg's name of the codec to encode with: libx265, libsvtav1, h264_nvenc, ffv1, .. [default: libx264; libvpx-vp9 for
    /// .webm; libx265 for HDR and for more than 10 bits]
    #[arg(long, value_name = "CODEC")]
    pub codec: Option<String>,
    /// Quality of the codec: lower is better and larger [default: 18 for libx264 and libx265, 24 for libvpx-vp9 and AV1]
    #[arg(long, value_name = "N", value_parser = crf)]
    pub crf: Option<f32>,
    /// More arguments for the ffmpeg that encodes, after all others, such as '-preset slow -c:a aac'; repeatable
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true, value_parser = words)]
    pub(super) ffmpeg_args: Vec<Words>,
    /// Treat all inputs as YUV4MPEG2 video; without this, .y4m files and a standard input that begins like one are
    #[arg(long)]
    pub y4m: bool,
}

/// The words of one argument.
#[derive(Debug, Clone)]
pub(super) struct Words(Vec<String>);

impl VideoArgs {
    /// More arguments for the ffmpeg that encodes.
    pub fn more(&self) -> impl Iterator<Item = &str> {
        self.ffmpeg_args.iter().flat_map(|words| &words.0).map(String::as_str)
    }

    /// Whether anything is asked of an encoder.
    pub fn encode(&self) -> bool {
        self.codec.is_some() || self.crf.is_some() || !self.ffmpeg_args.is_empty()
    }

    /// What the results depend on.
    pub fn settings(&self) -> String {
        format!("{:?} {:?} {:?}", self.codec, self.crf, self.ffmpeg_args)
    }
}

fn crf(text: &str) -> Result<f32> {
    let number = text.parse::<f32>().ok().filter(|crf| (0.0..=255.0).contains(crf));
    number.ok_or_else(|| Error::invalid("a number of at least 0 is needed, such as 18"))
}

/// Splits an argument into words as a shell would: at spaces that are not within quotes or after a backslash.
fn words(text: &str) -> Result<Words> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            (letter, Some(end)) if letter == end => quote = None,
            ('\\', None | Some('"')) => match letters.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err(Error::invalid("there is nothing after the last backslash")),
            },
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (' ' | '\t' | '\n', None) => words.extend(word.take()),
            (letter, _) => word.get_or_insert_default().push(letter),
        }
    }
    if let Some(quote) = quote {
        return Err(Error::invalid(format!("a {quote} is not closed")));
    }
    words.extend(word);
    Ok(Words(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell() {
        let split = |text: &str| words(text).unwrap().0;
        assert_eq!(split("-preset slow\t-crf  20 "), ["-preset", "slow", "-crf", "20"]);
        assert_eq!(
            split(r#"-metadata 'title=A "new" day' "b\"c" d\ e '' "#),
            ["-metadata", "title=A \"new\" day", "b\"c", "d e", ""]
        );
        assert_eq!(split(" "), [""; 0]);
        assert!(words("-metadata 'title").is_err() && words("a\\").is_err());
        assert!(crf("-1").is_err() && crf("x").is_err() && crf("nan").is_err());
        assert_eq!(crf("17.5").unwrap(), 17.5);
    }
}
