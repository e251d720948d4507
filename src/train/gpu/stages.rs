//! Steps whose gradients leave the device before the update, to be summed with those of other devices: layer by layer, so
//! that the device computes one layer's gradient while the last one's is under way.

use std::ops::Range;

use super::buffers::SLOTS;
use super::pictures::no_pictures;
use super::update::sum;
use super::{Shape, Trainer, WHAT, parts};
use crate::error::Result;
use crate::gpu::compile::Compiler;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::memory::staging;
use crate::gpu::readback::Readback;
use crate::gpu::scoped;
use crate::train::order::Sample;

/// Where a step's dispatches can be cut.
#[derive(Debug, Default)]
pub(super) struct Stages {
    /// For each layer, the last one first: the number of dispatches after which its partial gradients are complete, and its
    /// parameters.
    pub partial: Vec<(usize, Range<usize>)>,
    /// Index of the first dispatch of the update.
    pub update: usize,
    /// For each layer, as in `partial`: what sums its partial gradients, and the buffer that they are read from. Made when
    /// they are first needed.
    sums: Vec<(Dispatch, wgpu::Buffer)>,
}

impl Trainer {
    /// As [`Trainer::steps`], but the gradients are handed to `exchange` before each update, which makes them what the update
    /// goes by: their mean over several trainers, for one. It gets the layers from the last to the first, weights before
    /// biases; behind the first layer's gradients comes the step's loss. While it works, the device computes the next layer's
    /// gradients.
    ///
    /// # Errors
    /// As [`Trainer::steps`], and those of `exchange`: the parameters are then those before the step.
    pub fn steps_exchanged(
        &mut self,
        samples: &[Sample],
        factors: &[f32],
        exchange: &mut (dyn FnMut(&mut [f32]) -> Result<()> + '_),
    ) -> Result<Vec<f32>> {
        let batch = self.options.batch;
        self.pictures.as_ref().ok_or_else(no_pictures)?.check(samples, factors.len(), batch)?;
        if self.stages.sums.is_empty() {
            self.stages.sums = self.layer_sums()?;
        }
        let mut losses = Vec::with_capacity(factors.len());
        for (samples, factors) in samples.chunks(SLOTS * batch).zip(factors.chunks(SLOTS)) {
            self.write_slots(samples, factors);
            for index in 0..factors.len() {
                losses.extend(self.exchanged_step(index, exchange)?);
                self.step += 1;
            }
        }
        Ok(losses)
    }

    /// What sums each layer's partial gradients, and a buffer to read them from, which has room for the loss too.
    fn layer_sums(&self) -> Result<Vec<(Dispatch, wgpu::Buffer)>> {
        let Self { device, options, buffers, .. } = self;
        let compiler = Compiler { device, cache: options.pipeline_cache.as_ref() };
        let parts = parts(options.batch, &options.shape.unwrap_or_else(|| Shape::for_device(device)));
        let parameters = (buffers.gradients.size() / 4) as usize;
        let layer = |(_, range): &(usize, Range<usize>)| {
            let bytes = (range.len() as u64 + 1) * 4;
            let staging = scoped(device, || staging(device, "srcnn.train.layer_gradients", bytes))?;
            Ok((sum(compiler, buffers, parameters, parts, range.clone())?, staging))
        };
        self.stages.partial.iter().map(layer).collect()
    }

    /// The step at `index` of those that were written; its loss.
    fn exchanged_step(
        &self,
        index: usize,
        exchange: &mut (dyn FnMut(&mut [f32]) -> Result<()> + '_),
    ) -> Result<Option<f32>> {
        let Self { device, queue, buffers, stages, .. } = self;
        let mut begin = 0;
        let mut readbacks = Vec::with_capacity(stages.sums.len());
        for (layer, ((end, range), (sum, staging))) in stages.partial.iter().zip(&stages.sums).enumerate() {
            let gathers = self.pictures.iter().flat_map(|pictures| &pictures.gathers).filter(|_| layer == 0);
            let dispatches = gathers.chain(&self.dispatches[begin..*end]).chain([sum]);
            let (start, bytes) = (range.start as u64 * 4, range.len() as u64 * 4);
            readbacks.push(Readback::submit(device, queue, WHAT, staging, bytes + 4, |encoder| {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                dispatches.for_each(|dispatch| dispatch.record(&mut pass, index));
                drop(pass);
                encoder.copy_buffer_to_buffer(&buffers.gradients, start, staging, 0, bytes);
                encoder.copy_buffer_to_buffer(&buffers.losses, index as u64 * 4, staging, bytes, 4);
            })?);
            begin = *end;
        }
        let mut loss = None;
        for (readback, (_, range)) in readbacks.into_iter().zip(&stages.partial) {
            let mut values: Vec<f32> =
                readback.finish(device, |bytes| Ok(bytemuck::pod_collect_to_vec(bytes)))?;
            let is_last = range.start == 0;
            if !is_last {
                values.truncate(range.len());
            }
            exchange(&mut values)?;
            if is_last {
                loss = values.pop();
            }
            queue.write_buffer(&buffers.gradients, range.start as u64 * 4, bytemuck::cast_slice(&values));
        }
        scoped(device, || {
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            self.dispatches[stages.update..].iter().for_each(|dispatch| dispatch.record(&mut pass, index));
            drop(pass);
            queue.submit([encoder.finish()]);
        })?;
        Ok(loss)
    }
}
