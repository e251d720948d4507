//! `train --method`: trains a dictionary for one of the methods that the paper compares with.

use std::path::Path;
use std::sync::atomic::Ordering;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use srcnn_gpu::dictionary::{Dictionary, Method};
use srcnn_gpu::train::dictionary::{DictionaryConfig, DictionaryEvent, train};
use srcnn_gpu::{Error, Result};

use super::{CODE, STOP, TrainArgs};
use crate::cli::output::{Existing, json_line, print};
use crate::cli::progress::{self, Mode, Progress};
use crate::cli::{exit, stop};

/// What a dictionary is trained with, besides pictures, scale and seed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Dictionaries")]
pub struct DictionaryArgs {
    /// Train a dictionary for another method than a network, one that the paper compares with: anr, ksvd, ne-lle, ne-nnls or
    /// sc. -o names a file then, and --init a dictionary to use with this method
    #[arg(long, value_name = "NAME", value_parser = methods(), hide_possible_values = true, requires = "output",
          conflicts_with_all = ["resume", "config", "recipe", "val", "watch", "limit", "eval_every", "save_every", "arch", "filters",
                                "channels", "padding", "lr", "average", "batch", "patch", "stride", "degradation", "train_padding"])]
    pub method: Option<Method>,
    /// Atoms of the dictionary [default: 1024]
    #[arg(long, value_name = "N", requires = "method", conflicts_with = "init")]
    pub atoms: Option<usize>,
    /// Patches to train on at most [default: 150000, for sc 20000]
    #[arg(long, value_name = "N", requires = "method", conflicts_with = "init")]
    pub samples: Option<usize>,
    /// Rounds of coding and of updating the atoms [default: 20, for sc 6]
    #[arg(long, value_name = "N", requires = "method", conflicts_with = "init")]
    pub rounds: Option<usize>,
    /// How strongly large coefficients are held back, for anr and ne-lle: added to the squared length of each atom, which is 1
    /// [default: 0.01]
    #[arg(long, value_name = "NUMBER", requires = "method", allow_negative_numbers = true)]
    pub ridge: Option<f64>,
    /// How few atoms a patch takes, for sc: the weight of the sum of its coefficients, for features of length 1; more of it means
    /// fewer atoms. With --init it is that of the pictures to come, the dictionary stays [default: 0.4]
    #[arg(long, value_name = "NUMBER", requires = "method", allow_negative_numbers = true)]
    pub lambda: Option<f64>,
    /// Low-resolution pixels that neighboring patches share, of their 3, for sc: 0, 1 or 2 [default: 1]
    #[arg(long, value_name = "PIXELS", requires = "method")]
    pub overlap: Option<usize>,
    /// Rounds of back-projection on the low resolution, for sc; 0 for none [default: 20]
    #[arg(long, value_name = "N", requires = "method")]
    pub back_projection: Option<usize>,
}

fn methods() -> impl TypedValueParser<Value = Method> {
    PossibleValuesParser::new(Method::NAMES).try_map(|name| name.parse::<Method>())
}

impl DictionaryArgs {
    /// The method with all that the flags say of it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a flag that is for another method.
    fn method(&self) -> Result<Option<Method>> {
        let Some(mut method) = self.method else { return Ok(None) };
        let (mut ridge, mut lambda) = (self.ridge, self.lambda);
        let (mut overlap, mut rounds) = (self.overlap, self.back_projection);
        match &mut method {
            Method::Anr { ridge: own, .. } | Method::NeLle { ridge: own, .. } => take(own, &mut ridge),
            Method::Sc { lambda: weight, overlap: shared, back_projection } => {
                take(weight, &mut lambda);
                take(shared, &mut overlap);
                take(back_projection, &mut rounds);
            }
            Method::Ksvd { .. } | Method::NeNnls { .. } => {}
        }
        // What nobody has taken is for others.
        let left = [
            (ridge.is_some(), "--ridge", "methods anr and ne-lle"),
            (lambda.is_some(), "--lambda", "method sc"),
            (overlap.is_some(), "--overlap", "method sc"),
            (rounds.is_some(), "--back-projection", "method sc"),
        ];
        match left.into_iter().find(|(is_left, ..)| *is_left) {
            Some((_, flag, whose)) => {
                Err(Error::invalid(format!("{flag} is for the {whose}, not for {}", method.name())))
            }
            None => Ok(Some(method)),
        }
    }
}

/// Sets a parameter to a flag's value, if there is one.
fn take<T>(parameter: &mut T, flag: &mut Option<T>) {
    if let Some(value) = flag.take() {
        *parameter = value;
    }
}

/// An event in JSON.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Line {
    Start { method: &'static str, scale: usize, patches: usize, pictures: usize, features: usize },
    Round { round: usize, rounds: usize, error: f64 },
    Saved { path: String },
}

/// Whether events are asked for as JSON.
fn json(args: &TrainArgs) -> bool {
    args.json || progress::mode() == Mode::Json
}

