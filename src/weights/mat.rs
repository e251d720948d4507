//! The authors' weight files: MATLAB 5 `.mat` with `weights_conv1` [f1*f1, n1], `weights_conv2`
//! [n1, f2*f2, n2], `weights_conv3` [n2, f3*f3] and vectors `biases_conv1..3`.
//!
//! The authors' test program correlates with `reshape(weights_conv2(j, :, i), f2, f2)`, so the patch
//! axis is row + f * column. With that, one layout covers all layers: [inputs, f*f, filters] in MATLAB's
//! column-major order, where axes of length one are left out (c = 1 at both ends of the network).

use std::io::Read;
use std::panic::catch_unwind;

use libflate::zlib;
use matfile::{Array, MatFile, NumericData};

use super::{Layer, Metadata, Weights, default_channels};
use crate::error::{Error, Reason, Result};
use crate::network::{LayerShape, Padding};

/// Types of a file's outermost elements.
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// Most bytes of all variables together, far above any network's: a guard against files made to exhaust memory.
const MAX_INFLATED: u64 = 1 << 30;

pub(super) fn read(bytes: &[u8]) -> Result<Weights> {
    let bytes = inflate(bytes, MAX_INFLATED)?;
    let damaged = || Error::invalid("damaged .mat file: a variable cannot be decoded");
    // `matfile` multiplies dimensions without checking for overflow, so a damaged file panics in builds with overflow
    // checks.
    let file =
        catch_unwind(|| MatFile::parse(bytes.as_slice())).map_err(|_| damaged())?.map_err(|_| damaged())?;
    let count = file.arrays().iter().filter_map(|a| layer_number(a.name())).max().unwrap_or(0);
    if count < 2 {
        return Err(Error::invalid(
            "the .mat file has no network: it needs variables weights_conv1, biases_conv1, weights_conv2, ..",
        ));
    }
    let biases = (1..=count).map(|i| read_bias(&file, i)).collect::<Result<Vec<_>>>()?;
    let channels = biases[count - 1].len();
    let mut inputs = channels;
    let mut layers = Vec::with_capacity(count);
    for (i, bias) in biases.into_iter().enumerate() {
        let filters = bias.len();
        layers.push(read_layer(&file, i + 1, inputs, bias)?);
        inputs = filters;
    }
    let metadata = Metadata {
        channels: default_channels(channels),
        padding: Padding::Replicate, // the authors' program pads each layer with `imfilter(.., 'replicate')`
        ..Metadata::default()
    };
    Weights::new(layers, metadata)
}

fn layer_number(name: &str) -> Option<usize> {
    name.strip_prefix("weights_conv").or_else(|| name.strip_prefix("biases_conv"))?.parse().ok()
}

/// The file with its compressed variables inflated: a header and elements (kind, length, data), each of which must be a
/// variable and end within the file. `matfile` would inflate them too, but it prints errors and silently drops a truncated
/// variable. Variables beyond `limit` bytes in all count as damaged.
fn inflate(bytes: &[u8], limit: u64) -> Result<Vec<u8>> {
    let cut = || Error::invalid("the .mat file is cut short");
    let damaged = |what: Reason| Error::invalid(what.within("damaged .mat file"));
    let little = match bytes.get(126..128).ok_or_else(cut)? {
        b"IM" => true,
        b"MI" => false,
        _ => return Err(damaged("its header has no byte order mark".into())),
    };
    let split = |element: &[u8]| -> Option<(u32, usize)> {
        let word =
            |bytes: &[u8; 4]| if little { u32::from_le_bytes(*bytes) } else { u32::from_be_bytes(*bytes) };
        let (kind, rest) = element.split_first_chunk()?;
        Some((word(kind), word(rest.first_chunk()?) as usize))
    };
    let mut inflated = bytes[..128].to_vec();
    let mut rest = &bytes[128..];
    while !rest.is_empty() {
        let (kind, length) = split(rest).ok_or_else(cut)?;
        let element = rest.get(..8 + length).ok_or_else(cut)?;
        rest = &rest[element.len()..];
        match kind {
            MATRIX => {
                // Plain variables are padded to eight bytes; the last one need not be.
                rest = &rest[(length.next_multiple_of(8) - length).min(rest.len())..];
                inflated.extend(element);
            }
            COMPRESSED => {
                let start = inflated.len();
                let left = limit.saturating_sub(start as u64);
                zlib::Decoder::new(&element[8..])
                    .and_then(|decoder| decoder.take(left).read_to_end(&mut inflated))
                    .map_err(|e| damaged(e.into()))?;
                match split(&inflated[start..]) {
                    Some((MATRIX, length)) if inflated.len() - start >= 8 + length => {
                        inflated.truncate(start + 8 + length);
                    }
                    _ => return Err(damaged("a compressed variable is not whole".into())),
                }
            }
            _ => return Err(damaged(format!("unknown element type {kind}").into())),
        }
        inflated.resize(inflated.len().next_multiple_of(8), 0);
    }
    Ok(inflated)
}

