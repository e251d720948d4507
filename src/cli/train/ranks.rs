//! Training as one rank of several. Rank 0 has the run's folder, prints, and decides; the others follow.

use std::process;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use srcnn_gpu::headless::Gpu;
use srcnn_gpu::ranks::Communicator;
use srcnn_gpu::ranks::launcher::Launched;
use srcnn_gpu::ranks::mpi::Mpi;
use srcnn_gpu::train::State;
use srcnn_gpu::train::config::TrainConfig;
use srcnn_gpu::train::data_parallel::agree::{self, Setup};
use srcnn_gpu::train::data_parallel::link::{Command, Link};
use srcnn_gpu::train::data_parallel::{Leader, LeaderValidation, RankEngine, work};
use srcnn_gpu::train::dataset::Dataset;
use srcnn_gpu::train::event::Event;
use srcnn_gpu::train::validate::{Validate, Validator};
use srcnn_gpu::{Error, Result};

use super::events::EventPrinter;
use super::{CODE, Ended, Plan, Planned, STOP, TrainArgs};
use crate::cli::{advice, exit};

/// What a rank computes with.
struct Opened {
    data: Arc<Dataset>,
    gpu: Gpu,
    validator: Option<Validator>,
    engine: RankEngine,
}

/// Trains as one of the ranks that a launcher has started.
///
/// # Errors
/// Rank 0: as [`super::run`]. The others leave to rank 0 what it can tell.
pub fn run(args: &TrainArgs, launched: Launched) -> Result<u8> {
    if args.dictionary.method.is_some() {
        return Err(Error::invalid(
            "--method trains a dictionary, which takes one process: start it without mpirun",
        ));
    }
    let ranks: Rc<dyn Communicator> = Rc::new(Mpi::start(launched, || STOP.load(Ordering::Relaxed))?);
    if launched.rank > 0 {
        // What concerns all is told by rank 0.
        log::set_max_level(log::LevelFilter::Error);
    }
    let link = Link::new(ranks);
    let outcome = if launched.rank == 0 { lead(args, &link) } else { follow(args, &link) };
    outcome.or_else(|error| fail(&link, error))
}

/// Arguments that have to be the same on all ranks.
fn settings(args: &TrainArgs) -> String {
    format!("{:?} {:?} {:?} {:?}", args.overrides(), args.config, args.output, args.resume)
}

/// Ends all ranks because of an error that the others do not know of.
fn fail(link: &Link, error: Error) -> ! {
    let (rank, code) = (link.ranks.rank(), exit::code(&error));
    let error = Error::Ranks(format!("rank {rank} ({}) has failed: {error}", link.ranks.host()).into());
    advice::report(&error);
    link.ranks.abort(code);
    process::exit(code.into())
}

/// An error of rank 0 that the others know of: they end with its code.
fn report(error: &Error) -> u8 {
    advice::report_in(error, advice::Task::Training);
    exit::code(error)
}

/// Rank 0. Errors are those that the other ranks do not know of.
fn lead(args: &TrainArgs, link: &Link) -> Result<u8> {
    if let Err(error) = agree::hello(link, &settings(args)) {
        return Ok(report(&error));
    }
    let json = super::is_json(args);
    let printer = EventPrinter::new(json);
    let ended = match super::plan(args) {
        Ok(Planned::Run(plan)) => Ok((plan, printer)),
        Ok(Planned::Complete(event, best)) => Err(super::tell_complete(printer, json, &event, &best)),
        Err(error) => Err(Err(error)),
    };
    let (plan, printer) = match ended {
        Ok(begin) => begin,
        Err(code) => {
            let code = code.unwrap_or_else(|error| report(&error));
            agree::setup(link, Some(&Setup::End(code)))?;
            return Ok(code);
        }
    };
    let begin = Setup::Begin(Box::new((plan.config.clone(), plan.state.clone())));
    agree::setup(link, Some(&begin))?;
    let printer = Arc::new(Mutex::new(printer));
    printer.lock().preparing();
    let opened = plan.open_data().and_then(|data| open(args, &plan.config, &plan.state, data, link));
    let opened = match ready(link, opened)? {
        Ok(opened) => opened,
        Err(code) => return Ok(code),
    };
    lead_session(args, plan, opened, link, &printer, json)
}

