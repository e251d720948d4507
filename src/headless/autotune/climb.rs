//! The search itself: from the default shape along one parameter after the other, keeping what is faster.

use std::time::Duration;

use super::Measured;
use crate::error::Result;
use crate::gpu::kernels::{ConvShape, Registers, WeightLoad};
use crate::headless::measure::compare;
use crate::precision::Precision;

/// A candidate is given up after its first run when that takes this much longer than the best.
const CLEARLY_SLOWER: f64 = 1.25;
/// What has to be gained for another shape to be taken: less is noise, and costs the same bits as before.
const WORTH: f64 = 0.97;
/// Runs of a candidate, as long as they fit into the time; the best counts.
const REPEATS: u32 = 5;
const TIME: Duration = Duration::from_millis(60);

/// Values that each parameter may have.
#[derive(Debug, Clone, PartialEq)]
pub struct Axes {
    pub ways: Vec<Option<WeightLoad>>,
    pub workgroups: Vec<[u32; 2]>,
    pub spatial: Vec<Registers>,
    pub pointwise: Vec<Registers>,
}

impl Axes {
    /// The neighbours of a shape along each axis, in the order in which axes are gone through.
    fn along(&self, axis: usize, from: ConvShape) -> Vec<ConvShape> {
        match axis {
            0 => self.ways.iter().map(|&fused| ConvShape { fused, ..from }).collect(),
            1 => self.workgroups.iter().map(|&workgroup| ConvShape { workgroup, ..from }).collect(),
            2 => self.spatial.iter().map(|&spatial| ConvShape { spatial, ..from }).collect(),
            _ => self.pointwise.iter().map(|&pointwise| ConvShape { pointwise, ..from }).collect(),
        }
    }

    const COUNT: usize = 4;
}

/// A candidate that is compiled and has computed a picture.
pub struct Ready<'a> {
    /// Its result for the same picture as all others.
    pub result: Vec<f32>,
    /// Runs it once.
    pub time: Box<dyn FnMut() -> Result<Duration> + 'a>,
}

/// What the candidates are measured with.
pub trait Bench<'a> {
    /// What tells the kernels of a shape from those of another.
    type Kernels: PartialEq;

    /// The kernels that the network runs in a shape: equal ones are measured once.
    fn kernels(&self, shape: ConvShape) -> Result<Self::Kernels>;

    /// Compiles a candidate and computes the picture.
    ///
    /// # Errors
    /// Why it cannot be taken.
    fn open(&mut self, shape: ConvShape) -> Result<Ready<'a>>;
}

/// Looks for a shape that is faster than `default`, as long as `time_left` says so; results may differ by what rounding
/// in `precision` can make of them. Returns it, and all that were measured.
///
/// # Errors
/// When the default does not run, at the beginning or at the end.
pub fn climb<'a, B: Bench<'a>>(
    default: ConvShape,
    axes: &Axes,
    precision: Precision,
    bench: &mut B,
    time_left: impl Fn() -> bool,
) -> Result<(ConvShape, Vec<Measured>)> {
    let mut tried = vec![bench.kernels(default)?];
    let mut first = bench.open(default)?;
    let expected = std::mem::take(&mut first.result);
    let mut measured = vec![Measured::of(default, best_of(&mut first, None)?)];
    // Place among the measured, and the candidate; none where that is the default.
    let mut best: (usize, Option<Ready<'_>>) = (0, None);
    'search: for axis in 0..Axes::COUNT {
        for shape in axes.along(axis, measured[best.0].shape) {
            if !time_left() {
                log::debug!("no time for {shape} and others");
                break 'search;
            }
            let kernels = bench.kernels(shape);
            if kernels.as_ref().is_ok_and(|kernels| tried.contains(kernels)) {
                continue;
            }
            let fastest = measured[best.0].ms;
            let attempt = kernels.and_then(|kernels| {
                tried.push(kernels);
                let mut ready = bench.open(shape)?;
                let result = std::mem::take(&mut ready.result);
                compare(&result, expected.iter().map(|&value| f64::from(value)), precision)?;
                Ok((best_of(&mut ready, fastest)?, ready))
            });
            match attempt {
                Ok((time, ready)) => {
                    measured.push(Measured::of(shape, time));
                    log::debug!("{shape}: {:.2} ms", ms(time));
                    if fastest.is_none_or(|fastest| ms(time) < WORTH * fastest) {
                        best = (measured.len() - 1, Some(ready));
                    }
                }
                Err(error) => {
                    log::debug!("{shape} is left out: {error}");
                    measured.push(Measured { shape, ms: None, reason: Some(error.to_string()) });
                }
            }
        }
    }
    // Once more side by side: clocks rise, and other work comes and goes. Also tells a device that was lost meanwhile.
    let (place, candidate) = &mut best;
    let mut times = [Duration::MAX; 2];
    for _ in 0..REPEATS {
        times[0] = times[0].min((first.time)()?);
        if let Some(candidate) = candidate {
            times[1] = times[1].min((candidate.time)()?);
        }
    }
    measured[0].ms = Some(ms(times[0]));
    if candidate.is_some() {
        measured[*place].ms = Some(ms(times[1]));
    }
    let faster = candidate.is_some() && ms(times[1]) < WORTH * ms(times[0]);
    Ok((measured[if faster { *place } else { 0 }].shape, measured))
}

