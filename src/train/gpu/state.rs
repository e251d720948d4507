//! What goes into a [`Trainer`] and comes out of it besides steps: states, gradients, maps.

use super::Trainer;
use super::WHAT;
use super::maps::Maps;
use crate::error::{Error, Result};
use crate::gpu::memory::staging;
use crate::gpu::readback::Readback;
use crate::gpu::scoped;
use crate::network::LayerShape;
use crate::train::State;
use crate::weights::Layer;

impl Trainer {
    /// A copy of everything that the next step depends on: parameters, moments, running mean, step.
    ///
    /// # Errors
    /// What the device reports.
    pub fn state(&self) -> Result<State> {
        let moments = self.read(&self.buffers.moments)?;
        let count = moments.len() / self.options.optimizer.slots();
        Ok(State {
            step: self.step,
            layers: self.layers(&self.read(&self.buffers.parameters)?),
            slots: moments.chunks_exact(count).map(|slot| self.layers(slot)).collect(),
            average: match &self.buffers.averages {
                Some(buffer) => Some(self.layers(&self.read(buffer)?)),
                None => None,
            },
        })
    }

    /// Continues from a state: the steps that follow are, bit for bit, the ones that would have followed it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a state of another network or optimizer, and what the device reports.
    pub fn restore(&mut self, state: &State) -> Result<()> {
        let all = std::iter::once(&state.layers).chain(&state.slots).chain(&state.average);
        let fit = |layers: &Vec<Layer>| {
            layers.len() == self.shapes.len()
                && layers.iter().zip(&self.shapes).all(|(layer, shape)| {
                    layer.shape == *shape
                        && layer.weight.len() == shape.weights()
                        && layer.bias.len() == shape.filters
                })
        };
        let averages = &self.buffers.averages;
        if !all.clone().all(fit)
            || state.slots.len() != self.options.optimizer.slots()
            || state.average.is_some() != averages.is_some()
        {
            return Err(Error::invalid(
                "a training state of another network or another optimizer, or only one of both has a running mean",
            ));
        }
        let flat = |layers: &Vec<Layer>| -> Vec<f32> {
            layers.iter().flat_map(|l| l.weight.iter().chain(&l.bias).copied()).collect()
        };
        let write = |buffer: &wgpu::Buffer, values: &[f32]| {
            self.queue.write_buffer(buffer, 0, bytemuck::cast_slice(values));
        };
        write(&self.buffers.parameters, &flat(&state.layers));
        write(&self.buffers.moments, &state.slots.iter().flat_map(flat).collect::<Vec<_>>());
        averages.iter().zip(&state.average).for_each(|(buffer, mean)| write(buffer, &flat(mean)));
        self.step = state.step;
        scoped(&self.device, || {
            let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            self.packs.iter().for_each(|pack| pack.record(&mut pass, 0));
            drop(pass);
            self.queue.submit([encoder.finish()]);
        })
    }

    /// Gradients of the loss in the last step, in the shapes of the parameters.
    ///
    /// # Errors
    /// What the device reports.
    pub fn gradients(&self) -> Result<Vec<Layer>> {
        Ok(self.layers(&self.read(&self.buffers.gradients)?))
    }

    /// Maps of the last step, as `[sub-image][channel][row][column]`: the input for layer 0, else the output of that
    /// layer, counted from 1.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a layer that does not exist, and what the device reports.
    pub fn maps(&self, layer: usize) -> Result<Vec<f32>> {
        self.read_maps(self.maps.get(layer))
    }

    /// Gradients of the loss in the last step with respect to a layer's output (before its ReLU), counted from 1; 0
    /// gives the targets. With padding `normalized`, with respect to its sums before the valid-pixel map.
    ///
    /// # Errors
    /// As [`Trainer::maps`].
    pub fn map_gradients(&self, layer: usize) -> Result<Vec<f32>> {
        self.read_maps(layer.checked_sub(1).map_or(Some(&self.solution), |index| self.gradients.get(index)))
    }

    fn read_maps(&self, maps: Option<&Maps>) -> Result<Vec<f32>> {
        let maps = maps.ok_or_else(|| Error::invalid("the network has no such layer"))?;
        maps.read(&self.device, &self.queue)
    }

    fn read(&self, buffer: &wgpu::Buffer) -> Result<Vec<f32>> {
        let (device, size) = (&self.device, buffer.size());
        let staging = scoped(device, || staging(device, "srcnn.train.state", size))?;
        let readback = Readback::submit(device, &self.queue, WHAT, &staging, size, |encoder| {
            encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, size);
        })?;
        readback.finish(device, |bytes| Ok(bytemuck::pod_collect_to_vec(bytes)))
    }

    /// Splits values in parameter order into layers.
    fn layers(&self, mut values: &[f32]) -> Vec<Layer> {
        let mut take = |count: usize| {
            let (taken, rest) = values.split_at(count);
            values = rest;
            taken.to_vec()
        };
        let layer = |&shape: &LayerShape| {
            let weight = take(shape.weights());
            Layer { shape, weight, bias: take(shape.filters) }
        };
        self.shapes.iter().map(layer).collect()
    }
}
