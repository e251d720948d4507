//! The authors' MATLAB weight files.

use crate::common::data;
use crate::common::mat::{foreign_mat, mat_file, small_mat};
use srcnn_gpu::{LayerShape, Metadata, Weights};

fn message(bytes: &[u8]) -> String {
    let error = Weights::from_bytes(bytes).unwrap_err().to_string();
    assert!(!error.contains('\n'), "more than one line: {error}");
    error
}

#[test]
fn mat_layout() {
    let weights = Weights::from_bytes(&small_mat()).unwrap();
    assert_eq!(weights.architecture().to_string(), "3-3-5 4-2");
    assert_eq!(weights.metadata, Metadata::default(), "replicate, y");
    assert_eq!(weights.layers()[1].bias, [4.0, 5.0]);
    for layer in weights.layers() {
        let mut values = layer.weight.iter();
        let LayerShape { inputs, filters, size } = layer.shape;
        for filter in 0..filters {
            for input in 0..inputs {
                for row in 0..size {
                    for column in 0..size {
                        let expected = (1000 * filter + 100 * input + 10 * row + column) as f32;
                        assert_eq!(values.next(), Some(&expected), "{filter} {input} {row} {column}");
                    }
                }
            }
        }
        assert_eq!(values.next(), None);
    }
}

#[test]
fn damaged_mat_files_are_errors() {
    let good = small_mat();
    for length in 0..good.len() {
        message(&good[..length]);
    }
    let mut silent = 0;
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0xff;
        silent += usize::from(Weights::from_bytes(&bad).is_ok());
    }
    assert!(silent > 0 && silent < good.len(), "changed values pass, changed structure does not");

    let replaced = |name: &str, dimensions: &[i32], count: usize| {
        let all: [(&str, &[i32], Vec<f64>); 4] = [
            ("weights_conv1", &[9, 2], vec![0.5; 18]),
            ("biases_conv1", &[2, 1], vec![0.5; 2]),
            ("weights_conv2", &[2, 9], vec![0.5; 18]),
            ("biases_conv2", &[1, 1], vec![0.5; 1]),
        ];
        mat_file(&all.map(|v| if v.0 == name { (v.0, dimensions, vec![0.5; count]) } else { v }))
    };
    assert_eq!(Weights::from_bytes(&replaced("", &[], 0)).unwrap().architecture().to_string(), "3-3 2");
    for (error, expected) in [
        (message(&replaced("weights_conv1", &[8, 2], 16)), "weights_conv1 is [8, 2], expected [1, f*f, 2]"),
        (message(&replaced("weights_conv1", &[2, 9], 18)), "weights_conv1 is [2, 9], expected"),
        (message(&replaced("weights_conv1", &[16, 2], 32)), "weights_conv1 is [16, 2], expected"),
        (message(&replaced("weights_conv2", &[3, 9], 27)), "weights_conv2 is [3, 9], expected [2, f*f, 1]"),
        (message(&replaced("weights_conv2", &[0, 9], 0)), "weights_conv2 is [0, 9], expected"),
        (message(&replaced("biases_conv1", &[2, 2], 4)), "biases_conv1 is [2, 2], expected a vector"),
        (message(&replaced("biases_conv2", &[0, 0], 0)), "biases_conv2 is [0, 0], expected a vector"),
        (message(&mat_file(&[("a", &[1, 1], vec![1.0])])), "has no network"),
        (message(&mat_file(&[("weights_conv2", &[1, 1], vec![1.0])])), "biases_conv1 is missing"),
    ] {
        assert!(error.contains(expected), "{error}\n  lacks: {expected}");
    }
}

