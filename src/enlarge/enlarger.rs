//! Running a picture through one network or several in turn.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use image::{ColorType, DynamicImage};

use super::engine::{Engine, Tune};
use super::model::{Model, nearest, one_step};
use super::passes::{Pass, Route, work};
use super::planes::enlarge_planes;
use super::rest::Bands;
use crate::error::{Error, Result};
use crate::headless::convert::{Sink, Source, empty};
use crate::headless::{Gpu, HeadlessOptions, Progress, Timing, Verified};
use crate::network::Padding;
use crate::picture::{alpha, color_type, depth};
use crate::planes::Planes;
use crate::upscaler::Enlargement;
use crate::weights::Weights;

/// Steps of the progress of a picture that takes several passes.
const STEPS: f64 = 10_000.0;

/// How alpha is enlarged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Alpha {
    /// By the networks, unless it is the same everywhere.
    #[default]
    Auto,
    /// By the networks.
    Net,
    /// Bicubic.
    Bicubic,
}

/// How one picture is enlarged.
#[derive(Debug, Clone, Copy)]
pub struct EnlargeOptions {
    /// How large the result is to be.
    pub enlargement: Enlargement,
    /// Whether the picture has the traces of compression, for which there may be networks of their own, if that is known.
    pub compressed: Option<bool>,
    /// The result's color type.
    pub color: ColorType,
    /// How alpha is enlarged, where both picture and result have some.
    pub alpha: Alpha,
}

/// The networks of one device.
pub struct Enlarger {
    gpu: Gpu,
    options: HeadlessOptions,
    tune: Box<Tune>,
    stop: Arc<AtomicBool>,
    models: Arc<[Model]>,
    /// One for each model, put on the device when it is first needed.
    engines: Vec<Option<Engine>>,
    timing: Timing,
    verified: Vec<Verified>,
}

impl fmt::Debug for Enlarger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enlarger").field("models", &self.models).finish_non_exhaustive()
    }
}

impl Enlarger {
    /// Nothing is compiled yet. `tune` is asked once for each network that is needed.
    pub fn new(
        gpu: Gpu,
        models: Arc<[Model]>,
        options: HeadlessOptions,
        tune: impl Fn(&Gpu, &Weights, HeadlessOptions) -> Result<HeadlessOptions> + Send + Sync + 'static,
    ) -> Self {
        let engines = models.iter().map(|_| None).collect();
        let (stop, timing) = (Arc::default(), Timing::default());
        Self { gpu, options, tune: Box::new(tune), stop, models, engines, timing, verified: Vec::new() }
    }

    /// The same with a wish to stop, as [`Headless::with_stop`](crate::headless::Headless::with_stop) has it.
    #[must_use]
    pub fn with_stop(self, stop: Arc<AtomicBool>) -> Self {
        let engines = self.models.iter().map(|_| None).collect();
        Self { stop, engines, ..self }
    }

    /// The device in use.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The networks and dictionaries.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// A model on the device, which is put there if it is not.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an index out of range, and as [`Engine::new`].
    pub fn engine(&mut self, index: usize) -> Result<&mut Engine> {
        let (Some(model), Some(engine)) = (self.models.get(index), self.engines.get_mut(index)) else {
            return Err(Error::invalid(format!("there is no model {index}")));
        };
        match engine {
            Some(engine) => Ok(engine),
            none => Ok(none.insert(Engine::new(&self.gpu, model, self.options, &self.tune, &self.stop)?)),
        }
    }

    /// What was compared with the CPU for the last picture, once for each pass; empty without
    /// [`HeadlessOptions::verify`].
    pub fn verified(&self) -> &[Verified] {
        &self.verified
    }

    fn padding(&self) -> Option<Padding> {
        self.options.padding
    }

