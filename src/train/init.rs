//! The first weights of a network.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use super::State;
use super::config::{Initialization, TrainConfig};
use crate::error::{Error, Result};
use crate::network::{Architecture, Channels, LayerShape};
use crate::random::normal;
use crate::weights::{Layer, Metadata, Weights};

/// Weights drawn from `initialization`, zero biases. The same seed gives the same weights on every platform:
/// ChaCha8 seeded with it, one normal number for each weight in the order of the file.
///
/// # Errors
/// As [`Weights::new`], for metadata that do not fit.
pub fn initialize(
    architecture: &Architecture,
    initialization: Initialization,
    seed: u32,
    metadata: Metadata,
) -> Result<Weights> {
    let mut random = ChaCha8Rng::seed_from_u64(seed.into());
    let channels = architecture.channels();
    let last = architecture.layers().len() - 1;
    let layers = architecture.layers().iter().enumerate().map(|(i, &shape)| {
        let he = |gain: f64, last_gain: f64| {
            (if i == last { last_gain } else { gain }) * (2.0 / shape.products() as f64).sqrt()
        };
        let deviation = match initialization {
            Initialization::Gaussian { deviation } => deviation,
            Initialization::He { gain, last_gain } | Initialization::Identity { gain, last_gain } => {
                he(gain, last_gain)
            }
        };
        let mut weight: Vec<f32> =
            (0..shape.weights()).map(|_| (deviation * normal(&mut random)) as f32).collect();
        if matches!(initialization, Initialization::Identity { .. }) {
            let taps = shape.size * shape.size;
            for filter in 0..channels.min(shape.filters) {
                let own = filter * shape.products();
                // Only the last layer listens to the other maps too, softly.
                if i < last {
                    weight[own..own + shape.products()].fill(0.0);
                }
                weight[own + filter * taps + taps / 2] += 1.0;
            }
        }
        Layer { shape, weight, bias: vec![0.0; shape.filters] }
    });
    Weights::new(layers.collect(), metadata)
}

/// The layers of a trained network as a beginning for another that gives the same results: for another scale, with larger
/// filters, in whose center the trained ones stand, or with more layers before the last. These begin as the identity, which
/// ReLU leaves alone, since maps are not negative (Chen, Goodfellow and Shlens, *Net2Net*, ICLR 2016, section 3.2); padding
/// `normalized` alone makes a difference, at the borders.
///
/// # Errors
/// [`Error::InvalidArgument`] for other channels, fewer layers, other numbers of filters, or larger filters in `trained`; it
/// says which.
pub fn enlarge(architecture: &Architecture, channels: Channels, trained: &Weights) -> Result<Vec<Layer>> {
    let (from, to) = (trained.layers(), architecture.layers());
    if let Some(reason) = obstacle(architecture, channels, trained) {
        return Err(Error::invalid(format!(
            "a network of {} cannot be the beginning of one of {architecture}: {reason}",
            trained.architecture()
        )));
    }
    let enlarged = to.iter().enumerate().map(|(i, &shape)| {
        let Some(layer) = beginning(i, from, to.len()) else { return identity(shape) };
        let (inner, outer) = (layer.shape.size, shape.size);
        let border = (outer - inner) / 2;
        let mut weight = vec![0.0; shape.weights()];
        for (i, &value) in layer.weight.iter().enumerate() {
            let (plane, row, column) = (i / (inner * inner), i / inner % inner, i % inner);
            weight[(plane * outer + border + row) * outer + border + column] = value;
        }
        Layer { shape, weight, bias: layer.bias.clone() }
    });
    Ok(enlarged.collect())
}

/// The trained layer that layer `i` of `count` begins as; `None` for those that are added before the last.
fn beginning(i: usize, from: &[Layer], count: usize) -> Option<&Layer> {
    match i + 1 {
        last if last == count => from.last(),
        place if place < from.len() => from.get(i),
        _ => None,
    }
}

/// A layer that passes its inputs on.
fn identity(shape: LayerShape) -> Layer {
    let mut weight = vec![0.0; shape.weights()];
    let taps = shape.size * shape.size;
    for filter in 0..shape.filters {
        weight[(filter * shape.inputs + filter) * taps + taps / 2] = 1.0;
    }
    Layer { shape, weight, bias: vec![0.0; shape.filters] }
}

/// The state that a run begins with: that of a trained network, as [`enlarge`] makes it, or what the configuration's seed draws.
///
/// # Errors
/// As [`enlarge`] and [`initialize`].
pub fn first_state(config: &TrainConfig, trained: Option<&Weights>) -> Result<State> {
    let architecture = config.architecture()?;
    let layers = match trained {
        Some(trained) => enlarge(&architecture, config.channels, trained)?,
        None => {
            let metadata = Metadata { channels: config.channels, ..Metadata::default() };
            initialize(&architecture, config.initialization, config.seed, metadata)?.layers().to_vec()
        }
    };
    let state = State::new(layers, config.optimizer.slots());
    Ok(if config.average > 0.0 { state.with_average() } else { state })
}