/// Other programs write numbers in the smallest type that holds them, names in UTF-8, short elements in a form of their
/// own, and use the byte order of their machine.
#[test]
fn files_of_other_writers() {
    let same = Weights::from_bytes(&small_mat()).unwrap();
    for big_endian in [false, true] {
        for title in ["MATLAB 5.0 MAT-file, written by another program", "A file of numbers"] {
            let file = foreign_mat(title, big_endian);
            assert_eq!(Weights::from_bytes(&file).unwrap(), same, "{title}, big-endian: {big_endian}");
        }
    }
    let mut hdf5 = vec![b' '; 512];
    hdf5.extend(b"\x89HDF\r\n\x1a\n");
    for file in [hdf5.as_slice(), &hdf5[512..]] {
        assert!(message(file).contains("7.3 file (HDF5); save it again"));
    }
    let version_4 = [[0u32, 9, 4, 0, 14].map(u32::to_le_bytes).as_flattened(), b"weights_conv1\0"].concat();
    assert!(message(&version_4).contains("MATLAB 4 file; save it again"));
}

#[test]
fn the_file_name_tells_the_scale() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("3-3-5_small_x3.mat");
    std::fs::write(&path, small_mat()).unwrap();
    assert_eq!(Weights::load(&path).unwrap().metadata.scales, [3.0]);
}

/// Some entries of the authors' files, and the sums of a filter bank times its row and column numbers, which a wrong
/// axis order would change. Obtained with Python: `scipy.io.loadmat`, each patch by `reshape(f, f, order='F')`,
/// stacked as [filter, input, row, column].
#[test]
fn authors_files() {
    let Some(folder) = data("weights-authors") else { return };
    struct Bank {
        /// Entries (0, 0, 0, 0) and (last filter, last input, 0, last column).
        entries: [f32; 2],
        by_row: f64,
        by_column: f64,
        bias: f32,
    }
    let bank = |entries, by_row, by_column, bias| Bank { entries, by_row, by_column, bias };
    for (name, architecture, parameters, banks) in [
        (
            "9-1-5_91-images_x3.mat",
            "9-1-5 64-32",
            8129,
            [
                bank([0.028228754, 0.04517221], 64.52027955963646, 58.57114208327107, -0.0020237037),
                bank([0.21509708, 0.10807953], 0.0, 0.0, -0.0010796117),
                bank([-0.015817707, -0.0139190685], -1.2471455954031399, 0.35968666751705314, 0.028888203),
            ],
        ),
        (
            "9-5-5_ImageNet_x3.mat",
            "9-5-5 64-32",
            57281,
            [
                bank([0.013566452, 0.14279433], -38.59094959614595, -46.13983329611074, 0.1227),
                bank([-0.0017178518, 0.024398245], -131.1501807066831, -141.89221767767535, 0.036976464),
                bank([-0.013958259, -0.006270057], -1.0278052930314097, -1.513810876979079, -0.024417225),
            ],
        ),
    ] {
        let path = folder.join(name);
        let weights = Weights::load(&path).unwrap();
        assert_eq!(
            (weights.architecture().to_string().as_str(), weights.parameters()),
            (architecture, parameters)
        );
        assert_eq!(weights.metadata, Metadata { scales: vec![3.0], ..Metadata::default() });
        for (layer, bank) in weights.layers().iter().zip(banks) {
            let LayerShape { size, .. } = layer.shape;
            let last = layer.weight.len() - size * size + size - 1;
            assert_eq!([layer.weight[0], layer.weight[last]], bank.entries);
            assert_eq!(layer.bias[0], bank.bias);
            let sum = |weight: &dyn Fn(usize) -> usize| -> f64 {
                layer.weight.iter().enumerate().map(|(i, &v)| f64::from(v) * weight(i) as f64).sum()
            };
            let (by_row, by_column) = (sum(&|i| i / size % size), sum(&|i| i % size));
            assert!((by_row - bank.by_row).abs() < 1e-9 && (by_column - bank.by_column).abs() < 1e-9);
        }
        // Compressed variables: truncated and altered files give errors or other numbers, never a panic.
        let bytes = std::fs::read(&path).unwrap();
        for length in (0..bytes.len()).step_by(bytes.len() / 37) {
            message(&bytes[..length]);
        }
        let converted = Weights::from_bytes(&weights.to_safetensors().unwrap()).unwrap();
        assert_eq!(converted, weights);
    }
}
