//! A layer of the network, and where its parameters are.

use crate::network::{LayerShape, Padding};

/// A layer and where its parameters are.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerPlace {
    pub shape: LayerShape,
    /// Index of the first weight, and of the first bias, among all parameters.
    pub weight_start: usize,
    pub bias_start: usize,
    /// Zeros that the layer sees around its input on each side.
    pub padding: usize,
    /// Size of its filters where its sums are multiplied by the valid-pixel map, else 0.
    pub normalized: usize,
}

impl LayerPlace {
    /// Layers with their places among the parameters, and the number of these.
    pub fn of(shapes: &[LayerShape], padding: Padding) -> (Vec<Self>, usize) {
        let mut next = 0;
        let mut take = |count| {
            next += count;
            next - count
        };
        let place = |&shape: &LayerShape| Self {
            shape,
            weight_start: take(shape.weights()),
            bias_start: take(shape.filters),
            padding: if padding == Padding::Valid { 0 } else { shape.radius() },
            normalized: if padding == Padding::Normalized { shape.size } else { 0 },
        };
        (shapes.iter().map(place).collect(), next)
    }
}

/// What a convolution computes for a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The layer's output, with ReLU where it is not the last layer.
    Forward { relu: bool },
    /// The gradient of the layer's input, through the ReLU and the valid-pixel map of the layer before.
    GradInput {
        /// That layer's [`LayerPlace::normalized`].
        normalized: usize,
    },
}

impl Direction {
    /// Whether inputs and filters change places.
    pub fn transposed(self) -> bool {
        matches!(self, Self::GradInput { .. })
    }

    /// Size of the filters whose valid-pixel map multiplies the sums, else 0.
    pub fn normalized(self, place: &LayerPlace) -> usize {
        match self {
            Self::Forward { .. } => place.normalized,
            Self::GradInput { normalized } => normalized,
        }
    }
}

/// Texels and columns by which reads begin before the pixel that is computed, for zeros of `padding` pixels: whole
/// texels, and the taps shifted right by the excess.
pub(super) fn aligned(padding: usize) -> (usize, usize) {
    let texels = padding.div_ceil(4);
    (texels, texels * 4 - padding)
}
