//! A network, its gradients and its optimizer on the device.

use std::time::{Duration, Instant};

use super::buffers::{Buffers, SLOTS};
use super::convolution::Convolution;
use super::first_layers::FirstLayers;
use super::layer_place::{Direction, LayerPlace};
use super::loss::loss;
use super::maps::{BatchLayout, Maps};
use super::options::TrainerOptions;
use super::pictures::{Gather, Pictures, no_pictures};
use super::shaders;
use super::slot::Slot;
use super::stages::Stages;
use super::update::{sum, update};
use super::weight_gradient::weight_gradient;
use super::{Shape, WHAT, parts};
use crate::error::{Error, Result};
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::kernels::Shader;
use crate::gpu::memory::spaced;
use crate::gpu::readback::Readback;
use crate::network::{Architecture, LayerShape, Padding};
use crate::train::State;
use crate::train::order::Sample;
use crate::train::shard::PackedShard;

/// Target time per submission, well below what operating systems take for a hung device.
const SUBMIT: Duration = Duration::from_millis(250);

/// Trains one network. [`Trainer::new`] and [`Trainer::set_pictures`] create everything that a step needs.
#[derive(Debug)]
pub struct Trainer {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) options: TrainerOptions,
    pub(super) shapes: Vec<LayerShape>,
    pub(super) step: u64,
    /// Number of steps in the next submission.
    per_submit: usize,
    pub(super) buffers: Buffers,
    /// Input, then the output of each layer.
    pub(super) maps: Vec<Maps>,
    /// Gradients with respect to each layer's output.
    pub(super) gradients: Vec<Maps>,
    pub(super) solution: Maps,
    gathers: [Gather; 2],
    pub(super) pictures: Option<Pictures>,
    /// The dispatches of a step, from the gathered batch to the packed filters.
    pub(super) dispatches: Vec<Dispatch>,
    pub(super) stages: Stages,
    pub(super) packs: Vec<Dispatch>,
}

