//! A network's metadata as strings by name, as they stand in the headers of weight files.
//!
//! `srcnn_gpu` (format version, "1"), `architecture` ("9-1-5"), `filters` ("64-32"), `scales` ("2,3,4"), `channels` ("y"),
//! `padding` ("replicate"), `degradation` ("bicubic,jpeg:30..95"), `training` (text), `psnr` (JSON text). All but the version
//! may be missing. Without the version the file is not from this crate, and its metadata is ignored.

use std::collections::BTreeMap;

use super::{Metadata, Weights, default_channels};
use crate::error::{Error, Reason, Result};
use crate::network::{Architecture, Padding};

pub(crate) const VERSION_KEY: &str = "srcnn_gpu";
pub(crate) const VERSION: &str = "1";
/// Names the method of a file that holds a dictionary instead of a network.
pub(crate) const DICTIONARY_KEY: &str = "method";

/// The architecture in the metadata, to be compared with that of the tensors.
#[derive(Default)]
pub(super) struct Names {
    sizes: Option<String>,
    filters: Option<String>,
}

impl Names {
    pub fn check(&self, found: &Architecture) -> Result<()> {
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

/// Whether this crate wrote the metadata.
#[cfg(feature = "onnx")]
pub(super) fn are_ours(map: &BTreeMap<String, String>) -> bool {
    map.contains_key(VERSION_KEY)
}

/// The metadata in the fields of a file; `None` when they are not from this crate.
pub(super) fn read(map: &BTreeMap<String, String>, channels: usize) -> Result<Option<(Metadata, Names)>> {
    let Some(version) = map.get(VERSION_KEY) else { return Ok(None) };
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
            .unwrap_or(default_channels(channels)),
        padding: text("padding")
            .map(|s| s.parse())
            .transpose()
            .map_err(|e: Error| wrong("padding", e.into()))?
            .unwrap_or(Padding::Zero),
        degradation: text("degradation"),
        training: text("training"),
        psnr: text("psnr")
            .map(|s| serde_json::from_str(&s))
            .transpose()
            .map_err(|e| wrong("psnr", Reason::of(e).within("not JSON")))?,
    };
    Ok(Some((metadata, Names { sizes: text("architecture"), filters: text("filters") })))
}

/// The metadata of a file that says nothing of it: zeros around pictures, as PyTorch's convolutions pad them.
pub(super) fn of_others(channels: usize) -> Metadata {
    Metadata { channels: default_channels(channels), padding: Padding::Zero, ..Metadata::default() }
}

/// The fields of a network.
pub(crate) fn of(weights: &Weights) -> BTreeMap<&'static str, String> {
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
    map.extend(metadata.degradation.clone().map(|text| ("degradation", text)));
    map.extend(metadata.training.clone().map(|text| ("training", text)));
    map.extend(metadata.psnr.as_ref().map(|value| ("psnr", value.to_string())));
    map
}
