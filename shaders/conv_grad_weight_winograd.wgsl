// Gradients of the filters of 5 x 5 and the biases of one layer by Winograd's F(5, 4) along rows, as partial sums over
// parts of the batch: as conv_grad_weight.wgsl, with 2.5 times fewer products.
//
//   weight[n, c, i, j] = sum over b, y, x of gradient[b, n, y, x] input[b, c, y - READ_ROWS + i, x - 4 READ_TEXELS + j]
//   bias[n]            = sum over b, y, x of gradient[b, n, y, x]
//
// The 5 taps of a row over 4 neighboring gradients take 8 products instead of 20, one for each point p of 0, 1, -1, 2, -2,
// 1/2, -1/2 and infinity: of G g of these gradients, and V = B' d of 8 pixels d. Everything is added up before A' leads
// back to taps:
//
//   M[n, c, i, p] = sum over b, y, x of G(g)[b, n, p, y, x] V[b, c, p, y + i, x],  weight[n, c, i, j] = A'(M[n, c, i])[j]
//
// One invocation owns all taps of one input for TILE_FILTERS filters, over all pixels of the sub-images part,
// part + PARTS, part + 2 PARTS and so on. It goes over squares of 4 x 4 gradients. grad_sum.wgsl adds up the parts.
// Grid: x = PARTS / WORKGROUP, y = groups of filters, z = inputs.
//
// Prelude: BATCH, PARTS, PARAMETERS, WEIGHT_START and BIAS_START (among the parameters), FILTERS, INPUTS, SIZE = 5, READ_ROWS,
// READ_TEXELS, TILE_FILTERS (up to 16), MASKED (whether there is something else than zeros in the 3 rows below the
// gradients), INPUT, GRADIENT.
//#import batch_layout
//#import winograd_points
//#import read_gradient

override WORKGROUP: u32 = 8u;

// Squares of 4 x 4 gradients in a row, and in all.
const TEXELS: u32 = (GRADIENT.width + 3u) / 4u;
const SQUARES: u32 = TEXELS * ((GRADIENT.height + 3u) / 4u);

@group(0) @binding(0) var input: MapTexture;
@group(0) @binding(1) var gradient: MapTexture;
@group(0) @binding(2) var<storage, read_write> parts: array<f32>; // [part][parameter]

// What an invocation computes: filters from n on, of input c.
struct Tile {
    n: u32,
    c: u32,
}

// M of a row of a filter: points 0 to 3, and 4 to 7.
struct RowSums {
    low: vec4<f32>,
    high: vec4<f32>,
}

struct Filter {
    r0: RowSums,
    r1: RowSums,
    r2: RowSums,
    r3: RowSums,
    r4: RowSums,
    bias: f32,
}

struct Sums {
    f0: Filter,
    f1: Filter,
    f2: Filter,
    f3: Filter,
    f4: Filter,
    f5: Filter,
    f6: Filter,
    f7: Filter,
    f8: Filter,
    f9: Filter,
    f10: Filter,
    f11: Filter,
    f12: Filter,
    f13: Filter,
    f14: Filter,
    f15: Filter,
}