/// Trains a dictionary if the flags ask for one.
///
/// # Errors
/// Whatever prevents it: arguments, pictures, an output that exists.
pub fn run(args: &TrainArgs) -> Result<Option<u8>> {
    let Some(method) = args.dictionary.method()? else { return Ok(None) };
    let Some(output) = &args.output else { return Ok(None) };
    if output.is_dir() {
        let reason = "it is a folder; name the .safetensors file to write".into();
        return Err(Error::Output { path: output.clone(), reason });
    }
    let Some(destination) = Existing::Fail.resolve(output)? else { return Ok(None) };
    let trained = match &args.init {
        Some(file) => Some(taken_from(file, method, args)?),
        None => trained(args, method)?,
    };
    let Some(dictionary) = trained else { return Ok(Some(CODE.load(Ordering::Relaxed))) };
    let bytes = dictionary.to_safetensors()?;
    let written =
        destination.clash.write(&destination.path, |file| std::io::Write::write_all(file, &bytes))?;
    if let Some(path) = written {
        match json(args) {
            true => print(json_line(&Line::Saved { path: path.display().to_string() })?)?,
            false => print(path.display())?,
        }
    }
    Ok(Some(exit::DONE))
}

/// The dictionary of a file, for another method.
fn taken_from(file: &Path, method: Method, args: &TrainArgs) -> Result<Dictionary> {
    let dictionary = Dictionary::load(file)?;
    let failed = |reason: String| Err(Error::Model { path: file.into(), reason: reason.into() });
    let scale = dictionary.scale();
    if scale_of(args)?.is_some_and(|asked| asked != scale) {
        return failed(format!("its dictionary is for x{scale}"));
    }
    let joint = |method: &Method| matches!(method, Method::Sc { .. });
    if joint(&method) != joint(dictionary.method()) {
        let own = dictionary.method().name();
        return failed(format!(
            "its dictionary is for {own}; that of sc is trained in another way than the others'"
        ));
    }
    if !args.data.is_empty() {
        log::warn!("--init: the pictures are not used, the dictionary is that of {}", file.display());
    }
    dictionary.for_method(method.limited_to(dictionary.atoms()))
}

/// The scale that is asked for: dictionaries are for one, of 2 or more.
fn scale_of(args: &TrainArgs) -> Result<Option<usize>> {
    let Some(scales) = &args.scale else { return Ok(None) };
    match scales.only() {
        Some(scale @ 2..) => Ok(Some(scale)),
        _ => Err(Error::invalid(format!("-s {scales}: a dictionary is for one whole scale from 2 up"))),
    }
}

fn trained(args: &TrainArgs, method: Method) -> Result<Option<Dictionary>> {
    if args.data.is_empty() {
        return Err(Error::invalid("no pictures to train on: name a folder with them, such as T91"));
    }
    let Some(scale) = scale_of(args)? else {
        return Err(Error::invalid("for which scale? give one with -s, such as -s 3"));
    };
    let mut config = DictionaryConfig::new(method, args.data.clone(), scale);
    let flags = &args.dictionary;
    config.atoms = flags.atoms.unwrap_or(config.atoms);
    config.samples = flags.samples.unwrap_or(config.samples);
    config.rounds = flags.rounds.unwrap_or(config.rounds);
    config.method = method.limited_to(config.atoms);
    config.seed = args.seed.unwrap_or(config.seed);
    stop::on_wish(|code| {
        CODE.store(code, Ordering::Relaxed);
        STOP.store(true, Ordering::Relaxed);
    })?;
    let json = json(args);
    let mut progress = Progress::new("training");
    let mut printed = Ok(());
    let mut done = 0;
    let trained = train(&config, &mut |event| {
        if json {
            let line = match event {
                DictionaryEvent::Samples { patches, pictures, features } => {
                    Line::Start { method: method.name(), scale, patches, pictures, features }
                }
                DictionaryEvent::Round { round, rounds, error } => Line::Round { round, rounds, error },
            };
            printed = json_line(&line).and_then(print);
        } else {
            if let DictionaryEvent::Round { round, .. } = event {
                done = round;
            }
            match event {
                DictionaryEvent::Samples { patches, pictures, features } => progress.note(&format!(
                    "{method} x{scale}: {patches} patches of {pictures} pictures, {features} features"
                )),
                DictionaryEvent::Round { round, rounds, error } => {
                    let text = format!("round {round} of {rounds}, {:.2}% of the energy left", 100.0 * error);
                    progress.detail(round as u64, rounds as u64, &text);
                }
            }
        }
        printed.is_ok() && !STOP.load(Ordering::Relaxed)
    })?;
    printed?;
    if trained.is_none() {
        drop(progress);
        let rounds = config.rounds;
        progress::say(format_args!(
            "interrupted after {done} of {rounds} rounds; nothing is saved, since a dictionary is made in one go"
        ));
    }
    Ok(trained)
}
