//! `srcnn-gpu bench`: the adapter's peak rates, how close the network comes to them, where the time of a picture goes, and
//! how fast the network trains.

mod shape;

use std::io::Cursor;
use std::time::{Duration, Instant};

use clap::Args;
use image::{DynamicImage, ImageFormat, RgbImage};
use serde::Serialize;
use srcnn_gpu::gpu::kernels::ConvShape;
use srcnn_gpu::headless::measure::{self, Clock};
use srcnn_gpu::headless::{Gpu, Headless, HeadlessOptions, adapter};
use srcnn_gpu::train::config::Initialization;
use srcnn_gpu::train::gpu::Shape;
use srcnn_gpu::train::init::initialize;
use srcnn_gpu::train::measure::TrainingTimes;
use srcnn_gpu::train::tune;
use srcnn_gpu::{Architecture, Error, Metadata, Result, Weights, train};

use crate::cli::args::gpu::GpuArgs;
use crate::cli::args::precision::PrecisionArgs;
use crate::cli::args::tuning::TuneArgs;
use crate::cli::output::print;
use shape::Chosen;

/// Measure how fast an adapter is: its peak rates, the network's kernels, a picture from file to file, training steps
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  srcnn-gpu bench
  srcnn-gpu bench --arch 9-5-5 --size 3840x2160 --tune")]
pub struct BenchArgs {
    /// Filter sizes of the network, whose weights are random
    #[arg(help_heading = "What to measure", long, default_value = "9-1-5", value_name = "SIZES")]
    arch: String,
    /// Filter counts of all layers but the last
    #[arg(help_heading = "What to measure", long, default_value = "64-32", value_name = "COUNTS")]
    filters: String,
    /// Size of the result in pixels
    #[arg(help_heading = "What to measure", long, default_value = "1920x1080", value_name = "WxH", value_parser = parse_size)]
    size: (u32, u32),
    /// How many times the picture is enlarged, 1 to 8
    #[arg(help_heading = "What to measure", short, long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8))]
    scale: u32,
    /// How often to time each thing, 1 to 100; the best time counts
    #[arg(help_heading = "How", long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// First find the fastest kernels for this adapter, driver and network, and keep the choice: upscale and eval use it from
    /// then on
    #[arg(help_heading = "How", long, conflicts_with = "no_autotune")]
    tune: bool,
    /// Seconds to try kernels of training for; those of inference take a few
    #[arg(help_heading = "How", long, requires = "tune", default_value_t = tune::BUDGET.as_secs(), value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    tune_time: u64,
    /// Measure wall-clock time on software adapters too, where processor time is the default: to compare with other programs
    /// while nothing else runs
    #[arg(help_heading = "How", long)]
    wall: bool,
    #[command(flatten)]
    tuning: TuneArgs,
    /// Print one JSON object
    #[arg(help_heading = "How", long)]
    json: bool,
    #[command(flatten)]
    precision: PrecisionArgs,
    #[command(flatten)]
    gpu: GpuArgs,
}

pub fn parse_size(text: &str) -> std::result::Result<(u32, u32), String> {
    let side = |text: &str| text.parse().ok().filter(|side| (16..=16384).contains(side));
    text.split_once(['x', 'X'])
        .and_then(|(width, height)| Some((side(width)?, side(height)?)))
        .ok_or_else(|| "a size such as 1920x1080, 16 to 16384 pixels a side".into())
}

/// Everything that was measured. Times are milliseconds.
#[derive(Debug, Serialize)]
struct Report {
    adapter: String,
    driver: String,
    /// What times are: `timestamps` on the device, `wall` time, or `processor` time divided by the number of processors.
    clock: String,
    /// Peak rate of the adapter: 10^9 multiplications and additions per second.
    ceiling_gflops: f64,
    /// Peak rate of copies: 10^9 bytes per second, read plus written.
    copy_gbs: f64,
    architecture: String,
    precision: String,
    size: [u32; 2],
    /// Largest difference from the CPU twin's result.
    difference: f64,
    shape: Chosen<ConvShape>,
    network: Rate,
    kernels: Vec<KernelTime>,
    picture: Picture,
    /// `None` if the adapter cannot train the network.
    training: Option<Training>,
}

/// The network alone, from luminance to luminance in the adapter's memory.
#[derive(Debug, Serialize)]
struct Rate {
    ms: f64,
    gflops: f64,
    /// Fraction of the peak rate.
    fraction: f64,
    megapixels_per_second: f64,
}

#[derive(Debug, Serialize)]
struct KernelTime {
    name: &'static str,
    ms: f64,
}