// G g of 4 rows of 4 gradients: for each point 4 rows.
struct GradientPoints {
    p0: vec4<f32>,
    p1: vec4<f32>,
    p2: vec4<f32>,
    p3: vec4<f32>,
    p4: vec4<f32>,
    p5: vec4<f32>,
    p6: vec4<f32>,
    p7: vec4<f32>,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let part = workgroup.x * WORKGROUP + lane;
    if part >= PARTS {
        return;
    }
    let tile = Tile(workgroup.y * TILE_FILTERS, workgroup.z);
    var sums = Sums();
    // One loop over sub-images and squares: software adapters copy all sums once for each level of nesting.
    for (var k = 0u; part + k / SQUARES * PARTS < BATCH; k++) {
        let square = k % SQUARES;
        let at = Texel(part + k / SQUARES * PARTS, i32(square % TEXELS), i32(square / TEXELS * 4u), true);
        let column = at.texel - i32(READ_TEXELS);
        let v = points(texel_address(INPUT, tile.c, at.sub_image, column, at.row - i32(READ_ROWS)));
        sums = add_square(sums, v, tile, at);
    }
    store(sums.f0, tile, 0u, part);
    if TILE_FILTERS > 1u {
        store(sums.f1, tile, 1u, part);
    }
    if TILE_FILTERS > 2u {
        store(sums.f2, tile, 2u, part);
    }
    if TILE_FILTERS > 3u {
        store(sums.f3, tile, 3u, part);
    }
    if TILE_FILTERS > 4u {
        store(sums.f4, tile, 4u, part);
    }
    if TILE_FILTERS > 5u {
        store(sums.f5, tile, 5u, part);
    }
    if TILE_FILTERS > 6u {
        store(sums.f6, tile, 6u, part);
    }
    if TILE_FILTERS > 7u {
        store(sums.f7, tile, 7u, part);
    }
    if TILE_FILTERS > 8u {
        store(sums.f8, tile, 8u, part);
    }
    if TILE_FILTERS > 9u {
        store(sums.f9, tile, 9u, part);
    }
    if TILE_FILTERS > 10u {
        store(sums.f10, tile, 10u, part);
    }
    if TILE_FILTERS > 11u {
        store(sums.f11, tile, 11u, part);
    }
    if TILE_FILTERS > 12u {
        store(sums.f12, tile, 12u, part);
    }
    if TILE_FILTERS > 13u {
        store(sums.f13, tile, 13u, part);
    }
    if TILE_FILTERS > 14u {
        store(sums.f14, tile, 14u, part);
    }
    if TILE_FILTERS > 15u {
        store(sums.f15, tile, 15u, part);
    }
}

// Adds what a square of gradients contributes.
fn add_square(before: Sums, v: Points, tile: Tile, at: Texel) -> Sums {
    var sums = before;
    sums.f0 = add_filter(sums.f0, load_gradient(tile.n, at), v);
    if TILE_FILTERS > 1u {
        sums.f1 = add_filter(sums.f1, load_gradient(tile.n + 1u, at), v);
    }
    if TILE_FILTERS > 2u {
        sums.f2 = add_filter(sums.f2, load_gradient(tile.n + 2u, at), v);
    }
    if TILE_FILTERS > 3u {
        sums.f3 = add_filter(sums.f3, load_gradient(tile.n + 3u, at), v);
    }
    if TILE_FILTERS > 4u {
        sums.f4 = add_filter(sums.f4, load_gradient(tile.n + 4u, at), v);
    }
    if TILE_FILTERS > 5u {
        sums.f5 = add_filter(sums.f5, load_gradient(tile.n + 5u, at), v);
    }
    if TILE_FILTERS > 6u {
        sums.f6 = add_filter(sums.f6, load_gradient(tile.n + 6u, at), v);
    }
    if TILE_FILTERS > 7u {
        sums.f7 = add_filter(sums.f7, load_gradient(tile.n + 7u, at), v);
    }
    if TILE_FILTERS > 8u {
        sums.f8 = add_filter(sums.f8, load_gradient(tile.n + 8u, at), v);
    }
    if TILE_FILTERS > 9u {
        sums.f9 = add_filter(sums.f9, load_gradient(tile.n + 9u, at), v);
    }
    if TILE_FILTERS > 10u {
        sums.f10 = add_filter(sums.f10, load_gradient(tile.n + 10u, at), v);
    }
    if TILE_FILTERS > 11u {
        sums.f11 = add_filter(sums.f11, load_gradient(tile.n + 11u, at), v);
    }
    if TILE_FILTERS > 12u {
        sums.f12 = add_filter(sums.f12, load_gradient(tile.n + 12u, at), v);
    }
    if TILE_FILTERS > 13u {
        sums.f13 = add_filter(sums.f13, load_gradient(tile.n + 13u, at), v);
    }
    if TILE_FILTERS > 14u {
        sums.f14 = add_filter(sums.f14, load_gradient(tile.n + 14u, at), v);
    }
    if TILE_FILTERS > 15u {
        sums.f15 = add_filter(sums.f15, load_gradient(tile.n + 15u, at), v);
    }
    return sums;
}

