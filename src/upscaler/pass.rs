//! A pass over maps: a kernel, its weights, and how far around a tile it computes.

use crate::error::Result;
use crate::gpu::kernel::{Binding, Compiler, Kernel};
use crate::gpu::kernels::{Shader, WEIGHT_COLUMNS, WeightStore};
use crate::gpu::scoped;
use crate::precision::{Precision, half};

/// The format of feature maps.
pub(crate) fn map_format(precision: Precision) -> wgpu::TextureFormat {
    match precision {
        Precision::F32 => wgpu::TextureFormat::Rgba32Float,
        Precision::F16 => wgpu::TextureFormat::Rgba16Float,
    }
}

/// Feature maps in 32 bits, as kernels write them.
pub(crate) const MAPS: Binding = Binding::Target(wgpu::TextureFormat::Rgba32Float);

/// A pass over maps: a layer's kernel and filters, or several layers' in one.
#[derive(Debug)]
pub(crate) struct Pass {
    pub kernel: Kernel,
    /// The layer whose valid-pixel map it uses.
    pub layer: usize,
    /// Planes that it writes.
    pub planes: usize,
    /// Pixels on each side of a tile that it computes.
    pub reach: usize,
    /// Columns and rows that a workgroup computes.
    pub covers: [u32; 2],
    /// Parts of the filters that fit one binding, each its own dispatch.
    pub chunks: Vec<Chunk>,
    weights: GpuWeights,
    /// Length of a chunk's binding, in bytes.
    binding: u64,
}

/// Some of a layer's filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// First filter.
    pub first_filter: usize,
    /// Groups of filters: the dispatch's z.
    pub groups: usize,
    /// Position in the weight buffer, in bytes.
    pub(super) offset: u64,
}

impl Chunk {
    /// All that there is.
    pub const ALL: Self = Self { first_filter: 0, groups: 1, offset: 0 };
}

/// What a pass computes, and from what; what a [`Pass`] is compiled from.
#[derive(Debug)]
pub(super) struct Design {
    pub shader: Shader,
    pub layer: usize,
    pub planes: usize,
    pub reach: usize,
    pub covers: [u32; 2],
    pub chunks: Vec<Chunk>,
    pub store: WeightStore,
    /// Length of a chunk's binding, in bytes; of no meaning in a texture.
    pub binding: u64,
    /// Precision of the weights on the device, and of the maps that are written.
    pub precision: Precision,
    /// The weights, in the kernel's order.
    pub weights: Vec<f32>,
}

impl Pass {
    /// Compiles a kernel and uploads its weights.
    pub(super) fn new(compiler: Compiler<'_>, queue: &wgpu::Queue, design: Design) -> Result<Self> {
        let device = compiler.device;
        let Design { shader, layer, planes, reach, covers, chunks, store, binding, precision, weights } =
            design;
        let weights_kind = match store {
            WeightStore::Uniform => Binding::Uniform,
            WeightStore::Storage => Binding::Read,
            WeightStore::Texture => Binding::Texture,
        };
        let output = Binding::Target(map_format(precision));
        let bindings = [Binding::Region, weights_kind, Binding::Read, Binding::Texture, output];
        let kernel = Kernel::new(compiler, &shader, &bindings)?;
        let weights = GpuWeights::new(device, queue, store, precision, weights)?;
        Ok(Self { kernel, layer, planes, reach, covers, chunks, weights, binding })
    }

    /// Puts other weights, packed alike, in place of its own, for whatever is submitted from now on.
    #[cfg(feature = "headless")]
    pub(super) fn replace(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        weights: Vec<f32>,
    ) -> Result<()> {
        scoped(device, || self.weights.write(queue, weights))
    }

    /// The bind groups, one a chunk.
    pub fn bind(
        &self,
        device: &wgpu::Device,
        region: wgpu::BindingResource<'_>,
        valid_map: &wgpu::Buffer,
        input: &wgpu::TextureView,
        output: &wgpu::TextureView,
    ) -> Vec<wgpu::BindGroup> {
        let size = std::num::NonZeroU64::new(self.binding);
        let bind = |chunk: &Chunk| {
            let weights = match &self.weights {
                GpuWeights::Buffer(buffer, _) => {
                    wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: chunk.offset, size })
                }
                GpuWeights::Texture(view) => wgpu::BindingResource::TextureView(view),
            };
            let [input, output] = [input, output].map(wgpu::BindingResource::TextureView);
            let resources = [region.clone(), weights, valid_map.as_entire_binding(), input, output];
            self.kernel.bind(device, &resources)
        };
        self.chunks.iter().map(bind).collect()
    }

    /// Workgroups for an output of `columns` x `rows`.
    pub fn workgroups(&self, columns: u32, rows: u32, chunk: &Chunk) -> [u32; 3] {
        [columns.div_ceil(self.covers[0]), rows.div_ceil(self.covers[1]), chunk.groups as u32]
    }
}

/// Weights on the device.
#[derive(Debug)]
enum GpuWeights {
    Buffer(wgpu::Buffer, Precision),
    Texture(wgpu::TextureView),
}

impl GpuWeights {
    fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        store: WeightStore,
        precision: Precision,
        weights: Vec<f32>,
    ) -> Result<Self> {
        let count = weights.len();
        let buffer = |usage| wgpu::BufferDescriptor {
            label: Some("srcnn.conv.weights"),
            size: (count * precision.bytes()) as u64,
            usage: usage | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        };
        scoped(device, || {
            let own = match store {
                WeightStore::Uniform => {
                    Self::Buffer(device.create_buffer(&buffer(wgpu::BufferUsages::UNIFORM)), precision)
                }
                WeightStore::Storage => {
                    Self::Buffer(device.create_buffer(&buffer(wgpu::BufferUsages::STORAGE)), precision)
                }
                WeightStore::Texture => {
                    let texture = device.create_texture(&wgpu::TextureDescriptor {
                        label: Some("srcnn.conv.weights"),
                        size: texture_size(count),
                        mip_level_count: 1,
                        sample_count: 1,
                        dimension: wgpu::TextureDimension::D2,
                        format: wgpu::TextureFormat::Rgba32Float,
                        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
                        view_formats: &[],
                    });
                    Self::Texture(texture.create_view(&wgpu::TextureViewDescriptor::default()))
                }
            };
            own.write(queue, weights);
            own
        })
    }

    fn write(&self, queue: &wgpu::Queue, mut weights: Vec<f32>) {
        match self {
            Self::Buffer(buffer, Precision::F32) => {
                queue.write_buffer(buffer, 0, bytemuck::cast_slice(&weights));
            }
            Self::Buffer(buffer, Precision::F16) => {
                let halves: Vec<u16> = weights.into_iter().map(half).collect();
                queue.write_buffer(buffer, 0, bytemuck::cast_slice(&halves));
            }
            Self::Texture(view) => {
                let size = texture_size(weights.len());
                weights.resize((4 * size.width * size.height) as usize, 0.0);
                let layout = wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(16 * size.width),
                    rows_per_image: None,
                };
                let to = view.texture().as_image_copy();
                queue.write_texture(to, bytemuck::cast_slice(&weights), layout, size);
            }
        }
    }
}

/// Size of the texture that holds this many weights.
fn texture_size(weights: usize) -> wgpu::Extent3d {
    let height = weights.div_ceil(4 * WEIGHT_COLUMNS) as u32;
    wgpu::Extent3d { width: WEIGHT_COLUMNS as u32, height, depth_or_array_layers: 1 }
}
