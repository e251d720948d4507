//! Training by several ranks, here threads with a device each, against one process.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::common;
use image::{GrayImage, Luma};
use srcnn_gpu::headless::{AdapterSelection, Gpu};
use srcnn_gpu::ranks::Communicator;
use srcnn_gpu::ranks::threads::Thread;
use srcnn_gpu::train::config::TrainConfig;
use srcnn_gpu::train::data_parallel::agree::{self, Setup};
use srcnn_gpu::train::data_parallel::link::{Command, Link};
use srcnn_gpu::train::data_parallel::{Leader, LeaderValidation, RankEngine, work};
use srcnn_gpu::train::dataset::Dataset;
use srcnn_gpu::train::engine::GpuEngine;
use srcnn_gpu::train::init::initialize;
use srcnn_gpu::train::recipe::{Overrides, resolve};
use srcnn_gpu::train::run::SetScore;
use srcnn_gpu::train::validate::{Validate, Validator};
use srcnn_gpu::train::{State, TrainEngine};
use srcnn_gpu::{Metadata, Weights};

/// Steps of each call.
const CALLS: [usize; 3] = [1, 9, 5];
/// Values of an 8-bit shard of two pictures: several shards, so that ranks have to change them together.
const BUDGET: usize = 40_000;

fn pictures(folder: &Path) {
    for i in 0..5u32 {
        let spot = |x: u32, y: u32| (x / (3 + i) + y / (7 - i)) % 2 * 130 + (x * y + i) % 60;
        let picture = GrayImage::from_fn(57 + i, 60, |x, y| Luma([spot(x, y) as u8]));
        picture.save(folder.join(format!("{i}.png"))).unwrap();
    }
}

fn config(folder: &Path) -> TrainConfig {
    let flags = Overrides {
        data: vec![folder.into()],
        val: vec![folder.into()],
        scale: Some("3".parse().unwrap()),
        arch: Some("5-1-3".into()),
        filters: Some("8-4".into()),
        // Not a multiple of 2 or 3.
        batch: Some(13),
        patch: Some(21),
        stride: Some(5),
        average: Some(0.9),
        ..Overrides::default()
    };
    resolve(None, &flags).unwrap()
}

fn first(config: &TrainConfig) -> State {
    let architecture = config.architecture().unwrap();
    let first = initialize(&architecture, config.initialization, 3, Metadata::default()).unwrap();
    State::new(first.layers().to_vec(), config.optimizer.slots()).with_average()
}

fn gpu() -> Gpu {
    srcnn_gpu::headless::open(&AdapterSelection::default()).unwrap()
}

fn weights(state: &State) -> Weights {
    let metadata = Metadata { scales: vec![3.0], ..Metadata::default() };
    Weights::new(state.layers.clone(), metadata).unwrap()
}

/// What a run ends with: its losses, its state, and how its network measures.
type Ended = (Vec<f64>, State, Vec<SetScore>);

fn steps(engine: &mut dyn TrainEngine) -> (Vec<f64>, State) {
    let losses = CALLS.iter().map(|&count| engine.train(&vec![1.0; count]).unwrap()).collect();
    (losses, engine.state().unwrap())
}

fn alone(config: &TrainConfig) -> Ended {
    let data = Arc::new(Dataset::open(config, BUDGET).unwrap());
    assert!(data.lengths().len() > 1, "one shard only");
    let gpu = gpu();
    let mut engine = GpuEngine::new(&gpu, config, data, &first(config)).unwrap();
    let (losses, state) = steps(&mut engine);
    let scores = Validator::open(gpu, config).unwrap().evaluate(&weights(&state)).unwrap().sets;
    (losses, state, scores)
}

