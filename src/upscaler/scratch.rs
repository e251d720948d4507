//! The textures in which one tile is computed, their bind groups, and the dispatches of a tile.

use std::num::NonZeroU64;

use super::layouts::{Layouts, precisions};
use super::network::{GpuNetwork, Picture};
use super::pass::{Pass, map_format};
use super::plan::Span;
use super::region::{PlaneLayout, Region};
use super::steps::Group;
use crate::error::{Error, Result};
use crate::gpu::kernel::Kernel;
use crate::gpu::scoped;
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
    pub(super) maps: Vec<PlaneLayout>,
    pub(super) horizontal: PlaneLayout,
    across: wgpu::TextureView,
    bicubic: wgpu::TextureView,
    result: wgpu::TextureView,
    regions: wgpu::Buffer,
    pub(super) rows: wgpu::BindGroup,
    pub(super) conv: Vec<Vec<wgpu::BindGroup>>,
}

/// Bind groups of the textures that a tile is read from and written to.
#[derive(Debug, Clone)]
pub(crate) struct TextureBindings {
    source: wgpu::BindGroup,
    target: wgpu::BindGroup,
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
            let last = network.passes().len();
            let map = |i: usize| match i {
                0 => &views[1],
                i if i == last => &views[4],
                i => &views[2 + (i - 1) % 2],
            };
            let region = || region_binding(&regions);
            let view = wgpu::BindingResource::TextureView;
            let taps = picture.taps[1].buffer.as_entire_binding();
            let bind = |pass: &Pass, input, output| {
                pass.bind(device, region(), &picture.valid_maps[pass.layer], input, output)
            };
            let passes = network.passes().iter().enumerate();
            Self {
                rows: network.resample_rows.bind(device, &[region(), taps, view(&views[0]), view(&views[1])]),
                conv: passes.map(|(i, pass)| bind(pass, map(i), map(i + 1))).collect(),
                maps: layouts.maps,
                horizontal: layouts.horizontal,
                across: views[0].clone(),
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
        let source = [region(), taps, view(source), view(&self.across)];
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
        let steps = self.steps(network, picture, tile, placement);
        let mut bytes = vec![0; network.region_count() * Region::SPACING];
        for (slot, step) in bytes.chunks_exact_mut(Region::SPACING).zip(&steps) {
            slot[..size_of::<Region>()].copy_from_slice(bytemuck::bytes_of(&step.region));
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
        picture: &Picture,
        textures: &TextureBindings,
        tile: [&Span; 2],
        list: usize,
    ) {
        let dispatches = self.dispatches(network, picture, textures, tile, list);
        dispatches.iter().for_each(|dispatch| dispatch.record(pass));
    }

    /// What `record` records, in that order.
    pub fn dispatches<'a>(
        &'a self,
        network: &'a GpuNetwork,
        picture: &Picture,
        textures: &'a TextureBindings,
        tile: [&Span; 2],
        list: usize,
    ) -> Vec<Dispatch<'a>> {
        let first = list * network.region_count();
        // Where the textures hold the tile is no matter here.
        let steps = self.steps(network, picture, tile, Placement::Whole);
        let numbered = steps.into_iter().zip(first..).map(|(step, number)| {
            let group = match step.group {
                Group::Own(group) => group,
                Group::Source => &textures.source,
                Group::Target => &textures.target,
            };
            let region = (number * Region::SPACING) as u32;
            Dispatch { kernel: step.kernel, group, region, workgroups: step.workgroups }
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
