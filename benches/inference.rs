//! Inference speed: checks the result against the CPU twin, then times networks over pictures.
//!
//! `cargo bench --bench inference [-- SHAPE..]`, where a shape is `spatial,pointwise,workgroup_x,workgroup_y`:
//! `16x4,8x16,1,8`.

#[path = "../tests/common/mod.rs"]
mod common;

use srcnn_gpu::gpu::shaders::{ConvShape, Registers};
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::reference::{self, Maps};
use srcnn_gpu::{Padding, Planes};

fn picture(width: usize, height: usize) -> Planes {
    let mut next = common::noise(5);
    let data = (0..width * height).map(|_| 0.5 + 0.5 * next()).collect();
    Planes::new(width, height, 1, data).expect("sizes that match")
}

fn parse(text: &str) -> Option<ConvShape> {
    let tile = |name: &str| match name {
        "16x4" => Some(Registers::P16x4),
        "8x8" => Some(Registers::P8x8),
        "8x16" => Some(Registers::P8x16),
        _ => None,
    };
    let words: Vec<&str> = text.split(',').collect();
    let [spatial, pointwise, x, y] = words[..] else { return None };
    let workgroup = [x.parse().ok()?, y.parse().ok()?];
    Some(ConvShape { spatial: tile(spatial)?, pointwise: tile(pointwise)?, workgroup, fused: None })
}

fn main() -> srcnn_gpu::Result<()> {
    let mut shapes: Vec<_> = std::env::args().filter_map(|arg| parse(&arg)).map(Some).collect();
    if shapes.is_empty() {
        shapes.push(None);
    }
    let gpu = common::gpu();
    println!("{:?} on {} ({})", gpu.info.backend, gpu.info.name, gpu.info.driver_info);
    for (sizes, filters) in [("9-1-5", "64-32"), ("9-5-5", "64-32")] {
        let weights = common::network(sizes, filters, 1, Padding::Replicate);
        for &conv_shape in &shapes {
            for tile in [None, Some(128)] {
                let options = HeadlessOptions { conv_shape, tile, ..HeadlessOptions::default() };
                let mut headless = Headless::new(gpu.clone(), &weights, options)?;
                check(&mut headless, &weights)?;
                let size = [512, 512];
                let picture = picture(size[0], size[1]);
                let work = 2e-9 * (weights.architecture().multiply_adds() * size[0] * size[1]) as f64;
                let mut best = [f64::INFINITY; 2];
                for _ in 0..4 {
                    headless.upscale_planes(&picture, 1.0)?;
                    let timing = headless.timing();
                    best[0] = best[0].min(timing.gpu.as_secs_f64());
                    best[1] = best[1].min(timing.wall.as_secs_f64());
                }
                println!(
                    "{sizes} {size:?} shape {conv_shape:?} tile {tile:?}: GPU {:.1} ms, {:.1} GFLOP/s; wall {:.1} ms, {:.1} GFLOP/s",
                    1e3 * best[0],
                    work / best[0],
                    1e3 * best[1],
                    work / best[1]
                );
            }
        }
    }
    Ok(())
}

fn check(headless: &mut Headless, weights: &srcnn_gpu::Weights) -> srcnn_gpu::Result<()> {
    let small = picture(43, 37);
    let data = small.data.iter().map(|&v| f64::from(v)).collect();
    let maps = Maps { channels: 1, height: 37, width: 43, data };
    let expected = reference::forward(weights, &maps, Padding::Replicate).data;
    let actual = headless.upscale_planes(&small, 1.0)?;
    common::assert_close("bench", &actual.data, &expected, common::tolerance(1600, 3, 1.0));
    Ok(())
}
