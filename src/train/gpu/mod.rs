//! Training steps on the GPU: forward, loss, backward and update in WGSL, many recorded at a time.
//!
//! A step gathers its batch from pictures that live on the device (`gather.wgsl`), runs the layers forward
//! (`conv_batch.wgsl`, `conv_pointwise.wgsl` for 1x1, or the first two at once in `conv_fused_batch.wgsl`), takes the
//! loss of equation 4 and its gradient (`loss.wgsl`, `loss_sum.wgsl`), runs the layers backward (the same kernels with
//! flipped and transposed filters for the input's gradient, `conv_grad_weight*.wgsl` and `grad_sum.wgsl` for the
//! parameters'), updates the parameters (`update.wgsl`, or `spectrum.wgsl` and `spectrum_update.wgsl`) and packs the
//! filters for the next step (`pack.wgsl`). All sums have a fixed order: the same steps on the same adapter give the
//! same bits.
//!
//! [`Trainer`] runs steps on chosen sub-images of a shard that is in memory.

mod buffers;
mod convolution;
mod first_layers;
mod layer_place;
mod loss;
mod maps;
mod options;
mod pack;
mod pictures;
mod pointwise;
mod shaders;
mod slot;
mod stages;
mod state;
mod trainer;
mod update;
mod weight_gradient;

use crate::gpu::adapter::AdapterKind;
use crate::gpu::compile::Binding;
use crate::gpu::kernels::WeightLoad;
pub use options::TrainerOptions;
pub use trainer::Trainer;

/// Feature maps, as kernels write them.
const MAPS: Binding = Binding::Target(wgpu::TextureFormat::Rgba32Float);

/// What readbacks wait for, named in errors.
const WHAT: &str = "training steps";

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
    /// How invocations of 1x1 convolutions and of `conv_fused_batch.wgsl` load their weights. With subgroups, a
    /// workgroup must consist of whole ones.
    pub weight_load: WeightLoad,
    /// Whether layers 1 and 2 run forward in one kernel where `conv_fused_batch.wgsl` covers them.
    pub first_layers: bool,
}

impl Shape {
    /// Defaults for a device, before any measurement.
    pub fn for_device(device: &wgpu::Device) -> Self {
        let AdapterKind { software, subgroup_lanes, .. } = AdapterKind::of(device);
        if software.is_some() { Self::for_software(subgroup_lanes) } else { Self::for_gpus() }
    }

    /// Defaults for software adapters, which have subgroups of so many lanes, or none. Invocations are the 8 lanes of a
    /// vector, and registers live in the first-level cache.
    pub fn for_software(subgroup_lanes: Option<u32>) -> Self {
        let subgroup = subgroup_lanes.filter(|&lanes| lanes == 8).map(WeightLoad::Subgroup);
        Self {
            spatial: (7, 2),
            pointwise: 64,
            workgroup: 8,
            parts: 16,
            weight_sums: (400, 1024),
            weight_load: subgroup.unwrap_or(WeightLoad::Uniform),
            first_layers: subgroup.is_some(),
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
        }
    }
}

/// Number of parts of a batch that are summed separately.
fn parts(batch: usize, shape: &Shape) -> usize {
    shape.parts.clamp(1, batch)
}
