//! Weight files: what is read, what is written, and what is refused.

use std::collections::HashMap;
use std::path::PathBuf;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use srcnn_gpu::{Channels, Error, Layer, LayerShape, Metadata, Padding, Weights};

/// The folder of shared test data, or `None` with a note.
fn data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SRCNN_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("{test}: skipped, SRCNN_DATA is not set");
    }
    folder
}

/// Values that tell their places apart.
fn ramp(count: usize, start: f32) -> Vec<f32> {
    (0..count).map(|i| start + i as f32 / 64.0).collect()
}

fn layer(inputs: usize, filters: usize, size: usize) -> Layer {
    let shape = LayerShape { inputs, filters, size };
    Layer { shape, weight: ramp(shape.weights(), -1.0), bias: ramp(filters, 0.5) }
}

fn network() -> Weights {
    let metadata = Metadata {
        scales: vec![2.0, 1.5, 4.0],
        channels: Channels::YCbCr,
        padding: Padding::Normalized,
        training: Some("by \"hand\"\nin two lines".into()),
        psnr: Some(serde_json::json!([{ "set": "Set5", "scale": 3, "psnr": 32.39 }])),
    };
    Weights::new(vec![layer(3, 4, 5), layer(4, 2, 1), layer(2, 2, 3), layer(2, 3, 3)], metadata).unwrap()
}