    /// Times for the last picture, summed over all passes.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// Width and height of the result for a picture of `source` pixels; smaller than asked for if a network does not pad.
    ///
    /// # Errors
    /// As [`Engine::result_size`].
    pub fn result_size(&mut self, source: (u32, u32), options: &EnlargeOptions) -> Result<(u32, u32)> {
        let mut size = source;
        for pass in self.passes(source, options)? {
            let engine = self.engine(pass.network)?;
            size = engine.result_size(size, pass.enlargement)?;
            size = pass.rest.map_or(size, |rest| rest.size);
        }
        Ok(size)
    }

    /// The passes for a picture of `source` pixels.
    ///
    /// # Errors
    /// As [`Route::passes`].
    pub fn passes(&self, source: (u32, u32), options: &EnlargeOptions) -> Result<Vec<Pass>> {
        let route = Route::new(&self.models, self.padding());
        route.passes(source, options.enlargement, options.compressed)
    }

    /// Runs a picture through a network for nothing but its time; returns the result's pixels, too.
    ///
    /// # Errors
    /// As [`Engine::upscale_as`].
    pub fn time(&mut self, network: usize, picture: &DynamicImage, factor: f64) -> Result<(u64, Duration)> {
        let engine = self.engine(network)?;
        let start = Instant::now();
        let result =
            engine.upscale_as(picture, picture.color(), Enlargement::Factor(factor), &mut |_, _| ())?;
        Ok((u64::from(result.width()) * u64::from(result.height()), start.elapsed()))
    }

    /// Enlarges a picture in as many passes as the networks' scales require, and by bicubic interpolation for the rest, without
    /// rounding between them. Alpha is bicubic or goes through the networks like a grey picture.
    ///
    /// # Errors
    /// As [`Engine::upscale_as`].
    pub fn enlarge(
        &mut self,
        picture: &DynamicImage,
        options: &EnlargeOptions,
        progress: Progress<'_>,
    ) -> Result<DynamicImage> {
        let (plane, mut report) = self.enlarge_alpha(picture, options, progress)?;
        let mut result = self.run(picture, options.color, options, &mut report)?;
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
        options: &EnlargeOptions,
        take: &mut dyn FnMut(DynamicImage) -> Result<()>,
        progress: Progress<'_>,
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
        self.run_in_bands(picture, options.color, options, &mut finish, &mut report)
    }

    /// Enlarges planes in a network's own channels in one step, as [`enlarge_planes`]; a factor of 1 runs the network alone. Of
    /// several networks, the one that [`one_step`] takes, or else the one for the nearest scale.
    ///
    /// # Errors
    /// As [`Engine::upscale_planes`].
    pub fn enlarge_planes(
        &mut self,
        planes: &Planes,
        enlargement: Enlargement,
        progress: Progress<'_>,
    ) -> Result<Planes> {
        let area = |(width, height): (u32, u32)| f64::from(width) * f64::from(height);
        let source = (planes.width as u32, planes.height as u32);
        let size = enlargement.size(source)?;
        let factor = match enlargement {
            Enlargement::Factor(factor) => factor,
            Enlargement::Size(..) => (area(size) / area(source)).sqrt(),
        };
        let index = one_step(&self.models, factor, None).unwrap_or_else(|_| nearest(&self.models, factor));
        let model = self.models.get(index).ok_or_else(|| Error::invalid("there is no model"))?;
        let whole = model.crops(self.padding()) || size == source;
        let step = if whole { None } else { model.step(factor) };
        let engine = self.engine(index)?;
        enlarge_planes(planes, enlargement, step, |planes, enlargement| {
            engine.upscale_planes(planes, enlargement, progress)
        })
    }

