//! Which kernels compute a network: by its shape, the kind of adapter and its limits, the precision, and the size of the
//! result. Nothing is compiled here.

use super::outline::{Alignment, Outline};
use super::pass::{MAPS, PassDescriptor};
use super::{SourceKind, UpscalerOptions, fused, fused_workgroup, layers, target, winograd};
use crate::error::Result;
use crate::gpu::adapter::AdapterKind;
use crate::gpu::compile::Binding;
use crate::gpu::kernels::{self, BLOCK, ConvShape, Light, Shader};
use crate::network::{Channels, Padding};
use crate::precision::Precision;
use crate::weights::Weights;

/// Which passes compute the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// The passes of the [`ConvShape`].
    Shape,
    /// Winograd's kernels.
    Winograd,
}

/// What the kernels that resample bind: the region, taps, what they read, and what they write.
pub(super) const RESAMPLE: [Binding; 4] = [Binding::Region, Binding::Read, Binding::Texture, MAPS];

/// What decides which kernels compute a network.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    limits: wgpu::Limits,
    adapter: AdapterKind,
    pub padding: Padding,
    options: UpscalerOptions,
}

impl Selection {
    pub fn new(
        limits: wgpu::Limits,
        adapter: AdapterKind,
        weights: &Weights,
        options: &UpscalerOptions,
    ) -> Self {
        let padding = options.padding.unwrap_or(weights.metadata.padding);
        Self { limits: weight_limits(limits, adapter), adapter, padding, options: options.clone() }
    }

    /// The padding for other weights.
    pub fn padding_of(&self, weights: &Weights) -> Padding {
        self.options.padding.unwrap_or(weights.metadata.padding)
    }

    fn winograd_variant(&self, weights: &Weights) -> Option<winograd::Variant> {
        let variant = || winograd::Variant::new(&self.limits, weights, self.padding, self.options.conv_shape);
        (self.options.precision == Precision::F32).then(variant).flatten()
    }

    /// The path for a result of this many pixels.
    pub fn path(&self, weights: &Weights, pixels: usize) -> Path {
        let layers = weights.layers().iter();
        let multiplications = pixels.saturating_mul(layers.map(|layer| layer.weight.len()).sum());
        let wanted = self.options.winograd.wants(self.adapter.favors_winograd(), multiplications);
        if wanted && self.winograd_variant(weights).is_some() { Path::Winograd } else { Path::Shape }
    }

    /// The passes of a path, and their outline.
    ///
    /// # Errors
    /// [`Error::MissingCapability`](crate::Error::MissingCapability) for filters too large for any binding of the device.
    pub fn passes(&self, weights: &Weights, path: Path) -> Result<(Vec<PassDescriptor>, Outline)> {
        let variant = self.winograd_variant(weights).filter(|_| path == Path::Winograd);
        let (passes, alignment) = match variant {
            Some(variant) => {
                let alignment = Alignment { units: [winograd::SQUARE; 2], radius: last_radius(weights) };
                (variant.passes(weights), alignment)
            }
            None => {
                let &UpscalerOptions { precision, conv_shape, .. } = &self.options;
                passes(&self.limits, weights, self.padding, precision, conv_shape)?
            }
        };
        let outline = self.outline(weights, alignment, &passes);
        Ok((passes, outline))
    }

    fn outline(&self, weights: &Weights, alignment: Alignment, passes: &[PassDescriptor]) -> Outline {
        Outline {
            architecture: weights.architecture().clone(),
            precision: passes.first().map_or(Precision::F32, |pass| pass.precision),
            software: self.adapter.software.is_some(),
            planes: self.planes(weights),
            alignment,
            passes: passes.iter().map(|pass| pass.shape.clone()).collect(),
        }
    }

    /// Number of planes that are resampled.
    fn planes(&self, weights: &Weights) -> usize {
        if self.color() { 4 } else { weights.architecture().channels() }
    }

    fn color(&self) -> bool {
        self.options.source == SourceKind::Color
    }

    /// Whether colors are converted to luminance and chrominance, and back.
    pub fn ycbcr(&self, weights: &Weights) -> bool {
        self.color() && weights.metadata.channels != Channels::Rgb
    }

    /// The kernel that reads the source.
    pub fn columns(&self, weights: &Weights, light: Light) -> Shader {
        kernels::resample_columns(self.ycbcr(weights), light)
    }

    /// What a source gives.
    pub fn light(&self) -> Light {
        if self.options.encodes() { Light::Linear } else { Light::Encoded }
    }

    /// The kernel that makes the bicubic planes.
    pub fn rows(&self) -> Shader {
        kernels::resample_rows(self.padding.into())
    }

