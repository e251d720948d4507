//! Trains a small network in seconds on pictures that it draws itself, in both ways that the library offers.
//!
//! `cargo run --release --example train_tiny -- [RUN]`
//!
//! First by hand: a `Trainer` on the host's own device, step by step. Then as a session, the way the program trains:
//! in a run folder with checkpoints, metrics and a curve. The folder is temporary unless RUN names one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use image::{GrayImage, Luma};
use srcnn_gpu::headless::{self, AdapterSelection, Gpu};
use srcnn_gpu::train::Scales;
use srcnn_gpu::train::config::{Limit, TrainConfig};
use srcnn_gpu::train::dataset::{Dataset, SHARD_BYTES};
use srcnn_gpu::train::engine::GpuEngine;
use srcnn_gpu::train::event::Event;
use srcnn_gpu::train::gpu::{Trainer, TrainerOptions};
use srcnn_gpu::train::init::initialize;
use srcnn_gpu::train::order::Order;
use srcnn_gpu::train::recipe::{Overrides, resolve};
use srcnn_gpu::train::run::RunFolder;
use srcnn_gpu::train::session::Session;
use srcnn_gpu::train::validate::Validator;
use srcnn_gpu::train::{State, TrainEngine};
use srcnn_gpu::{Metadata, Result};

const SCALE: usize = 2;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let temporary = tempfile::tempdir()?;
    let run = std::env::args().nth(1).map_or_else(|| temporary.path().join("run"), PathBuf::from);
    let [data, val] = ["data", "val"].map(|name| temporary.path().join(name));
    draw_pictures(&data, 1..9)?;
    draw_pictures(&val, 9..11)?;

    let config = resolve(
        None,
        &Overrides {
            data: vec![data],
            val: vec![val],
            scale: Some(Scales::new([SCALE])?),
            arch: Some("5-1-3".into()),
            filters: Some("16-8".into()),
            batch: Some(16),
            patch: Some(24),
            limit: Some(Limit::Steps(300)),
            eval_every: Some(50),
            save_every: Some(100),
            ..Overrides::default()
        },
    )?;
    let metadata = Metadata { channels: config.channels, ..Metadata::default() };
    let first = initialize(&config.architecture()?, config.initialization, config.seed, metadata)?;
    let state = State::new(first.layers().to_vec(), config.optimizer.slots());
    let data = Arc::new(Dataset::open(&config, SHARD_BYTES)?);
    let gpu = headless::open(&AdapterSelection::default())?;
    println!("adapter: {}", headless::adapter::describe(&gpu.info));

    by_hand(&gpu, &config, &data, &state)?;
    as_a_session(&gpu, &config, data, &state, &run)
}

/// Some steps with the trainer alone: it needs a device, a queue, and sub-images chosen by number.
fn by_hand(
    gpu: &Gpu,
    config: &TrainConfig,
    data: &Dataset,
    state: &State,
) -> Result<(), Box<dyn std::error::Error>> {
    let options = TrainerOptions::new(config.batch, config.patch, config.optimizer.clone())
        .with_padding(config.train_padding);
    let mut trainer = Trainer::new(&gpu.device, &gpu.queue, state, &options)?;
    let shard = data.load(0, 0, &|_, _| ())?;
    trainer.set_pictures(&shard)?;
    let order = Order::new(config.seed, config.batch, data.lengths())?;
    let mut losses = Vec::new();
    for step in 0..60 {
        let batch = order.batch(&order.place(step), shard.patches.len() as u32, config.augmentation.turns);
        losses.push(trainer.step(&batch, 1.0)?);
    }
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    println!(
        "by hand: loss {:.3} over the first 10 steps, {:.3} over the last",
        mean(&losses[..10]),
        mean(&losses[50..])
    );
    Ok(())
}

/// The whole run of a configuration, with the events that the session reports.
fn as_a_session(
    gpu: &Gpu,
    config: &TrainConfig,
    data: Arc<Dataset>,
    state: &State,
    run: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut engine = GpuEngine::new(gpu, config, data.clone(), state)?;
    let mut validator = Validator::open(gpu.clone(), config)?;
    let folder = RunFolder::create(run, config, "example train_tiny")?;
    let (mut losses, mut gain) = (Vec::new(), None);
    let session = Session {
        config,
        folder: &folder,
        engine: &mut engine as &mut dyn TrainEngine,
        validation: Some(&mut validator),
        data: (data.len(), data.fingerprint.clone()),
        // Setting this flag ends the run after the current block of steps, with everything saved.
        stop: &AtomicBool::new(false),
        tell: &mut |event| match event {
            Event::Step(record) => losses.push(record.loss),
            Event::Eval(record) => {
                let loss = losses.iter().sum::<f64>() / losses.len() as f64;
                losses.clear();
                for set in &record.sets {
                    let (step, psnr, bicubic) = (record.step, set.psnr, set.psnr_bicubic);
                    println!("step {step}: loss {loss:.3}, {psnr:.2} dB, bicubic {bicubic:.2} dB");
                    gain = Some(psnr - bicubic);
                }
            }
            _ => {}
        },
    };
    session.run(None)?;
    match gain {
        Some(gain) if gain > 0.0 => Ok(()),
        _ => Err("the network is not better than interpolation".into()),
    }
}

/// Discs and stripes with soft edges; each picture is generated from its number.
fn draw_pictures(folder: &Path, numbers: std::ops::Range<u32>) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir(folder)?;
    for number in numbers {
        let mut random = number;
        let mut next = move || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 8) as f32 / (1 << 24) as f32
        };
        // Center, radius, width of the stripes, their direction, brightness.
        let discs: Vec<[f32; 6]> = (0..24)
            .map(|_| {
                [96.0 * next(), 96.0 * next(), 6.0 + 22.0 * next(), 5.0 + 9.0 * next(), 6.3 * next(), next()]
            })
            .collect();
        let picture = GrayImage::from_fn(96, 96, |x, y| {
            let mut value = 0.5;
            for &[centre_x, centre_y, radius, width, direction, brightness] in &discs {
                let (dx, dy) = (x as f32 - centre_x, y as f32 - centre_y);
                let stripe =
                    ((dx * direction.cos() + dy * direction.sin()) * std::f32::consts::TAU / width).sin();
                let color = (brightness + 0.25 * (4.0 * stripe).clamp(-1.0, 1.0)).clamp(0.0, 1.0);
                let inside = (radius - dx.hypot(dy) + 0.5).clamp(0.0, 1.0);
                value += inside * (color - value);
            }
            Luma([(255.0 * value) as u8])
        });
        picture.save(folder.join(format!("{number}.png")))?;
    }
    Ok(())
}
