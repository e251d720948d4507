//! A part of a result that is computed alone, for hosts that show a part of it.

use std::ops::Range;

use super::plan::{Enlargement, Plan};
use super::steps::Placement;
use super::texture_ref::TextureRef;
use super::{Upscaler, not_prepared};
use crate::error::{Error, Result};
use crate::gpu::scoped;

/// Columns and rows of a result that are computed alone ([`Upscaler::region`]): nothing but what they depend on is read,
/// and their pixels equal those of the whole result bit for bit, those at the borders too.
///
/// The source texture holds the whole source, or a part of it from a pixel on ([`RegionOfInterest::with_source_at`]); the
/// target gets the region from a texel on ([`RegionOfInterest::with_target_at`]). Both need no more than that, so pictures
/// may be larger than any texture.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionOfInterest {
    /// What it is a part of.
    of: (u32, u32),
    enlargement: Enlargement,
    whole: [usize; 2],
    tile: u32,
    plan: Plan,
    columns: Range<u32>,
    rows: Range<u32>,
    source_at: (u32, u32),
    target_at: (u32, u32),
}

impl RegionOfInterest {
    /// Columns and rows of the result.
    pub fn part(&self) -> [Range<u32>; 2] {
        [self.columns.clone(), self.rows.clone()]
    }

    /// Number of tiles into which the region is cut; they may be recorded one at a time, in any order.
    pub fn tiles(&self) -> usize {
        self.plan.tiles()
    }

    /// Columns and rows of the source that are read.
    pub fn source(&self) -> [Range<u32>; 2] {
        [&self.plan.columns, &self.plan.rows].map(|spans| {
            let first = spans.iter().map(|span| span.source.start).min().unwrap_or(0);
            let end = spans.iter().map(|span| span.source.end).max().unwrap_or(0);
            first as u32..end as u32
        })
    }

    /// Says which pixel of the source, column and row, is texel (0, 0) of the source texture; (0, 0) unless this is called.
    #[must_use]
    pub fn with_source_at(self, pixel: (u32, u32)) -> Self {
        Self { source_at: pixel, ..self }
    }

    /// Says which texel of the target, column and row, gets the region's first pixel; (0, 0) unless this is called.
    #[must_use]
    pub fn with_target_at(self, texel: (u32, u32)) -> Self {
        Self { target_at: texel, ..self }
    }

    /// Where things lie in the textures, and the width and height that source and target need.
    fn placement(&self) -> Result<(Placement, [(u32, u32); 2])> {
        let [columns, rows] = self.source();
        let (x, y) = self.source_at;
        if x > columns.start || y > rows.start {
            return Err(Error::invalid(format!(
                "the source texture begins at pixel ({x}, {y}), but the region reads from ({}, {}) on",
                columns.start, rows.start
            )));
        }
        let (across, down) = self.target_at;
        let far = |from: u32, part: &Range<u32>| from.saturating_add(part.end - part.start);
        let sizes = [(columns.end - x, rows.end - y), (far(across, &self.columns), far(down, &self.rows))];
        let target = [(self.columns.start, across), (self.rows.start, down)];
        let placement = Placement::Part {
            source: [x as i32, y as i32],
            // Targets that are too large to count are refused for their size.
            target: target.map(|(pixel, texel)| (i64::from(pixel) - i64::from(texel)) as i32),
        };
        Ok((placement, sizes))
    }
}

impl Upscaler {
    /// The region of these columns and rows of the prepared result, after [`Upscaler::prepare`] or
    /// [`Upscaler::prepare_tiles`]. Records nothing and takes nothing from the device; regions of one size cost as much as
    /// their pixels, wherever they lie.
    ///
    /// ```no_run
    /// # fn frame(upscaler: &mut srcnn_gpu::Upscaler, encoder: &mut srcnn_gpu::wgpu::CommandEncoder,
    /// #     source: &srcnn_gpu::wgpu::Texture, target: &srcnn_gpu::wgpu::Texture) -> srcnn_gpu::Result<()> {
    /// upscaler.prepare_tiles((12000, 9000), 3.0, 1)?; // once per size
    /// let seen = upscaler.region(20_000..20_800, 9_000..9_600)?; // once per place
    /// // Once per frame, as many tiles as there is time for.
    /// upscaler.record_region(encoder, source, target, &seen, 0..1)
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for parts that are empty or outside of the result, and before something is prepared.
    pub fn region(&self, columns: Range<u32>, rows: Range<u32>) -> Result<RegionOfInterest> {
        let ready = self.prepared.as_ref().ok_or_else(not_prepared)?;
        let (width, height) = ready.plan.result_size();
        let within = |part: &Range<u32>, side: u32| part.start < part.end && part.end <= side;
        if !within(&columns, width) || !within(&rows, height) {
            return Err(Error::invalid(format!(
                "columns {columns:?} and rows {rows:?} are not a part of a result of {width}x{height}"
            )));
        }
        let part = [&columns, &rows].map(|part| part.start as usize..part.end as usize);
        Ok(RegionOfInterest {
            of: ready.source,
            enlargement: ready.enlargement,
            whole: ready.plan.result,
            tile: ready.tile,
            plan: ready.plan.part(&ready.resampling, part),
            columns,
            rows,
            source_at: (0, 0),
            target_at: (0, 0),
        })
    }

    /// Records some tiles of a region, from `source` to `target`: textures with usages and formats as for
    /// [`Upscaler::record`], of which no more is read and written than the region needs. A call for each frame spreads a
    /// region over as many frames as it has tiles. Any number of calls may go into one encoder, for this region and others.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if a texture does not meet these requirements, for tiles out of range, and for a region of
    /// another size than the prepared one.
    pub fn record_region<'a>(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: impl Into<TextureRef<'a>>,
        target: impl Into<TextureRef<'a>>,
        region: &RegionOfInterest,
        tiles: Range<usize>,
    ) -> Result<()> {
        let ready = self.prepared.as_ref().ok_or_else(not_prepared)?;
        if (region.of, region.enlargement, region.whole, region.tile)
            != (ready.source, ready.enlargement, ready.plan.result, ready.tile)
        {
            return Err(Error::invalid(
                "the region belongs to another size than the prepared one: call region again",
            ));
        }
        if tiles.end > region.tiles() {
            return Err(Error::invalid(format!(
                "tiles {tiles:?} are out of range: the region has {}",
                region.tiles()
            )));
        }
        let (placement, sizes) = region.placement()?;
        let (source, target) = (source.into(), target.into());
        let format = source.format();
        let [source, target] = self.views([source, target], sizes)?;
        let ends = scoped(&self.device, || {
            let source = (&source, format);
            ready.textures.bind_ends(&self.device, &self.network, &ready.tables, source, &target)
        })?;
        let steps = |tile| ready.steps_of(&self.network, region.plan.tile(tile), placement);
        let steps = tiles.map(steps).collect();
        ready.textures.record_with_regions(&self.device, encoder, &self.network, &ends, steps)
    }
}
