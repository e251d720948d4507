//! A network from tensors with the names that PyTorch modules give them.
//!
//! `conv1.weight` [filters, inputs, height, width] and `conv1.bias` [filters] to `convN` are this crate's names. Others number
//! their layers differently or call them by what they do; what all names have in front (`module.`, `model.`) says nothing.

use std::collections::BTreeMap;

use super::Layer;
use crate::error::{Error, Result};
use crate::network::{Architecture, LayerShape};

/// A tensor whose values may not have been read yet.
pub(super) trait Tensor {
    fn shape(&self) -> &[usize];
    /// Its values, of which there are as many as the shape says, in row-major order.
    fn values(&self, name: &str) -> Result<Vec<f32>>;
}

/// How a file names its layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// `conv1`, `conv2`, ..: without gaps.
    Conv,
    /// `layer1`, `layer2`, ..: without gaps.
    Layer,
    /// `0`, `2`, `4`: places in a `Sequential`, where layers without parameters lie between.
    Places,
    /// By their work: `features`, `map`, `reconstruction`.
    Words,
}

const WORDS: [&[&str]; 3] = [
    &["features", "feature_extraction", "patch_extraction"],
    &["map", "mapping", "non_linear_mapping", "nonlinear_mapping"],
    &["reconstruction"],
];

/// The layers of a network, first to last, from its tensors by name.
pub(super) fn layers<T: Tensor>(tensors: &BTreeMap<String, T>) -> Result<Vec<Layer>> {
    let common = common_path(tensors.keys());
    let mut scheme = None;
    let mut places: BTreeMap<usize, String> = BTreeMap::new();
    for name in tensors.keys() {
        let place = name[common.len()..]
            .strip_suffix(".weight")
            .or_else(|| name[common.len()..].strip_suffix(".bias"))
            .and_then(place)
            .filter(|(found, _)| *scheme.get_or_insert(*found) == *found);
        let Some((_, number)) = place else {
            return Err(Error::invalid(format!(
                "unexpected tensor '{name}'; a network has conv1.weight, conv1.bias, conv2.weight, .. only"
            )));
        };
        let stem = name.rsplit_once('.').map_or("", |(stem, _)| stem);
        let known = places.entry(number).or_insert_with(|| stem.into());
        if known != stem {
            return Err(Error::invalid(format!("tensors '{known}' and '{stem}' stand for the same layer")));
        }
    }
    // At least two layers; `layer` reports what is missing.
    let numbers: Vec<usize> = match scheme.unwrap_or(Scheme::Conv) {
        Scheme::Places => places.keys().copied().collect(),
        _ => (1..=places.keys().next_back().map_or(2, |&last| last.max(2))).collect(),
    };
    let mut parameters = 0;
    let stem = |number: &usize| {
        places.get(number).cloned().unwrap_or_else(|| match scheme {
            Some(Scheme::Words) => format!("{common}{}", WORDS[number - 1][0]),
            Some(Scheme::Layer) => format!("{common}layer{number}"),
            _ => format!("{common}conv{number}"),
        })
    };
    numbers.iter().map(|number| layer(tensors, &stem(number), &mut parameters)).collect()
}

/// What all names have in front of the layers' own names, with its last dot.
fn common_path<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let mut common: Option<Vec<&str>> = None;
    for name in names {
        let mut path: Vec<&str> = name.split('.').collect();
        path.truncate(path.len().saturating_sub(2));
        let known = common.get_or_insert_with(|| path.clone());
        let same = known.iter().zip(&path).take_while(|(a, b)| a == b).count();
        known.truncate(same);
    }
    common.unwrap_or_default().iter().map(|part| format!("{part}.")).collect()
}

