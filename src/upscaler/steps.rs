//! The steps of a tile: stages in order, and the regions that they work on. Pure arithmetic, no GPU.

use super::layouts::Layouts;
use super::outline::Outline;
use super::plan::TileSpan;
use super::region::Region;
use crate::gpu::kernels::PIXEL_WORKGROUP;

/// Where tiles lie in the source and target textures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    /// The textures hold the whole pictures.
    Whole,
    /// The textures hold only what one tile reads and writes, from texel (0, 0) on.
    Tile,
    /// Texel (0, 0) of the source and of the target are these pixels of the pictures.
    Part { source: [i32; 2], target: [i32; 2] },
}

/// One dispatch of a tile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub stage: Stage,
    pub region: Region,
    pub workgroups: [u32; 3],
}

/// What a dispatch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// From the source texture to planes with columns resampled.
    ResampleColumns,
    /// From there to the bicubic planes.
    ResampleRows,
    /// One chunk of the filters of one of the network's passes.
    Pass { pass: usize, chunk: usize },
    /// From planes to the target texture.
    ToTarget,
}

impl Stage {
    /// Its number among the kernels that a tile runs, in order, in a network of this many passes.
    pub fn kernel(self, passes: usize) -> usize {
        match self {
            Self::ResampleColumns => 0,
            Self::ResampleRows => 1,
            Self::Pass { pass, .. } => 2 + pass,
            Self::ToTarget => 2 + passes,
        }
    }
}

/// Everything that the steps of a picture's tiles depend on.
pub(super) struct Frame<'a> {
    pub outline: &'a Outline,
    pub layouts: &'a Layouts,
    /// Taps per output sample: columns, rows.
    pub taps: [u32; 2],
    /// Width and height of the enlarged picture.
    pub picture: [usize; 2],
    pub placement: Placement,
}

impl Frame<'_> {
    /// The steps of a tile, in order.
    pub fn steps(&self, tile: [&TileSpan; 2]) -> Vec<Step> {
        let (outline, maps) = (self.outline, &self.layouts.maps);
        let full = self.around(tile, outline.architecture.radius());
        let mut steps = self.resampling(tile, full).to_vec();
        let mut before = full.origin;
        for (number, (pass, maps)) in outline.passes.iter().zip(maps.windows(2)).enumerate() {
            let region = self.around(tile, pass.reach);
            let input_margin = minus(region.origin, before);
            before = region.origin;
            let terms = pass.terms as u32;
            let region = Region { input_margin, terms, input: maps[0], output: maps[1], ..region };
            let [columns, rows] = region.size.map(|len| len as u32);
            steps.extend(pass.chunks.iter().enumerate().map(|(index, chunk)| Step {
                stage: Stage::Pass { pass: number, chunk: index },
                region: Region { first_filter: chunk.first_filter as u32, ..region },
                workgroups: pass.workgroups(columns, rows, chunk),
            }));
        }
        steps.push(self.to_target(tile, &full, before));
        steps
    }

    /// Position of a pixel of the source in its texture.
    fn source_texel(&self, pixel: [i32; 2]) -> [i32; 2] {
        match self.placement {
            Placement::Whole => pixel,
            Placement::Tile => [0, 0],
            Placement::Part { source, .. } => minus(pixel, source),
        }
    }

    /// Position of a pixel of the result in the target's texture.
    fn target_texel(&self, pixel: [i32; 2]) -> [i32; 2] {
        match self.placement {
            Placement::Whole => pixel,
            Placement::Tile => [0, 0],
            Placement::Part { target, .. } => minus(pixel, target),
        }
    }

    /// The region that extends a tile by `reach` on each side, and on to where passes may begin and end.
    fn around(&self, tile: [&TileSpan; 2], reach: usize) -> Region {
        let mut origin = both(tile, |span| span.first).map(|first| first - reach as i32);
        let mut end = both(tile, |span| span.first + span.len).map(|end| end + reach as i32);
        // Earlier passes reach further by the radius of the filters that follow them.
        let before = reach.saturating_sub(self.outline.alignment.radius) as i32;
        for (i, unit) in self.outline.alignment.units.into_iter().enumerate().filter(|&(_, unit)| unit > 1) {
            let unit = unit as i32;
            origin[i] = (origin[i] + before).div_euclid(unit) * unit - before;
            end[i] = (end[i] - before + unit - 1).div_euclid(unit) * unit + before;
        }
        let picture = self.picture.map(|len| len as i32);
        Region { origin, size: minus(end, origin), picture, ..Region::default() }
    }

    /// Resamples into the bicubic planes of a region.
    fn resampling(&self, tile: [&TileSpan; 2], full: Region) -> [Step; 2] {
        let first = both(tile, |span| span.source.start);
        let full = Region { source_start: first, ..full };
        let columns = Region {
            size: [full.size[0], tile[1].source.len() as i32],
            host_texel: self.source_texel(first),
            terms: self.taps[0],
            output: self.layouts.horizontal,
            ..full
        };
        let rows = Region {
            terms: self.taps[1],
            input: self.layouts.horizontal,
            output: self.layouts.maps[0],
            ..full
        };
        [Step::per_texel(Stage::ResampleColumns, columns), Step::per_texel(Stage::ResampleRows, rows)]
    }

    /// From the network's planes, which begin at `origin`, and the bicubic ones of `full`, to the target.
    fn to_target(&self, tile: [&TileSpan; 2], full: &Region, origin: [i32; 2]) -> Step {
        let first = both(tile, |span| span.first);
        let target = Region {
            origin: first,
            size: both(tile, |span| span.len),
            host_texel: self.target_texel(both(tile, |span| span.start)),
            input_margin: minus(first, origin),
            bicubic_margin: minus(first, full.origin),
            input: self.layouts.result(),
            bicubic: self.layouts.maps[0],
            ..*full
        };
        // Invocations start at whole texels of the network's planes.
        let [columns, rows] = target.size;
        let texels = Region { size: [columns + target.input_margin[0] % 4, rows], ..target };
        Step { region: target, ..Step::per_texel(Stage::ToTarget, texels) }
    }
}

impl Step {
    /// A step whose invocations own 4 pixels of a row.
    fn per_texel(stage: Stage, region: Region) -> Self {
        let [columns, rows] = region.size.map(|len| len as u32);
        Self { stage, region, workgroups: per_texel([columns, rows]) }
    }
}

/// Columns and rows of a workgroup of a kernel whose invocations own 4 pixels of a row.
pub(super) const PIXELS_COVERED: [u32; 2] = [4 * PIXEL_WORKGROUP[0], PIXEL_WORKGROUP[1]];

/// Workgroups of such a kernel.
pub(super) fn per_texel([columns, rows]: [u32; 2]) -> [u32; 3] {
    [columns.div_ceil(PIXELS_COVERED[0]), rows.div_ceil(PIXELS_COVERED[1]), 1]
}

fn both(tile: [&TileSpan; 2], value: fn(&TileSpan) -> usize) -> [i32; 2] {
    tile.map(|span| value(span) as i32)
}

fn minus(a: [i32; 2], b: [i32; 2]) -> [i32; 2] {
    [a[0] - b[0], a[1] - b[1]]
}
