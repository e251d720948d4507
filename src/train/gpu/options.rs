//! The settings of a [`Trainer`](super::Trainer).

use super::Shape;
use crate::network::Padding;
use crate::train::config::Optimizer;

/// Settings of a [`Trainer`](super::Trainer). Start from [`TrainerOptions::new`] and change what you need:
///
/// ```
/// use srcnn_gpu::Padding;
/// use srcnn_gpu::train::config::Optimizer;
/// use srcnn_gpu::train::gpu::TrainerOptions;
/// let optimizer = Optimizer::Sgd { momentum: 0.9, learning_rates: vec![1e-4, 1e-4, 1e-5] };
/// let options = TrainerOptions::new(128, 33, optimizer).with_padding(Padding::Zero);
/// assert_eq!(options.patch, 33);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrainerOptions {
    /// Sub-images per step: n of equation 4.
    pub batch: usize,
    /// Width and height of a sub-image in pixels.
    pub patch: usize,
    /// What layers see around a sub-image: nothing with [`Padding::Valid`], as in the paper. [`Padding::Zero`] and
    /// [`Padding::Normalized`] treat each sub-image as a picture with borders.
    pub padding: Padding,
    /// How gradients become updates.
    pub optimizer: Optimizer,
    /// Share of the running mean of the parameters that each step keeps, above 0 and below 1; 0 for no such mean. The mean is
    /// that of all parameters so far until it has seen enough of them: the step after n steps keeps (n + 2) / (n + 11) at most.
    pub average: f64,
    /// Register tiles and workgroups; `None` takes the device's default.
    pub shape: Option<Shape>,
    /// Cache in which compiled kernels are looked up and kept, from the same device. The host loads and stores it.
    pub pipeline_cache: Option<wgpu::PipelineCache>,
}

impl TrainerOptions {
    /// Steps of `batch` sub-images of `patch` x `patch` pixels, without padding, with the device's default shape.
    pub fn new(batch: usize, patch: usize, optimizer: Optimizer) -> Self {
        let padding = Padding::Valid;
        Self { batch, patch, padding, optimizer, average: 0.0, shape: None, pipeline_cache: None }
    }

    /// Sets [`TrainerOptions::padding`].
    #[must_use]
    pub fn with_padding(self, padding: Padding) -> Self {
        Self { padding, ..self }
    }

    /// Sets [`TrainerOptions::average`].
    #[must_use]
    pub fn with_average(self, average: f64) -> Self {
        Self { average, ..self }
    }

    /// The share of the new parameters in their running mean, in the step after `done` steps.
    pub(super) fn average_weight(&self, done: u64) -> f64 {
        let done = done as f64;
        1.0 - self.average.min((done + 2.0) / (done + 11.0))
    }

    /// Sets [`TrainerOptions::shape`].
    #[must_use]
    pub fn with_shape(self, shape: impl Into<Option<Shape>>) -> Self {
        Self { shape: shape.into(), ..self }
    }

    /// Sets [`TrainerOptions::pipeline_cache`].
    #[must_use]
    pub fn with_pipeline_cache(self, pipeline_cache: impl Into<Option<wgpu::PipelineCache>>) -> Self {
        Self { pipeline_cache: pipeline_cache.into(), ..self }
    }
}
