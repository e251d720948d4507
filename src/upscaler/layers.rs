//! A network on the device: one convolution kernel a layer, and its filters packed for it.

use wgpu::util::DeviceExt;

use crate::error::{Error, Result};
use crate::gpu::kernel::{Binding, Kernel};
use crate::gpu::scoped;
use crate::gpu::shaders::{self, ConvShape, ConvVariant};
use crate::network::Padding;
use crate::weights::{Layer, Weights};

/// Feature maps, as kernels write them.
pub(crate) const MAPS: Binding = Binding::Target(wgpu::TextureFormat::Rgba32Float);

/// One layer's kernel and filters.
#[derive(Debug)]
pub(crate) struct GpuLayer {
    pub kernel: Kernel,
    pub variant: ConvVariant,
    /// Parts of the filters that fit one binding, each its own dispatch.
    pub chunks: Vec<Chunk>,
    weights: wgpu::Buffer,
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

impl GpuLayer {
    /// Packs and uploads a layer's filters and compiles its kernel.
    pub fn new(
        device: &wgpu::Device,
        layer: &Layer,
        last: bool,
        padding: Padding,
        shape: ConvShape,
    ) -> Result<Self> {
        let (variant, packed, chunks) = pack(layer, last, padding, shape, &device.limits())?;
        let weights_kind = if variant.uniform { Binding::Uniform } else { Binding::Read };
        let bindings = [Binding::Region, weights_kind, Binding::Read, Binding::Texture, MAPS];
        let kernel = Kernel::new(device, &shaders::conv_forward(&variant), &bindings)?;
        let usage = if variant.uniform { wgpu::BufferUsages::UNIFORM } else { wgpu::BufferUsages::STORAGE };
        let weights = scoped(device, || {
            device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
                label: Some("srcnn.conv.weights"),
                contents: bytemuck::cast_slice(&packed),
                usage: usage | wgpu::BufferUsages::COPY_DST,
            })
        })?;
        Ok(Self { kernel, variant, chunks, weights })
    }

    /// Puts the filters of a layer of the same shape in place of its own, for whatever is submitted from now on.
    fn replace(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        layer: &Layer,
        last: bool,
        padding: Padding,
        shape: ConvShape,
    ) -> Result<()> {
        let (_, packed, _) = pack(layer, last, padding, shape, &device.limits())?;
        scoped(device, || queue.write_buffer(&self.weights, 0, bytemuck::cast_slice(&packed)))
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
        let size = std::num::NonZeroU64::new(self.variant.weights as u64 * 16);
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
        let ConvVariant { registers, output_rows, workgroup: [x, y], .. } = self.variant;
        let across = columns.div_ceil(registers.pixels()).div_ceil(x);
        [across, rows.div_ceil(output_rows as u32).div_ceil(y), chunk.groups as u32]
    }
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

/// Compiles all layers of a network.
pub(crate) fn layers(
    device: &wgpu::Device,
    weights: &Weights,
    padding: Padding,
    shape: ConvShape,
) -> Result<Vec<GpuLayer>> {
    let last = weights.layers().len() - 1;
    weights
        .layers()
        .iter()
        .enumerate()
        .map(|(i, layer)| GpuLayer::new(device, layer, i == last, padding, shape))
        .collect()
}

/// Puts the filters of a network of the same shape in place of those of compiled layers.
pub(crate) fn replace(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    layers: &[GpuLayer],
    weights: &Weights,
    padding: Padding,
    shape: ConvShape,
) -> Result<()> {
    let last = weights.layers().len() - 1;
    let pairs = layers.iter().zip(weights.layers()).enumerate();
    pairs
        .into_iter()
        .try_for_each(|(i, (old, new))| old.replace(device, queue, new, i == last, padding, shape))
}