impl Trainer {
    /// Puts a network on a device and compiles everything.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a state that is inconsistent or does not fit the optimizer, a padding that
    /// training does not support, or sub-images that are too small for the network or too many for the device's
    /// textures; [`Error::MissingCapability`] for layers beyond the device's limits; what the device reports, out of
    /// memory above all.
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        state: &State,
        options: &TrainerOptions,
    ) -> Result<Self> {
        let shapes: Vec<LayerShape> = state.layers.iter().map(|layer| layer.shape).collect();
        check(&shapes, options)?;
        let compiler = Compiler { device, cache: options.pipeline_cache.as_ref() };
        let shape = options.shape.unwrap_or_else(|| Shape::for_device(device));
        let (places, parameters) = LayerPlace::of(&shapes, options.padding);
        let longest = device.limits().max_texture_dimension_2d;
        let batch = options.batch;

        // Sizes of the input and of each layer's output, with a border where the next layer sees zeros.
        let mut side = options.patch;
        let layout =
            |channels, side, border| BatchLayout::new(batch, [channels, side, side], border, longest);
        let mut maps =
            vec![Maps::new(device, "srcnn.train.input", layout(shapes[0].inputs, side, places[0].padding)?)?];
        let mut gradients = Vec::new();
        for (l, place) in places.iter().enumerate() {
            let LayerShape { size, filters, .. } = place.shape;
            side = (side + 2 * place.padding + 1).checked_sub(size).filter(|&side| side > 0).ok_or_else(
                || {
                    Error::invalid(format!(
                        "sub-images of {} pixels are too small for the network",
                        options.patch
                    ))
                },
            )?;
            let border = places.get(l + 1).map_or(0, |next| next.padding);
            maps.push(Maps::new(
                device,
                &format!("srcnn.train.conv{}", l + 1),
                layout(filters, side, border)?,
            )?);
            // The input's gradient is a full convolution over the output's. The first layer's input needs none.
            let border = if l == 0 { 0 } else { size - 1 - place.padding };
            gradients.push(Maps::new(
                device,
                &format!("srcnn.train.grad_conv{}", l + 1),
                layout(filters, side, border)?,
            )?);
        }
        let last = places.len() - 1;
        let prediction = &maps[last + 1];
        let solution = Maps::new(device, "srcnn.train.target", layout(prediction.layout.channels, side, 0)?)?;
        let parts = parts(batch, &shape);
        let buffers = Buffers::new(device, options, parameters, side, parts)?;
        let gathers = [
            Gather::new(compiler, options.patch, &maps[0].layout, shape.workgroup)?,
            Gather::new(compiler, options.patch, &solution.layout, shape.workgroup)?,
        ];

        let pack =
            Kernel::new(compiler, &shaders::pack(), &[Binding::Uniform, Binding::Read, Binding::Write])?;
        let convolution = |place, direction, maps| {
            Convolution::new(compiler, &pack, &buffers.parameters, place, direction, maps, &shape)
        };
        let (mut dispatches, mut packs) = (Vec::new(), Vec::new());
        let first_layers = FirstLayers::new(compiler, &pack, &buffers.parameters, &places, &maps, &shape)?;
        let fused = if let Some(first_layers) = first_layers {
            dispatches.push(first_layers.dispatch);
            packs.extend(first_layers.packs);
            2
        } else {
            0
        };
        for (l, place) in places.iter().enumerate().skip(fused) {
            let direction = Direction::Forward { relu: l < last };
            let forward = convolution(place, direction, [&maps[l], &maps[l], &maps[l + 1]])?;
            dispatches.extend(forward.dispatches);
            packs.extend(forward.packs);
        }
        let normalized = places[last].normalized;
        dispatches.extend(loss(
            compiler,
            prediction,
            &solution,
            &gradients[last],
            normalized,
            &buffers,
            &shape,
        )?);
        let mut stages = Stages::default();
        for (l, place) in places.iter().enumerate().rev() {
            let of = [&maps[l], &gradients[l]];
            dispatches.push(weight_gradient(compiler, place, parameters, of, &buffers.parts, &shape)?);
            stages.partial.push((dispatches.len(), place.parameters()));
            if l > 0 {
                let maps = [&gradients[l], &maps[l], &gradients[l - 1]];
                let direction = Direction::GradInput { normalized: places[l - 1].normalized };
                let backward = convolution(place, direction, maps)?;
                dispatches.extend(backward.dispatches);
                packs.extend(backward.packs);
            }
        }
        dispatches.push(sum(compiler, &buffers, parameters, parts, 0..parameters)?);
        stages.update = dispatches.len();
        dispatches.extend(update(compiler, &buffers, &places, options)?);
        dispatches.extend(packs.iter().cloned());

        let rates: Vec<f32> = places
            .iter()
            .zip(options.optimizer.learning_rates())
            .flat_map(|(p, &rate)| std::iter::repeat_n(rate as f32, p.shape.weights() + p.shape.filters))
            .collect();
        queue.write_buffer(&buffers.rates, 0, bytemuck::cast_slice(&rates));
        let mut trainer = Self {
            device: device.clone(),
            queue: queue.clone(),
            options: options.clone(),
            shapes,
            step: 0,
            per_submit: 1,
            buffers,
            maps,
            gradients,
            solution,
            gathers,
            pictures: None,
            dispatches,
            stages,
            packs,
        };
        trainer.restore(state)?;
        Ok(trainer)
    }

    /// Uploads the pictures of a shard, replacing the previous ones.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a shard with a picture or sub-image out of range, and what the device reports.
    pub fn set_pictures(&mut self, shard: &PackedShard) -> Result<()> {
        // Free the previous pictures first, to make room.
        self.pictures = None;
        self.pictures = Some(Pictures::new(
            &self.device,
            shard,
            self.options.patch,
            &self.gathers,
            &self.buffers.slots,
            &self.buffers.samples,
            [&self.maps[0], &self.solution],
        )?);
        Ok(())
    }

    /// Runs one step on a batch of sub-images; `factor` multiplies the learning rates. Returns the loss of equation 4
    /// before the update.
    ///
    /// # Errors
    /// As [`Trainer::steps`].
    pub fn step(&mut self, batch: &[Sample], factor: f32) -> Result<f32> {
        Ok(self.steps(batch, &[factor])?.into_iter().sum())
    }

    /// Runs one step per factor, with the batches one after another in `samples`, and returns the losses. How steps
    /// are grouped into calls does not change a single bit.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] before [`Trainer::set_pictures`], for samples out of range, or if their number is
    /// not a batch per step; what the device reports. A loss that is not finite is not an error.
    pub fn steps(&mut self, samples: &[Sample], factors: &[f32]) -> Result<Vec<f32>> {
        let batch = self.options.batch;
        let Some(pictures) = &self.pictures else { return Err(no_pictures()) };
        pictures.check(samples, factors.len(), batch)?;
        let mut losses = Vec::with_capacity(factors.len());
        let mut in_flight: Option<(Readback, usize, Instant)> = None;
        let (mut submitted, mut turn) = (0, 0);
        let mut finished = Instant::now();
        // While one submission is computed, the next is recorded: the device never waits for the losses to be read.
        loop {
            let count = self.per_submit.min(factors.len() - submitted);
            let next = (count > 0).then(|| {
                let end = submitted + count;
                let samples = &samples[submitted * batch..end * batch];
                self.submit(samples, &factors[submitted..end], pictures, turn)
            });
            if let Some((before, count, begun)) = in_flight.take() {
                let read = |bytes: &[u8]| Ok(bytemuck::pod_collect_to_vec::<u8, f32>(bytes));
                losses.extend(before.finish(&self.device, read)?.into_iter().take(count));
                let took = finished.max(begun).elapsed();
                finished = Instant::now();
                let fitting = SUBMIT.as_secs_f64() / took.as_secs_f64().max(1e-6) * count as f64;
                self.per_submit = (fitting as usize).clamp(1, SLOTS.min(2 * self.per_submit));
            }
            let Some(next) = next else { break };
            in_flight = Some((next?, count, Instant::now()));
            self.step += count as u64;
            submitted += count;
            turn = 1 - turn;
        }
        Ok(losses)
    }

    /// Hands the device what the next steps differ in: their samples, rates and corrections.
    pub(super) fn write_slots(&self, samples: &[Sample], factors: &[f32]) {
        let samples: Vec<[u32; 2]> = samples.iter().map(|sample| [sample.patch, sample.turn]).collect();
        let slots = spaced(
            factors
                .iter()
                .enumerate()
                .map(|(i, &factor)| Slot::new(&self.options, i, self.step + i as u64, factor)),
        );
        self.queue.write_buffer(&self.buffers.samples, 0, bytemuck::cast_slice(&samples));
        self.queue.write_buffer(&self.buffers.slots, 0, &slots);
    }

    /// Records and submits steps; `turn` chooses the staging buffer for their losses.
    fn submit(
        &self,
        samples: &[Sample],
        factors: &[f32],
        pictures: &Pictures,
        turn: usize,
    ) -> Result<Readback> {
        self.write_slots(samples, factors);
        let Buffers { losses, losses_staging, .. } = &self.buffers;
        let staging = &losses_staging[turn];
        Readback::submit(&self.device, &self.queue, WHAT, staging, staging.size(), |encoder| {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for index in 0..factors.len() {
                for dispatch in pictures.gathers.iter().chain(&self.dispatches) {
                    dispatch.record(&mut pass, index);
                }
            }
            drop(pass);
            encoder.copy_buffer_to_buffer(losses, 0, staging, 0, staging.size());
        })
    }

    /// The time of each kernel of a step, by `clock` and in its unit, in execution order; each runs `times` times by
    /// itself. This ruins the parameters: [`Trainer::restore`] them afterwards.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] without pictures, and what the device reports.
    pub fn profile(&self, times: u32, clock: &dyn Fn() -> f64) -> Result<Vec<(&'static str, f64)>> {
        let Some(pictures) = &self.pictures else { return Err(no_pictures()) };
        let dispatches = pictures.gathers.iter().chain(&self.dispatches);
        let time = |dispatch: &Dispatch| {
            let begun = clock();
            let staging = &self.buffers.losses_staging[0];
            let readback =
                Readback::submit(&self.device, &self.queue, WHAT, staging, staging.size(), |encoder| {
                    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                    (0..times).for_each(|_| dispatch.record(&mut pass, 0));
                })?;
            readback.finish(&self.device, |_| Ok(()))?;
            Ok((dispatch.kernel.shader.name, (clock() - begun) / f64::from(times.max(1))))
        };
        dispatches.map(time).collect()
    }

    /// The kernels of a step, as compiled for this network and device.
    pub fn shaders(&self) -> impl Iterator<Item = &Shader> {
        let gathers = self.gathers.iter().map(|gather| &*gather.kernel.shader);
        gathers.chain(self.dispatches.iter().map(|dispatch| &*dispatch.kernel.shader))
    }

    /// Number of steps done, including those before the initial state.
    pub fn steps_done(&self) -> u64 {
        self.step
    }
}

fn check(shapes: &[LayerShape], options: &TrainerOptions) -> Result<()> {
    let sizes: Vec<_> = shapes.iter().map(|s| s.size).collect();
    let filters: Vec<_> = shapes.iter().map(|s| s.filters).collect();
    let inputs = shapes.first().map_or(0, |s| s.inputs);
    let architecture = Architecture::new(&sizes, &filters[..filters.len().saturating_sub(1)], inputs)?;
    if architecture.layers() != shapes {
        return Err(Error::invalid("the layers do not fit together"));
    }
    if options.batch == 0 {
        return Err(Error::invalid("a batch of 0 sub-images: use 1 or more"));
    }
    if options.optimizer.learning_rates().len() != shapes.len() {
        return Err(Error::invalid(format!("{} layers need as many learning rates", shapes.len())));
    }
    match options.padding {
        Padding::Valid | Padding::Zero | Padding::Normalized => Ok(()),
        other => Err(Error::invalid(format!(
            "padding '{other}': training supports 'valid', 'zero' and 'normalized'"
        ))),
    }
}
