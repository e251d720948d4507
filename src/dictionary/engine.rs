//! Enlarging pictures with a dictionary.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use image::{ColorType, DynamicImage};

use super::back_projection::{Low, back_project};
use super::code::Coder;
use super::gpu::block::Block;
use super::gpu::{BLOCK_PATCHES, BLOCK_SIDE, PatchKernels, Results};
use super::lattice::Axis;
use super::strips::Strips;
use super::{Dictionary, Method};
use crate::color::{rgb_to_ycbcr, ycbcr_to_rgb};
use crate::error::{Error, Result};
use crate::headless::bands::Bands;
use crate::headless::convert::{self, Sink, Source, Texel};
use crate::headless::{Gpu, Progress, Timing, stopped};
use crate::planes::Planes;
use crate::upscaler::Enlargement;

/// Enlarges pictures with one dictionary, on one device and all processor cores.
///
/// Luminance is refined by the dictionary's method; chrominance and alpha are bicubic. The picture may be enlarged by any
/// factor: patches lie on the enlarged picture as far apart as at the dictionary's scale.
#[derive(Debug)]
pub struct DictionaryUpscaler {
    gpu: Gpu,
    dictionary: Dictionary,
    kernels: PatchKernels,
    coder: Coder,
    /// Rows of patches that are computed at a time.
    rows: usize,
    timing: Timing,
    stop: Arc<AtomicBool>,
}

/// What a device makes of patches.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PatchValues {
    /// Column and row of each patch's first pixel.
    pub starts: Vec<[usize; 2]>,
    /// `[patch][feature]`.
    pub features: Vec<f32>,
    /// `[patch][neighbor]`, nearest first; empty if the method looks none up.
    pub nearest: Vec<u32>,
    /// `[patch][pixel]` with ANR, else empty.
    pub residuals: Vec<f32>,
}

/// Called with rows of the result and their luminance.
type Take<'a> = &'a mut dyn FnMut(Range<usize>, &[f64]) -> Result<()>;

impl DictionaryUpscaler {
    /// Compiles the kernels and uploads the dictionary.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a dictionary that cannot be used, [`Error::MissingCapability`] when it is larger than
    /// what the device binds, and what the device reports.
    pub fn new(gpu: Gpu, dictionary: &Dictionary) -> Result<Self> {
        let kernels = PatchKernels::new(gpu.compiler(), &gpu.queue, dictionary)?;
        gpu.faults.check()?;
        let (dictionary, coder) = (dictionary.clone(), Coder::new(dictionary));
        let (timing, stop) = (Timing::default(), Arc::default());
        Ok(Self { gpu, dictionary, kernels, coder, rows: BLOCK_SIDE, timing, stop })
    }

