//! The textures in which one tile is computed, their bind groups, and the list of dispatches.

use std::num::NonZeroU64;

use super::network::{GpuNetwork, Picture};
use super::pass::map_format;
use super::plan::Span;
use super::region::{MapLayout, Region};
use crate::error::{Error, Result};
use crate::gpu::kernel::Kernel;
use crate::gpu::scoped;
use crate::gpu::shaders::PIXEL_WORKGROUP;
use crate::precision::Precision;

/// Where tiles lie in the textures that are read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// The textures hold the whole pictures.
    Whole,
    /// The textures hold only what the tile reads and writes, at texel 0.
    #[cfg_attr(not(feature = "headless"), expect(dead_code, reason = "hosts have whole pictures"))]
    Tile,
}

/// Textures for one tile at a time and everything bound to them.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Inputs of the layers; the first holds the bicubic planes Y, and behind the last layer's is the result F(Y).
    maps: Vec<MapLayout>,
    horizontal: wgpu::TextureView,
    bicubic: wgpu::TextureView,
    result: wgpu::TextureView,
    regions: wgpu::Buffer,
    rows: wgpu::BindGroup,
    conv: Vec<Vec<wgpu::BindGroup>>,
}

/// Bind groups of the textures that a tile is read from and written to.
#[derive(Debug, Clone)]
pub(crate) struct TextureBindings {
    source: wgpu::BindGroup,
    target: wgpu::BindGroup,
}

/// Sizes of all textures for tiles of at most `tile` pixels that read at most `source_rows` rows.
struct Layouts {
    /// The tile with its halo, columns resampled: a texel a pixel.
    horizontal: [u32; 2],
    maps: Vec<MapLayout>,
}

impl Layouts {
    fn new(network: &GpuNetwork, [columns, rows]: [usize; 2], source_rows: usize, longest: u32) -> Self {
        let left = if network.aligned.is_some() { 3 } else { 0 };
        let map =
            |planes, reach| MapLayout::new(planes, columns + 2 * reach + left, rows + 2 * reach, longest);
        let mut maps = vec![map(network.planes, network.architecture.radius())];
        maps.extend(network.passes.iter().map(|pass| map(pass.planes, pass.reach)));
        // Four more, for the last group of 4 pixels.
        Self { horizontal: [maps[0].texels * 4 + 4, source_rows as u32], maps }
    }

    /// Width and height of each texture: horizontal, bicubic, the ping-pong pair of hidden maps, and the result.
    fn textures(&self) -> [[u32; 2]; 5] {
        let last = self.maps.len() - 1;
        let hidden = |parity| {
            let sizes = self.maps[1..last].iter().skip(parity).step_by(2).map(MapLayout::size);
            sizes.fold([1, 1], |[w, h], [width, height]| [w.max(width), h.max(height)])
        };
        [self.horizontal, self.maps[0].size(), hidden(0), hidden(1), self.maps[last].size()]
    }
}

/// Bytes of all textures for tiles of `tile` x `tile` pixels, `None` when one is too large for the device; what the
/// choice of a tile size starts from.
pub(crate) fn bytes_for_tile(network: &GpuNetwork, tile: usize, longest: u32) -> Option<u64> {
    let rows = tile + 2 * network.architecture.radius() + 4;
    let textures = Layouts::new(network, [tile; 2], rows, longest).textures();
    let fits = textures.as_flattened().iter().all(|&side| side <= longest);
    let bytes = |([width, height], precision): (&[u32; 2], Precision)| {
        u64::from(*width) * u64::from(*height) * 4 * precision.bytes() as u64
    };
    fits.then(|| textures.iter().zip(precisions(network)).map(bytes).sum())
}

/// Precision of each texture, in the order of [`Layouts::textures`].
fn precisions(network: &GpuNetwork) -> [Precision; 5] {
    let hidden = network.precision;
    [Precision::F32, Precision::F32, hidden, hidden, Precision::F32]
}

