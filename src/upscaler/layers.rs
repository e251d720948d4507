//! A network on the device: one convolution kernel a layer, and its filters packed for it.

use wgpu::util::DeviceExt;

use crate::error::{Error, Result};
use crate::gpu::kernel::{Binding, Kernel};
use crate::gpu::scoped;
use crate::gpu::shaders::{self, ConvShape, ConvVariant};
use crate::network::Padding;
use crate::weights::{Layer, Weights};

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
    /// Packs and uploads a layer's filters and compiles its kernel. `relu` for all but the last layer.
    pub fn new(
        device: &wgpu::Device,
        layer: &Layer,
        relu: bool,
        padding: Padding,
        shape: ConvShape,
    ) -> Result<Self> {
        let limits = device.limits();
        let (variant, packed, chunks) = pack(layer, relu, padding, shape, &limits)?;
        let weights_kind = if variant.uniform { Binding::Uniform } else { Binding::Read };
        let kernel = Kernel::new(
            device,
            &shaders::conv_forward(&variant),
            &[Binding::Region, weights_kind, Binding::Read, Binding::Read, Binding::Write],
        )?;
        let usage = if variant.uniform { wgpu::BufferUsages::UNIFORM } else { wgpu::BufferUsages::STORAGE };
        let weights = scoped(device, || {
            device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
                label: Some("srcnn.conv.weights"),
                contents: bytemuck::cast_slice(&packed),
                usage,
            })
        })?;
        Ok(Self { kernel, variant, chunks, weights })
    }

    /// The bind groups, one a chunk.
    pub fn bind(
        &self,
        device: &wgpu::Device,
        region: wgpu::BindingResource<'_>,
        valid_map: &wgpu::Buffer,
        input: &wgpu::Buffer,
        output: &wgpu::Buffer,
    ) -> Vec<wgpu::BindGroup> {
        let size = std::num::NonZeroU64::new(self.variant.weights as u64 * 16);
        let buffers = [valid_map, input, output].map(wgpu::Buffer::as_entire_binding);
        let [valid_map, input, output] = buffers;
        let bind = |chunk: &Chunk| {
            let weights = wgpu::BufferBinding { buffer: &self.weights, offset: chunk.offset, size };
            let weights = wgpu::BindingResource::Buffer(weights);
            self.kernel
                .bind(device, &[region.clone(), weights, valid_map.clone(), input.clone(), output.clone()])
        };
        self.chunks.iter().map(bind).collect()
    }

    /// Workgroups for an output of `columns` x `rows`.
    pub fn workgroups(&self, columns: u32, rows: u32, chunk: &Chunk) -> [u32; 3] {
        let ConvShape { pixels, workgroup: [x, y] } = self.variant.shape;
        let across = columns.div_ceil(pixels as u32).div_ceil(x);
        [across, rows.div_ceil(self.variant.output_rows as u32).div_ceil(y), chunk.groups as u32]
    }
}

/// Chooses the kernel's variant and lays the filters out for it:
/// `[chunk][group][bias, taps as input, row, column]` of vec4, chunks aligned for bindings.
fn pack(
    layer: &Layer,
    relu: bool,
    padding: Padding,
    shape: ConvShape,
    limits: &wgpu::Limits,
) -> Result<(ConvVariant, Vec<f32>, Vec<Chunk>)> {
    let size = layer.shape.size;
    let bindings = [limits.max_uniform_buffer_binding_size, limits.max_storage_buffer_binding_size];
    let normalized = padding == Padding::Normalized;
    let variant = ConvVariant::new(&layer.shape, relu, normalized, shape, bindings).ok_or_else(|| {
        Error::MissingCapability(format!("storage bindings large enough for {:?}", layer.shape))
    })?;
    let ConvVariant { output_rows, uniform, .. } = variant;
    let (filter_rows, group_filters, group_vecs) =
        (variant.filter_rows(), variant.group_filters(), variant.group_vecs());
    let groups = layer.shape.filters.div_ceil(group_filters);
    let chunk_groups = variant.weights / group_vecs;
    let alignment = if uniform {
        limits.min_uniform_buffer_offset_alignment
    } else {
        limits.min_storage_buffer_offset_alignment
    };
    let chunk_floats = (chunk_groups * group_vecs * 4).next_multiple_of(alignment.max(16) as usize / 4);

    let chunk_count = groups.div_ceil(chunk_groups);
    let mut packed = vec![0.0; chunk_count * chunk_floats];
    for filter in 0..layer.shape.filters {
        let (group, within) = (filter / group_filters, filter % group_filters);
        let start = group / chunk_groups * chunk_floats + group % chunk_groups * group_vecs * 4;
        for output in 0..output_rows {
            let lane = within * output_rows + output;
            packed[start + lane] = layer.bias[filter];
            for c in 0..layer.shape.inputs {
                for i in 0..size {
                    for j in 0..size {
                        let tap = (c * filter_rows + i + output) * size + j;
                        packed[start + (1 + tap) * 4 + lane] =
                            layer.weight[((filter * layer.shape.inputs + c) * size + i) * size + j];
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
        .map(|(i, layer)| GpuLayer::new(device, layer, i < last, padding, shape))
        .collect()
}
