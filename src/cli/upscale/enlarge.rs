//! A picture through one network or several, one after another.

use image::{ColorType, DynamicImage};
use srcnn_gpu::headless::{Gpu, Headless, HeadlessOptions, Timing};
use srcnn_gpu::{Enlargement, Error, Padding, Result};

use super::args::Alpha;
use super::ready::How;
use super::steps::plan_steps;
use crate::cli::models::Model;
use crate::cli::trust;
use crate::cli::tuning::TuneArgs;
use srcnn_gpu::picture::alpha;
use srcnn_gpu::picture::{color_type, depth};

/// Called with tiles done and tiles in all.
pub type Tell<'a> = &'a mut dyn FnMut(u64, u64);

/// Several networks on one device.
pub struct Enlarger<'a> {
    gpu: Gpu,
    options: HeadlessOptions,
    tuning: Tuning,
    networks: Vec<Network<'a>>,
    /// Every trained scale, and whose it is.
    scales: Vec<f64>,
    owners: Vec<usize>,
    timing: Timing,
}

/// Whether and for how much work the kernels are chosen by measurement.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    pub args: TuneArgs,
    /// Pixels of all results, about.
    pub pixels: u64,
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
    pub fn new(gpu: Gpu, models: &'a [Model], options: HeadlessOptions, tuning: Tuning) -> Self {
        let networks = models.iter().map(|model| Network { model, headless: None }).collect();
        let known = models.iter().enumerate().flat_map(|(index, model)| {
            model.weights.metadata.scales.iter().map(move |&scale| (f64::from(scale), index))
        });
        let (scales, owners) = known.unzip();
        Self { gpu, options, tuning, networks, scales, owners, timing: Timing::default() }
    }

    /// Times of the last picture, all passes together.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// Width and height of the result for a picture of `source` pixels; smaller than asked for where a network does not
    /// pad.
    ///
    /// # Errors
    /// As [`Headless::result_size`].
    pub fn result_size(&mut self, source: (u32, u32), how: &How) -> Result<(u32, u32)> {
        let mut size = source;
        for pass in self.plan(source, how.enlargement)? {
            let headless = self.networks[pass.network].open(&self.gpu, self.options, self.tuning)?;
            size = headless.result_size(size, pass.enlargement)?;
        }
        Ok(size)
    }

    /// Enlarges a picture in as many passes as the networks' scales ask for; nothing is rounded between them. Alpha is
    /// bicubic or goes through the networks like a grey picture.
    ///
    /// # Errors
    /// As [`Headless::upscale`].
    pub fn enlarge(&mut self, picture: &DynamicImage, how: &How, progress: Tell<'_>) -> Result<DynamicImage> {
        let (plane, mut tell) = self.alpha(picture, how, progress)?;
        let mut result =
            self.passes(picture, how.color, how.enlargement, &mut tell, as_a_whole(how.color))?;
        if let Some(plane) = plane {
            alpha::set_plane(&mut result, &plane);
        }
        Ok(result)
    }

    /// As [`Enlarger::enlarge`], and hands the result to `take` in bands, from top to bottom.
    ///
    /// # Errors
    /// As [`Headless::upscale_bands`].
    pub fn enlarge_in_bands(
        &mut self,
        picture: &DynamicImage,
        how: &How,
        take: &mut dyn FnMut(DynamicImage) -> Result<()>,
        progress: Tell<'_>,
    ) -> Result<()> {
        let (plane, mut tell) = self.alpha(picture, how, progress)?;
        let mut row = 0;
        let mut finish = |mut band: DynamicImage| {
            let (width, height) = (band.width(), band.height());
            if let Some(plane) = &plane {
                alpha::set_plane(&mut band, &plane.crop_imm(0, row, width, height));
            }
            row += height;
            take(band)
        };
        self.passes(picture, how.color, how.enlargement, &mut tell, |headless, source, enlargement, tell| {
            headless.upscale_bands(source, how.color, enlargement, &mut finish, tell)
        })
    }

    /// Begins with a picture: alpha by the networks where it is asked for, and the progress that is left.
    fn alpha<'p>(
        &mut self,
        picture: &DynamicImage,
        how: &How,
        progress: Tell<'p>,
    ) -> Result<(Option<DynamicImage>, impl FnMut(u64, u64) + use<'p>)> {
        self.timing = Timing::default();
        let plane = match how.alpha {
            _ if !how.color.has_alpha() => None,
            Alpha::Auto if alpha::is_constant(picture) => None,
            Alpha::Auto | Alpha::Net => alpha::plane(picture),
            Alpha::Bicubic | Alpha::Drop => None,
        };
        let parts = if plane.is_some() { 2 } else { 1 };
        let plane = plane.map(|plane| {
            // There is no grey of floats.
            let bits = depth(how.color);
            let grey = color_type(bits == 32, false, bits);
            let mut tell = |done, total| progress(done, parts * total);
            self.passes(&plane, grey, how.enlargement, &mut tell, as_a_whole(grey))
        });
        let rest = move |done, total| progress((parts - 1) * total + done, parts * total);
        Ok((plane.transpose()?, rest))
    }

    /// Runs all passes; `last` is the last one.
    fn passes<T>(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        enlargement: Enlargement,
        progress: Tell<'_>,
        last: impl FnOnce(&mut Headless, &DynamicImage, Enlargement, Tell<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut passes = self.plan((picture.width(), picture.height()), enlargement)?;
        let Some(final_pass) = passes.pop() else { return Err(Error::invalid("an enlargement of no steps")) };
        let total = passes.len() as u64 + 1;
        let floats = if color.has_alpha() { ColorType::Rgba32F } else { ColorType::Rgb32F };
        let mut between = None;
        for (index, pass) in passes.iter().enumerate() {
            // The last pass is by far the longest; its tiles are what the others are counted in.
            let mut tell = |done, all| progress(index as u64 * all + done, total * all);
            let source = between.as_ref().unwrap_or(picture);
            let headless = self.networks[pass.network].open(&self.gpu, self.options, self.tuning)?;
            let enlarged = headless.upscale_as(source, floats, pass.enlargement, &mut tell)?;
            trust::tell(headless.verified());
            self.timing = sum(self.timing, headless.timing());
            between = Some(enlarged);
        }
        let mut tell = |done, all| progress((total - 1) * all + done, total * all);
        let source = between.as_ref().unwrap_or(picture);
        let headless = self.networks[final_pass.network].open(&self.gpu, self.options, self.tuning)?;
        let result = last(headless, source, final_pass.enlargement, &mut tell)?;
        trust::tell(headless.verified());
        self.timing = sum(self.timing, headless.timing());
        Ok(result)
    }

    /// The passes that a picture of `source` pixels takes.
    fn plan(&self, source: (u32, u32), enlargement: Enlargement) -> Result<Vec<Pass>> {
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

/// The last pass with its result in memory.
fn as_a_whole(
    color: ColorType,
) -> impl FnOnce(&mut Headless, &DynamicImage, Enlargement, Tell<'_>) -> Result<DynamicImage> {
    move |headless, source, enlargement, tell| headless.upscale_as(source, color, enlargement, tell)
}

fn sum(a: Timing, b: Timing) -> Timing {
    Timing {
        gpu: a.gpu + b.gpu,
        upload: a.upload + b.upload,
        readback: a.readback + b.readback,
        wall: a.wall + b.wall,
    }
}

impl Network<'_> {
    fn open(&mut self, gpu: &Gpu, options: HeadlessOptions, tuning: Tuning) -> Result<&mut Headless> {
        match &mut self.headless {
            Some(headless) => Ok(headless),
            none => {
                log::info!("model {}: {}", self.model.name, self.model.weights.architecture());
                let weights = &self.model.weights;
                let options = tuning.args.apply(gpu, weights, options, tuning.pixels)?;
                Ok(none.insert(Headless::new(gpu.clone(), weights, options)?))
            }
        }
    }

    fn padding(&self, options: HeadlessOptions) -> Padding {
        options.padding.unwrap_or(self.model.weights.metadata.padding)
    }
}
