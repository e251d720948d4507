//! A small interpreter of ONNX graphs in f64, for the operations that exports use.

use std::collections::HashMap;

use srcnn_gpu::onnx::{Graph, Node, Tensor, kind};

/// A value of a graph. Integers are held as doubles too, but divide as integers.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
    pub whole: bool,
}

impl Value {
    pub fn new(shape: &[usize], data: Vec<f64>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), data.len());
        Self { shape: shape.into(), data, whole: false }
    }

    fn constant(tensor: &Tensor) -> Self {
        let shape: Vec<usize> = tensor.shape.iter().map(|&n| n as usize).collect();
        fn each<const N: usize>(raw: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
            raw.as_chunks().0.iter().map(|bytes| number(*bytes)).collect()
        }
        let data = match tensor.kind {
            kind::F32 => each(&tensor.raw, |bytes| f64::from(f32::from_le_bytes(bytes))),
            kind::F64 => each(&tensor.raw, f64::from_le_bytes),
            kind::I64 => each(&tensor.raw, |bytes| i64::from_le_bytes(bytes) as f64),
            other => panic!("constant of type {other}"),
        };
        Self { whole: tensor.kind == kind::I64, ..Self::new(&shape, data) }
    }

    /// The place of an element in a value of this shape that is broadcast to `shape`.
    fn broadcast(&self, shape: &[usize], mut index: usize) -> f64 {
        let missing = shape.len() - self.shape.len();
        let (mut at, mut step) = (0, 1);
        for axis in (0..shape.len()).rev() {
            let place = index % shape[axis];
            index /= shape[axis];
            if axis >= missing {
                let own = self.shape[axis - missing];
                assert!(own == 1 || own == shape[axis], "{:?} against {shape:?}", self.shape);
                at += step * if own == 1 { 0 } else { place };
                step *= own;
            }
        }
        self.data[at]
    }
}

/// Elements before an axis, on it, and after it.
fn around(shape: &[usize], axis: usize) -> [usize; 3] {
    [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()]
}

/// Runs a graph on one input; returns its output.
pub fn run(graph: &Graph, input: Value) -> Value {
    let mut values: HashMap<&str, Value> =
        graph.initializers.iter().map(|tensor| (tensor.name.as_str(), Value::constant(tensor))).collect();
    values.insert(&graph.inputs[0].name, input);
    for node in &graph.nodes {
        let inputs: Vec<&Value> = node.inputs.iter().map(|name| &values[name.as_str()]).collect();
        let result = operate(node, &inputs);
        let known = values.insert(&node.outputs[0], result);
        assert!(known.is_none(), "{} is made twice", node.outputs[0]);
    }
    values.remove(graph.outputs[0].name.as_str()).unwrap()
}

fn operate(node: &Node, inputs: &[&Value]) -> Value {
    let int = |name: &str| node.attribute(name).map(|attribute| attribute.int);
    let first = inputs.first().copied();
    let whole = |shape: &[usize], data| Value { whole: true, ..Value::new(shape, data) };
    match node.op.as_str() {
        "Add" => elementwise(inputs, |a, b| a + b),
        "Sub" => elementwise(inputs, |a, b| a - b),
        "Mul" => elementwise(inputs, |a, b| a * b),
        "Max" => elementwise(inputs, f64::max),
        "Min" => elementwise(inputs, f64::min),
        "Mod" => elementwise(inputs, f64::rem_euclid),
        "Div" if inputs[0].whole => elementwise(inputs, |a, b| (a / b).trunc()),
        "Div" => elementwise(inputs, |a, b| a / b),
        "Relu" => elementwise(&[inputs[0], &Value::new(&[], vec![0.0])], f64::max),
        "Abs" => elementwise(&[inputs[0], &Value::new(&[], vec![0.0])], |a, _| a.abs()),
        "Ceil" => elementwise(&[inputs[0], &Value::new(&[], vec![0.0])], |a, _| a.ceil()),
        "Shape" => {
            let part = int("start").unwrap() as usize..int("end").unwrap() as usize;
            let lengths: Vec<f64> = inputs[0].shape[part].iter().map(|&n| n as f64).collect();
            whole(&[lengths.len()], lengths)
        }
        "Squeeze" => Value { shape: Vec::new(), ..inputs[0].clone() },
        "Unsqueeze" => {
            let mut value = inputs[0].clone();
            value.shape.insert(inputs[1].data[0] as usize, 1);
            value
        }
        "Cast" => Value { whole: int("to") == Some(i64::from(kind::I64)), ..inputs[0].clone() },
        "Range" => {
            assert_eq!((inputs[0].data[0], inputs[2].data[0]), (0.0, 1.0));
            let count = inputs[1].data[0] as usize;
            whole(&[count], (0..count).map(|x| x as f64).collect())
        }
        "Concat" => {
            assert_eq!((int("axis"), inputs[0].shape.len()), (Some(0), 1));
            let data: Vec<f64> = inputs.iter().flat_map(|value| value.data.clone()).collect();
            Value { whole: inputs[0].whole, ..Value::new(&[data.len()], data) }
        }
        "ConstantOfShape" => {
            let shape: Vec<usize> = inputs[0].data.iter().map(|&n| n as usize).collect();
            let filler = Value::constant(node.attribute("value").unwrap().tensor.as_ref().unwrap()).data[0];
            Value::new(&shape, vec![filler; shape.iter().product()])
        }
        "Gather" => gather(first.unwrap(), inputs[1], int("axis").unwrap() as usize),
        "ReduceSum" => {
            let axis = inputs[1].data[0] as usize;
            let mut value = sum(first.unwrap(), axis);
            if int("keepdims") == Some(1) {
                value.shape.insert(axis, 1);
            }
            value
        }
        "Pad" => {
            assert_eq!(node.attribute("mode").unwrap().text, b"edge");
            pad(first.unwrap(), &inputs[1].data.iter().map(|&n| n as i64).collect::<Vec<_>>(), true)
        }
        "Conv" => {
            let pads = node.attribute("pads").map_or(vec![0; 4], |pads| pads.ints.clone());
            let pads = [0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]];
            convolve(&pad(first.unwrap(), &pads, false), inputs[1], inputs.get(2).copied())
        }
        other => panic!("unknown operation {other}"),
    }
}

