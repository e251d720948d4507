//! A network's parameters and metadata; reading and writing of weight files.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bounded;
use crate::error::{Error, Reason, Result};
use crate::limits::Limit;
use crate::network::{Architecture, Channels, LayerShape, Padding};

mod element;
pub(crate) mod fields;
#[cfg(feature = "mat")]
mod mat;
#[cfg(feature = "mat")]
mod mat_file;
mod named;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(feature = "pytorch")]
mod pytorch;
mod safetensors;
#[cfg(any(feature = "headless", feature = "onnx"))]
mod scale_steps;
mod shipped;

#[cfg(feature = "dictionary")]
pub(crate) use fields::{DICTIONARY_KEY, VERSION, VERSION_KEY};
#[cfg(feature = "onnx")]
pub(crate) use onnx::ENLARGED;
#[cfg(feature = "dictionary")]
pub(crate) use safetensors::is_dictionary;
#[cfg(any(feature = "train", feature = "dictionary"))]
pub(crate) use safetensors::serialize;
#[cfg(any(feature = "headless", feature = "onnx"))]
pub use scale_steps::{Step, Steps, plan_steps};
pub use shipped::Shipped;

/// The name of the file with a training run's best weights, in the run's folder.
pub const BEST: &str = "best.safetensors";

/// The parameters of one layer (W and B of equations 1 to 3).
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Sizes of the layer.
    pub shape: LayerShape,
    /// Filters, `[filters][inputs][row][column]` as in PyTorch; correlation, not flipped.
    pub weight: Vec<f32>,
    /// One bias per filter.
    pub bias: Vec<f32>,
}

/// What a weight file says about its network, besides the parameters.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// Factors that the network was trained for, each 1 or more; 1 is restoration in place. Empty when unknown.
    pub scales: Vec<f32>,
    /// What its channels are.
    pub channels: Channels,
    /// The padding that it is meant for.
    pub padding: Padding,
    /// How its training pictures lost their quality, as [`Degradation`](crate::degrade::Degradation) writes it.
    pub degradation: Option<String>,
    /// How it was trained, as free text.
    pub training: Option<String>,
    /// Its measured PSNR, as JSON (set, scale, dB).
    pub psnr: Option<serde_json::Value>,
}

impl Metadata {
    /// How far `scale` is from the nearest trained scale: the logarithm of their ratio, 0 or more; infinite if they are
    /// unknown. One that was trained for several scales counts as trained for those between them.
    pub fn scale_distance(&self, scale: f64) -> f64 {
        let trained = || self.scales.iter().map(|&trained| f64::from(trained));
        if trained().any(|trained| trained <= scale) && trained().any(|trained| trained >= scale) {
            return 0.0;
        }
        let distances = self.scales.iter().map(|&trained| (f64::from(trained) / scale).ln().abs());
        distances.fold(f64::INFINITY, f64::min)
    }

    /// By which trained scale the network enlarges where one step has to do for a factor; what is left is bicubic interpolation's.
    /// `None` where no scale above 1 is known: the network then does all of it.
    #[cfg(any(feature = "headless", feature = "onnx"))]
    pub fn step(&self, factor: f64) -> Option<f64> {
        let trained: Vec<f64> = self.scales.iter().map(|&scale| scale.into()).collect();
        let steps = plan_steps(factor, &trained, 1);
        let step = steps.networks.first()?;
        trained.get(step.trained).copied().filter(|&scale| scale > 1.0)
    }
}

/// A network: parameters and metadata.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    architecture: Architecture,
    layers: Vec<Layer>,
    /// Scales, channels, padding and so on.
    pub metadata: Metadata,
}

