//! A layer of the network and the position of its parameters.

use std::ops::Range;

use crate::network::{LayerShape, Padding};

/// A layer and the position of its parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerPlace {
    pub shape: LayerShape,
    /// Index of the first weight and of the first bias among all parameters.
    pub weight_start: usize,
    pub bias_start: usize,
    /// Width in pixels of the zeros that the layer sees on each side of its input.
    pub padding: usize,
    /// Size of its filters if its sums are multiplied by the valid-pixel map, else 0.
    pub normalized: usize,
}

impl LayerPlace {
    /// All layers with their positions, and the total number of parameters.
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

    /// Where the layer's parameters are among all.
    pub fn parameters(&self) -> Range<usize> {
        self.weight_start..self.bias_start + self.shape.filters
    }
}

/// What a convolution computes for a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The layer's output, with ReLU for all but the last layer.
    Forward { relu: bool },
    /// The gradient of the layer's input, through the ReLU and the valid-pixel map of the previous layer.
    GradInput {
        /// The previous layer's [`LayerPlace::normalized`].
        normalized: usize,
    },
}

impl Direction {
    /// Whether inputs and filters are swapped.
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

/// Where reads begin for a padding of `padding` pixels: the number of whole texels before the computed pixel, and the
/// number of columns by which the taps shift right to make up for the excess.
pub(super) fn aligned(padding: usize) -> (usize, usize) {
    let texels = padding.div_ceil(4);
    (texels, texels * 4 - padding)
}
