//! `conv_fused_workgroup.wgsl` and `conv_fused_workgroup_sum.wgsl`: networks f1-1-f3 in two passes on GPUs.

use super::fused::Epilogue;
use super::{MapRead, OutsideValue, PIXEL_WORKGROUP, Shader, WeightStore, biases, prelude, word};
use crate::gpu::compose::{Prelude, kernel};
use crate::network::{Architecture, Padding};
use crate::precision::Precision;

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
    /// Groups of 8 filters of layer 1; in half precision an even number.
    pub groups: usize,
    /// The other layers.
    pub epilogue: Epilogue,
    /// Multiplication by the valid-pixel map.
    pub normalized: bool,
    /// What the last layer reads outside the picture.
    pub outside: OutsideValue,
    /// Where the weights are.
    pub store: WeightStore,
    /// Precision of the weights, and of products in layers 1 and 2.
    pub precision: Precision,
    /// How maps are read.
    pub map_read: MapRead,
}

impl WorkgroupVariant {
    /// The variant for a network f1-1-f3 on one channel, f1 up to 9, f3 of 3 or 5. `None` for others, and on devices with smaller
    /// workgroups.
    pub fn new(
        architecture: &Architecture,
        padding: Padding,
        precision: Precision,
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
        // GROUPS_AT_ONCE of the kernel.
        let at_once = match precision {
            Precision::F32 => 1,
            Precision::F16 => 2,
        };
        let mut variant = Self {
            filter: first.size,
            groups: first.filters.div_ceil(8).next_multiple_of(at_once),
            epilogue,
            normalized: padding == Padding::Normalized,
            outside: padding.into(),
            store: WeightStore::Storage,
            precision,
            map_read,
        };
        let bytes = (4 * precision.bytes() * variant.weights()) as u64;
        // In a uniform buffer, vec4s of 16 bits would be padded.
        let uniform = precision == Precision::F32 && bytes <= limits.max_uniform_buffer_binding_size;
        variant.store = WeightStore::buffer(uniform);
        (bytes <= limits.max_storage_buffer_binding_size).then_some(variant)
    }

    /// Where a group's taps begin: after its biases. All lengths and positions here and below are in vec4s.
    pub fn first_tap(&self) -> usize {
        2 * biases(self.precision)
    }

    /// Where a group's columns of layer 2 begin: after its taps.
    pub fn columns_2(&self) -> usize {
        self.first_tap() + 2 * self.filter * self.filter
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
        self.bias_2() + biases(self.precision) * 2 * self.epilogue.blocks8
    }

    /// Length of all weights.
    pub fn weights(&self) -> usize {
        self.taps_3() + self.epilogue.filter * self.epilogue.filter * 2 * self.epilogue.blocks8
    }
}

/// `conv_fused_workgroup.wgsl`: all layers except for the sum over blocks.
pub fn conv_fused_workgroup(variant: &WorkgroupVariant) -> Shader {
    let WorkgroupVariant { filter, groups, epilogue, normalized, outside, store, precision, map_read } =
        variant;
    let half = *precision == Precision::F16;
    let prelude = prelude(*precision)
        .numbers([
            ("FILTER", *filter),
            ("GROUPS", *groups),
            ("BLOCKS8", epilogue.blocks8),
            ("FILTER_3", epilogue.filter),
            ("GROUP", variant.group()),
            ("FIRST_TAP", variant.first_tap()),
            ("COLUMNS_2", variant.columns_2()),
            ("BIAS_2", variant.bias_2()),
            ("TAPS_3", variant.taps_3()),
            ("WEIGHTS", variant.weights()),
            outside.constant(),
        ])
        .flag("NORMALIZED", *normalized);
    kernel!("conv_fused_workgroup")
        .prelude(prelude)
        .part("pair_products", if half { "pair_products_half" } else { "pair_products_single" })
        .weights(*store == WeightStore::Uniform)
        .map_read(*map_read)
        .named([
            &format!("{filter}x{filter}"),
            &format!("filters{}", 8 * groups),
            &epilogue.name(),
            word(*normalized, "normalized"),
            outside.name(),
            if *store == WeightStore::Uniform { "uniform" } else { "storage" },
            word(half, "f16"),
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
        for (precision, max_uniform_buffer_binding_size) in
            [(Precision::F32, 0), (Precision::F32, 64 << 10), (Precision::F16, 0)]
        {
            let limits = wgpu::Limits { max_uniform_buffer_binding_size, ..wgpu::Limits::defaults() };
            let read = MapRead::Sampled;
            if let Some(variant) = WorkgroupVariant::new(architecture, padding, precision, read, &limits) {
                shaders.push(conv_fused_workgroup(&variant));
                shaders.push(conv_fused_workgroup_sum(&variant));
            }
        }
    }
    shaders
}
