//! Frames in, larger frames out: several are under way at a time, so that the GPU has always something to do.

use std::collections::VecDeque;

use super::format::{Format, Mapping};
use super::plane::{Kernels, Packed, Place, Plane, Recipe};
use super::y4m::{Frame, Header};
use crate::error::{Error, Result};
use crate::gpu::adapter::is_software;
use crate::gpu::memory::{buffer, staging};
use crate::gpu::readback::Readback;
use crate::gpu::scoped;
use crate::headless::{Gpu, HeadlessOptions, SYMMETRIES, transformed};
use crate::network::{Channels, Padding};
use crate::resample::ResampleTable;
use crate::upscaler::{Enlargement, KernelChoice, SourceKind, Upscaler};
use crate::weights::Weights;

/// Enlarges the frames of one stream on a device, in order.
///
/// [`submit`](VideoUpscaler::submit) up to [`VideoUpscaler::DEPTH`] frames, then
/// [`finish`](VideoUpscaler::finish) one for each that follows: the GPU computes one while the next is uploaded and the
/// last one unpacked. All calls have to come from one thread.
#[derive(Debug)]
pub struct VideoUpscaler {
    gpu: Gpu,
    weights: Weights,
    options: HeadlessOptions,
    enlargement: Enlargement,
    input: Header,
    output: Header,
    kernels: Kernels,
    packed: Packed,
    /// Where the planes' rows lie in `packed`.
    places: Vec<Place>,
    /// Whole frames, and frames of two fields; made when the first one comes.
    whole: Option<Vec<Plane>>,
    fields: Option<Vec<Plane>>,
    /// By sample value, for luma and chroma.
    values: [Vec<f32>; 2],
    stagings: Vec<wgpu::Buffer>,
    under_way: VecDeque<UnderWay>,
    mapped: Vec<f32>,
}

#[derive(Debug)]
struct UnderWay {
    parameters: String,
    /// Whether the frame's luma is more than one flat grey.
    varied: bool,
    readback: Readback,
    staging: wgpu::Buffer,
}

impl VideoUpscaler {
    /// Frames that are under way at the most.
    pub const DEPTH: usize = 2;

