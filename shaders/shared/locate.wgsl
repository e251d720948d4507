// Which pixels an invocation owns in kernels whose invocations keep all maps of OWNED columns and rows in registers.
// A workgroup owns WORKGROUP_X such tiles in a row and WORKGROUP_Y in a column. It is declared in one dimension because
// software adapters fill their lanes along the first one only.
//#import padding
//#import region

override WORKGROUP_X: u32 = 1u;
override WORKGROUP_Y: u32 = 8u;
override WORKGROUP: u32 = WORKGROUP_X * WORKGROUP_Y;

struct Location {
    // Column and row of the tile in the region.
    wanted: vec2<i32>,
    // The nearest tile that holds pixels of the picture: with PADDING_REPLICATE, this one is computed.
    start: vec2<i32>,
    inside_region: bool,
    // The picture's first and last column and row, in the region.
    first: vec2<i32>,
    last: vec2<i32>,
}

fn locate(lane: u32, workgroup: vec3<u32>) -> Location {
    let tile = workgroup.xy * vec2(WORKGROUP_X, WORKGROUP_Y) + vec2(lane % WORKGROUP_X, lane / WORKGROUP_X);
    let position = vec2<i32>(tile) * OWNED;
    let first = -region.origin;
    let last = first + region.picture - 1;
    // Invocations past the end repeat the last tile instead of returning: subgroups exchange weights.
    let wanted = min(position, (region.size - 1) / OWNED * OWNED);
    var start = wanted;
    if PADDING == PADDING_REPLICATE {
        start = clamp(start, first / OWNED * OWNED, last / OWNED * OWNED);
    }
    return Location(wanted, start, all(position < region.size), first, last);
}
