//! The crate's weight files: `.safetensors` with PyTorch's names and layout, `conv1.weight` [filters, inputs, height, width]
//! and `conv1.bias` [filters] to `convN`, and nothing else, so that `load_state_dict` of a PyTorch module with attributes
//! conv1..convN accepts the tensors as they are. Metadata is in the header's `__metadata__` ([`fields`]).
//!
//! Files of others are read too, under the names that [`named`] knows.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, Metadata, TensorInfo, TensorView};
use serde::Serialize;

use super::element::Element;
use super::{Weights, fields, named, tensor_shape};
use crate::error::{Error, Reason, Result};

pub(super) fn read(bytes: &[u8]) -> Result<Weights> {
    let damaged = |e| Error::invalid(Reason::of(e).within("not a valid .safetensors file"));
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    if names_method(&header) {
        return Err(Error::invalid("it holds a dictionary, not a network; upscale and eval take it"));
    }
    let layers = named::layers(&file.tensors().into_iter().collect())?;
    // What kind of map the crate has depends on its features.
    let map: BTreeMap<_, _> =
        header.metadata().iter().flatten().map(|(key, text)| (key.clone(), text.clone())).collect();
    Weights::with_fields(layers, &map)
}

/// Whether a file of this crate holds a dictionary.
fn names_method(header: &Metadata) -> bool {
    let has = |key: &str| header.metadata().as_ref().is_some_and(|map| map.contains_key(key));
    has(fields::VERSION_KEY) && has(fields::DICTIONARY_KEY)
}

/// Whether the content of a file is a dictionary.
#[cfg(feature = "dictionary")]
pub(crate) fn is_dictionary(bytes: &[u8]) -> bool {
    SafeTensors::read_metadata(bytes).is_ok_and(|(_, header)| names_method(&header))
}

impl named::Tensor for TensorView<'_> {
    fn shape(&self) -> &[usize] {
        self.shape()
    }

    fn values(&self, name: &str) -> Result<Vec<f32>> {
        let element = match self.dtype() {
            Dtype::F32 => Element::F32,
            Dtype::F64 => Element::F64,
            Dtype::F16 => Element::F16,
            Dtype::BF16 => Element::BF16,
            other => {
                return Err(Error::invalid(format!(
                    "tensor '{name}' is {other}, expected F32, F64, F16 or BF16"
                )));
            }
        };
        Ok(element.read_all(self.data()))
    }
}

/// The header, in sorted maps, so that equal weights give equal bytes. The safetensors crate's own writer does not promise
/// that: its metadata is a hash map.
#[derive(Serialize)]
struct Header {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<&'static str, String>,
    #[serde(flatten)]
    tensors: BTreeMap<String, TensorInfo>,
}

pub(super) fn write(weights: &Weights) -> Result<Vec<u8>> {
    let tensors = weights.layers().iter().enumerate().flat_map(|(i, layer)| {
        let name = |part: &str| format!("conv{}.{part}", i + 1);
        [
            (name("weight"), tensor_shape(&layer.shape).to_vec(), layer.weight.as_slice()),
            (name("bias"), vec![layer.shape.filters], layer.bias.as_slice()),
        ]
    });
    serialize(fields::of(weights), tensors)
}

/// A `.safetensors` file of float tensors: name, shape, values. Equal content gives equal bytes.
///
/// # Errors
/// [`Error::InvalidArgument`] when the header cannot be written as JSON.
pub(crate) fn serialize<'a>(
    metadata: BTreeMap<&'static str, String>,
    tensors: impl Iterator<Item = (String, Vec<usize>, &'a [f32])>,
) -> Result<Vec<u8>> {
    let mut infos = BTreeMap::new();
    let mut data = Vec::new();
    for (name, shape, values) in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        infos.insert(name, TensorInfo { dtype: Dtype::F32, shape, data_offsets: (start, data.len()) });
    }
    let header = Header { metadata, tensors: infos };
    let mut header = serde_json::to_vec(&header).map_err(|e| Error::invalid(Reason::of(e)))?;
    header.resize(header.len().next_multiple_of(8), b' '); // the format wants aligned data
    let length = (header.len() as u64).to_le_bytes();
    Ok([&length, header.as_slice(), data.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::LayerShape;
    use crate::weights::{Layer, Metadata};

    #[test]
    fn figures_come_back_as_they_were_written() {
        let shape = LayerShape { inputs: 1, filters: 1, size: 1 };
        let layer = Layer { shape, weight: vec![1.0], bias: vec![0.0] };
        // Read without care for the last bit, the second becomes another number each time.
        let psnr = serde_json::from_str(r#"{"set":{"3":32.46912345678901},"odd":30E87}"#).unwrap();
        let weights =
            Weights::new(vec![layer.clone(), layer], Metadata { psnr, ..Metadata::default() }).unwrap();
        assert_eq!(read(&write(&weights).unwrap()).unwrap(), weights);
    }
}