/// A training step: SGD in single precision, sub-images of 33 x 33 pixels, valid convolutions.
#[derive(Debug, Serialize)]
struct Training {
    batch: usize,
    step_ms: f64,
    sub_images_per_second: f64,
    gflops: f64,
    /// Fraction of the peak rate.
    fraction: f64,
    /// Largest difference of a gradient from the CPU twin's, relative to the largest gradient of its layer.
    difference: f64,
    shape: Chosen<Shape>,
}

/// A picture from file to file, in wall-clock time.
#[derive(Debug, Serialize)]
struct Picture {
    source: [u32; 2],
    result: [u32; 2],
    decode_ms: f64,
    /// Converting and uploading tiles, in parallel with the adapter's work.
    upload_ms: f64,
    /// The adapter's work, by its timestamps if it has them.
    gpu_ms: f64,
    /// Reading tiles back and converting them, also in parallel.
    readback_ms: f64,
    encode_ms: f64,
    /// From file to file: less than the sum because of the overlap, or more if the processor waits.
    whole_ms: f64,
}

/// Measures and prints.
pub fn run(args: &BenchArgs) -> Result<()> {
    let gpu = args.gpu.open()?;
    args.precision.check(&gpu)?;
    let report = measure(args, &gpu)?;
    if args.json {
        let text = serde_json::to_string_pretty(&report)
            .map_err(|e| Error::invalid(format!("the report as JSON: {e}")))?;
        return print(text);
    }
    print(describe(&report))
}

fn measure(args: &BenchArgs, gpu: &Gpu) -> Result<Report> {
    let architecture = Architecture::parse(&args.arch, &args.filters, 1)?;
    let weights = network(&architecture)?;
    let clock = if args.wall { Clock::Wall } else { Clock::for_gpu(gpu) };
    let shape = shape::of_inference(args, gpu, &weights)?;
    let (conv_shape, precision) = (Some(shape.shape), args.precision.precision);
    let options = HeadlessOptions::default().with_conv_shape(conv_shape).with_precision(precision);
    log::info!("comparing with the CPU twin");
    let difference = measure::check(gpu, &weights, options)?;
    log::info!("measuring the adapter");
    let ceilings = measure::ceilings(gpu, clock)?;
    log::info!("measuring the network");
    let repeat = args.repeat as usize;
    let times = measure::network(gpu, clock, &weights, options, args.size, 1.0, repeat)?;
    let ceilings = ceilings.max(measure::ceilings(gpu, clock)?);
    log::info!("measuring a picture from file to file");
    let picture = picture(args, gpu, &weights, options)?;
    log::info!("measuring training steps");
    let training = training(args, gpu, clock, &weights, ceilings.operations)?;
    let network = times.network();
    let rate = times.operations / network.as_secs_f64();
    Ok(Report {
        adapter: adapter::describe(&gpu.info),
        driver: gpu.info.driver_info.clone(),
        clock: clock.to_string(),
        ceiling_gflops: ceilings.operations * 1e-9,
        copy_gbs: ceilings.copied * 1e-9,
        architecture: format!("{} {}", args.arch, args.filters),
        precision: precision.to_string(),
        size: args.size.into(),
        difference,
        shape,
        network: Rate {
            ms: ms(network),
            gflops: rate * 1e-9,
            fraction: rate / ceilings.operations,
            megapixels_per_second: times.pixels as f64 * 1e-6 / network.as_secs_f64(),
        },
        kernels: times.kernels.iter().map(|&(name, time)| KernelTime { name, ms: ms(time) }).collect(),
        picture,
        training,
    })
}

/// A random network whose results are neither black nor white, unlike those of other random ones for some architectures.
fn network(architecture: &Architecture) -> Result<Weights> {
    let initialization = Initialization::He { gain: 1.0, last_gain: 0.1 };
    let weights = initialize(architecture, initialization, 1, Metadata::default())?;
    let mut layers = weights.layers().to_vec();
    layers.iter_mut().last().into_iter().for_each(|layer| layer.bias.fill(0.5));
    Weights::new(layers, weights.metadata)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Decodes, enlarges and encodes a synthetic picture in memory; the best run counts.
fn picture(args: &BenchArgs, gpu: &Gpu, weights: &Weights, options: HeadlessOptions) -> Result<Picture> {
    let [width, height] = [args.size.0, args.size.1].map(|side| side.div_ceil(args.scale));
    let planes = measure::synthetic(3 * width as usize, height as usize, 1)?;
    let bytes = planes.data.iter().map(|value| (value * 255.0).round() as u8).collect();
    let source = RgbImage::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8);
    let source = source.ok_or_else(|| Error::invalid("the synthetic picture has no pixels"))?;
    let file = encode(&source)?;
    let mut headless = Headless::new(gpu.clone(), weights, options)?;
    let mut best: Option<Picture> = None;
    for _ in 0..args.repeat + 1 {
        let start = Instant::now();
        let decoded = image::load_from_memory_with_format(&file, ImageFormat::Png)
            .map_err(|e| Error::invalid(format!("decoding the synthetic picture: {e}")))?;
        let decode = start.elapsed();
        let result = headless.upscale(&decoded, f64::from(args.scale), &mut |_, _| ())?;
        let encoding = Instant::now();
        encode(&result)?;
        let (encode, whole) = (encoding.elapsed(), start.elapsed());
        let timing = headless.timing();
        let run = Picture {
            source: [width, height],
            result: [result.width(), result.height()],
            decode_ms: ms(decode),
            upload_ms: ms(timing.upload),
            gpu_ms: ms(timing.gpu),
            readback_ms: ms(timing.readback),
            encode_ms: ms(encode),
            whole_ms: ms(whole),
        };
        if best.as_ref().is_none_or(|best| run.whole_ms < best.whole_ms) {
            best = Some(run);
        }
    }
    best.ok_or_else(|| Error::invalid("--repeat 0"))
}

