//! Which networks a picture goes through in turn, what bicubic interpolation is left with, how much work that is, and how much
//! memory lies between them.

use super::model::{Model, tells_apart, usable};
use crate::error::Result;
use crate::network::Padding;
use crate::picture::BAND_ROWS;
use crate::upscaler::Enlargement;
use crate::weights::{Step, plan_steps};

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
    /// What happens to the result afterwards; nothing but for the last pass.
    pub rest: Option<Rest>,
}

/// Bicubic interpolation of the last pass's result, where the factor is between those that networks were trained for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rest {
    /// Width and height of the pass's result.
    pub from: (u32, u32),
    /// Width and height of the picture's result.
    pub size: (u32, u32),
    /// How much larger each axis becomes, columns and rows; below 1 it shrinks.
    pub factors: [f64; 2],
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
        let factors = enlargement.factors(source);
        let factor = match enlargement {
            Enlargement::Factor(factor) => factor,
            Enlargement::Size(..) => factors.map(f64::sqrt).iter().product(),
        };
        let factor = if size == source { 1.0 } else { factor };
        let usable = usable(self.models, factor, compressed)?;
        // Every trained scale, and the index of its network.
        let known = usable.iter().flat_map(|&index| {
            self.models[index].scales().into_iter().map(move |scale| (f64::from(scale), index))
        });
        let (scales, network_of_scale): (Vec<f64>, Vec<usize>) = known.unzip();
        let steps = plan_steps(factor, &scales, usize::MAX);
        let network_of =
            |step: &Step| network_of_scale.get(step.trained).copied().unwrap_or_else(|| usable[0]);
        let crops = steps.networks.iter().any(|step| self.models[network_of(step)].crops(self.padding));
        let done: f64 = steps.networks.iter().map(|step| step.factor).product();
        let reached = Enlargement::Factor(done).size(source)?;
        let last = steps.networks.len() - 1;
        // A network of no known scale does all of it, and so does one that crops: the rest would have to know what is missing.
        let knows_any = scales.iter().any(|&scale| scale > 1.0);
        let whole = !knows_any || crops || (steps.rest == 1.0 && reached == size);
        let factors = factors.map(|factor| factor / done);
        let mut reached = source;
        let passes = steps.networks.iter().enumerate().map(|(index, step)| {
            let network = network_of(step);
            let model = &self.models[network];
            let enlargement = match index == last && whole {
                true if last == 0 => enlargement,
                true if crops => Enlargement::Factor(step.factor * steps.rest),
                true => Enlargement::Size(size.0, size.1),
                false => Enlargement::Factor(step.factor),
            };
            reached = enlargement.size(reached)?;
            let pixels = u64::from(reached.0) * u64::from(reached.1);
            let each = model.multiply_adds() as f64 + RESAMPLING;
            let rest = (index == last && !whole).then_some(Rest { from: reached, size, factors });
            Ok(Pass { network, enlargement, work: pixels as f64 * each, pixels, rest })
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

    /// Bytes of memory for what lies between the passes, and between the last one and the rest.
    pub fn memory(passes: &[Pass]) -> u64 {
        let bytes = |at: usize| passes[at].pixels.saturating_mul(BETWEEN);
        let before = |at: usize| at.checked_sub(1).map_or(0, bytes);
        let rest = |at: usize| {
            // Bands of it.
            let rest = passes[at].rest.map_or((0, 0), |rest| rest.from);
            u64::from(rest.0) * u64::from(rest.1.min(BAND_ROWS)) * BETWEEN
        };
        // A pass reads the result of the one before it.
        let last = passes.len().saturating_sub(1);
        let most = (0..passes.len())
            .map(|at| before(at).saturating_add(if at == last { rest(at) } else { bytes(at) }));
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
        let passes = route.passes((10, 20), Enlargement::Factor(32.0), None).unwrap();
        let last = passes.last().unwrap();
        assert!(passes.len() == 3 && last.pixels == 204_800 && last.rest.is_none());
        // The last pass is most of the work.
        assert!(last.work / work(&passes) > 0.7, "{passes:?}");
        let between: Vec<_> = passes.iter().map(|pass| 16 * pass.pixels).collect();
        assert_eq!(Route::memory(&passes), between[0] + between[1]);
        assert!(route.passes((0, 20), Enlargement::Factor(2.0), None).is_err());
    }

    #[test]
    fn bicubic_interpolation_does_the_rest() {
        let models = Model::shipped(Shipped::Small).unwrap();
        let route = Route::new(&models, None);
        let passes = |enlargement| route.passes((15, 9), enlargement, None).unwrap();
        let rest = |size, factors| Some(Rest { from: (30, 18), size, factors });
        for (enlargement, expected) in [
            (Enlargement::Factor(1.5), rest((23, 14), [0.75; 2])),
            (Enlargement::Size(24, 14), rest((24, 14), [24.0 / 30.0, 14.0 / 18.0])),
            // Other proportions.
            (Enlargement::Size(30, 9), rest((30, 9), [1.0, 0.5])),
            // Its size is that of 2, but it is not 2.
            (Enlargement::Factor(1.98), rest((30, 18), [0.99; 2])),
            (Enlargement::Factor(2.1), rest((32, 19), [1.05; 2])),
        ] {
            let [pass] = passes(enlargement)[..] else { panic!("{enlargement:?}") };
            assert_eq!((pass.rest, pass.pixels), (expected, 30 * 18), "{enlargement:?}");
            assert!(matches!(pass.enlargement, Enlargement::Factor(2.0)), "{enlargement:?}");
            assert_eq!(Route::memory(&[pass]), 16 * 30 * 18);
        }
        for (enlargement, count) in
            [(Enlargement::Factor(2.0), 1), (Enlargement::Size(30, 18), 1), (Enlargement::Size(90, 54), 2)]
        {
            let passes = passes(enlargement);
            let size = enlargement.size((15, 9)).unwrap();
            assert_eq!(passes.len(), count);
            assert!(passes.iter().all(|pass| pass.rest.is_none()), "{enlargement:?}");
            assert_eq!(passes[count - 1].pixels, u64::from(size.0 * size.1));
        }
        // What crops does all of it, and so does a network that does not say for which scales it is.
        let valid = Route::new(&models, Some(Padding::Valid));
        let mut weights = Shipped::Small.nearest(2.0).unwrap();
        weights.metadata.scales.clear();
        let unknown = [Model::network_of("unknown", weights)];
        let unknown = Route::new(&unknown, None);
        for (route, enlargement) in [
            (valid, Enlargement::Factor(1.5)),
            (unknown, Enlargement::Factor(1.5)),
            (unknown, Enlargement::Size(20, 14)),
        ] {
            let [pass] = route.passes((15, 9), enlargement, None).unwrap()[..] else { panic!() };
            assert_eq!((pass.rest, pass.enlargement), (None, enlargement));
        }
    }
}
