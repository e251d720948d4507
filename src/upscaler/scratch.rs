//! The buffers in which one tile is computed, their bind groups, and the list of dispatches.

use std::num::NonZeroU64;

use super::network::{GpuNetwork, Picture};
use super::plan::Span;
use super::region::{PlaneLayout, Region};
use crate::error::Result;
use crate::gpu::kernel::Kernel;
use crate::gpu::scoped;
use crate::gpu::shaders::PIXEL_WORKGROUP;

/// Where tiles lie in the textures that are read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// The textures hold the whole pictures.
    Whole,
    /// The textures hold only what the tile reads and writes, at texel 0.
    Tile,
}

/// Buffers for one tile at a time and everything bound to them.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Planes of the tile's part of the low-resolution picture.
    source: (PlaneLayout, wgpu::Buffer),
    /// The same with columns resampled.
    horizontal: (PlaneLayout, wgpu::Buffer),
    /// Inputs of the layers; the first holds the bicubic planes Y, and the last one the result F(Y).
    maps: Vec<(PlaneLayout, wgpu::Buffer)>,
    regions: wgpu::Buffer,
    resample: [wgpu::BindGroup; 2],
    pad: Vec<wgpu::BindGroup>,
    conv: Vec<Vec<wgpu::BindGroup>>,
}

/// Bind groups of the textures that a tile is read from and written to.
#[derive(Debug, Clone)]
pub(crate) struct TextureBindings {
    source: wgpu::BindGroup,
    target: wgpu::BindGroup,
}

/// Layouts of all buffers for tiles of at most `tile` pixels that read at most `source` pixels.
struct Layouts {
    source: PlaneLayout,
    horizontal: PlaneLayout,
    maps: Vec<PlaneLayout>,
}

impl Layouts {
    fn new(network: &GpuNetwork, planes: usize, tile: [usize; 2], source: [usize; 2]) -> Self {
        let mut reach = network.architecture.radius();
        let layers = network.architecture.layers();
        let map = |planes, reach: usize| PlaneLayout::new(planes, tile[1] + 2 * reach, tile[0] + 2 * reach);
        let mut maps = vec![map(planes, reach)];
        for layer in layers {
            reach -= layer.radius();
            maps.push(map(layer.filters, reach));
        }
        Self {
            source: PlaneLayout::new(planes, source[1], source[0]),
            horizontal: PlaneLayout::new(planes, source[1], maps[0].stride),
            maps,
        }
    }

    /// Bytes of each storage buffer: source, horizontal, bicubic, then the ping-pong pair of hidden maps and the result.
    fn buffers(&self) -> Vec<u64> {
        let last = self.maps.len() - 1;
        let hidden = |parity| {
            let maps = self.maps[1..last].iter().skip(parity).step_by(2);
            maps.map(PlaneLayout::bytes).max().unwrap_or(16)
        };
        let single =
            [&self.source, &self.horizontal, &self.maps[0], &self.maps[last]].map(PlaneLayout::bytes);
        [&single[..3], &[hidden(0), hidden(1)], &single[3..]].concat()
    }
}

/// Largest storage buffer, and all of them together, for tiles of `tile` x `tile` of a picture without resampling;
/// what the choice of a tile size starts from.
pub(crate) fn bytes_for_tile(network: &GpuNetwork, tile: usize) -> [u64; 2] {
    let reach = tile + 2 * network.architecture.radius() + 4;
    let buffers = Layouts::new(network, 4, [tile; 2], [reach; 2]).buffers();
    [buffers.iter().copied().max().unwrap_or(0), buffers.iter().sum()]
}