/// The shortest of some runs; the only one, when that is clearly slower than `fastest`, in milliseconds.
fn best_of(ready: &mut Ready<'_>, fastest: Option<f64>) -> Result<Duration> {
    let mut best = (ready.time)()?;
    let mut sum = best;
    let clearly_slower = fastest.is_some_and(|fastest| ms(best) > CLEARLY_SLOWER * fastest);
    for _ in 1..if clearly_slower { 1 } else { REPEATS } {
        if sum > TIME {
            break;
        }
        let time = (ready.time)()?;
        best = best.min(time);
        sum += time;
    }
    Ok(best)
}

/// Milliseconds, to a nanosecond.
fn ms(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}

impl Measured {
    fn of(shape: ConvShape, time: Duration) -> Self {
        Self { shape, ms: Some(ms(time)), reason: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use std::cell::Cell;
    use std::rc::Rc;

    const DEFAULT: ConvShape =
        ConvShape { spatial: Registers::P8x8, pointwise: Registers::P8x8, workgroup: [4, 16], fused: None };

    fn axes() -> Axes {
        Axes {
            ways: vec![None, Some(WeightLoad::Uniform), Some(WeightLoad::Subgroup(32))],
            workgroups: vec![[4, 16], [8, 8], [32, 2]],
            spatial: Registers::ALL.into(),
            pointwise: Registers::ALL.into(),
        }
    }

    /// An adapter that is not there: what a shape takes in microseconds, and what comes out, by the shape.
    struct Pretended<T: Fn(ConvShape) -> Result<(u64, f32)>> {
        adapter: T,
        opened: Vec<ConvShape>,
        runs: Rc<Cell<u32>>,
    }

    impl<'a, T: Fn(ConvShape) -> Result<(u64, f32)>> Bench<'a> for Pretended<T> {
        type Kernels = (Registers, Registers, [u32; 2], Option<WeightLoad>);

        fn kernels(&self, shape: ConvShape) -> Result<Self::Kernels> {
            // Fused kernels have no register tiles.
            let tile = |registers| if shape.fused.is_none() { registers } else { Registers::P8x8 };
            Ok((tile(shape.spatial), tile(shape.pointwise), shape.workgroup, shape.fused))
        }

        fn open(&mut self, shape: ConvShape) -> Result<Ready<'a>> {
            self.opened.push(shape);
            let (micros, value) = (self.adapter)(shape)?;
            let runs = self.runs.clone();
            let time = move || {
                runs.set(runs.get() + 1);
                Ok(Duration::from_micros(micros))
            };
            Ok(Ready { result: vec![0.25, value, 0.75], time: Box::new(time) })
        }
    }

    fn pretend<T: Fn(ConvShape) -> Result<(u64, f32)>>(adapter: T) -> Pretended<T> {
        Pretended { adapter, opened: Vec::new(), runs: Rc::default() }
    }

    fn search<T: Fn(ConvShape) -> Result<(u64, f32)>>(
        bench: &mut Pretended<T>,
    ) -> Result<(ConvShape, Vec<Measured>)> {
        climb(DEFAULT, &axes(), Precision::F32, bench, || true)
    }

    #[test]
    fn the_fastest_along_each_axis_wins() {
        let time = |shape: ConvShape| {
            let registers = if shape.spatial == Registers::P16x4 { 0 } else { 300 }
                + if shape.pointwise == Registers::P8x16 { 0 } else { 200 };
            let workgroup = if shape.workgroup == [32, 2] { 0 } else { 100 };
            match shape.fused {
                None => 1000 + registers + workgroup,
                Some(_) => 2000 + workgroup,
            }
        };
        let mut bench = pretend(|shape| Ok((time(shape), 0.5)));
        let (best, measured) = search(&mut bench).unwrap();
        let wanted = ConvShape {
            spatial: Registers::P16x4,
            pointwise: Registers::P8x16,
            workgroup: [32, 2],
            fused: None,
        };
        assert_eq!(best, wanted);
        // No product of all axes, and nothing twice.
        assert_eq!(measured.len(), 1 + 2 + 2 + 2 + 2);
        assert!(bench.opened.iter().enumerate().all(|(i, shape)| !bench.opened[..i].contains(shape)));

        // Fused kernels do not depend on register tiles.
        let mut bench = pretend(|shape| Ok((4000 - time(shape), 0.5)));
        let (best, measured) = search(&mut bench).unwrap();
        assert_eq!((best.fused, best.workgroup), (Some(WeightLoad::Uniform), [4, 16]));
        assert_eq!(measured.len(), 1 + 2 + 2);
    }

    #[test]
    fn wrong_and_broken_candidates_cannot_win() {
        for wrong in [0.502, f32::NAN, 0.0] {
            let mut bench = pretend(|shape| match shape.fused {
                None => Ok((1000, 0.5)),
                Some(WeightLoad::Uniform) => Ok((10, wrong)),
                Some(_) => Err(Error::Gpu("refused by the driver".into())),
            });
            let (best, measured) = search(&mut bench).unwrap();
            assert_eq!(best, DEFAULT);
            assert_eq!(measured[1].ms, None);
            assert!(measured[1].reason.as_ref().unwrap().contains("off by"), "{measured:?}");
            assert!(measured[2].reason.as_ref().unwrap().contains("refused"), "{measured:?}");
        }
        // What rounding to 16 bits can make of it is enough in that precision alone.
        let half = |shape: ConvShape| match shape.fused {
            None => Ok((1000, 0.5)),
            Some(_) => Ok((10, 0.502)),
        };
        for (precision, wins) in [(Precision::F32, false), (Precision::F16, true)] {
            let (best, _) = climb(DEFAULT, &axes(), precision, &mut pretend(half), || true).unwrap();
            assert_eq!(best != DEFAULT, wins, "{precision}");
        }
        // The same candidate with the right values does win.
        let right = |shape: ConvShape| Ok((if shape.fused.is_none() { 1000 } else { 10 }, 0.50001));
        assert_eq!(search(&mut pretend(right)).unwrap().0.fused, Some(WeightLoad::Uniform));
        let none = pretend(|_| Err(Error::Gpu("nothing runs".into())));
        assert!(search(&mut { none }).unwrap_err().to_string().contains("nothing runs"));
    }

    #[test]
    fn little_is_not_worth_a_change_and_slow_ones_run_once() {
        let mut bench = pretend(|shape| Ok((if shape == DEFAULT { 1000 } else { 980 }, 0.5)));
        assert_eq!(search(&mut bench).unwrap().0, DEFAULT);
        let mut bench = pretend(|shape| Ok((if shape == DEFAULT { 1000 } else { 1300 }, 0.5)));
        let (best, measured) = search(&mut bench).unwrap();
        let others = measured.len() as u32 - 1;
        assert_eq!((best, bench.runs.get()), (DEFAULT, REPEATS + others + REPEATS));
        // No time at all: the default alone.
        let mut bench = pretend(|_| Ok((1000, 0.5)));
        let (best, measured) = climb(DEFAULT, &axes(), Precision::F32, &mut bench, || false).unwrap();
        assert_eq!((best, measured.len()), (DEFAULT, 1));
    }

    /// What was fast only because of what else ran meanwhile loses side by side.
    #[test]
    fn the_end_is_side_by_side() {
        let runs = Rc::new(Cell::new(0));
        struct Moody(Rc<Cell<u32>>);
        impl Bench<'static> for Moody {
            type Kernels = ConvShape;
            fn kernels(&self, shape: ConvShape) -> Result<ConvShape> {
                Ok(shape)
            }
            fn open(&mut self, shape: ConvShape) -> Result<Ready<'static>> {
                let runs = self.0.clone();
                let time = move || {
                    runs.set(runs.get() + 1);
                    // The first runs are slow, whatever runs.
                    Ok(Duration::from_micros(match (runs.get() <= REPEATS, shape == DEFAULT) {
                        (true, _) => 3000,
                        (_, true) => 1000,
                        (_, false) => 1500,
                    }))
                };
                Ok(Ready { result: vec![0.5], time: Box::new(time) })
            }
        }
        let (best, measured) = climb(DEFAULT, &axes(), Precision::F32, &mut Moody(runs), || true).unwrap();
        assert_eq!((best, measured[0].ms), (DEFAULT, Some(1.0)));
    }
}
