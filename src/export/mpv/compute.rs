//! Compute shaders: a pass for each layer whose filters are larger than a pixel, with the 1x1 layers after it.
//!
//! The first pass also makes the bicubic enlargement, in memory of the workgroup. The pass before a last layer of larger filters
//! computes that layer's products at once, and adds them up along each of the filter's rows: of all maps, only these sums are
//! stored, which the last pass adds up.

use super::glsl::{Code, VALID, biases, bicubic, groups, number, times_group, times_scalar, weight};
use super::{Pass, WORKGROUP_MEMORY};
use crate::error::{Error, Result};
use crate::network::Padding;
use crate::ratio::Ratio;
use crate::weights::{Layer, Weights};

/// Columns and rows of a workgroup. It is wide, since sums along rows need neighbors to the left and right.
const COLUMNS: usize = 64;
const ROWS: usize = 4;

/// Texels of a pixel's maps, in groups of four: as square as can be, since textures have a largest side.
fn arrangement(groups: usize) -> [usize; 2] {
    let wide = (1..=groups).find(|wide| wide * wide >= groups).unwrap_or(1);
    [wide, groups.div_ceil(wide)]
}

/// What a pass computes.
struct Stage<'a> {
    /// Number of its first layer, from 1.
    number: usize,
    /// A layer of any size of filters, and 1x1 layers.
    layers: &'a [Layer],
    /// The last layer of the network, if its products are computed here.
    products: Option<&'a Layer>,
    /// Number of the network's last layer.
    last: usize,
    padding: Padding,
}

pub fn passes(weights: &Weights, ratio: Ratio) -> Result<Vec<Pass>> {
    let (layers, padding) = (weights.layers(), weights.metadata.padding);
    let count = layers.len();
    let mut passes = Vec::new();
    let mut begin = 0;
    while begin < count {
        let joined = layers[begin + 1..].iter().take_while(|layer| layer.shape.size == 1).count();
        let end = begin + 1 + joined;
        let products = layers.get(end).filter(|_| end + 1 == count);
        let stage = Stage { number: begin + 1, layers: &layers[begin..end], products, last: count, padding };
        passes.push(stage.pass(ratio)?);
        if let Some(last) = products {
            passes.push(column_sums(last, padding));
            break;
        }
        begin = end;
    }
    Ok(passes)
}

