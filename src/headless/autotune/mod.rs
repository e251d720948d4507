//! Chooses the shape of the kernels for an adapter and a network by measuring, because the fastest shape differs from
//! one GPU to the next. Nothing here runs by itself; without it the defaults apply.
//!
//! A host with a lot of work calls it once per network, with a cache folder of its own or the program's:
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
//! For an [`Upscaler`](crate::Upscaler), pass the shape to
//! [`UpscalerOptions::conv_shape`](crate::UpscalerOptions::conv_shape); build the [`Gpu`] from the host's device,
//! queue and `device.adapter_info()`, with default faults and pipelines. The search submits work and waits for it.
//!
//! Each shape adds up the same products in a different order, so results may differ in their last bits. For a given
//! shape they do not depend on how a picture is cut into tiles.

pub(crate) mod coordinate_search;
mod store;

use std::time::Duration;

use coordinate_search::{Axis, Candidate, Runner, axis, coordinate_search};
use serde::{Deserialize, Serialize};
#[cfg(feature = "train")]
pub(crate) use store::{network_key, stored_under};
pub use store::{search_once, store, stored};

use super::measure::{Clock, CpuTwin, NetworkRun};
use super::{Gpu, HeadlessOptions, Pipelines};
use crate::error::Result;
use crate::gpu::adapter::{AdapterKind, is_software};
use crate::gpu::kernels::{ConvShape, Fusion, Registers, Shader, WeightLoad};
use crate::network::Architecture;
use crate::precision::Precision;
use crate::upscaler::{KernelChoice, pass_shaders};
use crate::weights::Weights;

/// A candidate and its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured<S = ConvShape> {
    /// The candidate.
    pub shape: S,
    /// Milliseconds for the network on a plane of the search's size, or for a training step; `None` if the candidate was
    /// rejected.
    pub ms: Option<f64>,
    /// Why it was rejected: the result is wrong, or the device refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a search found, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuned<S = ConvShape> {
    /// Adapter, driver, kernel version, network and precision that it is valid for.
    pub key: String,
    /// The fastest shape.
    pub best: S,
    /// What was measured, the default first.
    pub measured: Vec<Measured<S>>,
}

impl Tuned {
    fn default_of(gpu: &Gpu, precision: Precision, key: String) -> Self {
        let best = default_shape(gpu, precision);
        Self { key, best, measured: vec![Measured { shape: best, ms: None, reason: None }] }
    }
}

/// Whether a search, which takes a few seconds at most, is short compared to the work ahead: a network's results of
/// `pixels` pixels in total. If not, leave the search to a later run with more to do, or to `srcnn-gpu bench --tune`.
///
/// For 9-1-5 the threshold is 2.5 gigapixels on software adapters, 6 on integrated GPUs and 60 on discrete ones: minutes of
/// work, so that a short clip or a few pictures never wait for it.
pub fn pays(gpu: &Gpu, architecture: &Architecture, pixels: u64) -> bool {
    // A few percent of the time that such work takes.
    let multiply_adds = match gpu.info.device_type {
        wgpu::DeviceType::Cpu => 2e13,
        wgpu::DeviceType::DiscreteGpu => 5e14,
        _ => 5e13,
    };
    pixels as f64 * architecture.multiply_adds() as f64 >= multiply_adds
}

/// Measures candidates for a network in a precision and returns the fastest. A candidate counts only if, up to
/// rounding, its result for a small picture equals the CPU twin's and its result for a large one equals the default's.
/// The default wins unless another is at least three percent faster. Takes two or three seconds at most on a GPU, five
/// on an otherwise idle software adapter.
///
/// # Errors
/// When not even the default runs.
pub fn search(gpu: &Gpu, weights: &Weights, precision: Precision) -> Result<Tuned> {
    // Candidates are compiled only once, so keep them out of the pipeline cache.
    let gpu = &Gpu { pipelines: Pipelines::default(), ..gpu.clone() };
    let software = is_software(&gpu.info);
    let budget = Duration::from_secs(2);
    let multiply_adds = weights.architecture().multiply_adds() as f64;
    let work = match (software, precision) {
        // Software adapters convert to and from 16 bits for each product.
        (true, Precision::F16) => 5e7,
        (true, Precision::F32) => 4e8,
        (false, _) => 4e9,
    };
    let side = (work / multiply_adds).sqrt().clamp(64.0, 1024.0) as u32;
    let clock = Clock::for_gpu(gpu);
    let start = || {
        let elapsed = clock.start();
        move || elapsed() < budget
    };
    let twin = CpuTwin::new(weights)?;
    let mut candidates = DeviceRunner { gpu, weights, precision, twin, clock, side, sized: false };
    let (best, measured) = coordinate_search(
        default_shape(gpu, precision),
        &search_space(gpu, precision),
        precision,
        &mut candidates,
        start,
    )?;
    Ok(Tuned { key: store::network_key(gpu, weights.architecture(), precision), best, measured })
}

/// The shape used without a search. Of the fused kernels, those for GPUs alone are there in half precision.
pub fn default_shape(gpu: &Gpu, precision: Precision) -> ConvShape {
    let shape = ConvShape::for_device(&gpu.device);
    let fused = shape.fused.filter(|&fused| precision == Precision::F32 || fused == Fusion::Workgroup);
    ConvShape { fused, ..shape }
}