impl Weights {
    /// Puts a network together.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the layers do not follow from each other, a list has the wrong
    /// length, a value is not finite, the channels do not match the metadata, or a scale is below 1.
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
                    "{name}.weight has shape {:?}, but to fit the layers around it needs {:?}",
                    tensor_shape(&layer.shape),
                    tensor_shape(shape)
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
            for (part, values) in [("weight", &layer.weight), ("bias", &layer.bias)] {
                if let Some(at) = values.iter().position(|v| !v.is_finite()) {
                    return Err(Error::invalid(format!(
                        "{name}.{part} holds {} (value {} of {}); only finite numbers can be used",
                        values[at],
                        at + 1,
                        values.len()
                    )));
                }
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
        if let Some(scale) = metadata.scales.iter().find(|s| !(s.is_finite() && **s >= 1.0)) {
            return Err(Error::invalid(format!("scale {scale}: scales are numbers from 1 on")));
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

    /// Number of parameters, weights and biases: 8129 for 9-1-5 64-32.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|l| l.weight.len() + l.bias.len()).sum()
    }

    /// Reads a weight file of any kind that [`Format`] lists; the content tells which.
    ///
    /// If the content does not say for which scale it was trained, the file's name may, as in `9-1-5_91-images_x3.mat`.
    ///
    /// # Errors
    /// [`Error::Model`] with what is wrong in it.
    pub fn load(path: &Path) -> Result<Self> {
        Self::of_file(path, &read_file(path)?)
    }

    /// The network in the content of the weight file at `path`, as [`Weights::load`] reads it.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn of_file(path: &Path, bytes: &[u8]) -> Result<Self> {
        let model = |e: Error| Error::Model { path: path.into(), reason: e.into() };
        let mut weights = Self::read(bytes, &|name| beside(path, name)).map_err(model)?;
        if weights.metadata.scales.is_empty() {
            weights.metadata.scales.extend(scale_in_name(path));
        }
        Ok(weights)
    }

    /// Reads the content of a weight file.
    ///
    /// `.mat` files get padding `replicate`, as in the authors' program. ONNX files say how their layers pad. `.safetensors` files
    /// without this crate's metadata and PyTorch's own files get padding `zero`, as PyTorch's convolutions pad, and channels
    /// `y` or `rgb` by their number.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] with what is wrong in it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes, &|name| {
            Err(Error::invalid(format!("its weights are in '{name}', which can be read from a folder only")))
        })
    }

    /// Reads a weight file; `beside` gives the content of another file in its folder.
    #[cfg_attr(
        not(feature = "onnx"),
        allow(unused_variables, reason = "only ONNX files have others beside them")
    )]
    fn read(bytes: &[u8], beside: &dyn Fn(&str) -> Result<Vec<u8>>) -> Result<Self> {
        let Some(format) = Format::of(bytes) else {
            return Err(Error::invalid(if bytes.is_empty() {
                "the file is empty"
            } else if is_mat_7_3(bytes) {
                "a MATLAB 7.3 file (HDF5); save it again with: save(name, '-v7', ..)"
            } else if is_mat_4(bytes) {
                "a MATLAB 4 file; save it again with: save(name, '-v7', ..)"
            } else {
                "neither a .safetensors file nor a MATLAB 5 .mat file, nor one of ONNX or PyTorch"
            }));
        };
        match format {
            Format::SafeTensors => safetensors::read(bytes),
            #[cfg(feature = "mat")]
            Format::Mat => mat::read(bytes),
            #[cfg(feature = "onnx")]
            Format::Onnx => onnx::read(bytes, beside),
            #[cfg(feature = "pytorch")]
            Format::PyTorch => pytorch::read(bytes),
            #[cfg(not(all(feature = "mat", feature = "onnx", feature = "pytorch")))]
            other => Err(Error::invalid(format!(
                "{other}; reading these needs the feature `{}` of srcnn-gpu",
                match other {
                    Format::Mat => "mat",
                    Format::Onnx => "onnx",
                    _ => "pytorch",
                }
            ))),
        }
    }

    /// A network with the metadata that a file has for it.
    fn with_fields(layers: Vec<Layer>, map: &BTreeMap<String, String>) -> Result<Self> {
        let channels = layers.first().map_or(0, |layer| layer.shape.inputs);
        match fields::read(map, channels)? {
            Some((metadata, names)) => {
                let weights = Self::new(layers, metadata)?;
                names.check(weights.architecture())?;
                Ok(weights)
            }
            None => Self::new(layers, fields::of_others(channels)),
        }
    }

    /// The content of a `.safetensors` file: PyTorch's names and layout, metadata in the header.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when it cannot be serialized.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        safetensors::write(self)
    }
}

/// The content of a weight file.
///
/// # Errors
/// [`Error::Model`] for a folder, and what cannot be read.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    let model = |reason: Reason| Error::Model { path: path.into(), reason };
    if path.is_dir() {
        return Err(model("is a folder; a weight file is wanted".into()));
    }
    bounded::read_limited(path, Limit::Weights).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => model(Reason::new("no such file", e)),
        _ => model(e.into()),
    })
}