fn elementwise(inputs: &[&Value], operation: impl Fn(f64, f64) -> f64) -> Value {
    let [a, b] = inputs else { panic!("two inputs") };
    let axes = a.shape.len().max(b.shape.len());
    let length = |value: &Value, axis: usize| {
        (axis + value.shape.len()).checked_sub(axes).map_or(1, |own| value.shape[own])
    };
    let shape: Vec<usize> = (0..axes).map(|axis| length(a, axis).max(length(b, axis))).collect();
    let count = shape.iter().product();
    let data =
        (0..count).map(|i| operation(a.broadcast(&shape, i), b.broadcast(&shape, i))).collect::<Vec<_>>();
    Value { whole: a.whole && b.whole, ..Value::new(&shape, data) }
}

fn gather(value: &Value, indices: &Value, axis: usize) -> Value {
    let [before, length, after] = around(&value.shape, axis);
    let mut data = Vec::new();
    for outer in 0..before {
        for &index in &indices.data {
            assert!((0.0..length as f64).contains(&index), "index {index} of {length}");
            let start = (outer * length + index as usize) * after;
            data.extend(&value.data[start..start + after]);
        }
    }
    let shape = [&value.shape[..axis], &indices.shape, &value.shape[axis + 1..]].concat();
    Value { whole: value.whole, ..Value::new(&shape, data) }
}

fn sum(value: &Value, axis: usize) -> Value {
    let [before, length, after] = around(&value.shape, axis);
    let at = |outer: usize, place: usize, inner: usize| value.data[(outer * length + place) * after + inner];
    let sums = (0..before).flat_map(|outer| (0..after).map(move |inner| (outer, inner)));
    let data = sums.map(|(outer, inner)| (0..length).map(|place| at(outer, place, inner)).sum()).collect();
    Value::new(&[&value.shape[..axis], &value.shape[axis + 1..]].concat(), data)
}

/// Rows and columns around each plane: the nearest pixel or zero.
fn pad(value: &Value, pads: &[i64], edge: bool) -> Value {
    let [top, left, bottom, right] = [pads[2], pads[3], pads[6], pads[7]];
    let (height, width) = (value.shape[2] as i64, value.shape[3] as i64);
    let planes = value.data.chunks_exact((height * width) as usize);
    let data = planes.flat_map(|plane| {
        (-top..height + bottom).flat_map(move |y| {
            (-left..width + right).map(move |x| {
                let (row, column) = (y.clamp(0, height - 1), x.clamp(0, width - 1));
                if edge || (row, column) == (y, x) { plane[(row * width + column) as usize] } else { 0.0 }
            })
        })
    });
    let shape =
        [value.shape[0], value.shape[1], (height + top + bottom) as usize, (width + left + right) as usize];
    Value::new(&shape, data.collect())
}

fn convolve(input: &Value, weight: &Value, bias: Option<&Value>) -> Value {
    let [_, channels, height, width] = input.shape[..] else { panic!("four axes") };
    let [filters, inputs, rows, columns] = weight.shape[..] else { panic!("four axes") };
    assert_eq!(channels, inputs);
    let (high, wide) = (height + 1 - rows, width + 1 - columns);
    let mut data = Vec::with_capacity(filters * high * wide);
    for filter in 0..filters {
        for y in 0..high {
            for x in 0..wide {
                let mut total = bias.map_or(0.0, |bias| bias.data[filter]);
                for channel in 0..channels {
                    for row in 0..rows {
                        for column in 0..columns {
                            total += input.data[(channel * height + y + row) * width + x + column]
                                * weight.data[((filter * inputs + channel) * rows + row) * columns + column];
                        }
                    }
                }
                data.push(total);
            }
        }
    }
    Value::new(&[1, filters, high, wide], data)
}
