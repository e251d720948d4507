//! ONNX files: exports compute what the twins do and come back as they were; stacks of others are read, the rest is refused.

mod interpreter;

use prost::Message;
use srcnn_gpu::export::About;
use srcnn_gpu::export::onnx::{Enlargement, file};
use srcnn_gpu::onnx::{Attribute, Entry, Graph, Model, Node, Tensor, ValueInfo, kind};
use srcnn_gpu::reference::resample::{Axis, imresize, resample};
use srcnn_gpu::reference::{Maps, forward};
use srcnn_gpu::{Channels, Padding, Shipped, Weights};

use crate::common::{network, noise};
use interpreter::Value;

fn about() -> About {
    About { source: "tests".into(), license: "MIT".into(), scale: None }
}

fn decode(bytes: &[u8]) -> Model {
    Model::decode(bytes).unwrap()
}

/// The graph of an export, run on noise, against bicubic and forward pass of the twins.
fn agrees(weights: &Weights, enlargement: Enlargement, [height, width]: [usize; 2]) {
    let what = format!("{} {enlargement:?} {height}x{width}", weights.metadata.padding);
    let channels = weights.architecture().channels();
    let mut next = noise((height * 1000 + width) as u64);
    let input: Vec<f64> = (0..channels * height * width).map(|_| f64::from(next())).collect();
    let model = decode(&file(weights, enlargement, &about()).unwrap());
    let graph = model.graph.unwrap();
    let actual = interpreter::run(&graph, Value::new(&[1, channels, height, width], input.clone()));

    let mut large = Maps { channels, height, width, data: input.clone() };
    if let Enlargement::Bicubic(scale) = enlargement {
        large.data.clear();
        let step = weights.metadata.step(scale).unwrap_or(scale);
        for plane in input.chunks_exact(height * width) {
            let (data, high, wide) = imresize(plane, height, width, step).unwrap();
            (large.height, large.width) = (high, wide);
            large.data.extend(data);
        }
    }
    let mut expected = forward(weights, &large, weights.metadata.padding);
    if let Enlargement::Bicubic(scale) = enlargement
        && let Some(step) = weights.metadata.step(scale).filter(|&step| step != scale)
    {
        let axis = |input: usize, from: usize| {
            let output = (from as f64 * scale).ceil() as usize;
            Axis { input, output, scale: scale / step, site: 0.5 }
        };
        let (rows, columns) = (axis(expected.height, height), axis(expected.width, width));
        let planes = expected.data.chunks_exact(expected.height * expected.width);
        expected.data = planes.flat_map(|plane| resample(plane, rows, columns).unwrap()).collect();
        (expected.height, expected.width) = (rows.output, columns.output);
    }
    assert_eq!(actual.shape, [1, channels, expected.height, expected.width], "{what}");
    let differences = actual.data.iter().zip(&expected.data).map(|(a, b)| (a - b).abs());
    let worst = differences.fold(0.0, f64::max);
    assert!(worst < 1e-9, "{what}: off by {worst:e}");
    let spread = expected.data.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    assert!(spread > 1e-3, "{what}: nothing to compare");
}

#[test]
fn graphs_compute_what_the_twins_do() {
    for padding in Padding::NAMES {
        let weights = network("5-1-3", "8-4", 1, padding.parse().unwrap());
        for size in [[9, 13], [12, 8]] {
            agrees(&weights, Enlargement::None, size);
            agrees(&weights, Enlargement::Bicubic(2.0), size);
        }
    }
    let color = network("3-3", "4", 3, Padding::Replicate);
    agrees(&color, Enlargement::Bicubic(3.0), [5, 7]);
}

#[test]
fn any_factor_and_any_size() {
    let weights = network("3-1-3", "4-4", 1, Padding::Replicate);
    for scale in [2.0, 3.0, 4.0, 1.5, 1.7, 2.25, 4.0 / 3.0, 1.001] {
        for size in [[1, 1], [1, 6], [2, 1], [3, 2], [11, 10]] {
            agrees(&weights, Enlargement::Bicubic(scale), size);
        }
    }
    // By the scale of the network and the rest.
    for trained in [2.0, 3.0, 4.0, 2.5] {
        let mut weights = weights.clone();
        weights.metadata.scales = vec![trained];
        for scale in [f64::from(trained), 1.5, 1.7, 2.7, 1.1, 2.125, 4.25, 9.0] {
            for size in [[1, 1], [2, 1], [11, 10]] {
                agrees(&weights, Enlargement::Bicubic(scale), size);
            }
        }
    }
    // MATLAB's doubles give 122 rows here, one more than 110 * 11 / 10.
    agrees(&weights, Enlargement::Bicubic(1.1), [110, 1]);
}

