//! Chooses the shape of training's kernels for an adapter and a network by measuring, as [`crate::headless::autotune`] does for
//! those of inference. Nothing here runs by itself; without it the defaults apply.

use std::path::Path;
use std::time::Duration;

use super::gpu::{Shape, training_kernels_hash};
use super::measure::Training;
use crate::error::Result;
use crate::gpu::adapter::AdapterKind;
use crate::gpu::kernels::{MapRead, WeightLoad};
use crate::headless::autotune::coordinate_search::{Axis, Candidate, Runner, axis, coordinate_search};
use crate::headless::autotune::{Tuned, lanes, network_key, stored_under, workgroup_fits};
use crate::headless::measure::Clock;
use crate::headless::{Gpu, Pipelines};
use crate::network::Architecture;
use crate::precision::Precision;
use crate::weights::Weights;

/// How long it is worth trying candidates; one takes half a second to three on software adapters, most of it to compile.
pub const BUDGET: Duration = Duration::from_secs(30);

/// Measures the default and then other candidates for steps of `batch` sub-images, these until `budget` is used up, and returns the fastest. A candidate counts only if its gradients equal
/// the CPU twin's up to rounding. The default wins unless another is at least three percent faster.
///
/// # Errors
/// When not even the default runs; as [`Training::new`].
pub fn search(gpu: &Gpu, weights: &Weights, batch: usize, budget: Duration) -> Result<Tuned<Shape>> {
    // Candidates are compiled only once, so keep them out of the pipeline cache.
    let gpu = &Gpu { pipelines: Pipelines::default(), ..gpu.clone() };
    let clock = Clock::for_gpu(gpu);
    let start = || {
        let elapsed = clock.start();
        move || elapsed() < budget
    };
    let mut runner = DeviceRunner { gpu, weights, batch, clock };
    let (default, space) = (Shape::for_device(&gpu.device), search_space(gpu));
    let (best, measured) = coordinate_search(default, &space, Precision::F32, &mut runner, start)?;
    Ok(Tuned { key: key(gpu, weights.architecture()), best, measured })
}

/// The choice stored in a folder for this adapter, driver, kernel version and network. `None` if there is none, or the device
/// cannot run it. [`crate::headless::autotune::store`] stores one.
pub fn stored(gpu: &Gpu, architecture: &Architecture, folder: &Path) -> Option<Tuned<Shape>> {
    stored_under(&key(gpu, architecture), folder).filter(|tuned: &Tuned<Shape>| is_possible(gpu, tuned.best))
}

fn key(gpu: &Gpu, architecture: &Architecture) -> String {
    let kernels = training_kernels_hash();
    format!("{}training {kernels:016x}\n", network_key(gpu, architecture, Precision::F32))
}

/// Whether a device can run a shape at all.
pub fn is_possible(gpu: &Gpu, shape: Shape) -> bool {
    workgroup_fits(gpu, [shape.workgroup, 1], shape.weight_load)
}

/// The values worth trying.
fn search_space(gpu: &Gpu) -> Vec<Axis<Shape>> {
    let software = AdapterKind::of(&gpu.device).software.is_some();
    let mut loads = vec![WeightLoad::Uniform];
    loads.extend(lanes(gpu).map(WeightLoad::Subgroup));
    let workgroups: &[u32] = if software { &[8, 16, 32] } else { &[16, 32, 64, 128] };
    let workgroups: Vec<u32> = workgroups
        .iter()
        .copied()
        .filter(|&workgroup| workgroup_fits(gpu, [workgroup, 1], WeightLoad::Uniform))
        .collect();
    // Tiles: on software adapters registers are the first level cache; on GPUs larger ones than the default spill.
    let (spatial, sums): (&[_], &[_]) = if software {
        (&[(7, 2), (7, 1), (4, 2)], &[(400, 1024), (200, 256)])
    } else {
        (&[(4, 1), (2, 1), (1, 1)], &[(40, 64), (20, 64)])
    };
    let parts: &[usize] = if software { &[16, 32] } else { &[128, 64, 32] };
    vec![
        axis(&[MapRead::Sampled, MapRead::Storage], |shape, map_read| Shape { map_read, ..shape }),
        axis(&loads, |shape: Shape, weight_load| {
            let lanes = weight_load.lanes() as u32;
            Shape { weight_load, workgroup: shape.workgroup.next_multiple_of(lanes), ..shape }
        }),
        axis(&[false, true], |shape, first_layers| Shape { first_layers, ..shape }),
        // Its sums are more than the registers of a GPU hold.
        axis(if software { &[false, true] } else { &[false] }, |shape, winograd| Shape { winograd, ..shape }),
        axis(&workgroups, |shape: Shape, workgroup| Shape {
            workgroup: workgroup.next_multiple_of(shape.weight_load.lanes() as u32),
            ..shape
        }),
        axis(spatial, |shape, spatial| Shape { spatial, ..shape }),
        axis(sums, |shape, weight_sums| Shape { weight_sums, ..shape }),
        axis(parts, |shape, parts| Shape { parts, ..shape }),
    ]
}

/// Runs candidates on a device.
struct DeviceRunner<'a> {
    gpu: &'a Gpu,
    weights: &'a Weights,
    batch: usize,
    clock: Clock,
}

impl<'a> Runner<'a> for DeviceRunner<'a> {
    type Shape = Shape;
    type Kernels = Shape;

    fn kernels(&self, shape: Shape) -> Result<Shape> {
        Ok(shape)
    }

    fn compile(&mut self, shape: Shape) -> Result<Candidate<'a>> {
        let mut training = Training::new(self.gpu, self.weights, self.batch, Some(shape))?;
        training.check()?;
        training.time(self.clock, 1)?;
        let clock = self.clock;
        // Gradients have been compared with the twin's.
        Ok(Candidate { result: Vec::new(), time: Box::new(move || Ok(training.time(clock, 1)?.step)) })
    }
}
