//! The last step: from planes to the host's target texture, stored by a compute kernel or rendered to.

use super::options::{SourceKind, TargetAccess, UpscalerOptions};
use super::region::Region;
use crate::error::{Error, Result};
use crate::gpu::compile::{Binding, Compiler, Kernel, RenderKernel};
use crate::gpu::kernels::{self, Light, STORED_FORMATS, Shader, TargetPlanes};
use crate::gpu::memory::{DYNAMIC_SPACING, texture};
use crate::gpu::scoped;

/// How results get into the target.
#[derive(Debug, Clone)]
pub(super) enum ToTarget {
    Store(Kernel),
    Render(RenderKernel),
}

impl ToTarget {
    /// Compiles the kernel for a network with this many channels.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a format that cannot be stored or rendered to, or that does not hold the result; and
    /// what the device reports.
    pub fn new(
        compiler: Compiler<'_>,
        options: &UpscalerOptions,
        ycbcr: bool,
        planes: [usize; 2],
    ) -> Result<Self> {
        let format = options.target_format;
        let (shader, bindings) = program(options, ycbcr, planes)?;
        match options.access() {
            TargetAccess::Store => Kernel::new(compiler, &shader, &bindings).map(Self::Store),
            TargetAccess::Render if !is_rendered_to(compiler.device, format) => refuse(
                format,
                "cannot be rendered to on this device; use Rgba8Unorm, Bgra8Unorm or Rgba16Float, for example",
            ),
            TargetAccess::Render => {
                RenderKernel::rendering(compiler, &shader, &bindings, format).map(Self::Render)
            }
        }
    }

    /// The kernel's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Store(kernel) => kernel.shader.name,
            Self::Render(kernel) => kernel.shader.name,
        }
    }

    /// What the target is used for.
    pub fn usage(&self) -> wgpu::TextureUsages {
        match self {
            Self::Store(_) => wgpu::TextureUsages::STORAGE_BINDING,
            Self::Render(_) => wgpu::TextureUsages::RENDER_ATTACHMENT,
        }
    }

    /// Binds a region and the maps, and the target where a kernel stores to it.
    pub fn bind(
        &self,
        device: &wgpu::Device,
        [region, network, bicubic]: [wgpu::BindingResource<'_>; 3],
        target: &wgpu::TextureView,
    ) -> wgpu::BindGroup {
        match self {
            Self::Store(kernel) => {
                let target = wgpu::BindingResource::TextureView(target);
                kernel.bind(device, &[region, network, bicubic, target])
            }
            Self::Render(kernel) => kernel.bind(device, &[region, network, bicubic]),
        }
    }
}

/// The kernel for a network with this many channels, of so many planes that are resampled, and what it binds: the region, the
/// network's planes, the bicubic ones and, where it stores, the target.
///
/// # Errors
/// [`Error::InvalidArgument`] for a format that no kernel stores to, or that does not hold the result.
pub(super) fn program(
    options: &UpscalerOptions,
    ycbcr: bool,
    [channels, planes]: [usize; 2],
) -> Result<(Shader, Vec<Binding>)> {
    let format = options.target_format;
    let color = options.source == SourceKind::Color;
    if format.components() < if color { 3 } else { channels as u8 } {
        return refuse(format, "has too few channels for the result");
    }
    let light = match (color, format.is_srgb()) {
        (true, true) => Light::LinearBytes,
        (true, false) if options.linear_target => Light::Linear,
        _ => Light::Encoded,
    };
    let planes = TargetPlanes { ycbcr, network: channels, planes, light };
    let mut bindings = vec![Binding::Region, Binding::Texture, Binding::Texture];
    if options.access() == TargetAccess::Render {
        return Ok((kernels::render_from_planes(planes), bindings));
    }
    bindings.push(Binding::Target(format));
    match kernels::texture_from_planes(format, planes) {
        Some(shader) => Ok((shader, bindings)),
        None => refuse(
            format,
            &format!("cannot be stored to; use TargetAccess::Render, or one of {STORED_FORMATS:?}"),
        ),
    }
}

fn refuse<T>(format: wgpu::TextureFormat, why: &str) -> Result<T> {
    Err(Error::invalid(format!("target format {format:?} {why}")))
}

/// Renders a region, which has this number in the buffer, into the part of the target that it covers. The rest of the target
/// stays as it is.
pub(super) fn render(
    encoder: &mut wgpu::CommandEncoder,
    kernel: &RenderKernel,
    (group, target): (&wgpu::BindGroup, &wgpu::TextureView),
    region: &Region,
    number: usize,
    timestamp_writes: Option<wgpu::RenderPassTimestampWrites<'_>>,
) {
    let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        label: Some("srcnn"),
        color_attachments: &[Some(wgpu::RenderPassColorAttachment {
            view: target,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations { load: wgpu::LoadOp::Load, store: wgpu::StoreOp::Store },
        })],
        timestamp_writes,
        ..wgpu::RenderPassDescriptor::default()
    });
    let [x, y] = region.host_texel.map(|at| at as u32);
    let [width, height] = region.size.map(|side| side as u32);
    pass.set_scissor_rect(x, y, width, height);
    pass.set_pipeline(&kernel.pipeline);
    pass.set_bind_group(0, group, &[(number * DYNAMIC_SPACING) as u32]);
    pass.draw(0..3, 0..1);
}

/// Whether a fragment kernel with float results can render to a format. Only the device knows, so it is asked for a texture.
fn is_rendered_to(device: &wgpu::Device, format: wgpu::TextureFormat) -> bool {
    let kind = format.sample_type(Some(wgpu::TextureAspect::All), Some(device.features()));
    matches!(kind, Some(wgpu::TextureSampleType::Float { .. })) && {
        let usage = wgpu::TextureUsages::RENDER_ATTACHMENT;
        scoped(device, || texture(device, "srcnn.probe", [4, 4], format, usage)).is_ok()
    }
}
