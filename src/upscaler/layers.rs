//! A network on the device: one convolution kernel a layer, and its filters packed for it.

use wgpu::util::DeviceExt;

use crate::error::{Error, Result};
use crate::gpu::kernel::{Binding, Kernel};
use crate::gpu::scoped;
use crate::gpu::shaders::{self, ConvShape, ConvVariant, Shader};
use crate::network::Padding;
use crate::weights::{Layer, Weights};

/// Feature maps, as kernels write them.
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
    weights: wgpu::Buffer,
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
    offset: u64,
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
    /// Weights in a uniform buffer, or in a storage buffer.
    pub uniform: bool,
    /// Length of a chunk's binding, in bytes.
    pub binding: u64,
    /// The weights, as the kernel wants them.
    pub weights: Vec<f32>,
}

impl Pass {
    /// Compiles a kernel and uploads its weights.
    pub(super) fn new(device: &wgpu::Device, design: Design) -> Result<Self> {
        let Design { shader, layer, planes, reach, covers, chunks, uniform, binding, weights } = design;
        let (weights_kind, usage) = if uniform {
            (Binding::Uniform, wgpu::BufferUsages::UNIFORM)
        } else {
            (Binding::Read, wgpu::BufferUsages::STORAGE)
        };
        let bindings = [Binding::Region, weights_kind, Binding::Read, Binding::Texture, MAPS];
        let kernel = Kernel::new(device, &shader, &bindings)?;
        let weights = scoped(device, || {
            device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
                label: Some("srcnn.conv.weights"),
                contents: bytemuck::cast_slice(&weights),
                usage: usage | wgpu::BufferUsages::COPY_DST,
            })
        })?;
        Ok(Self { kernel, layer, planes, reach, covers, chunks, weights, binding })
    }

    /// Puts other weights, packed alike, in place of its own, for whatever is submitted from now on.
    pub fn replace(&self, device: &wgpu::Device, queue: &wgpu::Queue, weights: &[f32]) -> Result<()> {
        scoped(device, || queue.write_buffer(&self.weights, 0, bytemuck::cast_slice(weights)))
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
            let weights = wgpu::BufferBinding { buffer: &self.weights, offset: chunk.offset, size };
            let weights = wgpu::BindingResource::Buffer(weights);
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

/// One layer by itself.
fn layer(
    limits: &wgpu::Limits,
    layer: &Layer,
    index: usize,
    reach: usize,
    last: bool,
    padding: Padding,
    shape: ConvShape,
) -> Result<Design> {
    let (variant, weights, chunks) = pack(layer, last, padding, shape, limits)?;
    let ConvVariant { registers, output_rows, workgroup: [x, y], uniform, .. } = variant;
    Ok(Design {
        shader: shaders::conv_forward(&variant),
        layer: index,
        planes: layer.shape.filters,
        reach,
        covers: [x * registers.pixels(), y * output_rows as u32],
        chunks,
        uniform,
        binding: variant.weights as u64 * 16,
        weights,
    })
}

/// Chooses the kernel's variant and lays the filters out for it:
/// `[chunk][group][biases, then taps as input, row, column][outputs]`, chunks aligned for bindings.
fn pack(
    layer: &Layer,
    last: bool,
    padding: Padding,
    shape: ConvShape,
    limits: &wgpu::Limits,
) -> Result<(ConvVariant, Vec<f32>, Vec<Chunk>)> {
    let (size, inputs, filters) = (layer.shape.size, layer.shape.inputs, layer.shape.filters);
    let bindings = [limits.max_uniform_buffer_binding_size, limits.max_storage_buffer_binding_size];
    let variant = ConvVariant::new(&layer.shape, last, padding, shape, bindings).ok_or_else(|| {
        Error::MissingCapability(format!("storage bindings large enough for {:?}", layer.shape))
    })?;
    let ConvVariant { output_rows, uniform, .. } = variant;
    let (filter_rows, outputs) = (variant.filter_rows(), variant.registers.outputs());
    let (group_filters, group_floats) = (variant.group_filters(), variant.group_floats());
    let groups = filters.div_ceil(group_filters);
    let chunk_groups = variant.weights * 4 / group_floats;
    let alignment = if uniform {
        limits.min_uniform_buffer_offset_alignment
    } else {
        limits.min_storage_buffer_offset_alignment
    };
    let chunk_floats = (chunk_groups * group_floats).next_multiple_of(alignment.max(16) as usize / 4);

    let chunk_count = groups.div_ceil(chunk_groups);
    let mut packed = vec![0.0; chunk_count * chunk_floats];
    for filter in 0..filters {
        let (group, within) = (filter / group_filters, filter % group_filters);
        let start = group / chunk_groups * chunk_floats + group % chunk_groups * group_floats;
        for row in 0..output_rows {
            let output = within * output_rows + row;
            packed[start + output] = layer.bias[filter];
            for c in 0..inputs {
                for i in 0..size {
                    for j in 0..size {
                        let tap = (c * filter_rows + i + row) * size + j;
                        packed[start + (1 + tap) * outputs + output] =
                            layer.weight[((filter * inputs + c) * size + i) * size + j];
                    }
                }
            }
        }
    }
    let chunks = (0..chunk_count)
        .map(|chunk| Chunk {
            first_filter: chunk * chunk_groups * group_filters,
            groups: chunk_groups.min(groups - chunk * chunk_groups),
            offset: (chunk * chunk_floats * 4) as u64,
        })
        .collect();
    Ok((variant, packed, chunks))
}

/// All layers of a network, each by itself.
pub(super) fn layers(
    limits: &wgpu::Limits,
    weights: &Weights,
    padding: Padding,
    shape: ConvShape,
) -> Result<Vec<Design>> {
    let last = weights.layers().len() - 1;
    let mut reach = weights.architecture().radius();
    let layers = weights.layers().iter().enumerate().map(|(i, one)| {
        reach -= one.shape.radius();
        layer(limits, one, i, reach, i == last, padding, shape)
    });
    layers.collect()
}
