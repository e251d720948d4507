//! The loop of a run with a stand-in for the GPU: what it keeps, what it reports, and that an interruption at any
//! moment changes nothing.

use std::fs;
use std::time::Duration;

use srcnn_gpu::train::State;
use srcnn_gpu::train::config::{Interval, Limit, Schedule, TimeSpan};
use srcnn_gpu::train::event::Event;
use srcnn_gpu::train::run::{Record, RunFolder};
use srcnn_gpu::train::session::{Outcome, Session};
use srcnn_gpu::{Error, Weights};

mod stand_ins;

use stand_ins::{Run, folder};

/// The metrics without speeds, which differ from run to run.
fn metrics(folder: &RunFolder) -> Vec<String> {
    let records = folder.records().unwrap().into_iter().map(|mut record| {
        if let Record::Step(step) = &mut record {
            step.subimages_per_second = 0.0;
        }
        serde_json::to_string(&record).unwrap()
    });
    records.collect()
}

#[test]
fn a_whole_run() {
    let parent = tempfile::tempdir().unwrap();
    let run = Run::new(45);
    let folder = folder(&parent, "run", &run.config);
    let report = run.go(&folder, None);
    assert_eq!(report.outcome.unwrap(), Outcome::Done);
    assert_eq!(report.state.step, 45);
    let last = folder.load_checkpoint().unwrap().unwrap();
    assert_eq!((last.state, last.backprops, last.best), (report.state, 90, Some(32.0)));
    let best = Weights::load(&folder.best()).unwrap();
    assert!(best.metadata.training.unwrap().contains("30 steps, 60 backprops"));
    assert_eq!(best.metadata.psnr.unwrap()[0]["psnr"], 32.0);
    assert_eq!(best.metadata.scales, [3.0]);
    for file in ["config.toml", "metrics.jsonl", "curve.svg", "filters.png", "samples/a.png"] {
        assert!(folder.path().join(file).exists(), "{file}");
    }
    let curve = fs::read_to_string(folder.curve()).unwrap();
    assert!(curve.contains("bicubic 30.39") && curve.contains("SRCNN 32.39") && curve.contains("<polyline"));
    let records = folder.records().unwrap();
    let evals: Vec<u64> = records.iter().filter(|r| matches!(r, Record::Eval(_))).map(Record::step).collect();
    assert_eq!(evals, [10, 20, 30, 40, 45]);
    let below: Vec<_> = report.events.iter().filter(|e| matches!(e, Event::Below { .. })).collect();
    assert_eq!(below.len(), 1);
    assert!(matches!(report.events.first(), Some(Event::Start { step: 0, total_steps: Some(45), .. })));
    assert!(matches!(report.events.last(), Some(Event::End { step: 45, interrupted: false, .. })));
    // The first loss is the mean of the stand-in's losses.
    let Record::Step(first) = &records[0] else { panic!("{records:?}") };
    assert_eq!((first.step, first.loss), (1, 1.0));
    assert_eq!(first.learning_rates.len(), 3);
    let Record::Step(last) = &records[records.len() - 2] else { panic!("{records:?}") };
    assert!(last.learning_rates[0] < 0.2 * first.learning_rates[0]);
}

/// Stopped at every possible step and continued, a run gives the same parameters, metrics and curve.
#[test]
fn interrupted_anywhere_it_ends_the_same() {
    let parent = tempfile::tempdir().unwrap();
    let whole = Run::new(25);
    let reference = folder(&parent, "whole", &whole.config);
    let expected = whole.go(&reference, None).state;
    for stops in 1..25 {
        let run = Run { stops, ..Run::new(25) };
        let folder = folder(&parent, &format!("{stops}"), &run.config);
        let part = run.go(&folder, None);
        assert_eq!(part.outcome.unwrap(), Outcome::Interrupted);
        assert!(matches!(part.events.last(), Some(Event::End { interrupted: true, .. })));
        let checkpoint = folder.load_checkpoint().unwrap().unwrap();
        assert!(checkpoint.state.step >= stops && checkpoint.state == part.state);
        Session::check(&checkpoint, &run.config, "d").unwrap();
        let rest = whole.go(&folder, Some(&checkpoint));
        assert_eq!(rest.outcome.unwrap(), Outcome::Done);
        assert!(rest.state == expected, "stopped at {stops}");
        assert_eq!(metrics(&folder).last(), metrics(&reference).last());
        assert_eq!(fs::read(folder.best()).unwrap(), fs::read(reference.best()).unwrap());
        assert_eq!(fs::read(folder.curve()).unwrap(), fs::read(reference.curve()).unwrap());
    }
}

