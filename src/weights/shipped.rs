//! The networks that come with the crate, trained by it on public pictures: see `weights/README.md`.

use std::fmt;
use std::str::FromStr;

use super::Weights;
use crate::error::{Error, Result};

/// A family of shipped networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Shipped {
    /// 9-1-5 64-32, the paper's: 8,129 parameters.
    #[default]
    Small,
    /// 9-5-5-5-5 64-32-32-32 for 2 and 3, two more layers of 32 filters for 4: 13 and 20 times the parameters and the work, better.
    Large,
    /// 9-5-5 64-32 for photographs that were saved as JPEG or WebP files: enlarges them by 2 to 4 times without sharpening the
    /// traces of that.
    Photo,
    /// 9-5-5 64-32 for factor 1: removes the traces of JPEG files in place.
    Deblock,
}

macro_rules! file {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../weights/", $name)))
    };
}

impl Shipped {
    /// The names on the command line, in the order of the variants.
    pub const NAMES: &'static [&'static str] = &["small", "large", "photo", "deblock"];

    /// Weight files by name: one for each scale, or one for several.
    fn files(self) -> &'static [(&'static str, &'static [u8])] {
        match self {
            Self::Small => {
                &[file!("9-1-5_x2.safetensors"), file!("9-1-5_x3.safetensors"), file!("9-1-5_x4.safetensors")]
            }
            Self::Large => &[
                file!("9-5-5-5-5_x2.safetensors"),
                file!("9-5-5-5-5_x3.safetensors"),
                file!("9-5-5-5-5-5-5_x4.safetensors"),
            ],
            Self::Photo => &[file!("photo.safetensors")],
            Self::Deblock => &[file!("deblock.safetensors")],
        }
    }

    /// The networks for all scales, with the names of their files.
    ///
    /// # Errors
    /// As [`Weights::from_bytes`]; that would be a bug in this crate.
    pub fn all(self) -> Result<Vec<(&'static str, Weights)>> {
        self.files().iter().map(|&(name, bytes)| Ok((name, Weights::from_bytes(bytes)?))).collect()
    }

    /// The network whose trained scale has the smallest ratio to `scale`, up or down.
    ///
    /// # Errors
    /// As [`Shipped::all`].
    pub fn nearest(self, scale: f64) -> Result<Weights> {
        let distance = |weights: &Weights| weights.metadata.scale_distance(scale);
        let all = self.all()?.into_iter().map(|(_, weights)| weights);
        let nearest = all.min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.ok_or_else(|| Error::invalid(format!("there are no {self} networks")))
    }
}

impl fmt::Display for Shipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::NAMES[*self as usize])
    }
}

impl FromStr for Shipped {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let family = [Self::Small, Self::Large, Self::Photo, Self::Deblock]
            .into_iter()
            .find(|family| family.to_string() == text);
        family.ok_or_else(|| {
            Error::invalid(format!("unknown network '{text}'; one of: {}", Self::NAMES.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scale_has_its_network() {
        for name in Shipped::NAMES {
            assert_eq!(name.parse::<Shipped>().unwrap().to_string(), *name);
        }
        for shipped in [Shipped::Small, Shipped::Large] {
            let all = shipped.all().unwrap();
            assert_eq!(all.len(), 3);
            for (file, weights) in all {
                let [scale] = weights.metadata.scales[..] else { panic!("{file}") };
                let architecture = match (shipped, scale) {
                    (Shipped::Small, _) => "9-1-5",
                    (_, 4.0) => "9-5-5-5-5-5-5",
                    _ => "9-5-5-5-5",
                };
                assert_eq!(weights.architecture().sizes(), architecture);
                assert_eq!(file, format!("{architecture}_x{scale}.safetensors"));
                assert_eq!(shipped.nearest(f64::from(scale) * 1.1).unwrap(), weights);
            }
        }
    }

    /// They say what they were trained for.
    #[test]
    fn networks_for_pictures_that_are_not_clean() {
        for (shipped, scales) in [(Shipped::Photo, vec![2.0, 3.0, 4.0]), (Shipped::Deblock, vec![1.0])] {
            let all = shipped.all().unwrap();
            assert_eq!(
                all.iter().flat_map(|(_, weights)| weights.metadata.scales.clone()).collect::<Vec<_>>(),
                scales
            );
            for (_, weights) in all {
                let degradation: crate::degrade::Degradation =
                    weights.metadata.degradation.as_ref().unwrap().parse().unwrap();
                assert!(degradation.to_string().contains("jpeg") && degradation.varies());
            }
        }
    }

    #[test]
    fn several_scales_know_those_between() {
        let metadata = crate::weights::Metadata { scales: vec![2.0, 3.0, 4.0], ..Default::default() };
        assert_eq!([2.0, 2.5, 4.0].map(|scale| metadata.scale_distance(scale)), [0.0; 3]);
        assert!((metadata.scale_distance(8.0) - 2.0_f64.ln()).abs() < 1e-6);
    }
}
