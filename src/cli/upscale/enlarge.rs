//! Running a picture through one network or several in turn.

use image::{ColorType, DynamicImage};
use srcnn_gpu::headless::{Gpu, Headless, HeadlessOptions, Timing};
use srcnn_gpu::{Enlargement, Error, Padding, Result};

use super::content::Alpha;
use super::options::PictureOptions;
use super::scale_steps::plan_steps;
use crate::cli::args::checks;
use crate::cli::args::models::Model;
use crate::cli::args::tuning::TuneArgs;
use srcnn_gpu::picture::alpha;
use srcnn_gpu::picture::{color_type, depth};

/// Called with the number of tiles done and the number of all tiles.
pub type TileProgress<'a> = &'a mut dyn FnMut(u64, u64);

/// The networks of one device.
pub struct Enlarger<'a> {
    gpu: Gpu,
    options: HeadlessOptions,
    tuning: Tuning,
    networks: Vec<Network<'a>>,
    /// Every trained scale.
    scales: Vec<f64>,
    /// For each of them the index of its network.
    network_of_scale: Vec<usize>,
    timing: Timing,
}

/// Whether to choose the kernels by measurement, and for how much work.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    pub args: TuneArgs,
    /// About the pixels of all results.
    pub pixels: u64,
}

/// A network, which is put on the device when it is first needed.
struct Network<'a> {
    model: &'a Model,
    engine: Option<Headless>,
}

/// One pass of a picture through a network.
struct Pass {
    network: usize,
    enlargement: Enlargement,
}

impl<'a> Enlarger<'a> {
    pub fn new(gpu: Gpu, models: &'a [Model], options: HeadlessOptions, tuning: Tuning) -> Self {
        let networks = models.iter().map(|model| Network { model, engine: None }).collect();
        let known = models.iter().enumerate().flat_map(|(index, model)| {
            model.weights.metadata.scales.iter().map(move |&scale| (f64::from(scale), index))
        });
        let (scales, network_of_scale) = known.unzip();
        Self { gpu, options, tuning, networks, scales, network_of_scale, timing: Timing::default() }
    }

    /// Times for the last picture, summed over all passes.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// Width and height of the result for a picture of `source` pixels; smaller than asked for if a network does not pad.
    ///
    /// # Errors
    /// As [`Headless::result_size`].
    pub fn result_size(&mut self, source: (u32, u32), options: &PictureOptions) -> Result<(u32, u32)> {
        let mut size = source;
        for pass in self.plan(source, options.enlargement)? {
            let headless = self.networks[pass.network].open(&self.gpu, self.options, self.tuning)?;
            size = headless.result_size(size, pass.enlargement)?;
        }
        Ok(size)
    }

    /// Enlarges a picture in as many passes as the networks' scales require, without rounding between them. Alpha is
    /// bicubic or goes through the networks like a grey picture.
    ///
    /// # Errors
    /// As [`Headless::upscale`].
    pub fn enlarge(
        &mut self,
        picture: &DynamicImage,
        options: &PictureOptions,
        progress: TileProgress<'_>,
    ) -> Result<DynamicImage> {
        let (plane, mut report) = self.enlarge_alpha(picture, options, progress)?;
        let mut result =
            self.passes(picture, options.color, options.enlargement, &mut report, as_a_whole(options.color))?;
        if let Some(plane) = plane {
            alpha::set_plane(&mut result, &plane);
        }
        Ok(result)
    }

    /// As [`Enlarger::enlarge`], but hands the result to `take` in bands, from top to bottom.
    ///
    /// # Errors
    /// As [`Headless::upscale_bands`].
    pub fn enlarge_in_bands(
        &mut self,
        picture: &DynamicImage,
        options: &PictureOptions,
        take: &mut dyn FnMut(DynamicImage) -> Result<()>,
        progress: TileProgress<'_>,
    ) -> Result<()> {
        let (plane, mut report) = self.enlarge_alpha(picture, options, progress)?;
        let mut row = 0;
        let mut finish = |mut band: DynamicImage| {
            let (width, height) = (band.width(), band.height());
            if let Some(plane) = &plane {
                alpha::set_plane(&mut band, &plane.crop_imm(0, row, width, height));
            }
            row += height;
            take(band)
        };
        self.passes(
            picture,
            options.color,
            options.enlargement,
            &mut report,
            |headless, source, enlargement, report| {
                headless.upscale_bands(source, options.color, enlargement, &mut finish, report)
            },
        )
    }

