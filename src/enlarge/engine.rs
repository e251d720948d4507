//! What computes a pass: a network or a dictionary on a device.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use image::{ColorType, DynamicImage};

use super::model::{Model, Trained};
use crate::dictionary::DictionaryUpscaler;
use crate::error::Result;
use crate::headless::{Gpu, Headless, HeadlessOptions, Progress, Timing, Verified};
use crate::planes::Planes;
use crate::upscaler::Enlargement;
use crate::weights::Weights;

/// Chooses the kernels of a network before it is compiled: the options with what is known to be fast on the device.
pub type Tune = dyn Fn(&Gpu, &Weights, HeadlessOptions) -> Result<HeadlessOptions> + Send + Sync;

/// A network or a dictionary, compiled for a device.
#[derive(Debug)]
pub enum Engine {
    /// A network.
    Network(Box<Headless>),
    /// A dictionary.
    Dictionary(Box<DictionaryUpscaler>),
}

impl Engine {
    /// Puts a model on a device. The options are those of a network, which `tune` may change; setting `stop` ends a picture
    /// early, as [`Headless::with_stop`] has it.
    ///
    /// # Errors
    /// As [`Headless::new`], [`DictionaryUpscaler::new`] and `tune`.
    pub fn new(
        gpu: &Gpu,
        model: &Model,
        options: HeadlessOptions,
        tune: &Tune,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self> {
        log::info!("model {}: {}", model.name, model.what());
        Ok(match &model.trained {
            Trained::Network(weights) => {
                let options = tune(gpu, weights, options)?;
                let network = Headless::new(gpu.clone(), weights, options)?;
                Self::Network(Box::new(network.with_stop(stop.clone())))
            }
            Trained::Dictionary(dictionary) => {
                let dictionary = DictionaryUpscaler::new(gpu.clone(), dictionary)?;
                Self::Dictionary(Box::new(dictionary.with_stop(stop.clone())))
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
        progress: Progress<'_>,
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
        progress: Progress<'_>,
    ) -> Result<()> {
        match self {
            Self::Network(network) => network.upscale_bands(picture, color, enlargement, take, progress),
            Self::Dictionary(dictionary) => {
                dictionary.upscale_bands(picture, color, enlargement, take, progress)
            }
        }
    }

    /// As [`Headless::upscale_planes_with`].
    ///
    /// # Errors
    /// As there.
    pub fn upscale_planes(
        &mut self,
        planes: &Planes,
        enlargement: Enlargement,
        progress: Progress<'_>,
    ) -> Result<Planes> {
        match self {
            Self::Network(network) => network.upscale_planes_with(planes, enlargement, progress),
            Self::Dictionary(dictionary) => dictionary.upscale_planes_with(planes, enlargement, progress),
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
