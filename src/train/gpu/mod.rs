//! Training steps on the GPU: forward, loss, backward and update in WGSL, many recorded at a time.
//!
//! A step gathers its batch from pictures that live on the device (`gather.wgsl`), runs the layers forward
//! (`conv_batch*.wgsl`, `conv_pointwise.wgsl` for 1x1, or the first two at once in `conv_fused_batch.wgsl`), takes the
//! loss of equation 4 and its gradient (`loss.wgsl`, `loss_sum.wgsl`), runs the layers backward (the same kernels with
//! flipped and transposed filters for the input's gradient, `conv_grad_weight*.wgsl` and `grad_sum.wgsl` for the
//! parameters'), updates the parameters (`update.wgsl`, or `spectrum.wgsl` and `spectrum_update.wgsl`) and packs the
//! filters for the next step (`pack*.wgsl`). All sums have a fixed order: the same steps on the same adapter give the
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
mod shape;
mod slot;
mod stages;
mod state;
mod trainer;
mod update;
mod weight_gradient;
mod winograd;

use crate::gpu::compile::Binding;
pub use options::TrainerOptions;
#[cfg(feature = "headless")]
pub(crate) use shaders::training_kernels_hash;
pub use shape::Shape;
pub use trainer::Trainer;

/// Feature maps, as kernels write them.
const MAPS: Binding = Binding::Target(wgpu::TextureFormat::Rgba32Float);

/// What readbacks wait for, named in errors.
const WHAT: &str = "training steps";

/// Number of parts of a batch that are summed separately.
fn parts(batch: usize, shape: &Shape) -> usize {
    shape.parts.clamp(1, batch)
}
