//! The search itself: coordinate search from the default shape, one parameter at a time, keeping what is faster.

use std::fmt;
use std::time::Duration;

use super::Measured;
use crate::error::Result;
use crate::headless::measure::compare;
use crate::precision::Precision;

/// A candidate is given up after its first run if that takes this many times as long as the best.
const CLEARLY_SLOWER: f64 = 1.25;
/// Another shape must take at most this fraction of the time to win: smaller gains are noise, not worth changing the
/// last bits for.
const WORTHWHILE: f64 = 0.97;
/// Runs of a candidate, as many as fit into `TIME_PER_CANDIDATE`; the shortest counts.
const REPEATS: u32 = 5;
const TIME_PER_CANDIDATE: Duration = Duration::from_millis(60);

/// The neighbors of a shape along a parameter, in the order in which they are tried.
pub type Axis<S> = Box<dyn Fn(S) -> Vec<S>>;

/// The best shape, and everything that was measured.
pub type Found<S> = (S, Vec<Measured<S>>);

/// A parameter that can take these values.
pub fn axis<S: Copy + 'static, V: Copy + 'static>(values: &[V], with: fn(S, V) -> S) -> Axis<S> {
    let values = values.to_vec();
    Box::new(move |from| values.iter().map(|&value| with(from, value)).collect())
}

/// A candidate that has been compiled and has computed a picture.
pub struct Candidate<'a> {
    /// Its result for the picture that all candidates compute.
    pub result: Vec<f32>,
    /// Runs it once and returns the time.
    pub time: Box<dyn FnMut() -> Result<Duration> + 'a>,
}

/// Compiles and runs candidates.
pub trait Runner<'a> {
    /// What is chosen.
    type Shape: Copy + fmt::Display;
    /// Identifies the kernels of a shape.
    type Kernels: PartialEq;

    /// The kernels that the network runs with a shape; shapes with equal kernels are measured once.
    fn kernels(&self, shape: Self::Shape) -> Result<Self::Kernels>;

    /// Compiles a candidate and computes the picture.
    ///
    /// # Errors
    /// Why the candidate cannot be used.
    fn compile(&mut self, shape: Self::Shape) -> Result<Candidate<'a>>;
}

/// Looks for a shape faster than `default`; results may differ by rounding in `precision`. Returns the best shape and
/// everything that was measured. `start` starts the clock once the default has been measured, so that a slow compiler does not
/// use up the time for all others; the search goes on while what it returns is true.
///
/// # Errors
/// When the default does not run, at the start or in the final comparison.
pub fn coordinate_search<'a, B: Runner<'a>, L: Fn() -> bool>(
    default: B::Shape,
    space: &[Axis<B::Shape>],
    precision: Precision,
    runner: &mut B,
    start: impl FnOnce() -> L,
) -> Result<Found<B::Shape>> {
    let mut tried = vec![runner.kernels(default)?];
    let mut first = runner.compile(default)?;
    let expected = std::mem::take(&mut first.result);
    let mut measured = vec![Measured::of(default, best_of(&mut first, None)?)];
    // Index in `measured`, and the candidate; `None` while the default is best.
    let mut best: (usize, Option<Candidate<'_>>) = (0, None);
    let time_left = start();
    'search: for along in space {
        for shape in along(measured[best.0].shape) {
            if !time_left() {
                log::debug!("out of time: {shape} and the rest are not tried");
                break 'search;
            }
            let kernels = runner.kernels(shape);
            if kernels.as_ref().is_ok_and(|kernels| tried.contains(kernels)) {
                continue;
            }
            let fastest = measured[best.0].ms;
            let attempt = kernels.and_then(|kernels| {
                tried.push(kernels);
                let mut candidate = runner.compile(shape)?;
                let result = std::mem::take(&mut candidate.result);
                compare(&result, expected.iter().map(|&value| f64::from(value)), precision)?;
                Ok((best_of(&mut candidate, fastest)?, candidate))
            });
            match attempt {
                Ok((time, candidate)) => {
                    measured.push(Measured::of(shape, time));
                    log::debug!("{shape}: {:.2} ms", ms(time));
                    if fastest.is_none_or(|fastest| ms(time) < WORTHWHILE * fastest) {
                        best = (measured.len() - 1, Some(candidate));
                    }
                }
                Err(error) => {
                    log::debug!("{shape} is rejected: {error}");
                    measured.push(Measured { shape, ms: None, reason: Some(error.to_string()) });
                }
            }
        }
    }
    // Compare once more, side by side: clocks ramp up, and other load comes and goes. This also notices a lost device.
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
    let faster = candidate.is_some() && ms(times[1]) < WORTHWHILE * ms(times[0]);
    Ok((measured[if faster { *place } else { 0 }].shape, measured))
}