impl Scratch {
    /// Creates the textures for the plan's largest tile. The regions of `lists` tiles fit at a time.
    ///
    /// # Errors
    /// Out of memory, or a texture larger than the device allows: a smaller tile helps.
    pub fn new(device: &wgpu::Device, network: &GpuNetwork, picture: &Picture, lists: usize) -> Result<Self> {
        let longest = device.limits().max_texture_dimension_2d;
        let [_, source_rows] = picture.plan.largest_source();
        let layouts = Layouts::new(network, picture.plan.largest(), source_rows, longest);
        let sizes = layouts.textures();
        if let Some(side) = sizes.as_flattened().iter().find(|&&side| side > longest) {
            return Err(Error::OutOfMemory(format!(
                "a tile's texture of {side} texels, the device allows {longest}"
            )));
        }
        let names = ["horizontal", "bicubic", "hidden0", "hidden1", "result"];
        scoped(device, || {
            let textures = names.iter().zip(sizes).zip(precisions(network));
            let views: Vec<_> = textures
                .map(|((name, size), precision)| map_texture(device, name, size, precision))
                .collect();
            let regions = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("srcnn.regions"),
                size: (lists * network.region_count() * Region::SPACING) as u64,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let last = network.passes.len();
            let map = |i: usize| match i {
                0 => &views[1],
                i if i == last => &views[4],
                i => &views[2 + (i - 1) % 2],
            };
            let region = || region_binding(&regions);
            let view = wgpu::BindingResource::TextureView;
            let taps = picture.taps[1].buffer.as_entire_binding();
            let passes = network.passes.iter().enumerate();
            Self {
                rows: network.resample_rows.bind(device, &[region(), taps, view(&views[0]), view(&views[1])]),
                conv: passes
                    .map(|(i, pass)| {
                        let valid_map = &picture.valid_maps[pass.layer];
                        pass.bind(device, region(), valid_map, map(i), map(i + 1))
                    })
                    .collect(),
                maps: layouts.maps,
                horizontal: views[0].clone(),
                bicubic: views[1].clone(),
                result: views[4].clone(),
                regions,
            }
        })
    }

    /// Binds the textures that tiles are read from and written to.
    pub fn bind_textures(
        &self,
        device: &wgpu::Device,
        network: &GpuNetwork,
        picture: &Picture,
        source: &wgpu::TextureView,
        target: &wgpu::TextureView,
    ) -> TextureBindings {
        let region = || region_binding(&self.regions);
        let view = wgpu::BindingResource::TextureView;
        let taps = picture.taps[0].buffer.as_entire_binding();
        let source = [region(), taps, view(source), view(&self.horizontal)];
        let target = [region(), view(&self.result), view(&self.bicubic), view(target)];
        TextureBindings {
            source: network.resample_columns.bind(device, &source),
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
        let both = |value: fn(&Span) -> usize| tile.map(|span| value(span) as i32);
        let at = |texel: [i32; 2]| if placement == Placement::Whole { texel } else { [0, 0] };
        let around = |reach| {
            let (origin, size) = around(network, tile, reach);
            let picture = picture.plan.picture.map(|len| len as i32);
            Region { origin, size: size.map(|len| len as i32), picture, ..Region::default() }
        };
        let source_first = both(|s| s.source.start);
        let full = Region {
            offset: source_first,
            planes: network.planes as u32,
            ..around(network.architecture.radius())
        };
        let taps = |axis: usize| picture.taps[axis].count as u32;
        let (bicubic, result) = (self.maps[0], self.maps[self.maps.len() - 1]);
        let columns = [full.size[0], tile[1].source.len() as i32];
        let mut list = vec![
            Region { size: columns, source: at(source_first), taps: taps(0), ..full },
            Region { taps: taps(1), ..full }.writes(bicubic),
        ];
        let mut before = full.origin;
        for (pass, maps) in network.passes.iter().zip(self.maps.windows(2)) {
            let region = around(pass.reach);
            let source = minus(region.origin, before);
            before = region.origin;
            for chunk in &pass.chunks {
                let first_filter = chunk.first_filter as u32;
                let region = Region { planes: pass.planes as u32, first_filter, source, ..region };
                list.push(region.reads(maps[0]).writes(maps[1]));
            }
        }
        let first = both(|s| s.first);
        let target = Region {
            origin: first,
            size: both(|s| s.len),
            offset: at(both(|s| s.start)),
            halo: minus(first, full.origin),
            source: minus(first, before),
            planes: full.planes,
            ..full
        };
        list.push(target.reads(result).writes(bicubic));

        let mut bytes = vec![0; list.len() * Region::SPACING];
        for (slot, region) in bytes.chunks_exact_mut(Region::SPACING).zip(&list) {
            slot[..size_of::<Region>()].copy_from_slice(bytemuck::bytes_of(region));
        }
        bytes
    }

    /// The buffer that lists of [`Scratch::regions`] are to be written to, one after another.
    pub fn region_buffer(&self) -> &wgpu::Buffer {
        &self.regions
    }

    /// Records all dispatches of one tile, whose regions are list number `list` of the region buffer.
    #[cfg(feature = "headless")]
    pub fn record(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        network: &GpuNetwork,
        textures: &TextureBindings,
        tile: [&Span; 2],
        list: usize,
    ) {
        self.dispatches(network, textures, tile, list).iter().for_each(|dispatch| dispatch.record(pass));
    }

    /// What `record` records, in that order: [`GpuNetwork::region_count`] dispatches.
    pub fn dispatches<'a>(
        &'a self,
        network: &'a GpuNetwork,
        textures: &'a TextureBindings,
        tile: [&Span; 2],
        list: usize,
    ) -> Vec<Dispatch<'a>> {
        let source_rows = tile[1].source.len() as u32;
        let per_pixel = |columns: u32, rows: u32| {
            [columns.div_ceil(PIXEL_WORKGROUP[0]), rows.div_ceil(PIXEL_WORKGROUP[1]), 1]
        };
        let (_, [columns, rows]) = around(network, tile, network.architecture.radius());
        let mut all = vec![
            (&network.resample_columns, &textures.source, per_pixel(columns, source_rows)),
            (&network.resample_rows, &self.rows, per_pixel(columns.div_ceil(4), rows)),
        ];
        for (pass, groups) in network.passes.iter().zip(&self.conv) {
            let (_, [columns, rows]) = around(network, tile, pass.reach);
            for (chunk, group) in pass.chunks.iter().zip(groups) {
                all.push((&pass.kernel, group, pass.workgroups(columns, rows, chunk)));
            }
        }
        let [columns, rows] = tile.map(|s| s.len as u32);
        all.push((&network.to_texture, &textures.target, per_pixel(columns, rows)));
        let first = list * all.len();
        let numbered = all.into_iter().enumerate().map(|(i, (kernel, group, workgroups))| Dispatch {
            kernel,
            group,
            region: ((first + i) * Region::SPACING) as u32,
            workgroups,
        });
        numbered.collect()
    }
}