impl Stage<'_> {
    fn first(&self) -> &Layer {
        &self.layers[0]
    }

    /// Groups of maps that it reads, and the texture; the picture itself is one.
    fn source(&self) -> Option<(String, usize)> {
        (self.number > 1).then(|| (format!("SRCNN_{}", self.number - 1), groups(self.first().shape.inputs)))
    }

    fn pass(&self, ratio: Ratio) -> Result<Pass> {
        let last_number = self.number + self.layers.len() - 1;
        let end = &self.layers[self.layers.len() - 1];
        let reach = self.products.map_or(0, |last| last.shape.radius());
        let (save, texels, components) = match self.products {
            Some(last) => (Some("SRCNN_ROWS".to_owned()), arrangement(last.shape.size.div_ceil(4)), 4),
            None if last_number == self.last => (None, [1, 1], 1),
            None => (Some(format!("SRCNN_{last_number}")), arrangement(groups(end.shape.filters)), 4),
        };
        let radius = self.first().shape.radius();
        let tile = [COLUMNS + 2 * radius, ROWS + 2 * radius];
        let tile_bytes = tile[0] * tile[1] * if self.number == 1 { 4 } else { 16 };
        let product_bytes = self.products.map_or(0, |last| COLUMNS * ROWS * last.shape.size * 4);
        if tile_bytes + product_bytes > WORKGROUP_MEMORY {
            return Err(Error::invalid(format!(
                "layer {}: its filters are too large for a compute shader; fragment shaders take them",
                self.number
            )));
        }
        let mut code = Code::default();
        let kind = if self.number == 1 { "float" } else { "vec4" };
        code.line(format_args!("shared {kind} tile[{}][{}];", tile[1], tile[0]));
        if let Some(last) = self.products {
            code.line(format_args!("shared float products[{ROWS}][{COLUMNS}][{}];", last.shape.size));
        }
        code.line("");
        let binds = match self.source() {
            None => {
                code.line(bicubic(ratio));
                vec!["LUMA".into()]
            }
            Some((name, count)) => {
                let [wide, high] = arrangement(count);
                code.line(format_args!(
                    "ivec2 large_size() {{\n    return ivec2({name}_size) / ivec2({wide}, {high});\n}}\n"
                ));
                vec![name]
            }
        };
        if self.padding == Padding::Normalized {
            code.line(VALID);
        }
        let width = COLUMNS - 2 * reach;
        code.line("void hook() {");
        code.line("    ivec2 size = large_size();");
        code.line("    ivec2 local = ivec2(gl_LocalInvocationID.xy);");
        code.line(format_args!(
            "    ivec2 corner = ivec2(gl_WorkGroupID.xy) * ivec2({width}, {ROWS}) - ivec2({reach}, 0);"
        ));
        code.line("    // Beyond the edges, an invocation computes what is at the edge.");
        code.line("    ivec2 pixel = clamp(corner + local, ivec2(0), size - 1);");
        code.line("    ivec2 at = pixel - corner;");
        self.sums(&mut code, tile);
        let mut names = self.finish(&mut code, 0, "a", radius);
        for index in 1..self.layers.len() {
            names = self.pointwise(&mut code, index, &names);
        }
        match self.products {
            Some(last) => self.row_sums(&mut code, last, &names, texels),
            None => {
                code.line("    if (all(equal(corner + local, pixel))) {");
                for (group, name) in names.iter().enumerate() {
                    let to = [group % texels[0], group / texels[0]];
                    code.line(format_args!("        {}", store(texels, to, name)));
                }
                code.line("    }");
            }
        }
        code.line("}");
        Ok(Pass {
            about: format!(
                "SRCNN, layers {} to {}",
                self.number,
                last_number + usize::from(self.products.is_some())
            ),
            binds,
            save,
            texels,
            components,
            block: Some([width * texels[0], ROWS * texels[1], COLUMNS, ROWS]),
            code: code.0,
        })
    }

    /// Adds the first layer's sums, in variables a0, a1, ..
    fn sums(&self, code: &mut Code, [tile_width, tile_height]: [usize; 2]) {
        let layer = self.first();
        let (size, radius) = (layer.shape.size, layer.shape.radius());
        let maps = groups(layer.shape.filters);
        for group in 0..maps {
            code.line(format_args!("    vec4 a{group} = vec4(0.0);"));
        }
        let source = self.source();
        code.line(if source.is_some() { "    vec4 v;" } else { "    float v;" });
        for input in 0..source.as_ref().map_or(1, |(_, groups)| *groups) {
            if input > 0 {
                code.line("    barrier();");
            }
            code.line(format_args!("    for (int y = local.y; y < {tile_height}; y += {ROWS}) {{"));
            code.line(format_args!("        for (int x = local.x; x < {tile_width}; x += {COLUMNS}) {{"));
            code.line(format_args!("            ivec2 there = corner + ivec2(x, y) - {radius};"));
            code.line("            ivec2 inside = clamp(there, ivec2(0), size - 1);");
            let value = match &source {
                None => "bicubic(inside)".to_owned(),
                Some((name, count)) => {
                    let [wide, high] = arrangement(*count);
                    let (column, row) = (input % wide, input / wide);
                    fetch(name, "inside", [wide, high], [column, row])
                }
            };
            code.line(match self.padding {
                Padding::Replicate => format!("            tile[y][x] = {value};"),
                _ => format!("            tile[y][x] = float(all(equal(there, inside))) * {value};"),
            });
            code.line("        }\n    }\n    barrier();");
            for row in 0..size {
                for column in 0..size {
                    code.line(format_args!("    v = tile[at.y + {row}][at.x + {column}];"));
                    for group in 0..maps {
                        let product = match source {
                            None => times_scalar(layer, group, 0, [row, column], "v"),
                            Some(_) => times_group(layer, group, input, [row, column], "v"),
                        };
                        code.line(format_args!("    a{group} += {product};"));
                    }
                }
            }
        }
    }

    /// Adds biases and, but for the last layer, rectifiers to the sums of a layer. Returns the names of its maps.
    fn finish(&self, code: &mut Code, index: usize, name: &str, radius: usize) -> Vec<String> {
        let layer = &self.layers[index];
        let normalized = self.padding == Padding::Normalized && radius > 0;
        if normalized {
            code.line(format_args!("    float factor = valid(pixel, size, {radius});"));
        }
        let rectified = self.number + index < self.last;
        let factor = if normalized { " * factor" } else { "" };
        let names: Vec<String> =
            (0..groups(layer.shape.filters)).map(|group| format!("{name}{group}")).collect();
        for (group, name) in names.iter().enumerate() {
            let sum = format!("{name}{factor} + {}", biases(layer, group));
            code.line(if rectified {
                format!("    {name} = max({sum}, vec4(0.0));")
            } else {
                format!("    {name} = {sum};")
            });
        }
        names
    }

    /// Adds a 1x1 layer on maps in variables.
    fn pointwise(&self, code: &mut Code, index: usize, inputs: &[String]) -> Vec<String> {
        let layer = &self.layers[index];
        let name = format!("p{index}_");
        for group in 0..groups(layer.shape.filters) {
            code.line(format_args!("    vec4 {name}{group} = vec4(0.0);"));
            for (input, value) in inputs.iter().enumerate() {
                code.line(format_args!(
                    "    {name}{group} += {};",
                    times_group(layer, group, input, [0, 0], value)
                ));
            }
        }
        self.finish(code, index, &name, 0)
    }

    /// Adds the last layer's products and their sums along its filter's rows.
    fn row_sums(&self, code: &mut Code, last: &Layer, maps: &[String], texels: [usize; 2]) {
        let (size, radius) = (last.shape.size, last.shape.radius());
        if self.padding != Padding::Replicate {
            code.line("    float inside = float(all(equal(corner + local, pixel)));");
        }
        code.line(format_args!("    vec4 rows[{}];", size.div_ceil(4)));
        for row in 0..size {
            code.line("    barrier();");
            for column in 0..size {
                let dots: Vec<String> = maps
                    .iter()
                    .enumerate()
                    .map(|(group, map)| {
                        let weights = std::array::from_fn(|i| weight(last, 0, 4 * group + i, row, column));
                        format!("dot({map}, {})", super::glsl::vec4(weights))
                    })
                    .collect();
                let sum = dots.join(" + ");
                let sum = if self.padding == Padding::Replicate { sum } else { format!("inside * ({sum})") };
                code.line(format_args!("    products[local.y][local.x][{column}] = {sum};"));
            }
            code.line("    barrier();");
            // Invocations at the ends of a row have no neighbors, and nothing to store.
            let neighbors = (0..size).map(|column| {
                let offset = column as i64 - radius as i64;
                format!("products[local.y][clamp(local.x + {offset}, 0, {})][{column}]", COLUMNS - 1)
            });
            let sum = neighbors.collect::<Vec<_>>().join(" + ");
            code.line(format_args!("    rows[{}][{}] = {sum};", row / 4, row % 4));
        }
        code.line(format_args!(
            "    if (local.x >= {radius} && local.x < {} && all(equal(corner + local, pixel))) {{",
            COLUMNS - radius
        ));
        for texel in 0..size.div_ceil(4) {
            let to = [texel % texels[0], texel / texels[0]];
            code.line(format_args!("        {}", store(texels, to, &format!("rows[{texel}]"))));
        }
        code.line("    }");
    }
}

