//! Frames in, larger frames out, with several in flight so that the GPU always has work.

use std::collections::VecDeque;

use super::format::{Format, Mapping};
use super::plane::{Kernels, PackedFrame, PackedRows, Plane, PlaneBuilder};
use super::y4m::{Frame, Header};
use crate::error::{Error, Result};
use crate::gpu::adapter::AdapterKind;
use crate::gpu::memory::{buffer, staging};
use crate::gpu::readback::Readback;
use crate::gpu::scoped;
use crate::headless::{Gpu, HeadlessOptions, SYMMETRIES, transformed};
use crate::network::{Channels, Padding};
use crate::resample::{ResampleTable, output_len};
use crate::upscaler::{Enlargement, KernelChoice, SourceKind, Upscaler};
use crate::weights::Weights;

/// Logarithms of ratios closer than this count as equal.
const SAME: f64 = 1e-9;

/// Enlarges the frames of one stream on a device, in order. The network enlarges luma by a scale that it was trained for, and
/// bicubic interpolation does the rest, and chroma.
///
/// [`submit`](VideoUpscaler::submit) up to [`VideoUpscaler::DEPTH`] frames, then [`finish`](VideoUpscaler::finish) one
/// for each further frame: the GPU computes one frame while the next is uploaded and the previous one unpacked. All
/// calls must come from one thread.
#[derive(Debug)]
pub struct VideoUpscaler {
    gpu: Gpu,
    weights: Weights,
    options: HeadlessOptions,
    /// How much larger columns and rows become.
    factors: [f64; 2],
    /// By how much the network enlarges, where bicubic interpolation does the rest.
    step: Option<f64>,
    input: Header,
    output: Header,
    kernels: Kernels,
    packed: PackedFrame,
    /// Where each plane's rows go in `packed`.
    packed_rows: Vec<PackedRows>,
    /// The planes of progressive frames, and those of frames with two fields; created for the first such frame.
    whole: Option<Vec<Plane>>,
    fields: Option<Vec<Plane>>,
    /// Lookup tables from sample value to network value, for luma and chroma.
    values: [Vec<f32>; 2],
    stagings: Vec<wgpu::Buffer>,
    in_flight: VecDeque<InFlight>,
    mapped: Vec<f32>,
}

#[derive(Debug)]
struct InFlight {
    parameters: String,
    /// Whether the frame's luma has enough contrast that its result cannot be flat.
    varied: bool,
    readback: Readback,
    staging: wgpu::Buffer,
}

impl VideoUpscaler {
    /// Maximum number of frames in flight.
    pub const DEPTH: usize = 2;