#[test]
fn exports_come_back_bit_for_bit() {
    let mut all: Vec<Weights> = Padding::NAMES
        .iter()
        .map(|padding| network("5-1-3-3", "4-3-2", 1, padding.parse().unwrap()))
        .collect();
    all.push(network("1-1", "2", 3, Padding::Replicate));
    all[1].metadata.training = Some("by \"hand\"\nin two lines".into());
    all[1].metadata.psnr = Some(serde_json::json!([{ "set": "Set5", "scale": 3, "psnr": 32.39 }]));
    all[2].metadata.scales = vec![2.0, 1.5];
    all[4].metadata.channels = Channels::YCbCr;
    for shipped in [Shipped::Small, Shipped::Large] {
        all.extend(shipped.all().unwrap().into_iter().map(|(_, weights)| weights));
    }
    for weights in all {
        for enlargement in [Enlargement::None, Enlargement::Bicubic(2.0)] {
            let bytes = file(&weights, enlargement, &about()).unwrap();
            assert_eq!(Weights::from_bytes(&bytes).unwrap(), weights);
            assert_eq!(file(&weights, enlargement, &about()).unwrap(), bytes, "other bytes each time");
        }
    }
}

#[test]
fn exports_say_what_they_are() {
    let weights = Shipped::Small.nearest(3.0).unwrap();
    let model = decode(&file(&weights, Enlargement::Bicubic(3.0), &about()).unwrap());
    let of = |key: &str| model.metadata.iter().find(|entry| entry.key == key).map(|e| e.value.as_str());
    for (key, value) in [
        ("license", "MIT"),
        ("source", "tests"),
        ("scale", "3"),
        ("scales", "3"),
        ("enlargement", "bicubic"),
        ("padding", "replicate"),
        ("channels", "y"),
    ] {
        assert_eq!(of(key), Some(value), "{key}");
    }
    assert!(model.opsets[0].version >= 18);
    let graph = model.graph.unwrap();
    assert_eq!((graph.inputs[0].name.as_str(), graph.outputs[0].name.as_str()), ("input", "output"));
    let used: Vec<_> = graph.nodes.iter().flat_map(|node| &node.inputs).collect();
    for tensor in &graph.initializers {
        assert!(used.contains(&&tensor.name), "{} is not used", tensor.name);
    }
    for (scale, word) in [(1.0, "above 1"), (std::f64::consts::PI, "denominator")] {
        let error = file(&weights, Enlargement::Bicubic(scale), &about()).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

/// What others write: a stack 3-1 with two filters, each convolution padded with zeros by itself.
fn foreign() -> Model {
    let tensor = |name: &str, shape: &[i64]| Tensor {
        name: name.into(),
        shape: shape.into(),
        kind: kind::F32,
        floats: (0..shape.iter().product()).map(|i| i as f32 / 8.0 - 1.0).collect(),
        ..Tensor::default()
    };
    let ints =
        |name: &str, ints: &[i64]| Attribute { name: name.into(), ints: ints.into(), ..Attribute::default() };
    let node = |op: &str, inputs: &[&str], output: &str, attributes: Vec<Attribute>| Node {
        op: op.into(),
        inputs: inputs.iter().map(ToString::to_string).collect(),
        outputs: vec![output.into()],
        name: format!("/{output}"),
        attributes,
        ..Node::default()
    };
    let value = |name: &str| ValueInfo { name: name.into(), ..ValueInfo::default() };
    let graph = Graph {
        nodes: vec![
            node("Identity", &["x"], "same", vec![]),
            node("Conv", &["same", "w1", "b1"], "c1", vec![ints("pads", &[1; 4]), ints("strides", &[1, 1])]),
            node("Relu", &["c1"], "r1", vec![]),
            node("Conv", &["r1", "w2"], "y", vec![]),
        ],
        initializers: vec![tensor("w1", &[2, 1, 3, 3]), tensor("b1", &[2]), tensor("w2", &[1, 2, 1, 1])],
        inputs: vec![value("x")],
        outputs: vec![value("y")],
        ..Graph::default()
    };
    Model { ir_version: 8, graph: Some(graph), ..Model::default() }
}

/// Reads the stack after a change.
fn changed(change: impl FnOnce(&mut Graph)) -> srcnn_gpu::Result<Weights> {
    let mut model = foreign();
    change(model.graph.as_mut().unwrap());
    Weights::from_bytes(&model.encode_to_vec())
}

#[test]
fn stacks_of_others_are_read() {
    let weights = changed(|_| ()).unwrap();
    assert_eq!(weights.architecture().to_string(), "3-1 2");
    assert_eq!(weights.metadata.padding, Padding::Zero);
    assert_eq!(weights.layers()[0].weight[..3], [-1.0, -0.875, -0.75]);
    assert_eq!(
        (&weights.layers()[0].bias[..], &weights.layers()[1].bias[..]),
        (&[-1.0, -0.875][..], &[0.0][..])
    );
    let bare = changed(|graph| graph.nodes[1].attributes.clear()).unwrap();
    assert_eq!(bare.metadata.padding, Padding::Valid);
    // A padding of its own, as `Pad`.
    for (mode, padding) in [("edge", Padding::Replicate), ("constant", Padding::Zero)] {
        let weights = changed(|graph| {
            graph.nodes[1].attributes.clear();
            graph.nodes[1].inputs[0] = "padded".into();
            graph.nodes[0].op = "Pad".into();
            graph.nodes[0].outputs = vec!["padded".into()];
            graph.nodes[0].inputs.push("amounts".into());
            graph.nodes[0].attributes =
                vec![Attribute { name: "mode".into(), text: mode.into(), ..Attribute::default() }];
            let int64s = vec![0, 0, 1, 1, 0, 0, 1, 1];
            let amounts = Tensor {
                name: "amounts".into(),
                shape: vec![8],
                kind: kind::I64,
                int64s,
                ..Tensor::default()
            };
            graph.initializers.push(amounts);
        });
        assert_eq!(weights.unwrap().metadata.padding, padding);
    }
    // Half precision, and weights that a node brings.
    let half = changed(|graph| {
        let mut w2 = graph.initializers.pop().unwrap();
        (w2.kind, w2.floats, w2.int32s) = (kind::F16, Vec::new(), vec![0x3c00, 0xc000]);
        let value = Attribute { name: "value".into(), tensor: Some(w2), ..Attribute::default() };
        let made = Node {
            op: "Constant".into(),
            outputs: vec!["w2".into()],
            attributes: vec![value],
            ..Node::default()
        };
        graph.nodes.insert(0, made);
    });
    assert_eq!(half.unwrap().layers()[1].weight, [1.0, -2.0]);
}

/// Moves a tensor's values to a file beside the ONNX file.
fn elsewhere(tensor: &mut Tensor, name: &str, offset: usize) -> Vec<u8> {
    let bytes: Vec<u8> = tensor.floats.drain(..).flat_map(f32::to_le_bytes).collect();
    let entries =
        [("location", name.into()), ("offset", offset.to_string()), ("length", bytes.len().to_string())];
    tensor.external = entries.map(|(key, value)| Entry { key: key.into(), value }).into();
    tensor.location = 1;
    bytes
}

/// What PyTorch's exporter writes by default.
#[test]
fn weights_in_a_file_beside() {
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str, data: &[u8]| {
        let mut model = foreign();
        let tensors = &mut model.graph.as_mut().unwrap().initializers;
        elsewhere(&mut tensors[0], name, 0);
        elsewhere(&mut tensors[2], name, 80);
        std::fs::write(folder.path().join("net.onnx"), model.encode_to_vec()).unwrap();
        std::fs::write(folder.path().join("net.onnx.data"), data).unwrap();
        Weights::load(&folder.path().join("net.onnx"))
    };
    let mut model = foreign();
    let tensors = &mut model.graph.as_mut().unwrap().initializers;
    let (first, last) = (elsewhere(&mut tensors[0], "", 0), elsewhere(&mut tensors[2], "", 0));
    let data = [&first[..], &[0; 8], &last].concat();
    assert_eq!(load("net.onnx.data", &data).unwrap(), changed(|_| ()).unwrap());
    for (name, data, words) in [
        ("net.onnx.data", &data[..87], "too short for tensor 'w2'"),
        ("other.data", &data, "its weights are in 'other.data': "),
        ("../net.onnx.data", &data, "not a file in its folder"),
        ("/etc/passwd", &data, "not a file in its folder"),
    ] {
        let error = load(name, data).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn graphs_that_are_no_srcnn_are_refused() {
    let ints =
        |name: &str, ints: &[i64]| Attribute { name: name.into(), ints: ints.into(), ..Attribute::default() };
    type Change<'a> = Box<dyn FnOnce(&mut Graph) + 'a>;
    let cases: Vec<(Change, &str)> = vec![
        (Box::new(|g| g.nodes[2].op = "Sigmoid".into()), "'Sigmoid' at 'r1'"),
        (Box::new(|g| g.nodes[3].op = "Gemm".into()), "'Gemm' at 'y'"),
        (Box::new(|g| g.nodes[1].attributes.push(ints("dilations", &[2, 2]))), "dilations other than 1"),
        (Box::new(|g| g.nodes[1].attributes[1].ints = vec![2, 2]), "strides other than 1"),
        (
            Box::new(|g| g.nodes[1].attributes[0].ints = vec![0, 0, 2, 2]),
            "pads [0, 0, 2, 2], expected 1 each",
        ),
        (Box::new(|g| g.outputs.push(ValueInfo::default())), "2 outputs"),
        (Box::new(|g| g.nodes[3].inputs[0] = "c1".into()), "'Conv' at 'c1', where"),
        (Box::new(|g| g.nodes[0].inputs[0] = "r1".into()), "circle"),
        (Box::new(|g| g.initializers[0].location = 1), "does not say where"),
        (
            Box::new(|g| drop(elsewhere(&mut g.initializers[0], "w.data", 0))),
            "in 'w.data', which can be read",
        ),
        (Box::new(|g| g.initializers[0].kind = 6), "'w1' is of type 6"),
        (Box::new(|g| g.initializers[0].floats.truncate(17)), "17 numbers, expected 18"),
        (Box::new(|g| g.initializers[0].shape[0] = -2), "negative shape"),
        (Box::new(|g| g.initializers[0].shape = vec![1 << 40, 1 << 40, 3, 3]), "too large"),
        (Box::new(|g| drop(g.initializers.remove(0))), "'w1' is no constant"),
    ];
    for (change, expected) in cases {
        let error = changed(change).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{error}\n  lacks: {expected}");
    }
    let error = Weights::from_bytes(&[8, 8, 0x3a, 0x7f]).unwrap_err().to_string();
    assert!(error.contains("not a valid ONNX file"), "{error}");
}

/// A file that says one thing and does another is not taken.
#[test]
fn metadata_and_graph_have_to_agree() {
    let weights = network("3-1", "2", 1, Padding::Replicate);
    let mut model = decode(&file(&weights, Enlargement::Bicubic(2.0), &about()).unwrap());
    for entry in &mut model.metadata {
        if entry.key == "padding" {
            entry.value = "zero".into();
        }
    }
    let error = Weights::from_bytes(&model.encode_to_vec()).unwrap_err().to_string();
    assert!(error.contains("'padding' says zero"), "{error}");
    model.metadata.retain(|entry| entry.key != "enlargement");
    let error = Weights::from_bytes(&model.encode_to_vec()).unwrap_err().to_string();
    assert!(error.contains("'ReduceSum' at 'large'"), "{error}");
}

#[test]
fn damaged_files_are_errors() {
    let good =
        file(&network("3-1-3", "3-2", 1, Padding::Replicate), Enlargement::Bicubic(2.0), &about()).unwrap();
    for length in 0..good.len() {
        let _ = Weights::from_bytes(&good[..length]);
    }
    let mut next = noise(3);
    for _ in 0..2000 {
        let mut bytes = good.clone();
        let at = (next().abs() * (bytes.len() - 1) as f32) as usize;
        bytes[at] = (next() * 127.0) as i8 as u8;
        let _ = Weights::from_bytes(&bytes);
    }
}
