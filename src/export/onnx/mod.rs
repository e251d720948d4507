//! Networks as ONNX files, for onnxruntime, OpenVINO, FFmpeg, VapourSynth and whatever else reads them.

use prost::Message;

use super::{About, ratio, trained_ratio};
use crate::error::Result;
use crate::network::Padding;
use crate::onnx::{Axis, Entry, Graph, Length, Model, Opset, Shape, TensorType, Type, ValueInfo, kind};
use crate::ratio::Ratio;
use crate::weights::{ENLARGED, Weights, fields};
use bicubic::{Resampling, Size};
use build::Builder;

mod bicubic;
mod build;
mod layers;

/// Version of the usual operators. 18 is what all consumers in use read.
const OPSET: i64 = 18;
/// Version of the format that came with them.
const IR_VERSION: i64 = 8;

/// What an exported file does besides the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Enlargement {
    /// It takes small pictures and enlarges them by this scale. Where the network was trained for another one, bicubic
    /// interpolation comes before it by the scale that [`Metadata::step`](crate::Metadata::step) gives, and does the rest after
    /// it: for 1.5, a network for 2 gets pictures enlarged twice, and its result is shrunk.
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
/// [`Error::InvalidArgument`](crate::Error::InvalidArgument) for a scale that [`ratio()`] does not take, of the file or of the network.
pub fn file(weights: &Weights, enlargement: Enlargement, about: &About) -> Result<Vec<u8>> {
    let mut builder = Builder::default();
    let scale = match enlargement {
        Enlargement::Bicubic(scale) => {
            enlarged(&mut builder, weights, scale)?;
            Some(scale)
        }
        Enlargement::None => {
            layers::network(&mut builder, weights, INPUT, OUTPUT);
            about.scale
        }
    };
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

/// Adds an enlargement by `scale` from the input to the output, with the network in it.
fn enlarged(builder: &mut Builder, weights: &Weights, scale: f64) -> Result<()> {
    const LARGE: &str = "large";
    let all = ratio(scale)?;
    // What a network without padding makes is smaller than its input, and is no picture to shrink.
    let step = weights.metadata.step(scale).filter(|_| weights.metadata.padding != Padding::Valid);
    let (step, by) = step.map_or(Ok((scale, all)), |step| trained_ratio(step).map(|ratio| (step, ratio)))?;
    let rest = all.over(by);
    let size = Size { of: INPUT, ratio: by, scale: step };
    Resampling { name: "bicubic", ratio: by, size }.add(builder, INPUT, LARGE);
    if rest == Ratio::ONE {
        layers::network(builder, weights, LARGE, OUTPUT);
        return Ok(());
    }
    layers::network(builder, weights, LARGE, ENLARGED);
    let size = Size { of: INPUT, ratio: all, scale };
    Resampling { name: "rest", ratio: rest, size }.add(builder, ENLARGED, OUTPUT);
    Ok(())
}

const INPUT: &str = "input";
const OUTPUT: &str = "output";

fn doc(weights: &Weights, enlargement: Enlargement) -> String {
    let (architecture, channels) = (weights.architecture(), weights.metadata.channels);
    match enlargement {
        Enlargement::Bicubic(scale) => format!(
            "SRCNN {architecture}: takes a picture's {channels}, enlarges it {scale} times, by bicubic interpolation as \
             MATLAB's imresize does it and by the network"
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
