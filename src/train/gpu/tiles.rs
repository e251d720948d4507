//! WGSL of the register tiles: everything that must be a name of its own, because not every compiler turns an array
//! in a loop into registers.

use std::fmt::Write;

/// Adds formatted text; writing to a `String` does not fail.
macro_rules! add {
    ($text:expr, $($format:tt)*) => {{ let _ = writeln!($text, $($format)*); }};
}

/// Products that an iteration of a loop should have for each register: after every iteration software adapters
/// copy all registers under the mask of active invocations.
const PRODUCTS: usize = 10;

/// Largest divisor of `count` that is at most `most`, and 1 or more.
fn divisor(count: usize, most: usize) -> usize {
    (1..=most.clamp(1, count)).rev().find(|n| count.is_multiple_of(*n)).unwrap_or(1)
}

/// Tile of `conv_batch.wgsl`: `texels` x 4 pixels of a row by `quads` x 4 outputs, for filters of `columns` columns
/// over `inputs` channels.
pub(super) fn convolution(texels: usize, quads: usize, columns: usize, inputs: usize) -> String {
    let mut text = String::new();
    let channels = divisor(inputs, PRODUCTS / columns);
    add!(
        text,
        "const TEXELS: u32 = {texels}u;\nconst QUADS: u32 = {quads}u;\nconst CHANNELS: u32 = {channels}u;"
    );
    add!(text, "// Sums: a matrix for each texel and each 4 outputs, its columns the outputs.");
    let each = |format: &dyn Fn(usize, usize) -> String| {
        let tiles = (0..texels).flat_map(|t| (0..quads).map(move |q| (t, q)));
        tiles.map(|(t, q)| format(t, q)).collect::<String>()
    };
    add!(text, "struct Sums {{ {} }}", each(&|t, q| format!("s{t}_{q}: mat4x4<f32>, ")));

    add!(text, "// One row of the filters over CHANNELS channels; `at` is the texel under the first tap.");
    add!(text, "fn add_row(sums: ptr<function, Sums>, c: u32, sub_image: u32, at: vec2<i32>, tap: u32) {{");
    for u in 0..channels {
        add!(text, "    let a{u} = place(INPUT, c + {u}u, sub_image, at.x, at.y);");
        for k in 0..texels + (columns + 2) / 4 {
            add!(text, "    let x{u}_{k} = textureLoad(input, a{u} + vec2({k} * i32(BATCH), 0), 0);");
        }
        for j in 0..columns {
            for q in 0..quads {
                let offset = format!("({u}u * FILTER_ROWS * FILTER_COLUMNS + {j}u) * QUADS + {q}u");
                add!(text, "    let w{u}_{j}_{q} = weights[tap + {offset}];");
            }
        }
    }
    // All products of one sum follow each other, so that it stays in a register meanwhile.
    for t in 0..texels {
        for q in 0..quads {
            for (pair, [a, b]) in [["x", "y"], ["z", "w"]].into_iter().enumerate() {
                let column = |o: usize| format!("(*sums).s{t}_{q}[{}]", 2 * pair + o);
                add!(text, "    var a{t}_{q}_{a} = {}; var a{t}_{q}_{b} = {};", column(0), column(1));
                for (u, j) in (0..channels).flat_map(|u| (0..columns).map(move |j| (u, j))) {
                    let first = t + j / 4;
                    let pixels = shifted(&format!("x{u}_{first}"), &format!("x{u}_{}", first + 1), j % 4);
                    add!(
                        text,
                        "    a{t}_{q}_{a} += {pixels} * w{u}_{j}_{q}.{a}; a{t}_{q}_{b} += {pixels} * w{u}_{j}_{q}.{b};"
                    );
                }
                add!(text, "    {} = a{t}_{q}_{a}; {} = a{t}_{q}_{b};", column(0), column(1));
            }
        }
    }
    add!(text, "}}");
    add!(text, "fn store_all(sums: Sums, group: u32, sub_image: u32, texel: i32, row: i32) {{");
    let store = |t, q| format!("    store(sums.s{t}_{q}, group, {q}u, sub_image, texel + {t}, row);\n");
    text.push_str(&each(&store));
    add!(text, "}}");
    text
}

/// Four values from `by` on, of two texels that follow each other.
fn shifted(first: &str, second: &str, by: usize) -> String {
    match by {
        0 => first.to_string(),
        1 => format!("vec4({first}.yzw, {second}.x)"),
        2 => format!("vec4({first}.zw, {second}.xy)"),
        _ => format!("vec4({first}.w, {second}.xyz)"),
    }
}
