//! Times burn's wgpu backend: `cargo run --release -- infer WIDTHxHEIGHT` or `train BATCH`.
//!
//! The network is 9-1-5 64-32 with burn's own initialization; times do not depend on the weights. Results are read
//! inside the timed region, because burn returns them before they are computed.

use std::time::{Duration, Instant};

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;

#[derive(Module, Debug)]
struct Network {
    conv1: Conv2d,
    conv2: Conv2d,
    conv3: Conv2d,
}

impl Network {
    fn new(padded: bool, device: &Device) -> Self {
        let conv = |channels, size: usize| {
            let reach = size / 2;
            let padding = match padded {
                true => PaddingConfig2d::Explicit(reach, reach, reach, reach),
                false => PaddingConfig2d::Valid,
            };
            Conv2dConfig::new(channels, [size, size]).with_padding(padding).init(device)
        };
        Self { conv1: conv([1, 64], 9), conv2: conv([64, 32], 1), conv3: conv([32, 1], 5) }
    }

    fn forward(&self, y: Tensor<4>) -> Tensor<4> {
        self.conv3.forward(relu(self.conv2.forward(relu(self.conv1.forward(y)))))
    }
}

/// A tensor of values in 0..1, the same every time.
fn values(shape: [usize; 4], device: &Device) -> Tensor<4> {
    let mut state = 1u32;
    let next = |_| {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    let data = (0..shape.iter().product::<usize>()).map(next).collect::<Vec<f32>>();
    Tensor::from_data(TensorData::new(data, shape), device)
}

/// The median of at least five runs, after one warm-up run.
fn median(mut run: impl FnMut()) -> Duration {
    run();
    let begun = Instant::now();
    let mut times = Vec::new();
    while times.len() < 5 || (times.len() < 25 && begun.elapsed() < Duration::from_secs(5)) {
        let start = Instant::now();
        run();
        times.push(start.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let device = Device::wgpu(Default::default());
    match words[..] {
        ["infer", size] => {
            let (width, height) = size.split_once('x').expect("a size such as 512x512");
            let [width, height] =
                [width, height].map(|side| side.parse::<usize>().expect("a number of pixels"));
            let network = Network::new(true, &device);
            let plane = values([1, 1, height, width], &device);
            let time = median(|| {
                let result = network.forward(plane.clone()).into_data().iter::<f32>().sum::<f32>();
                assert!(result.is_finite());
            });
            let operations = 2.0 * 8032.0 * (width * height) as f64;
            let rate = operations / time.as_secs_f64() * 1e-9;
            println!("burn wgpu infer {size} {:.1} ms {rate:.1} GFLOP/s", time.as_secs_f64() * 1e3);
        }
        ["train", batch] => {
            let batch: usize = batch.parse().expect("a number of sub-images");
            let device = device.autodiff();
            let (inputs, targets) =
                (values([batch, 1, 33, 33], &device), values([batch, 1, 21, 21], &device));
            let mut network = Some(Network::new(false, &device));
            let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
            let mut optimizer = SgdConfig::new().with_momentum(Some(momentum)).init();
            let time = median(|| {
                let before = network.take().expect("a network");
                let difference = before.forward(inputs.clone()) - targets.clone();
                let loss = (difference.clone() * difference).mean();
                let gradients = GradientsParams::from_grads(loss.backward(), &before);
                network = Some(optimizer.step(0.01, before, gradients));
                assert!(loss.into_data().iter::<f32>().all(f32::is_finite));
            });
            let rate = batch as f64 / time.as_secs_f64();
            println!("burn wgpu train {batch} {:.1} ms {rate:.1} sub-images/s", time.as_secs_f64() * 1e3);
        }
        _ => eprintln!("burn-peer infer WIDTHxHEIGHT | train BATCH"),
    }
}
