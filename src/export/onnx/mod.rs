//! Networks as ONNX files, for onnxruntime, OpenVINO, FFmpeg, VapourSynth and whatever else reads them.

use prost::Message;

use super::{About, ratio};
use crate::error::Result;
use crate::network::Padding;
use crate::onnx::{Axis, Entry, Graph, Length, Model, Opset, Shape, TensorType, Type, ValueInfo, kind};
use crate::weights::{Weights, fields};
use build::Builder;

mod bicubic;
mod build;
mod layers;

/// Version of the usual operators. 18 is what all consumers in use read.
const OPSET: i64 = 18;
/// Version of the format that came with them.
const IR_VERSION: i64 = 8;

/// What an exported file does before the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Enlargement {
    /// It enlarges its input by this scale: the file takes small pictures.
    Bicubic(f64),
    /// Nothing: its input is the enlarged picture.
    None,
}

/// A network as the content of an ONNX file.
///
/// Input and output are f32 of `[1][channels][height][width]`, height and width as they come, named `input` and `output`;
/// values are gamma-encoded as [`Channels`](crate::Channels) says. The output is neither rounded nor clamped. Each layer pads as
/// the network's metadata say. Metadata, scale, source and license are in the file, and [`Weights::from_bytes`] reads it back.
///
/// # Errors
/// [`Error::InvalidArgument`](crate::Error::InvalidArgument) for a scale that [`ratio()`] does not take.
pub fn file(weights: &Weights, enlargement: Enlargement, about: &About) -> Result<Vec<u8>> {
    let mut builder = Builder::default();
    let (large, scale) = match enlargement {
        Enlargement::Bicubic(scale) => {
            (bicubic::enlarge(&mut builder, INPUT, ratio(scale)?, scale), Some(scale))
        }
        Enlargement::None => (INPUT.to_owned(), about.scale),
    };
    layers::network(&mut builder, weights, &large, OUTPUT);
    let channels = weights.architecture().channels();
    let other_size = enlargement != Enlargement::None || weights.metadata.padding == Padding::Valid;
    let (height, width) = if other_size { ("output_height", "output_width") } else { ("height", "width") };
    let values = format!("{} in 0..1, gamma-encoded", weights.metadata.channels);
    let graph = Graph {
        nodes: builder.nodes,
        name: "srcnn".into(),
        initializers: builder.constants,
        doc: doc(weights, enlargement),
        inputs: vec![value(INPUT, channels, "height", "width", &values)],
        outputs: vec![value(OUTPUT, channels, height, width, &values)],
    };
    let entry = |(key, value): (&str, String)| Entry { key: key.into(), value };
    let more = [
        ("enlargement", if enlargement == Enlargement::None { "none" } else { "bicubic" }.to_owned()),
        ("scale", scale.map(|scale| scale.to_string()).unwrap_or_default()),
        ("source", about.source.clone()),
        ("license", about.license.clone()),
    ];
    let metadata =
        fields::of(weights).into_iter().chain(more.into_iter().filter(|(_, text)| !text.is_empty()));
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: env!("CARGO_PKG_NAME").into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        domain: String::new(),
        model_version: 1,
        doc: graph.doc.clone(),
        graph: Some(graph),
        opsets: vec![Opset { domain: String::new(), version: OPSET }],
        metadata: metadata.map(entry).collect(),
    };
    Ok(model.encode_to_vec())
}

const INPUT: &str = "input";
const OUTPUT: &str = "output";

fn doc(weights: &Weights, enlargement: Enlargement) -> String {
    let (architecture, channels) = (weights.architecture(), weights.metadata.channels);
    match enlargement {
        Enlargement::Bicubic(scale) => format!(
            "SRCNN {architecture}: takes a picture's {channels}, enlarges it {scale} times as MATLAB's imresize does, and returns \
             what the network makes of it"
        ),
        Enlargement::None => format!(
            "SRCNN {architecture}: takes the bicubic enlargement of a picture's {channels} and returns what the network makes of it"
        ),
    }
}

fn value(name: &str, channels: usize, height: &str, width: &str, doc: &str) -> ValueInfo {
    let fixed = |n: usize| Length::Fixed(n as i64);
    let lengths = [fixed(1), fixed(channels), Length::Named(height.into()), Length::Named(width.into())];
    let axes = lengths.into_iter().map(|length| Axis { length: Some(length) }).collect();
    let of = TensorType { kind: kind::F32, shape: Some(Shape { axes }) };
    ValueInfo { name: name.into(), of: Some(Type { tensor: Some(of) }), doc: doc.into() }
}
