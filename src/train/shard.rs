//! Training pictures in memory: whole pictures, and where the sub-images in them begin.

use bytemuck::{Pod, Zeroable};

/// Where a picture (or a band of it) lies in [`PackedShard::inputs`] and [`PackedShard::targets`].
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub struct PictureEntry {
    /// Index of the first value of its first plane; the planes follow each other, `[channel][row][column]`.
    pub offset: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A sub-image: its upper left corner.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub struct PatchEntry {
    /// Index in [`PackedShard::pictures`].
    pub picture: u32,
    /// First row.
    pub y: u32,
    /// First column.
    pub x: u32,
}

/// Pictures as a [`Trainer`](super::gpu::Trainer) takes them. The target of a sub-image is its center in `targets`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PackedShard {
    /// Y of the paper: degraded and enlarged pictures, 0..1, neither rounded nor clamped.
    pub inputs: Vec<f32>,
    /// X of the paper: 8-bit samples / 255, laid out as `inputs`.
    pub targets: Vec<f32>,
    /// One for each picture or band.
    pub pictures: Vec<PictureEntry>,
    /// All sub-images, picture by picture, row by row.
    pub patches: Vec<PatchEntry>,
}
