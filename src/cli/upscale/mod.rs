//! `srcnn-gpu upscale`: enlarges pictures and video.

use std::sync::Arc;

use srcnn_gpu::hash::fnv;
use srcnn_gpu::picture::available_memory;
use srcnn_gpu::{Error, Precision, Result};

use crate::cli::args::models::Model;
use crate::cli::progress::{self, Mode};
use crate::cli::stop;
use pipeline::Pipeline;
use report::{Reporter, Show};
use srcnn_gpu::jobs::{Plan, Request, Shard};
use stream::Streams;

mod args;
mod budget;
mod events;
mod ffmpeg;
mod ncnn_cli;
mod pipeline;
mod report;
mod stream;
mod video;
mod work;

pub use args::UpscaleArgs;
pub use ncnn_cli::{NCNN_SCALE, is_ncnn_flag};

/// Enlarges all inputs. A failure is reported; the rest continue.
///
/// # Errors
/// What concerns all inputs: arguments, the model, the adapter, the output folder.
pub fn run(args: &UpscaleArgs) -> Result<u8> {
    let inputs = args.inputs();
    let batch = &args.batch;
    if video::wanted(args, &inputs)? {
        return video::run(args, &inputs);
    }
    let json = batch.json || progress::mode() == Mode::Json;
    let streams = Streams::new(&inputs, args.output.as_deref())?;
    let to_stdout = streams.as_ref().is_some_and(|streams| streams.to_stdout);
    if to_stdout && (json || batch.dry_run) {
        return Err(Error::invalid(
            "--json and --dry-run print to the standard output, where the picture goes; name a file with -o",
        ));
    }
    let (inputs, output) = match &streams {
        Some(streams) => (&streams.inputs, streams.output.as_deref()),
        None => (&inputs, args.output.as_deref()),
    };
    let models: Arc<[Model]> = args.models(true)?.into();
    let mut plan = Plan::new(&Request {
        inputs,
        output,
        naming: args.picture.naming(),
        existing: batch.existing,
        recursive: batch.recursive,
        videos: false,
        has_flags: true,
        shrinks: false,
        shard: batch.shard.or_else(Shard::of_rank),
        settings: (!to_stdout).then(|| settings(args, &models)).transpose()?,
    })?;
    let jobs = std::mem::take(&mut plan.jobs);
    args.picture.content.check_quality(&jobs)?;
    if !batch.dry_run {
        plan.prepare_folder()?;
    }
    let reporter = Arc::new(Reporter::new(Show::of(json, to_stdout), &jobs, &models, batch.dry_run));
    let pipeline = Pipeline::new(args, &plan, &models, &reporter, available_memory() / 2);
    if batch.dry_run {
        pipeline.plan(jobs);
        return reporter.finish(None);
    }
    let (farewell, temporary) = (reporter.clone(), streams.as_ref().map(Streams::folder));
    stop::at_once(move |code| {
        farewell.interrupted(code);
        if let Some(folder) = temporary {
            // The program ends: there is nobody to report a failure to.
            let _ = std::fs::remove_dir_all(folder);
        }
    })?;
    let fatal = pipeline.run(jobs, batch.jobs.unwrap_or_default());
    plan.settle();
    let code = reporter.finish(fatal)?;
    streams.map_or(Ok(()), |streams| streams.finish())?;
    Ok(code)
}

/// Everything that the results depend on besides the pictures. The output folder's index keeps a fingerprint of this
/// text: when it changes, all results are made again.
fn settings(args: &UpscaleArgs, models: &[Model]) -> Result<String> {
    let mut settings = format!("{:?} {:?} {}", args.picture, args.padding, args.checks.tta);
    // Older versions knew only single precision and did not write it down.
    if args.precision.precision != Precision::F32 {
        settings.push_str(&format!(" {}", args.precision.precision));
    }
    for model in models {
        settings.push_str(&format!(" {:016x}", fnv(&model.to_safetensors()?)));
    }
    Ok(settings)
}
