//! A block of patches, as the kernels have it.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use crate::dictionary::lattice::Axis;

/// Mirrors `Block` in shaders/shared/patch_block.wgsl.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub(crate) struct Block {
    pub columns: u32,
    pub rows: u32,
    pub width: u32,
    pub height: u32,
    pub first: [u32; 2],
    pub last: [u32; 2],
}

impl Block {
    /// The patches of these columns and rows, whose gradients reach as many pixels beyond them. Also returns the columns and
    /// rows of pixels that they read.
    pub fn new(
        [across, down]: [Axis; 2],
        reach: usize,
        columns: Range<usize>,
        rows: Range<usize>,
    ) -> (Self, [Range<usize>; 2]) {
        let reads = |axis: Axis, patches: &Range<usize>| {
            let start = axis.start(patches.start).saturating_sub(reach);
            let end = axis.start(patches.end.saturating_sub(1)) + axis.patch + reach;
            start..end.min(axis.length)
        };
        let pixels = [reads(across, &columns), reads(down, &rows)];
        let place = |start: usize, pixels: &Range<usize>| (start - pixels.start) as u32;
        let [x, y] = &pixels;
        let first = [place(across.start(columns.start), x), place(down.start(rows.start), y)];
        let last = [place(across.last(), x), place(down.last(), y)];
        let block = Self {
            columns: columns.len() as u32,
            rows: rows.len() as u32,
            width: pixels[0].len() as u32,
            height: pixels[1].len() as u32,
            first,
            last,
        };
        (block, pixels)
    }

    /// Number of patches.
    pub fn patches(&self) -> usize {
        self.columns as usize * self.rows as usize
    }
}