    /// Channels of the network, and planes that are resampled.
    pub fn target_planes(&self, weights: &Weights) -> [usize; 2] {
        [weights.architecture().channels(), self.planes(weights)]
    }

    /// The kernel that writes the target, and what it binds.
    ///
    /// # Errors
    /// As [`target::program`].
    pub fn target(&self, weights: &Weights) -> Result<(Shader, Vec<Binding>)> {
        target::program(&self.options, self.ycbcr(weights), self.target_planes(weights))
    }
}

/// The limits of a device for where weights go. FXC takes up to twice as long for kernels with weights in a uniform buffer as for those
/// with a storage buffer (benches/README.md), so for it none goes there.
fn weight_limits(limits: wgpu::Limits, adapter: AdapterKind) -> wgpu::Limits {
    let max_uniform_buffer_binding_size =
        if adapter.fxc { 0 } else { limits.max_uniform_buffer_binding_size };
    wgpu::Limits { max_uniform_buffer_binding_size, ..limits }
}

/// The passes of a network for a shape, and where they begin and end.
fn passes(
    limits: &wgpu::Limits,
    weights: &Weights,
    padding: Padding,
    precision: Precision,
    shape: ConvShape,
) -> Result<(Vec<PassDescriptor>, Alignment)> {
    if let Some(passes) = fused_workgroup::passes(limits, weights, padding, precision, shape) {
        return Ok((passes, Alignment { units: BLOCK.map(|side| side as usize), radius: 0 }));
    }
    // Software adapters, which the other fused kernels are for, gain nothing from half precision.
    let fused = || fused::passes(limits, weights, padding, shape);
    if let Some(passes) = (precision == Precision::F32).then(fused).flatten() {
        return Ok((passes, Alignment { units: [4, 1], radius: last_radius(weights) }));
    }
    Ok((layers::passes(limits, weights, padding, precision, shape)?, Alignment::NONE))
}

/// Radius of the last layer's filters.
fn last_radius(weights: &Weights) -> usize {
    weights.layers().last().map_or(0, |layer| layer.shape.radius())
}

/// The kernels of a network's passes for a shape.
///
/// # Errors
/// [`Error::MissingCapability`](crate::Error::MissingCapability) for filters too large for any binding of the device.
#[cfg(feature = "headless")]
pub(crate) fn pass_shaders(
    device: &wgpu::Device,
    weights: &Weights,
    padding: Padding,
    precision: Precision,
    shape: ConvShape,
) -> Result<Vec<Shader>> {
    let limits = weight_limits(device.limits(), AdapterKind::of(device));
    let (passes, _) = passes(&limits, weights, padding, precision, shape)?;
    Ok(passes.into_iter().map(|pass| pass.shader).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::kernels::WeightStore;
    use crate::weights::Shipped;

    /// The passes of a network on a kind of adapter: name of the kernel, and where its weights are.
    fn chosen(
        model: Shipped,
        adapter: AdapterKind,
        precision: Precision,
    ) -> Vec<(&'static str, WeightStore)> {
        let weights = model.nearest(2.0).unwrap();
        let options = UpscalerOptions::for_shape(ConvShape::for_kind(adapter)).with_precision(precision);
        let selection = Selection::new(wgpu::Limits::defaults(), adapter, &weights, &options);
        let (passes, _) = selection.passes(&weights, selection.path(&weights, 1 << 22)).unwrap();
        passes.into_iter().map(|pass| (pass.shader.name, pass.store)).collect()
    }

    #[test]
    fn gpus_compute_in_blocks_and_fxc_reads_weights_from_storage_buffers() {
        use WeightStore::{Storage, Uniform};
        let gpu = AdapterKind { software: None, subgroup_lanes: None, fxc: false };
        let fxc = AdapterKind { fxc: true, ..gpu };
        let blocks =
            |store| vec![("conv_fused_workgroup", store), ("conv_fused_workgroup_sum", WeightStore::Uniform)];
        assert_eq!(chosen(Shipped::Small, gpu, Precision::F32), blocks(Uniform));
        assert_eq!(chosen(Shipped::Small, gpu, Precision::F16), blocks(Storage));
        assert_eq!(chosen(Shipped::Large, gpu, Precision::F32), [("conv_forward", Uniform); 5]);
        assert_eq!(chosen(Shipped::Small, fxc, Precision::F32), [("conv_forward", Storage); 3]);
        assert_eq!(chosen(Shipped::Large, fxc, Precision::F32), [("conv_forward", Storage); 5]);
    }
}
