//! Running a picture through one network or several in turn.

use std::time::{Duration, Instant};

use image::{ColorType, DynamicImage};
use srcnn_gpu::headless::{Gpu, HeadlessOptions, Timing};
use srcnn_gpu::{Enlargement, Error, Result};

use super::content::Alpha;
use super::engine::{Engine, TileProgress, Tuning};
use super::options::PictureOptions;
use super::passes::{Pass, Route, work};
use crate::cli::args::checks;
use crate::cli::args::models::Model;
use srcnn_gpu::picture::alpha;
use srcnn_gpu::picture::{color_type, depth};

/// Steps of the progress of a picture that takes several passes.
const STEPS: f64 = 10_000.0;

/// The networks of one device.
pub struct Enlarger<'a> {
    gpu: Gpu,
    options: HeadlessOptions,
    tuning: Tuning,
    networks: Vec<Network<'a>>,
    route: Route<'a>,
    timing: Timing,
}

/// A network, which is put on the device when it is first needed.
struct Network<'a> {
    model: &'a Model,
    engine: Option<Engine>,
}

impl<'a> Enlarger<'a> {
    pub fn new(gpu: Gpu, models: &'a [Model], options: HeadlessOptions, tuning: Tuning) -> Self {
        let networks = models.iter().map(|model| Network { model, engine: None }).collect();
        let route = Route::new(models, options.padding);
        Self { gpu, options, tuning, networks, route, timing: Timing::default() }
    }

    /// Times for the last picture, summed over all passes.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// Width and height of the result for a picture of `source` pixels; smaller than asked for if a network does not pad.
    ///
    /// # Errors
    /// As [`Engine::result_size`].
    pub fn result_size(&mut self, source: (u32, u32), options: &PictureOptions) -> Result<(u32, u32)> {
        let mut size = source;
        for pass in self.route.passes(source, options.enlargement, options.compressed)? {
            let engine = self.networks[pass.network].open(&self.gpu, self.options, self.tuning)?;
            size = engine.result_size(size, pass.enlargement)?;
        }
        Ok(size)
    }

    /// The passes for a picture of `source` pixels.
    ///
    /// # Errors
    /// As [`Route::passes`].
    pub fn passes(&self, source: (u32, u32), options: &PictureOptions) -> Result<Vec<Pass>> {
        self.route.passes(source, options.enlargement, options.compressed)
    }

    /// Runs a picture through a network for nothing but its time; returns the result's pixels, too.
    ///
    /// # Errors
    /// As [`Engine::upscale_as`].
    pub fn time(&mut self, network: usize, picture: &DynamicImage, factor: f64) -> Result<(u64, Duration)> {
        let engine = self.networks[network].open(&self.gpu, self.options, self.tuning)?;
        let start = Instant::now();
        let result =
            engine.upscale_as(picture, picture.color(), Enlargement::Factor(factor), &mut |_, _| ())?;
        Ok((u64::from(result.width()) * u64::from(result.height()), start.elapsed()))
    }

    /// Enlarges a picture in as many passes as the networks' scales require, without rounding between them. Alpha is
    /// bicubic or goes through the networks like a grey picture.
    ///
    /// # Errors
    /// As [`Engine::upscale_as`].
    pub fn enlarge(
        &mut self,
        picture: &DynamicImage,
        options: &PictureOptions,
        progress: TileProgress<'_>,
    ) -> Result<DynamicImage> {
        let (plane, mut report) = self.enlarge_alpha(picture, options, progress)?;
        let mut result = self.run(picture, options.color, options, &mut report, as_a_whole(options.color))?;
        if let Some(plane) = plane {
            alpha::set_plane(&mut result, &plane);
        }
        Ok(result)
    }

    /// As [`Enlarger::enlarge`], but hands the result to `take` in bands, from top to bottom.
    ///
    /// # Errors
    /// As [`Engine::upscale_bands`].
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
        self.run(picture, options.color, options, &mut report, |engine, source, enlargement, report| {
            engine.upscale_bands(source, options.color, enlargement, &mut finish, report)
        })
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
            self.run(&plane, gray, options, &mut report, as_a_whole(gray))
        });
        let rest = move |done, total| progress((parts - 1) * total + done, parts * total);
        Ok((plane.transpose()?, rest))
    }

    /// Runs all passes; `last` runs the last one.
    fn run<T>(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        options: &PictureOptions,
        progress: TileProgress<'_>,
        last: impl FnOnce(&mut Engine, &DynamicImage, Enlargement, TileProgress<'_>) -> Result<T>,
    ) -> Result<T> {
        let source = (picture.width(), picture.height());
        let mut passes = self.route.passes(source, options.enlargement, options.compressed)?;
        let all = work(&passes);
        let Some(final_pass) = passes.pop() else {
            return Err(Error::invalid("the enlargement has no steps"));
        };
        let passes_in_all = passes.len() + 1;
        // Each pass counts by its work, of which the last one has by far the most.
        let mut before = 0.0;
        let mut part = |before: f64, pass: &Pass, done: u64, tiles: u64| {
            let share = (before + pass.work * done as f64 / tiles.max(1) as f64) / all;
            match passes_in_all {
                1 => progress(done, tiles),
                _ => progress((share * STEPS).round() as u64, STEPS as u64),
            }
        };
        let floats = if color.has_alpha() { ColorType::Rgba32F } else { ColorType::Rgb32F };
        let mut between = None;
        for pass in &passes {
            let mut report = |done, tiles| part(before, pass, done, tiles);
            let source = between.as_ref().unwrap_or(picture);
            let engine = self.networks[pass.network].open(&self.gpu, self.options, self.tuning)?;
            let enlarged = engine.upscale_as(source, floats, pass.enlargement, &mut report)?;
            checks::report(engine.verified());
            self.timing = sum(self.timing, engine.timing());
            between = Some(enlarged);
            before += pass.work;
        }
        let mut report = |done, tiles| part(before, &final_pass, done, tiles);
        let source = between.as_ref().unwrap_or(picture);
        let engine = self.networks[final_pass.network].open(&self.gpu, self.options, self.tuning)?;
        let result = last(engine, source, final_pass.enlargement, &mut report)?;
        checks::report(engine.verified());
        self.timing = sum(self.timing, engine.timing());
        Ok(result)
    }
}

/// A last pass that returns the result as a whole.
fn as_a_whole(
    color: ColorType,
) -> impl FnOnce(&mut Engine, &DynamicImage, Enlargement, TileProgress<'_>) -> Result<DynamicImage> {
    move |engine, source, enlargement, report| engine.upscale_as(source, color, enlargement, report)
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
    fn open(&mut self, gpu: &Gpu, options: HeadlessOptions, tuning: Tuning) -> Result<&mut Engine> {
        match &mut self.engine {
            Some(engine) => Ok(engine),
            engine => Ok(engine.insert(Engine::new(gpu, self.model, options, tuning)?)),
        }
    }
}
