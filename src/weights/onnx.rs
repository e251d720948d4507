//! Networks in ONNX files: this crate's own exports, and stacks of convolutions of others.
//!
//! The graph is read from its output backward: convolutions and rectifiers in turns, each convolution with a padding of its own
//! or after a `Pad`. It ends at the graph's input. Files of this crate may have an enlargement before the network, and more
//! interpolation behind it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use prost::Message;

use super::element::Element;
use super::named::filter_shape;
use super::{Layer, Weights, fields};
use crate::error::{Error, Reason, Result};
use crate::limits::Limit;
use crate::network::{Architecture, LayerShape, Padding};
use crate::onnx::{Graph, Model, Node, Tensor, kind};

/// The network's result in files of this crate where bicubic interpolation follows it.
pub(crate) const ENLARGED: &str = "enlarged";

/// Reads a file. `beside` gives the content of a file beside it, where some writers put the weights.
pub(super) fn read(bytes: &[u8], beside: &dyn Fn(&str) -> Result<Vec<u8>>) -> Result<Weights> {
    let mut model =
        Model::decode(bytes).map_err(|e| Error::invalid(Reason::of(e).within("not a valid ONNX file")))?;
    fetch(&mut model, beside)?;
    let graph = model.graph.as_ref().ok_or_else(|| Error::invalid("the ONNX file has no graph"))?;
    let map: BTreeMap<_, _> = model.metadata.iter().map(|e| (e.key.clone(), e.value.clone())).collect();
    let ours = fields::are_ours(&map);
    let enlarges = ours && map.get("enlargement").is_some_and(|enlargement| enlargement == "bicubic");
    let (layers, padding) = Reader::new(graph).layers(enlarges)?;
    let mut weights = Weights::with_fields(layers, &map)?;
    if !ours {
        weights.metadata.padding = padding.unwrap_or(Padding::Valid);
    } else if padding.is_some_and(|padding| padding != weights.metadata.padding) {
        return Err(Error::invalid(format!(
            "metadata 'padding' says {}, but the graph's layers pad otherwise",
            weights.metadata.padding
        )));
    }
    Ok(weights)
}

/// Puts weights that lie in files beside an ONNX file into the tensors that they belong to.
fn fetch(model: &mut Model, beside: &dyn Fn(&str) -> Result<Vec<u8>>) -> Result<()> {
    const ELSEWHERE: i32 = 1;
    let mut files = BTreeMap::new();
    let mut left = usize::try_from(Limit::Weights.get()).unwrap_or(usize::MAX);
    let mut take = |count: usize| {
        left = left.checked_sub(count).ok_or_else(|| Error::invalid("the files beside it are too large"))?;
        Ok::<(), Error>(())
    };
    for tensor in model.graph.iter_mut().flat_map(|graph| &mut graph.initializers) {
        if tensor.location != ELSEWHERE {
            continue;
        }
        let of = |key: &str| tensor.external.iter().find(|entry| entry.key == key).map(|e| e.value.as_str());
        let wrong = || Error::invalid(format!("tensor '{}' does not say where its values are", tensor.name));
        let number = |key: &str| of(key).map(|text| text.parse::<usize>().map_err(|_| wrong())).transpose();
        let (name, offset, length) =
            (of("location").ok_or_else(wrong)?, number("offset")?, number("length")?);
        let file = match files.entry(name.to_owned()) {
            Entry::Vacant(place) => {
                let file = beside(name)?;
                take(file.len())?;
                place.insert(file)
            }
            Entry::Occupied(place) => place.into_mut(),
        };
        let start = offset.unwrap_or(0);
        let end = length.map_or(Some(file.len()), |length| start.checked_add(length));
        let cut = || Error::invalid(format!("'{name}' is too short for tensor '{}'", tensor.name));
        let values = end.and_then(|end| file.get(start..end)).ok_or_else(cut)?;
        take(values.len())?;
        tensor.raw = values.to_vec();
        tensor.location = 0;
    }
    Ok(())
}

struct Reader<'a> {
    graph: &'a Graph,
    /// The node that makes a value.
    makers: HashMap<&'a str, &'a Node>,
    constants: HashMap<&'a str, &'a Tensor>,
}

impl<'a> Reader<'a> {
    fn new(graph: &'a Graph) -> Self {
        let makers =
            graph.nodes.iter().flat_map(|node| node.outputs.iter().map(move |name| (name.as_str(), node)));
        let stored = graph.initializers.iter().map(|tensor| (tensor.name.as_str(), tensor));
        let made = graph.nodes.iter().filter(|node| node.op == "Constant").filter_map(|node| {
            Some((node.outputs.first()?.as_str(), node.attribute("value")?.tensor.as_ref()?))
        });
        Self { graph, makers: makers.collect(), constants: stored.chain(made).collect() }
    }

