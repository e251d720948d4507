//! Where the weights of kernels that keep maps in registers are, and how their invocations load them.

use std::fmt;
use std::str::FromStr;

use super::MapRead;
use crate::error::{Error, Result};
use crate::gpu::compile::Binding;
use crate::gpu::compose::Template;

/// How invocations load weights that all of them want. As a word `uniform`, or `subgroup` with its lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeightLoad {
    /// Each loads all of them from a uniform buffer.
    Uniform,
    /// Each invocation of a subgroup of this size loads different weights from a uniform buffer or a texture, and they
    /// shuffle them among themselves: for software adapters, which load lane by lane. Needs
    /// [`wgpu::Features::SUBGROUP`], subgroups of one size, and workgroups of whole subgroups.
    Subgroup(u32),
}

impl WeightLoad {
    /// All, with subgroups of 8.
    pub(super) const ALL: [Self; 2] = [Self::Uniform, Self::Subgroup(8)];

    /// Vec4s of weights that are loaded at a time.
    pub(crate) fn lanes(self) -> usize {
        match self {
            Self::Uniform => 1,
            Self::Subgroup(lanes) => lanes as usize,
        }
    }

    /// Words for the name of a kernel's variant.
    pub(super) fn name(self, store: WeightStore) -> String {
        let store = match store {
            WeightStore::Uniform => "uniform",
            WeightStore::Storage => "storage",
            WeightStore::Texture => "texture",
        };
        match self {
            Self::Uniform => store.into(),
            Self::Subgroup(_) => format!("{store}-{self}"),
        }
    }

    /// Where a device has room for this many vec4s of weights: in a uniform buffer, but for subgroups that read textures as storage
    /// textures, which is faster still on llvmpipe (benches/README.md).
    pub(crate) fn store(self, weights: usize, read: MapRead, limits: &wgpu::Limits) -> Option<WeightStore> {
        let uniform = 16 * weights as u64 <= limits.max_uniform_buffer_binding_size;
        let texture = weights.div_ceil(WEIGHT_COLUMNS) <= limits.max_texture_dimension_2d as usize;
        match self {
            Self::Subgroup(_) if texture && (read == MapRead::Storage || !uniform) => {
                Some(WeightStore::Texture)
            }
            _ => uniform.then_some(WeightStore::Uniform),
        }
    }
}

impl fmt::Display for WeightLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform => f.write_str("uniform"),
            Self::Subgroup(lanes) => write!(f, "subgroup{lanes}"),
        }
    }
}

impl FromStr for WeightLoad {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let lanes = |lanes: &str| lanes.parse().ok().filter(|lanes| (1..=1024).contains(lanes));
        match text {
            "uniform" => Some(Self::Uniform),
            _ => text.strip_prefix("subgroup").and_then(lanes).map(Self::Subgroup),
        }
        .ok_or_else(|| {
            Error::invalid(format!("'{text}' is no way to load weights: uniform, or subgroup with its lanes"))
        })
    }
}

/// Where the weights of a pass are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeightStore {
    /// A uniform buffer: the fastest place where they fit, but for llvmpipe's subgroups.
    Uniform,
    /// A storage buffer.
    Storage,
    /// A texture of [`WEIGHT_COLUMNS`] columns.
    Texture,
}

impl WeightStore {
    /// A uniform buffer where they fit, or a storage buffer.
    pub(crate) fn buffer(uniform: bool) -> Self {
        if uniform { Self::Uniform } else { Self::Storage }
    }

    /// What kernels bind them as, of textures by how these are read.
    pub(crate) fn binding(self, read: MapRead) -> Binding {
        match self {
            Self::Uniform => Binding::Uniform,
            Self::Storage => Binding::Read,
            Self::Texture => read.binding(),
        }
    }
}

/// Width of the texture of [`WeightStore::Texture`], in texels.
pub const WEIGHT_COLUMNS: usize = 1024;

impl Template {
    /// Chooses the buffer that the weights are in.
    pub(crate) fn weights(self, uniform: bool) -> Self {
        self.part("weights", if uniform { "weights_uniform" } else { "weights_storage" })
    }

    /// Chooses how invocations load the weights, and from where.
    pub(crate) fn weight_load(self, load: WeightLoad, store: WeightStore) -> Self {
        match (load, store) {
            (WeightLoad::Uniform, WeightStore::Texture) => self.part("weight_load", "weight_load_texture"),
            (_, WeightStore::Texture) => self.part("weight_load", "weight_load_subgroup_texture"),
            (WeightLoad::Uniform, _) => self.part("weight_load", "weight_load_uniform"),
            (WeightLoad::Subgroup(_), _) => self.part("weight_load", "weight_load_subgroup"),
        }
        .weights(store == WeightStore::Uniform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_where_they_fit() {
        let limits = wgpu::Limits {
            max_uniform_buffer_binding_size: 16 * 100,
            max_texture_dimension_2d: 7,
            ..wgpu::Limits::defaults()
        };
        for (weights, expected) in [
            (100, [Some(WeightStore::Uniform), Some(WeightStore::Uniform)]),
            (101, [None, Some(WeightStore::Texture)]),
            (7 * WEIGHT_COLUMNS, [None, Some(WeightStore::Texture)]),
            (7 * WEIGHT_COLUMNS + 1, [None, None]),
        ] {
            let stores = WeightLoad::ALL.map(|load| load.store(weights, MapRead::Sampled, &limits));
            assert_eq!(stores, expected, "{weights}");
        }
        let [uniform, subgroup] = WeightLoad::ALL.map(|load| load.store(100, MapRead::Storage, &limits));
        assert_eq!([uniform, subgroup], [Some(WeightStore::Uniform), Some(WeightStore::Texture)]);
    }
}
