//! The authors' weight files: MATLAB 5 `.mat` with `weights_conv1` [f1*f1, n1], `weights_conv2`
//! [n1, f2*f2, n2], `weights_conv3` [n2, f3*f3] and vectors `biases_conv1..3`.
//!
//! The authors' test program correlates with `reshape(weights_conv2(j, :, i), f2, f2)`, so the patch
//! axis is row + f * column. With that, one layout covers all layers: [inputs, f*f, filters] in MATLAB's
//! column-major order, where axes of length one are left out (c = 1 at both ends of the network).

use std::panic::catch_unwind;

use matfile::{Array, MatFile, NumericData};

use super::{Layer, Metadata, Weights, default_channels};
use crate::error::{Error, Result};
use crate::network::{LayerShape, Padding};

pub(super) fn read(bytes: &[u8]) -> Result<Weights> {
    check_elements(bytes)?;
    let damaged = || Error::invalid("damaged .mat file: a variable cannot be decoded");
    // `matfile` multiplies dimensions without a check for overflow, so that a damaged file panics in
    // builds that have those checks on.
    let file = catch_unwind(|| MatFile::parse(bytes)).map_err(|_| damaged())?.map_err(|_| damaged())?;
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

/// Walks the file's outermost elements: each must be a variable, plain or compressed, and end within
/// the file. `matfile` drops a cut variable without a word.
fn check_elements(bytes: &[u8]) -> Result<()> {
    let cut = || Error::invalid("the .mat file is cut short");
    let little = match bytes.get(126..128).ok_or_else(cut)? {
        b"IM" => true,
        b"MI" => false,
        _ => return Err(Error::invalid("damaged .mat file: its header has no byte order mark")),
    };
    let mut rest = &bytes[128..];
    while !rest.is_empty() {
        let (tag, data) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
        let [kind, length] = [[tag[0], tag[1], tag[2], tag[3]], [tag[4], tag[5], tag[6], tag[7]]]
            .map(|word| if little { u32::from_le_bytes(word) } else { u32::from_be_bytes(word) });
        if kind != 14 && kind != 15 {
            return Err(Error::invalid(format!("damaged .mat file: unknown element type {kind}")));
        }
        rest = data.get(length as usize..).ok_or_else(cut)?;
        if kind == 14 {
            // Only plain variables are padded to eight bytes; the last one need not be.
            let padding = (length as usize).next_multiple_of(8) - length as usize;
            rest = &rest[padding.min(rest.len())..];
        }
    }
    Ok(())
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
    if size % 2 == 0 || longer_than_one(&[inputs, size * size, filters]) != longer_than_one(array.size()) {
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
