//! What `torch.save` writes: a state dict, alone or in a checkpoint's dictionary, in a zip archive (since PyTorch 1.6) or as a
//! row of pickles with the numbers behind them.
//!
//! A pickle is a program that can call any function of Python. Here it is read by a machine that knows tensors, dictionaries,
//! numbers and text, and ends with an error at anything else. Of the crates that read pickles, serde-pickle has no
//! persistent ids, by which tensors are stored, and those of candle and burn bring a framework along.

use std::collections::BTreeMap;

use rawzip::{CompressionMethod, ZipArchive};

use super::{Weights, fields, named};
use crate::error::{Error, Reason, Result};
use crate::network::Architecture;
use value::{Heap, Id, Kind, Tensor, Value};

mod pickle;
mod value;

/// Numbers of the storages, by their keys.
type Data<'a> = BTreeMap<String, &'a [u8]>;

pub(super) fn read(bytes: &[u8]) -> Result<Weights> {
    let mut heap = Heap::default();
    let (root, data) =
        if bytes.starts_with(b"PK") { open_zip(bytes, &mut heap)? } else { open_pickles(bytes, &mut heap)? };
    let tensors = state_dict(&heap, root, 0).ok_or_else(|| {
        Error::invalid(
            "no state dict in the file: a dictionary of tensors by name, alone or as 'state_dict' or 'model' in another one",
        )
    })?;
    let tensors = tensors.into_iter().map(|(name, tensor)| (name, View { tensor, data: &data })).collect();
    let layers = named::layers(&tensors)?;
    let channels = layers.first().map_or(0, |layer| layer.shape.inputs);
    log::warn!(
        "a PyTorch file does not say how its network pads pictures; zeros are assumed, as PyTorch's convolutions do"
    );
    Weights::new(layers, fields::of_others(channels))
}

/// Opens a zip archive: `NAME/data.pkl`, and the storages in `NAME/data/KEY`, all of them stored as they are.
fn open_zip<'a>(bytes: &'a [u8], heap: &mut Heap) -> Result<(Id, Data<'a>)> {
    let damaged = |e: rawzip::Error| Error::invalid(Reason::of(e).within("damaged zip archive"));
    let archive = ZipArchive::from_slice(bytes).map_err(damaged)?;
    let mut found = BTreeMap::new();
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().map_err(damaged)? {
        let path = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
        let (method, place) = (entry.compression_method(), entry.wayfinder());
        if path.ends_with("/data.pkl") || path.contains("/data/") || path.ends_with("/byteorder") {
            if method != CompressionMethod::STORE {
                return Err(Error::invalid(format!(
                    "'{path}' is compressed, which torch.save does not do; is this a PyTorch file?"
                )));
            }
            found.insert(path, place);
        }
    }
    // The slices of an archive's entries live as long as the archive, which is borrowed here; their ranges last.
    let data = |place| -> Result<&'a [u8]> {
        let entry = archive.get_entry(place).map_err(damaged)?;
        let (start, end) = entry.compressed_data_range();
        let slice = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        slice
            .and_then(|(start, end)| bytes.get(start..end))
            .ok_or_else(|| Error::invalid("damaged zip archive"))
    };
    let (root, place) = found
        .iter()
        .find_map(|(path, &place)| Some((path.strip_suffix("data.pkl")?.to_owned(), place)))
        .ok_or_else(|| Error::invalid("a zip archive without data.pkl: not a file of torch.save"))?;
    if let Some(&place) = found.get(&format!("{root}byteorder"))
        && data(place)? != b"little"
    {
        return Err(big_endian());
    }
    let (value, _) = pickle::run(data(place)?, heap)?;
    let folder = format!("{root}data/");
    let storages = found.into_iter().filter_map(|(path, place)| {
        let key = path.strip_prefix(&folder)?.to_owned();
        heap.storages.contains_key(&key).then(|| Ok((key, data(place)?)))
    });
    Ok((value, storages.collect::<Result<_>>()?))
}

fn big_endian() -> Error {
    Error::invalid("written by a machine with big-endian numbers; save it again on another one")
}

