//! Chooses the shape of the kernels for an adapter and a network by measuring: what is fastest differs from one GPU to
//! the next. Nothing here runs by itself; without it there are defaults.
//!
//! A host that enlarges much asks once for each network, with a folder of its own or the program's:
//!
//! ```no_run
//! # fn main() -> srcnn_gpu::Result<()> {
//! use srcnn_gpu::{Precision, Shipped};
//! use srcnn_gpu::headless::{self, AdapterSelection, Headless, HeadlessOptions, autotune, cache_folder};
//! let gpu = headless::open(&AdapterSelection::default())?;
//! let weights = Shipped::Small.nearest(3.0)?;
//! let mut options = HeadlessOptions::default();
//! if let Some(folder) = cache_folder() {
//!     let begin = || println!("trying kernels");
//!     let tuned = autotune::search_once(&gpu, &weights, Precision::F32, &folder, begin)?;
//!     options.conv_shape = tuned.map(|tuned| tuned.best);
//! }
//! let headless = Headless::new(gpu, &weights, options)?;
//! # Ok(()) }
//! ```
//!
//! For an [`Upscaler`](crate::Upscaler) the shape goes to
//! [`UpscalerOptions::conv_shape`](crate::UpscalerOptions::conv_shape), and a [`Gpu`] is made of the host's device,
//! queue, `device.adapter_info()`, and default faults and pipelines. The search submits work and waits for it.
//!
//! Each shape adds up the same products in an order of its own, so results may differ in their last bits. With any
//! shape they are the same however a picture is cut into tiles.

mod climb;
mod store;

use std::time::Duration;

use climb::{Axes, Bench, Ready, climb};
use serde::{Deserialize, Serialize};
pub use store::{search_once, store, stored};

use super::measure::{Clock, Run, Twin};
use super::{Gpu, HeadlessOptions, Pipelines};
use crate::error::Result;
use crate::gpu::adapter::{AdapterKind, is_software};
use crate::gpu::kernels::{ConvShape, Registers, Shader, WeightLoad};
use crate::network::Architecture;
use crate::precision::Precision;
use crate::upscaler::{KernelChoice, pass_shaders};
use crate::weights::Weights;

/// A candidate and how it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The candidate.
    pub shape: ConvShape,
    /// Milliseconds for the network on a plane of the size that the search took; `None` when there is no time.
    pub ms: Option<f64>,
    /// Why there is no time: the result is wrong, or the device refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a search found, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    /// Adapter, driver, version of the kernels, network and precision that it holds for.
    pub key: String,
    /// The fastest shape.
    pub best: ConvShape,
    /// What was measured, the default first.
    pub measured: Vec<Measured>,
}

impl Tuned {
    fn default_of(gpu: &Gpu, precision: Precision, key: String) -> Self {
        let best = default_shape(gpu, precision);
        Self { key, best, measured: vec![Measured { shape: best, ms: None, reason: None }] }
    }
}

/// Whether a search, of a few seconds at most, is a small part of the work ahead: `pixels` of results by a network. Where
/// it is not, a later run with more to do searches, or `srcnn-gpu bench --tune`.
///
/// For 9-1-5 these are 250 megapixels on software adapters, a gigapixel on integrated GPUs, and twelve on others.
pub fn pays(gpu: &Gpu, architecture: &Architecture, pixels: u64) -> bool {
    // A few percent of the time that such work takes.
    let multiply_adds = match gpu.info.device_type {
        wgpu::DeviceType::Cpu => 2e12,
        wgpu::DeviceType::DiscreteGpu => 1e14,
        _ => 1e13,
    };
    pixels as f64 * architecture.multiply_adds() as f64 >= multiply_adds
}

/// Measures candidates for a network in a precision, and returns the fastest: a candidate counts only if its result for a
/// small picture is the CPU twin's and for a large one the default's, but for rounding. The default wins unless it is
/// slower by three percent. Takes two or three seconds at most on a GPU, five on a software adapter that nothing else
/// keeps busy.
///
/// # Errors
/// When not even the default runs.
pub fn search(gpu: &Gpu, weights: &Weights, precision: Precision) -> Result<Tuned> {
    // Candidates are compiled once and for all.
    let gpu = &Gpu { pipelines: Pipelines::default(), ..gpu.clone() };
    let software = is_software(&gpu.info);
    let budget = Duration::from_secs(2);
    let multiply_adds = weights.architecture().multiply_adds() as f64;
    let work = match (software, precision) {
        // Software adapters convert for each product.
        (true, Precision::F16) => 5e7,
        (true, Precision::F32) => 4e8,
        (false, _) => 4e9,
    };
    let side = (work / multiply_adds).sqrt().clamp(64.0, 1024.0) as u32;
    let clock = Clock::for_gpu(gpu);
    let elapsed = clock.start();
    let twin = Twin::new(weights)?;
    let mut candidates = Candidates { gpu, weights, precision, twin, clock, side, sized: false };
    let (best, measured) =
        climb(default_shape(gpu, precision), &axes(gpu, precision), precision, &mut candidates, || {
            elapsed() < budget
        })?;
    Ok(Tuned { key: store::network_key(gpu, weights.architecture(), precision), best, measured })
}

