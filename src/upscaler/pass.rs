//! A pass over maps: a kernel, its weights, and how far beyond a tile it computes.

use super::outline::{Chunk, PassShape};
use crate::error::Result;
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::kernels::{MapRead, Shader, WEIGHT_COLUMNS, WeightStore};
use crate::gpu::memory::{buffer, texture, upload, view};
use crate::gpu::scoped;
use crate::precision::{Precision, half};

/// The format of feature maps.
pub(super) fn map_format(precision: Precision) -> wgpu::TextureFormat {
    match precision {
        Precision::F32 => wgpu::TextureFormat::Rgba32Float,
        Precision::F16 => wgpu::TextureFormat::Rgba16Float,
    }
}

/// 32-bit feature maps, as kernels write them.
pub(super) const MAPS: Binding = Binding::Target(wgpu::TextureFormat::Rgba32Float);

/// A pass over maps: the kernel and weights of one layer, or of several fused layers.
#[derive(Debug)]
pub(super) struct Pass {
    pub kernel: Kernel,
    pub shape: PassShape,
    weights: GpuWeights,
    /// Length of a chunk's binding, in bytes.
    binding: u64,
}

/// What a [`Pass`] is compiled from: its kernel, its weights, and what it computes.
#[derive(Debug)]
pub(super) struct PassDescriptor {
    pub shader: Shader,
    pub shape: PassShape,
    pub store: WeightStore,
    /// How the input is read, and weights in a texture.
    pub map_read: MapRead,
    /// Length of a chunk's binding, in bytes; unused for a texture.
    pub binding: u64,
    /// Precision of the weights on the device.
    pub weight_precision: Precision,
    /// Precision of the maps written.
    pub precision: Precision,
    /// The weights, in the kernel's order.
    pub weights: Vec<f32>,
}

impl PassDescriptor {
    /// A pass in single precision with all weights in one binding.
    pub fn single(
        shader: Shader,
        [layer, planes, reach]: [usize; 3],
        covers: [u32; 2],
        store: WeightStore,
        weights: Vec<f32>,
    ) -> Self {
        let binding = (4 * weights.len()) as u64;
        let shape = PassShape { layer, terms: 0, planes, reach, covers, chunks: vec![Chunk::ALL] };
        let (map_read, precision) = (MapRead::Sampled, Precision::F32);
        Self { shader, shape, store, map_read, binding, weight_precision: precision, precision, weights }
    }

    /// The same with weights in this precision.
    pub fn weights_in(self, precision: Precision) -> Self {
        let binding = (precision.bytes() * self.weights.len()) as u64;
        Self { binding, weight_precision: precision, ..self }
    }

    /// Sets [`PassDescriptor::map_read`].
    pub fn reading(self, map_read: MapRead) -> Self {
        Self { map_read, ..self }
    }

    /// What the kernel binds: the region, its weights, the valid-pixel map, its input, and its output.
    pub fn bindings(&self) -> [Binding; 5] {
        let weights = self.store.binding(self.map_read);
        let output = Binding::Target(map_format(self.precision));
        [Binding::Region, weights, Binding::Read, self.map_read.binding(), output]
    }
}

impl Pass {
    /// Compiles a kernel and uploads its weights.
    pub(super) fn new(
        compiler: Compiler<'_>,
        queue: &wgpu::Queue,
        descriptor: PassDescriptor,
    ) -> Result<Self> {
        let device = compiler.device;
        let kernel = Kernel::new(compiler, &descriptor.shader, &descriptor.bindings())?;
        let (shape, binding) = (descriptor.shape.clone(), descriptor.binding);
        Ok(Self { kernel, shape, weights: GpuWeights::new(device, queue, descriptor)?, binding })
    }

    /// The same kernel with other weights of the same layout.
    pub(super) fn with_weights(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        descriptor: PassDescriptor,
    ) -> Result<Self> {
        let weights = GpuWeights::new(device, queue, descriptor)?;
        Ok(Self { kernel: self.kernel.clone(), shape: self.shape.clone(), weights, binding: self.binding })
    }

    /// Bytes of the weights on the device.
    pub(super) fn bytes(&self) -> u64 {
        match &self.weights {
            GpuWeights::Buffer(buffer, _) => buffer.size(),
            GpuWeights::Texture(view) => {
                let texture = view.texture();
                u64::from(texture.width()) * u64::from(texture.height()) * 4 * size_of::<f32>() as u64
            }
        }
    }

    /// Replaces the weights with others of the same layout, for everything submitted from now on.
    pub(super) fn replace(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        weights: Vec<f32>,
    ) -> Result<()> {
        scoped(device, || self.weights.write(queue, weights))
    }

    /// The bind groups, one per chunk.
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
        self.shape.chunks.iter().map(bind).collect()
    }
}

/// Weights on the device.
#[derive(Debug)]
enum GpuWeights {
    Buffer(wgpu::Buffer, Precision),
    Texture(wgpu::TextureView),
}

impl GpuWeights {
    fn new(device: &wgpu::Device, queue: &wgpu::Queue, descriptor: PassDescriptor) -> Result<Self> {
        let PassDescriptor { store, weight_precision: precision, weights, .. } = descriptor;
        let count = weights.len();
        let label = "srcnn.conv.weights";
        let buffer = |usage| {
            let size = (count * precision.bytes()) as u64;
            Self::Buffer(buffer(device, label, size, usage | wgpu::BufferUsages::COPY_DST), precision)
        };
        scoped(device, || {
            let own = match store {
                WeightStore::Uniform => buffer(wgpu::BufferUsages::UNIFORM),
                WeightStore::Storage => buffer(wgpu::BufferUsages::STORAGE),
                WeightStore::Texture => {
                    use wgpu::TextureUsages as Usage;
                    let usage = Usage::TEXTURE_BINDING | Usage::STORAGE_BINDING | Usage::COPY_DST;
                    let format = wgpu::TextureFormat::Rgba32Float;
                    Self::Texture(view(&texture(device, label, texture_size(count), format, usage)))
                }
            };
            own.write(queue, weights);
            own
        })
    }

    fn write(&self, queue: &wgpu::Queue, weights: Vec<f32>) {
        let size = texture_size(weights.len());
        match self {
            Self::Buffer(buffer, precision) => {
                queue.write_buffer(buffer, 0, &packed_bytes(weights, WeightStore::Uniform, *precision));
            }
            Self::Texture(view) => {
                let bytes = packed_bytes(weights, WeightStore::Texture, Precision::F32);
                upload(queue, view.texture(), size, &bytes);
            }
        }
    }
}

/// Weights as the device has them: a buffer's bytes, or all rows of a texture, the last one filled up with zeros.
pub(super) fn packed_bytes(mut weights: Vec<f32>, store: WeightStore, precision: Precision) -> Vec<u8> {
    if store == WeightStore::Texture {
        let [width, height] = texture_size(weights.len());
        weights.resize((4 * width * height) as usize, 0.0);
    }
    match precision {
        Precision::F32 => bytemuck::cast_slice(&weights).to_vec(),
        Precision::F16 => weights.into_iter().flat_map(|weight| half(weight).to_ne_bytes()).collect(),
    }
}

/// Size of the texture that holds this many weights.
pub(super) fn texture_size(weights: usize) -> [u32; 2] {
    [WEIGHT_COLUMNS as u32, weights.div_ceil(4 * WEIGHT_COLUMNS) as u32]
}
