// Appended to every kernel of the inference path: what one dispatch works on. Mirrors `Region` in src/upscaler/region.rs.
// Buffers hold planes of f32: element (plane, row, column) is at plane * *_plane + row * *_stride + column.
struct Region {
    // Picture coordinates of the element at column 0, row 0 of what is computed; negative in a halo.
    origin: vec2<i32>,
    // Columns and rows to compute.
    size: vec2<u32>,
    // Size of the whole enlarged picture.
    picture: vec2<i32>,
    // Texture kernels: texel of column 0, row 0. Resampling: low-resolution coordinates of the input's first element.
    offset: vec2<i32>,
    input_stride: u32,
    input_plane: u32,
    output_stride: u32,
    output_plane: u32,
    // Number of planes to compute.
    planes: u32,
    // Convolution: the first filter that this dispatch computes.
    first_filter: u32,
    // Writing textures: columns and rows that the bicubic planes begin before the network's output.
    halo: u32,
    // Resampling: taps of an output sample.
    taps: u32,
}

@group(0) @binding(0) var<uniform> region: Region;
