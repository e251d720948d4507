//! How training and test pictures lose their quality: a chain of steps that whole pictures go through, before the bicubic
//! enlargement that a network starts from.
//!
//! A chain is written as its steps, in the order in which they happen: `blur:1.2,bicubic,noise:5,jpeg:30..95`. It shrinks
//! once, where the factor is above 1. Numbers may be ranges, which are drawn anew for each picture (and in training for each
//! epoch), and `@0.8` behind a step has it happen to 8 of 10 pictures.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::ratio::Ratio;

#[cfg(feature = "headless")]
mod apply;
#[cfg(feature = "headless")]
mod codec;
mod shrink;

#[cfg(feature = "headless")]
pub use apply::{Degraded, Drawn};
pub use shrink::Degrader;

/// The most steps of a chain.
const MOST: usize = 8;
/// The largest deviation of blurring, in pixels.
const MOST_BLUR: f64 = 64.0;

/// A chain of steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Degradation {
    steps: [Option<Step>; MOST],
}

/// One step of a chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// What happens.
    pub kind: Kind,
    /// The share of pictures that it happens to, above 0 and at most 1.
    pub share: f64,
}

/// What happens in a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `blur:SIGMA`: a Gaussian with this standard deviation, in pixels of the picture as it then is, 0 to 64. It ends
    /// three deviations from its center; edges are repeated.
    Blur(Span),
    /// The shrink.
    Shrink(Shrink),
    /// `noise:SIGMA`: Gaussian noise with this standard deviation, in steps of 8 bits, 0 to 255; independent in each pixel
    /// of each channel of the picture: red, green and blue, or grey.
    Noise(Span),
    /// `jpeg:QUALITY`: a JPEG file of this quality, 1 to 100, with the tables that the standard recommends. Chroma has half the
    /// resolution (4:2:0), or with `jpeg:QUALITY:444` all of it.
    Jpeg {
        /// 1 to 100, whole numbers.
        quality: Span,
        /// Whether chroma keeps its resolution.
        full_chroma: bool,
    },
    /// `webp:QUALITY`: a lossy WebP file of this quality, 0 to 100.
    Webp(Span),
}

/// How a picture becomes smaller.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Shrink {
    /// `bicubic`: MATLAB's, with antialiasing: the authors' released code and the evaluation's protocol.
    #[default]
    Bicubic,
    /// `subsample`: every Nth pixel, the one in the middle of its square; of even N the mean of the four in the middle.
    Subsample,
    /// `gaussian:SIGMA`, the paper's text: a Gaussian blur, sampled once for each pixel of the small picture, at that pixel's
    /// center. The kernel ends three standard deviations from there; edges are repeated.
    Gaussian {
        /// Standard deviation in pixels of the large picture, above 0 and at most 64.
        sigma: f64,
    },
}

/// A number, or a range that numbers are drawn from, each as likely as any other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// The least.
    pub low: f64,
    /// The most; the same for a number.
    pub high: f64,
}

impl Default for Degradation {
    fn default() -> Self {
        Self::BICUBIC
    }
}

impl Degradation {
    /// MATLAB's bicubic alone.
    pub const BICUBIC: Self = {
        let mut steps = [None; MOST];
        steps[0] = Some(Step { kind: Kind::Shrink(Shrink::Bicubic), share: 1.0 });
        Self { steps }
    };

    /// The steps in their order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().flatten()
    }

    /// Whether all steps filter each channel by itself: such a chain may work on luminance, as the protocol does.
    pub fn is_linear(&self) -> bool {
        self.steps().all(|step| matches!(step.kind, Kind::Blur(_) | Kind::Shrink(_)))
    }

    /// Whether no two pictures, or no two epochs, are degraded alike.
    pub fn varies(&self) -> bool {
        self.steps().any(|step| step.share < 1.0 || step.kind.varies())
    }

    /// Checks that the chain shrinks where the factor is above 1, and does something where it is 1.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`], also for a factor that is not whole and a shrink that needs one.
    pub fn check(&self, scale: impl Into<Ratio>) -> Result<()> {
        let scale = scale.into();
        let shrink = self.steps().find_map(|step| match step.kind {
            Kind::Shrink(shrink) => Some(shrink),
            _ => None,
        });
        if let Some(shrink @ (Shrink::Subsample | Shrink::Gaussian { .. })) = shrink {
            shrink.whole(scale)?;
        }
        if scale.enlarges() && shrink.is_none() {
            return Err(Error::invalid(format!(
                "degradation '{self}' at x{scale}: say where the picture is shrunk, as in 'bicubic,{self}'"
            )));
        }
        if scale == 1 && self.steps().all(|step| matches!(step.kind, Kind::Shrink(_))) {
            return Err(Error::invalid(format!(
                "degradation '{self}' at x1 leaves pictures as they are; give what is to be undone, such as jpeg:10..60 \
                 (--degradation)"
            )));
        }
        Ok(())
    }
}

