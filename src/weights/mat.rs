//! The authors' weight files: MATLAB 5 `.mat` with `weights_conv1` [f1*f1, n1], `weights_conv2`
//! [n1, f2*f2, n2], `weights_conv3` [n2, f3*f3] and vectors `biases_conv1..3`.
//!
//! The authors' test program correlates with `reshape(weights_conv2(j, :, i), f2, f2)`, so the patch
//! axis is row + f * column. With that, one layout covers all layers: [inputs, f*f, filters] in MATLAB's
//! column-major order, where axes of length one are left out (c = 1 at both ends of the network).

use super::mat_file::{self, Array};
use super::{Layer, Metadata, Weights, default_channels};
use crate::error::{Error, Result};
use crate::limits::Limit;
use crate::network::{LayerShape, Padding};

pub(super) fn read(bytes: &[u8]) -> Result<Weights> {
    let file = mat_file::read(bytes, Limit::Weights.get(), |name| layer_number(name).is_some())?;
    let count = file.iter().filter_map(|array| layer_number(&array.name)).max().unwrap_or(0);
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

fn variable<'a>(file: &'a [Array], name: &str) -> Result<&'a Array> {
    let found = file.iter().find(|array| array.name == name);
    found.ok_or_else(|| Error::invalid(format!("variable {name} is missing or damaged")))
}

fn floats(array: &Array) -> Result<Vec<f32>> {
    let values = array.values.as_ref();
    let values =
        values.ok_or_else(|| Error::invalid(format!("variable {} is not of real numbers", array.name)))?;
    Ok(values.iter().map(|&value| value as f32).collect())
}

fn read_bias(file: &[Array], number: usize) -> Result<Vec<f32>> {
    let array = variable(file, &format!("biases_conv{number}"))?;
    let values = floats(array)?;
    if values.is_empty() || !array.size.contains(&values.len()) {
        return Err(Error::invalid(format!(
            "variable {} is {:?}, expected a vector",
            array.name, array.size
        )));
    }
    Ok(values)
}

fn read_layer(file: &[Array], number: usize, inputs: usize, bias: Vec<f32>) -> Result<Layer> {
    let array = variable(file, &format!("weights_conv{number}"))?;
    let values = floats(array)?;
    let filters = bias.len();
    let taps = values.len() / (inputs * filters);
    let size = taps.isqrt();
    let longer_than_one = |axes: &[usize]| axes.iter().copied().filter(|&n| n != 1).collect::<Vec<_>>();
    if size.is_multiple_of(2)
        || longer_than_one(&[inputs, size * size, filters]) != longer_than_one(&array.size)
    {
        return Err(Error::invalid(format!(
            "variable {} is {:?}, expected [{inputs}, f*f, {filters}] with an odd f (axes of one left out), \
             from the biases of this layer and the one before",
            array.name, array.size
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
