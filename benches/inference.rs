//! Inference speed: checks networks against their CPU twins, then times their kernels and compares with the
//! multiply-add and copy rates that the adapter reaches in the same run.
//!
//! `cargo bench --bench inference [-- WxH] [SHAPE..]`, or with `enlarge` only bicubic enlargement and a network to that
//! size. A shape is `spatial,pointwise,workgroup_x,workgroup_y,load`, for example `16x4,8x16,1,8,subgroup8`; the weight
//! load is `layers`, `uniform` or `subgroupN`.

#[path = "../tests/common/mod.rs"]
mod common;

use srcnn_gpu::Padding;
use srcnn_gpu::gpu::kernels::ConvShape;
use srcnn_gpu::headless::measure::{self, Clock};
use srcnn_gpu::headless::{Gpu, HeadlessOptions, adapter};

const REPEATS: usize = 3;

fn parse_size(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

fn main() -> srcnn_gpu::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let mut shapes: Vec<_> = args.iter().filter_map(|arg| arg.parse::<ConvShape>().ok()).map(Some).collect();
    if shapes.is_empty() {
        shapes.push(None);
    }
    let size = args.iter().find_map(|arg| parse_size(arg)).unwrap_or((1920, 1080));
    let gpu = common::gpu();
    let clock = Clock::for_gpu(&gpu);
    println!("{} {}, times by {clock}", adapter::describe(&gpu.info), gpu.info.driver_info);
    if args.iter().any(|arg| arg == "enlarge") {
        return enlargements(&gpu, clock, size);
    }
    for (sizes, filters) in [("9-1-5", "64-32"), ("9-5-5", "64-32")] {
        let weights = common::network(sizes, filters, 1, Padding::Replicate);
        for &shape in &shapes {
            let options = HeadlessOptions::default().with_conv_shape(shape);
            let difference = measure::check(&gpu, &weights, options)?;
            // Before and after, because other work may slow the adapter down temporarily.
            let before = measure::ceilings(&gpu, clock)?;
            let times = measure::network(&gpu, clock, &weights, options, size, 1.0, REPEATS)?;
            let ceilings = before.max(measure::ceilings(&gpu, clock)?);
            let rate = |seconds: f64| times.operations / seconds;
            let network = times.network().as_secs_f64();
            let whole = times.whole.as_secs_f64();
            let name = shape.map_or("default".into(), |shape| shape.to_string());
            println!("{sizes} {filters}, {size:?}, shape {name}: off by {difference:.1e}");
            println!(
                "  adapter {:.1} GFLOP/s, copies {:.1} GB/s",
                ceilings.operations * 1e-9,
                ceilings.copied * 1e-9
            );
            println!(
                "  network {:.1} ms, {:.1} GFLOP/s, {:.0} % of the adapter, {:.2} MPix/s; with resampling {:.1} ms",
                network * 1e3,
                rate(network) * 1e-9,
                rate(network) / ceilings.operations * 100.0,
                times.pixels as f64 * 1e-6 / network,
                whole * 1e3,
            );
            for (name, time) in &times.kernels {
                println!("  {name:20} {:9.2} ms", time.as_secs_f64() * 1e3);
            }
        }
    }
    enlargements(&gpu, clock, size)
}

/// Bicubic enlargement and 9-1-5 to pictures of `size`.
fn enlargements(gpu: &Gpu, clock: Clock, size: (u32, u32)) -> srcnn_gpu::Result<()> {
    let weights = common::network("9-1-5", "64-32", 1, Padding::Replicate);
    for factor in [2, 3, 4] {
        let small = (size.0 / factor, size.1 / factor);
        let options = HeadlessOptions::default();
        let times = measure::network(gpu, clock, &weights, options, small, f64::from(factor), REPEATS)?;
        println!("9-1-5 64-32 with enlargement by {factor}: {:.1} ms", times.whole.as_secs_f64() * 1e3);
        for (name, time) in &times.kernels {
            println!("  {name:20} {:9.2} ms", time.as_secs_f64() * 1e3);
        }
    }
    Ok(())
}
