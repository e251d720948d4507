//! Other weights for the same kernels, and memory that is given back.

use super::Upscaler;
use crate::error::{Error, Result};
use crate::weights::Weights;

impl Upscaler {
    /// Replaces the weights with others of the same architecture, for everything submitted from now on.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for another architecture, other channels or another padding, and what the device reports.
    pub fn set_weights(&mut self, weights: &Weights) -> Result<()> {
        self.check_exchange(weights)?;
        self.network.set_weights(&self.device, &self.queue, weights)?;
        self.weights = weights.clone();
        Ok(())
    }

    /// Another upscaler with other weights of the same architecture, or the same ones: nothing is compiled, both share the
    /// kernels. It has nothing prepared yet.
    ///
    /// So a host changes the network or the factor without a frame that takes longer: it makes the next upscaler on another
    /// thread, calls [`Upscaler::prepare`] there too, and draws with the old one until the next one is handed over.
    ///
    /// ```no_run
    /// # fn next(upscaler: &srcnn_gpu::Upscaler, weights: &srcnn_gpu::Weights) -> srcnn_gpu::Result<()> {
    /// let mut next = upscaler.with_weights(weights)?;
    /// let ready = std::thread::spawn(move || next.prepare((640, 360), 4.0).map(|_| next));
    /// // Frames go by; then, when `ready.is_finished()`:
    /// let upscaler = ready.join().expect("the thread does not panic")?;
    /// # drop(upscaler);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Upscaler::set_weights`].
    pub fn with_weights(&self, weights: &Weights) -> Result<Self> {
        self.check_exchange(weights)?;
        Ok(Self {
            device: self.device.clone(),
            queue: self.queue.clone(),
            network: self.network.with_weights(&self.device, &self.queue, weights)?,
            weights: weights.clone(),
            options: self.options.clone(),
            tile_limit: self.tile_limit,
            prepared: None,
        })
    }

    /// Makes sure that the kernels that are compiled are those of other weights too.
    fn check_exchange(&self, weights: &Weights) -> Result<()> {
        let refuse = |new: &dyn std::fmt::Display, old: &dyn std::fmt::Display| {
            Err(Error::invalid(format!("weights of {new}, but the upscaler was made for {old}")))
        };
        let (own, channels) = (&self.network.outline.architecture, self.weights.metadata.channels);
        let (padding, other) = (self.network.padding_of(weights), weights.metadata.channels);
        if weights.architecture() != own {
            return refuse(weights.architecture(), own);
        }
        if other != channels {
            return refuse(&format!("channels {other}"), &channels);
        }
        if padding != self.padding() {
            return refuse(&format!("padding {padding}"), &self.padding());
        }
        Ok(())
    }

    /// Gives back the textures, buffers and tables of the prepared size; compiled kernels and weights stay, so that the next
    /// [`Upscaler::prepare`] takes only what depends on the size. The device frees them when it has finished what was
    /// submitted.
    pub fn release(&mut self) {
        self.prepared = None;
    }

    /// Bytes of textures and buffers on the device: the weights and, if there is one, the prepared size. What the driver adds
    /// is not known.
    pub fn device_bytes(&self) -> u64 {
        let prepared = self.prepared.as_ref().map_or(0, |ready| ready.textures.bytes + ready.tables.bytes());
        self.network.bytes() + prepared
    }
}
