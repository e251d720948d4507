//! Pictures larger than the host's textures: tiles with source and target textures of their own.

use super::layouts::default_tile;
use super::plan::{Enlargement, Plan, TileSpan};
use super::steps::Placement;
use super::tables::PictureTables;
use super::texture_ref::TextureRef;
use super::tile_textures::{Recorded, TileTextures};
use super::{Prepared, Upscaler, not_prepared};
use crate::error::{Error, Result};
use crate::gpu::scoped;
use crate::resample::ResampleTable;

/// How a picture is cut into tiles, and the textures that hold one tile each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileGrid {
    /// Width and height of the whole result.
    pub result: (u32, u32),
    /// Number of tiles.
    pub tiles: usize,
    /// Width and height that a source texture needs: what the largest tile reads, its halo included.
    pub source_texture: (u32, u32),
    /// Width and height that a target texture needs: the largest tile of the result.
    pub target_texture: (u32, u32),
}

/// Which tile to record, and in which of the prepared slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileSlot {
    /// Number of the tile; tiles are numbered row by row.
    pub tile: usize,
    /// A slot whose previous tile has been submitted.
    pub slot: usize,
}

impl Upscaler {
    /// Prepares for pictures of `source` pixels that are enlarged tile by tile, so that device memory does not depend
    /// on their size. Up to `slots` tiles may be recorded before they are submitted. Does nothing if the same is
    /// already prepared.
    ///
    /// For each tile, the host asks [`Upscaler::tile`] which part of the source to put into its source texture, from
    /// texel (0, 0) on; records the tile with [`Upscaler::record_tile`]; and finds its part of the result in the
    /// target texture, from texel (0, 0) on. Tiles have no seams: the results equal those of [`Upscaler::record`] bit
    /// for bit.
    ///
    /// # Errors
    /// As [`Upscaler::prepare`].
    pub fn prepare_tiles(
        &mut self,
        source: (u32, u32),
        enlargement: impl Into<Enlargement>,
        slots: usize,
    ) -> Result<TileGrid> {
        let (enlargement, slots) = (enlargement.into(), slots.max(1));
        if !self.is_prepared(source, enlargement, Placement::Tile, slots) {
            let tables = enlargement.tables(source)?;
            self.prepare_placed(source, enlargement, &tables, Placement::Tile, Some(slots))?;
        }
        let plan = &self.prepared.as_ref().ok_or_else(not_prepared)?.plan;
        let size = |[width, height]: [usize; 2]| (width as u32, height as u32);
        Ok(TileGrid {
            result: plan.result_size(),
            tiles: plan.tiles(),
            source_texture: size(plan.largest_source()),
            target_texture: size(plan.largest()),
        })
    }

    /// Width and height of the enlarged picture for the prepared size, before padding `valid` crops it; 0 before
    /// `prepare`.
    #[cfg(feature = "headless")]
    pub(crate) fn enlarged(&self) -> [usize; 2] {
        self.prepared.as_ref().map_or([0, 0], |ready| ready.plan.picture)
    }

    /// Columns and rows of a tile for the prepared size: which part of the source it reads, and where it lies in the
    /// result. `None` for a tile out of range.
    pub fn tile(&self, tile: usize) -> Option<[&TileSpan; 2]> {
        let plan = self.prepared.as_ref().map(|ready| &ready.plan)?;
        (tile < plan.tiles()).then(|| plan.tile(tile))
    }

