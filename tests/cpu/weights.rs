//! Weight files: what can be read, what is written, and what is refused.

use crate::common::data;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use srcnn_gpu::{Channels, Error, Layer, LayerShape, Metadata, Padding, Weights};

/// Values that reveal their position.
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
        degradation: Some("blur:1,bicubic".into()),
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
    let fields = metadata.iter().map(|(k, v)| (k.to_string(), v.to_string()));
    safetensors::serialize(views, (!metadata.is_empty()).then(|| fields.collect())).unwrap()
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
        ("degradation", "blur:1,bicubic"),
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
    // Without our version key, other people's metadata mean nothing here.
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
        ("scales", "2,nan", "scale NaN: scales are numbers from 1 on"),
        ("scales", "0.5", "scale 0.5: "),
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

#[test]
fn other_files_are_refused() {
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
fn golden_safetensors() {
    let Some(path) = data("reference/forward.safetensors") else { return };
    let bytes = std::fs::read(path).unwrap();
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
    // The other tensors in that file make it invalid as a weight file.
    assert!(message(&bytes).contains("unexpected tensor 'input'"));
}

#[test]
fn metadata_go_before_the_file_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net_x3.safetensors");
    std::fs::write(&path, network().to_safetensors().unwrap()).unwrap();
    assert_eq!(Weights::load(&path).unwrap().metadata.scales, [2.0, 1.5, 4.0]);
}
