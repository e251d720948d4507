//! Averaging over the 8 symmetries of a picture, its flips and quarter turns (test-time augmentation, "TTA").
//!
//! Bicubic interpolation commutes with these symmetries, so turning the picture, enlarging it and turning it back
//! equals enlarging it as it is with turned filters. Tiles therefore stay where they are, and memory stays bounded.

use super::convert::Texel;
use crate::error::Result;
use crate::weights::{Layer, Weights};

/// Number of symmetries: all combinations of flips and quarter turns.
pub(crate) const SYMMETRIES: usize = 8;

/// The network with its filters in each of the symmetries; the first is the identity.
pub(crate) fn transformed(weights: &Weights) -> Result<Vec<Weights>> {
    (0..SYMMETRIES)
        .map(|symmetry| {
            let layers = weights.layers().iter().map(|layer| transform_layer(layer, symmetry));
            Weights::new(layers.collect(), weights.metadata.clone())
        })
        .collect()
}

/// Bit 0 mirrors columns, bit 1 mirrors rows, bit 2 swaps the two.
fn transform_layer(layer: &Layer, symmetry: usize) -> Layer {
    let size = layer.shape.size;
    let at = |row: usize, column: usize| {
        let row = if symmetry & 2 == 0 { row } else { size - 1 - row };
        let column = if symmetry & 1 == 0 { column } else { size - 1 - column };
        if symmetry & 4 == 0 { row * size + column } else { column * size + row }
    };
    let filters = layer.weight.chunks_exact(size * size);
    let weight = filters.flat_map(|filter| (0..size * size).map(|i| filter[at(i / size, i % size)]));
    Layer { weight: weight.collect(), ..layer.clone() }
}

/// Adds up the results of a tile, one symmetry after another.
#[derive(Debug, Default)]
pub(super) struct Sum {
    texels: Vec<Texel>,
}

impl Sum {
    /// Adds a row of one symmetry's result; symmetries come in order, each with all its rows.
    pub fn add(&mut self, symmetry: usize, row: usize, texels: &[Texel]) {
        if symmetry == 0 {
            if row == 0 {
                self.texels.clear();
            }
            self.texels.extend_from_slice(texels);
            return;
        }
        let sums = self.texels[row * texels.len()..][..texels.len()].as_flattened_mut();
        sums.iter_mut().zip(texels.as_flattened()).for_each(|(sum, value)| *sum += value);
    }

    /// The averages of a row, once all symmetries have been added.
    pub fn average(&mut self, row: usize, columns: usize) -> &[Texel] {
        let texels = &mut self.texels[row * columns..][..columns];
        texels.as_flattened_mut().iter_mut().for_each(|sum| *sum /= SYMMETRIES as f32);
        texels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::LayerShape;
    use std::collections::HashSet;

    #[test]
    fn eight_different_symmetries() {
        let shape = LayerShape { inputs: 1, filters: 1, size: 3 };
        let layer = Layer { shape, weight: (0..9u8).map(f32::from).collect(), bias: vec![0.5] };
        let layers: Vec<Layer> = (0..SYMMETRIES).map(|symmetry| transform_layer(&layer, symmetry)).collect();
        assert_eq!(layers[0], layer);
        assert_eq!(layers[1].weight, [2.0, 1.0, 0.0, 5.0, 4.0, 3.0, 8.0, 7.0, 6.0]);
        assert_eq!(layers[4].weight, [0.0, 3.0, 6.0, 1.0, 4.0, 7.0, 2.0, 5.0, 8.0]);
        let different: HashSet<String> = layers.iter().map(|layer| format!("{:?}", layer.weight)).collect();
        assert_eq!(different.len(), SYMMETRIES);
        assert!(layers.iter().all(|layer| layer.weight[4] == 4.0 && layer.bias == [0.5]));
    }

    #[test]
    fn averages() {
        let mut sum = Sum::default();
        for symmetry in 0..SYMMETRIES {
            for row in 0..2 {
                sum.add(symmetry, row, &[[symmetry as f32, row as f32, 1.0, 0.0]; 3]);
            }
        }
        assert_eq!(sum.average(1, 3), [[3.5, 1.0, 1.0, 0.0]; 3]);
        assert_eq!(sum.average(0, 3), [[3.5, 0.0, 1.0, 0.0]; 3]);
    }
}
