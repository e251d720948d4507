//! WGSL of the register tiles: everything that must be a name of its own, because not every compiler turns an array
//! in a loop into registers.

use std::fmt::Write;

/// Adds formatted text; writing to a `String` does not fail.
macro_rules! add {
    ($text:expr, $($format:tt)*) => {{ let _ = writeln!($text, $($format)*); }};
}

/// Tile of `conv_batch.wgsl`: `texels` x 4 pixels of a row by `quads` x 4 outputs.
pub(super) fn convolution(texels: usize, quads: usize) -> String {
    let mut text = String::new();
    let each = |format: &dyn Fn(usize) -> String| (0..texels).map(format).collect::<Vec<_>>().join(" ");
    add!(text, "const TEXELS: u32 = {texels}u;\nconst QUADS: u32 = {quads}u;");
    add!(text, "// Sums: a matrix for each texel and each 4 outputs, its columns the outputs.");
    let sums = |t: usize| (0..quads).map(|q| format!("s{t}_{q}: mat4x4<f32>,")).collect::<String>();
    add!(text, "struct Sums {{ {} }}", each(&sums));
    add!(text, "// The texels under the current tap, and the texel to the right of them.");
    add!(text, "struct Window {{ {} }}", (0..=texels).map(|t| format!("t{t}: vec4<f32>,")).collect::<String>());

    let texel = |t: usize| format!("textureLoad(input, at + vec2({t} * i32(BATCH), 0), 0)");
    let texels_read = each(&|t| format!("{},", texel(t)));
    add!(text, "fn load(at: vec2<i32>) -> Window {{ return Window({texels_read} vec4(0.0)); }}");
    add!(
        text,
        "fn load_next(window: ptr<function, Window>, at: vec2<i32>) {{ (*window).t{texels} = {}; }}",
        texel(texels)
    );
    let moves = each(&|t| format!("(*window).t{t} = (*window).t{};", t + 1));
    add!(text, "fn advance(window: ptr<function, Window>) {{ {moves} }}");
    for tap in 0..4 {
        add!(text, "fn tap{tap}(sums: ptr<function, Sums>, window: Window, tap: u32) {{");
        for t in 0..texels {
            let pixels = shifted(&format!("window.t{t}"), &format!("window.t{}", t + 1), tap);
            add!(text, "    let p{t} = {pixels};");
        }
        for q in 0..quads {
            add!(text, "    let w{q} = weights[tap + {q}u];");
            for t in 0..texels {
                add!(text, "    (*sums).s{t}_{q} += outer(p{t}, w{q});");
            }
        }
        add!(text, "}}");
    }
    add!(text, "fn store_all(sums: Sums, group: u32, sub_image: u32, texel: i32, row: i32) {{");
    for t in 0..texels {
        for q in 0..quads {
            add!(text, "    store(sums.s{t}_{q}, group, {q}u, sub_image, texel + {t}, row);");
        }
    }
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

/// Tile of `conv_grad_weight.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WeightTile {
    pub filters: usize,
    pub inputs: usize,
    pub rows: usize,
    pub columns: usize,
}

impl WeightTile {
    /// The tile's WGSL; the first tap reads `shift` columns after the aligned texel.
    pub fn wgsl(self, shift: usize) -> String {
        let Self { filters, inputs, rows, columns } = self;
        let mut text = String::new();
        for (name, value) in
            [("FILTERS", filters), ("INPUTS", inputs), ("ROWS", rows), ("COLUMNS", columns)]
        {
            add!(text, "const TILE_{name}: u32 = {value}u;");
        }
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
            add!(text, "    let g{n}_row = gradient_row(tile.filters + {n}u, sub_image, y);");
        }
        add!(text, "    var x = 0;");
        for c in 0..inputs {
            for i in 0..rows {
                add!(text, "    let r{c}_{i} = input_row(tile, {c}u, {i}u, sub_image, y);");
                (0..window - 1).for_each(|k| add!(text, "    var w{c}_{i}_{k} = {};", loads(c, i, k)));
            }
        }
        add!(text, "    while x * 4 < i32(GRADIENT.width) {{");
        for n in 0..filters {
            add!(text, "        let g{n} = textureLoad(gradient, g{n}_row + vec2(x * i32(BATCH), 0), 0);");
            add!(text, "        (*sums).b{n} += dot(g{n}, vec4(1.0));");
        }
        for c in 0..inputs {
            for i in 0..rows {
                add!(text, "        let w{c}_{i}_{} = {};", window - 1, loads(c, i, window - 1));
                for j in 0..columns {
                    let (texel, by) = ((shift + j) / 4, (shift + j) % 4);
                    let name = |k: usize| format!("w{c}_{i}_{k}");
                    add!(text, "        let p{c}_{i}_{j} = {};", shifted(&name(texel), &name(texel + 1), by));
                    for n in 0..filters {
                        add!(text, "        (*sums).s{n}_{c}_{i}_{j} += dot(g{n}, p{c}_{i}_{j});");
                    }
                }
                (0..window - 1).for_each(|k| add!(text, "        w{c}_{i}_{k} = w{c}_{i}_{};", k + 1));
            }
        }
        add!(text, "        x++;\n    }}\n}}");
        add!(text, "fn store_all(sums: Sums, tile: Tile, part: u32) {{");
        (0..filters).for_each(|n| add!(text, "    store_bias(sums.b{n}, tile, {n}u, part);"));
        text.push_str(&each(&|n, c, i, j| {
            format!("    store(sums.s{n}_{c}_{i}_{j}, tile, vec4({n}u, {c}u, {i}u, {j}u), part);\n")
        }));
        add!(text, "}}");
        text
    }
}
