//! Shared by the tests of MATLAB weight files: writes such files byte by byte.

/// A MATLAB 5 file with uncompressed variables (name, dimensions, values in MATLAB's order).
pub fn mat_file(variables: &[(&str, &[i32], Vec<f64>)]) -> Vec<u8> {
    fn element(kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }
    let mut file = format!("{:<124}", "MATLAB 5.0 MAT-file, made by a test").into_bytes();
    file.extend([0x00, 0x01, b'I', b'M']);
    for (name, dimensions, values) in variables {
        let body = [
            element(6, &[6, 0, 0, 0, 0, 0, 0, 0]), // flags: class double
            element(5, &dimensions.iter().flat_map(|d| d.to_le_bytes()).collect::<Vec<_>>()),
            element(1, name.as_bytes()),
            element(9, &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>()),
        ];
        file.extend(element(14, &body.concat()));
    }
    file
}

/// Values that encode their position in a layer's filters, 1000 filter + 100 input + 10 row + column, in the authors'
/// order: axes input, column-major patch, filter, with the first one running fastest.
fn authors_order(inputs: usize, filters: usize, size: usize) -> Vec<f64> {
    let mut values = Vec::new();
    for filter in 0..filters {
        for column in 0..size {
            for row in 0..size {
                for input in 0..inputs {
                    values.push((1000 * filter + 100 * input + 10 * row + column) as f64);
                }
            }
        }
    }
    values
}

/// A variable: its name, dimensions, and values in MATLAB's order.
type Variable = (&'static str, &'static [i32], Vec<f64>);

fn small() -> [Variable; 7] {
    [
        ("note", &[1, 1], vec![0.0]),
        ("biases_conv3", &[1, 1], vec![7.0]),
        ("weights_conv1", &[9, 4], authors_order(1, 4, 3)),
        ("biases_conv1", &[4, 1], vec![0.0, 1.0, 2.0, 3.0]),
        ("weights_conv2", &[4, 9, 2], authors_order(4, 2, 3)),
        ("biases_conv2", &[1, 2], vec![4.0, 5.0]),
        ("weights_conv3", &[2, 25], authors_order(2, 1, 5)),
    ]
}

/// A file of a small network, 3-3-5 with 4 and 2 filters.
pub fn small_mat() -> Vec<u8> {
    mat_file(&small())
}

/// The same network as programs other than MATLAB may write it: each variable in another class and type, names in UTF-8,
/// and short elements in 8 bytes.
pub fn foreign_mat(title: &str, big_endian: bool) -> Vec<u8> {
    let number = |value: u64, len: usize| {
        let bytes = value.to_le_bytes()[..len].to_vec();
        if big_endian { bytes.into_iter().rev().collect() } else { bytes }
    };
    let element = |kind: u32, data: &[u8]| {
        let len = data.len() as u32;
        let mut bytes = match len {
            1..=4 => number((len << 16 | kind).into(), 4),
            _ => [number(kind.into(), 4), number(len.into(), 4)].concat(),
        };
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    };
    let mut file = format!("{title:<124}").into_bytes();
    file.extend([number(0x0100, 2), number(0x4d49, 2)].concat());
    for (i, (name, dimensions, values)) in small().iter().enumerate() {
        // Class of the array, type and length of its numbers: bytes only where they are small enough.
        let small = values.iter().all(|value| *value < 100.0);
        let (class, kind, len) = match (small, i % 3) {
            (true, 0) => (9, 2, 1),
            (true, 1) => (6, 1, 1),
            (true, _) => (12, 3, 2),
            (false, 0) => (7, 7, 4),
            (false, 1) => (14, 12, 8),
            (false, _) => (13, 6, 4),
        };
        let bits = |value: f64| if kind == 7 { (value as f32).to_bits().into() } else { value as u64 };
        let values: Vec<u8> = values.iter().flat_map(|&value| number(bits(value), len)).collect();
        let dimensions: Vec<u8> = dimensions.iter().flat_map(|&d| number(d as u64, 4)).collect();
        let flags = [number(class, 4), number(0, 4)].concat();
        let body = [
            element(6, &flags),
            element(5, &dimensions),
            element(16, name.as_bytes()),
            element(kind, &values),
        ];
        let body = body.concat();
        file.extend([number(14, 4), number(body.len() as u64, 4), body].concat());
    }
    file
}
