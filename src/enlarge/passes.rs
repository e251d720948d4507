//! Which networks a picture goes through in turn, how much work that is, and how much memory lies between them.

use super::model::{Model, tells_apart, usable};
use super::scale_steps::plan_steps;
use crate::error::Result;
use crate::network::Padding;
use crate::upscaler::Enlargement;

/// Bytes of a pixel between two passes: four floats.
const BETWEEN: u64 = 16;
/// Multiply-adds that a pixel takes besides the network: bicubic interpolation and the conversion of colors.
const RESAMPLING: f64 = 50.0;

/// One pass of a picture through a network.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    /// Index of the network.
    pub network: usize,
    /// How large its result is to be.
    pub enlargement: Enlargement,
    /// Multiply-adds.
    pub work: f64,
    /// Pixels of the result.
    pub pixels: u64,
}

/// The networks that pictures go through.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    models: &'a [Model],
    padding: Option<Padding>,
}

impl<'a> Route<'a> {
    /// `padding` replaces that of the networks.
    pub fn new(models: &'a [Model], padding: Option<Padding>) -> Self {
        Self { models, padding }
    }

    /// The passes for a picture of `source` pixels, width and height; at least one. Pictures with the traces of compression may have
    /// networks of their own: whether it is `compressed`, if that is known.
    ///
    /// # Errors
    /// As [`Enlargement::size`] and [`usable`].
    pub fn passes(
        &self,
        source: (u32, u32),
        enlargement: Enlargement,
        compressed: Option<bool>,
    ) -> Result<Vec<Pass>> {
        let size = enlargement.size(source)?;
        let axes =
            [(source.0, size.0), (source.1, size.1)].map(|(from, to)| (f64::from(from), f64::from(to)));
        let factor = match enlargement {
            Enlargement::Factor(factor) => factor,
            Enlargement::Size(..) => axes.iter().map(|(from, to)| (to / from).sqrt()).product(),
        };
        let factor = if size == source { 1.0 } else { factor };
        let usable = usable(self.models, factor, compressed)?;
        // Every trained scale, and the index of its network.
        let known = usable.iter().flat_map(|&index| {
            self.models[index].scales().into_iter().map(move |scale| (f64::from(scale), index))
        });
        let (scales, network_of_scale): (Vec<f64>, Vec<usize>) = known.unzip();
        let steps = plan_steps(factor, &scales);
        let mut done = 1.0;
        let mut reached = source;
        let last = steps.len() - 1;
        let passes = steps.iter().enumerate().map(|(index, step)| {
            let network = network_of_scale.get(step.trained).copied().unwrap_or(usable[0]);
            let model = &self.models[network];
            done *= step.factor;
            // Each axis gets its own share, as they differ if the proportions change.
            let [width, height] =
                axes.map(|(from, to)| (from * (to / from).powf(f64::ln(done) / factor.ln())).round() as u32);
            let enlargement = match model.padding().map(|own| self.padding.unwrap_or(own)) {
                _ if last == 0 => enlargement,
                // The plan does not know what such a network removes at the borders.
                Some(Padding::Valid) => Enlargement::Factor(step.factor),
                _ if index == last => Enlargement::Size(size.0, size.1),
                _ => Enlargement::Size(width, height),
            };
            reached = enlargement.size(reached)?;
            let pixels = u64::from(reached.0) * u64::from(reached.1);
            let each = model.multiply_adds() as f64 + RESAMPLING;
            Ok(Pass { network, enlargement, work: pixels as f64 * each, pixels })
        });
        passes.collect()
    }

    /// Whether pictures with the traces of compression go through other networks than those without.
    pub fn tells_apart(&self) -> bool {
        tells_apart(self.models)
    }

    /// The names of the networks, in the order of the passes.
    pub fn names(&self, passes: &[Pass]) -> String {
        let mut names: Vec<&str> =
            passes.iter().map(|pass| self.models[pass.network].name.as_str()).collect();
        names.dedup();
        names.join(", ")
    }

    /// Bytes of memory for what lies between the passes.
    pub fn memory(passes: &[Pass]) -> u64 {
        let bytes = |at: usize| passes[at].pixels.saturating_mul(BETWEEN);
        let before_last = passes.len().saturating_sub(1);
        // A pass reads the result of the one before it.
        let most =
            (0..before_last).map(|at| bytes(at).saturating_add(if at > 0 { bytes(at - 1) } else { 0 }));
        most.max().unwrap_or(0)
    }
}

/// The multiply-adds of all passes.
pub fn work(passes: &[Pass]) -> f64 {
    passes.iter().map(|pass| pass.work).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::Shipped;

    #[test]
    fn work_and_memory_follow_from_the_sizes() {
        let models = Model::shipped(Shipped::Small).unwrap();
        let route = Route::new(&models, None);
        let one = route.passes((10, 20), Enlargement::Factor(3.0), None).unwrap();
        assert_eq!((one.len(), one[0].pixels, Route::memory(&one)), (1, 1800, 0));
        let passes = route.passes((10, 20), Enlargement::Factor(40.0), None).unwrap();
        let last = passes.last().unwrap();
        assert!(passes.len() > 2 && last.pixels == 320_000);
        // The last pass is nearly all of the work.
        assert!(last.work / work(&passes) > 0.8, "{passes:?}");
        let between: Vec<_> = passes.iter().map(|pass| 16 * pass.pixels).collect();
        let before = passes.len() - 2;
        assert_eq!(Route::memory(&passes), between[before] + between[before - 1]);
        let wide = route.passes((10, 20), Enlargement::Size(20, 200), None).unwrap();
        assert_eq!(wide.last().unwrap().pixels, 4000);
        assert!(route.passes((0, 20), Enlargement::Factor(2.0), None).is_err());
    }
}
