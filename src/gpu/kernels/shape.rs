//! [`ConvShape`] as one word, `16x4,8x16,1,8,subgroup8`: register tiles of spatial and of 1x1 layers, the workgroup's
//! two sides, which fused kernels run, a [`Fusion`]: how they load their weights, a [`WeightLoad`], or `workgroup`, or `layers` for
//! none, and how kernels read maps, a [`MapRead`], `sampled` where it is left out.

use std::fmt;
use std::str::FromStr;

use super::{ConvShape, Fusion, MapRead, Registers, WeightLoad};
use crate::error::{Error, Result};
use crate::gpu::adapter::AdapterKind;

impl ConvShape {
    /// The shape for an adapter, before any measurement.
    pub fn for_device(device: &wgpu::Device) -> Self {
        Self::for_kind(AdapterKind::of(device))
    }

    /// The same for a kind of adapter.
    pub(crate) fn for_kind(kind: AdapterKind) -> Self {
        let AdapterKind { software, subgroup_lanes, fxc } = kind;
        let map_read = MapRead::for_kind(kind);
        let one = |registers| (registers, registers);
        let ((spatial, pointwise), workgroup, fused) = if fxc {
            // What compiles in bounded time.
            (one(Registers::P8x4), [4, 16], None)
        } else if software.is_some() {
            // Invocations are lanes of one vector: two neighbors in a row of each column's, so that narrow tiles fill the lanes.
            let load = subgroup_lanes.map_or(WeightLoad::Uniform, WeightLoad::Subgroup);
            // OpenGL does not say how many: 16 fill any vector.
            let lanes = subgroup_lanes.map_or(16, |lanes| lanes.max(8));
            ((Registers::P16x4, Registers::P8x16), [2, lanes / 2], Some(Fusion::Invocation(load)))
        } else {
            (one(Registers::P8x8), [4, 16], Some(Fusion::Workgroup))
        };
        Self { spatial, pointwise, workgroup, fused, map_read }
    }
}

impl fmt::Display for ConvShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.fused {
            Some(Fusion::Invocation(load)) => load.to_string(),
            Some(Fusion::Workgroup) => "workgroup".into(),
            None => "layers".into(),
        };
        let [x, y] = self.workgroup;
        let (spatial, pointwise, read) = (self.spatial.name(), self.pointwise.name(), self.map_read);
        f.pad(&format!("{spatial},{pointwise},{x},{y},{way},{read}"))
    }
}

impl FromStr for ConvShape {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse(text).ok_or_else(|| {
            Error::invalid(format!(
                "'{text}' is not a shape of kernels; an example of one is 16x4,8x16,1,8,subgroup8,storage"
            ))
        })
    }
}

fn parse(text: &str) -> Option<ConvShape> {
    let words: Vec<&str> = text.split(',').collect();
    let [spatial, pointwise, x, y, way, ref read @ ..] = words[..] else { return None };
    let map_read = match read {
        [] => MapRead::Sampled,
        [read] => read.parse().ok()?,
        _ => return None,
    };
    let tile = |word: &str| Registers::ALL.into_iter().find(|registers| registers.name() == word);
    let side = |word: &str| word.parse().ok().filter(|side| (1..=1024).contains(side));
    let fused = match way {
        "layers" => None,
        "workgroup" => Some(Fusion::Workgroup),
        way => Some(Fusion::Invocation(way.parse().ok()?)),
    };
    Some(ConvShape {
        spatial: tile(spatial)?,
        pointwise: tile(pointwise)?,
        workgroup: [side(x)?, side(y)?],
        fused,
        map_read,
    })
}

/// Writes a type as the word that it displays as, and reads it from one.
macro_rules! serde_word {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> std::result::Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
#[cfg(feature = "train")]
pub(crate) use serde_word;

serde_word!(ConvShape);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_back() {
        let loads = WeightLoad::ALL.map(|load| Some(Fusion::Invocation(load)));
        for fused in loads.into_iter().chain([Some(Fusion::Workgroup), None]) {
            for spatial in Registers::ALL {
                for map_read in [MapRead::Sampled, MapRead::Storage] {
                    let (pointwise, workgroup) = (Registers::P8x16, [2, 32]);
                    let shape = ConvShape { spatial, pointwise, workgroup, fused, map_read };
                    assert_eq!(shape.to_string().parse::<ConvShape>().unwrap(), shape);
                }
            }
        }
        for (word, whole) in [
            ("16x4,8x16,1,8,subgroup8", "16x4,8x16,1,8,subgroup8,sampled"),
            ("16x4,8x16,1,8,subgroup8,storage", "16x4,8x16,1,8,subgroup8,storage"),
        ] {
            assert_eq!(word.parse::<ConvShape>().unwrap().to_string(), whole);
        }
        for wrong in [
            "",
            "16x4",
            "16x4,8x16,0,8,layers",
            "16x4,8x16,1,8,subgroup",
            "16x4,8x16,1,8,storage",
            "16x4,8x16,1,8,layers,texture",
            "4x16,8x8,1,8,layers",
        ] {
            assert!(wrong.parse::<ConvShape>().is_err(), "{wrong}");
        }
    }
}