/// The same by several ranks, the second of which wishes to end.
fn together(config: &TrainConfig, size: usize) -> Ended {
    let rank = |thread: Thread| {
        let link = Link::new(Rc::new(thread));
        agree::hello(&link, "the same").unwrap();
        let own = Setup::Begin(Box::new((config.clone(), first(config))));
        let is_first = link.ranks.rank() == 0;
        let setup = agree::setup(&link, is_first.then_some(&own)).unwrap();
        let Setup::Begin(begin) = setup else { panic!("no setup") };
        assert!(begin.0 == *config && begin.1 == first(config), "the setup has changed on its way");
        let data = Arc::new(Dataset::open(config, BUDGET).unwrap());
        let gpu = gpu();
        let agreed = agree::agree(&link, &agree::ready(&data.fingerprint, &gpu)).unwrap().unwrap();
        assert_eq!(agreed.others, []);
        let mut engine = RankEngine::new(&gpu, config, data, &begin.1, link.ranks.clone()).unwrap();
        let mut validator = Validator::open(gpu, config).unwrap();
        if !is_first {
            let wish = if link.ranks.rank() == 1 { 143 } else { 0 };
            assert_eq!(work(&link, &mut engine, Some(&mut validator), &|| wish).unwrap(), 7);
            return None;
        }
        let wished = Arc::new(AtomicU8::new(0));
        let heard = wished.clone();
        let mut leader = Leader::new(engine, link.clone(), move |code| heard.store(code, Ordering::Relaxed));
        let (losses, state) = steps(&mut leader);
        let mut validation = LeaderValidation::new(validator, link.clone());
        let scores = validation.evaluate(&weights(&state)).unwrap().sets;
        assert!(!link.is_busy() && wished.load(Ordering::Relaxed) == if size > 1 { 143 } else { 0 });
        assert_eq!(leader.exchange().unwrap().ranks, size);
        link.send(&Command::End(7)).unwrap();
        Some((losses, state, scores))
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            Thread::group(size).into_iter().map(|thread| scope.spawn(|| rank(thread))).collect();
        let mut ends: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        ends.swap_remove(0).unwrap()
    })
}

fn values(state: &State) -> Vec<f64> {
    let layers = state.average.iter().flatten().chain(&state.layers);
    layers.flat_map(|l| l.weight.iter().chain(&l.bias)).map(|&v| v.into()).collect()
}

/// The largest difference of two states' parameters, in parts of the largest parameter.
fn apart(one: &State, other: &State) -> f64 {
    let (one, other) = (values(one), values(other));
    let largest = one.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    one.iter().zip(other).fold(0.0f64, |most, (a, b)| most.max((a - b).abs())) / largest
}

#[test]
fn ranks_train_as_one_process() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    pictures(folder.path());
    let config = config(folder.path());
    let one = alone(&config);
    // Adam divides by the root of the squared gradients, so a rounding error of a gradient near zero counts in full; 15
    // steps with a rate of 0.01 keep it far below this.
    let tolerance = 1e-4;
    assert!(apart(&first(&config), &one.1) > 100.0 * tolerance, "the comparison cannot fail");
    for size in 1..=3 {
        let (losses, state, scores) = together(&config, size);
        let difference = apart(&one.1, &state);
        println!("{size} ranks: parameters differ by {difference:e} of the largest");
        assert!(difference < tolerance, "{size} ranks: {difference:e}");
        assert!(size > 1 || difference == 0.0, "one rank alone rounds differently");
        for (loss, expected) in losses.iter().zip(&one.0) {
            assert!((loss - expected).abs() < 1e-4 * expected, "{size} ranks: {losses:?}, {:?}", one.0);
        }
        assert!((scores[0].psnr - one.2[0].psnr).abs() < 0.01);
        if size == 3 {
            let again = together(&config, size);
            assert!(again.0 == losses && again.1 == state && again.2 == scores, "not the same bits");
            // The same network is measured alike by one process.
            let alone = Validator::open(gpu(), &config).unwrap().evaluate(&weights(&state)).unwrap();
            assert_eq!(alone.sets, scores);
        }
    }
}

/// Ranks that do not fit together end before the first step, all with the same words.
#[test]
fn ranks_that_do_not_fit() {
    let results: Vec<_> = std::thread::scope(|scope| {
        let rank = |thread: Thread| {
            let number = thread.rank();
            let link = Link::new(Rc::new(thread));
            let settings = if number == 2 { "others" } else { "some" };
            let hello = agree::hello(&link, settings).unwrap_err().to_string();
            let pictures = if number == 1 { "b" } else { "a" };
            let ready = Ok((pictures.into(), "an adapter".into()));
            let differing = agree::agree(&link, &ready).unwrap().unwrap_err();
            let ready =
                if number == 1 { Err(("no adapter".into(), 3)) } else { Ok(("a".into(), "x".into())) };
            let failing = agree::agree(&link, &ready).unwrap().unwrap_err();
            let ready = Ok(("a".into(), format!("adapter {}", number / 2)));
            let others = agree::agree(&link, &ready).unwrap().unwrap().others;
            (hello, differing, failing, others)
        };
        let threads: Vec<_> = Thread::group(3).into_iter().map(|t| scope.spawn(move || rank(t))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (hello, differing, failing, others) in results {
        assert_eq!(hello, "rank 2 (this process) has other arguments than rank 0");
        assert_eq!(differing.1, 6);
        assert!(differing.0[0].contains("rank 1") && differing.0[0].contains("pictures"), "{differing:?}");
        assert_eq!(failing, (vec!["rank 1 (this process): no adapter".to_string()], 3));
        assert_eq!(others, [(2, "adapter 1".to_string())]);
    }
}