/// The shortest of several runs; a single run if that is clearly slower than `fastest` milliseconds.
fn best_of(candidate: &mut Candidate<'_>, fastest: Option<f64>) -> Result<Duration> {
    let mut best = (candidate.time)()?;
    let mut sum = best;
    let clearly_slower = fastest.is_some_and(|fastest| ms(best) > CLEARLY_SLOWER * fastest);
    for _ in 1..if clearly_slower { 1 } else { REPEATS } {
        if sum > TIME_PER_CANDIDATE {
            break;
        }
        let time = (candidate.time)()?;
        best = best.min(time);
        sum += time;
    }
    Ok(best)
}

/// Milliseconds, with nanosecond resolution.
fn ms(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}

impl<S> Measured<S> {
    fn of(shape: S, time: Duration) -> Self {
        Self { shape, ms: Some(ms(time)), reason: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::gpu::kernels::{ConvShape, Fusion, MapRead, Registers, WeightLoad};
    use std::cell::Cell;
    use std::rc::Rc;

    const DEFAULT: ConvShape = ConvShape {
        spatial: Registers::P8x8,
        pointwise: Registers::P8x8,
        workgroup: [4, 16],
        fused: None,
        map_read: MapRead::Sampled,
    };

    const UNIFORM: Fusion = Fusion::Invocation(WeightLoad::Uniform);

    fn search_space() -> Vec<Axis<ConvShape>> {
        let ways = [None, Some(UNIFORM), Some(Fusion::Workgroup)];
        vec![
            axis(&ways, |shape, fused| ConvShape { fused, ..shape }),
            axis(&[[4, 16], [8, 8], [32, 2]], |shape, workgroup| ConvShape { workgroup, ..shape }),
            axis(&Registers::ALL, |shape, spatial| ConvShape { spatial, ..shape }),
            axis(&Registers::ALL, |shape, pointwise| ConvShape { pointwise, ..shape }),
        ]
    }

    /// A fake adapter: maps a shape to its time in microseconds and to a value of its result.
    struct FakeRunner<T: Fn(ConvShape) -> Result<(u64, f32)>> {
        adapter: T,
        compiled: Vec<ConvShape>,
        runs: Rc<Cell<u32>>,
    }

    impl<'a, T: Fn(ConvShape) -> Result<(u64, f32)>> Runner<'a> for FakeRunner<T> {
        type Shape = ConvShape;
        type Kernels = (Registers, Registers, [u32; 2], Option<Fusion>);

        fn kernels(&self, shape: Self::Shape) -> Result<Self::Kernels> {
            // Fused kernels have no register tiles.
            let tile = |registers| if shape.fused.is_none() { registers } else { Registers::P8x8 };
            Ok((tile(shape.spatial), tile(shape.pointwise), shape.workgroup, shape.fused))
        }

        fn compile(&mut self, shape: ConvShape) -> Result<Candidate<'a>> {
            self.compiled.push(shape);
            let (micros, value) = (self.adapter)(shape)?;
            let runs = self.runs.clone();
            let time = move || {
                runs.set(runs.get() + 1);
                Ok(Duration::from_micros(micros))
            };
            Ok(Candidate { result: vec![0.25, value, 0.75], time: Box::new(time) })
        }
    }

    fn fake<T: Fn(ConvShape) -> Result<(u64, f32)>>(adapter: T) -> FakeRunner<T> {
        FakeRunner { adapter, compiled: Vec::new(), runs: Rc::default() }
    }

    fn search<T: Fn(ConvShape) -> Result<(u64, f32)>>(
        runner: &mut FakeRunner<T>,
    ) -> Result<Found<ConvShape>> {
        coordinate_search(DEFAULT, &search_space(), Precision::F32, runner, || || true)
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
        let mut runner = fake(|shape| Ok((time(shape), 0.5)));
        let (best, measured) = search(&mut runner).unwrap();
        let wanted = ConvShape {
            spatial: Registers::P16x4,
            pointwise: Registers::P8x16,
            workgroup: [32, 2],
            fused: None,
            map_read: MapRead::Sampled,
        };
        assert_eq!(best, wanted);
        // Not the product of all axes, and nothing twice.
        assert_eq!(measured.len(), 1 + 2 + 2 + 3 + 3);
        assert!(runner.compiled.iter().enumerate().all(|(i, shape)| !runner.compiled[..i].contains(shape)));

        // Fused kernels do not depend on register tiles.
        let mut runner = fake(|shape| Ok((4000 - time(shape), 0.5)));
        let (best, measured) = search(&mut runner).unwrap();
        assert_eq!((best.fused, best.workgroup), (Some(UNIFORM), [4, 16]));
        assert_eq!(measured.len(), 1 + 2 + 2);
    }

    #[test]
    fn wrong_and_broken_candidates_cannot_win() {
        for wrong in [0.502, f32::NAN, 0.0] {
            let mut runner = fake(|shape| match shape.fused {
                None => Ok((1000, 0.5)),
                Some(UNIFORM) => Ok((10, wrong)),
                Some(_) => Err(Error::Gpu("refused by the driver".into())),
            });
            let (best, measured) = search(&mut runner).unwrap();
            assert_eq!(best, DEFAULT);
            assert_eq!(measured[1].ms, None);
            assert!(measured[1].reason.as_ref().unwrap().contains("off by"), "{measured:?}");
            assert!(measured[2].reason.as_ref().unwrap().contains("refused"), "{measured:?}");
        }
        // An error of the size of rounding to 16 bits passes only in that precision.
        let half = |shape: ConvShape| match shape.fused {
            None => Ok((1000, 0.5)),
            Some(_) => Ok((10, 0.502)),
        };
        for (precision, wins) in [(Precision::F32, false), (Precision::F16, true)] {
            let (best, _) =
                coordinate_search(DEFAULT, &search_space(), precision, &mut fake(half), || || true).unwrap();
            assert_eq!(best != DEFAULT, wins, "{precision}");
        }
        // The same candidate with the right values does win.
        let right = |shape: ConvShape| Ok((if shape.fused.is_none() { 1000 } else { 10 }, 0.50001));
        assert_eq!(search(&mut fake(right)).unwrap().0.fused, Some(UNIFORM));
        let broken = fake(|_| Err(Error::Gpu("nothing runs".into())));
        assert!(search(&mut { broken }).unwrap_err().to_string().contains("nothing runs"));
    }

    #[test]
    fn small_gains_change_nothing_and_slow_candidates_run_once() {
        let mut runner = fake(|shape| Ok((if shape == DEFAULT { 1000 } else { 980 }, 0.5)));
        assert_eq!(search(&mut runner).unwrap().0, DEFAULT);
        let mut runner = fake(|shape| Ok((if shape == DEFAULT { 1000 } else { 1300 }, 0.5)));
        let (best, measured) = search(&mut runner).unwrap();
        let others = measured.len() as u32 - 1;
        assert_eq!((best, runner.runs.get()), (DEFAULT, REPEATS + others + REPEATS));
        // Out of time at once: the default alone, which takes none of it.
        let mut runner = fake(|_| Ok((1000, 0.5)));
        let runs = runner.runs.clone();
        let start = || {
            assert_eq!(runs.get(), REPEATS);
            || false
        };
        let (best, measured) =
            coordinate_search(DEFAULT, &search_space(), Precision::F32, &mut runner, start).unwrap();
        assert_eq!((best, measured.len()), (DEFAULT, 1));
    }

    /// A candidate that only looked fast because of other load loses the final comparison.
    #[test]
    fn the_end_is_side_by_side() {
        let runs = Rc::new(Cell::new(0));
        struct ChangingRunner(Rc<Cell<u32>>);
        impl Runner<'static> for ChangingRunner {
            type Shape = ConvShape;
            type Kernels = ConvShape;
            fn kernels(&self, shape: ConvShape) -> Result<ConvShape> {
                Ok(shape)
            }
            fn compile(&mut self, shape: ConvShape) -> Result<Candidate<'static>> {
                let runs = self.0.clone();
                let time = move || {
                    runs.set(runs.get() + 1);
                    // The first runs are slow, whichever candidate runs.
                    Ok(Duration::from_micros(match (runs.get() <= REPEATS, shape == DEFAULT) {
                        (true, _) => 3000,
                        (_, true) => 1000,
                        (_, false) => 1500,
                    }))
                };
                Ok(Candidate { result: vec![0.5], time: Box::new(time) })
            }
        }
        let (best, measured) =
            coordinate_search(DEFAULT, &search_space(), Precision::F32, &mut ChangingRunner(runs), || {
                || true
            })
            .unwrap();
        assert_eq!((best, measured[0].ms), (DEFAULT, Some(1.0)));
    }
}