impl Shrink {
    /// The factor of a shrink that takes every so many pixels one.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a factor that is not whole.
    pub(crate) fn whole(self, scale: Ratio) -> Result<usize> {
        scale.whole().ok_or_else(|| {
            Error::invalid(format!(
                "degradation '{self}' at x{scale}: it takes whole factors such as 2 or 3; use bicubic, with blur before it for a \
                 blurred picture"
            ))
        })
    }
}

impl Kind {
    fn varies(self) -> bool {
        match self {
            Self::Blur(span) | Self::Webp(span) | Self::Jpeg { quality: span, .. } => span.low < span.high,
            Self::Shrink(_) => false,
            Self::Noise(_) => true,
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.low == self.high {
            true => write!(f, "{}", self.low),
            false => write!(f, "{}..{}", self.low, self.high),
        }
    }
}

impl fmt::Display for Shrink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bicubic => f.write_str("bicubic"),
            Self::Subsample => f.write_str("subsample"),
            Self::Gaussian { sigma } => write!(f, "gaussian:{sigma}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Blur(span) => write!(f, "blur:{span}"),
            Kind::Shrink(shrink) => shrink.fmt(f),
            Kind::Noise(span) => write!(f, "noise:{span}"),
            Kind::Jpeg { quality, full_chroma } => {
                write!(f, "jpeg:{quality}{}", if full_chroma { ":444" } else { "" })
            }
            Kind::Webp(span) => write!(f, "webp:{span}"),
        }?;
        if self.share < 1.0 { write!(f, "@{}", self.share) } else { Ok(()) }
    }
}

impl fmt::Display for Degradation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self.steps().map(Step::to_string).collect();
        f.pad(&steps.join(","))
    }
}

impl FromStr for Span {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let number = |text: &str| text.trim().parse().ok().filter(|n: &f64| n.is_finite());
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        match (number(low), number(high)) {
            (Some(low), Some(high)) if low <= high => Ok(Self { low, high }),
            _ => Err(Error::invalid(format!("'{text}' is neither a number nor a range such as 30..95"))),
        }
    }
}

impl Span {
    /// The range, if it is within these limits.
    fn within(self, least: f64, most: f64) -> Result<Self> {
        if self.low >= least && self.high <= most {
            return Ok(self);
        }
        Err(Error::invalid(format!("{self} is not within {least} to {most}")))
    }
}

impl FromStr for Step {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let failed = |e: Error| Error::invalid(format!("degradation step '{text}': {e}"));
        let (step, share) = match text.split_once('@') {
            Some((step, share)) => (step, share.parse().ok().filter(|&share| share > 0.0 && share <= 1.0)),
            None => (text, Some(1.0)),
        };
        let share =
            share.ok_or_else(|| failed(Error::invalid("behind @ belongs a share above 0 and at most 1")))?;
        let (name, number) = step.split_once(':').map_or((step, None), |(name, number)| (name, Some(number)));
        let span = |text: &str, least, most| text.parse::<Span>()?.within(least, most);
        let quality = |text: &str, least| {
            let quality = span(text, least, 100.0)?;
            match quality.low.fract() == 0.0 && quality.high.fract() == 0.0 {
                true => Ok(quality),
                false => Err(Error::invalid(format!("a quality is a whole number, unlike {quality}"))),
            }
        };
        let kind = match (name, number) {
            ("blur", Some(sigma)) => span(sigma, 0.0, MOST_BLUR).map(Kind::Blur),
            ("bicubic", None) => Ok(Kind::Shrink(Shrink::Bicubic)),
            ("subsample", None) => Ok(Kind::Shrink(Shrink::Subsample)),
            ("gaussian", Some(sigma)) => {
                let sigma = sigma.parse().ok().filter(|&sigma: &f64| sigma > 0.0 && sigma <= MOST_BLUR);
                let error = || Error::invalid("gaussian takes one SIGMA, above 0 and at most 64");
                sigma.map(|sigma| Kind::Shrink(Shrink::Gaussian { sigma })).ok_or_else(error)
            }
            ("noise", Some(sigma)) => span(sigma, 0.0, 255.0).map(Kind::Noise),
            ("jpeg", Some(how)) => {
                let (number, full_chroma) = match how.split_once(':') {
                    None | Some((_, "420")) => (how.trim_end_matches(":420"), Ok(false)),
                    Some((number, "444")) => (number, Ok(true)),
                    Some(_) => (how, Err(Error::invalid("the chroma of jpeg is 420 or 444"))),
                };
                full_chroma
                    .and_then(|full_chroma| Ok(Kind::Jpeg { quality: quality(number, 1.0)?, full_chroma }))
            }
            ("webp", Some(number)) => quality(number, 0.0).map(Kind::Webp),
            _ => Err(Error::invalid(
                "the steps are blur:SIGMA, bicubic, subsample, gaussian:SIGMA, noise:SIGMA, jpeg:QUALITY[:420|:444] and \
                 webp:QUALITY",
            )),
        };
        let kind = kind.map_err(failed)?;
        if share < 1.0 && matches!(kind, Kind::Shrink(_)) {
            return Err(failed(Error::invalid("a shrink happens to all pictures")));
        }
        Ok(Self { kind, share })
    }
}