    /// The first part of the work on a picture: enlarges alpha by the networks, if wanted. Returns it with a progress
    /// callback for the rest.
    fn enlarge_alpha<'p>(
        &mut self,
        picture: &DynamicImage,
        options: &EnlargeOptions,
        progress: Progress<'p>,
    ) -> Result<(Option<DynamicImage>, impl FnMut(u64, u64) + use<'p>)> {
        self.timing = Timing::default();
        self.verified.clear();
        let plane = match options.alpha {
            _ if !options.color.has_alpha() => None,
            Alpha::Auto if alpha::is_constant(picture) => None,
            Alpha::Auto | Alpha::Net => alpha::plane(picture),
            Alpha::Bicubic => None,
        };
        let parts = if plane.is_some() { 2 } else { 1 };
        let plane = plane.map(|plane| {
            // There are no grey floats.
            let bits = depth(options.color);
            let gray = color_type(bits == 32, false, bits);
            let mut report = |done, total| progress(done, parts * total);
            self.run(&plane, gray, options, &mut report)
        });
        let rest = move |done, total| progress((parts - 1) * total + done, parts * total);
        Ok((plane.transpose()?, rest))
    }

    /// Runs all passes; the result as a whole.
    fn run(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        options: &EnlargeOptions,
        progress: Progress<'_>,
    ) -> Result<DynamicImage> {
        let source = (picture.width(), picture.height());
        let Some(rest) = self.passes(source, options)?.last().and_then(|pass| pass.rest) else {
            return self.run_networks(picture, color, options, progress, |engine, source, pass, report| {
                engine.upscale_as(source, color, pass.enlargement, report)
            });
        };
        let mut result = empty(color, rest.size.0, rest.size.1)?;
        let (mut top, mut texels) = (0, Vec::new());
        let mut take = |band: DynamicImage| {
            let [width, height] = [band.width(), band.height()].map(|side| side as usize);
            texels.clear();
            band.read(0..width, 0..height, &mut texels);
            for (y, row) in texels.chunks_exact(width).enumerate() {
                result.write(0, top + y, row);
            }
            top += height;
            Ok(())
        };
        self.run_in_bands(picture, color, options, &mut take, progress)?;
        Ok(result)
    }

    /// Runs all passes, and hands the result to `take` in bands.
    fn run_in_bands(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        options: &EnlargeOptions,
        take: &mut dyn FnMut(DynamicImage) -> Result<()>,
        progress: Progress<'_>,
    ) -> Result<()> {
        self.run_networks(picture, color, options, progress, |engine, source, pass, report| {
            let Some(rest) = pass.rest else {
                return engine.upscale_bands(source, color, pass.enlargement, take, report);
            };
            let mut bands = Bands::new(rest, color, take)?;
            let mut push = |band: DynamicImage| bands.push(&band);
            engine.upscale_bands(source, floats(color), pass.enlargement, &mut push, report)
        })
    }

    /// Runs all passes; `last` runs the last one.
    fn run_networks<T>(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        options: &EnlargeOptions,
        progress: Progress<'_>,
        last: impl FnOnce(&mut Engine, &DynamicImage, &Pass, Progress<'_>) -> Result<T>,
    ) -> Result<T> {
        let source = (picture.width(), picture.height());
        let mut passes = self.passes(source, options)?;
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
        let mut between = None;
        for pass in &passes {
            let mut report = |done, tiles| part(before, pass, done, tiles);
            let source = between.as_ref().unwrap_or(picture);
            let engine = self.engine(pass.network)?;
            let enlarged = engine.upscale_as(source, floats(color), pass.enlargement, &mut report)?;
            let (timing, verified) = (engine.timing(), engine.verified());
            self.count(timing, verified);
            between = Some(enlarged);
            before += pass.work;
        }
        let mut report = |done, tiles| part(before, &final_pass, done, tiles);
        let source = between.as_ref().unwrap_or(picture);
        let engine = self.engine(final_pass.network)?;
        let result = last(engine, source, &final_pass, &mut report)?;
        let (timing, verified) = (engine.timing(), engine.verified());
        self.count(timing, verified);
        Ok(result)
    }

    fn count(&mut self, timing: Timing, verified: Option<Verified>) {
        self.timing = sum(self.timing, timing);
        self.verified.extend(verified);
    }
}

/// What lies between passes, and between the last one and the rest, for a result of this color type.
fn floats(color: ColorType) -> ColorType {
    if color.has_alpha() { ColorType::Rgba32F } else { ColorType::Rgb32F }
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
