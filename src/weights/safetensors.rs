//! The crate's weight files: `.safetensors` with PyTorch's names and layout, `conv1.weight` [filters, inputs, height, width]
//! and `conv1.bias` [filters] to `convN`, and nothing else, so that `load_state_dict` of a PyTorch module with attributes
//! conv1..convN accepts the tensors as they are.
//!
//! Metadata is in the header's `__metadata__`, strings by name:
//! `srcnn_gpu` (format version, "1"), `architecture` ("9-1-5"), `filters` ("64-32"), `scales` ("2,3,4"),
//! `channels` ("y"), `padding` ("replicate"), `training` (text), `psnr` (JSON text). All but the version
//! may be missing. Without the version the file is not from this crate, and its metadata is ignored.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorInfo, TensorView};
use serde::Serialize;

use super::{Layer, Metadata, Weights, default_channels, tensor_shape};
use crate::error::{Error, Reason, Result};
use crate::network::{Architecture, LayerShape, Padding};

const VERSION_KEY: &str = "srcnn_gpu";
const VERSION: &str = "1";

pub(super) fn read(bytes: &[u8]) -> Result<Weights> {
    let damaged = |e| Error::invalid(Reason::of(e).within("not a valid .safetensors file"));
    // A header is a length of eight bytes and a JSON object; anything else is another kind of file.
    if bytes.get(8) != Some(&b'{') {
        return Err(Error::invalid("neither a .safetensors file nor a MATLAB 5 .mat file"));
    }
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let count = count_layers(&file)?;
    let layers = (1..=count).map(|number| read_layer(&file, number)).collect::<Result<Vec<_>>>()?;
    let channels = layers.first().map_or(0, |l| l.shape.inputs);
    // What kind of map the crate has depends on its features.
    let fields: BTreeMap<_, _> =
        header.metadata().iter().flatten().map(|(key, text)| (key.clone(), text.clone())).collect();
    let (metadata, names) = read_metadata(&fields, channels)?;
    let weights = Weights::new(layers, metadata)?;
    names.check(weights.architecture())?;
    Ok(weights)
}

/// The highest N of `convN`, after a check that no tensor has any other name.
fn count_layers(file: &SafeTensors) -> Result<usize> {
    let mut names = file.names();
    names.sort_unstable(); // they come from a hash map; messages should not vary
    let mut count = 2; // at least two; `read_layer` reports what is missing
    for name in names {
        let number = name
            .strip_prefix("conv")
            .and_then(|n| n.strip_suffix(".weight").or_else(|| n.strip_suffix(".bias")))
            .and_then(|n| n.parse().ok().filter(|&number: &usize| number > 0 && number.to_string() == n));
        let Some(number) = number else {
            return Err(Error::invalid(format!(
                "unexpected tensor '{name}'; a network has conv1.weight, conv1.bias, conv2.weight, .. only"
            )));
        };
        count = count.max(number);
    }
    Ok(count)
}

fn read_layer(file: &SafeTensors, number: usize) -> Result<Layer> {
    let tensor =
        |name: &str| file.tensor(name).map_err(|_| Error::invalid(format!("tensor '{name}' is missing")));
    let (weight_name, bias_name) = (format!("conv{number}.weight"), format!("conv{number}.bias"));
    let (weight, bias) = (tensor(&weight_name)?, tensor(&bias_name)?);
    let shape = match *weight.shape() {
        [filters, inputs, height, width] if height == width && height % 2 == 1 => {
            LayerShape { inputs, filters, size: height }
        }
        _ => {
            return Err(Error::invalid(format!(
                "tensor '{weight_name}' has shape {:?}, expected [filters, inputs, f, f] with an odd f",
                weight.shape()
            )));
        }
    };
    if bias.shape() != [shape.filters] {
        return Err(Error::invalid(format!(
            "tensor '{bias_name}' has shape {:?}, expected [{}], one value for each filter of {weight_name}",
            bias.shape(),
            shape.filters
        )));
    }
    Ok(Layer { shape, weight: floats(&weight_name, &weight)?, bias: floats(&bias_name, &bias)? })
}

fn floats(name: &str, tensor: &TensorView) -> Result<Vec<f32>> {
    fn each<const N: usize>(data: &[u8], convert: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        data.as_chunks().0.iter().map(|bytes| convert(*bytes)).collect()
    }
    let data = tensor.data();
    Ok(match tensor.dtype() {
        Dtype::F32 => each(data, f32::from_le_bytes),
        Dtype::F64 => each(data, |bytes| f64::from_le_bytes(bytes) as f32),
        Dtype::F16 => each(data, |bytes| from_f16(u16::from_le_bytes(bytes))),
        // bfloat16 is the upper half of a float.
        Dtype::BF16 => each(data, |bytes| f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)),
        other => {
            return Err(Error::invalid(format!(
                "tensor '{name}' is {other}, expected F32, F64, F16 or BF16"
            )));
        }
    })
}

