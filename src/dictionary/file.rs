//! Dictionaries as `.safetensors` files: `projection` [features, gradients of a patch], `low` [atoms, features] and `high`
//! [atoms, pixels of a patch]. The header's metadata have `srcnn_gpu` and `scales` as those of networks, and `method` as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use nalgebra::DMatrix;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use super::{Dictionary, Method};
use crate::error::{Error, Reason, Result};
use crate::weights::{DICTIONARY_KEY, VERSION, VERSION_KEY, is_dictionary, read_file, serialize};

impl Dictionary {
    /// Whether the content of a weight file is a dictionary, and not a network.
    pub fn is_in(bytes: &[u8]) -> bool {
        is_dictionary(bytes)
    }

    /// Reads a dictionary's file.
    ///
    /// # Errors
    /// [`Error::Model`] with what is wrong in it.
    pub fn load(path: &Path) -> Result<Self> {
        Self::of_file(path, &read_file(path)?)
    }

    /// The dictionary in the content of the file at `path`.
    ///
    /// # Errors
    /// As [`Dictionary::load`].
    pub(crate) fn of_file(path: &Path, bytes: &[u8]) -> Result<Self> {
        Self::from_bytes(bytes).map_err(|e| Error::Model { path: path.into(), reason: e.into() })
    }

    /// Reads the content of a dictionary's file.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] with what is wrong in it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let damaged = |e| Error::invalid(Reason::of(e).within("not a valid .safetensors file"));
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let field = |key: &str| header.metadata().as_ref().and_then(|map| map.get(key).cloned());
        let needed =
            |key: &str| field(key).ok_or_else(|| Error::invalid(format!("it has no metadata '{key}'")));
        let version = needed(VERSION_KEY)?;
        if version != VERSION {
            return Err(Error::invalid(format!(
                "the file has format version '{version}', this program reads {VERSION}; a newer one may read it"
            )));
        }
        let method: Method = serde_json::from_str(&needed(DICTIONARY_KEY)?)
            .map_err(|e| Error::invalid(Reason::of(e).within(format_args!("metadata '{DICTIONARY_KEY}'"))))?;
        let scale = needed("scales")?;
        let scale =
            scale.parse().map_err(|_| Error::invalid(format!("metadata 'scales': '{scale}' is no scale")))?;
        let rows = |name: &str| -> Result<([usize; 2], Vec<f64>)> {
            let tensor = file.tensor(name).map_err(|e| Error::invalid(Reason::of(e)))?;
            let (Dtype::F32, &[rows, columns]) = (tensor.dtype(), tensor.shape()) else {
                return Err(Error::invalid(format!("tensor '{name}' is no matrix of F32")));
            };
            let values = bytemuck::pod_collect_to_vec::<u8, f32>(tensor.data());
            Ok(([rows, columns], values.into_iter().map(f64::from).collect()))
        };
        let [projection, low, high] = [rows("projection")?, rows("low")?, rows("high")?];
        let dictionary = Self::from_rows(method, scale, &projection.1, &low.1, &high.1)?;
        // The numbers of values go together; the shapes may still be transposed.
        let named = [("projection", projection.0), ("low", low.0), ("high", high.0)];
        for ((name, found), wanted) in named.into_iter().zip(dictionary.shapes()) {
            if found != wanted {
                return Err(Error::invalid(format!(
                    "tensor '{name}' has shape {found:?} instead of {wanted:?}"
                )));
            }
        }
        Ok(Self { training: field("training"), ..dictionary })
    }

    /// The content of a `.safetensors` file. Values are stored in single precision.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when it cannot be serialized.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        let json = |e| Error::invalid(Reason::of(e));
        let mut map = BTreeMap::from([
            (VERSION_KEY, VERSION.to_string()),
            (DICTIONARY_KEY, serde_json::to_string(&self.method).map_err(json)?),
            ("scales", self.scale.to_string()),
            ("channels", "y".to_string()),
        ]);
        map.extend(self.training.clone().map(|text| ("training", text)));
        let columns = |matrix: &DMatrix<f64>| -> Vec<f32> { matrix.iter().map(|&v| v as f32).collect() };
        let tensors = [
            ("projection", columns(&self.projection.transpose())),
            ("low", columns(&self.low)),
            ("high", columns(&self.high)),
        ];
        let tensors = tensors
            .iter()
            .zip(self.shapes())
            .map(|((name, values), shape)| (name.to_string(), shape.to_vec(), values.as_slice()));
        serialize(map, tensors)
    }

    /// Rows and columns of `projection`, `low` and `high` in a file.
    fn shapes(&self) -> [[usize; 2]; 3] {
        let (features, gradients) = self.projection.shape();
        let (pixels, atoms) = self.high.shape();
        [[features, gradients], [atoms, features], [atoms, pixels]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Dictionary {
        let value = |i: usize, j: usize| ((i * 7 + j * 3) % 11) as f64 / 8.0 - 0.5;
        let matrix = |rows, columns| DMatrix::from_fn(rows, columns, value);
        let method = Method::NeNnls { neighbors: 4 };
        Dictionary::new(method, 2, matrix(5, 144), matrix(5, 9), matrix(36, 9)).unwrap()
    }

    #[test]
    fn files_round_trip() {
        let dictionary = Dictionary { training: Some("for a test".into()), ..small() };
        let bytes = dictionary.to_safetensors().unwrap();
        assert!(Dictionary::is_in(&bytes));
        assert_eq!(Dictionary::from_bytes(&bytes).unwrap(), dictionary);
        assert_eq!(bytes, Dictionary::from_bytes(&bytes).unwrap().to_safetensors().unwrap());
        // A network's reader says what it is.
        let error = crate::Weights::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains("dictionary"), "{error}");
    }

    #[test]
    fn damaged_files_are_refused() {
        let bytes = small().to_safetensors().unwrap();
        for length in [0, 7, 40, bytes.len() - 1] {
            assert!(Dictionary::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
        let text = String::from_utf8_lossy(&bytes[..bytes.len() - 4 * (720 + 45 + 324)]).into_owned();
        for (old, new, told) in [
            ("ne-nnls", "ne-nnlz", "ne-nnlz"),
            ("\"scales\":\"2\"", "\"scales\":\"3\"", "81 pixels"),
            ("\"scales\":\"2\"", "\"scales\":\"0\"", "scale 0"),
            ("[5,144]", "[144,5]", "'projection' has shape [144, 5] instead of [5, 144]"),
            ("[9,5]", "[5,9]", "'low' has shape [5, 9] instead of [9, 5]"),
            ("[9,36]", "[36,9]", "'high' has shape [36, 9] instead of [9, 36]"),
            ("[9,36]", "[6,54]", "'high' has shape [6, 54] instead of [9, 36]"),
        ] {
            assert!(text.contains(old), "{text}");
            // The header begins with its length.
            let header = [text[8..].replacen(old, new, 1).as_bytes(), &bytes[text.len()..]].concat();
            let error = Dictionary::from_bytes(&[&bytes[..8], &header].concat()).unwrap_err().to_string();
            assert!(error.contains(told), "{new}: {error}");
        }
        let nan = [&bytes[..bytes.len() - 4], &f32::NAN.to_le_bytes()].concat();
        assert!(Dictionary::from_bytes(&nan).unwrap_err().to_string().contains("finite"));
    }
}
