// The last step for a plane of video: from computed values to samples as they lie in a frame, packed into words.
//
//   sample = clamp(floor(value factor + offset + 1/2), 0, largest)
//
// This is the only rounding. With several symmetries, whose results come one after another, `value` is their average.
// Rows begin at whole words; of a field's rows, every second row of the frame is written. One invocation owns one word.
// Grid: x = words of a row, y = rows.

override WORKGROUP_X: u32 = 8u;
override WORKGROUP_Y: u32 = 8u;
// Bytes of a sample, 1 or 2; the low byte first.
override BYTES: u32 = 1u;
// Whether the input is a map, 4 pixels of a row in a texel.
override MAPS: bool = false;
// Results to average.
override SYMMETRIES: u32 = 1u;

// Mirrors `Samples` in src/video/plane.rs.
struct Samples {
    factor: f32,
    offset: f32,
    largest: f32,
    columns: u32,
    rows: u32,
    // Word of the output at which the first row begins, and words from one row to the next.
    first: u32,
    stride: u32,
    // Which of the results the input is, from 0; the last one writes the samples.
    symmetry: u32,
}

@group(0) @binding(0) var<uniform> samples: Samples;
@group(0) @binding(1) var input: texture_2d<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;
// Set to 1 when a value is not a finite number.
@group(0) @binding(3) var<storage, read_write> fault: atomic<u32>;
// [rows][columns], the sum of the results before this one; unused for a single result.
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let in_word = 4u / BYTES;
    if id.x >= (samples.columns + in_word - 1u) / in_word || id.y >= samples.rows {
        return;
    }
    var word = 0u;
    for (var i = 0u; i < in_word; i++) {
        let x = id.x * in_word + i;
        if x >= samples.columns {
            break;
        }
        var value: f32;
        if MAPS {
            value = textureLoad(input, vec2(x / 4u, id.y), 0)[x % 4u];
        } else {
            value = textureLoad(input, vec2(x, id.y), 0).x;
        }
        // Tests the bits: compilers may assume that no value is NaN and drop comparisons.
        if (bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u {
            atomicStore(&fault, 1u);
            value = 0.0;
        }
        if SYMMETRIES > 1u {
            let at = id.y * samples.columns + x;
            if samples.symmetry > 0u {
                value += sums[at];
            }
            sums[at] = value;
            value /= f32(SYMMETRIES);
        }
        let sample = clamp(floor(value * samples.factor + samples.offset + 0.5), 0.0, samples.largest);
        word |= u32(sample) << (8u * BYTES * i);
    }
    if samples.symmetry + 1u < SYMMETRIES {
        return;
    }
    output[samples.first + id.y * samples.stride + id.x] = word;
}