fn variable<'a>(file: &'a MatFile, name: &str) -> Result<&'a Array> {
    file.find_by_name(name).ok_or_else(|| Error::invalid(format!("variable {name} is missing or damaged")))
}

fn floats(array: &Array) -> Result<Vec<f32>> {
    match array.data() {
        NumericData::Single { real, imag: None } => Ok(real.clone()),
        NumericData::Double { real, imag: None } => Ok(real.iter().map(|&v| v as f32).collect()),
        _ => {
            Err(Error::invalid(format!("variable {} is not of real single or double numbers", array.name())))
        }
    }
}

fn read_bias(file: &MatFile, number: usize) -> Result<Vec<f32>> {
    let array = variable(file, &format!("biases_conv{number}"))?;
    let values = floats(array)?;
    if values.is_empty() || !array.size().contains(&values.len()) {
        return Err(Error::invalid(format!(
            "variable {} is {:?}, expected a vector",
            array.name(),
            array.size()
        )));
    }
    Ok(values)
}

fn read_layer(file: &MatFile, number: usize, inputs: usize, bias: Vec<f32>) -> Result<Layer> {
    let array = variable(file, &format!("weights_conv{number}"))?;
    let values = floats(array)?;
    let filters = bias.len();
    let taps = values.len() / (inputs * filters);
    let size = taps.isqrt();
    let longer_than_one = |axes: &[usize]| axes.iter().copied().filter(|&n| n != 1).collect::<Vec<_>>();
    if size.is_multiple_of(2)
        || longer_than_one(&[inputs, size * size, filters]) != longer_than_one(array.size())
    {
        return Err(Error::invalid(format!(
            "variable {} is {:?}, expected [{inputs}, f*f, {filters}] with an odd f (axes of one left out), \
             from the biases of this layer and the one before",
            array.name(),
            array.size()
        )));
    }
    let mut weight = Vec::with_capacity(values.len());
    for filter in 0..filters {
        for input in 0..inputs {
            for row in 0..size {
                for column in 0..size {
                    let tap = row + size * column;
                    weight.push(values[input + inputs * (tap + taps * filter)]);
                }
            }
        }
    }
    Ok(Layer { shape: LayerShape { inputs, filters, size }, weight, bias })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn compressed_variables_share_one_limit() {
        let variable = [MATRIX.to_le_bytes().as_slice(), &1000u32.to_le_bytes(), &[0; 1000]].concat();
        let mut encoder = zlib::Encoder::new(Vec::new()).unwrap();
        encoder.write_all(&variable).unwrap();
        let packed = encoder.finish().into_result().unwrap();
        let element =
            [COMPRESSED.to_le_bytes().as_slice(), &(packed.len() as u32).to_le_bytes(), &packed].concat();
        let mut file = vec![b' '; 126];
        file.extend(b"IM");
        for _ in 0..3 {
            file.extend(&element);
        }
        assert_eq!(inflate(&file, 10_000).unwrap().len(), 128 + 3 * 1008);
        let error = inflate(&file, 2500).unwrap_err().to_string();
        assert!(error.contains("not whole"), "{error}");
    }
}
