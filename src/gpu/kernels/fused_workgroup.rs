//! `conv_fused_workgroup.wgsl` and `conv_fused_workgroup_sum.wgsl`: networks f1-1-f3 in two passes on GPUs.

use super::fused::Epilogue;
use super::{MapRead, OutsideValue, PIXEL_WORKGROUP, Shader, WeightStore, word};
use crate::gpu::compose::{Prelude, kernel};
use crate::network::{Architecture, Padding};

/// Columns and rows of the block that a workgroup owns.
pub const BLOCK: [u32; 2] = [32, 16];
/// Invocations of a workgroup, each with two pixels.
const INVOCATIONS: u32 = BLOCK[0] * BLOCK[1] / 2;
/// Bytes of workgroup memory: 24 rows of 40 pixels, and 20 rows of 36 sums.
const WORKGROUP_BYTES: u32 = 4 * (24 * 40 + 20 * 36);

/// The settings of `conv_fused_workgroup.wgsl` for a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkgroupVariant {
    /// Size of the filters of layer 1.
    pub filter: usize,
    /// Groups of 8 filters of layer 1.
    pub groups: usize,
    /// The other layers.
    pub epilogue: Epilogue,
    /// Multiplication by the valid-pixel map.
    pub normalized: bool,
    /// What the last layer reads outside the picture.
    pub outside: OutsideValue,
    /// Where the weights are.
    pub store: WeightStore,
    /// How maps are read.
    pub map_read: MapRead,
}

impl WorkgroupVariant {
    /// The variant for a network f1-1-f3 on one channel, f1 up to 9, f3 of 3 or 5. `None` for others, and on devices with smaller
    /// workgroups.
    pub fn new(
        architecture: &Architecture,
        padding: Padding,
        map_read: MapRead,
        limits: &wgpu::Limits,
    ) -> Option<Self> {
        let [first, second, third] = architecture.layers() else { return None };
        let epilogue = Epilogue::new(architecture)?;
        let fits = INVOCATIONS <= limits.max_compute_invocations_per_workgroup
            && INVOCATIONS <= limits.max_compute_workgroup_size_x
            && WORKGROUP_BYTES <= limits.max_compute_workgroup_storage_size;
        if first.inputs != 1 || first.size > 9 || second.size != 1 || third.size < 3 || !fits {
            return None;
        }
        let mut variant = Self {
            filter: first.size,
            groups: first.filters.div_ceil(8),
            epilogue,
            normalized: padding == Padding::Normalized,
            outside: padding.into(),
            store: WeightStore::Uniform,
            map_read,
        };
        let bytes = 16 * variant.weights() as u64;
        variant.store = WeightStore::buffer(bytes <= limits.max_uniform_buffer_binding_size);
        (bytes <= limits.max_storage_buffer_binding_size).then_some(variant)
    }

    /// Where a group's columns of layer 2 begin: after its biases and taps. All lengths and positions here and below are in
    /// vec4s.
    pub fn columns_2(&self) -> usize {
        2 + 2 * self.filter * self.filter
    }

    /// Length of a group of filters of layer 1.
    pub fn group(&self) -> usize {
        self.columns_2() + 8 * 2 * self.epilogue.blocks8
    }

    /// Where the biases of layer 2 begin.
    pub fn bias_2(&self) -> usize {
        self.groups * self.group()
    }

    /// Where the taps of layer 3 begin.
    pub fn taps_3(&self) -> usize {
        self.bias_2() + 2 * self.epilogue.blocks8
    }

    /// Length of all weights.
    pub fn weights(&self) -> usize {
        self.taps_3() + self.epilogue.filter * self.epilogue.filter * 2 * self.epilogue.blocks8
    }
}

/// `conv_fused_workgroup.wgsl`: all layers except for the sum over blocks.
pub fn conv_fused_workgroup(variant: &WorkgroupVariant) -> Shader {
    let WorkgroupVariant { filter, groups, epilogue, normalized, outside, store, map_read } = variant;
    let prelude = Prelude::default()
        .numbers([
            ("FILTER", *filter),
            ("GROUPS", *groups),
            ("BLOCKS8", epilogue.blocks8),
            ("FILTER_3", epilogue.filter),
            ("GROUP", variant.group()),
            ("COLUMNS_2", variant.columns_2()),
            ("BIAS_2", variant.bias_2()),
            ("TAPS_3", variant.taps_3()),
            ("WEIGHTS", variant.weights()),
            outside.constant(),
        ])
        .flag("NORMALIZED", *normalized);
    kernel!("conv_fused_workgroup")
        .prelude(prelude)
        .weights(*store == WeightStore::Uniform)
        .map_read(*map_read)
        .named([
            &format!("{filter}x{filter}"),
            &format!("filters{}", 8 * groups),
            &epilogue.name(),
            word(*normalized, "normalized"),
            outside.name(),
            if *store == WeightStore::Uniform { "uniform" } else { "storage" },
            map_read.name(),
        ])
        .compose()
}

/// `conv_fused_workgroup_sum.wgsl`: the end of layer 3.
pub fn conv_fused_workgroup_sum(variant: &WorkgroupVariant) -> Shader {
    let &WorkgroupVariant { epilogue, normalized, map_read, .. } = variant;
    kernel!("conv_fused_workgroup_sum")
        .prelude(Prelude::default().flag("NORMALIZED", normalized))
        .map_read(map_read)
        .workgroup(PIXEL_WORKGROUP)
        .named([&format!("{0}x{0}", epilogue.filter), word(normalized, "normalized"), map_read.name()])
        .compose()
}

/// Every variant for a network, on any device.
pub(super) fn variants(architecture: &Architecture, paddings: &[Padding]) -> Vec<Shader> {
    let mut shaders = Vec::new();
    for &padding in paddings {
        for max_uniform_buffer_binding_size in [0, 64 << 10] {
            let limits = wgpu::Limits { max_uniform_buffer_binding_size, ..wgpu::Limits::defaults() };
            if let Some(variant) = WorkgroupVariant::new(architecture, padding, MapRead::Sampled, &limits) {
                shaders.push(conv_fused_workgroup(&variant));
                shaders.push(conv_fused_workgroup_sum(&variant));
            }
        }
    }
    shaders
}