    /// For the frames of a stream.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for networks that are not for luminance, padding `valid` (it would cut the frames),
    /// `verify`, which is for pictures, and sizes out of range; what the device reports.
    pub fn new(
        gpu: Gpu,
        weights: &Weights,
        options: HeadlessOptions,
        input: &Header,
        enlargement: impl Into<Enlargement>,
    ) -> Result<Self> {
        if weights.metadata.channels != Channels::Y {
            return Err(Error::invalid(format!(
                "video needs a network for luminance, this one is for {}",
                weights.metadata.channels
            )));
        }
        if options.padding.unwrap_or(weights.metadata.padding) == Padding::Valid {
            return Err(Error::invalid("padding 'valid' makes frames smaller; choose another for video"));
        }
        if options.verify {
            return Err(Error::invalid("--verify is for pictures, not for video"));
        }
        let enlargement = enlargement.into();
        let output = input.resized(enlargement.size(input.size())?);
        let format = &input.format;
        let mut words = 0;
        let places = (0..format.planes()).map(|plane| {
            let [columns, rows] = format.plane_size(plane, output.size());
            let stride = (columns * format.sample_bytes()).div_ceil(4);
            let first = words;
            words += stride * rows;
            Place { first, stride }
        });
        let places = places.collect();
        let bytes = 4 * words as u64;
        let limits = gpu.device.limits();
        let (width, height) = output.size();
        let sums = if options.tta { 4 * u64::from(width) * u64::from(height) } else { 4 };
        let largest = bytes.max(sums);
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size - 4);
        if largest > most {
            return Err(Error::invalid(format!(
                "frames of {largest} bytes: this adapter takes {most} at the most"
            )));
        }
        use wgpu::BufferUsages as Usage;
        let (device, label) = (&gpu.device, "srcnn.video");
        let device_usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let packed = Packed {
            samples: scoped(device, || buffer(device, label, bytes, device_usage))?,
            fault: scoped(device, || buffer(device, label, 4, device_usage))?,
            sums: scoped(device, || buffer(device, label, sums, Usage::STORAGE))?,
        };
        let symmetries = if options.tta { SYMMETRIES } else { 1 };
        let stagings = (0..Self::DEPTH).map(|_| scoped(device, || staging(device, label, bytes + 4)));
        let stagings = stagings.collect::<Result<_>>()?;
        let values = |plane| {
            let Mapping { factor, offset } = Mapping::new(format, input.range, plane);
            (0..=format.largest()).map(|v| (f64::from(v) * factor + offset) as f32).collect()
        };
        Ok(Self {
            weights: weights.clone(),
            options,
            enlargement,
            kernels: Kernels::new(gpu.compiler(), format.sample_bytes(), symmetries)?,
            packed,
            places,
            whole: None,
            fields: None,
            values: [values(0), values(1)],
            stagings,
            under_way: VecDeque::new(),
            mapped: Vec::new(),
            input: input.clone(),
            output,
            gpu,
        })
    }

    /// The parameters of the stream of results: the source's with another size.
    pub fn header(&self) -> &Header {
        &self.output
    }

    /// Frames that were submitted and not finished.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Uploads a frame and queues its work.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a frame of another size, or when [`VideoUpscaler::DEPTH`] frames are under way;
    /// what the device reports.
    pub fn submit(&mut self, frame: &Frame) -> Result<()> {
        if frame.data.len() != self.input.frame_bytes() {
            let (is, wanted) = (frame.data.len(), self.input.frame_bytes());
            return Err(Error::invalid(format!("a frame of {is} bytes, {wanted} are needed")));
        }
        let Some(staging) = self.stagings.pop() else {
            return Err(Error::invalid("all frames are under way: call finish first"));
        };
        let format = self.input.format;
        // Planes of a single row have no second field.
        let rows = |header: &Header, plane| format.plane_size(plane, header.size())[1];
        let two =
            (0..format.planes()).all(|plane| rows(&self.input, plane) > 1 && rows(&self.output, plane) > 1);
        let interlaced = two && frame.is_interlaced(self.input.interlacing);
        let ready = if interlaced { self.fields.take() } else { self.whole.take() };
        let mut planes = match ready {
            Some(planes) => planes,
            None if interlaced => {
                [self.planes(Some(0))?, self.planes(Some(1))?].into_iter().flatten().collect()
            }
            None => self.planes(None)?,
        };
        let submissions = self.record(frame, &mut planes, interlaced, &staging);
        *(if interlaced { &mut self.fields } else { &mut self.whole }) = Some(planes);
        let readback = Readback::new(&self.gpu.device, "a frame", submissions?, &staging, staging.size())?;
        let luma: usize = format.plane_size(0, self.input.size()).iter().product();
        let varied = is_varied(&format, &frame.data[..luma * format.sample_bytes()]);
        let parameters = frame.parameters.clone();
        self.under_way.push_back(UnderWay { parameters, varied, readback, staging });
        Ok(())
    }

    /// Uploads the samples of all planes, and submits their parts, the last one with the copy to `staging`.
    fn record(
        &mut self,
        frame: &Frame,
        planes: &mut [Plane],
        interlaced: bool,
        staging: &wgpu::Buffer,
    ) -> Result<Vec<wgpu::SubmissionIndex>> {
        let Self { gpu: Gpu { device, queue, .. }, packed, input, values, mapped, .. } = self;
        let format = input.format;
        let mut first = 0;
        let starts: Vec<usize> = (0..format.planes())
            .map(|plane| {
                let start = first;
                first +=
                    format.plane_size(plane, input.size()).iter().product::<usize>() * format.sample_bytes();
                start
            })
            .collect();
        let mut submissions = Vec::new();
        scoped(device, || {
            let last = planes.len() - 1;
            for (index, plane) in planes.iter_mut().enumerate() {
                // A field's planes, then the other's.
                let (component, parity) = (index % format.planes(), index / format.planes());
                let [columns, rows] = plane.input_size();
                let row_bytes = columns * format.sample_bytes();
                let step = if interlaced { 2 } else { 1 };
                let table = &values[component.min(1)];
                mapped.clear();
                for row in (0..rows).map(|row| row * step + parity) {
                    let start = starts[component] + row * row_bytes;
                    map_row(&frame.data[start..start + row_bytes], table, format.sample_bytes(), mapped);
                }
                plane.upload(queue, mapped);
                for part in plane.parts() {
                    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor {
                        label: Some("srcnn.video"),
                    });
                    if submissions.is_empty() {
                        encoder.clear_buffer(&packed.fault, 0, None);
                    }
                    plane.record(&mut encoder, part)?;
                    if index == last && part + 1 == plane.parts().end {
                        let bytes = packed.samples.size();
                        encoder.copy_buffer_to_buffer(&packed.samples, 0, staging, 0, bytes);
                        encoder.copy_buffer_to_buffer(&packed.fault, 0, staging, bytes, 4);
                    }
                    submissions.push(queue.submit([encoder.finish()]));
                }
            }
            Ok(submissions)
        })?
    }

    /// Waits for the oldest frame under way and takes its result; `false` when there is none.
    ///
    /// # Errors
    /// [`Error::Gpu`] for results that are no numbers or one flat color where the source is not, and what the device
    /// reports.
    pub fn finish(&mut self, result: &mut Frame) -> Result<bool> {
        let Some(UnderWay { parameters, varied, mut readback, staging }) = self.under_way.pop_front() else {
            return Ok(false);
        };
        let device = &self.gpu.device;
        readback.wait(device)?;
        self.gpu.faults.check()?;
        let format = self.input.format;
        result.parameters = parameters;
        result.data.clear();
        let finite = readback.finish(device, |bytes| {
            let (samples, fault) = bytes.split_at(self.packed.samples.size() as usize);
            for (plane, place) in self.places.iter().enumerate() {
                let [columns, rows] = format.plane_size(plane, self.output.size());
                let row_bytes = columns * format.sample_bytes();
                for row in samples[4 * place.first..].chunks(4 * place.stride).take(rows) {
                    result.data.extend_from_slice(&row[..row_bytes]);
                }
            }
            Ok(fault.iter().all(|&byte| byte == 0))
        })?;
        self.stagings.push(staging);
        let luma: usize = format.plane_size(0, self.output.size()).iter().product();
        let flat = || is_flat(&result.data[..luma * format.sample_bytes()], format.sample_bytes());
        let advice = "`srcnn-gpu devices` tests the adapters";
        if !finite {
            Err(Error::Gpu(format!("the result holds values that are not finite numbers; {advice}").into()))
        } else if varied && flat() {
            Err(Error::Gpu(format!("the result is one flat grey, the source is not; {advice}").into()))
        } else {
            Ok(true)
        }
    }

    /// The planes of whole frames, or of one of their fields.
    fn planes(&self, field: Option<usize>) -> Result<Vec<Plane>> {
        let Gpu { device, queue, .. } = &self.gpu;
        let format = self.input.format;
        let plane = |plane: usize| {
            let from = format.plane_size(plane, self.input.size());
            let to = format.plane_size(plane, self.output.size());
            let factors = match self.enlargement {
                Enlargement::Factor(factor) => [factor; 2],
                Enlargement::Size(width, height) => [
                    f64::from(width) / f64::from(self.input.width),
                    f64::from(height) / f64::from(self.input.height),
                ],
            };
            let sites = format.sites(plane, field);
            // Rows of a field: every second one, from the parity on.
            let rows = |rows: usize| field.map_or(rows, |parity| (rows + 1 - parity) / 2);
            let place = self.places[plane];
            let recipe = Recipe {
                device,
                kernels: &self.kernels,
                packed: &self.packed,
                tables: [
                    ResampleTable::bicubic_sited(from[0], to[0], factors[0], sites[0])?,
                    ResampleTable::bicubic_sited(rows(from[1]), rows(to[1]), factors[1], sites[1])?,
                ],
                mapping: Mapping::new(&format, self.input.range, plane).inverse(),
                largest: format.largest(),
                sample_bytes: format.sample_bytes(),
                place: field.map_or(place, |parity| Place {
                    first: place.first + parity * place.stride,
                    stride: 2 * place.stride,
                }),
            };
            if plane > 0 {
                return recipe.bicubic();
            }
            // Many frames are worth compiling for, whatever their size.
            let software = is_software(&self.gpu.info);
            let winograd = if software { KernelChoice::Always } else { KernelChoice::Auto };
            let options = self.options.with_winograd(winograd);
            let options = options.upscaler(&self.gpu, SourceKind::Planes, wgpu::TextureFormat::R32Float);
            let symmetries = if self.options.tta { transformed(&self.weights)? } else { Vec::new() };
            recipe.network(Upscaler::new(device, queue, &self.weights, options)?, symmetries)
        };
        (0..format.planes()).map(plane).collect()
    }
}

