//! From the metrics of runs to diagrams: `curve.svg` of one run, and several runs in one.

use std::path::Path;

use super::config::TrainConfig;
use super::run::{EvalRecord, Record, RunFolder, SetScore};
use super::validate::{SetInfo, published_lines};
use crate::chart::{Panel, render};
use crate::error::{Error, Result};
use crate::eval::dataset::{Dataset, stem};
use crate::eval::protocol::Compared;

/// What a run has measured so far.
#[derive(Debug, Clone)]
pub struct Curve {
    name: String,
    config: TrainConfig,
    records: Vec<Record>,
}

impl Curve {
    /// Reads a run's folder.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a folder without a run, or whose run has measured nothing; [`Error::Output`] for metrics that
    /// cannot be read.
    pub fn read(name: String, path: &Path) -> Result<Self> {
        let (folder, config) = RunFolder::open(path)?;
        let records = folder.records()?;
        if records.is_empty() {
            return Err(Error::invalid(format!("{}: the run has measured nothing yet", path.display())));
        }
        Ok(Self { name, config, records })
    }

    /// A validation set of the run, as a diagram tells it from others.
    fn set(&self, index: usize) -> Option<Set> {
        let score = evals(&self.records).next_back()?.sets.get(index)?;
        Some(Set { name: score.set.clone(), scale: score.scale, samples: score.samples })
    }

    fn sets(&self) -> Vec<Set> {
        let count = evals(&self.records).next_back().map_or(0, |eval| eval.sets.len());
        (0..count).filter_map(|index| self.set(index)).collect()
    }
}

/// A validation set at a scale.
#[derive(Debug, Clone, PartialEq)]
struct Set {
    name: String,
    scale: usize,
    samples: Compared,
}

/// Diagrams of several runs, as an SVG document: for each validation set PSNR over backprops, with a curve for each run that has
/// measured it; one of the loss where no run has any.
pub fn compare(runs: &[Curve]) -> String {
    let mut sets: Vec<Set> = Vec::new();
    for set in runs.iter().flat_map(Curve::sets) {
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    if sets.is_empty() {
        let curves = runs.iter().map(|run| (run.name.clone(), losses(&run.records))).collect();
        return render(&[Panel { curves, ..loss_panel(String::new()) }]);
    }
    let panel = |set: &Set| {
        let mut panel = Panel {
            title: format!("{} x{}", set.name, set.scale),
            y_label: y_label(set.samples),
            x_label: "backprops".into(),
            ..Panel::default()
        };
        for run in runs {
            let Some(index) = run.sets().iter().position(|own| own == set) else { continue };
            panel.curves.extend(curves(&run.name, &run.records, index));
            if panel.lines.is_empty() {
                let bicubic = bicubic(&run.records, index);
                panel.lines.extend(bicubic.clone());
                // As long as the pictures are where they were.
                // Each folder is a set for each scale.
                let mut folders = run.config.val.iter().chain(&run.config.watch);
                let folder = folders.nth(index / run.config.scale.iter().count());
                let folder = folder.and_then(|folder| Dataset::open(folder).ok());
                let luminance = folder.filter(|_| set.samples == Compared::Luminance);
                panel.lines.extend(luminance.into_iter().zip(bicubic).flat_map(|(folder, (_, bicubic))| {
                    let stems: Vec<String> = folder.pictures.iter().map(|path| stem(path)).collect();
                    published_lines(stems.iter().map(String::as_str), set.scale, bicubic)
                }));
            }
        }
        panel
    };
    render(&sets.iter().map(panel).collect::<Vec<_>>())
}

/// A diagram of PSNR over backprops for each set, with bicubic and published averages as lines; without sets
/// one of the training loss.
pub(super) fn panels(config: &TrainConfig, sets: &[SetInfo], records: &[Record]) -> Vec<Panel> {
    if sets.is_empty() {
        let curves = vec![("this run".into(), losses(records))];
        return vec![Panel { curves, ..loss_panel(format!(" x{}", config.scale)) }];
    }
    let panel = |(i, info): (usize, &SetInfo)| Panel {
        title: format!(
            "{} x{}, {} {}{}",
            info.name,
            info.scale,
            config.arch,
            config.filters,
            if info.watched { ", only watched" } else { "" }
        ),
        y_label: y_label(info.samples),
        x_label: "backprops".into(),
        curves: curves("this run", records, i),
        lines: bicubic(records, i).into_iter().chain(info.published.iter().cloned()).collect(),
        ..Panel::default()
    };
    sets.iter().enumerate().map(panel).collect()
}

fn loss_panel(of: String) -> Panel {
    Panel {
        title: format!("Training loss{of}"),
        y_label: "log10 of the loss".into(),
        x_label: "backprops".into(),
        ..Panel::default()
    }
}

fn y_label(samples: Compared) -> String {
    match samples {
        Compared::Luminance => "PSNR (dB)".into(),
        Compared::Rgb => "PSNR of RGB (dB)".into(),
    }
}

/// The logarithms of the losses over backprops.
fn losses(records: &[Record]) -> Vec<(f64, f64)> {
    let point = |record: &Record| match record {
        Record::Step(step) => Some((step.backprops as f64, step.loss.log10())),
        Record::Eval(_) => None,
    };
    records.iter().filter_map(point).collect()
}

/// PSNR on a set over backprops: a curve of the weights themselves and, if the run keeps one, of their average.
fn curves(name: &str, records: &[Record], set: usize) -> Vec<(String, Vec<(f64, f64)>)> {
    let points = |sets: fn(&EvalRecord) -> &[SetScore]| -> Vec<(f64, f64)> {
        let point = |eval: &EvalRecord| Some((eval.backprops as f64, sets(eval).get(set)?.psnr));
        evals(records).filter_map(point).collect()
    };
    let own = (name.to_string(), points(|eval| &eval.sets));
    let average = (format!("{name}, average"), points(|eval| &eval.average));
    [own].into_iter().chain(Some(average).filter(|(_, points)| !points.is_empty())).collect()
}

fn bicubic(records: &[Record], set: usize) -> Option<(String, f64)> {
    let last = evals(records).filter_map(|eval| eval.sets.get(set)).next_back();
    last.map(|set| ("bicubic".to_string(), set.psnr_bicubic))
}

/// The evaluations among the records.
pub(super) fn evals(records: &[Record]) -> impl DoubleEndedIterator<Item = &EvalRecord> {
    records.iter().filter_map(|record| match record {
        Record::Eval(record) => Some(record),
        Record::Step(_) => None,
    })
}