/// After a kill, what the metrics have beyond the checkpoint is redone, once.
#[test]
fn killed_and_continued() {
    let parent = tempfile::tempdir().unwrap();
    let run = Run::new(25);
    let reference = folder(&parent, "whole", &run.config);
    let expected = run.go(&reference, None).state;
    let folder = folder(&parent, "killed", &run.config);
    // Broken at step 19, after evaluations and records beyond the checkpoint of step 14.
    let broken = Run { breaks: 19, ..Run::new(25) }.go(&folder, None);
    assert!(matches!(broken.outcome, Err(Error::Diverged(_))));
    let mut file = fs::File::options().append(true).open(folder.metrics()).unwrap();
    std::io::Write::write_all(&mut file, b"{\"kind\":\"st").unwrap();
    let checkpoint = folder.load_checkpoint().unwrap().unwrap();
    assert_eq!(checkpoint.state.step, 14);
    let rest = run.go(&folder, Some(&checkpoint));
    assert!(rest.state == expected);
    assert_eq!(metrics(&folder), metrics(&reference));
}

#[test]
fn divergence_keeps_the_last_good_checkpoint() {
    let parent = tempfile::tempdir().unwrap();
    let run = Run { breaks: 12, ..Run::new(25) };
    let folder = folder(&parent, "run", &run.config);
    let error = run.go(&folder, None).outcome.unwrap_err().to_string();
    assert!(error.contains("learning rates") && error.contains("checkpoint of step 7"), "{error}");
    let kept = folder.load_checkpoint().unwrap().unwrap();
    assert!(kept.state.step == 7 && kept.state.is_finite());
}

#[test]
fn without_validation_the_last_weights_are_kept() {
    let parent = tempfile::tempdir().unwrap();
    let run = Run { scores: Vec::new(), ..Run::new(20) };
    let folder = folder(&parent, "run", &run.config);
    let report = run.go(&folder, None);
    assert_eq!(report.outcome.unwrap(), Outcome::Done);
    let weights = Weights::load(&folder.best()).unwrap();
    assert_eq!(weights.layers(), report.state.layers);
    assert!(fs::read_to_string(folder.curve()).unwrap().contains("log10 of the loss"));
}

/// The better of the weights and their average is kept, and its file says which it is.
#[test]
fn the_average_of_the_weights_is_judged_too() {
    let parent = tempfile::tempdir().unwrap();
    for (name, scores, wins) in [
        ("a", vec![29.0, 30.0, 31.0, 33.0], true),
        ("b", vec![29.0, 30.0, 33.0, 31.0], false),
        ("c", vec![], true),
    ] {
        let mut run = Run { scores, ..Run::new(20) };
        run.config.average = 0.9;
        let folder = folder(&parent, name, &run.config);
        let State { layers, average, .. } = run.go(&folder, None).state;
        let best = Weights::load(&folder.best()).unwrap();
        assert_eq!(best.layers(), if wins { average.unwrap() } else { layers }, "{name}");
        let training = best.metadata.training.unwrap();
        assert_eq!(training.contains("average of the weights"), wins, "{name}: {training}");
        let Some(Record::Eval(last)) = folder.records().unwrap().pop() else { continue };
        assert_eq!((last.average.len(), last.psnr(), last.is_average_better()), (2, 33.0, wins));
        assert_eq!(fs::read_to_string(folder.curve()).unwrap().matches("<polyline").count(), 4);
    }
}

