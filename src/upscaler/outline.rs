//! What the tiles of a network follow from: the shape and reach of its passes. Pure arithmetic, no GPU.

use serde::Serialize;

use crate::network::Architecture;
use crate::precision::Precision;

/// A network's passes, before or after they are compiled.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    pub architecture: Architecture,
    /// Precision of the maps between passes.
    pub precision: Precision,
    /// Whether the adapter computes on the processor.
    pub software: bool,
    /// Number of planes that are resampled.
    pub planes: usize,
    pub alignment: Alignment,
    pub passes: Vec<PassShape>,
}

/// Where passes begin and end, so that a pixel's sums do not depend on tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Alignment {
    /// The multiples at which those do that reach beyond a tile by `radius`, in columns and rows of the picture; others begin and
    /// end as much further out, or less far, as their reach differs.
    pub units: [usize; 2],
    /// That reach.
    pub radius: usize,
}

impl Alignment {
    /// Anywhere.
    pub const NONE: Self = Self { units: [1, 1], radius: 0 };
}

/// What a pass computes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct PassShape {
    /// The layer whose valid-pixel map it uses.
    pub layer: usize,
    /// Number of planes that its sums run over, where the kernel reads it.
    pub terms: usize,
    /// Number of planes that it writes.
    pub planes: usize,
    /// Number of pixels that it computes beyond each side of a tile.
    pub reach: usize,
    /// Columns and rows that a workgroup computes.
    pub covers: [u32; 2],
    /// Parts of the filters that fit one binding; each is a dispatch of its own.
    pub chunks: Vec<Chunk>,
}

impl PassShape {
    /// Workgroups for an output of `columns` x `rows`.
    pub fn workgroups(&self, columns: u32, rows: u32, chunk: &Chunk) -> [u32; 3] {
        [columns.div_ceil(self.covers[0]), rows.div_ceil(self.covers[1]), chunk.groups as u32]
    }
}

/// Some of a layer's filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Chunk {
    /// First filter.
    pub first_filter: usize,
    /// Groups of filters: the dispatch's z.
    pub groups: usize,
    /// Position in the weight buffer, in bytes.
    pub offset: u64,
}

impl Chunk {
    /// All filters.
    pub const ALL: Self = Self { first_filter: 0, groups: 1, offset: 0 };
}