/// Opens a file from before zip archives: pickles of a number that tells the format, its version, facts about the machine, the
/// object itself, and the keys of its storages, whose lengths and numbers follow.
fn open_pickles<'a>(bytes: &'a [u8], heap: &mut Heap) -> Result<(Id, Data<'a>)> {
    const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
    let (magic, rest) = pickle::run(bytes, heap)?;
    if !matches!(heap.get(magic), Value::Int(MAGIC)) {
        return Err(Error::invalid("a pickle, but not one of torch.save"));
    }
    let (version, rest) = pickle::run(rest, heap)?;
    if !matches!(heap.get(version), Value::Int(1001)) {
        return Err(Error::invalid("a PyTorch file of an unknown version"));
    }
    let (machine, rest) = pickle::run(rest, heap)?;
    if let Some(little) = entry(heap, machine, "little_endian")
        && matches!(heap.get(little), Value::Bool(false))
    {
        return Err(big_endian());
    }
    let (value, rest) = pickle::run(rest, heap)?;
    let (keys, mut rest) = pickle::run(rest, heap)?;
    let Value::List(keys) = heap.get(keys) else {
        return Err(Error::invalid("damaged PyTorch file: the list of storages is missing"));
    };
    let mut data = Data::new();
    for &key in keys {
        let storage = heap
            .text(key)
            .and_then(|key| heap.storages.get(key))
            .ok_or_else(|| Error::invalid("damaged PyTorch file: a storage that no tensor names"))?;
        let cut = || Error::invalid(format!("the file is cut short at storage '{}'", storage.key));
        let (length, after) = rest.split_first_chunk().ok_or_else(cut)?;
        let length = u64::from_le_bytes(*length);
        if usize::try_from(length) != Ok(storage.len) {
            return Err(Error::invalid(format!(
                "storage '{}' has {length} values, expected {}",
                storage.key, storage.len
            )));
        }
        let size = storage.len.checked_mul(storage.kind.size()).ok_or_else(cut)?;
        let (numbers, after) = after.split_at_checked(size).ok_or_else(cut)?;
        data.insert(storage.key.clone(), numbers);
        rest = after;
    }
    Ok((value, data))
}

/// A dictionary's value for a key that is text; the last one counts.
fn entry(heap: &Heap, dict: Id, key: &str) -> Option<Id> {
    let Value::Dict(items) = heap.get(dict) else { return None };
    items.iter().rev().find(|&&(name, _)| heap.text(name) == Some(key)).map(|&(_, value)| value)
}

/// What checkpoints call the state dict.
const WRAPPERS: [&str; 10] = [
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "params_ema",
    "params",
    "net",
    "network",
    "generator",
    "weights",
];

/// The tensors of the state dict in a value, by name.
fn state_dict(heap: &Heap, value: Id, depth: usize) -> Option<BTreeMap<String, &Tensor>> {
    const DEEPEST: usize = 4;
    let Value::Dict(items) = heap.get(value) else { return None };
    let wrapped = WRAPPERS.iter().filter_map(|key| entry(heap, value, key));
    if depth < DEEPEST
        && let Some(found) = wrapped.filter_map(|value| state_dict(heap, value, depth + 1)).next()
    {
        return Some(found);
    }
    let tensors: BTreeMap<_, _> = items
        .iter()
        .filter_map(|&(name, value)| match heap.get(value) {
            Value::Tensor(tensor) => Some((heap.text(name)?.to_owned(), tensor)),
            _ => None,
        })
        .collect();
    (!tensors.is_empty()).then_some(tensors)
}

/// A tensor with the numbers that it is a view of.
struct View<'a> {
    tensor: &'a Tensor,
    data: &'a Data<'a>,
}

impl named::Tensor for View<'_> {
    fn shape(&self) -> &[usize] {
        &self.tensor.shape
    }

    fn values(&self, name: &str) -> Result<Vec<f32>> {
        let Tensor { storage, offset, shape, strides } = self.tensor;
        let Kind::Float(element) = storage.kind else {
            return Err(Error::invalid(format!(
                "tensor '{name}' is not of floating-point numbers, expected float32, float64, float16 or bfloat16"
            )));
        };
        let outside = || Error::invalid(format!("tensor '{name}' reaches beyond the numbers in the file"));
        let bytes = *self.data.get(&storage.key).ok_or_else(outside)?;
        let count = shape.iter().try_fold(1usize, |count, &n| count.checked_mul(n)).ok_or_else(outside)?;
        if count > Architecture::max_parameters() {
            return Err(outside());
        }
        (0..count)
            .map(|index| {
                // From the last axis to the first.
                let (at, _) = shape
                    .iter()
                    .zip(strides)
                    .rev()
                    .try_fold((*offset, index), |(at, left), (&n, &step)| {
                        Some((at.checked_add(step.checked_mul(left % n)?)?, left / n))
                    })?;
                let start = at.checked_mul(element.size())?;
                bytes.get(start..start.checked_add(element.size())?).map(|number| element.read(number))
            })
            .collect::<Option<_>>()
            .ok_or_else(outside)
    }
}