/// With a time limit, the schedule follows the clock, even when steps become slower: the run ends in time at its final
/// learning rates.
#[test]
fn time_spans() {
    let parent = tempfile::tempdir().unwrap();
    let mut run = Run { scores: Vec::new(), ..Run::new(1) };
    run.config.limit = Limit::Time("2s".parse().unwrap());
    run.config.schedule = Schedule::Cosine { warmup: 0, last: 0.1 };
    (run.config.eval_every, run.config.save_every) = (Interval::Steps(10), 1_000_000_000);
    run.pace = |step| if step < 60 { 2 } else { 12 };
    let rates = |folder: &RunFolder| -> Vec<f64> {
        let records = folder.records().unwrap();
        records
            .iter()
            .filter_map(|r| if let Record::Step(r) = r { Some(r.learning_rates[0]) } else { None })
            .collect()
    };
    let first = folder(&parent, "first", &run.config);
    let report = run.go(&first, None);
    assert_eq!(report.outcome.unwrap(), Outcome::Done);
    let checkpoint = first.load_checkpoint().unwrap().unwrap();
    // At the initial speed, a thousand steps would have fitted.
    let (steps, seconds) = (checkpoint.state.step, checkpoint.elapsed.as_secs_f64());
    assert!(steps > 60 && steps < 400 && (2.0..5.0).contains(&seconds), "{steps} steps, {seconds} s");
    let all = rates(&first);
    let highest = run.config.optimizer.learning_rates()[0];
    assert!(all.is_sorted_by(|a, b| a >= b), "{all:?}");
    let (begin, end) = (all[0] / highest, all[all.len() - 1] / highest);
    assert!(begin > 0.99 && end < 0.25, "from {begin} to {end}");
    assert!(
        report.events.iter().any(|e| matches!(e, Event::Estimate { total_steps, .. } if *total_steps > 60))
    );

    // After an interruption: the rest of the time, from the rates that the first part reached.
    let second = folder(&parent, "second", &run.config);
    let part = Run { stops: 70, ..run.clone() }.go(&second, None);
    assert_eq!(part.outcome.unwrap(), Outcome::Interrupted);
    let checkpoint = second.load_checkpoint().unwrap().unwrap();
    assert_eq!(run.go(&second, Some(&checkpoint)).outcome.unwrap(), Outcome::Done);
    let seconds = second.load_checkpoint().unwrap().unwrap().elapsed.as_secs_f64();
    assert!((2.0..5.0).contains(&seconds), "{seconds} s");
    let all = rates(&second);
    assert!(all.is_sorted_by(|a, b| a >= b) && all[all.len() - 1] < 0.25 * highest, "{all:?}");
}

/// The first block of steps and the first evaluation compile kernels. Each alone takes longer here than the whole limit.
#[test]
fn what_compiles_kernels_is_no_time_of_training() {
    let parent = tempfile::tempdir().unwrap();
    let mut run = Run::new(1);
    run.config.limit = Limit::Time(TimeSpan(Duration::from_millis(400)));
    run.config.eval_every = Interval::Steps(2);
    run.pace = |step| if step == 1 { 600 } else { 4 };
    run.first_evaluation = 600;
    let folder = folder(&parent, "run", &run.config);
    let report = run.go(&folder, None);
    assert_eq!(report.outcome.unwrap(), Outcome::Done);
    assert!(report.state.step > 2, "{}", report.state.step);
    let Some(Event::End { seconds, .. }) = report.events.last() else { panic!("{:?}", report.events) };
    assert!((0.4..1.0).contains(seconds), "{seconds} s");
    // A run that goes on compiles them again.
    run.config.limit = Limit::Time(TimeSpan(Duration::from_secs_f64(seconds + 0.4)));
    run.pace = |step| if step % 1000 == 0 { 600 } else { 4 };
    let mut checkpoint = folder.load_checkpoint().unwrap().unwrap();
    checkpoint.state.step = 999;
    let report = run.go(&folder, Some(&checkpoint));
    assert!(report.state.step > 1000, "{}", report.state.step);
}

#[test]
fn a_folder_that_disappears_is_reported() {
    let parent = tempfile::tempdir().unwrap();
    let mut run = Run::new(20);
    let folder = folder(&parent, "run", &run.config);
    run.removes = Some(folder.path().into());
    let error = run.go(&folder, None).outcome.unwrap_err();
    assert!(matches!(&error, Error::Output { reason, .. } if reason.contains("gone")), "{error}");
}

#[test]
fn checkpoints_of_other_runs_are_refused() {
    let parent = tempfile::tempdir().unwrap();
    let run = Run::new(7);
    let folder = folder(&parent, "run", &run.config);
    run.go(&folder, None).outcome.unwrap();
    let checkpoint = folder.load_checkpoint().unwrap().unwrap();
    let mut other = run.config.clone();
    other.seed = 1;
    assert!(Session::check(&checkpoint, &other, "d").unwrap_err().to_string().contains("seed 1"));
    assert!(Session::check(&checkpoint, &run.config, "e").unwrap_err().to_string().contains("pictures"));
    let mut longer = run.config;
    longer.limit = Limit::Steps(100);
    Session::check(&checkpoint, &longer, "d").unwrap();
}
