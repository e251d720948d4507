//! A checkpoint: one file in `.safetensors` format with everything that a run needs to continue bit for bit.
//!
//! Parameters have their names from weight files (`conv1.weight`), the optimizer's values are `slot1.conv1.weight` and so
//! on, those of the running mean `average.conv1.weight`. The header's metadata has the key `srcnn_gpu_checkpoint` with the format's
//! version, and the other fields of [`Checkpoint`] as text. Numbers are written such that reading returns them exactly.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use super::State;
use crate::bounded;
use crate::error::{Error, Reason, Result};
use crate::network::{Architecture, LayerShape};
use crate::weights::{Layer, serialize};

/// Most bytes of a checkpoint: several copies of the largest network.
const LARGEST: u64 = 1 << 30;

const VERSION_KEY: &str = "srcnn_gpu_checkpoint";
const VERSION: &str = "1";

/// A run at one moment. The order of sub-images follows from the seed and the step.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Parameters, moments, step.
    pub state: State,
    /// Sub-images that have gone forward and backward.
    pub backprops: u64,
    /// The run's seed.
    pub seed: u32,
    /// Best validation PSNR so far in dB, the mean over the sets that are not only watched.
    pub best: Option<f64>,
    /// Time that the run has taken.
    pub elapsed: Duration,
    /// [`super::config::TrainConfig::fingerprint`] of the run.
    pub config: String,
    /// The fingerprint of its data (`Dataset::fingerprint`).
    pub data: String,
}

impl Checkpoint {
    /// The content of the file.
    ///
    /// # Errors
    /// [`Error::Diverged`] when a number is not finite: such a state is not worth keeping.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        if !self.state.is_finite() {
            return Err(Error::Diverged(format!(
                "parameters hold values that are no finite numbers after step {}",
                self.state.step
            )));
        }
        let sizes =
            |layer: &Layer| format!("{}x{}x{}", layer.shape.inputs, layer.shape.filters, layer.shape.size);
        let mut metadata = BTreeMap::from([
            (VERSION_KEY, VERSION.to_string()),
            ("shapes", self.state.layers.iter().map(sizes).collect::<Vec<_>>().join(",")),
            ("slots", self.state.slots.len().to_string()),
            ("step", self.state.step.to_string()),
            ("backprops", self.backprops.to_string()),
            ("seed", self.seed.to_string()),
            ("elapsed_ns", self.elapsed.as_nanos().to_string()),
            ("config", self.config.clone()),
            ("data", self.data.clone()),
        ]);
        metadata.extend(self.best.map(|best| ("best_psnr", best.to_string())));
        let slots = self.state.slots.iter().enumerate();
        let slots = slots.flat_map(|(i, layers)| named(&format!("slot{}.", i + 1), layers));
        let average = self.state.average.iter().flat_map(|layers| named("average.", layers));
        serialize(metadata, named("", &self.state.layers).into_iter().chain(slots).chain(average))
    }

    /// Reads what [`Checkpoint::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] with what is wrong in it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let damaged = |e| Error::invalid(Reason::of(e).within("not a valid checkpoint"));
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let fields = header.metadata().iter().flatten();
        let fields = Fields(fields.map(|(key, text)| (key.clone(), text.clone())).collect());
        match fields.0.get(VERSION_KEY).map(String::as_str) {
            Some(VERSION) => {}
            Some(other) => {
                return Err(Error::invalid(format!(
                    "a checkpoint of format version '{other}', this program reads {VERSION}"
                )));
            }
            None => return Err(Error::invalid("a .safetensors file, but not a checkpoint")),
        }
        let shapes = fields.text("shapes")?.split(',').map(shape).collect::<Result<Vec<_>>>()?;
        let slots: usize = fields.number("slots")?;
        if slots > 2 {
            return Err(Error::invalid(format!("{slots} values of the optimizer a parameter; 2 at most")));
        }
        let read = |prefix: &str| {
            let layers = shapes.iter().enumerate();
            layers.map(|(i, &shape)| read_layer(&file, prefix, i + 1, shape)).collect::<Result<Vec<_>>>()
        };
        let state = State {
            step: fields.number("step")?,
            layers: read("")?,
            slots: (1..=slots).map(|slot| read(&format!("slot{slot}."))).collect::<Result<_>>()?,
            average: file.tensor("average.conv1.weight").is_ok().then(|| read("average.")).transpose()?,
        };
        if !state.is_finite() {
            return Err(Error::invalid("the checkpoint holds values that are no finite numbers"));
        }
        let optional = |key: &str| fields.0.contains_key(key);
        Ok(Self {
            state,
            backprops: fields.number("backprops")?,
            seed: fields.number("seed")?,
            best: optional("best_psnr").then(|| fields.number("best_psnr")).transpose()?,
            elapsed: Duration::from_nanos(fields.number("elapsed_ns")?),
            config: fields.text("config")?.into(),
            data: fields.text("data")?.into(),
        })
    }

    /// Replaces the file, whole or not at all.
    ///
    /// # Errors
    /// As [`Checkpoint::to_bytes`]; [`Error::Output`] when it cannot be written.
    #[cfg(feature = "headless")]
    pub fn save(&self, path: &Path) -> Result<()> {
        use std::io::Write;
        let bytes = self.to_bytes()?;
        crate::atomic::write_atomically(path, |file| {
            file.write_all(&bytes)?;
            // Flushed before it is renamed: after a power cut there is either the old file or the new one.
            file.sync_all()
        })
    }

    /// Reads a checkpoint file.
    ///
    /// # Errors
    /// [`Error::Model`] with what is wrong with it.
    pub fn load(path: &Path) -> Result<Self> {
        let failed = |reason: Reason| Error::Model { path: path.into(), reason };
        let bytes = bounded::read(path, LARGEST).map_err(|e| failed(e.into()))?;
        Self::from_bytes(&bytes).map_err(|e| failed(e.into()))
    }

    /// Whether the parameters are of this architecture.
    pub fn fits(&self, architecture: &Architecture) -> bool {
        self.state.layers.iter().map(|layer| &layer.shape).eq(architecture.layers())
    }
}