/// Stores a texel of a pixel's.
fn store([wide, high]: [usize; 2], [column, row]: [usize; 2], value: &str) -> String {
    format!("imageStore(out_image, pixel * ivec2({wide}, {high}) + ivec2({column}, {row}), {value});")
}

/// Reads a texel of a pixel's, as it is: a filter would mix in those beside it, which are of other maps, or were never written.
fn fetch(name: &str, pixel: &str, [wide, high]: [usize; 2], [column, row]: [usize; 2]) -> String {
    format!("texelFetch({name}_raw, {pixel} * ivec2({wide}, {high}) + ivec2({column}, {row}), 0)")
}

/// The pass that adds the last layer's sums along rows to the large picture.
fn column_sums(last: &Layer, padding: Padding) -> Pass {
    let (size, radius) = (last.shape.size, last.shape.radius() as i64);
    let [wide, high] = arrangement(size.div_ceil(4));
    let mut code = Code::default();
    if padding == Padding::Normalized {
        code.line(VALID);
    }
    code.line("vec4 hook() {");
    code.line(format_args!("    ivec2 size = ivec2(SRCNN_ROWS_size) / ivec2({wide}, {high});"));
    code.line("    ivec2 pixel = ivec2(SRCNN_ROWS_pos * vec2(size));");
    code.line("    ivec2 at;");
    code.line("    float sum = 0.0;");
    for row in 0..size {
        let (texel, component) = (row / 4, row % 4);
        let (column, below) = (texel % wide, texel / wide);
        code.line(format_args!(
            "    at = ivec2(pixel.x, clamp(pixel.y + {}, 0, size.y - 1));",
            row as i64 - radius
        ));
        let outside = match padding {
            Padding::Replicate => String::new(),
            _ => format!("float(at.y == pixel.y + {}) * ", row as i64 - radius),
        };
        let texel = fetch("SRCNN_ROWS", "at", [wide, high], [column, below]);
        code.line(format_args!("    sum += {outside}{texel}[{component}];"));
    }
    let factor = if padding == Padding::Normalized {
        format!(" * valid(pixel, size, {radius})")
    } else {
        String::new()
    };
    code.line(format_args!("    return vec4(sum{factor} + {}, 0.0, 0.0, 1.0);", number(last.bias[0])));
    code.line("}");
    Pass {
        about: "SRCNN, sums of the last layer".into(),
        binds: vec!["SRCNN_ROWS".into()],
        save: None,
        texels: [1, 1],
        components: 1,
        block: None,
        code: code.0,
    }
}
