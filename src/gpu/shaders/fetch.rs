//! Where the weights of kernels that keep maps in registers are, and how invocations come by them.

use std::fmt;

use super::weights_text;

/// How invocations come by weights that all of them want. As a word `uniform`, `storage`, `workgroup`, or `subgroup` with
/// its lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fetch {
    /// Each loads them from a uniform buffer: for GPUs, where that is one load for many invocations.
    Uniform,
    /// Each loads them from a storage buffer, which holds more of them: for GPUs.
    Storage,
    /// The invocations of a workgroup load a part from either buffer into the memory that they share: for GPUs that are
    /// slow to load the same again and again.
    Workgroup,
    /// The invocations of a subgroup, this many, load different ones from a uniform buffer or a texture, and hand them
    /// round: for software adapters, which load lane by lane. Needs [`wgpu::Features::SUBGROUP`], subgroups of one size,
    /// and workgroups of whole subgroups.
    Subgroup(u32),
}

impl Fetch {
    /// All, with subgroups of 8.
    pub(super) const EVERY: [Self; 4] = [Self::Uniform, Self::Storage, Self::Workgroup, Self::Subgroup(8)];

    /// Vec4s of weights that are loaded at a time.
    pub(crate) fn lanes(self) -> usize {
        match self {
            Self::Uniform | Self::Storage | Self::Workgroup => 1,
            Self::Subgroup(lanes) => lanes as usize,
        }
    }

    /// The entry point, `stage`, and `weight` for weights in a buffer.
    pub(crate) fn buffer_text(self) -> &'static str {
        match self {
            Self::Uniform | Self::Storage => include_str!("../../../shaders/shared/fetch_uniform.wgsl"),
            Self::Workgroup => include_str!("../../../shaders/shared/fetch_workgroup.wgsl"),
            Self::Subgroup(_) => include_str!("../../../shaders/shared/fetch_subgroup.wgsl"),
        }
    }

    /// The same wherever they are, and their declaration.
    pub(super) fn texts(self, store: WeightStore) -> [&'static str; 2] {
        match store {
            WeightStore::Uniform | WeightStore::Storage => {
                [self.buffer_text(), weights_text(store == WeightStore::Uniform)]
            }
            WeightStore::Texture => [include_str!("../../../shaders/shared/fetch_subgroup_texture.wgsl"), ""],
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
            Self::Uniform | Self::Storage => store.into(),
            Self::Workgroup | Self::Subgroup(_) => format!("{store}-{self}"),
        }
    }

    /// Where a device has room for this many vec4s of weights, the longest part of which, if it is staged, has `staged`.
    pub(crate) fn store(self, weights: usize, staged: usize, limits: &wgpu::Limits) -> Option<WeightStore> {
        let bytes = 16 * weights as u64;
        let uniform = || (bytes <= limits.max_uniform_buffer_binding_size).then_some(WeightStore::Uniform);
        let storage = || (bytes <= limits.max_storage_buffer_binding_size).then_some(WeightStore::Storage);
        match self {
            Self::Uniform => uniform(),
            Self::Storage => storage(),
            Self::Workgroup => {
                let room = 16 * staged <= limits.max_compute_workgroup_storage_size as usize;
                uniform().or_else(storage).filter(|_| room)
            }
            Self::Subgroup(_) => {
                let rows = weights.div_ceil(WEIGHT_COLUMNS);
                let texture = rows <= limits.max_texture_dimension_2d as usize;
                uniform().or(texture.then_some(WeightStore::Texture))
            }
        }
    }
}

impl fmt::Display for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform => f.write_str("uniform"),
            Self::Storage => f.write_str("storage"),
            Self::Workgroup => f.write_str("workgroup"),
            Self::Subgroup(lanes) => write!(f, "subgroup{lanes}"),
        }
    }
}

/// Where the weights of a pass are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeightStore {
    /// A uniform buffer: the fast place, where they fit.
    Uniform,
    /// A storage buffer.
    Storage,
    /// A texture of [`WEIGHT_COLUMNS`] columns.
    Texture,
}

/// Width of the texture of [`WeightStore::Texture`], as in `fetch_subgroup_texture.wgsl`.
pub const WEIGHT_COLUMNS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_where_they_fit() {
        let limits = wgpu::Limits {
            max_uniform_buffer_binding_size: 16 * 100,
            max_storage_buffer_binding_size: 16 * 5000,
            max_texture_dimension_2d: 7,
            max_compute_workgroup_storage_size: 16 * 30 + 15,
            ..wgpu::Limits::defaults()
        };
        let store = |fetch: Fetch, weights| fetch.store(weights, 30, &limits);
        for (weights, expected) in [
            (
                100,
                [
                    Some(WeightStore::Uniform),
                    Some(WeightStore::Storage),
                    Some(WeightStore::Uniform),
                    Some(WeightStore::Uniform),
                ],
            ),
            (101, [None, Some(WeightStore::Storage), Some(WeightStore::Storage), Some(WeightStore::Texture)]),
            (5001, [None, None, None, Some(WeightStore::Texture)]),
            (7 * WEIGHT_COLUMNS + 1, [None; 4]),
        ] {
            assert_eq!(Fetch::EVERY.map(|fetch| store(fetch, weights)), expected, "{weights}");
        }
        assert_eq!(Fetch::Workgroup.store(100, 31, &limits), None);
        assert_eq!(Fetch::Uniform.store(100, 31, &limits), Some(WeightStore::Uniform));
    }
}
