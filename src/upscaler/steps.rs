//! What a tile takes: kernels, one after another, and the regions that they work on.

use super::network::{GpuNetwork, Picture};
use super::pass::Pass;
use super::plan::Span;
use super::region::Region;
use super::scratch::{Placement, Scratch};
use crate::gpu::kernel::Kernel;
use crate::gpu::kernels::PIXEL_WORKGROUP;

/// What the regions of a tile are made from.
struct Frame<'a, 't> {
    network: &'a GpuNetwork,
    taps: [u32; 2],
    picture: [i32; 2],
    tile: [&'t Span; 2],
    whole: bool,
}

impl Frame<'_, '_> {
    fn both(&self, value: fn(&Span) -> usize) -> [i32; 2] {
        self.tile.map(|span| value(span) as i32)
    }

    /// Where a texel of the pictures lies in the textures.
    fn at(&self, texel: [i32; 2]) -> [i32; 2] {
        if self.whole { texel } else { [0, 0] }
    }

    /// The region around the tile that reaches this much further to each side, and up to where passes may begin and end.
    fn around(&self, reach: usize) -> Region {
        let mut origin = self.both(|span| span.first).map(|first| first - reach as i32);
        let mut end = self.both(|span| span.first + span.len).map(|end| end + reach as i32);
        let (units, radius) = self.network.units();
        // What earlier passes compute reaches as much further as their filters.
        let before = reach.saturating_sub(radius) as i32;
        for (i, unit) in units.into_iter().enumerate().filter(|&(_, unit)| unit > 1) {
            let unit = unit as i32;
            origin[i] = (origin[i] + before).div_euclid(unit) * unit - before;
            end[i] = (end[i] - before + unit - 1).div_euclid(unit) * unit + before;
        }
        self.region(origin, end)
    }

    fn region(&self, origin: [i32; 2], end: [i32; 2]) -> Region {
        Region { origin, size: minus(end, origin), picture: self.picture, ..Region::default() }
    }
}

/// A kernel, and what it works on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    pub kernel: &'a Kernel,
    pub group: Group<'a>,
    pub region: Region,
    pub workgroups: [u32; 3],
}

/// Where a step's bind group is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Group<'a> {
    Own(&'a wgpu::BindGroup),
    Source,
    Target,
}

impl<'a> Step<'a> {
    /// A step whose invocations own `covers` columns and rows.
    fn per_pixel(kernel: &'a Kernel, group: Group<'a>, region: Region, covers: [u32; 2]) -> Self {
        let [columns, rows] = [0, 1].map(|i| (region.size[i] as u32).div_ceil(covers[i]));
        let workgroups = [columns.div_ceil(PIXEL_WORKGROUP[0]), rows.div_ceil(PIXEL_WORKGROUP[1]), 1];
        Self { kernel, group, region, workgroups }
    }
}

impl Scratch {
    /// What a tile takes, in this order: up to [`GpuNetwork::region_count`] steps.
    pub(super) fn steps<'a>(
        &'a self,
        network: &'a GpuNetwork,
        picture: &Picture,
        tile: [&Span; 2],
        placement: Placement,
    ) -> Vec<Step<'a>> {
        let frame = Frame {
            network,
            taps: picture.taps.each_ref().map(|taps| taps.count as u32),
            picture: picture.plan.picture.map(|len| len as i32),
            tile,
            whole: placement == Placement::Whole,
        };
        let full = frame.around(network.architecture.radius());
        let mut steps = self.resampling(&frame, full).to_vec();
        let mut before = full.origin;
        for ((pass, groups), maps) in network.passes().iter().zip(&self.conv).zip(self.maps.windows(2)) {
            let region = frame.around(pass.reach);
            let input_margin = minus(region.origin, before);
            before = region.origin;
            let region = Region { input_margin, input: maps[0], output: maps[1], ..region };
            steps.extend(Self::pass(pass, groups, region));
        }
        steps.push(self.to_target(&frame, &full, before));
        steps
    }

    /// Resampling into the bicubic planes of a region.
    fn resampling<'a>(&'a self, frame: &Frame<'a, '_>, full: Region) -> [Step<'a>; 2] {
        let Frame { network, tile, taps, .. } = *frame;
        let first = frame.both(|s| s.source.start);
        let full = Region { source_start: first, ..full };
        let columns = Region {
            size: [full.size[0], tile[1].source.len() as i32],
            host_texel: frame.at(first),
            taps: taps[0],
            output: self.horizontal,
            ..full
        };
        let rows = Region { taps: taps[1], input: self.horizontal, output: self.maps[0], ..full };
        [
            Step::per_pixel(&network.resample_columns, Group::Source, columns, [4, 1]),
            Step::per_pixel(&network.resample_rows, Group::Own(&self.rows), rows, [4, 1]),
        ]
    }

    /// A pass from maps to maps.
    fn pass<'a>(
        pass: &'a Pass,
        groups: &'a [wgpu::BindGroup],
        region: Region,
    ) -> impl Iterator<Item = Step<'a>> {
        let [columns, rows] = region.size.map(|len| len as u32);
        pass.chunks.iter().zip(groups).map(move |(chunk, group)| Step {
            kernel: &pass.kernel,
            group: Group::Own(group),
            region: Region { first_filter: chunk.first_filter as u32, ..region },
            workgroups: pass.workgroups(columns, rows, chunk),
        })
    }

    /// From the network's planes, which begin at `origin`, and the bicubic ones of `full`, to the target.
    fn to_target<'a>(&self, frame: &Frame<'a, '_>, full: &Region, origin: [i32; 2]) -> Step<'a> {
        let first = frame.both(|s| s.first);
        let target = Region {
            origin: first,
            size: frame.both(|s| s.len),
            host_texel: frame.at(frame.both(|s| s.start)),
            bicubic_margin: minus(first, full.origin),
            input_margin: minus(first, origin),
            input: self.maps[self.maps.len() - 1],
            bicubic: self.maps[0],
            ..*full
        };
        // From a texel of the network's planes on.
        let [columns, rows] = target.size;
        let texels = Region { size: [columns + target.input_margin[0] % 4, rows], ..target };
        let step = Step::per_pixel(&frame.network.to_texture, Group::Target, texels, [4, 1]);
        Step { region: target, ..step }
    }
}

fn minus(a: [i32; 2], b: [i32; 2]) -> [i32; 2] {
    [a[0] - b[0], a[1] - b[1]]
}
