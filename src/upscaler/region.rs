//! What one dispatch works on: the uniform of every inference kernel.

/// Mirrors `Region` in `shaders/shared/region.wgsl`, where the fields are described.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct Region {
    pub origin: [i32; 2],
    pub size: [i32; 2],
    pub picture: [i32; 2],
    pub host_texel: [i32; 2],
    pub source_start: [i32; 2],
    pub input_margin: [i32; 2],
    pub bicubic_margin: [i32; 2],
    pub first_filter: u32,
    pub terms: u32,
    pub input: PlaneLayout,
    pub output: PlaneLayout,
    pub bicubic: PlaneLayout,
}

/// How planes are laid out in a texture: 4 pixels of a row per texel, planes side by side. Mirrors `PlaneLayout` in
/// `shaders/shared/region.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct PlaneLayout {
    /// Number of planes.
    pub planes: u32,
    /// Planes side by side in one row of planes.
    pub across: u32,
    /// Width of a plane in texels.
    pub texels: u32,
    /// Height of a plane.
    pub rows: u32,
}

impl PlaneLayout {
    /// Convolutions compute whole register tiles and so read up to this many texels and rows past the last plane; what
    /// they compute from these is never written.
    const SLACK: [u32; 2] = [24, 4];

    /// A layout for planes of `columns` x `rows` pixels in textures of at most `max_texture_side` texels per side. The
    /// texture may still come out too high; check [`PlaneLayout::size`].
    pub fn new(planes: usize, columns: usize, rows: usize, max_texture_side: u32) -> Self {
        let texels = columns.div_ceil(4) as u32;
        let across = (max_texture_side.saturating_sub(Self::SLACK[0]) / texels).clamp(1, planes as u32);
        Self { planes: planes as u32, across, texels, rows: rows as u32 }
    }

    /// Width and height of the texture.
    pub fn size(&self) -> [u32; 2] {
        let [columns, rows] = Self::SLACK;
        [self.across * self.texels + columns, self.planes.div_ceil(self.across) * self.rows + rows]
    }
}
