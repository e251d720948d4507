//! Matrices as textures: four values of a column in a texel.

use bytemuck::cast_slice;
use nalgebra::DMatrix;

use super::shaders::{LANES, TILE};
use crate::error::{Error, Result};
use crate::gpu::memory::{texture, upload, view};

/// What a texture of `Rgba32Float` will hold.
#[derive(Debug)]
pub(super) struct Table {
    name: &'static str,
    size: [usize; 2],
    /// `[row][column][4]`.
    values: Vec<f32>,
}

impl Table {
    /// A matrix: `[rows / 4][columns][4]`, filled up with zeros to so many columns and to whole tiles of rows.
    pub fn new(name: &'static str, matrix: &DMatrix<f64>, columns: usize) -> Self {
        let rows = matrix.nrows().next_multiple_of(TILE) / LANES;
        Self { name, size: [columns, rows], values: in_texels(matrix, rows, columns) }
    }

    /// A matrix in each row of texels: `[matrix][rows / 4][columns][4]`, filled up in the same way, to whole texels of rows.
    pub fn of_each(name: &'static str, matrices: &[DMatrix<f64>], columns: usize) -> Self {
        let rows = matrices.first().map_or(0, |matrix| matrix.nrows().div_ceil(LANES));
        let values = matrices.iter().flat_map(|matrix| in_texels(matrix, rows, columns)).collect();
        Self { name, size: [rows * columns, matrices.len()], values }
    }

    /// Whether the device has such textures.
    ///
    /// # Errors
    /// [`Error::MissingCapability`].
    pub fn check(&self, device: &wgpu::Device) -> Result<()> {
        let ([width, height], most) = (self.size, device.limits().max_texture_dimension_2d);
        if width.max(height) > most as usize {
            let name = self.name;
            return Err(Error::MissingCapability(format!(
                "textures of {width} x {height} pixels for the {name} of a dictionary; it has {most} on each side"
            )));
        }
        Ok(())
    }

    /// The texture, inside of the caller's error scope.
    pub fn upload(self, device: &wgpu::Device, queue: &wgpu::Queue) -> wgpu::TextureView {
        let size = self.size.map(|length| length as u32);
        let usage = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST;
        let label = format!("srcnn.patches.{}", self.name);
        let table = texture(device, &label, size, wgpu::TextureFormat::Rgba32Float, usage);
        upload(queue, &table, size, cast_slice(&self.values));
        view(&table)
    }
}

/// `[row][column][4]`.
fn in_texels(matrix: &DMatrix<f64>, rows: usize, columns: usize) -> Vec<f32> {
    let value = |row, column| matrix.get((row, column)).map_or(0.0, |&v| v as f32);
    let row = |row: usize| (0..columns * LANES).map(move |i| value(row * LANES + i % LANES, i / LANES));
    (0..rows).flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stay_together() {
        let matrix = DMatrix::from_fn(9, 2, |row, column| (10 * row + column) as f64);
        let table = Table::new("test", &matrix, 3);
        assert_eq!((table.size, table.values.len()), ([3, 4], 48));
        let texel = |row: usize, column: usize| &table.values[(row * 3 + column) * 4..][..4];
        assert_eq!(texel(1, 1), [41.0, 51.0, 61.0, 71.0]);
        assert_eq!(
            (texel(2, 0), texel(0, 2), texel(3, 1)),
            (&[80.0, 0.0, 0.0, 0.0][..], &[0.0; 4][..], &[0.0; 4][..])
        );
        let each = Table::of_each("test", &[matrix.clone(), 2.0 * matrix], 3);
        assert_eq!(each.size, [9, 2]);
        assert_eq!(each.values[36 + 12 + 4..][..4], [82.0, 102.0, 122.0, 142.0]);
    }
}