/// Opens what a rank computes with.
fn open(
    args: &TrainArgs,
    config: &TrainConfig,
    state: &State,
    data: Arc<Dataset>,
    link: &Link,
) -> Result<Opened> {
    let gpu = args.gpu.open()?;
    let validator = super::open_validation(&gpu, config)?;
    let engine = RankEngine::new(&gpu, config, data.clone(), state, link.ranks.clone())?;
    Ok(Opened { data, gpu, validator, engine })
}

/// Waits until all ranks are ready. If one is not, all end with the code that is returned, and rank 0 tells why.
fn ready(link: &Link, opened: Result<Opened>) -> Result<std::result::Result<Opened, u8>> {
    let own = match &opened {
        Ok(opened) => agree::ready(&opened.data.fingerprint, &opened.gpu),
        Err(error) => Err((error.to_string(), exit::code(error))),
    };
    let is_first = link.ranks.rank() == 0;
    match agree::agree(link, &own)? {
        Ok(agreed) => {
            for (rank, adapter) in agreed.others.iter().filter(|_| is_first) {
                log::warn!(
                    "rank {rank} computes on another adapter, {adapter}: its parameters may differ in last bits between two \
                     checkpoints"
                );
            }
            // An error of this rank is among those that are agreed on.
            opened.map(Ok)
        }
        Err((lines, code)) => {
            lines
                .iter()
                .filter(|_| is_first)
                .for_each(|line| advice::report(&Error::Ranks(line.as_str().into())));
            Ok(Err(code))
        }
    }
}

/// The session of rank 0, after which the others end.
fn lead_session(
    args: &TrainArgs,
    plan: Box<Plan>,
    opened: Opened,
    link: &Link,
    printer: &Arc<Mutex<EventPrinter>>,
    json: bool,
) -> Result<u8> {
    let Opened { data, validator, engine, .. } = opened;
    let wish = |code| {
        CODE.store(code, Ordering::Relaxed);
        STOP.store(true, Ordering::Relaxed);
    };
    let mut leader = Leader::new(engine.with_progress(super::tell_degrading(printer)), link.clone(), wish);
    let mut validation = validator.map(|validator| LeaderValidation::new(validator, link.clone()));
    let validation = validation.as_mut().map(|validation| validation as &mut dyn Validate);
    let ended: Result<Ended> = super::session(args, plan, &data, printer, &mut leader, validation);
    let ended = match ended {
        Err(error) if link.is_busy() => return Err(error),
        ended => ended,
    };
    if let Some(exchange) = leader.exchange() {
        let (ranks, step_ms, exchange_ms) = (exchange.ranks, exchange.step * 1e3, exchange.exchange * 1e3);
        printer.lock().print(&Event::Exchange { ranks, step_ms, exchange_ms });
    }
    let code =
        ended.and_then(|ended| super::finish(printer, json, &ended)).unwrap_or_else(|error| report(&error));
    link.send(&Command::End(code))?;
    Ok(code)
}

/// All ranks but rank 0. Errors are those that rank 0 does not know of.
fn follow(args: &TrainArgs, link: &Link) -> Result<u8> {
    if let Err(error) = agree::hello(link, &settings(args)) {
        return Ok(exit::code(&error));
    }
    let (config, state) = match agree::setup(link, None)? {
        Setup::Begin(begin) => *begin,
        Setup::End(code) => return Ok(code),
    };
    let opened = super::open_data(&config).and_then(|data| open(args, &config, &state, data, link));
    let Opened { mut engine, mut validator, .. } = match ready(link, opened)? {
        Ok(opened) => opened,
        Err(code) => return Ok(code),
    };
    super::catch_signals()?;
    let wish = || if STOP.load(Ordering::Relaxed) { CODE.load(Ordering::Relaxed) } else { 0 };
    work(link, &mut engine, validator.as_mut(), &wish)
}
