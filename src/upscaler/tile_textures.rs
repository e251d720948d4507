//! The textures in which tiles are computed, one tile at a time, and everything bound to them.

use super::layouts::{Layouts, NAMES, bytes, precisions, texture_of_map};
use super::network::GpuNetwork;
use super::pass::{Pass, map_format};
use super::region::Region;
use super::steps::{Stage, Step};
use super::tables::PictureTables;
use super::target::{ToTarget, render};
use crate::error::{Error, Result};
use crate::gpu::compile::Kernel;
use crate::gpu::dispatch::record;
use crate::gpu::memory::{DYNAMIC_SPACING, buffer, constant, element_binding, spaced, texture, view};
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
    /// Number of the list behind those of tiles, which the device fills while it works.
    spare: usize,
    /// Bytes of textures and regions on the device.
    pub bytes: u64,
    rows: wgpu::BindGroup,
    passes: Vec<Vec<wgpu::BindGroup>>,
}

/// The textures that tiles are read from and written to, and their bind groups.
#[derive(Debug)]
pub(super) struct EndBindings {
    columns: Kernel,
    source: wgpu::BindGroup,
    target: wgpu::BindGroup,
    target_view: wgpu::TextureView,
}

/// Which of the network's kernels to record, between which timestamps.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorded<'a> {
    /// Only this one of [`GpuNetwork::kernels`].
    pub only: Option<usize>,
    pub timestamps: Option<wgpu::ComputePassTimestampWrites<'a>>,
}