/// Lanes of the device's subgroups, if they all have the same size and kernels can use it.
pub(crate) fn lanes(gpu: &Gpu) -> Option<u32> {
    AdapterKind::of(&gpu.device).subgroup_lanes.filter(|lanes| (4..=64).contains(lanes))
}

/// Whether a device can run a shape at all.
fn is_possible(gpu: &Gpu, shape: ConvShape) -> bool {
    let load = shape.fused.and_then(Fusion::weight_load).unwrap_or(WeightLoad::Uniform);
    workgroup_fits(gpu, shape.workgroup, load)
}

/// Whether a device has workgroups of this size, and of whole subgroups where weights are handed round in them.
pub(crate) fn workgroup_fits(gpu: &Gpu, [x, y]: [u32; 2], load: WeightLoad) -> bool {
    let limits = gpu.device.limits();
    let fits = x <= limits.max_compute_workgroup_size_x
        && y <= limits.max_compute_workgroup_size_y
        && x * y <= limits.max_compute_invocations_per_workgroup;
    fits && match load {
        WeightLoad::Subgroup(asked) => lanes(gpu) == Some(asked) && (x * y).is_multiple_of(asked),
        WeightLoad::Uniform => true,
    }
}

/// The values worth trying, including the default's.
fn search_space(gpu: &Gpu, precision: Precision) -> Vec<Axis<ConvShape>> {
    let default = default_shape(gpu, precision);
    let AdapterKind { software, fxc, .. } = AdapterKind::of(&gpu.device);
    if software.is_some() && !fxc {
        let mut ways = vec![None];
        if precision == Precision::F32 {
            let loads = [WeightLoad::Uniform].into_iter().chain(lanes(gpu).map(WeightLoad::Subgroup));
            ways.extend(loads.map(|load| Some(Fusion::Invocation(load))));
        }
        // Lanes are neighbors in a column. In single precision the best register tiles are known, which leaves only the
        // weight load to choose.
        let (spatial, pointwise) = match precision {
            Precision::F32 => (vec![default.spatial], vec![default.pointwise]),
            Precision::F16 => (Registers::ALL.into(), Registers::ALL.into()),
        };
        return space(&ways, &[default.workgroup], [&spatial, &pointwise]);
    }
    let mut tiles = vec![Registers::P8x4];
    if !fxc {
        tiles.extend([Registers::P16x4, Registers::P8x8]);
    }
    let workgroups = [[4, 16], [8, 8], [32, 2], [8, 16], [32, 8]].into_iter();
    let workgroups: Vec<_> =
        workgroups.filter(|&workgroup| is_possible(gpu, ConvShape { workgroup, ..default })).collect();
    // Of what GPUs could run, only what AMD's compiler needs no more registers for than there are (tests/compilers/amd.csv):
    // none of the kernels that keep all maps of 4 pixels, no tile of 8x16. FXC takes seconds for all but the smallest tile.
    let ways = if fxc { vec![None] } else { vec![Some(Fusion::Workgroup), None] };
    space(&ways, &workgroups, [&tiles, &tiles])
}

fn space(
    ways: &[Option<Fusion>],
    workgroups: &[[u32; 2]],
    [spatial, pointwise]: [&[Registers]; 2],
) -> Vec<Axis<ConvShape>> {
    vec![
        axis(ways, |shape, fused| ConvShape { fused, ..shape }),
        axis(workgroups, |shape, workgroup| ConvShape { workgroup, ..shape }),
        axis(spatial, |shape, spatial| ConvShape { spatial, ..shape }),
        axis(pointwise, |shape, pointwise| ConvShape { pointwise, ..shape }),
    ]
}

/// Runs candidates on a device.
struct DeviceRunner<'a> {
    gpu: &'a Gpu,
    weights: &'a Weights,
    precision: Precision,
    twin: CpuTwin,
    clock: Clock,
    /// Side in pixels of the plane to measure on.
    side: u32,
    /// Whether `side` has been adjusted to the adapter's speed.
    sized: bool,
}

impl<'a> Runner<'a> for DeviceRunner<'a> {
    type Shape = ConvShape;
    type Kernels = Vec<Shader>;

    fn kernels(&self, shape: ConvShape) -> Result<Vec<Shader>> {
        pass_shaders(&self.gpu.device, self.weights, CpuTwin::PADDING, self.precision, shape)
    }

    fn compile(&mut self, shape: ConvShape) -> Result<Candidate<'a>> {
        /// Shorter runs drown in the overhead around them.
        const ENOUGH: Duration = Duration::from_millis(2);
        let (padding, conv_shape) = (Some(CpuTwin::PADDING), Some(shape));
        // Only shapes are compared.
        let winograd = KernelChoice::Never;
        let precision = self.precision;
        let options = HeadlessOptions::default()
            .with_padding(padding)
            .with_conv_shape(conv_shape)
            .with_precision(precision)
            .with_winograd(winograd);
        let mut run = NetworkRun::new(self.gpu, self.weights, options)?;
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
        Ok(Candidate { result, time: Box::new(move || run.time(clock, None)) })
    }
}