    /// The layers, first to last, and their padding if any of them is larger than a pixel. `enlarges` is a graph of this crate
    /// that begins with an enlargement.
    fn layers(&self, enlarges: bool) -> Result<(Vec<Layer>, Option<Padding>)> {
        let [output] = self.graph.outputs.as_slice() else {
            return Err(Error::invalid(format!(
                "the graph has {} outputs, expected one",
                self.graph.outputs.len()
            )));
        };
        let mut layers = Vec::new();
        let mut padding = None;
        let mut parameters = 0;
        let mut at =
            if enlarges && self.makers.contains_key(ENLARGED) { ENLARGED } else { output.name.as_str() };
        loop {
            if !layers.is_empty() {
                let Some(rectifier) = self.maker(at).filter(|node| node.op == "Relu") else { break };
                at = input(rectifier, 0)?;
            }
            let Some((layer, before, pads)) = self.layer(at, &mut parameters)? else {
                return Err(self.unexpected(at, "a convolution"));
            };
            if layer.shape.size > 1 && *padding.get_or_insert(pads) != pads {
                return Err(Error::invalid("the layers of the graph are padded in different ways"));
            }
            layers.push(layer);
            at = before;
            if layers.len() > self.graph.nodes.len() {
                return Err(Error::invalid("the graph runs in a circle"));
            }
        }
        let is_input = self.graph.inputs.iter().any(|input| input.name == self.origin(at));
        if !is_input && !enlarges {
            return Err(self.unexpected(at, "the graph's input or a Relu"));
        }
        layers.reverse();
        Ok((layers, padding))
    }

    /// The value that stands for a value, past nodes that change nothing.
    fn origin<'b>(&'b self, name: &'b str) -> &'b str {
        let mut name = name;
        // A circle of such nodes ends too.
        for _ in 0..self.graph.nodes.len() {
            let node =
                self.makers.get(name).filter(|node| matches!(node.op.as_str(), "Identity" | "Dropout"));
            let Some(before) = node.and_then(|node| node.inputs.first()) else { break };
            name = before;
        }
        name
    }

    /// The node that makes a value.
    fn maker(&self, name: &str) -> Option<&'a Node> {
        self.makers.get(self.origin(name)).copied()
    }

    fn unexpected(&self, name: &str, wanted: &str) -> Error {
        let found = self.maker(name).map_or("no operation", |node| node.op.as_str());
        Error::invalid(format!(
            "the graph has '{found}' at '{name}', where {wanted} was expected; only stacks of convolutions with a Relu \
             after each but the last can be read"
        ))
    }

    /// The layer that makes a value, the value before its padding, and how it pads; `None` if something else makes it.
    fn layer(&self, name: &str, parameters: &mut usize) -> Result<Option<(Layer, &'a str, Padding)>> {
        let Some(mut node) = self.maker(name) else { return Ok(None) };
        // As this crate writes a padding that is normalized: the bias is added to the product of sums and factors.
        let mut bias = None;
        if node.op == "Add" {
            let product = self.maker(input(node, 0)?).filter(|product| product.op == "Mul");
            let sums =
                product.map(|product| input(product, 0)).transpose()?.and_then(|sums| self.maker(sums));
            let Some(sums) = sums else { return Ok(None) };
            bias = Some(input(node, 1)?);
            node = sums;
        }
        if node.op != "Conv" {
            return Ok(None);
        }
        let (mut before, weight) = (input(node, 0)?, self.tensor(input(node, 1)?)?);
        let dimensions = dimensions(weight)?;
        let shape = filter_shape(&weight.name, &dimensions)?;
        let own = dimensions.iter().fold(1usize, |product, &n| product.saturating_mul(n));
        *parameters = parameters.saturating_add(own).saturating_add(shape.filters);
        if *parameters > Architecture::max_parameters() {
            return Err(Error::invalid(format!(
                "tensor '{}' is too large: a network has at most {} parameters",
                weight.name,
                Architecture::max_parameters()
            )));
        }
        plain(node)?;
        let mut padding = own_padding(node, shape)?;
        if bias.is_some() {
            padding = Padding::Normalized;
        } else if let Some(pad) = self.maker(before).filter(|pad| pad.op == "Pad") {
            if padding != Padding::Valid {
                return Err(Error::invalid(format!("convolution '{}' is padded twice", node.name)));
            }
            padding = self.padding(pad, shape)?;
            before = input(pad, 0)?;
        }
        let bias = match bias.or(node.inputs.get(2).map(String::as_str).filter(|name| !name.is_empty())) {
            Some(name) => values(self.tensor(name)?, shape.filters)?,
            None => vec![0.0; shape.filters],
        };
        let layer = Layer { shape, weight: values(weight, shape.weights())?, bias };
        Ok(Some((layer, before, padding)))
    }

    fn tensor(&self, name: &str) -> Result<&'a Tensor> {
        let found = self.constants.get(self.origin(name)).copied();
        found.ok_or_else(|| Error::invalid(format!("'{name}' is no constant in the graph")))
    }

    /// What a `Pad` before a convolution does.
    fn padding(&self, pad: &Node, shape: LayerShape) -> Result<Padding> {
        let wrong = |what: String| Error::invalid(format!("Pad '{}' {what}", pad.name));
        let amounts = match (pad.inputs.get(1), pad.attribute("pads")) {
            (Some(name), _) => integers(self.tensor(name)?)?,
            (None, Some(attribute)) => attribute.ints.clone(),
            _ => return Err(wrong("does not say how much".into())),
        };
        let radius = shape.radius() as i64;
        if amounts != [0, 0, radius, radius, 0, 0, radius, radius] {
            return Err(wrong(format!("adds {amounts:?}, expected {radius} on each side of the picture")));
        }
        match pad.attribute("mode").map_or(b"constant".as_slice(), |mode| &mode.text) {
            b"edge" => Ok(Padding::Replicate),
            b"constant" => {
                let filler = pad.inputs.get(2).filter(|name| !name.is_empty());
                let filler = filler.map(|name| values(self.tensor(name)?, 1)).transpose()?;
                if filler.is_some_and(|values| values != [0.0]) {
                    return Err(wrong("does not fill with zeros".into()));
                }
                Ok(Padding::Zero)
            }
            mode => {
                Err(wrong(format!("has mode '{}', expected edge or constant", String::from_utf8_lossy(mode))))
            }
        }
    }
}