/// One tensor for [`safetensors_file`].
type Tensor = (&'static str, Dtype, Vec<usize>, Vec<u8>);

fn safetensors_file(tensors: &[Tensor], metadata: &[(&str, &str)]) -> Vec<u8> {
    let views: Vec<_> = tensors
        .iter()
        .map(|(name, dtype, shape, data)| (*name, TensorView::new(*dtype, shape.clone(), data).unwrap()))
        .collect();
    let metadata: HashMap<_, _> = metadata.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    safetensors::serialize(views, (!metadata.is_empty()).then_some(metadata)).unwrap()
}

fn f32_tensor(name: &'static str, shape: &[usize]) -> Tensor {
    let values = ramp(shape.iter().product(), 0.0);
    (name, Dtype::F32, shape.into(), values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// A 3-1 network with two filters, as PyTorch would export it.
fn plain() -> Vec<Tensor> {
    vec![
        f32_tensor("conv1.weight", &[2, 1, 3, 3]),
        f32_tensor("conv1.bias", &[2]),
        f32_tensor("conv2.weight", &[1, 2, 1, 1]),
        f32_tensor("conv2.bias", &[1]),
    ]
}

fn message(bytes: &[u8]) -> String {
    let error = Weights::from_bytes(bytes).unwrap_err().to_string();
    assert!(!error.contains('\n'), "more than one line: {error}");
    error
}

#[test]
fn written_files_read_back_equal() {
    let weights = network();
    let bytes = weights.to_safetensors().unwrap();
    assert_eq!(Weights::from_bytes(&bytes).unwrap(), weights);
    for _ in 0..20 {
        assert_eq!(weights.clone().to_safetensors().unwrap(), bytes, "the same weights, other bytes");
    }
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut names = file.names();
    names.sort();
    assert_eq!(
        names,
        ["conv1", "conv2", "conv3", "conv4"].map(|n| [format!("{n}.bias"), format!("{n}.weight")]).concat()
    );
    assert_eq!(file.tensor("conv1.weight").unwrap().shape(), [4, 3, 5, 5]);
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = header.metadata().clone().unwrap();
    for (key, value) in [
        ("srcnn_gpu", "1"),
        ("architecture", "5-1-3-3"),
        ("filters", "4-2-2"),
        ("scales", "2,1.5,4"),
        ("channels", "ycbcr"),
        ("padding", "normalized"),
    ] {
        assert_eq!(metadata[key], value, "{key}");
    }
}

#[test]
fn plain_exports_are_read() {
    let weights = Weights::from_bytes(&safetensors_file(&plain(), &[])).unwrap();
    assert_eq!(weights.architecture().to_string(), "3-1 2");
    assert_eq!(weights.layers()[0].weight, ramp(18, 0.0));
    assert_eq!(weights.parameters(), 23);
    let expected = Metadata { padding: Padding::Zero, ..Metadata::default() };
    assert_eq!(weights.metadata, expected);
    // Without our version key, other people's metadata have no meaning here.
    let foreign =
        safetensors_file(&plain(), &[("format", "pt"), ("architecture", "SRCNN"), ("padding", "?")]);
    assert_eq!(Weights::from_bytes(&foreign).unwrap(), weights);
    let rgb = [
        f32_tensor("conv1.weight", &[1, 3, 1, 1]),
        f32_tensor("conv1.bias", &[1]),
        f32_tensor("conv2.weight", &[3, 1, 1, 1]),
        f32_tensor("conv2.bias", &[3]),
    ];
    let rgb = Weights::from_bytes(&safetensors_file(&rgb, &[])).unwrap();
    assert_eq!(rgb.metadata.channels, Channels::Rgb);
}

#[test]
fn other_float_types_are_converted() {
    let mut tensors = plain();
    tensors[1] = ("conv1.bias", Dtype::F16, vec![2], vec![0x00, 0x3c, 0x00, 0xc1]);
    tensors[2] = ("conv2.weight", Dtype::BF16, vec![1, 2, 1, 1], vec![0x80, 0x3f, 0x20, 0xc0]);
    tensors[3] = ("conv2.bias", Dtype::F64, vec![1], 0.1f64.to_le_bytes().into());
    let weights = Weights::from_bytes(&safetensors_file(&tensors, &[])).unwrap();
    assert_eq!(weights.layers()[0].bias, [1.0, -2.5]);
    assert_eq!(weights.layers()[1].weight, [1.0, -2.5]);
    assert_eq!(weights.layers()[1].bias, [0.1]);
    tensors[3].3 = 1e300f64.to_le_bytes().into();
    assert!(message(&safetensors_file(&tensors, &[])).starts_with("conv2.bias holds inf"));
    tensors[3] = ("conv2.bias", Dtype::I32, vec![1], vec![0; 4]);
    assert!(message(&safetensors_file(&tensors, &[])).contains("'conv2.bias' is I32, expected F32"));
}

#[test]
fn wrong_tensors_are_named() {
    let with = |index: usize, tensor: Tensor| {
        let mut tensors = plain();
        tensors[index] = tensor;
        message(&safetensors_file(&tensors, &[]))
    };
    for (error, expected) in [
        (message(&safetensors_file(&plain()[..3], &[])), "tensor 'conv2.bias' is missing"),
        (message(&safetensors_file(&plain()[..2], &[])), "tensor 'conv2.weight' is missing"),
        (message(&safetensors_file(&[], &[])), "tensor 'conv1.weight' is missing"),
        (with(3, f32_tensor("conv4.bias", &[1])), "tensor 'conv2.bias' is missing"),
        (with(3, f32_tensor("features.0.bias", &[1])), "unexpected tensor 'features.0.bias'"),
        (with(3, f32_tensor("conv02.bias", &[1])), "unexpected tensor 'conv02.bias'"),
        (with(3, f32_tensor("conv2.gain", &[1])), "unexpected tensor 'conv2.gain'"),
        (with(3, f32_tensor("conv2.bias", &[2])), "'conv2.bias' has shape [2], expected [1]"),
        (with(0, f32_tensor("conv1.weight", &[2, 9])), "'conv1.weight' has shape [2, 9], expected ["),
        (with(0, f32_tensor("conv1.weight", &[2, 1, 4, 4])), "'conv1.weight' has shape [2, 1, 4, 4], exp"),
        (with(0, f32_tensor("conv1.weight", &[2, 1, 3, 1])), "'conv1.weight' has shape [2, 1, 3, 1], exp"),
        (with(2, f32_tensor("conv2.weight", &[1, 3, 1, 1])), "conv2.weight has shape [1, 3, 1, 1], but"),
        (with(0, f32_tensor("conv1.weight", &[2, 2, 3, 3])), "2 channels"),
    ] {
        assert!(error.contains(expected), "{error}\n  lacks: {expected}");
    }
    let mut tensors = plain();
    tensors[0].3[4 * 5..4 * 6].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(message(&safetensors_file(&tensors, &[])).starts_with("conv1.weight holds NaN (value 6 of 18)"));
}

#[test]
fn wrong_metadata_are_named() {
    for (key, value, expected) in [
        ("srcnn_gpu", "2", "format version '2'"),
        ("architecture", "9-1-5", "'architecture' says 9-1-5, but the tensors are 3-1"),
        ("filters", "64", "'filters' says 64, but the tensors are 2"),
        ("scales", "2;3", "'scales': '2;3' is not a list"),
        ("scales", "2,nan", "scale NaN: scales are numbers above 1"),
        ("scales", "1", "scale 1: "),
        ("channels", "cmyk", "'channels': unknown channels 'cmyk'"),
        ("channels", "rgb", "channels 'rgb' are 3, but the network has 1"),
        ("padding", "mirror", "'padding': unknown padding 'mirror'"),
        ("psnr", "[1,", "'psnr': not JSON"),
    ] {
        let error = message(&safetensors_file(&plain(), &[("srcnn_gpu", "1"), (key, value)]));
        assert!(error.contains(expected), "{error}\n  lacks: {expected}");
    }
    let partial = safetensors_file(&plain(), &[("srcnn_gpu", "1"), ("scales", "3")]);
    assert_eq!(Weights::from_bytes(&partial).unwrap().metadata.scales, [3.0]);
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
fn things_that_are_no_weight_files() {
    let folder = tempfile::tempdir().unwrap();
    let good = network().to_safetensors().unwrap();
    let short = &good[..good.len() - 1];
    let contents: [(&str, &[u8], &str); 7] = [
        ("empty.safetensors", b"", "the file is empty"),
        ("short.safetensors", b"1234", "neither a .safetensors file nor"),
        ("text.mat", b"just some words, no weights at all", "neither a .safetensors file nor"),
        ("cut.safetensors", short, "not a valid .safetensors file"),
        ("long.safetensors", b"\xff\xff\xff\xff\xff\xff\xff\xff{}", "not a valid .safetensors file"),
        ("header.mat", b"MATLAB 5.0 MAT-file", "cut short"),
        ("new.mat", b"MATLAB 7.3 MAT-file", "-v7"),
    ];
    for (name, bytes, expected) in contents {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = Weights::load(&path).unwrap_err();
        assert!(matches!(&error, Error::Model { path: p, .. } if *p == path));
        let error = error.to_string();
        assert!(error.contains(expected) && error.contains(name) && !error.contains('\n'), "{error}");
    }
    let error = Weights::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("is a folder"), "{error}");
    let error = Weights::load(&folder.path().join("none.mat")).unwrap_err().to_string();
    assert!(error.ends_with("no such file"), "{error}");
    for length in 0..good.len() {
        message(&good[..length]);
    }
}

#[test]
fn the_file_name_tells_the_scale() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("3-3-5_small_x3.mat");
    std::fs::write(&path, small_mat()).unwrap();
    assert_eq!(Weights::load(&path).unwrap().metadata.scales, [3.0]);
    let path = folder.path().join("net_x3.safetensors");
    std::fs::write(&path, network().to_safetensors().unwrap()).unwrap();
    assert_eq!(Weights::load(&path).unwrap().metadata.scales, [2.0, 1.5, 4.0], "the metadata go first");
}

#[test]
fn golden_safetensors() {
    let Some(folder) = data("golden_safetensors") else { return };
    let bytes = std::fs::read(folder.join("reference/forward.safetensors")).unwrap();
    let golden = SafeTensors::deserialize(&bytes).unwrap();
    let tensors: Vec<_> = golden.iter().filter(|(name, _)| name.starts_with("conv")).collect();
    let weights = Weights::from_bytes(&safetensors::serialize(tensors, None).unwrap()).unwrap();
    assert_eq!(weights.architecture().to_string(), "9-1-5 8-4");
    for (i, layer) in weights.layers().iter().enumerate() {
        let stored = golden.tensor(&format!("conv{}.weight", i + 1)).unwrap();
        assert_eq!(stored.dtype(), Dtype::F64);
        let stored: Vec<f32> =
            stored.data().as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect();
        assert_eq!(layer.weight, stored);
    }
    // With the other tensors of that file it is no weight file.
    assert!(message(&bytes).contains("unexpected tensor 'input'"));
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