    /// The first part of the work on a picture: enlarges alpha by the networks, if wanted. Returns it with a progress
    /// callback for the rest.
    fn enlarge_alpha<'p>(
        &mut self,
        picture: &DynamicImage,
        options: &PictureOptions,
        progress: TileProgress<'p>,
    ) -> Result<(Option<DynamicImage>, impl FnMut(u64, u64) + use<'p>)> {
        self.timing = Timing::default();
        let plane = match options.alpha {
            _ if !options.color.has_alpha() => None,
            Alpha::Auto if alpha::is_constant(picture) => None,
            Alpha::Auto | Alpha::Net => alpha::plane(picture),
            Alpha::Bicubic | Alpha::Drop => None,
        };
        let parts = if plane.is_some() { 2 } else { 1 };
        let plane = plane.map(|plane| {
            // There are no grey floats.
            let bits = depth(options.color);
            let gray = color_type(bits == 32, false, bits);
            let mut report = |done, total| progress(done, parts * total);
            self.passes(&plane, gray, options.enlargement, &mut report, as_a_whole(gray))
        });
        let rest = move |done, total| progress((parts - 1) * total + done, parts * total);
        Ok((plane.transpose()?, rest))
    }

    /// Runs all passes; `last` runs the last one.
    fn passes<T>(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        enlargement: Enlargement,
        progress: TileProgress<'_>,
        last: impl FnOnce(&mut Headless, &DynamicImage, Enlargement, TileProgress<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut passes = self.plan((picture.width(), picture.height()), enlargement)?;
        let Some(final_pass) = passes.pop() else {
            return Err(Error::invalid("the enlargement has no steps"));
        };
        let total = passes.len() as u64 + 1;
        let floats = if color.has_alpha() { ColorType::Rgba32F } else { ColorType::Rgb32F };
        let mut between = None;
        for (index, pass) in passes.iter().enumerate() {
            // Each pass counts as much as the last one, which is by far the longest.
            let mut report = |done, all| progress(index as u64 * all + done, total * all);
            let source = between.as_ref().unwrap_or(picture);
            let headless = self.networks[pass.network].open(&self.gpu, self.options, self.tuning)?;
            let enlarged = headless.upscale_as(source, floats, pass.enlargement, &mut report)?;
            checks::report(headless.verified());
            self.timing = sum(self.timing, headless.timing());
            between = Some(enlarged);
        }
        let mut report = |done, all| progress((total - 1) * all + done, total * all);
        let source = between.as_ref().unwrap_or(picture);
        let headless = self.networks[final_pass.network].open(&self.gpu, self.options, self.tuning)?;
        let result = last(headless, source, final_pass.enlargement, &mut report)?;
        checks::report(headless.verified());
        self.timing = sum(self.timing, headless.timing());
        Ok(result)
    }

    /// The passes for a picture of `source` pixels.
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
            let network = self.network_of_scale.get(step.trained).copied().unwrap_or(0);
            done *= step.factor;
            // Each axis gets its own share, as they differ if the proportions change.
            let [width, height] =
                axes.map(|(from, to)| (from * (to / from).powf(f64::ln(done) / factor.ln())).round() as u32);
            let enlargement = match self.networks[network].padding(self.options) {
                _ if last == 0 => enlargement,
                // The plan does not know what such a network removes at the borders.
                Padding::Valid => Enlargement::Factor(step.factor),
                _ if index == last => Enlargement::Size(size.0, size.1),
                _ => Enlargement::Size(width, height),
            };
            Pass { network, enlargement }
        });
        Ok(passes.collect())
    }
}

/// A last pass that returns the result as a whole.
fn as_a_whole(
    color: ColorType,
) -> impl FnOnce(&mut Headless, &DynamicImage, Enlargement, TileProgress<'_>) -> Result<DynamicImage> {
    move |headless, source, enlargement, report| headless.upscale_as(source, color, enlargement, report)
}

fn sum(a: Timing, b: Timing) -> Timing {
    Timing {
        preparation: a.preparation + b.preparation,
        gpu: a.gpu + b.gpu,
        upload: a.upload + b.upload,
        readback: a.readback + b.readback,
        wall: a.wall + b.wall,
    }
}

impl Network<'_> {
    fn open(&mut self, gpu: &Gpu, options: HeadlessOptions, tuning: Tuning) -> Result<&mut Headless> {
        match &mut self.engine {
            Some(engine) => Ok(engine),
            engine => {
                log::info!("model {}: {}", self.model.name, self.model.weights.architecture());
                let weights = &self.model.weights;
                let options = tuning.args.apply(gpu, weights, options, tuning.pixels)?;
                Ok(engine.insert(Headless::new(gpu.clone(), weights, options)?))
            }
        }
    }

    fn padding(&self, options: HeadlessOptions) -> Padding {
        options.padding.unwrap_or(self.model.weights.metadata.padding)
    }
}