/// The shape that is taken without a search. In half precision there are no fused kernels.
pub fn default_shape(gpu: &Gpu, precision: Precision) -> ConvShape {
    let shape = ConvShape::for_device(&gpu.device);
    match precision {
        Precision::F32 => shape,
        Precision::F16 => ConvShape { fused: None, ..shape },
    }
}

/// The lanes of the device's subgroups, where all are alike and kernels can make use of them.
fn lanes(gpu: &Gpu) -> Option<u32> {
    AdapterKind::of(&gpu.device).subgroup_lanes.filter(|lanes| (4..=64).contains(lanes))
}

/// Whether a device can run a shape at all.
fn is_possible(gpu: &Gpu, shape: ConvShape) -> bool {
    let limits = gpu.device.limits();
    let [x, y] = shape.workgroup;
    let fits = x <= limits.max_compute_workgroup_size_x
        && y <= limits.max_compute_workgroup_size_y
        && x * y <= limits.max_compute_invocations_per_workgroup;
    fits && match shape.fused {
        Some(WeightLoad::Subgroup(asked)) => lanes(gpu) == Some(asked) && (x * y).is_multiple_of(asked),
        _ => true,
    }
}

/// The values worth a try, those of the default among them.
fn axes(gpu: &Gpu, precision: Precision) -> Axes {
    let default = default_shape(gpu, precision);
    let software = is_software(&gpu.info);
    let mut ways = vec![None];
    if precision == Precision::F32 {
        ways.push(Some(WeightLoad::Uniform));
        ways.extend(lanes(gpu).map(|lanes| Some(WeightLoad::Subgroup(lanes))));
    }
    if software {
        // Lanes are neighbors in a column. In single precision the register tiles are known, so the way is all there is to
        // choose.
        let (spatial, pointwise) = match precision {
            Precision::F32 => (vec![default.spatial], vec![default.pointwise]),
            Precision::F16 => (Registers::ALL.into(), Registers::ALL.into()),
        };
        return Axes { ways, workgroups: vec![default.workgroup], spatial, pointwise };
    }
    let workgroups = [[4, 16], [8, 8], [32, 2], [8, 16], [32, 8]].into_iter();
    Axes {
        ways,
        workgroups: workgroups
            .filter(|&workgroup| is_possible(gpu, ConvShape { workgroup, ..default }))
            .collect(),
        spatial: Registers::ALL.into(),
        pointwise: Registers::ALL.into(),
    }
}

/// The candidates on a device.
struct Candidates<'a> {
    gpu: &'a Gpu,
    weights: &'a Weights,
    precision: Precision,
    twin: Twin,
    clock: Clock,
    /// Side of the plane that is measured on.
    side: u32,
    sized: bool,
}

impl<'a> Bench<'a> for Candidates<'a> {
    type Kernels = Vec<Shader>;

    fn kernels(&self, shape: ConvShape) -> Result<Vec<Shader>> {
        pass_shaders(&self.gpu.device, self.weights, Twin::PADDING, self.precision, shape)
    }

    fn open(&mut self, shape: ConvShape) -> Result<Ready<'a>> {
        /// Shorter runs are lost in what is around them.
        const ENOUGH: Duration = Duration::from_millis(2);
        let (padding, conv_shape) = (Some(Twin::PADDING), Some(shape));
        // Shapes alone are compared.
        let winograd = KernelChoice::Never;
        let precision = self.precision;
        let options = HeadlessOptions::default()
            .with_padding(padding)
            .with_conv_shape(conv_shape)
            .with_precision(precision)
            .with_winograd(winograd);
        let mut run = Run::new(self.gpu, self.weights, options)?;
        self.twin.check(&mut run)?;
        run.prepare((self.side, self.side), 1.0)?;
        run.compute()?;
        if !self.sized {
            self.sized = true;
            if run.time(self.clock, None)? < ENOUGH {
                self.side *= 2;
                run.prepare((self.side, self.side), 1.0)?;
                run.compute()?;
            }
        }
        let (result, clock) = (run.result()?, self.clock);
        Ok(Ready { result, time: Box::new(move || run.time(clock, None)) })
    }
}