/// Appends a row's samples as what is computed with. What is above the depth's largest sample counts as that.
fn map_row(row: &[u8], table: &[f32], sample_bytes: usize, values: &mut Vec<f32>) {
    let largest = table.len() - 1;
    if sample_bytes == 1 {
        values.extend(row.iter().map(|&v| table[usize::from(v)]));
    } else {
        let samples = row.chunks_exact(2).map(|v| usize::from(u16::from_le_bytes([v[0], v[1]])));
        values.extend(samples.map(|v| table[v.min(largest)]));
    }
}

/// Whether samples differ by a sixteenth of their range or more: no network makes one grey of that.
fn is_varied(format: &Format, samples: &[u8]) -> bool {
    let step = format.sample_bytes();
    let sample = |bytes: &[u8]| bytes.iter().rev().fold(0, |sample, &byte| sample << 8 | u32::from(byte));
    let enough = format.largest() / 16;
    let first = samples.get(..step).map_or(0, sample);
    let (mut low, mut high) = (first, first);
    for bytes in samples.chunks_exact(step) {
        low = low.min(sample(bytes));
        high = high.max(sample(bytes));
        if high - low >= enough {
            return true;
        }
    }
    false
}

/// Whether all samples are the same.
fn is_flat(samples: &[u8], sample_bytes: usize) -> bool {
    samples.chunks_exact(sample_bytes).all(|sample| sample == &samples[..sample_bytes])
}
