//! What computes a pass: a network or a dictionary on a device.

use image::{ColorType, DynamicImage};
use srcnn_gpu::dictionary::DictionaryUpscaler;
use srcnn_gpu::headless::{Gpu, Headless, HeadlessOptions, Timing, Verified};
use srcnn_gpu::{Enlargement, Result};

use crate::cli::args::models::{Model, Trained};
use crate::cli::args::tuning::TuneArgs;

/// Called with the number of tiles done and the number of all tiles; in several passes, with the steps done of all.
pub type TileProgress<'a> = &'a mut dyn FnMut(u64, u64);

/// Whether to choose the kernels by measurement, and for how much work.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    pub args: TuneArgs,
    /// About the pixels of all results.
    pub pixels: u64,
}

/// A network or a dictionary, compiled for a device.
pub enum Engine {
    Network(Box<Headless>),
    Dictionary(Box<DictionaryUpscaler>),
}

impl Engine {
    /// Puts it on a device. The options are those of a network.
    ///
    /// # Errors
    /// As [`Headless::new`] and [`DictionaryUpscaler::new`].
    pub fn new(gpu: &Gpu, model: &Model, options: HeadlessOptions, tuning: Tuning) -> Result<Self> {
        log::info!("model {}: {}", model.name, model.what());
        Ok(match &model.trained {
            Trained::Network(weights) => {
                let options = tuning.args.apply(gpu, weights, options, tuning.pixels)?;
                Self::Network(Box::new(Headless::new(gpu.clone(), weights, options)?))
            }
            Trained::Dictionary(dictionary) => {
                Self::Dictionary(Box::new(DictionaryUpscaler::new(gpu.clone(), dictionary)?))
            }
        })
    }

    /// As [`Headless::result_size`].
    ///
    /// # Errors
    /// As there.
    pub fn result_size(&self, source: (u32, u32), enlargement: Enlargement) -> Result<(u32, u32)> {
        match self {
            Self::Network(network) => network.result_size(source, enlargement),
            Self::Dictionary(_) => enlargement.size(source),
        }
    }

    /// As [`Headless::upscale_as`].
    ///
    /// # Errors
    /// As there.
    pub fn upscale_as(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        enlargement: Enlargement,
        progress: TileProgress<'_>,
    ) -> Result<DynamicImage> {
        match self {
            Self::Network(network) => network.upscale_as(picture, color, enlargement, progress),
            Self::Dictionary(dictionary) => dictionary.upscale_as(picture, color, enlargement, progress),
        }
    }

    /// As [`Headless::upscale_bands`].
    ///
    /// # Errors
    /// As there.
    pub fn upscale_bands(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        enlargement: Enlargement,
        take: &mut dyn FnMut(DynamicImage) -> Result<()>,
        progress: TileProgress<'_>,
    ) -> Result<()> {
        match self {
            Self::Network(network) => network.upscale_bands(picture, color, enlargement, take, progress),
            Self::Dictionary(dictionary) => {
                dictionary.upscale_bands(picture, color, enlargement, take, progress)
            }
        }
    }

    /// Times of the last picture.
    pub fn timing(&self) -> Timing {
        match self {
            Self::Network(network) => network.timing(),
            Self::Dictionary(dictionary) => dictionary.timing(),
        }
    }

    /// What was compared with the CPU for the last picture.
    pub fn verified(&self) -> Option<Verified> {
        match self {
            Self::Network(network) => network.verified(),
            Self::Dictionary(_) => None,
        }
    }
}
