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
mod state;
mod trainer;
mod update;
mod weight_gradient;

use crate::gpu::adapter::AdapterKind;
use crate::gpu::compile::Binding;
use crate::gpu::kernels::{MapRead, WeightLoad};
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
    /// How invocations load weights that all of them want. With subgroups, a workgroup must consist of whole ones.
    pub weight_load: WeightLoad,
    /// Whether layers 1 and 2 run forward in one kernel where `conv_fused_batch.wgsl` covers them.
    pub first_layers: bool,
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
            map_read: MapRead::Sampled,
        }
    }
}

/// Number of parts of a batch that are summed separately.
fn parts(batch: usize, shape: &Shape) -> usize {
    shape.parts.clamp(1, batch)
}
