//! A picture through one network or several, one after another.

use std::time::Duration;

use image::{ColorType, DynamicImage};
use srcnn_gpu::headless::{Gpu, Headless, HeadlessOptions, Timing};
use srcnn_gpu::{Enlargement, Error, Padding, Result};

use super::super::picture::alpha;
use super::super::picture::{color_type, depth};
use super::args::Alpha;
use super::model::Model;
use super::steps::plan_steps;

/// Several networks on one device.
pub struct Enlarger<'a> {
    gpu: Gpu,
    options: HeadlessOptions,
    networks: Vec<Network<'a>>,
    /// Every trained scale, and whose it is.
    scales: Vec<f64>,
    owners: Vec<usize>,
    timing: Timing,
}

/// A network, taken to the device when it is first needed.
struct Network<'a> {
    model: &'a Model,
    headless: Option<Headless>,
}

/// One pass of a picture through a network.
struct Pass {
    network: usize,
    enlargement: Enlargement,
}

impl<'a> Enlarger<'a> {
    pub fn new(gpu: Gpu, models: &'a [Model], options: HeadlessOptions) -> Self {
        let networks = models.iter().map(|model| Network { model, headless: None }).collect();
        let known = models.iter().enumerate().flat_map(|(index, model)| {
            model.weights.metadata.scales.iter().map(move |&scale| (f64::from(scale), index))
        });
        let (scales, owners) = known.unzip();
        Self { gpu, options, networks, scales, owners, timing: Timing::default() }
    }

    /// Times of the last picture, all passes together.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// Enlarges a picture to a colour type, in as many passes as the networks' scales ask for; nothing is rounded
    /// between them. Alpha is bicubic or goes through the networks like a grey picture.
    ///
    /// # Errors
    /// As [`Headless::upscale`].
    pub fn enlarge(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        enlargement: Enlargement,
        by: Alpha,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<DynamicImage> {
        self.timing = Timing { gpu: Duration::ZERO, wall: Duration::ZERO };
        let plane = match by {
            _ if !color.has_alpha() => None,
            Alpha::Auto if alpha::is_constant(picture) => None,
            Alpha::Auto | Alpha::Net => alpha::plane(picture),
            Alpha::Bicubic | Alpha::Drop => None,
        };
        let Some(plane) = plane else { return self.run(picture, color, enlargement, progress) };
        let mut result =
            self.run(picture, color, enlargement, &mut |done, total| progress(done, 2 * total))?;
        // There is no grey of floats.
        let bits = depth(color);
        let grey = color_type(bits == 32, false, bits);
        let plane =
            self.run(&plane, grey, enlargement, &mut |done, total| progress(total + done, 2 * total))?;
        alpha::set_plane(&mut result, &plane);
        Ok(result)
    }

    fn run(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        enlargement: Enlargement,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<DynamicImage> {
        let passes = self.passes((picture.width(), picture.height()), enlargement)?;
        let total = passes.len();
        let mut result = None;
        for (index, pass) in passes.iter().enumerate() {
            let source = result.as_ref().unwrap_or(picture);
            let color = match (index + 1 < total, color.has_alpha()) {
                (false, _) => color,
                (true, false) => ColorType::Rgb32F,
                (true, true) => ColorType::Rgba32F,
            };
            // The last pass is by far the longest, and its tiles are what the others are counted in.
            let mut tell = |done: u64, all: u64| match total {
                1 => progress(done, all),
                _ => progress(index as u64 * all + done, total as u64 * all),
            };
            let headless = self.networks[pass.network].open(&self.gpu, self.options)?;
            let enlarged = headless.upscale_as(source, color, pass.enlargement, &mut tell)?;
            let timing = headless.timing();
            self.timing.gpu += timing.gpu;
            self.timing.wall += timing.wall;
            result = Some(enlarged);
        }
        result.ok_or_else(|| Error::invalid("an enlargement of no steps"))
    }

    /// The passes that a picture of `source` pixels takes.
    fn passes(&self, source: (u32, u32), enlargement: Enlargement) -> Result<Vec<Pass>> {
        let size = enlargement.size(source)?;
        let axes =
            [(source.0, size.0), (source.1, size.1)].map(|(from, to)| (f64::from(from), f64::from(to)));
        let factor = match enlargement {
            Enlargement::Factor(factor) => factor,
            Enlargement::Size(..) => axes.iter().map(|(from, to)| (to / from).sqrt()).product(),
        };
        let steps = plan_steps(factor, &self.scales);
        let mut done = 1.0;
        let last = steps.len() - 1;
        let passes = steps.iter().enumerate().map(|(index, step)| {
            let network = self.owners.get(step.trained).copied().unwrap_or(0);
            done *= step.factor;
            // Each axis gets its part of the way, which differs when the proportions change.
            let [width, height] =
                axes.map(|(from, to)| (from * (to / from).powf(f64::ln(done) / factor.ln())).round() as u32);
            let enlargement = match self.networks[network].padding(self.options) {
                _ if last == 0 => enlargement,
                // What such a network takes away at the borders is not known in the plan.
                Padding::Valid => Enlargement::Factor(step.factor),
                _ if index == last => Enlargement::Size(size.0, size.1),
                _ => Enlargement::Size(width, height),
            };
            Pass { network, enlargement }
        });
        Ok(passes.collect())
    }
}

impl Network<'_> {
    fn open(&mut self, gpu: &Gpu, options: HeadlessOptions) -> Result<&mut Headless> {
        match &mut self.headless {
            Some(headless) => Ok(headless),
            none => {
                log::info!("model {}: {}", self.model.name, self.model.weights.architecture());
                Ok(none.insert(Headless::new(gpu.clone(), &self.model.weights, options)?))
            }
        }
    }

    fn padding(&self, options: HeadlessOptions) -> Padding {
        options.padding.unwrap_or(self.model.weights.metadata.padding)
    }
}