/// One dispatch of a tile.
#[derive(Debug)]
pub(crate) struct Dispatch<'a> {
    pub kernel: &'a Kernel,
    group: &'a wgpu::BindGroup,
    /// Offset of its region.
    region: u32,
    workgroups: [u32; 3],
}

impl Dispatch<'_> {
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        let [x, y, z] = self.workgroups;
        pass.set_pipeline(&self.kernel.pipeline);
        pass.set_bind_group(0, self.group, &[self.region]);
        pass.dispatch_workgroups(x, y, z);
    }
}

/// The region around a tile that reaches this much further to each side, and on the left up to where passes may begin:
/// picture coordinates of its first pixel, and its size.
fn around(network: &GpuNetwork, tile: [&Span; 2], reach: usize) -> ([i32; 2], [u32; 2]) {
    let mut origin = tile.map(|span| span.first as i32 - reach as i32);
    if let Some(aligned) = network.aligned {
        // What earlier passes compute begins as much further left as the filters reach.
        let reach_before = reach.saturating_sub(aligned) as i32;
        origin[0] = (origin[0] + reach_before).div_euclid(4) * 4 - reach_before;
    }
    let end = tile.map(|span| (span.first + span.len + reach) as i32);
    (origin, minus(end, origin).map(|len| len as u32))
}

fn minus(a: [i32; 2], b: [i32; 2]) -> [i32; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

fn map_texture(
    device: &wgpu::Device,
    name: &str,
    [width, height]: [u32; 2],
    precision: Precision,
) -> wgpu::TextureView {
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some(&format!("srcnn.{name}")),
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: map_format(precision),
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::STORAGE_BINDING,
        view_formats: &[],
    });
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

/// A region of the buffer, chosen by dynamic offset.
fn region_binding(buffer: &wgpu::Buffer) -> wgpu::BindingResource<'_> {
    wgpu::BindingResource::Buffer(wgpu::BufferBinding {
        buffer,
        offset: 0,
        size: NonZeroU64::new(size_of::<Region>() as u64),
    })
}
