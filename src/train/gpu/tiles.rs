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

/// Sums of four products that an iteration of `conv_grad_weight.wgsl` should have at most.
const UNROLLED: usize = 800;

/// Tile of `conv_grad_weight.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WeightTile {
    pub filters: usize,
    pub inputs: usize,
    pub rows: usize,
    pub columns: usize,
    /// Goes over the rows of the input, with all rows of the gradient that meet it, and not the other way round: fewer
    /// loads where there are more inputs than filters. Needs all rows of a filter in the tile.
    pub by_input: bool,
}

impl WeightTile {
    /// The tile's WGSL, for rows of `texels` texels of gradients and zeros of `padding` pixels around the input; the first
    /// tap reads `shift` columns after the aligned texel.
    pub fn wgsl(self, padding: usize, shift: usize, texels: usize) -> String {
        let Self { filters, inputs, rows, columns, by_input } = self;
        // Rows of gradients, and of inputs, that one row of the other meets.
        let (gradient_rows, input_rows) = if by_input { (rows, 1) } else { (1, rows) };
        let mut text = String::new();
        for (name, value) in [("FILTERS", filters), ("INPUTS", inputs), ("ROWS", rows), ("COLUMNS", columns)]
        {
            add!(text, "const TILE_{name}: u32 = {value}u;");
        }
        add!(text, "const ROWS: i32 = i32({}.height);", if by_input { "INPUT" } else { "GRADIENT" });
        let each = |format: &dyn Fn(usize, usize, usize, usize) -> String| {
            let mut all = String::new();
            for n in 0..filters {
                for c in 0..inputs {
                    for i in 0..rows {
                        (0..columns).for_each(|j| all.push_str(&format(n, c, i, j)));
                    }
                }
            }
            all
        };
        add!(text, "// Sums of weights n, c, i, j of the tile, and of biases n.");
        let biases: String = (0..filters).map(|n| format!("b{n}: f32, ")).collect();
        add!(text, "struct Sums {{ {biases}{} }}", each(&|n, c, i, j| format!("s{n}_{c}_{i}_{j}: f32, ")));

        // Texels that one texel of gradients needs of each input row; all but the last stay from the step before.
        let window = (shift + columns + 2) / 4 + 1;
        let loads = |c: usize, i: usize, k: usize| {
            format!("textureLoad(input, r{c}_{i} + vec2((x + {k}) * i32(BATCH), 0), 0)")
        };
        add!(text, "fn add_row(sums: ptr<function, Sums>, tile: Tile, sub_image: u32, y: i32) {{");
        for n in 0..filters {
            for i in 0..gradient_rows {
                let row = if by_input { format!("y - {i} + i32(READ_ROWS)") } else { "y".into() };
                add!(text, "    let g{n}_{i}_row = gradient_row(tile.filters + {n}u, sub_image, {row});");
            }
        }
        add!(text, "    var x = 0;");
        for c in 0..inputs {
            for i in 0..input_rows {
                let row =
                    if by_input { "y".into() } else { format!("y + i32(tile.row) + {i} - i32(READ_ROWS)") };
                add!(text, "    let r{c}_{i} = input_row(tile, {c}u, sub_image, {row});");
                (0..window - 1).for_each(|k| add!(text, "    var w{c}_{i}_{k} = {};", loads(c, i, k)));
            }
        }
        let steps = divisor(texels, UNROLLED / (filters * inputs * rows * columns));
        add!(text, "    while x < {texels} {{");
        for _ in 0..steps {
            // A block of its own for each step, so that names can be used again.
            add!(text, "    {{");
            for n in 0..filters {
                for i in 0..gradient_rows {
                    let row = format!("g{n}_{i}_row + vec2(x * i32(BATCH), 0)");
                    add!(text, "        let g{n}_{i} = textureLoad(gradient, {row}, 0);");
                }
                // The row of gradients at the same height as that of the input.
                let same = if by_input { padding } else { 0 };
                add!(
                    text,
                    "        (*sums).b{n} += dot(g{n}_{same}, valid_share(GRADIENT, NORMALIZED, x, y));"
                );
            }
            for c in 0..inputs {
                for i in 0..input_rows {
                    add!(text, "        let w{c}_{i}_{} = {};", window - 1, loads(c, i, window - 1));
                    for j in 0..columns {
                        let (texel, by) = ((shift + j) / 4, (shift + j) % 4);
                        let name = |k: usize| format!("w{c}_{i}_{k}");
                        let pixels = shifted(&name(texel), &name(texel + 1), by);
                        add!(text, "        let p{c}_{i}_{j} = {pixels};");
                        for (n, k) in (0..filters).flat_map(|n| (0..gradient_rows).map(move |k| (n, k))) {
                            let row = if by_input { k } else { i };
                            add!(text, "        (*sums).s{n}_{c}_{row}_{j} += dot(g{n}_{k}, p{c}_{i}_{j});");
                        }
                    }
                    (0..window - 1).for_each(|k| add!(text, "        w{c}_{i}_{k} = w{c}_{i}_{};", k + 1));
                }
            }
            add!(text, "        x++;\n    }}");
        }
        add!(text, "    }}\n}}");
        add!(text, "fn store_all(sums: Sums, tile: Tile, part: u32) {{");
        (0..filters).for_each(|n| add!(text, "    store_bias(sums.b{n}, tile, {n}u, part);"));
        text.push_str(&each(&|n, c, i, j| {
            format!("    store(sums.s{n}_{c}_{i}_{j}, tile, vec4({n}u, {c}u, {i}u, {j}u), part);\n")
        }));
        add!(text, "}}");
        text
    }
}
