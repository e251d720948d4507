// What one dispatch of inference works on, and where the planes of its maps lie. Mirrors `Region` and `PlaneLayout` in
// src/upscaler/region.rs.

// Maps are textures of rgba32float that hold 4 pixels of a row in a texel. Their planes lie side by side, `across` of
// them in a row of planes, each `texels` wide and `rows` high.
struct PlaneLayout {
    planes: u32,
    across: u32,
    texels: u32,
    rows: u32,
}

struct Region {
    // Picture coordinates of the pixel at column 0, row 0 of what is computed; negative in a halo.
    origin: vec2<i32>,
    // Columns and rows to compute.
    size: vec2<i32>,
    // Columns and rows of the whole enlarged picture.
    picture: vec2<i32>,
    // Texel of the host's source or target texture at which this tile begins.
    host_texel: vec2<i32>,
    // Resampling: column and row of the low-resolution picture at which this tile's source begins.
    source_start: vec2<i32>,
    // Columns and rows by which the input begins before what is computed; for kernels that cannot tell from the
    // filters.
    input_margin: vec2<i32>,
    // The same for the bicubic planes.
    bicubic_margin: vec2<i32>,
    // Convolution: the first filter that this dispatch computes.
    first_filter: u32,
    // Terms of a sum: taps of an output sample in resampling, input planes in a convolution.
    terms: u32,
    input: PlaneLayout,
    output: PlaneLayout,
    bicubic: PlaneLayout,
}

@group(0) @binding(0) var<uniform> region: Region;

// Step from one texel of a row to the next.
const NEXT_TEXEL: i32 = 1;

// First texel of a plane.
fn plane_start(planes: PlaneLayout, plane: u32) -> vec2<i32> {
    return vec2<i32>(vec2(plane % planes.across * planes.texels, plane / planes.across * planes.rows));
}

fn input_plane(plane: u32) -> vec2<i32> {
    return plane_start(region.input, plane);
}

fn output_plane(plane: u32) -> vec2<i32> {
    return plane_start(region.output, plane);
}
