// The inner loop of conv_forward.wgsl in half precision: the sum over c, i and j, for the register tile whose first tap is
// at `start`, and the filters whose taps begin at `first_tap`.
//
// A turn of the loop sums 9 to 22 products in half precision, from nothing, and adds them to the sums in single precision,
// which alone live on from turn to turn: where a loop begins, compilers take pairs of 16 bits apart and put them together
// again. Nothing loops within a turn, for the same reason. Prelude: TURN_ROWS, the filter's rows in a turn.
fn products(start: vec2<i32>, first_tap: u32) -> Sums {
    let at = vec2(start.x / 4, start.y);
    var sums = Sums();
    var tap = first_tap;
    if FILTER_COLUMNS == 1u {
        for (var c = 0u; c + 16u <= INPUTS; c += 16u) {
            var turn = Turn();
            add_inputs4(&turn, c, at, tap);
            add_inputs4(&turn, c + 4u, at, tap + 4u * QUADS);
            add_inputs4(&turn, c + 8u, at, tap + 8u * QUADS);
            add_inputs4(&turn, c + 12u, at, tap + 12u * QUADS);
            add(&sums, turn);
            tap += 16u * QUADS;
        }
        for (var c = INPUTS / 16u * 16u; c < INPUTS; c++) {
            var turn = Turn();
            add_tap(&turn, load(input_plane(c) + at), tap, 0u);
            add(&sums, turn);
            tap += QUADS;
        }
        return sums;
    }
    for (var c = 0u; c < INPUTS; c++) {
        let plane = input_plane(c) + at;
        for (var i = 0u; i + TURN_ROWS <= FILTER_ROWS; i += TURN_ROWS) {
            add_rows(&sums, plane + vec2(0, i32(i)), tap, TURN_ROWS);
            tap += TURN_ROWS * FILTER_COLUMNS * QUADS;
        }
        let left = FILTER_ROWS % TURN_ROWS;
        if left > 0u {
            add_rows(&sums, plane + vec2(0, i32(FILTER_ROWS - left)), tap, left);
            tap += left * FILTER_COLUMNS * QUADS;
        }
    }
    return sums;
}

// Adds 4 inputs of a 1x1 layer.
fn add_inputs4(turn: ptr<function, Turn>, c: u32, at: vec2<i32>, tap: u32) {
    add_tap(turn, load(input_plane(c) + at), tap, 0u);
    add_tap(turn, load(input_plane(c + 1u) + at), tap + QUADS, 0u);
    add_tap(turn, load(input_plane(c + 2u) + at), tap + 2u * QUADS, 0u);
    add_tap(turn, load(input_plane(c + 3u) + at), tap + 3u * QUADS, 0u);
}

// Adds `rows` (1 to 3) rows of a filter, or a longer row alone in parts of 16 taps.
fn add_rows(sums: ptr<function, Sums>, at: vec2<i32>, tap: u32, rows: u32) {
    var window = load(at);
    var next = at;
    var part = tap;
    if FILTER_COLUMNS > 16u {
        for (var j = 0u; j + 16u < FILTER_COLUMNS; j += 16u) {
            var turn = Turn();
            add_taps4(&turn, &window, next, part);
            add_taps4(&turn, &window, next + vec2(1, 0), part + 4u * QUADS);
            add_taps4(&turn, &window, next + vec2(2, 0), part + 8u * QUADS);
            add_taps4(&turn, &window, next + vec2(3, 0), part + 12u * QUADS);
            add(sums, turn);
            next.x += 4;
            part += 16u * QUADS;
        }
    }
    var turn = Turn();
    add_row(&turn, &window, next, part);
    if rows > 1u {
        window = load(at + vec2(0, 1));
        add_row(&turn, &window, at + vec2(0, 1), tap + FILTER_COLUMNS * QUADS);
    }
    if rows > 2u {
        window = load(at + vec2(0, 2));
        add_row(&turn, &window, at + vec2(0, 2), tap + 2u * FILTER_COLUMNS * QUADS);
    }
    add(sums, turn);
}

// Adds the taps of a row, or those that are left of it: up to 15.
fn add_row(turn: ptr<function, Turn>, window: ptr<function, Window>, at: vec2<i32>, tap: u32) {
    let quads = FILTER_COLUMNS % 16u / 4u;
    if quads > 0u {
        add_taps4(turn, window, at, tap);
    }
    if quads > 1u {
        add_taps4(turn, window, at + vec2(1, 0), tap + 4u * QUADS);
    }
    if quads > 2u {
        add_taps4(turn, window, at + vec2(2, 0), tap + 8u * QUADS);
    }
    add_last_taps(turn, window, at + vec2(i32(quads), 0), tap + 4u * quads * QUADS);
}
