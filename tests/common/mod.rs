//! Shared by the tests: a device, data, and comparisons that state their tolerance.
#![allow(dead_code, reason = "each test binary uses a part of this")]

pub mod browser;
pub mod clips;
pub mod desk;
pub mod jpeg;
pub mod mat;
pub mod python;
pub mod tiff;
pub mod training;
pub mod video;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use srcnn_gpu::headless::{AdapterSelection, Gpu};
use srcnn_gpu::reference::{self, Maps};
use srcnn_gpu::{Architecture, Channels, Layer, Metadata, Padding, Planes, Weights};

/// The adapter that the tests run on: `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` choose it (for the program, `SRCNN_GPU`),
/// otherwise the first usable one. Fails if there is none, so that a green run has computed something.
pub fn gpu() -> Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| {
        let gpu = srcnn_gpu::headless::open(&AdapterSelection::default())
            .expect("the tests need an adapter; a software one will do");
        eprintln!("adapter: {} ({:?}, {})", gpu.info.name, gpu.info.backend, gpu.info.driver_info);
        gpu
    })
    .clone()
}

/// Lets only one test of a binary use a device at a time, for as long as it holds this guard. wgpu's OpenGL backend
/// panics in a thread that waits several seconds for another thread's work, and software adapters take that long to
/// compile.
pub fn alone() -> MutexGuard<'static, ()> {
    static DEVICE: Mutex<()> = Mutex::new(());
    DEVICE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The program with vectors as wide as this process has on Mesa's software drivers: it would ask for wider ones.
pub fn as_wide(mut command: std::process::Command) -> std::process::Command {
    let width = std::env::var_os("LP_NATIVE_VECTOR_WIDTH").unwrap_or_else(|| "256".into());
    command.env("LP_NATIVE_VECTOR_WIDTH", width);
    command
}

/// The folder with pictures and golden vectors; without it, prints a line and returns `None`.
pub fn data(part: &str) -> Option<PathBuf> {
    match std::env::var_os("SRCNN_DATA") {
        Some(folder) => Some(PathBuf::from(folder).join(part)),
        None => {
            eprintln!("SKIPPED: SRCNN_DATA is not set, so {part} is missing");
            None
        }
    }
}

/// Pseudo-random numbers in -1..1, the same on every machine.
pub fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

/// A network of random filters, scaled so that maps stay around 1, with biases large enough to matter.
pub fn network(sizes: &str, filters: &str, channels: usize, padding: Padding) -> Weights {
    let architecture = Architecture::parse(sizes, filters, channels).expect("a valid architecture");
    let mut next = noise(7);
    let layers = architecture
        .layers()
        .iter()
        .map(|&shape| {
            let scale = 2.0 / (shape.products() as f32).sqrt();
            let weight = (0..shape.weights()).map(|_| next() * scale).collect();
            let bias = (0..shape.filters).map(|_| next() * 0.2).collect();
            Layer { shape, weight, bias }
        })
        .collect();
    let channels = if channels == 1 { Channels::Y } else { Channels::Rgb };
    Weights::new(layers, Metadata { channels, padding, ..Metadata::default() }).expect("valid weights")
}

/// The same weights, with each filter of layer `layer` wrong in its last tap: a truncated packing loses the end first.
pub fn wrong_in(weights: &Weights, layer: usize) -> Weights {
    let mut layers = weights.layers().to_vec();
    let taps = layers[layer].shape.size * layers[layer].shape.size;
    layers[layer].weight.iter_mut().skip(taps - 1).step_by(taps).for_each(|weight| *weight += 0.01);
    Weights::new(layers, weights.metadata.clone()).expect("valid weights")
}

/// Planes as the twins take them.
pub fn maps(planes: &Planes) -> Maps {
    let data = planes.data.iter().map(|&v| f64::from(v)).collect();
    Maps { channels: planes.channels, height: planes.height, width: planes.width, data }
}

/// What a network's twin in f64 makes of planes.
pub fn twin(weights: &Weights, planes: &Planes, padding: Padding) -> Vec<f64> {
    reference::forward(weights, &maps(planes), padding).data
}

/// Rounding errors of `layers` layers that each sum up to `products` products of values around `magnitude`: each
/// product and sum is off by at most half an ulp of the running sum; a factor of 4 covers the running sums of values
/// of mixed sign.
pub fn tolerance(products: usize, layers: usize, magnitude: f64) -> f64 {
    4.0 * f64::from(f32::EPSILON) * products as f64 * layers as f64 * magnitude
}

/// The largest difference and its index.
pub fn difference(actual: &[f32], expected: &[f64]) -> (f64, usize) {
    assert_eq!(actual.len(), expected.len(), "lengths");
    let mut worst = (0.0, 0);
    for (i, (&a, &e)) in actual.iter().zip(expected).enumerate() {
        let d = (f64::from(a) - e).abs();
        // NaN differs from everything.
        if d > worst.0 || d.is_nan() {
            worst = (if d.is_nan() { f64::INFINITY } else { d }, i);
        }
    }
    worst
}

/// Asserts that all values agree to `tolerance`, and that the comparison would notice one wrong value: one that is off
/// by four tolerances.
pub fn assert_close(what: &str, actual: &[f32], expected: &[f64], tolerance: f64) {
    let (worst, at) = difference(actual, expected);
    assert!(
        worst <= tolerance,
        "{what}: value {at} is {}, expected {}; off by {worst:e}, allowed {tolerance:e}",
        actual[at],
        expected[at]
    );
    let mut perturbed = expected.to_vec();
    perturbed[expected.len() / 2] += 4.0 * tolerance;
    assert!(difference(actual, &perturbed).0 > tolerance, "{what}: the comparison cannot fail");
}