fn input(node: &Node, index: usize) -> Result<&str> {
    let name = node.inputs.get(index).filter(|name| !name.is_empty());
    let missing = || Error::invalid(format!("{} '{}' lacks input {index}", node.op, node.name));
    name.map(String::as_str).ok_or_else(missing)
}

/// Checks that a convolution visits each pixel once, with all of its filters.
fn plain(node: &Node) -> Result<()> {
    let ones = |name: &str| node.attribute(name).is_none_or(|a| a.ints.iter().all(|&step| step == 1));
    let group = node.attribute("group").is_none_or(|a| a.int == 1);
    for (name, is_plain) in [("strides", ones("strides")), ("dilations", ones("dilations")), ("group", group)]
    {
        if !is_plain {
            return Err(Error::invalid(format!("convolution '{}' has {name} other than 1", node.name)));
        }
    }
    Ok(())
}

/// How a convolution itself pads: with zeros or not at all.
fn own_padding(node: &Node, shape: LayerShape) -> Result<Padding> {
    let radius = shape.radius() as i64;
    let automatic = node.attribute("auto_pad").map_or(b"NOTSET".as_slice(), |a| &a.text);
    let pads = node.attribute("pads").map_or(&[][..], |a| &a.ints);
    if automatic == b"SAME_UPPER" || automatic == b"SAME_LOWER" || (radius > 0 && pads == [radius; 4]) {
        Ok(Padding::Zero)
    } else if pads.iter().all(|&pad| pad == 0) {
        Ok(Padding::Valid)
    } else {
        Err(Error::invalid(format!("convolution '{}' has pads {pads:?}, expected {radius} each", node.name)))
    }
}

fn dimensions(tensor: &Tensor) -> Result<Vec<usize>> {
    let dimensions = tensor.shape.iter().map(|&n| usize::try_from(n)).collect::<Result<_, _>>();
    dimensions.map_err(|_| Error::invalid(format!("tensor '{}' has a negative shape", tensor.name)))
}

/// The `count` numbers of a tensor.
fn values(tensor: &Tensor, count: usize) -> Result<Vec<f32>> {
    let wrong = |what: String| Error::invalid(format!("tensor '{}' {what}", tensor.name));
    let element = match tensor.kind {
        kind::F32 => Element::F32,
        kind::F64 => Element::F64,
        kind::F16 => Element::F16,
        kind::BF16 => Element::BF16,
        other => return Err(wrong(format!("is of type {other}, expected floating-point numbers"))),
    };
    let found = match element {
        _ if !tensor.raw.is_empty() => element.read_all(&tensor.raw),
        Element::F32 => tensor.floats.clone(),
        Element::F64 => tensor.doubles.iter().map(|&value| value as f32).collect(),
        Element::F16 | Element::BF16 => {
            tensor.int32s.iter().map(|&bits| element.read(&(bits as u16).to_le_bytes())).collect()
        }
    };
    if found.len() != count {
        return Err(wrong(format!("has {} numbers, expected {count}", found.len())));
    }
    Ok(found)
}

/// The integers of a tensor.
fn integers(tensor: &Tensor) -> Result<Vec<i64>> {
    if tensor.kind != kind::I64 {
        return Err(Error::invalid(format!("tensor '{}' is not of 64-bit integers", tensor.name)));
    }
    Ok(if tensor.raw.is_empty() {
        tensor.int64s.clone()
    } else {
        tensor.raw.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect()
    })
}
