// The inner loop of conv_forward.wgsl in single precision: the sum over c, i and j, for the register tile whose first tap
// is at `start`, and the filters whose taps begin at `first_tap`.
fn products(start: vec2<i32>, first_tap: u32) -> Sums {
    var sums = Sums();
    var tap = first_tap;
    // To INPUTS, which compilers do not see here: Direct3D's FXC unrolls loops of known length, and takes seconds for it.
    for (var c = 0u; c < region.terms; c++) {
        let plane = input_plane(c) + vec2(start.x / 4, start.y);
        for (var i = 0; i < i32(FILTER_ROWS); i++) {
            var at = plane + vec2(0, i);
            var window = load(at);
            for (var j = 0u; j + 4u <= FILTER_COLUMNS; j += 4u) {
                add_taps4(&sums, &window, at, tap);
                at.x++;
                tap += 4u * QUADS;
            }
            add_last_taps(&sums, &window, at, tap);
            tap += FILTER_COLUMNS % 4u * QUADS;
        }
    }
    return sums;
}