impl Recorded<'_> {
    fn wants(&self, kernel: usize) -> bool {
        self.only.is_none_or(|only| only == kernel)
    }

    /// The timestamps of one of several passes: that of its beginning, that of its end.
    fn stamps(&self, first: bool, last: bool) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        let stamps = self.timestamps.as_ref()?;
        let begin = stamps.beginning_of_pass_write_index.filter(|_| first);
        let end = stamps.end_of_pass_write_index.filter(|_| last);
        (begin.or(end).is_some()).then_some(wgpu::ComputePassTimestampWrites {
            query_set: stamps.query_set,
            beginning_of_pass_write_index: begin,
            end_of_pass_write_index: end,
        })
    }
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
        let layouts = Layouts::new(&network.outline, tile, source_rows, max_texture_side);
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
            let textures = NAMES.iter().zip(sizes).zip(precisions(&network.outline));
            let views: Vec<_> = textures
                .map(|((name, size), precision)| {
                    view(&texture(device, &format!("srcnn.{name}"), size, map_format(precision), both))
                })
                .collect();
            let size = ((lists + 1) * list * DYNAMIC_SPACING) as u64;
            let of_textures = bytes(&sizes, precisions(&network.outline));
            let regions = buffer(device, "srcnn.regions", size, Usage::UNIFORM | Usage::COPY_DST);
            let last = network.passes().len();
            let map = |i: usize| &views[texture_of_map(i, last)];
            let bind = |(i, pass): (usize, &Pass)| {
                let valid_map = &tables.valid_maps[pass.shape.layer];
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
                spare: lists,
                bytes: of_textures + size,
            }
        })
    }

    /// Binds the textures that tiles are read from and written to.
    pub fn bind_ends(
        &self,
        device: &wgpu::Device,
        network: &GpuNetwork,
        tables: &PictureTables,
        (source, format): (&wgpu::TextureView, wgpu::TextureFormat),
        target: &wgpu::TextureView,
    ) -> EndBindings {
        let region = || element_binding::<Region>(&self.regions);
        let view = wgpu::BindingResource::TextureView;
        let taps = tables.taps[0].buffer.as_entire_binding();
        let maps = [region(), view(&self.result), view(&self.bicubic)];
        let columns = network.resample_columns(format).clone();
        EndBindings {
            source: columns.bind(device, &[region(), taps, view(source), view(&self.horizontal)]),
            columns,
            target: network.to_target.bind(device, maps, target),
            target_view: target.clone(),
        }
    }

    /// Writes the regions of a tile's steps to list `list`, before whatever is submitted next.
    pub fn write_regions(&self, queue: &wgpu::Queue, steps: &[Step], list: usize) {
        let bytes = spaced(steps.iter().map(|step| step.region));
        queue.write_buffer(&self.regions, (list * self.list * DYNAMIC_SPACING) as u64, &bytes);
    }

    /// Records tiles whose regions were not written before: they are copied to the device on the way, in the order of the
    /// commands, so that nothing has to be submitted between one call and the next.
    pub fn record_with_regions(
        &self,
        device: &wgpu::Device,
        encoder: &mut wgpu::CommandEncoder,
        network: &GpuNetwork,
        ends: &EndBindings,
        tiles: Vec<Vec<Step>>,
    ) -> Result<()> {
        let length = self.list * DYNAMIC_SPACING;
        let mut contents = Vec::with_capacity(tiles.len() * length);
        for steps in &tiles {
            contents.extend(spaced(steps.iter().map(|step| step.region)));
            contents.resize(contents.len().next_multiple_of(length), 0);
        }
        let staged =
            scoped(device, || constant(device, "srcnn.regions", &contents, wgpu::BufferUsages::COPY_SRC))?;
        let length = length as u64;
        for (from, steps) in (0..).zip(tiles) {
            let to = self.spare as u64 * length;
            encoder.copy_buffer_to_buffer(&staged, from * length, &self.regions, to, length);
            let tile = std::iter::once((self.spare, steps));
            self.record(encoder, network, ends, tile, &Recorded::default());
        }
        Ok(())
    }

    /// Records tiles: for each, the number of its list of regions, and its steps. What is stored goes into one compute pass;
    /// a target that is rendered to takes a render pass after each tile's compute pass.
    pub fn record(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        network: &GpuNetwork,
        ends: &EndBindings,
        tiles: impl ExactSizeIterator<Item = (usize, Vec<Step>)>,
        recorded: &Recorded<'_>,
    ) {
        let kernel = match &network.to_target {
            ToTarget::Store(_) => {
                let mut pass = compute_pass(encoder, recorded.timestamps.clone());
                tiles
                    .for_each(|(list, steps)| self.compute(&mut pass, network, ends, &steps, list, recorded));
                return;
            }
            ToTarget::Render(kernel) => kernel,
        };
        let to_target = Stage::ToTarget.kernel(network.passes().len());
        let renders = recorded.wants(to_target);
        let computes = recorded.only != Some(to_target);
        let count = tiles.len();
        for (i, (list, steps)) in tiles.enumerate() {
            let (first, last) = (i == 0, i + 1 == count);
            if computes {
                let mut pass = compute_pass(encoder, recorded.stamps(first, last && !renders));
                self.compute(&mut pass, network, ends, &steps, list, recorded);
            }
            let step = (list * self.list..).zip(&steps).find(|(_, step)| step.stage == Stage::ToTarget);
            if let Some((region, step)) = step.filter(|_| renders) {
                let stamps = recorded.stamps(first && !computes, last).map(of_rendering);
                render(encoder, kernel, (&ends.target, &ends.target_view), &step.region, region, stamps);
            }
        }
    }

    /// Records the steps of a tile that are computed.
    fn compute(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        network: &GpuNetwork,
        ends: &EndBindings,
        steps: &[Step],
        list: usize,
        recorded: &Recorded<'_>,
    ) {
        for (number, step) in (list * self.list..).zip(steps) {
            let (kernel, group) = match (step.stage, &network.to_target) {
                (Stage::ResampleColumns, _) => (&ends.columns, &ends.source),
                (Stage::ResampleRows, _) => (&network.resample_rows, &self.rows),
                (Stage::Pass { pass, chunk }, _) => {
                    (&network.passes()[pass].kernel, &self.passes[pass][chunk])
                }
                (Stage::ToTarget, ToTarget::Store(kernel)) => (kernel, &ends.target),
                (Stage::ToTarget, ToTarget::Render(_)) => continue,
            };
            if recorded.wants(step.stage.kernel(network.passes().len())) {
                record(pass, kernel, group, Some(number), step.workgroups);
            }
        }
    }
}

fn compute_pass<'a>(
    encoder: &'a mut wgpu::CommandEncoder,
    timestamp_writes: Option<wgpu::ComputePassTimestampWrites<'_>>,
) -> wgpu::ComputePass<'a> {
    encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("srcnn"), timestamp_writes })
}

/// The same timestamps for a render pass.
fn of_rendering(stamps: wgpu::ComputePassTimestampWrites<'_>) -> wgpu::RenderPassTimestampWrites<'_> {
    wgpu::RenderPassTimestampWrites {
        query_set: stamps.query_set,
        beginning_of_pass_write_index: stamps.beginning_of_pass_write_index,
        end_of_pass_write_index: stamps.end_of_pass_write_index,
    }
}
