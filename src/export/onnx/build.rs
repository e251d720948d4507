//! Putting a graph together: nodes with names, and constants.

use crate::onnx::{Attribute, Node, Tensor, attribute_kind, kind};

/// A graph in the making.
#[derive(Debug, Default)]
pub struct Builder {
    pub nodes: Vec<Node>,
    pub constants: Vec<Tensor>,
}

impl Builder {
    /// Adds an operation. It and its result get the same name, which is returned.
    pub fn node(&mut self, op: &str, name: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        self.nodes.push(Node {
            inputs: inputs.iter().map(|&input| input.to_owned()).collect(),
            outputs: vec![name.into()],
            name: name.into(),
            op: op.into(),
            attributes,
            domain: String::new(),
        });
        name.into()
    }

    /// As [`Builder::node`], without attributes.
    pub fn apply(&mut self, op: &str, name: &str, inputs: &[&str]) -> String {
        self.node(op, name, inputs, Vec::new())
    }

    /// Adds a constant and returns its name.
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        self.constant(name, shape, kind::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// As [`Builder::floats`], for integers.
    pub fn integers(&mut self, name: &str, shape: &[usize], values: &[i64]) -> String {
        self.constant(name, shape, kind::I64, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// As [`Builder::floats`], for a single double.
    pub fn double(&mut self, name: &str, value: f64) -> String {
        self.constant(name, &[], kind::F64, value.to_le_bytes().into())
    }

    fn constant(&mut self, name: &str, shape: &[usize], kind: i32, raw: Vec<u8>) -> String {
        let shape = shape.iter().map(|&n| n as i64).collect();
        self.constants.push(Tensor { name: name.into(), shape, kind, raw, ..Tensor::default() });
        name.into()
    }
}

/// An attribute that is an integer.
pub fn int(name: &str, int: i64) -> Attribute {
    Attribute { name: name.into(), int, kind: attribute_kind::INT, ..Attribute::default() }
}

/// An attribute that is a list of integers.
pub fn ints(name: &str, ints: impl Into<Vec<i64>>) -> Attribute {
    Attribute { name: name.into(), ints: ints.into(), kind: attribute_kind::INTS, ..Attribute::default() }
}

/// An attribute that is text.
pub fn text(name: &str, text: &str) -> Attribute {
    Attribute { name: name.into(), text: text.into(), kind: attribute_kind::TEXT, ..Attribute::default() }
}

/// An attribute that is a tensor of one float.
pub fn float_tensor(name: &str, value: f32) -> Attribute {
    let raw = value.to_le_bytes().into();
    let tensor = Tensor { shape: vec![1], kind: kind::F32, raw, ..Tensor::default() };
    Attribute {
        name: name.into(),
        tensor: Some(tensor),
        kind: attribute_kind::TENSOR,
        ..Attribute::default()
    }
}
