//! From a run's metrics to the diagrams of `curve.svg`.

use super::config::TrainConfig;
use super::run::{EvalRecord, Record};
use super::validate::SetInfo;
use crate::chart::Panel;
use crate::eval::protocol::Compared;

/// A diagram of PSNR over backprops for each set, with bicubic and published averages as lines; without sets
/// one of the training loss.
pub fn panels(config: &TrainConfig, sets: &[SetInfo], records: &[Record]) -> Vec<Panel> {
    if sets.is_empty() {
        let points = records.iter().filter_map(|record| match record {
            Record::Step(step) => Some((step.backprops as f64, step.loss.log10())),
            Record::Eval(_) => None,
        });
        return vec![Panel {
            title: format!("Training loss x{}", config.scale),
            y_label: "log10 of the loss".into(),
            x_label: "backprops".into(),
            curves: vec![("this run".into(), points.collect())],
            ..Panel::default()
        }];
    }
    let panel = |(i, info): (usize, &SetInfo)| {
        let scores = || evals(records).filter_map(|eval| Some((eval.backprops as f64, eval.sets.get(i)?)));
        let bicubic = scores().next_back().map(|(_, set)| ("bicubic".to_string(), set.psnr_bicubic));
        Panel {
            title: format!("{} x{}, {} {}", info.name, info.scale, config.arch, config.filters),
            y_label: match info.samples {
                Compared::Luminance => "PSNR (dB)".into(),
                Compared::Rgb => "PSNR of RGB (dB)".into(),
            },
            x_label: "backprops".into(),
            curves: vec![("this run".into(), scores().map(|(x, set)| (x, set.psnr)).collect())],
            lines: bicubic.into_iter().chain(info.published.iter().cloned()).collect(),
            ..Panel::default()
        }
    };
    sets.iter().enumerate().map(panel).collect()
}

/// The evaluations among the records.
pub fn evals(records: &[Record]) -> impl DoubleEndedIterator<Item = &EvalRecord> {
    records.iter().filter_map(|record| match record {
        Record::Eval(record) => Some(record),
        Record::Step(_) => None,
    })
}
