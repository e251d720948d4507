//! The authors' MATLAB weight files, and the `model` command, which reads them.

use std::path::PathBuf;

use srcnn_gpu::{LayerShape, Metadata, Weights};

/// The folder of shared test data, or `None` with a note.
fn data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SRCNN_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("{test}: skipped, SRCNN_DATA is not set");
    }
    folder
}

fn message(bytes: &[u8]) -> String {
    let error = Weights::from_bytes(bytes).unwrap_err().to_string();
    assert!(!error.contains('\n'), "more than one line: {error}");
    error
}

/// A MATLAB 5 file with uncompressed variables (name, dimensions, values in MATLAB's order).
fn mat_file(variables: &[(&str, &[i32], Vec<f64>)]) -> Vec<u8> {
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

/// The value at a place of a layer's filters, 1000 filter + 100 input + 10 row + column, in the authors'
/// order: axes input, column-major patch, filter, the first one running fastest.
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

fn small_mat() -> Vec<u8> {
    mat_file(&[
        ("note", &[1, 1], vec![0.0]),
        ("biases_conv3", &[1, 1], vec![7.0]),
        ("weights_conv1", &[9, 4], authors_order(1, 4, 3)),
        ("biases_conv1", &[4, 1], vec![0.0, 1.0, 2.0, 3.0]),
        ("weights_conv2", &[4, 9, 2], authors_order(4, 2, 3)),
        ("biases_conv2", &[1, 2], vec![4.0, 5.0]),
        ("weights_conv3", &[2, 25], authors_order(2, 1, 5)),
    ])
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

#[test]
fn the_file_name_tells_the_scale() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("3-3-5_small_x3.mat");
    std::fs::write(&path, small_mat()).unwrap();
    assert_eq!(Weights::load(&path).unwrap().metadata.scales, [3.0]);
}

/// Some entries of the authors' files and the sums of a filter bank times its row and column numbers,
/// which a wrong order of axes changes. Obtained with Python: `scipy.io.loadmat`, each patch by
/// `reshape(f, f, order='F')`, stacked as [filter, input, row, column].
#[test]
fn authors_files() {
    let Some(folder) = data("authors_files") else { return };
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
        let path = folder.join("weights-authors").join(name);
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
        // Compressed variables: cut and changed files are errors or other numbers, never a panic.
        let bytes = std::fs::read(&path).unwrap();
        for length in (0..bytes.len()).step_by(bytes.len() / 37) {
            message(&bytes[..length]);
        }
        let converted = Weights::from_bytes(&weights.to_safetensors().unwrap()).unwrap();
        assert_eq!(converted, weights);
    }
}

/// The `model` command, run as a user would.
#[cfg(feature = "cli")]
mod command {
    use super::*;
    use std::process::{Command, Output};

    fn model(arguments: &[&str], folder: &tempfile::TempDir) -> Output {
        Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"))
            .arg("model")
            .args(arguments)
            .current_dir(folder)
            .output()
            .unwrap()
    }

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(bytes.into()).unwrap()
    }

    #[test]
    fn convert_and_info() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("small_x3.mat"), small_mat()).unwrap();
        let done = model(&["convert", "small_x3.mat", "a.safetensors"], &folder);
        assert!(done.status.success(), "{}", text(&done.stderr));
        assert_eq!(text(&done.stdout), "a.safetensors: 3-3-5 4-2, channels y, padding replicate\n");
        let written = std::fs::read(folder.path().join("a.safetensors")).unwrap();
        assert_eq!(Weights::from_bytes(&written).unwrap().metadata.scales, [3.0]);

        let arguments = ["convert", "small_x3.mat", "a.safetensors", "--scale", "2,3", "--scale", "4"];
        let more = ["--padding", "zero", "--training", "by nobody"];
        let arguments = [arguments.as_slice(), &more].concat();
        let refused = model(&arguments, &folder);
        assert_eq!(refused.status.code(), Some(5));
        assert!(text(&refused.stderr).contains("exists already"));
        assert_eq!(std::fs::read(folder.path().join("a.safetensors")).unwrap(), written);
        let done = model(&[&arguments, ["--existing", "overwrite"].as_slice()].concat(), &folder);
        assert!(done.status.success(), "{}", text(&done.stderr));

        let info = model(&["info", "a.safetensors"], &folder);
        let info = text(&info.stdout);
        for line in ["scales            2, 3, 4", "padding           zero", "training          by nobody"] {
            assert!(info.lines().any(|l| l == line), "{info}\n  lacks: {line}");
        }
        let info = model(&["info", "--json", "a.safetensors"], &folder);
        let json: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap();
        assert_eq!(json["architecture"], "3-3-5");
        assert_eq!(json["parameters"], 36 + 4 + 72 + 2 + 50 + 1);
        assert_eq!(json["receptive_radius"], 4);
        assert_eq!(json["multiply_adds_per_pixel"], 36 + 72 + 50);
        assert_eq!(json["scales"], serde_json::json!([2.0, 3.0, 4.0]));
        let tensor = &json["tensors"][3];
        assert_eq!(tensor["name"], "conv2.bias");
        assert_eq!([&tensor["min"], &tensor["max"], &tensor["mean"]], [4.0, 5.0, 4.5]);
    }

    #[test]
    fn errors_have_one_line_and_a_code() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("small.mat"), small_mat()).unwrap();
        std::fs::write(folder.path().join("text.safetensors"), "words, no weights").unwrap();
        for (arguments, code) in [
            (&["info", "missing.mat"][..], 4),
            (&["info", "."], 4),
            (&["info", "text.safetensors"], 4),
            (&["convert", "small.mat", "missing/a.safetensors"], 5),
            (&["convert", "small.mat", "a.mat"], 2),
            (&["convert", "small.mat", "a.safetensors", "--channels", "rgb"], 2),
            (&["convert", "small.mat", "a.safetensors", "--scale", "nan"], 2),
        ] {
            let failed = model(arguments, &folder);
            assert_eq!(failed.status.code(), Some(code), "{arguments:?}");
            assert_eq!(text(&failed.stderr).lines().count(), 1, "{}", text(&failed.stderr));
            assert!(failed.stdout.is_empty());
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "nothing left behind");
    }
}
