//! What a pickle of PyTorch may hold: numbers, text, containers, and tensors that say where their values lie.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::weights::element::Element;

/// The number of a value among those of its [`Heap`]. Containers hold numbers instead of values, so that a pickle that nests
/// or repeats them endlessly costs no more than its own bytes.
pub type Id = usize;

/// A value that a pickle has built.
#[derive(Debug, Clone)]
pub enum Value {
    None,
    Bool(bool),
    Int(i128),
    Float,
    Text(String),
    Bytes,
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(Storage),
    Tensor(Tensor),
}

/// Something that a pickle names; nothing but these is known, and none of them runs anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Size,
    Device,
    /// The type of a storage.
    Storage(Kind),
    /// A name that stands for itself, such as `torch.float32`.
    Name,
}

/// What a storage holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Float(Element),
    /// Not floating-point numbers; bytes of one of them.
    Other(usize),
}

impl Kind {
    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            Self::Float(element) => element.size(),
            Self::Other(size) => size,
        }
    }
}

/// A run of numbers in the file, which tensors are views of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    pub key: String,
    pub kind: Kind,
    pub len: usize,
}

/// A tensor as a view of a storage. All but the storage's length is unchecked.
#[derive(Debug, Clone)]
pub struct Tensor {
    pub storage: Storage,
    /// The storage's number that the tensor begins with.
    pub offset: usize,
    pub shape: Vec<usize>,
    /// How many numbers of the storage lie between neighbors on each axis.
    pub strides: Vec<usize>,
}

impl Global {
    /// The global of this module and name, if it is one of those that are known.
    fn find(module: &str, name: &str) -> Option<Self> {
        let number = |kind| Some(Self::Storage(kind));
        match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor") => Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => Some(Self::RebuildParameter),
            ("torch", "Size") => Some(Self::Size),
            ("torch", "device") => Some(Self::Device),
            ("torch" | "torch.cuda", "FloatStorage") => number(Kind::Float(Element::F32)),
            ("torch" | "torch.cuda", "DoubleStorage") => number(Kind::Float(Element::F64)),
            ("torch" | "torch.cuda", "HalfStorage") => number(Kind::Float(Element::F16)),
            ("torch" | "torch.cuda", "BFloat16Storage") => number(Kind::Float(Element::BF16)),
            ("torch" | "torch.cuda", "LongStorage" | "ComplexFloatStorage") => number(Kind::Other(8)),
            ("torch" | "torch.cuda", "IntStorage") => number(Kind::Other(4)),
            ("torch" | "torch.cuda", "ShortStorage") => number(Kind::Other(2)),
            ("torch" | "torch.cuda", "CharStorage" | "ByteStorage" | "BoolStorage") => number(Kind::Other(1)),
            ("torch", "float32" | "float64" | "float16" | "bfloat16" | "int64" | "int32" | "bool") => {
                Some(Self::Name)
            }
            _ => None,
        }
    }
}

/// All values of a pickle.
#[derive(Debug, Default)]
pub struct Heap {
    values: Vec<Value>,
    /// Each storage that was named, by its key.
    pub storages: BTreeMap<String, Storage>,
}

/// Most values of a pickle; those of a network have some hundred.
const MOST_VALUES: usize = 1 << 20;

impl Heap {
    pub fn add(&mut self, value: Value) -> Result<Id> {
        if self.values.len() == MOST_VALUES {
            return Err(Error::invalid(format!("the pickle has more than {MOST_VALUES} values")));
        }
        self.values.push(value);
        Ok(self.values.len() - 1)
    }

    pub fn get(&self, id: Id) -> &Value {
        &self.values[id]
    }

    pub fn get_mut(&mut self, id: Id) -> &mut Value {
        &mut self.values[id]
    }

    pub fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number of things: an integer that is not negative.
    pub fn count(&self, id: Id) -> Option<usize> {
        match self.get(id) {
            Value::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    fn counts(&self, id: Id) -> Option<Vec<usize>> {
        match self.get(id) {
            Value::Tuple(parts) | Value::List(parts) => parts.iter().map(|&part| self.count(part)).collect(),
            _ => None,
        }
    }

    /// The global of a name. Everything that is not known ends the reading: a pickle can name any function there is.
    pub fn global(&mut self, module: &str, name: &str) -> Result<Id> {
        match Global::find(module, name) {
            Some(global) => self.add(Value::Global(global)),
            None => Err(Error::invalid(format!(
                "the pickle names {:?}; only tensors, dictionaries, numbers and text are read from such files, and nothing \
                 is run; in PyTorch, save the parameters alone: torch.save(model.state_dict(), ..)",
                format!("{module}.{name}")
            ))),
        }
    }

    /// What calling `function` with `arguments` gives.
    pub fn call(&mut self, function: Id, arguments: Id) -> Result<Id> {
        let Value::Tuple(arguments) = self.get(arguments) else {
            return Err(Error::invalid("damaged pickle: a call without arguments"));
        };
        let arguments = arguments.clone();
        let made = match (self.get(function), arguments.as_slice()) {
            (Value::Global(Global::OrderedDict), []) => Some(Value::Dict(Vec::new())),
            (Value::Global(Global::Size), &[sizes]) => return Ok(sizes),
            (Value::Global(Global::RebuildParameter), &[tensor, ..]) => return Ok(tensor),
            (Value::Global(Global::Device), _) => Some(Value::None),
            (Value::Global(Global::RebuildTensor), &[storage, offset, shape, strides, ..]) => {
                self.tensor(storage, offset, shape, strides)
            }
            _ => None,
        };
        match made {
            Some(value) => self.add(value),
            None => Err(Error::invalid("the pickle calls something that makes no tensor or dictionary")),
        }
    }

    fn tensor(&self, storage: Id, offset: Id, shape: Id, strides: Id) -> Option<Value> {
        let Value::Storage(storage) = self.get(storage) else { return None };
        let (shape, strides) = (self.counts(shape)?, self.counts(strides)?);
        let tensor = Tensor { storage: storage.clone(), offset: self.count(offset)?, shape, strides };
        (tensor.shape.len() == tensor.strides.len()).then_some(Value::Tensor(tensor))
    }

    /// The storage that a persistent id stands for: ("storage", type, key, device, length), and in old files what it is a view
    /// of, which is always nothing.
    pub fn storage(&mut self, id: Id) -> Result<Id> {
        let storage = match self.get(id) {
            Value::Tuple(parts) => match parts[..] {
                [word, kind, key, _, len] => Some((word, kind, key, len)),
                [word, kind, key, _, len, view] if matches!(self.get(view), Value::None) => {
                    Some((word, kind, key, len))
                }
                _ => None,
            },
            _ => None,
        };
        let storage = storage.and_then(|(word, kind, key, len)| {
            let Value::Global(Global::Storage(kind)) = *self.get(kind) else { return None };
            let key = self.text(key).filter(|_| self.text(word) == Some("storage"))?.to_owned();
            Some(Storage { key, kind, len: self.count(len)? })
        });
        let storage = storage.ok_or_else(|| Error::invalid("damaged pickle: an unknown kind of storage"))?;
        let known = self.storages.entry(storage.key.clone()).or_insert_with(|| storage.clone());
        if *known != storage {
            return Err(Error::invalid(format!("storage '{}' is of two kinds or lengths", storage.key)));
        }
        self.add(Value::Storage(storage))
    }
}
