//! Compute pipelines: the one place that creates shader modules.

use std::sync::Arc;

use super::kernels::Shader;
use super::scope::scoped;
use crate::error::Result;

/// The kind of a binding; binding numbers count up from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binding {
    /// Uniform buffer with a dynamic offset: the region in inference, the slot of a training step.
    Region,
    /// Uniform buffer.
    Uniform,
    /// Storage buffer, read only.
    Read,
    /// Storage buffer, read and written.
    #[cfg(any(feature = "headless", feature = "train"))]
    Write,
    /// Sampled float texture, read with `textureLoad`.
    Texture,
    /// Storage texture of the given format, written.
    Target(wgpu::TextureFormat),
}

impl Binding {
    fn ty(self) -> wgpu::BindingType {
        let buffer = |ty, has_dynamic_offset| wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset,
            min_binding_size: None,
        };
        match self {
            Binding::Region => buffer(wgpu::BufferBindingType::Uniform, true),
            Binding::Uniform => buffer(wgpu::BufferBindingType::Uniform, false),
            Binding::Read => buffer(wgpu::BufferBindingType::Storage { read_only: true }, false),
            #[cfg(any(feature = "headless", feature = "train"))]
            Binding::Write => buffer(wgpu::BufferBindingType::Storage { read_only: false }, false),
            Binding::Texture => wgpu::BindingType::Texture {
                sample_type: wgpu::TextureSampleType::Float { filterable: false },
                view_dimension: wgpu::TextureViewDimension::D2,
                multisampled: false,
            },
            Binding::Target(format) => wgpu::BindingType::StorageTexture {
                access: wgpu::StorageTextureAccess::WriteOnly,
                format,
                view_dimension: wgpu::TextureViewDimension::D2,
            },
        }
    }
}

/// What compiles kernels: a device and, optionally, a cache of compiled pipelines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compiler<'a> {
    pub device: &'a wgpu::Device,
    pub cache: Option<&'a wgpu::PipelineCache>,
}

/// A compiled kernel and the layout of its one bind group.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    pub shader: Arc<Shader>,
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

impl Kernel {
    /// Compiles a shader.
    ///
    /// # Errors
    /// What the device reports: a limit exceeded, a driver's refusal, or a cache from another device.
    pub fn new(compiler: Compiler<'_>, shader: &Shader, bindings: &[Binding]) -> Result<Self> {
        let Compiler { device, cache } = compiler;
        let label = format!("srcnn.{}", shader.name);
        let entries: Vec<_> = bindings
            .iter()
            .zip(0..)
            .map(|(kind, binding)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: kind.ty(),
                count: None,
            })
            .collect();
        scoped(device, || {
            let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(&label),
                entries: &entries,
            });
            let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(&label),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
            let descriptor = wgpu::ShaderModuleDescriptor {
                label: Some(&label),
                source: wgpu::ShaderSource::Wgsl(shader.wgsl.as_str().into()),
            };
            let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(&label),
                layout: Some(&pipeline_layout),
                module: &trusted_module(device, descriptor),
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &shader.overrides,
                    zero_initialize_workgroup_memory: false,
                },
                cache,
            });
            Self { shader: Arc::new(shader.clone()), pipeline, layout }
        })
    }

    /// A bind group for this kernel, with `resources` in binding order.
    pub fn bind(&self, device: &wgpu::Device, resources: &[wgpu::BindingResource<'_>]) -> wgpu::BindGroup {
        let entries: Vec<_> = resources
            .iter()
            .zip(0..)
            .map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource: resource.clone() })
            .collect();
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(self.shader.name),
            layout: &self.layout,
            entries: &entries,
        })
    }
}

/// Creates a module without the checks that wgpu would add, unless `SRCNN_CHECKED_SHADERS` is set.
#[expect(unsafe_code, reason = "bounds and loop checks cost a large part of the kernels' speed")]
fn trusted_module(device: &wgpu::Device, descriptor: wgpu::ShaderModuleDescriptor<'_>) -> wgpu::ShaderModule {
    if std::env::var_os("SRCNN_CHECKED_SHADERS").is_some() {
        return device.create_shader_module(descriptor);
    }
    // SAFETY: the shaders are this crate's own. Every loop has a bound that does not depend on data, divisors are
    // constants, and the regions that index buffers are created along with the buffers (src/upscaler/), whose sizes
    // cover them; the tests also run the same shaders with the checks on.
    unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
}
