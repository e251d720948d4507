//! What one dispatch works on: the uniform of every kernel of the inference path.

/// Mirrors `Region` in `shaders/shared/region.wgsl`, where the fields are described.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct Region {
    pub origin: [i32; 2],
    pub size: [u32; 2],
    pub picture: [i32; 2],
    pub offset: [i32; 2],
    pub input_stride: u32,
    pub input_plane: u32,
    pub output_stride: u32,
    pub output_plane: u32,
    pub planes: u32,
    pub first_filter: u32,
    pub halo: u32,
    pub taps: u32,
}

impl Region {
    /// Distance of two regions in their buffer: the largest alignment that dynamic offsets may need.
    pub const SPACING: usize = 256;

    /// With a buffer's planes as input.
    pub fn reads(self, layout: PlaneLayout) -> Self {
        Self { input_stride: layout.stride as u32, input_plane: layout.plane() as u32, ..self }
    }

    /// With a buffer's planes as output.
    pub fn writes(self, layout: PlaneLayout) -> Self {
        Self { output_stride: layout.stride as u32, output_plane: layout.plane() as u32, ..self }
    }
}

/// How planes lie in a buffer: rows of `stride` floats, a multiple of 4 so that kernels can read vec4s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlaneLayout {
    pub planes: usize,
    pub rows: usize,
    pub stride: usize,
}

impl PlaneLayout {
    pub fn new(planes: usize, rows: usize, columns: usize) -> Self {
        Self { planes, rows, stride: columns.next_multiple_of(4) }
    }

    /// Floats of one plane.
    pub fn plane(&self) -> usize {
        self.rows * self.stride
    }

    /// Bytes of the buffer. Convolutions compute whole register tiles and so read up to `SLACK_ROWS` rows
    /// and `SLACK_COLUMNS` columns past the last plane; what they compute from it is not written.
    pub fn bytes(&self) -> u64 {
        const SLACK_ROWS: usize = 4;
        const SLACK_COLUMNS: usize = 128;
        let floats = self.planes * self.plane() + SLACK_ROWS * self.stride + SLACK_COLUMNS;
        (floats * size_of::<f32>()) as u64
    }
}