impl FromStr for Degradation {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.split(',').map(|step| step.trim().parse()).collect::<Result<Vec<Step>>>()?;
        if parsed.len() > MOST {
            return Err(Error::invalid(format!("degradation '{text}': {MOST} steps at most")));
        }
        if parsed.iter().filter(|step| matches!(step.kind, Kind::Shrink(_))).count() > 1 {
            return Err(Error::invalid(format!("degradation '{text}': a picture is shrunk once")));
        }
        let mut steps = [None; MOST];
        steps.iter_mut().zip(parsed).for_each(|(slot, step)| *slot = Some(step));
        Ok(Self { steps })
    }
}

impl TryFrom<String> for Degradation {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Degradation> for String {
    fn from(degradation: Degradation) -> Self {
        degradation.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_round_trip() {
        for name in [
            "bicubic",
            "subsample",
            "gaussian:1.6",
            "blur:1.2,bicubic,noise:5,jpeg:30..95",
            "blur:0..1.5@0.5,subsample,noise:0..10,jpeg:10..100:444@0.85",
            "jpeg:10",
            "bicubic,webp:0..80",
        ] {
            assert_eq!(name.parse::<Degradation>().unwrap().to_string(), name);
        }
        let same: Degradation = "bicubic, jpeg:30:420".parse().unwrap();
        assert_eq!(same.to_string(), "bicubic,jpeg:30");
        assert_eq!(Degradation::default().to_string(), "bicubic");
    }

    #[test]
    fn mistakes_are_told() {
        for (name, words) in [
            ("gaussian", "the steps are"),
            ("gaussian:", "above 0"),
            ("gaussian:0", "above 0"),
            ("gaussian:nan", "above 0"),
            ("gaussian:99", "at most 64"),
            ("box", "the steps are"),
            ("bicubic:2", "the steps are"),
            ("", "the steps are"),
            ("bicubic,", "the steps are"),
            ("bicubic,subsample", "shrunk once"),
            ("jpeg:0", "not within 1 to 100"),
            ("jpeg:30..101", "not within 1 to 100"),
            ("jpeg:30.5", "whole number"),
            ("jpeg:95..30", "neither a number nor a range"),
            ("jpeg:30:422", "420 or 444"),
            ("jpeg:30@0", "share"),
            ("jpeg:30@1.5", "share"),
            ("bicubic@0.5", "all pictures"),
            ("noise:-1", "not within 0 to 255"),
            ("noise:inf", "neither"),
            ("blur:1,blur:1,blur:1,blur:1,blur:1,blur:1,blur:1,blur:1,bicubic", "8 steps at most"),
        ] {
            let told = name.parse::<Degradation>().unwrap_err().to_string();
            assert!(told.contains(words), "{name}: {told}");
        }
    }

    #[test]
    fn where_a_chain_makes_sense() {
        let chain = |text: &str| text.parse::<Degradation>().unwrap();
        assert!(chain("jpeg:30").check(1).is_ok() && chain("bicubic,jpeg:30").check(1).is_ok());
        assert!(chain("jpeg:30").check(3).unwrap_err().to_string().contains("'bicubic,jpeg:30'"));
        assert!(chain("bicubic").check(1).is_err() && chain("bicubic").check(2).is_ok());
        for (text, linear, varies) in [
            ("bicubic", true, false),
            ("blur:1,subsample", true, false),
            ("blur:0..1,subsample", true, true),
            ("bicubic,jpeg:30", false, false),
            ("bicubic,jpeg:30@0.5", false, true),
            ("noise:3", false, true),
        ] {
            assert_eq!((chain(text).is_linear(), chain(text).varies()), (linear, varies), "{text}");
        }
    }
}
