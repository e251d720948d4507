//! A network's parameters and what is known about them; reading and writing of weight files.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::network::{Architecture, Channels, LayerShape, Padding};

mod mat;
mod safetensors;

/// The parameters of one layer (W and B of equations 1 to 3).
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Sizes of the layer.
    pub shape: LayerShape,
    /// Filters, `[filters][inputs][row][column]` as in PyTorch; correlation, not flipped.
    pub weight: Vec<f32>,
    /// One bias a filter.
    pub bias: Vec<f32>,
}

/// What a weight file says about itself, next to its parameters.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// Enlargements that the network was trained for; empty when unknown.
    pub scales: Vec<f32>,
    /// What its channels are.
    pub channels: Channels,
    /// The padding that it is meant to be used with.
    pub padding: Padding,
    /// How it was trained, as free text.
    pub training: Option<String>,
    /// Its measured PSNR, as JSON (set, scale, dB).
    pub psnr: Option<serde_json::Value>,
}

/// A network: parameters and metadata.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    architecture: Architecture,
    layers: Vec<Layer>,
    /// What the file says about itself.
    pub metadata: Metadata,
}

impl Weights {
    /// Puts a network together.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the layers do not follow from each other, a list has the wrong
    /// length, a value is not finite, or the channels do not match the metadata.
    pub fn new(layers: Vec<Layer>, metadata: Metadata) -> Result<Self> {
        let sizes: Vec<_> = layers.iter().map(|l| l.shape.size).collect();
        let filters: Vec<_> = layers.iter().map(|l| l.shape.filters).collect();
        let channels = layers.first().map_or(0, |l| l.shape.inputs);
        let hidden = &filters[..filters.len().saturating_sub(1)];
        let architecture = Architecture::new(&sizes, hidden, channels)?;
        for (i, (layer, shape)) in layers.iter().zip(architecture.layers()).enumerate() {
            let name = format!("conv{}", i + 1);
            if layer.shape != *shape {
                return Err(Error::invalid(format!(
                    "{name} is {:?}, but the layers around it need {shape:?}",
                    layer.shape
                )));
            }
            if layer.weight.len() != shape.weights() || layer.bias.len() != shape.filters {
                return Err(Error::invalid(format!(
                    "{name} has {} weights and {} biases, its shape needs {} and {}",
                    layer.weight.len(),
                    layer.bias.len(),
                    shape.weights(),
                    shape.filters
                )));
            }
            if !layer.weight.iter().chain(&layer.bias).all(|v| v.is_finite()) {
                return Err(Error::invalid(format!("{name} holds values that are not finite numbers")));
            }
        }
        if metadata.channels.count() != architecture.channels() {
            return Err(Error::invalid(format!(
                "channels '{}' are {}, but the network has {}",
                metadata.channels,
                metadata.channels.count(),
                architecture.channels()
            )));
        }
        Ok(Self { architecture, layers, metadata })
    }

    /// The network's shape.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The layers' parameters, first to last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Reads a weight file: `.mat` (the authors' MATLAB layout) or `.safetensors`, told by content.
    ///
    /// # Errors
    /// [`Error::Model`] with what is wrong in it.
    pub fn load(path: &Path) -> Result<Self> {
        let model = |reason: String| Error::Model { path: path.into(), reason };
        let bytes = std::fs::read(path).map_err(|e| model(e.to_string()))?;
        Self::from_bytes(&bytes).map_err(|e| model(e.to_string()))
    }

    /// Reads the content of a weight file, as [`Weights::load`] does.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] with what is wrong in it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.starts_with(b"MATLAB 5.0") { mat::read(bytes) } else { safetensors::read(bytes) }
    }

    /// The content of a `.safetensors` file: PyTorch's names and layout, metadata in the header.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when it cannot be serialized.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        safetensors::write(self)
    }
}