impl Scratch {
    /// Creates the buffers for the plan's largest tile. `tiles` regions lists fit at a time.
    ///
    /// # Errors
    /// Out of memory, or a binding larger than the device allows: a smaller tile helps.
    pub fn new(device: &wgpu::Device, network: &GpuNetwork, picture: &Picture, tiles: usize) -> Result<Self> {
        let layouts =
            Layouts::new(network, picture.planes, picture.plan.largest(), picture.plan.largest_source());
        let limits = device.limits();
        let limit = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        let sizes = layouts.buffers();
        if let Some(bytes) = sizes.iter().find(|&&bytes| bytes > limit) {
            let reason = format!("a tile's buffer of {bytes} bytes, the device allows {limit}");
            return Err(crate::Error::OutOfMemory(reason));
        }
        let names = ["source", "horizontal", "bicubic", "hidden0", "hidden1", "result"];
        scoped(device, || {
            let buffers: Vec<_> = names
                .iter()
                .zip(&sizes)
                .map(|(name, &size)| {
                    device.create_buffer(&wgpu::BufferDescriptor {
                        label: Some(&format!("srcnn.{name}")),
                        size,
                        usage: wgpu::BufferUsages::STORAGE,
                        mapped_at_creation: false,
                    })
                })
                .collect();
            let regions = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("srcnn.regions"),
                size: (tiles * network.region_count() * Region::SPACING) as u64,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let last = layouts.maps.len() - 1;
            let maps: Vec<_> = layouts
                .maps
                .into_iter()
                .enumerate()
                .map(|(i, layout)| {
                    let buffer = match i {
                        0 => &buffers[2],
                        i if i == last => &buffers[5],
                        i => &buffers[3 + (i - 1) % 2],
                    };
                    (layout, buffer.clone())
                })
                .collect();
            let region = || region_binding(&regions);
            let entire = wgpu::Buffer::as_entire_binding;
            let resample = |axis: usize, input: &wgpu::Buffer, output: &wgpu::Buffer| {
                let taps = entire(&picture.taps[axis].buffer);
                network.resample[axis].bind(device, &[region(), taps, entire(input), entire(output)])
            };
            let layers = network.layers.iter().zip(&picture.valid_maps).enumerate();
            Self {
                resample: [resample(0, &buffers[0], &buffers[1]), resample(1, &buffers[1], &buffers[2])],
                pad: maps[..last]
                    .iter()
                    .map(|m| network.pad.bind(device, &[region(), entire(&m.1)]))
                    .collect(),
                conv: layers
                    .map(|(i, (layer, map))| layer.bind(device, region(), map, &maps[i].1, &maps[i + 1].1))
                    .collect(),
                source: (layouts.source, buffers[0].clone()),
                horizontal: (layouts.horizontal, buffers[1].clone()),
                maps,
                regions,
            }
        })
    }

    /// Binds the textures that tiles are read from and written to.
    pub fn bind_textures(
        &self,
        device: &wgpu::Device,
        network: &GpuNetwork,
        source: &wgpu::TextureView,
        target: &wgpu::TextureView,
    ) -> TextureBindings {
        let region = || region_binding(&self.regions);
        let entire = wgpu::Buffer::as_entire_binding;
        let view = wgpu::BindingResource::TextureView;
        let result = &self.maps[self.maps.len() - 1].1;
        let target = [region(), entire(result), entire(&self.maps[0].1), view(target)];
        TextureBindings {
            source: network.from_texture.bind(device, &[region(), view(source), entire(&self.source.1)]),
            target: network.to_texture.bind(device, &target),
        }
    }

    /// The regions of a tile's dispatches, one after another at [`Region::SPACING`], as `record` expects them.
    pub fn regions(
        &self,
        network: &GpuNetwork,
        picture: &Picture,
        tile: [&Span; 2],
        placement: Placement,
    ) -> Vec<u8> {
        let radius = network.architecture.radius();
        let planes = picture.planes as u32;
        let both = |value: fn(&Span) -> usize| tile.map(value);
        let size = both(|s| s.len).map(|len| len as u32);
        let source_first = both(|s| s.source.start).map(|v| v as i32);
        let source_size = both(|s| s.source.len()).map(|v| v as u32);
        let at = |texel: [i32; 2]| if placement == Placement::Whole { texel } else { [0, 0] };
        // The region around the tile that reaches `reach` pixels further to each side.
        let around = |reach: usize| Region {
            origin: both(|s| s.first).map(|first| first as i32 - reach as i32),
            size: size.map(|len| len + 2 * reach as u32),
            picture: picture.plan.picture.map(|len| len as i32),
            planes,
            ..Region::default()
        };
        let full = around(radius);
        let taps = [0, 1].map(|axis| picture.taps[axis].count as u32);
        let (bicubic, result) = (self.maps[0].0, self.maps[self.maps.len() - 1].0);
        let mut list = vec![
            Region { size: source_size, offset: at(source_first), ..full }.writes(self.source.0),
            Region { size: [full.size[0], source_size[1]], offset: source_first, taps: taps[0], ..full }
                .reads(self.source.0)
                .writes(self.horizontal.0),
            Region { offset: source_first, taps: taps[1], ..full }.reads(self.horizontal.0).writes(bicubic),
        ];
        let mut reach = radius;
        for (i, layer) in network.layers.iter().enumerate() {
            let shape = network.architecture.layers()[i];
            let (input, output) = (self.maps[i].0, self.maps[i + 1].0);
            list.push(Region { planes: shape.inputs as u32, ..around(reach) }.writes(input));
            reach -= shape.radius();
            for chunk in &layer.chunks {
                let first_filter = chunk.first_filter as u32;
                let region = Region { planes: shape.filters as u32, first_filter, ..around(reach) };
                list.push(region.reads(input).writes(output));
            }
        }
        let target = at(both(|s| s.start).map(|v| v as i32));
        list.push(Region { offset: target, halo: radius as u32, ..around(0) }.reads(result).writes(bicubic));

        let mut bytes = vec![0; list.len() * Region::SPACING];
        for (slot, region) in bytes.chunks_exact_mut(Region::SPACING).zip(&list) {
            slot[..size_of::<Region>()].copy_from_slice(bytemuck::bytes_of(region));
        }
        bytes
    }

