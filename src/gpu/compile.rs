//! Pipelines: the one place that creates shader modules.

use std::cell::Cell;
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
    /// Storage texture of rgba32float, read.
    Source,
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
            Binding::Source => wgpu::BindingType::StorageTexture {
                access: wgpu::StorageTextureAccess::ReadOnly,
                format: wgpu::TextureFormat::Rgba32Float,
                view_dimension: wgpu::TextureViewDimension::D2,
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

thread_local! {
    static COMPILED: Cell<u64> = const { Cell::new(0) };
}

/// How many kernels this thread has compiled so far. What takes time between two equal numbers is no compilation.
pub fn compiled() -> u64 {
    COMPILED.get()
}

/// A compiled kernel and the layout of its one bind group.
#[derive(Debug, Clone)]
pub(crate) struct Kernel<Pipeline = wgpu::ComputePipeline> {
    pub shader: Arc<Shader>,
    pub pipeline: Pipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// A compiled fragment kernel.
pub(crate) type RenderKernel = Kernel<wgpu::RenderPipeline>;

impl Kernel {
    /// Compiles a shader.
    ///
    /// # Errors
    /// What the device reports: a limit exceeded, a driver's refusal, or a cache from another device.
    pub fn new(compiler: Compiler<'_>, shader: &Shader, bindings: &[Binding]) -> Result<Self> {
        Self::compile(compiler, shader, bindings, wgpu::ShaderStages::COMPUTE, |parts| {
            compiler.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(parts.label),
                layout: Some(parts.layout),
                module: parts.module,
                entry_point: Some("main"),
                compilation_options: parts.options,
                cache: compiler.cache,
            })
        })
    }
}

impl RenderKernel {
    /// Compiles a fragment kernel that covers targets of a format.
    ///
    /// # Errors
    /// As [`Kernel::new`]; also for a format that the device does not render to.
    pub fn rendering(
        compiler: Compiler<'_>,
        shader: &Shader,
        bindings: &[Binding],
        format: wgpu::TextureFormat,
    ) -> Result<Self> {
        Self::compile(compiler, shader, bindings, wgpu::ShaderStages::FRAGMENT, |parts| {
            compiler.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some(parts.label),
                layout: Some(parts.layout),
                vertex: wgpu::VertexState {
                    module: parts.module,
                    entry_point: Some("corner"),
                    compilation_options: parts.options.clone(),
                    buffers: &[],
                },
                primitive: wgpu::PrimitiveState::default(),
                depth_stencil: None,
                multisample: wgpu::MultisampleState::default(),
                fragment: Some(wgpu::FragmentState {
                    module: parts.module,
                    entry_point: Some("main"),
                    compilation_options: parts.options,
                    targets: &[Some(format.into())],
                }),
                multiview_mask: None,
                cache: compiler.cache,
            })
        })
    }
}

/// What a pipeline is made from.
struct Parts<'a> {
    label: &'a str,
    layout: &'a wgpu::PipelineLayout,
    module: &'a wgpu::ShaderModule,
    options: wgpu::PipelineCompilationOptions<'a>,
}

impl<Pipeline> Kernel<Pipeline> {
    fn compile(
        Compiler { device, .. }: Compiler<'_>,
        shader: &Shader,
        bindings: &[Binding],
        visibility: wgpu::ShaderStages,
        pipeline: impl FnOnce(Parts<'_>) -> Pipeline,
    ) -> Result<Self> {
        COMPILED.set(COMPILED.get() + 1);
        let label = format!("srcnn.{}", shader.name);
        let entries: Vec<_> = bindings
            .iter()
            .zip(0..)
            .map(|(kind, binding)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility,
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
            let module = trusted_module(device, descriptor);
            let options = wgpu::PipelineCompilationOptions {
                constants: &shader.overrides,
                zero_initialize_workgroup_memory: false,
            };
            let parts = Parts { label: &label, layout: &pipeline_layout, module: &module, options };
            Self { shader: Arc::new(shader.clone()), pipeline: pipeline(parts), layout }
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
