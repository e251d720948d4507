//! Frames in, larger frames out: several are under way at a time, so that the GPU has always something to do.

use std::collections::VecDeque;
use std::sync::mpsc;
use std::time::Duration;

use super::format::{Format, Mapping};
use super::plane::{Kernels, Packed, Place, Plane, Recipe};
use super::y4m::{Frame, Header};
use crate::error::{Error, Result};
use crate::gpu::scoped;
use crate::headless::{Gpu, HeadlessOptions, TURNS, turned};
use crate::network::{Channels, Padding};
use crate::resample::ResampleTable;
use crate::upscaler::{Enlargement, SourceKind, Upscaler, UpscalerOptions, When};
use crate::weights::Weights;

/// A part of a frame is bounded work: one that takes longer than this does not end.
const TIMEOUT: Duration = Duration::from_secs(300);

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
    readbacks: Vec<wgpu::Buffer>,
    under_way: VecDeque<UnderWay>,
    mapped: Vec<f32>,
}

#[derive(Debug)]
struct UnderWay {
    parameters: String,
    /// Whether the frame's luma is more than one flat grey.
    varied: bool,
    parts: Vec<wgpu::SubmissionIndex>,
    readback: wgpu::Buffer,
    answer: mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
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
        let buffer = |size, usage| {
            scoped(&gpu.device, || {
                gpu.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("srcnn.video"),
                    size,
                    usage,
                    mapped_at_creation: false,
                })
            })
        };
        let device_usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
        let packed = Packed {
            samples: buffer(bytes, device_usage)?,
            fault: buffer(4, device_usage)?,
            sums: buffer(sums, Usage::STORAGE)?,
        };
        let turns = if options.tta { TURNS } else { 1 };
        let readbacks = (0..Self::DEPTH).map(|_| buffer(bytes + 4, Usage::MAP_READ | Usage::COPY_DST));
        let values = |plane| {
            let Mapping { factor, offset } = Mapping::new(format, input.range, plane);
            (0..=format.largest()).map(|v| (f64::from(v) * factor + offset) as f32).collect()
        };
        Ok(Self {
            weights: weights.clone(),
            options,
            enlargement,
            kernels: Kernels::new(gpu.compiler(), format.sample_bytes(), turns)?,
            packed,
            places,
            whole: None,
            fields: None,
            values: [values(0), values(1)],
            readbacks: readbacks.collect::<Result<_>>()?,
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
        let Some(readback) = self.readbacks.pop() else {
            return Err(Error::invalid("all frames are under way: call finish first"));
        };
        let format = self.input.format;
        // Planes of a single row have no second field.
        let rows = |header: &Header, plane| format.plane_size(plane, header.size())[1];
        let two =
            (0..format.planes()).all(|plane| rows(&self.input, plane) > 1 && rows(&self.output, plane) > 1);
        let interlaced = two && frame.is_interlaced(self.input.interlacing);
        let ready = if interlaced { self.fields.take() } else { self.whole.take() };
        let planes = match ready {
            Some(planes) => planes,
            None if interlaced => {
                [self.planes(Some(0))?, self.planes(Some(1))?].into_iter().flatten().collect()
            }
            None => self.planes(None)?,
        };
        let parts = self.record(frame, &planes, interlaced, &readback);
        *(if interlaced { &mut self.fields } else { &mut self.whole }) = Some(planes);
        let parts = parts?;
        let (sender, answer) = mpsc::channel();
        scoped(&self.gpu.device, || {
            // The receiver is gone only when the frame was given up.
            readback.slice(..).map_async(wgpu::MapMode::Read, move |result| drop(sender.send(result)));
        })?;
        let luma: usize = format.plane_size(0, self.input.size()).iter().product();
        let varied = is_varied(&format, &frame.data[..luma * format.sample_bytes()]);
        let parameters = frame.parameters.clone();
        self.under_way.push_back(UnderWay { parameters, varied, parts, readback, answer });
        Ok(())
    }

    /// Uploads the samples of all planes, and submits their parts, the last one with the copy to `readback`.
    fn record(
        &mut self,
        frame: &Frame,
        planes: &[Plane],
        interlaced: bool,
        readback: &wgpu::Buffer,
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
            for (index, plane) in planes.iter().enumerate() {
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
                    if index + 1 == planes.len() && part + 1 == plane.parts().end {
                        let bytes = packed.samples.size();
                        encoder.copy_buffer_to_buffer(&packed.samples, 0, readback, 0, bytes);
                        encoder.copy_buffer_to_buffer(&packed.fault, 0, readback, bytes, 4);
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
    /// [`Error::Gpu`] for results that are no numbers or one flat colour where the source is not, and what the device
    /// reports.
    pub fn finish(&mut self, result: &mut Frame) -> Result<bool> {
        let Some(UnderWay { parameters, varied, parts, readback, answer }) = self.under_way.pop_front()
        else {
            return Ok(false);
        };
        let device = &self.gpu.device;
        for part in parts {
            let wait = wgpu::PollType::Wait { submission_index: Some(part), timeout: Some(TIMEOUT) };
            device.poll(wait).map_err(|e| Error::Gpu(format!("waiting for a frame: {e}")))?;
        }
        let answer = answer.recv_timeout(TIMEOUT);
        self.gpu.faults.check()?;
        let Ok(Ok(())) = answer else {
            return Err(Error::Gpu("the device was lost while it computed a frame".into()));
        };
        let bytes =
            readback.get_mapped_range(..).map_err(|e| Error::Gpu(format!("reading a frame back: {e}")))?;
        let (samples, fault) = bytes.split_at(self.packed.samples.size() as usize);
        let finite = fault.iter().all(|&byte| byte == 0);
        let format = self.input.format;
        result.parameters = parameters;
        result.data.clear();
        for (plane, place) in self.places.iter().enumerate() {
            let [columns, rows] = format.plane_size(plane, self.output.size());
            let row_bytes = columns * format.sample_bytes();
            for row in samples[4 * place.first..].chunks(4 * place.stride).take(rows) {
                result.data.extend_from_slice(&row[..row_bytes]);
            }
        }
        drop(bytes);
        readback.unmap();
        self.readbacks.push(readback);
        let luma: usize = format.plane_size(0, self.output.size()).iter().product();
        let flat = || is_flat(&result.data[..luma * format.sample_bytes()], format.sample_bytes());
        let advice = "`srcnn-gpu devices` tests the adapters";
        if !finite {
            Err(Error::Gpu(format!("the result holds values that are not finite numbers; {advice}")))
        } else if varied && flat() {
            Err(Error::Gpu(format!("the result is one flat grey, the source is not; {advice}")))
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
            let defaults = UpscalerOptions::for_device(device);
            // Many frames are worth compiling for, whatever their size.
            let software = device.adapter_info().device_type == wgpu::DeviceType::Cpu;
            let winograd = if software { When::Always } else { When::Auto };
            let options = UpscalerOptions {
                padding: self.options.padding,
                tile: self.options.tile,
                target_format: wgpu::TextureFormat::R32Float,
                source: SourceKind::Planes,
                conv_shape: self.options.conv_shape.unwrap_or(defaults.conv_shape),
                precision: self.options.precision,
                winograd,
                pipeline_cache: self.gpu.pipelines.cache().cloned(),
            };
            let turns = if self.options.tta { turned(&self.weights)? } else { Vec::new() };
            recipe.network(Upscaler::new(device, queue, &self.weights, options)?, turns)
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
