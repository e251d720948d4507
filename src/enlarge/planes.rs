//! Planes that are enlarged in one step, for measurements and for callers with planes of their own.

use crate::error::Result;
use crate::planes::Planes;
use crate::resample::{self, ResampleTable};
use crate::upscaler::Enlargement;

/// Logarithms of ratios closer than this count as equal.
const SAME: f64 = 1e-9;

/// Enlarges planes by the trained scale `step` with `network`, and by bicubic interpolation in f64 for the rest, as
/// [`Enlarger`](super::Enlarger) does with pictures. Without a step, the network does all of it; so it does where nothing is left.
///
/// # Errors
/// As [`Enlargement::size`], and those of the network.
pub fn enlarge_planes(
    planes: &Planes,
    enlargement: Enlargement,
    step: Option<f64>,
    network: impl FnOnce(&Planes, Enlargement) -> Result<Planes>,
) -> Result<Planes> {
    let source = (planes.width as u32, planes.height as u32);
    let (width, height) = enlargement.size(source)?;
    let Some(step) = step else { return network(planes, enlargement) };
    let factors = enlargement.factors(source).map(|factor| factor / step);
    if factors.iter().all(|factor| factor.ln().abs() <= SAME) {
        return network(planes, enlargement);
    }
    let enlarged = network(planes, Enlargement::Factor(step))?;
    let columns = ResampleTable::bicubic(enlarged.width, width as usize, factors[0])?;
    let rows = ResampleTable::bicubic(enlarged.height, height as usize, factors[1])?;
    let mut data = Vec::with_capacity(width as usize * height as usize * enlarged.channels);
    for plane in enlarged.data.chunks_exact(enlarged.width * enlarged.height) {
        let plane: Vec<f64> = plane.iter().map(|&value| value.into()).collect();
        data.extend(resample::apply(&plane, &rows, &columns).into_iter().map(|value| value as f32));
    }
    Planes::new(width as usize, height as usize, enlarged.channels, data)
}