/// Why a network cannot begin as `trained`.
fn obstacle(architecture: &Architecture, channels: Channels, trained: &Weights) -> Option<String> {
    let (from, to) = (trained.layers(), architecture.layers());
    let own = trained.metadata.channels;
    if own != channels {
        return Some(format!("its channels are {own}, not {channels}"));
    }
    if from.len() > to.len() {
        return Some(format!("it has {} layers, more than {}", from.len(), to.len()));
    }
    let differs = |(i, &shape): (usize, &LayerShape)| {
        let layer = i + 1;
        let Some(own) = beginning(i, from, to.len()).map(|layer| layer.shape) else {
            let (filters, inputs) = (shape.filters, shape.inputs);
            return (filters != inputs).then(|| {
                format!(
                    "layer {layer}, which is added, has {filters} filters, not {inputs} as the one before"
                )
            });
        };
        if own.filters != shape.filters {
            Some(format!("layer {layer} has {} filters, not {}", own.filters, shape.filters))
        } else if own.size > shape.size {
            let (old, new) = (own.size, shape.size);
            Some(format!("the filters of layer {layer} are {old}x{old}, larger than {new}x{new}"))
        } else {
            None
        }
    };
    to.iter().enumerate().find_map(differs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Padding;
    use crate::reference::{Maps, forward};

    fn weights(initialization: Initialization, channels: Channels, seed: u32) -> Weights {
        let architecture = Architecture::parse("9-3-5", "64-32", channels.count()).unwrap();
        initialize(&architecture, initialization, seed, Metadata { channels, ..Metadata::default() }).unwrap()
    }

    #[test]
    fn gaussian_of_the_paper() {
        let first = weights(Initialization::Gaussian { deviation: 0.001 }, Channels::Y, 7);
        let values: Vec<f64> =
            first.layers().iter().flat_map(|l| &l.weight).map(|&w| f64::from(w) / 0.001).collect();
        let n = values.len() as f64;
        let moment = |power: i32| values.iter().map(|v| v.powi(power)).sum::<f64>() / n;
        // Moments of the normal distribution 0, 1, 0, 3, each within five of its own deviations.
        for (power, expected, spread) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0f64)] {
            assert!(
                (moment(power) - expected).abs() < 5.0 * (spread / n).sqrt(),
                "{power}: {}",
                moment(power)
            );
        }
        assert!(first.layers().iter().all(|l| l.bias.iter().all(|&b| b == 0.0)));
        assert_eq!(first, weights(Initialization::Gaussian { deviation: 0.001 }, Channels::Y, 7));
        assert_ne!(first, weights(Initialization::Gaussian { deviation: 0.001 }, Channels::Y, 8));
        // Runs that are continued elsewhere begin alike.
        assert_eq!(first.layers()[0].weight[..4], GOLDEN);
    }
    const GOLDEN: [f32; 4] = [-0.00031290756, 0.00094058923, 0.0012029421, -0.0012406518];

    #[test]
    fn he_follows_the_inputs() {
        let he = weights(Initialization::He { gain: 1.0, last_gain: 0.5 }, Channels::Y, 0);
        for (layer, gain) in he.layers().iter().zip([1.0, 1.0, 0.5]) {
            let variance =
                layer.weight.iter().map(|&w| f64::from(w * w)).sum::<f64>() / layer.weight.len() as f64;
            let expected = gain * gain * 2.0 / layer.shape.products() as f64;
            assert!((variance / expected - 1.0).abs() < 0.2, "{:?}: {variance} {expected}", layer.shape);
        }
    }

    #[test]
    fn identity_passes_pictures_on() {
        for channels in [Channels::Y, Channels::Rgb] {
            let c = channels.count();
            let network = weights(Initialization::Identity { gain: 1.0, last_gain: 0.0 }, channels, 0);
            let input = Maps::from_fn([c, 11, 12], |c, y, x| (c * 7 + y * 5 + x * 3) as f64 / 100.0);
            let output = forward(&network, &input, Padding::Zero);
            let worst = input.data.iter().zip(&output.data).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-12, "{channels}: {worst}");
        }
    }

    #[test]
    fn enlarged_filters_give_the_same_results() {
        let small = Architecture::parse("5-1-3", "4-3", 1).unwrap();
        let he = Initialization::He { gain: 1.0, last_gain: 1.0 };
        let trained = initialize(&small, he, 5, Metadata::default()).unwrap();
        let larger = Architecture::parse("5-3-3", "4-3", 1).unwrap();
        let layers = enlarge(&larger, Channels::Y, &trained).unwrap();
        let enlarged = Weights::new(layers, Metadata::default()).unwrap();
        let input = Maps::from_fn([1, 11, 12], |_, y, x| ((y * 5 + x * 3) as f64).sin());
        assert_eq!(enlarged.architecture().sizes(), "5-3-3");
        assert_eq!(forward(&trained, &input, Padding::Zero), forward(&enlarged, &input, Padding::Zero));
        for (sizes, filters) in [("5-1-5-3", "4-3-3"), ("5-3-1-3-5", "4-3-3-3")] {
            let deeper = Architecture::parse(sizes, filters, 1).unwrap();
            let layers = enlarge(&deeper, Channels::Y, &trained).unwrap();
            let deeper = Weights::new(layers, Metadata::default()).unwrap();
            for padding in [Padding::Zero, Padding::Replicate] {
                assert_eq!(
                    forward(&trained, &input, padding),
                    forward(&deeper, &input, padding),
                    "{sizes} {padding}"
                );
            }
        }
        for (sizes, filters, channels, reason) in [
            ("5-3", "4", Channels::Y, "it has 3 layers, more than 2"),
            (
                "5-1-3-3",
                "4-3-4",
                Channels::Y,
                "layer 3, which is added, has 4 filters, not 3 as the one before",
            ),
            ("3-1-3", "4-3", Channels::Y, "the filters of layer 1 are 5x5, larger than 3x3"),
            ("5-1-3", "4-4", Channels::Y, "layer 2 has 3 filters, not 4"),
            ("5-1-3", "4-3", Channels::Rgb, "its channels are y, not rgb"),
        ] {
            let other = Architecture::parse(sizes, filters, channels.count()).unwrap();
            let told = enlarge(&other, channels, &trained).unwrap_err().to_string();
            assert!(told.contains(reason), "{told}");
        }
    }
}