/// IEEE half precision (sign, 5 bits of exponent with bias 15, 10 bits of fraction), exactly.
fn from_f16(bits: u16) -> f32 {
    let bits = u32::from(bits);
    let (sign, exponent, fraction) = ((bits & 0x8000) << 16, (bits >> 10) & 0x1f, bits & 0x3ff);
    let magnitude = match exponent {
        0 => fraction as f32 * 2f32.powi(-24),                // subnormal
        0x1f => f32::from_bits(0x7f80_0000 | fraction << 13), // infinity, NaN
        _ => f32::from_bits((exponent + 127 - 15) << 23 | fraction << 13),
    };
    f32::from_bits(magnitude.to_bits() | sign)
}

/// The architecture in the metadata, to be compared with that of the tensors.
#[derive(Default)]
struct Names {
    sizes: Option<String>,
    filters: Option<String>,
}

impl Names {
    fn check(&self, found: &Architecture) -> Result<()> {
        for (key, stated, found) in
            [("architecture", &self.sizes, found.sizes()), ("filters", &self.filters, found.filters())]
        {
            if let Some(stated) = stated.as_ref().filter(|stated| **stated != found) {
                return Err(Error::invalid(format!(
                    "metadata '{key}' says {stated}, but the tensors are {found}"
                )));
            }
        }
        Ok(())
    }
}

fn read_metadata(map: &BTreeMap<String, String>, channels: usize) -> Result<(Metadata, Names)> {
    // By default padding is zero: what PyTorch's convolutions do, where such files come from.
    let default =
        Metadata { channels: default_channels(channels), padding: Padding::Zero, ..Metadata::default() };
    let Some(version) = map.get(VERSION_KEY) else {
        return Ok((default, Names::default()));
    };
    if version != VERSION {
        return Err(Error::invalid(format!(
            "the file has format version '{version}', this program reads {VERSION}; a newer one may read it"
        )));
    }
    let text = |key: &str| map.get(key).cloned();
    let wrong = |key: &str, e: Reason| Error::invalid(e.within(format_args!("metadata '{key}'")));
    let metadata = Metadata {
        scales: text("scales")
            .filter(|s| !s.is_empty())
            .map(|s| s.split(',').map(|n| n.trim().parse()).collect::<Result<_, _>>().map_err(|_| s))
            .transpose()
            .map_err(|s| wrong("scales", format!("'{s}' is not a list of numbers such as 2,3,4").into()))?
            .unwrap_or_default(),
        channels: text("channels")
            .map(|s| s.parse())
            .transpose()
            .map_err(|e: Error| wrong("channels", e.into()))?
            .unwrap_or(default.channels),
        padding: text("padding")
            .map(|s| s.parse())
            .transpose()
            .map_err(|e: Error| wrong("padding", e.into()))?
            .unwrap_or(default.padding),
        training: text("training"),
        psnr: text("psnr")
            .map(|s| serde_json::from_str(&s))
            .transpose()
            .map_err(|e| wrong("psnr", Reason::of(e).within("not JSON")))?,
    };
    Ok((metadata, Names { sizes: text("architecture"), filters: text("filters") }))
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
    serialize(write_metadata(weights), tensors)
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

fn write_metadata(weights: &Weights) -> BTreeMap<&'static str, String> {
    let (architecture, metadata) = (weights.architecture(), &weights.metadata);
    let scales: Vec<_> = metadata.scales.iter().map(f32::to_string).collect();
    let mut map = BTreeMap::from([
        (VERSION_KEY, VERSION.to_string()),
        ("architecture", architecture.sizes()),
        ("filters", architecture.filters()),
        ("scales", scales.join(",")),
        ("channels", metadata.channels.to_string()),
        ("padding", metadata.padding.to_string()),
    ]);
    map.extend(metadata.training.clone().map(|text| ("training", text)));
    map.extend(metadata.psnr.as_ref().map(|value| ("psnr", value.to_string())));
    map
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn half_precision() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x8001, -5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x7c00, f32::INFINITY),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(from_f16(bits), value, "{bits:#06x}");
        }
        assert!(from_f16(0x8000).is_sign_negative());
        assert!(from_f16(0x7e00).is_nan());
    }
}
