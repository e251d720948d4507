// What a square of 4 x 4 pixels contributes to layer 3, in itself and in the 2 rows and columns around it: rows and
// columns -2 to 5. Four texels are stored in each plane: in plane 0 rows 0 to 3 of columns 0 to 3, in plane 1 the same
// rows of columns -2 -1 4 5; in planes 2 and 3 the same of rows -2 -1 4 5. A vec4 is 4 rows of one column, a mat4x4 4
// such columns.
//#import padded_square
//#import weight_load

// Contributions of the 4 rows of pixels to 8 columns, which begin FILTER_3 / 2 before the square.
struct Row {
    first: mat4x4<f32>,
    next: mat4x4<f32>,
}

// The same for all rows of the filter: 8 rows, which begin FILTER_3 / 2 before the square.
struct Columns {
    first: Row,
    next: Row,
}

fn add_row(before: Columns, row: Row) -> Columns {
    return Columns(
        Row(down(before.first.first, row.first), down(before.first.next, row.next)),
        Row(
            after(before.first.first, before.next.first),
            after(before.first.next, before.next.next),
        ),
    );
}

// Adds the contributions of two groups of maps.
fn add_columns(a: Columns, b: Columns) -> Columns {
    return Columns(
        Row(a.first.first + b.first.first, a.first.next + b.first.next),
        Row(a.next.first + b.next.first, a.next.next + b.next.next),
    );
}

// Moves rows down by one and adds `more`.
fn down(rows: mat4x4<f32>, more: mat4x4<f32>) -> mat4x4<f32> {
    return more + mat4x4(
        vec4(0.0, rows[0].xyz),
        vec4(0.0, rows[1].xyz),
        vec4(0.0, rows[2].xyz),
        vec4(0.0, rows[3].xyz),
    );
}

// The four rows after them, which take over the row that `down` pushes out.
fn after(rows: mat4x4<f32>, next: mat4x4<f32>) -> mat4x4<f32> {
    return mat4x4(
        vec4(rows[0].w, next[0].xyz),
        vec4(rows[1].w, next[1].xyz),
        vec4(rows[2].w, next[2].xyz),
        vec4(rows[3].w, next[3].xyz),
    );
}

fn store(columns: Columns, at: vec2<i32>) {
    let main = inner(columns.first);
    let main_next = inner(columns.next);
    store_rows(inner_rows(main, main_next), output_plane(0u) + at);
    if FILTER_3 > 1u {
        let sides = outer(columns.first);
        let sides_next = outer(columns.next);
        store_rows(inner_rows(sides, sides_next), output_plane(1u) + at);
        store_rows(outer_rows(main, main_next), output_plane(2u) + at);
        store_rows(outer_rows(sides, sides_next), output_plane(3u) + at);
    }
}

// Columns 0 to 3.
fn inner(row: Row) -> mat4x4<f32> {
    if FILTER_3 == 5u {
        return mat4x4(row.first[2], row.first[3], row.next[0], row.next[1]);
    }
    if FILTER_3 == 3u {
        return mat4x4(row.first[1], row.first[2], row.first[3], row.next[0]);
    }
    return row.first;
}

// Columns -2 -1 4 5.
fn outer(row: Row) -> mat4x4<f32> {
    if FILTER_3 == 5u {
        return mat4x4(row.first[0], row.first[1], row.next[2], row.next[3]);
    }
    return mat4x4(vec4(0.0), row.first[0], row.next[1], vec4(0.0));
}

// Rows 0 to 3.
fn inner_rows(first: mat4x4<f32>, next: mat4x4<f32>) -> mat4x4<f32> {
    return transpose(inner(Row(transpose(first), transpose(next))));
}

// Rows -2 -1 4 5.
fn outer_rows(first: mat4x4<f32>, next: mat4x4<f32>) -> mat4x4<f32> {
    return transpose(outer(Row(transpose(first), transpose(next))));
}