    /// Prepares for the frames of a stream.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for networks that do not work on luminance, padding `valid` (it would crop the
    /// frames), `verify` (pictures only), and sizes out of range; what the device reports.
    pub fn new(
        gpu: Gpu,
        weights: &Weights,
        options: HeadlessOptions,
        input: &Header,
        enlargement: impl Into<Enlargement>,
    ) -> Result<Self> {
        if weights.metadata.channels != Channels::Y {
            return Err(Error::invalid(format!(
                "video needs a luminance network, but this one works on {}",
                weights.metadata.channels
            )));
        }
        if options.padding.unwrap_or(weights.metadata.padding) == Padding::Valid {
            return Err(Error::invalid("padding 'valid' crops frames; choose another padding for video"));
        }
        if options.verify {
            return Err(Error::invalid("verify works on pictures, not on video"));
        }
        let enlargement = enlargement.into();
        let output = input.resized(enlargement.size(input.size())?);
        let factors = enlargement.factors(input.size());
        let step = match factors {
            [1.0, 1.0] => None,
            [x, y] => weights.metadata.step((x * y).sqrt()),
        };
        // Nothing is left at a trained scale.
        let step = step.filter(|step| factors.iter().any(|factor| (factor / step).ln().abs() > SAME));
        let format = &input.format;
        let mut words = 0;
        let packed_rows = (0..format.planes()).map(|plane| {
            let [columns, rows] = format.plane_size(plane, output.size());
            let stride = (columns * format.sample_bytes()).div_ceil(4);
            let first = words;
            words += stride * rows;
            PackedRows { first, stride }
        });
        let packed_rows = packed_rows.collect();
        let bytes = 4 * words as u64;
        let limits = gpu.device.limits();
        let (width, height) = output.size();
        let sums = if options.tta { 4 * u64::from(width) * u64::from(height) } else { 4 };
        let largest = bytes.max(sums);
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size - 4);
        if largest > most {
            return Err(Error::invalid(format!(
                "frames of {largest} bytes, but this adapter takes at most {most}"
            )));
        }
        use wgpu::BufferUsages as Usage;
        let (device, label) = (&gpu.device, "srcnn.video");
        let device_usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let packed = PackedFrame {
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
            factors,
            step,
            kernels: Kernels::new(gpu.compiler(), format.sample_bytes(), symmetries, step.is_some())?,
            packed,
            packed_rows,
            whole: None,
            fields: None,
            values: [values(0), values(1)],
            stagings,
            in_flight: VecDeque::new(),
            mapped: Vec::new(),
            input: input.clone(),
            output,
            gpu,
        })
    }

    /// The parameters of the result stream: the source's, with the new size.
    pub fn header(&self) -> &Header {
        &self.output
    }

    /// Number of frames submitted but not finished.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Uploads a frame and queues its work.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a frame of the wrong size, or when [`VideoUpscaler::DEPTH`] frames are in
    /// flight; what the device reports.
    pub fn submit(&mut self, frame: &Frame) -> Result<()> {
        if frame.data.len() != self.input.frame_bytes() {
            let (is, wanted) = (frame.data.len(), self.input.frame_bytes());
            return Err(Error::invalid(format!("a frame of {is} bytes where {wanted} are needed")));
        }
        let Some(staging) = self.stagings.pop() else {
            return Err(Error::invalid("all staging buffers are in flight: call finish first"));
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
        self.in_flight.push_back(InFlight { parameters, varied, readback, staging });
        Ok(())
    }

    /// Uploads the samples of all planes and submits their parts; the last submission copies the result to `staging`.
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
                // All planes of one field, then all of the other.
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

    /// Waits for the oldest frame in flight and returns its result in `result`; `false` if there is none.
    ///
    /// # Errors
    /// [`Error::WrongResult`] for results that are not finite, or that are flat where the source is not, and what the device
    /// reports.
    pub fn finish(&mut self, result: &mut Frame) -> Result<bool> {
        let Some(InFlight { parameters, varied, mut readback, staging }) = self.in_flight.pop_front() else {
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
            for (plane, rows_in_frame) in self.packed_rows.iter().enumerate() {
                let [columns, rows] = format.plane_size(plane, self.output.size());
                let row_bytes = columns * format.sample_bytes();
                for row in samples[4 * rows_in_frame.first..].chunks(4 * rows_in_frame.stride).take(rows) {
                    result.data.extend_from_slice(&row[..row_bytes]);
                }
            }
            Ok(fault.iter().all(|&byte| byte == 0))
        })?;
        self.stagings.push(staging);
        let luma: usize = format.plane_size(0, self.output.size()).iter().product();
        let flat = || is_flat(&result.data[..luma * format.sample_bytes()], format.sample_bytes());
        if !finite {
            Err(Error::WrongResult("the result contains values that are not finite".into()))
        } else if varied && flat() {
            Err(Error::WrongResult("the result is one flat grey, but the source is not".into()))
        } else {
            Ok(true)
        }
    }

    /// The planes of whole frames, or of one field.
    fn planes(&self, field: Option<usize>) -> Result<Vec<Plane>> {
        let Gpu { device, queue, .. } = &self.gpu;
        let format = self.input.format;
        let plane = |plane: usize| {
            let from = format.plane_size(plane, self.input.size());
            let to = format.plane_size(plane, self.output.size());
            let factors = self.factors;
            let sites = format.sites(plane, field);
            // A field has every second row, starting at its parity.
            let rows = |rows: usize| field.map_or(rows, |parity| (rows + 1 - parity) / 2);
            let rows_in_frame = self.packed_rows[plane];
            let [from, to] = [from, to].map(|[columns, lines]| [columns, rows(lines)]);
            let tables = |from: [usize; 2], to: [usize; 2], factors: [f64; 2]| -> Result<_> {
                let table = |axis: usize| {
                    ResampleTable::bicubic_sited(from[axis], to[axis], factors[axis], sites[axis])
                };
                Ok([table(0)?, table(1)?])
            };
            let (tables, rest) = match self.step.filter(|_| plane == 0) {
                Some(step) => {
                    let enlarged = from.map(|length| output_len(length, step));
                    let rest = tables(enlarged, to, factors.map(|factor| factor / step))?;
                    (tables(from, enlarged, [step; 2])?, Some(rest))
                }
                None => (tables(from, to, factors)?, None),
            };
            let builder = PlaneBuilder {
                device,
                kernels: &self.kernels,
                packed: &self.packed,
                tables,
                rest,
                mapping: Mapping::new(&format, self.input.range, plane).inverse(),
                largest: format.largest(),
                sample_bytes: format.sample_bytes(),
                packed_rows: field.map_or(rows_in_frame, |parity| PackedRows {
                    first: rows_in_frame.first + parity * rows_in_frame.stride,
                    stride: 2 * rows_in_frame.stride,
                }),
            };
            if plane > 0 {
                return builder.bicubic();
            }
            // A stream has enough frames to be worth the compile time, whatever their size.
            let favored = AdapterKind::of(device).favors_winograd();
            let winograd = if favored { KernelChoice::Always } else { KernelChoice::Auto };
            let options = self.options.with_winograd(winograd);
            let options = options.upscaler(&self.gpu, SourceKind::Planes, wgpu::TextureFormat::R32Float);
            let symmetries = if self.options.tta { transformed(&self.weights)? } else { Vec::new() };
            builder.network(Upscaler::new(device, queue, &self.weights, options)?, symmetries)
        };
        (0..format.planes()).map(plane).collect()
    }
}

/// Appends a row's samples as network values. Samples above the bit depth's largest value are clamped to it.
fn map_row(row: &[u8], table: &[f32], sample_bytes: usize, values: &mut Vec<f32>) {
    let largest = table.len() - 1;
    if sample_bytes == 1 {
        values.extend(row.iter().map(|&v| table[usize::from(v)]));
    } else {
        let samples = row.chunks_exact(2).map(|v| usize::from(u16::from_le_bytes([v[0], v[1]])));
        values.extend(samples.map(|v| table[v.min(largest)]));
    }
}

/// Whether samples span a sixteenth of their range or more, which no working network flattens.
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