    /// Records one tile from `source` to `target`. The textures need the sizes in [`TileGrid`], and usages and formats
    /// as for [`Upscaler::record`].
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if a texture does not meet these requirements, for a tile or slot out of range, or
    /// before [`Upscaler::prepare_tiles`].
    pub fn record_tile<'a>(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: impl Into<TextureRef<'a>>,
        target: impl Into<TextureRef<'a>>,
        TileSlot { tile, slot }: TileSlot,
        timestamps: Option<wgpu::ComputePassTimestampWrites<'_>>,
    ) -> Result<()> {
        let ready = self.prepared.as_ref().filter(|ready| ready.placement == Placement::Tile);
        let ready = ready.ok_or_else(|| Error::invalid("call prepare_tiles before record_tile"))?;
        let (tiles, slots) = (ready.plan.tiles(), ready.lists);
        if tile >= tiles || slot >= slots {
            return Err(Error::invalid(format!(
                "tile {tile} or slot {slot} is out of range: there are {tiles} tiles and {slots} slots"
            )));
        }
        let [columns, rows] = ready.plan.tile(tile);
        let size = |columns: usize, rows: usize| (columns as u32, rows as u32);
        let sizes = [size(columns.source.len(), rows.source.len()), size(columns.len, rows.len)];
        let ends = [source.into(), target.into()];
        let format = ends[0].format();
        let [source, target] = self.views(ends, sizes)?;
        let steps = ready.steps(&self.network, tile);
        let ends = scoped(&self.device, || {
            ready.textures.write_regions(&self.queue, &steps, slot);
            let source = (&source, format);
            ready.textures.bind_ends(&self.device, &self.network, &ready.tables, source, &target)
        })?;
        let recorded = Recorded { only: None, timestamps };
        ready.textures.record(encoder, &self.network, &ends, [(slot, steps)].into_iter(), &recorded);
        Ok(())
    }

    /// Makes the next `prepare` start with tiles half as large as the prepared ones, for a host that ran out of memory
    /// with them. Returns `false` and does nothing if nothing is prepared or tiles are at their minimum.
    pub fn halve_tiles(&mut self) -> bool {
        let Some(half) = self.prepared.as_ref().and_then(|ready| halved(ready.tile)) else { return false };
        log::warn!("out of GPU memory with tiles of {}; trying {half}", 2 * half);
        self.tile_limit = Some(half);
        self.prepared = None;
        true
    }

    /// Undoes [`Upscaler::halve_tiles`]: the next `prepare` starts with the options' tile.
    pub fn restore_tiles(&mut self) {
        self.tile_limit = None;
    }

    pub(super) fn is_prepared(
        &self,
        source: (u32, u32),
        enlargement: Enlargement,
        placement: Placement,
        slots: usize,
    ) -> bool {
        self.prepared.as_ref().is_some_and(|ready| {
            ready.source == source
                && ready.enlargement == enlargement
                && ready.placement == placement
                && ready.lists >= slots
        })
    }

    /// Compiles and allocates for one size. `lists` is the number of tiles whose regions to make room for; `None` makes
    /// room for all of them and writes them here.
    pub(super) fn prepare_placed(
        &mut self,
        source: (u32, u32),
        enlargement: Enlargement,
        tables: &[ResampleTable; 2],
        placement: Placement,
        lists: Option<usize>,
    ) -> Result<()> {
        self.prepared = None;
        self.network.prepare(&self.device, &self.queue, &self.weights, tables)?;
        let network = &self.network;
        let outline = &network.outline;
        let margin = outline.alignment.units.map(|unit| unit - 1);
        let tile = self.tile_limit.or(self.options.tile).map(|tile| tile.max(1));
        let tile = tile
            .unwrap_or_else(|| default_tile(outline, self.device.limits().max_texture_dimension_2d) as u32);
        let prepared = with_smaller_tiles(tile, |tile| {
            let plan = Plan::new(tables, &outline.architecture, network.padding(), tile as usize, margin)?;
            let [_, source_rows] = plan.largest_source();
            let lists = lists.unwrap_or(plan.tiles());
            let resampling = tables.clone();
            let tables = PictureTables::new(&self.device, network, tables)?;
            let textures =
                TileTextures::new(&self.device, network, &tables, plan.largest(), source_rows, lists)?;
            Ok(Prepared { source, enlargement, tile, plan, resampling, tables, textures, placement, lists })
        })?;
        if lists.is_none() {
            for tile in 0..prepared.plan.tiles() {
                let steps = prepared.steps(network, tile);
                prepared.textures.write_regions(&self.queue, &steps, tile);
            }
        }
        self.prepared = Some(prepared);
        Ok(())
    }
}

/// Calls `attempt` with `tile`, and again with half of it for as long as memory runs out.
fn with_smaller_tiles<T>(mut tile: u32, mut attempt: impl FnMut(u32) -> Result<T>) -> Result<T> {
    loop {
        match (attempt(tile), halved(tile)) {
            (Err(Error::OutOfMemory(reason)), Some(half)) => {
                log::warn!("out of GPU memory with tiles of {tile}: {reason}; trying {half}");
                tile = half;
            }
            (result, _) => return result,
        }
    }
}

/// Half of a tile's side, but at least the smallest size worth trying; `None` if it is already that small.
fn halved(tile: u32) -> Option<u32> {
    const SMALLEST: u32 = 16;
    (tile > SMALLEST).then_some((tile / 2).max(SMALLEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_memory_halves_the_tile() {
        let mut tried = Vec::new();
        let result = with_smaller_tiles(100, |tile| {
            tried.push(tile);
            if tile > 30 { Err(Error::OutOfMemory("none left".into())) } else { Ok(tile) }
        });
        assert_eq!((result.unwrap(), tried), (25, vec![100, 50, 25]));
        let never: Result<()> = with_smaller_tiles(100, |_| Err(Error::OutOfMemory("none left".into())));
        assert!(matches!(never, Err(Error::OutOfMemory(_))));
    }
}