    /// The same with a wish to stop, as [`Headless::with_stop`](crate::headless::Headless::with_stop) has it: after a band of
    /// rows.
    #[must_use]
    pub fn with_stop(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop, ..self }
    }

    /// Computes so many rows of patches at a time, or as many as memory is bounded to, which is what it does by itself. The
    /// result does not depend on it.
    #[must_use]
    pub fn with_rows(self, rows: usize) -> Self {
        Self { rows: rows.clamp(1, BLOCK_SIDE), ..self }
    }

    /// The dictionary in use.
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// Times of the last picture. The GPU's is the time that its blocks took from upload to readback.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// Enlarges a picture into a color type. Samples are rounded once, at the end, and floats not at all.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for sizes out of range, [`Error::Picture`] when the result does not fit in memory, and what
    /// the device reports.
    pub fn upscale_as(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        enlargement: impl Into<Enlargement>,
        progress: Progress<'_>,
    ) -> Result<DynamicImage> {
        let enlargement = enlargement.into();
        let (width, height) = enlargement.size(picture.size())?;
        convert::check_color(picture.color())?;
        let mut result = convert::empty(color, width, height)?;
        self.run_color(picture, enlargement, &mut result, progress)?;
        Ok(result)
    }

    /// Enlarges a picture like [`DictionaryUpscaler::upscale_as`] and hands the result to `take` in bands of rows, from top
    /// to bottom, so that the whole result never has to fit in memory. With back-projection its luminance has to.
    ///
    /// # Errors
    /// Those of [`DictionaryUpscaler::upscale_as`] and those of `take`, which stop the work.
    pub fn upscale_bands(
        &mut self,
        picture: &DynamicImage,
        color: ColorType,
        enlargement: impl Into<Enlargement>,
        take: &mut dyn FnMut(DynamicImage) -> Result<()>,
        progress: Progress<'_>,
    ) -> Result<()> {
        let enlargement = enlargement.into();
        let (width, _) = enlargement.size(picture.size())?;
        convert::check_color(picture.color())?;
        let mut bands = Bands::new(color, width, take);
        self.run_color(picture, enlargement, &mut bands, progress)?;
        bands.finish()
    }

    /// Enlarges a plane of luminance, without rounding or clamping.
    ///
    /// # Errors
    /// As [`DictionaryUpscaler::upscale_as`]; [`Error::InvalidArgument`] for more planes than one.
    pub fn upscale_planes(&mut self, planes: &Planes, enlargement: impl Into<Enlargement>) -> Result<Planes> {
        self.upscale_planes_with(planes, enlargement, &mut |_, _| ())
    }

    /// As [`DictionaryUpscaler::upscale_planes`], and tells of its progress.
    ///
    /// # Errors
    /// As there.
    pub fn upscale_planes_with(
        &mut self,
        planes: &Planes,
        enlargement: impl Into<Enlargement>,
        progress: Progress<'_>,
    ) -> Result<Planes> {
        if planes.channels != 1 {
            return Err(Error::invalid(format!(
                "{} planes, but dictionaries are for luminance alone",
                planes.channels
            )));
        }
        let start = Instant::now();
        let enlargement = enlargement.into();
        let (width, height) = enlargement.size(planes.size())?;
        let [columns, rows] = enlargement.tables(planes.size())?;
        let plane: Vec<f64> = planes.data.iter().map(|&v| f64::from(v)).collect();
        let low = Low { plane: &plane, columns: &columns, rows: &rows };
        let mut result = Vec::with_capacity(width as usize * height as usize);
        self.timing = Timing::default();
        self.luminance(&low, progress, &mut |_, luminance| {
            result.extend(luminance.iter().map(|&v| v as f32));
            Ok(())
        })?;
        self.timing.wall = start.elapsed();
        Planes::new(width as usize, height as usize, 1, result)
    }

    /// What the device makes of the patches of a bicubic picture of one block, for comparisons with the twins: one row of
    /// patches after the other, the last ones where they end with the picture.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a picture with too many patches for one block, and what the device reports.
    pub fn patches(&self, bicubic: &Planes) -> Result<PatchValues> {
        let (step, patch) = (self.dictionary.step(), self.dictionary.patch());
        let axes = [bicubic.width, bicubic.height].map(|length| Axis { length, step, patch });
        let [columns, rows] = axes.map(|axis| axis.count());
        let (block, _) = Block::new(axes, self.dictionary.scale(), 0..columns, 0..rows);
        let Results { features, nearest, residuals } = self.kernels.run(&block, &bicubic.data, true)?;
        let features: Vec<f32> = bytemuck::pod_collect_to_vec(&features);
        let own = features
            .chunks_exact(self.kernels.stride())
            .flat_map(|patch| &patch[..self.dictionary.features()]);
        Ok(PatchValues {
            starts: (0..columns * rows)
                .map(|i| [axes[0].start(i % columns), axes[1].start(i / columns)])
                .collect(),
            features: own.copied().collect(),
            nearest: bytemuck::pod_collect_to_vec(&nearest),
            residuals: bytemuck::pod_collect_to_vec(&residuals),
        })
    }

    fn run_color(
        &mut self,
        picture: &DynamicImage,
        enlargement: Enlargement,
        sink: &mut impl Sink,
        progress: Progress<'_>,
    ) -> Result<()> {
        let start = Instant::now();
        self.timing = Timing::default();
        let (width, height) = picture.size();
        let [columns, rows] = enlargement.tables((width, height))?;
        let mut texels = Vec::new();
        picture.read(0..width as usize, 0..height as usize, &mut texels);
        // Luminance, chrominance, alpha.
        let mut planes: [Vec<f64>; 4] = std::array::from_fn(|_| Vec::with_capacity(texels.len()));
        for [red, green, blue, alpha] in texels.drain(..) {
            let [y, cb, cr] = rgb_to_ycbcr([red, green, blue].map(f64::from));
            planes.iter_mut().zip([y, cb, cr, alpha.into()]).for_each(|(plane, value)| plane.push(value));
        }
        let low = planes.each_ref().map(|plane| Low { plane, columns: &columns, rows: &rows });
        let [luminance, rest @ ..] = &low;
        let width = columns.output_len;
        self.luminance(luminance, progress, &mut |rows, y| {
            let [cb, cr, alpha] = rest.each_ref().map(|low| low.bicubic(rows.clone()));
            sink.begin(0, rows.clone())?;
            for (index, row) in rows.enumerate() {
                let texel = |i: usize| -> Texel {
                    let [red, green, blue] = ycbcr_to_rgb([y[i], cb[i], cr[i]]);
                    [red, green, blue, alpha[i]].map(|v| v as f32)
                };
                let texels: Vec<Texel> = (index * width..(index + 1) * width).map(texel).collect();
                sink.write(0, row, &texels);
            }
            Ok(())
        })?;
        self.timing.wall = start.elapsed();
        Ok(())
    }

    /// Refines a plane and hands it on from top to bottom.
    fn luminance(&mut self, low: &Low<'_>, progress: Progress<'_>, take: Take<'_>) -> Result<()> {
        let Method::Sc { back_projection: rounds @ 1.., .. } = *self.dictionary.method() else {
            return self.refine(low, progress, take);
        };
        let mut whole = Vec::with_capacity(low.columns.output_len * low.rows.output_len);
        self.refine(low, progress, &mut |_, rows| {
            whole.extend_from_slice(rows);
            Ok(())
        })?;
        back_project(low, &mut whole, rounds)?;
        take(0..low.rows.output_len, &whole)
    }

    /// The bicubic picture and the average of the patches' residuals, in strips of rows.
    fn refine(&mut self, low: &Low<'_>, progress: Progress<'_>, take: Take<'_>) -> Result<()> {
        let (step, patch) = (self.dictionary.step(), self.dictionary.patch());
        let axes = [low.columns.output_len, low.rows.output_len].map(|length| Axis { length, step, patch });
        let [columns, rows] = axes.map(|axis| axis.count());
        let at_a_time = (BLOCK_PATCHES / columns.min(BLOCK_SIDE)).clamp(1, self.rows);
        let mut strips = Strips::new(axes);
        let bands = rows.div_ceil(at_a_time) as u64;
        for (done, start) in (0..rows).step_by(at_a_time).enumerate() {
            progress(done as u64, bands);
            stopped(&self.stop)?;
            let patches = start..(start + at_a_time).min(rows);
            let (_, [_, read]) = Block::new(axes, self.dictionary.scale(), 0..1, patches.clone());
            let bicubic = low.bicubic(read.clone());
            let residuals = self.residuals(axes, patches.clone(), &bicubic)?;
            let complete = strips.complete(&patches);
            let averages = strips.add(patches, &residuals);
            let offset = (complete.start - read.start) * axes[0].length;
            let luminance: Vec<f64> = bicubic[offset..]
                .iter()
                .zip(&averages)
                .map(|(bicubic, residual)| bicubic + f64::from(*residual))
                .collect();
            if !luminance.iter().all(|v| v.is_finite()) {
                return Err(Error::WrongResult("the result holds values that are not finite numbers".into()));
            }
            take(complete, &luminance)?;
        }
        progress(bands, bands);
        self.gpu.faults.check()
    }

    /// The residuals `[patch][pixel]` of rows of patches; `bicubic` has the rows of the picture that they read.
    fn residuals(&mut self, axes: [Axis; 2], rows: Range<usize>, bicubic: &[f64]) -> Result<Vec<f32>> {
        let (width, pixels) = (axes[0].length, self.dictionary.patch().pow(2));
        let columns = axes[0].count();
        let mut residuals = vec![0.0; columns * rows.len() * pixels];
        for first in (0..columns).step_by(BLOCK_SIDE) {
            let part = first..(first + BLOCK_SIDE).min(columns);
            let (block, [read, _]) = Block::new(axes, self.dictionary.scale(), part.clone(), rows.clone());
            let texels: Vec<f32> = bicubic
                .chunks_exact(width)
                .flat_map(|row| row[read.clone()].iter().map(|&v| v as f32))
                .collect();
            let start = Instant::now();
            let Results { features, nearest, residuals: computed } =
                self.kernels.run(&block, &texels, false)?;
            self.timing.gpu += start.elapsed();
            let start = Instant::now();
            let found: Vec<f32> = match self.dictionary.method() {
                Method::Anr { .. } => bytemuck::pod_collect_to_vec(&computed),
                _ => {
                    let features: Vec<f32> = bytemuck::pod_collect_to_vec(&features);
                    let nearest: Vec<u32> = bytemuck::pod_collect_to_vec(&nearest);
                    self.coder.residuals(&features, self.kernels.stride(), &nearest)
                }
            };
            for (row, values) in found.chunks_exact(part.len() * pixels).enumerate() {
                let at = (row * columns + first) * pixels;
                residuals[at..at + values.len()].copy_from_slice(values);
            }
            self.timing.readback += start.elapsed();
        }
        Ok(residuals)
    }
}