    /// The buffer that [`Scratch::regions`] is to be written to, `slot` lists in.
    pub fn region_buffer(&self) -> &wgpu::Buffer {
        &self.regions
    }

    /// Records all dispatches of one tile, whose regions are list number `slot` of the region buffer.
    pub fn record(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        network: &GpuNetwork,
        picture: &Picture,
        textures: &TextureBindings,
        tile: [&Span; 2],
        slot: usize,
    ) {
        let mut next = (slot * network.region_count() * Region::SPACING) as u32;
        let mut dispatch = |kernel: &Kernel, group: &wgpu::BindGroup, [x, y, z]: [u32; 3]| {
            pass.set_pipeline(&kernel.pipeline);
            pass.set_bind_group(0, group, &[next]);
            if x * y * z > 0 {
                pass.dispatch_workgroups(x, y, z);
            }
            next += Region::SPACING as u32;
        };
        let [columns, rows] = tile.map(|s| s.len as u32);
        let [source_columns, source_rows] = tile.map(|s| s.source.len() as u32);
        let radius = network.architecture.radius() as u32;
        let planes = picture.planes as u32;
        let pixels = |columns: u32, rows: u32, planes: u32| {
            [columns.div_ceil(PIXEL_WORKGROUP[0]), rows.div_ceil(PIXEL_WORKGROUP[1]), planes]
        };

        dispatch(&network.from_texture, &textures.source, pixels(source_columns, source_rows, 1));
        let (full_columns, full_rows) = (columns + 2 * radius, rows + 2 * radius);
        dispatch(&network.resample[0], &self.resample[0], pixels(full_columns, source_rows, planes));
        dispatch(&network.resample[1], &self.resample[1], pixels(full_columns, full_rows, planes));

        let pads = picture.padded && tile.iter().any(|s| s.touches_border);
        let mut reach = radius;
        for (i, layer) in network.layers.iter().enumerate() {
            let shape = network.architecture.layers()[i];
            // A filter of one pixel reads nothing outside of the picture.
            let around = if pads && shape.size > 1 { shape.inputs as u32 } else { 0 };
            dispatch(&network.pad, &self.pad[i], pixels(columns + 2 * reach, rows + 2 * reach, around));
            reach -= shape.radius() as u32;
            for (chunk, group) in layer.chunks.iter().zip(&self.conv[i]) {
                let grid = layer.workgroups(columns + 2 * reach, rows + 2 * reach, chunk);
                dispatch(&layer.kernel, group, grid);
            }
        }
        dispatch(&network.to_texture, &textures.target, pixels(columns, rows, 1));
    }
}

/// A region of the buffer, chosen by dynamic offset.
fn region_binding(buffer: &wgpu::Buffer) -> wgpu::BindingResource<'_> {
    wgpu::BindingResource::Buffer(wgpu::BufferBinding {
        buffer,
        offset: 0,
        size: NonZeroU64::new(size_of::<Region>() as u64),
    })
}