/// The content of a file in the same folder as `path`. Names that lead out of the folder are refused: a weight file must not
/// make a program read others.
fn beside(path: &Path, name: &str) -> Result<Vec<u8>> {
    if Path::new(name).file_name() != Some(name.as_ref()) {
        return Err(Error::invalid(format!(
            "its weights are in '{name}', which is not a file in its folder"
        )));
    }
    bounded::read_limited(&path.with_file_name(name), Limit::Weights)
        .map_err(|e| Error::invalid(Reason::of(e).within(format_args!("its weights are in '{name}'"))))
}

/// A kind of weight file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.safetensors`, this crate's own.
    SafeTensors,
    /// The authors' MATLAB 5 `.mat`; read with feature `mat`.
    Mat,
    /// ONNX; read with feature `onnx`.
    Onnx,
    /// What `torch.save` writes; read with feature `pytorch`.
    PyTorch,
}

impl Format {
    /// What kind of weight file begins with these bytes, at least nine of them, if any.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        // .safetensors begins with the length of its header, eight bytes, and a JSON object.
        if bytes.get(8) == Some(&b'{') {
            Some(Self::SafeTensors)
        } else if is_mat_7_3(bytes) || is_mat_4(bytes) {
            None
        } else if is_mat_5(bytes) {
            Some(Self::Mat)
        // A zip archive, or a pickle.
        } else if bytes.starts_with(b"PK\x03\x04") || (bytes.first() == Some(&0x80) && bytes.len() > 2) {
            Some(Self::PyTorch)
        // The version of the format: field 1, a number below 128.
        } else if bytes.first() == Some(&0x08) && bytes.get(1).is_some_and(|&version| version < 128) {
            Some(Self::Onnx)
        } else {
            None
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SafeTensors => "a .safetensors file",
            Self::Mat => "a MATLAB .mat file",
            Self::Onnx => "an ONNX file",
            Self::PyTorch => "a PyTorch file",
        })
    }
}

/// How files in HDF5 begin, behind a header of 512 bytes in those of MATLAB.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Whether a file is one of MATLAB 7.3, which is HDF5.
fn is_mat_7_3(bytes: &[u8]) -> bool {
    bytes.starts_with(b"MATLAB 7.3") || bytes.starts_with(HDF5) || bytes.get(512..520) == Some(HDF5)
}

/// Whether a file is one of MATLAB 5, whatever its header says in words: version and byte order mark tell.
fn is_mat_5(bytes: &[u8]) -> bool {
    let mark = bytes.get(124..128);
    matches!(mark, Some([0, 1, b'I', b'M'] | [1, 0, b'M', b'I'])) || bytes.starts_with(b"MATLAB 5.0")
}

/// Whether a file is one of MATLAB 4 with a layer: five numbers stand before the name of its first variable.
fn is_mat_4(bytes: &[u8]) -> bool {
    let name = bytes.get(20..).unwrap_or_default();
    name.starts_with(b"weights_conv") || name.starts_with(b"biases_conv")
}

/// A file's channels if it does not name them.
fn default_channels(count: usize) -> Channels {
    if count == 3 { Channels::Rgb } else { Channels::Y }
}

/// The shape of a layer's weights as PyTorch has it: [filters, inputs, height, width].
fn tensor_shape(shape: &LayerShape) -> [usize; 4] {
    [shape.filters, shape.inputs, shape.size, shape.size]
}

/// The scale of a file name such as `9-1-5_91-images_x3.mat`.
fn scale_in_name(path: &Path) -> Option<f32> {
    let scale = |word: &str| word.strip_prefix('x')?.parse().ok().filter(|s: &f32| s.is_finite() && *s > 1.0);
    path.file_stem()?.to_str()?.split(['_', '-', ' ']).find_map(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_from_a_name() {
        for (name, scale) in [
            ("9-1-5_91-images_x3.mat", Some(3.0)),
            ("x2.safetensors", Some(2.0)),
            ("srcnn-x1.5-rgb.safetensors", Some(1.5)),
            ("max3_x.mat", None),
            ("xinf_x1_x-2.mat", None),
            ("9-5-5.mat", None),
        ] {
            assert_eq!(scale_in_name(Path::new(name)), scale, "{name}");
        }
    }
}