// The polynomial of 4 gradients of a row at the points, by even and odd powers; the divisors of Lagrange interpolation
// come in at the end. Sums for planes past the last one are not stored, so the last one stands in for them.
fn load_gradient(n: u32, at: Texel) -> GradientPoints {
    let first = texel_address(GRADIENT, min(n, FILTERS - 1u), at.sub_image, at.texel, at.row);
    let g = transpose(mat4x4(
        read_gradient(first),
        row_inside(read_gradient(first + vec2(0, 1)), at.row + 1),
        row_inside(read_gradient(first + vec2(0, 2)), at.row + 2),
        row_inside(read_gradient(first + vec2(0, 3)), at.row + 3),
    ));
    let even1 = g[0] + g[2];
    let odd1 = g[1] + g[3];
    let even2 = g[0] + 4.0 * g[2];
    let odd2 = 2.0 * g[1] + 8.0 * g[3];
    let even3 = g[0] + 0.25 * g[2];
    let odd3 = 0.5 * g[1] + 0.125 * g[3];
    return GradientPoints(
        g[0],
        even1 + odd1,
        even1 - odd1,
        even2 + odd2,
        even2 - odd2,
        even3 + odd3,
        even3 - odd3,
        g[3],
    );
}

fn row_inside(value: vec4<f32>, row: i32) -> vec4<f32> {
    return select(value, vec4(0.0), MASKED && row >= i32(GRADIENT.height));
}

fn add_filter(sums: Filter, g: GradientPoints, v: Points) -> Filter {
    return Filter(
        add_row(sums.r0, g, v, 0u),
        add_row(sums.r1, g, v, 1u),
        add_row(sums.r2, g, v, 2u),
        add_row(sums.r3, g, v, 3u),
        add_row(sums.r4, g, v, 4u),
        // At point 1, the polynomial is the sum.
        sums.bias + dot(g.p1, vec4(1.0)),
    );
}

// Adds the products for row i of the filter.
fn add_row(sums: RowSums, g: GradientPoints, v: Points, i: u32) -> RowSums {
    let low = vec4(
        dot(g.p0, rows(v.p0, i)),
        dot(g.p1, rows(v.p1, i)),
        dot(g.p2, rows(v.p2, i)),
        dot(g.p3, rows(v.p3, i)),
    );
    let high = vec4(
        dot(g.p4, rows(v.p4, i)),
        dot(g.p5, rows(v.p5, i)),
        dot(g.p6, rows(v.p6, i)),
        dot(g.p7, rows(v.p7, i)),
    );
    return RowSums(sums.low + low, sums.high + high);
}

// Rows i to i + 3; i is constant once functions are inlined.
fn rows(v: mat2x4<f32>, i: u32) -> vec4<f32> {
    var rows = v[0];
    if i == 1u {
        rows = vec4(v[0].yzw, v[1].x);
    } else if i == 2u {
        rows = vec4(v[0].zw, v[1].xy);
    } else if i == 3u {
        rows = vec4(v[0].w, v[1].xyz);
    } else if i == 4u {
        rows = v[1];
    }
    return rows;
}

// Stores the sums of the tile's filter k.
fn store(sums: Filter, tile: Tile, k: u32, part: u32) {
    let n = tile.n + k;
    if n >= FILTERS {
        return;
    }
    let first = part * PARAMETERS + WEIGHT_START + (n * INPUTS + tile.c) * SIZE * SIZE;
    store_row(sums.r0, first);
    store_row(sums.r1, first + SIZE);
    store_row(sums.r2, first + 2u * SIZE);
    store_row(sums.r3, first + 3u * SIZE);
    store_row(sums.r4, first + 4u * SIZE);
    // All inputs of a filter have the same sum of gradients.
    if tile.c == 0u {
        parts[part * PARAMETERS + BIAS_START + n] = sums.bias;
    }
}

// A' of a row, with the divisors of Lagrange interpolation.
fn store_row(sums: RowSums, first: u32) {
    let m1 = sums.low.y / -4.5;
    let m2 = sums.low.z / -4.5;
    let m3 = sums.low.w / 90.0;
    let m4 = sums.high.x / 90.0;
    let m5 = sums.high.y / 1.40625;
    let m6 = sums.high.z / 1.40625;
    let even1 = m1 + m2;
    let odd1 = m1 - m2;
    let even2 = m3 + m4;
    let odd2 = m3 - m4;
    let even3 = m5 + m6;
    let odd3 = m5 - m6;
    parts[first] = even1 + even2 + even3 - sums.low.x;
    parts[first + 1u] = odd1 + 2.0 * odd2 + 0.5 * odd3;
    parts[first + 2u] = even1 + 4.0 * even2 + 0.25 * even3;
    parts[first + 3u] = odd1 + 8.0 * odd2 + 0.125 * odd3;
    parts[first + 4u] = even1 + 16.0 * even2 + 0.0625 * even3 + sums.high.w;
}
