// Appended to every kernel of the inference path: what one dispatch works on. Mirrors `Region` in src/upscaler/region.rs.
// Maps are textures of rgba32float with 4 pixels of a row in a texel; their planes lie side by side, `across` in a row
// of planes, each `texels` wide and `rows` high.
struct Region {
    // Picture coordinates of the pixel at column 0, row 0 of what is computed; negative in a halo.
    origin: vec2<i32>,
    // Columns and rows to compute.
    size: vec2<i32>,
    // Size of the whole enlarged picture.
    picture: vec2<i32>,
    // Resampling: low-resolution coordinates of the input's first texel. Target: texel of column 0, row 0.
    offset: vec2<i32>,
    input_across: u32,
    input_texels: u32,
    input_rows: u32,
    output_across: u32,
    output_texels: u32,
    output_rows: u32,
    // Number of planes to compute.
    planes: u32,
    // Convolution: the first filter that this dispatch computes.
    first_filter: u32,
    // Target: columns and rows that the bicubic planes begin before the result.
    halo: vec2<i32>,
    // Columns and rows that the input begins before the result (target: the network's planes), where a kernel does not
    // know that. Resampling columns: texel of the source texture that holds the input's first texel.
    source: vec2<i32>,
    // Resampling: taps of an output sample.
    taps: u32,
}

@group(0) @binding(0) var<uniform> region: Region;

// Distance of a plane's texels that follow each other in a row.
const NEXT_TEXEL: i32 = 1;

// Texel at which a plane of the input begins.
fn input_plane(plane: u32) -> vec2<i32> {
    let across = region.input_across;
    return vec2<i32>(vec2(plane % across * region.input_texels, plane / across * region.input_rows));
}

// Texel at which a plane of the output begins.
fn output_plane(plane: u32) -> vec2<i32> {
    let across = region.output_across;
    return vec2<i32>(vec2(plane % across * region.output_texels, plane / across * region.output_rows));
}
