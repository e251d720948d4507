//! Shared by the examples: a network that needs no file.

use srcnn_gpu::{Layer, LayerShape, Metadata, Result, Weights};

/// The network of a weight file, or [`sharpening`] without one.
pub fn weights(file: Option<&std::path::Path>) -> Result<Weights> {
    file.map_or_else(sharpening, Weights::load)
}

/// An unsharp mask, written as an SRCNN with filter sizes 5-1: not learned, but easy to check and made of the same
/// parts. With h = Y less its 5x5 binomial blur, the first layer computes max(0, Y), max(0, h) and max(0, -h); the
/// second one adds them up to Y + h.
fn sharpening() -> Result<Weights> {
    const BINOMIAL: [f32; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];
    let mut identity = vec![0.0; 25];
    identity[12] = 1.0;
    let tap = |i: usize| identity[i] - BINOMIAL[i / 5] * BINOMIAL[i % 5] / 256.0;
    let high: Vec<f32> = (0..25).map(tap).collect();
    let low = high.iter().map(|v| -v);
    let first = Layer {
        shape: LayerShape { inputs: 1, filters: 3, size: 5 },
        weight: identity.iter().copied().chain(high.iter().copied()).chain(low).collect(),
        bias: vec![0.0; 3],
    };
    let second = Layer {
        shape: LayerShape { inputs: 3, filters: 1, size: 1 },
        weight: vec![1.0, 1.0, -1.0],
        bias: vec![0.0],
    };
    Weights::new(vec![first, second], Metadata::default())
}
