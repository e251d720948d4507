//! Complete configurations by name, and how a file and single settings change them.

mod overrides;

pub use super::config::Recipe;
use super::config::{Augmentation, Initialization, Interval, Limit, Optimizer, Schedule, TrainConfig};
use super::scales::Scales;
use crate::degrade::Degradation;
use crate::network::{Architecture, Channels, LayerShape, Padding};
pub use overrides::{Overrides, override_parts, resolve};

impl Recipe {
    /// The recipe's configuration for a network and scale, without data folders.
    ///
    /// The paper gives neither its batch nor its momentum. 128 is the default batch of cuda-convnet, the package it was
    /// trained with, and 0.9 that package's usual momentum. Its pictures lose resolution by a Gaussian blur that it does
    /// not specify; the authors' released code and every evaluation use MATLAB's bicubic, so that is the default.
    /// Everything else follows section 4.
    pub fn config(self, scale: Scales, architecture: &Architecture, channels: Channels) -> TrainConfig {
        let layers = architecture.layers().len();
        // A lower rate in the last layer "is important for the network to converge".
        let rates = |rate: f64, last: f64| {
            let mut rates = vec![rate; layers];
            rates[layers - 1] = last;
            rates
        };
        let paper = TrainConfig {
            recipe: self,
            data: Vec::new(),
            val: Vec::new(),
            watch: Vec::new(),
            patch: default_patch(&scale),
            scale,
            arch: architecture.sizes(),
            filters: architecture.filters(),
            channels,
            seed: 0,
            batch: 128,
            stride: 14,
            degradation: Degradation::BICUBIC,
            train_padding: Padding::Valid,
            padding: Padding::Replicate,
            init: None,
            kernels: None,
            average: 0.0,
            eval_every: Interval::Steps(1000),
            save_every: 1000,
            limit: Limit::Backprops(800_000_000),
            initialization: Initialization::Gaussian { deviation: 0.001 },
            optimizer: Optimizer::Sgd { momentum: 0.9, learning_rates: rates(1e-4, 1e-5) },
            schedule: Schedule::Constant,
            augmentation: Augmentation { turns: false, scales: vec![1.0] },
        };
        match self {
            Self::Paper => paper,
            Self::Fast => TrainConfig {
                batch: 32,
                eval_every: Interval::Steps(500),
                save_every: 500,
                limit: Limit::Steps(50_000),
                initialization: Initialization::Identity { gain: 1.0, last_gain: 0.1 },
                optimizer: Optimizer::Adam {
                    betas: [0.95, 0.95],
                    epsilon: 1e-8,
                    spectrum: true,
                    learning_rates: fast_rates(architecture),
                },
                schedule: Schedule::Cosine { warmup: 100, last: 0.01 },
                augmentation: Augmentation { turns: true, scales: vec![1.0, 0.9, 0.8, 0.7, 0.6] },
                ..paper
            },
        }
    }
}

/// The rates of recipe `fast`. Adam moves all weights by the same, so an output moves by more the more inputs it has: layers
/// with more than the paper's 9-1-5 has are slowed down by the square root (weights/README.md has what was tried).
fn fast_rates(architecture: &Architecture) -> Vec<f64> {
    let layers = architecture.layers();
    let rate = |(l, layer): (usize, &LayerShape)| {
        let (rate, usual) = if l + 1 < layers.len() { (1e-2, 144.0) } else { (3e-3, 800.0) };
        let inputs = (layer.inputs * layer.size * layer.size) as f64;
        rate * (usual / inputs).sqrt().min(1.0)
    };
    layers.iter().enumerate().map(rate).collect()
}

/// Sub-images of 33 pixels, or 32 if all scales divide that (footnote 6 of the paper).
fn default_patch(scales: &Scales) -> usize {
    if scales.iter().all(|scale| 32 % scale == 0) { 32 } else { 33 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_layers_learn_more_slowly() {
        let rates = |sizes, filters, channels: Channels| {
            let architecture = Architecture::parse(sizes, filters, channels.count()).unwrap();
            let config = Recipe::Fast.config(Scales::new([3]).unwrap(), &architecture, channels);
            config
                .optimizer
                .learning_rates()
                .iter()
                .map(|rate| (rate * 1e5).round() / 1e5)
                .collect::<Vec<_>>()
        };
        assert_eq!(rates("9-1-5", "64-32", Channels::Y), [0.01, 0.01, 0.003]);
        assert_eq!(rates("9-5-5", "64-32", Channels::Y), [0.01, 0.003, 0.003]);
        assert_eq!(rates("9-3-5", "64-32", Channels::Y), [0.01, 0.005, 0.003]);
        assert_eq!(rates("9-1-5", "128-64", Channels::Y), [0.01, 0.01, 0.00212]);
        assert_eq!(rates("9-1-5", "64-32", Channels::Rgb), [0.0077, 0.01, 0.003]);
    }
}
