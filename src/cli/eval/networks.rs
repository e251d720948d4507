//! The networks that `eval` measures, compiled.

use std::collections::HashSet;
use std::time::Instant;

use srcnn_gpu::dictionary::DictionaryUpscaler;
use srcnn_gpu::enlarge::{Traces, enlarge_planes};
use srcnn_gpu::eval::Enlarge;
use srcnn_gpu::eval::dataset::Picture;
use srcnn_gpu::eval::protocol::Measured;
use srcnn_gpu::headless::adapter::describe;
use srcnn_gpu::headless::{Headless, HeadlessOptions, Timing};
use srcnn_gpu::{Enlargement, Metadata, Planes, Result};

use super::EvalArgs;
use super::methods::{Column, Method};
use crate::cli::args::models::{Model, Trained};

/// A compiled network.
pub struct Compiled {
    /// The indices of its method and among its method's networks.
    key: (usize, usize),
    /// What it knows of its scales; nothing of those of a network that crops, which has to do all of an enlargement.
    metadata: Metadata,
    engine: Box<dyn Enlarge>,
}

/// A network that enlarges by a trained scale, and bicubic interpolation for the rest, as in `upscale`.
struct InOneStep<'a>(&'a mut Compiled);

impl Enlarge for InOneStep<'_> {
    fn enlarge(&mut self, low: &Planes, width: usize, height: usize) -> Result<(Planes, Timing)> {
        let Compiled { metadata, engine, .. } = &mut *self.0;
        let (start, mut timing) = (Instant::now(), Timing::default());
        let factor = (width as f64 / low.width as f64 * height as f64 / low.height as f64).sqrt();
        let network = |low: &Planes, enlargement: Enlargement| {
            let (width, height) = enlargement.size((low.width as u32, low.height as u32))?;
            let (planes, took) = engine.enlarge(low, width as usize, height as usize)?;
            timing = took;
            Ok(planes)
        };
        let enlargement = Enlargement::Size(width as u32, height as u32);
        let planes = enlarge_planes(low, enlargement, metadata.step(factor), network)?;
        Ok((planes, Timing { wall: start.elapsed(), ..timing }))
    }
}

/// Two networks, of which each picture gets one: by whether it has the traces of compression.
struct ByTraces<'a> {
    traced: &'a mut dyn Enlarge,
    clean: &'a mut dyn Enlarge,
}

impl Enlarge for ByTraces<'_> {
    fn enlarge(&mut self, low: &Planes, width: usize, height: usize) -> Result<(Planes, Timing)> {
        // Luminance is the first plane of both networks' pictures.
        let traces = Traces::look([low.width, low.height], |x, y| low.data[y * low.width + x]);
        match traces.is_some_and(|traces| traces.are_strong()) {
            true => self.traced.enlarge(low, width, height),
            false => self.clean.enlarge(low, width, height),
        }
    }
}

/// Measures a picture with a column's network, or with one of its two.
///
/// # Errors
/// As [`Protocol::measure`](srcnn_gpu::eval::protocol::Protocol::measure).
pub fn measure(networks: &mut [Compiled], column: &Column, picture: &Picture) -> Result<Measured> {
    let mut found = [column.network, column.clean].map(|_| None);
    for network in networks {
        for (found, index) in found.iter_mut().zip([column.network, column.clean]) {
            if index.is_some_and(|index| network.key == (column.method, index)) {
                *found = Some(InOneStep(network));
                break;
            }
        }
    }
    match found {
        [Some(mut traced), Some(mut clean)] => {
            column.protocol.measure(picture, &mut ByTraces { traced: &mut traced, clean: &mut clean })
        }
        [Some(mut network), None] => column.protocol.measure(picture, &mut network),
        _ => column.protocol.measure_bicubic(picture),
    }
}

/// Opens the adapter and compiles all networks that are measured. Bicubic interpolation alone needs neither.
pub fn open(
    args: &EvalArgs,
    methods: &[Method],
    tables: &[Vec<Column>],
    sizes: &[(u32, u32)],
) -> Result<(Vec<Compiled>, String)> {
    let wanted = |column: &Column| {
        let networks = [column.network, column.clean];
        networks.map(|network| Some((column.method, network?)))
    };
    let mut keys: Vec<(usize, usize)> = tables.iter().flatten().flat_map(wanted).flatten().collect();
    // In the order of the scales that first use a network.
    let mut seen = HashSet::new();
    keys.retain(|&key| seen.insert(key));
    if keys.is_empty() {
        return Ok((Vec::new(), "none".into()));
    }
    let gpu = args.gpu.open()?;
    args.precision.check(&gpu)?;
    let options = HeadlessOptions::default()
        .with_padding(args.padding)
        .with_tile(args.tile)
        .with_tta(args.tta)
        .with_precision(args.precision.precision);
    let area = |&(width, height): &(u32, u32)| u64::from(width) * u64::from(height);
    let pixels = sizes.iter().map(area).sum::<u64>() * tables.len() as u64;
    let mut networks = Vec::new();
    for key in keys {
        let model = &methods[key.0].networks[key.1];
        let mut engine: Box<dyn Enlarge> = match &model.trained {
            Trained::Network(weights) => {
                let options = args.tune.apply(&gpu, weights, options, pixels)?;
                Box::new(Headless::new(gpu.clone(), weights, options)?)
            }
            Trained::Dictionary(dictionary) => Box::new(DictionaryUpscaler::new(gpu.clone(), dictionary)?),
        };
        warm_up(&mut *engine, model)?;
        let scales = if model.crops(args.padding) { Vec::new() } else { model.scales() };
        networks.push(Compiled { key, metadata: Metadata { scales, ..Metadata::default() }, engine });
    }
    Ok((networks, describe(&gpu.info)))
}

/// Runs the network once on a small picture to compile its kernels, so that compiling does not count as a picture's time.
fn warm_up(engine: &mut dyn Enlarge, model: &Model) -> Result<()> {
    let channels = model.channels().count();
    let radius = match &model.trained {
        Trained::Network(weights) => weights.architecture().radius(),
        Trained::Dictionary(dictionary) => dictionary.patch(),
    };
    let side = 2 * radius + 8;
    let picture = Planes::new(side, side, channels, vec![0.5; side * side * channels])?;
    engine.enlarge(&picture, 2 * side, 2 * side).map(drop)
}
