//! The textures in which tiles are computed, one tile at a time, and everything bound to them.

use super::layouts::{Layouts, NAMES, precisions};
use super::network::GpuNetwork;
use super::pass::{Pass, map_format};
use super::region::Region;
use super::steps::{Stage, Step};
use super::tables::PictureTables;
use crate::error::{Error, Result};
use crate::gpu::compile::Kernel;
use crate::gpu::dispatch::record;
use crate::gpu::memory::{DYNAMIC_SPACING, buffer, element_binding, texture, view};
use crate::gpu::scoped;

/// Textures for one tile at a time, their bind groups, and room for the regions of several tiles.
#[derive(Debug)]
pub(super) struct TileTextures {
    pub layouts: Layouts,
    horizontal: wgpu::TextureView,
    bicubic: wgpu::TextureView,
    result: wgpu::TextureView,
    regions: wgpu::Buffer,
    /// Number of regions per list; each tile has a list of its own.
    list: usize,
    rows: wgpu::BindGroup,
    passes: Vec<Vec<wgpu::BindGroup>>,
}

/// Bind groups of the textures that tiles are read from and written to.
#[derive(Debug)]
pub(super) struct EndBindings {
    source: wgpu::BindGroup,
    target: wgpu::BindGroup,
}

impl TileTextures {
    /// Creates the textures for tiles of at most `tile` pixels that read at most `source_rows` rows, with room for the
    /// regions of `lists` tiles.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], also for a texture larger than the device allows; try a smaller tile.
    pub fn new(
        device: &wgpu::Device,
        network: &GpuNetwork,
        tables: &PictureTables,
        tile: [usize; 2],
        source_rows: usize,
        lists: usize,
    ) -> Result<Self> {
        let max_texture_side = device.limits().max_texture_dimension_2d;
        let layouts = Layouts::new(network, tile, source_rows, max_texture_side);
        let sizes = layouts.textures();
        if let Some(side) = sizes.as_flattened().iter().find(|&&side| side > max_texture_side) {
            return Err(Error::OutOfMemory(
                format!("a tile needs a texture of {side} texels, but the device allows {max_texture_side}")
                    .into(),
            ));
        }
        let list = network.steps();
        scoped(device, || {
            use wgpu::BufferUsages as Usage;
            let both = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::STORAGE_BINDING;
            let textures = NAMES.iter().zip(sizes).zip(precisions(network));
            let views: Vec<_> = textures
                .map(|((name, size), precision)| {
                    view(&texture(device, &format!("srcnn.{name}"), size, map_format(precision), both))
                })
                .collect();
            let size = (lists * list * DYNAMIC_SPACING) as u64;
            let regions = buffer(device, "srcnn.regions", size, Usage::UNIFORM | Usage::COPY_DST);
            let last = network.passes().len();
            let map = |i: usize| match i {
                0 => &views[1],
                i if i == last => &views[4],
                i => &views[2 + (i - 1) % 2],
            };
            let bind = |(i, pass): (usize, &Pass)| {
                let valid_map = &tables.valid_maps[pass.layer];
                pass.bind(device, element_binding::<Region>(&regions), valid_map, map(i), map(i + 1))
            };
            let rows = [
                element_binding::<Region>(&regions),
                tables.taps[1].buffer.as_entire_binding(),
                wgpu::BindingResource::TextureView(&views[0]),
                wgpu::BindingResource::TextureView(&views[1]),
            ];
            Self {
                rows: network.resample_rows.bind(device, &rows),
                passes: network.passes().iter().enumerate().map(bind).collect(),
                layouts,
                horizontal: views[0].clone(),
                bicubic: views[1].clone(),
                result: views[4].clone(),
                regions,
                list,
            }
        })
    }

    /// Binds the textures that tiles are read from and written to.
    pub fn bind_ends(
        &self,
        device: &wgpu::Device,
        network: &GpuNetwork,
        tables: &PictureTables,
        source: &wgpu::TextureView,
        target: &wgpu::TextureView,
    ) -> EndBindings {
        let region = || element_binding::<Region>(&self.regions);
        let view = wgpu::BindingResource::TextureView;
        let taps = tables.taps[0].buffer.as_entire_binding();
        let source = [region(), taps, view(source), view(&self.horizontal)];
        let target = [region(), view(&self.result), view(&self.bicubic), view(target)];
        EndBindings {
            source: network.resample_columns.bind(device, &source),
            target: network.to_texture.bind(device, &target),
        }
    }

    /// Writes the regions of a tile's steps to list `list`, before whatever is submitted next.
    pub fn write_regions(&self, queue: &wgpu::Queue, steps: &[Step], list: usize) {
        let bytes = crate::gpu::memory::spaced(steps.iter().map(|step| step.region));
        queue.write_buffer(&self.regions, (list * self.list * DYNAMIC_SPACING) as u64, &bytes);
    }

    /// Records the steps of a tile whose regions are in list `list`; with `only`, the steps of that kernel alone.
    pub fn record(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        network: &GpuNetwork,
        ends: &EndBindings,
        steps: &[Step],
        list: usize,
        only: Option<&Kernel>,
    ) {
        for (number, step) in (list * self.list..).zip(steps) {
            let (kernel, group) = match step.stage {
                Stage::ResampleColumns => (&network.resample_columns, &ends.source),
                Stage::ResampleRows => (&network.resample_rows, &self.rows),
                Stage::Pass { pass, chunk } => (&network.passes()[pass].kernel, &self.passes[pass][chunk]),
                Stage::ToTarget => (&network.to_texture, &ends.target),
            };
            if only.is_none_or(|only| std::ptr::eq(only, kernel)) {
                record(pass, kernel, group, Some(number), step.workgroups);
            }
        }
    }
}