/// A state as the bytes of a checkpoint that says nothing else.
///
/// # Errors
/// As [`Checkpoint::to_bytes`].
#[cfg(feature = "headless")]
pub(crate) fn state_to_bytes(state: &State) -> Result<Vec<u8>> {
    let (config, data) = Default::default();
    let (state, elapsed) = (state.clone(), Duration::ZERO);
    Checkpoint { state, backprops: 0, seed: 0, best: None, elapsed, config, data }.to_bytes()
}

/// The inverse of [`state_to_bytes`].
///
/// # Errors
/// As [`Checkpoint::from_bytes`].
#[cfg(feature = "headless")]
pub(crate) fn state_from_bytes(bytes: &[u8]) -> Result<State> {
    Ok(Checkpoint::from_bytes(bytes)?.state)
}

/// The tensors of layers, for [`serialize`].
fn named<'a>(prefix: &str, layers: &'a [Layer]) -> Vec<(String, Vec<usize>, &'a [f32])> {
    let tensors = layers.iter().enumerate().flat_map(|(i, layer)| {
        let LayerShape { inputs, filters, size } = layer.shape;
        let name = |part: &str| format!("{prefix}conv{}.{part}", i + 1);
        [
            (name("weight"), vec![filters, inputs, size, size], layer.weight.as_slice()),
            (name("bias"), vec![filters], layer.bias.as_slice()),
        ]
    });
    tensors.collect()
}

fn read_layer(file: &SafeTensors, prefix: &str, number: usize, shape: LayerShape) -> Result<Layer> {
    let read = |part: &str, sizes: &[usize]| {
        let name = format!("{prefix}conv{number}.{part}");
        match file.tensor(&name) {
            Ok(tensor) if tensor.dtype() == Dtype::F32 && tensor.shape() == sizes => {
                Ok(tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
            }
            _ => Err(Error::invalid(format!("tensor '{name}' is missing or not of {sizes:?} floats"))),
        }
    };
    let weight = read("weight", &[shape.filters, shape.inputs, shape.size, shape.size])?;
    Ok(Layer { shape, weight, bias: read("bias", &[shape.filters])? })
}

fn shape(text: &str) -> Result<LayerShape> {
    let numbers: Vec<usize> = text.split('x').filter_map(|n| n.parse().ok()).collect();
    match numbers[..] {
        [inputs, filters, size] => Ok(LayerShape { inputs, filters, size }),
        _ => Err(Error::invalid(format!("'{text}' is no shape of a layer"))),
    }
}

/// The header's metadata.
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn text(&self, key: &str) -> Result<&str> {
        self.0.get(key).map(String::as_str).ok_or_else(|| Error::invalid(format!("field '{key}' is missing")))
    }

    fn number<T: std::str::FromStr>(&self, key: &str) -> Result<T> {
        let text = self.text(key)?;
        text.parse().map_err(|_| Error::invalid(format!("field '{key}': '{text}' is not what belongs there")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::config::Initialization;
    use crate::train::init::initialize;
    use crate::weights::Metadata;

    fn checkpoint() -> Checkpoint {
        let architecture = Architecture::parse("3-1-3", "4-2", 1).unwrap();
        let he = Initialization::He { gain: 1.0, last_gain: 1.0 };
        let layers =
            |seed| initialize(&architecture, he, seed, Metadata::default()).unwrap().layers().to_vec();
        Checkpoint {
            state: State {
                step: 1 << 40,
                layers: layers(0),
                slots: vec![layers(1), layers(2)],
                average: Some(layers(3)),
            },
            backprops: 3,
            seed: u32::MAX,
            best: Some(32.1 + 1e-14),
            elapsed: Duration::new(12, 345_678_901),
            config: "c".into(),
            data: "d".into(),
        }
    }

    #[test]
    fn round_trip() {
        let full = checkpoint();
        let state = State { average: None, ..full.state.clone() };
        let sparse = Checkpoint { best: None, state, ..full.clone() };
        for one in [full, sparse] {
            let bytes = one.to_bytes().unwrap();
            assert_eq!(Checkpoint::from_bytes(&bytes).unwrap(), one);
            assert_eq!(bytes, one.to_bytes().unwrap());
        }
    }

    #[test]
    fn not_finite_is_not_kept() {
        for which in 0..4 {
            let mut bad = checkpoint();
            let State { layers, slots, average, .. } = &mut bad.state;
            let all = slots.iter_mut().chain(average).chain([layers]);
            all.into_iter().nth(which).unwrap()[1].bias[0] = f32::NAN;
            assert!(matches!(bad.to_bytes(), Err(Error::Diverged(_))));
        }
    }

    #[test]
    fn damage_is_told() {
        let good = checkpoint().to_bytes().unwrap();
        for end in [0, 4, 9, 200, good.len() - 1] {
            assert!(Checkpoint::from_bytes(&good[..end]).is_err(), "{end}");
        }
        let weights = crate::weights::Weights::new(checkpoint().state.layers, Metadata::default()).unwrap();
        let error = Checkpoint::from_bytes(&weights.to_safetensors().unwrap()).unwrap_err().to_string();
        assert!(error.contains("not a checkpoint"), "{error}");
        let missing = Checkpoint::load(Path::new("no/such/file")).unwrap_err();
        assert!(matches!(missing, Error::Model { .. }));
    }
}