/// The place of a layer among the others, by its name without `.weight` and `.bias`.
fn place(name: &str) -> Option<(Scheme, usize)> {
    let number = |text: &str| text.parse().ok().filter(|number: &usize| number.to_string() == text);
    if let Some(number) = number(name) {
        return Some((Scheme::Places, number));
    }
    // A convolution and its activation may be a block of their own.
    let stem = [".0", ".conv"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    for (scheme, word) in [(Scheme::Conv, "conv"), (Scheme::Layer, "layer")] {
        if let Some(number) = stem.strip_prefix(word).and_then(number).filter(|&number| number > 0) {
            return (number < MOST_LAYERS).then_some((scheme, number));
        }
    }
    let word = WORDS.iter().position(|words| words.contains(&stem))?;
    Some((Scheme::Words, word + 1))
}

/// No network has more: a guard against a name such as `conv4000000000`.
const MOST_LAYERS: usize = 1000;

/// Reads one layer and counts its parameters.
fn layer<T: Tensor>(tensors: &BTreeMap<String, T>, stem: &str, parameters: &mut usize) -> Result<Layer> {
    let tensor =
        |name: &str| tensors.get(name).ok_or_else(|| Error::invalid(format!("tensor '{name}' is missing")));
    let (weight_name, bias_name) = (format!("{stem}.weight"), format!("{stem}.bias"));
    let (weight, bias) = (tensor(&weight_name)?, tensor(&bias_name)?);
    let shape = filter_shape(&weight_name, weight.shape())?;
    if bias.shape() != [shape.filters] {
        return Err(Error::invalid(format!(
            "tensor '{bias_name}' has shape {:?}, expected [{}], one value for each filter of {weight_name}",
            bias.shape(),
            shape.filters
        )));
    }
    // Before any value is read: a small file may claim that its tensors are large.
    let own = [shape.inputs, shape.size, shape.size].iter().fold(shape.filters, |a, &b| a.saturating_mul(b));
    *parameters = parameters.saturating_add(own).saturating_add(shape.filters);
    if *parameters > Architecture::max_parameters() {
        return Err(Error::invalid(format!(
            "the tensors up to '{weight_name}' have {parameters} values: a network has at most {}",
            Architecture::max_parameters()
        )));
    }
    Ok(Layer { shape, weight: weight.values(&weight_name)?, bias: bias.values(&bias_name)? })
}

/// The shape of a layer whose filters have the shape of a tensor, `[filters, inputs, f, f]`.
pub(super) fn filter_shape(name: &str, shape: &[usize]) -> Result<LayerShape> {
    match *shape {
        [filters, inputs, height, width] if height == width && height % 2 == 1 => {
            Ok(LayerShape { inputs, filters, size: height })
        }
        _ => Err(Error::invalid(format!(
            "tensor '{name}' has shape {shape:?}, expected [filters, inputs, f, f] with an odd f"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stub(Vec<usize>);

    impl Tensor for Stub {
        fn shape(&self) -> &[usize] {
            &self.0
        }
        fn values(&self, _: &str) -> Result<Vec<f32>> {
            Ok(vec![0.5; self.0.iter().product()])
        }
    }

    /// A network 5-3-3 with 2 and 4 filters whose layers have these names.
    fn read(stems: [&str; 3]) -> Result<Vec<Layer>> {
        let shapes = [[2, 1, 5, 5], [4, 2, 3, 3], [1, 4, 3, 3]];
        let tensors = stems.iter().zip(shapes).flat_map(|(stem, shape)| {
            [(format!("{stem}.weight"), Stub(shape.to_vec())), (format!("{stem}.bias"), Stub(vec![shape[0]]))]
        });
        layers(&tensors.collect())
    }

    #[test]
    fn names_of_public_repositories() {
        for stems in [
            ["conv1", "conv2", "conv3"],
            ["module.conv1", "module.conv2", "module.conv3"],
            ["features.0", "map.0", "reconstruction"],
            ["module.features.0", "module.map.0", "module.reconstruction"],
            ["layer1.0", "layer2.0", "layer3.0"],
            ["conv1.0", "conv2.0", "conv3"],
            ["0", "2", "4"],
            ["model.0", "model.2", "model.4"],
            ["model.net.8", "model.net.9", "model.net.10"],
        ] {
            let layers = read(stems).unwrap_or_else(|e| panic!("{stems:?}: {e}"));
            assert_eq!(layers.iter().map(|l| l.shape.size).collect::<Vec<_>>(), [5, 3, 3], "{stems:?}");
            assert_eq!(layers.iter().map(|l| l.shape.filters).collect::<Vec<_>>(), [2, 4, 1], "{stems:?}");
        }
    }

    #[test]
    fn what_does_not_belong_is_named() {
        for (stems, word) in [
            (["conv1", "conv2", "other"], "unexpected tensor 'other.bias'"),
            (["features.0", "map.0", "conv3"], "unexpected tensor 'features.0.bias'"),
            (["conv1", "conv2", "conv4"], "'conv3.weight' is missing"),
            (["features.0", "reconstruction", "reconstruction.0"], "same layer"),
            (["conv1", "conv2", "conv4000000000"], "unexpected tensor 'conv4000000000.bias'"),
        ] {
            let error = read(stems).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        let huge = [[4000, 1, 63, 63], [1, 4000, 63, 63]].into_iter().enumerate();
        let huge = huge.flat_map(|(i, shape)| {
            let name = |part: &str| format!("conv{}.{part}", i + 1);
            [(name("weight"), Stub(shape.to_vec())), (name("bias"), Stub(vec![shape[0]]))]
        });
        let error = layers(&huge.collect()).unwrap_err().to_string();
        assert!(error.contains("31756001 values") || error.contains("at most 16777216"), "{error}");
    }
}