/// Measures training steps with as many sub-images as in the paper's recipe.
fn training(
    args: &BenchArgs,
    gpu: &Gpu,
    clock: Clock,
    weights: &Weights,
    ceiling: f64,
) -> Result<Option<Training>> {
    const BATCH: usize = 128;
    let run = shape::of_training(args, gpu, weights, BATCH).and_then(|shape| {
        let run = train::measure::Training::new(gpu, weights, BATCH, Some(shape.shape))?;
        Ok((run, shape))
    });
    let (mut run, shape) = match run {
        Ok(run) => run,
        Err(error @ (Error::OutOfMemory(_) | Error::MissingCapability(_) | Error::InvalidArgument(_))) => {
            log::warn!("training is not measured: {error}");
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let difference = run.check()?;
    let times = run.time(clock, args.repeat as usize)?;
    let TrainingTimes { batch, operations, step } = times;
    let rate = operations / step.as_secs_f64();
    Ok(Some(Training {
        batch,
        step_ms: ms(step),
        sub_images_per_second: times.sub_images_per_second(),
        gflops: rate * 1e-9,
        fraction: rate / ceiling,
        difference,
        shape,
    }))
}

fn encode(picture: &DynamicImage) -> Result<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    picture
        .write_to(&mut file, ImageFormat::Png)
        .map_err(|e| Error::invalid(format!("encoding the synthetic picture: {e}")))?;
    Ok(file.into_inner())
}

fn describe(report: &Report) -> String {
    let Report { network, picture, .. } = report;
    let clock = match report.clock.as_str() {
        "processor" => "processor time",
        "wall" => "wall-clock time",
        _ => "the adapter's timestamps",
    };
    let mut text = format!(
        "{} {}\nadapter: {:.1} GFLOP/s in multiply-adds, copies {:.1} GB/s, times by {clock}\n\
         network {} in {} at {}x{}: {:.1} ms, {:.1} GFLOP/s, {:.0} % of the adapter's, {:.2} megapixels/s\n",
        report.adapter,
        report.driver,
        report.ceiling_gflops,
        report.copy_gbs,
        report.architecture,
        report.precision,
        report.size[0],
        report.size[1],
        network.ms,
        network.gflops,
        network.fraction * 100.0,
        network.megapixels_per_second,
    );
    text += &report.shape.describe();
    for kernel in &report.kernels {
        text += &format!("  {:20} {:9.1} ms\n", kernel.name, kernel.ms);
    }
    text += &format!(
        "picture {}x{} to {}x{}: decode {:.1} ms, upload {:.1} ms, GPU {:.1} ms, readback {:.1} ms, encode {:.1} ms, all {:.1} ms\n",
        picture.source[0],
        picture.source[1],
        picture.result[0],
        picture.result[1],
        picture.decode_ms,
        picture.upload_ms,
        picture.gpu_ms,
        picture.readback_ms,
        picture.encode_ms,
        picture.whole_ms,
    );
    let mut differences = format!("{:.1e}", report.difference);
    if let Some(training) = &report.training {
        text += &format!(
            "training, {} sub-images a step: {:.1} ms, {:.0} sub-images/s, {:.1} GFLOP/s, {:.0} % of the adapter's\n",
            training.batch,
            training.step_ms,
            training.sub_images_per_second,
            training.gflops,
            training.fraction * 100.0,
        );
        text += &training.shape.describe();
        differences += &format!(", of gradients {:.1e}", training.difference);
    }
    text + &format!("largest difference from the CPU twin: {differences}")
}
