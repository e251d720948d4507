//! Writes `weights/sharpen.safetensors`: a network made by hand rather than learned, for the examples and for trying
//! the program without a trained one.
//!
//! `cargo run --release --example sharpening_network -- OUTPUT`
//!
//! It is an unsharp mask with filter sizes 5-1. With h = Y minus its 5x5 binomial blur, the first layer computes
//! max(0, Y), max(0, h) and max(0, -h), and the second one adds them up to Y + h.

use srcnn_gpu::{Layer, LayerShape, Metadata, Weights};

const BINOMIAL: [f32; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let output = std::env::args().nth(1).ok_or("name the file to write")?;
    let mut identity = vec![0.0; 25];
    identity[12] = 1.0;
    let tap = |i: usize| identity[i] - BINOMIAL[i / 5] * BINOMIAL[i % 5] / 256.0;
    let high: Vec<f32> = (0..25).map(tap).collect();
    let low: Vec<f32> = high.iter().map(|v| -v).collect();
    let first = Layer {
        shape: LayerShape { inputs: 1, filters: 3, size: 5 },
        weight: [identity, high, low].concat(),
        bias: vec![0.0; 3],
    };
    let second = Layer {
        shape: LayerShape { inputs: 3, filters: 1, size: 1 },
        weight: vec![1.0, 1.0, -1.0],
        bias: vec![0.0],
    };
    let training = Some("made by hand: bicubic plus the difference from its 5x5 binomial blur".into());
    let weights = Weights::new(vec![first, second], Metadata { training, ..Metadata::default() })?;
    std::fs::write(&output, weights.to_safetensors()?)?;
    println!("{output}: {} parameters", weights.parameters());
    Ok(())
}
