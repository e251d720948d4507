//! [`Shape`], also as one word, `7x2,64,16,16,400x1024,subgroup16,fused,winograd,storage`: the tile of convolutions, the inputs of a 1x1
//! layer, the workgroup, the parts of a batch, the sums of a weight gradient for filters larger than 1x1 and for 1x1, how weights
//! are loaded, whether layers 1 and 2 are `fused` or run in `layers`, whether filters of 5 x 5 go by `winograd` or `direct`, and how maps are read.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::gpu::adapter::AdapterKind;
use crate::gpu::kernels::{MapRead, WeightLoad, serde_word};

/// Sizes of register tiles and workgroups, chosen per adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Most texels (4 pixels of a row each; up to 7) and most vec4s of outputs (up to 2) that an invocation of a
    /// convolution computes.
    pub spatial: (usize, usize),
    /// Most inputs, up to 64, that an invocation of `conv_pointwise.wgsl` holds; 1x1 convolutions with more inputs use
    /// the general kernel.
    pub pointwise: usize,
    /// Sub-images per workgroup.
    pub workgroup: u32,
    /// Number of parts of the batch whose weight gradients are summed separately first.
    pub parts: usize,
    /// Most sums in a tile of the weight gradient, for filters larger than 1x1 and for 1x1. On software adapters
    /// loading a texel costs as much as several hundred products, so sums kept in the first-level cache, loaded and
    /// stored for every four products, are the lesser evil.
    pub weight_sums: (usize, usize),
    /// How invocations load weights that all of them want. With subgroups, a workgroup must consist of whole ones.
    pub weight_load: WeightLoad,
    /// Whether layers 1 and 2 run forward in one kernel where `conv_fused_batch.wgsl` covers them.
    pub first_layers: bool,
    /// Whether convolutions with filters of 5 x 5 and their gradients are by Winograd's minimal filtering.
    pub winograd: bool,
    /// How kernels read maps.
    pub map_read: MapRead,
}

impl Shape {
    /// Defaults for a device, before any measurement.
    pub fn for_device(device: &wgpu::Device) -> Self {
        let kind = AdapterKind::of(device);
        let shape =
            if kind.software.is_some() { Self::for_software(kind.subgroup_lanes) } else { Self::for_gpus() };
        Self { map_read: MapRead::for_kind(kind), ..shape }
    }

    /// Defaults for software adapters, which have subgroups of so many lanes, or none. Invocations are the 8 or 16 lanes of
    /// a vector, and registers live in the first-level cache.
    pub fn for_software(subgroup_lanes: Option<u32>) -> Self {
        let subgroup = subgroup_lanes.filter(|lanes| matches!(lanes, 8 | 16)).map(WeightLoad::Subgroup);
        Self {
            spatial: (7, 2),
            pointwise: 64,
            // OpenGL does not say how many lanes a vector has: 16 fill any.
            workgroup: subgroup.map_or(16, |load| load.lanes() as u32),
            parts: 16,
            weight_sums: (400, 1024),
            weight_load: subgroup.unwrap_or(WeightLoad::Uniform),
            first_layers: subgroup.is_some(),
            winograd: true,
            map_read: MapRead::Sampled,
        }
    }

    /// Defaults for GPUs.
    pub fn for_gpus() -> Self {
        Self {
            spatial: (4, 1),
            pointwise: 16,
            workgroup: 32,
            parts: 128,
            weight_sums: (40, 64),
            weight_load: WeightLoad::Uniform,
            first_layers: false,
            winograd: false,
            map_read: MapRead::Sampled,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            spatial: (texels, quads), pointwise, workgroup, parts, weight_sums: (sums, sums_1x1), ..
        } = self;
        let (load, read) = (self.weight_load, self.map_read);
        let fused = if self.first_layers { "fused" } else { "layers" };
        let winograd = if self.winograd { "winograd" } else { "direct" };
        f.pad(&format!(
            "{texels}x{quads},{pointwise},{workgroup},{parts},{sums}x{sums_1x1},{load},{fused},{winograd},{read}"
        ))
    }
}

impl FromStr for Shape {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse(text).ok_or_else(|| {
            Error::invalid(format!(
                "'{text}' is not a shape of training's kernels; an example of one is \
                 7x2,64,16,16,400x1024,subgroup16,fused,winograd,storage"
            ))
        })
    }
}

fn parse(text: &str) -> Option<Shape> {
    let words: Vec<&str> = text.split(',').collect();
    let [spatial, pointwise, workgroup, parts, weight_sums, load, fused, winograd, read] = words[..] else {
        return None;
    };
    let number = |text: &str| text.parse::<usize>().ok().filter(|number| (1..=1 << 16).contains(number));
    let pair = |text: &str| {
        let (a, b) = text.split_once('x')?;
        Some((number(a)?, number(b)?))
    };
    Some(Shape {
        spatial: pair(spatial)?,
        pointwise: pointwise.parse().ok()?,
        workgroup: u32::try_from(number(workgroup)?).ok()?,
        parts: number(parts)?,
        weight_sums: pair(weight_sums)?,
        weight_load: load.parse().ok()?,
        first_layers: ["layers", "fused"].iter().position(|known| *known == fused)? == 1,
        winograd: ["direct", "winograd"].iter().position(|known| *known == winograd)? == 1,
        map_read: read.parse().ok()?,
    })
}

serde_word!(Shape);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_back() {
        for shape in [Shape::for_gpus(), Shape::for_software(None), Shape::for_software(Some(16))] {
            for map_read in [MapRead::Sampled, MapRead::Storage] {
                let shape = Shape { map_read, ..shape };
                assert_eq!(shape.to_string().parse::<Shape>().unwrap(), shape);
            }
        }
        assert_eq!(
            Shape::for_software(Some(16)).to_string(),
            "7x2,64,16,16,400x1024,subgroup16,fused,winograd,sampled"
        );
        for wrong in [
            "",
            "7x2",
            "7x2,64,0,16,400x1024,uniform,fused,winograd,storage",
            "7x2,64,8,16,400x1024,uniform,fused,winograd,texture",
            "7x2,64,8,16,400x1024,uniform,fused,cooked,storage",
        ] {
            assert!(wrong.parse::<Shape>().is_err(), "{wrong}");
        }
    }
}
