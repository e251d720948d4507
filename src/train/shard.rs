//! Training pictures in memory: whole pictures, and where the sub-images in them begin.

use bytemuck::{Pod, Zeroable};

/// Where a picture (or a band of it) lies in [`PackedShard::inputs`] and [`PackedShard::targets`].
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub struct PictureEntry {
    /// Index of the first value of its first plane; the planes follow each other, `[channel][row][column]`.
    pub offset: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A sub-image: its upper left corner.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub struct PatchEntry {
    /// Index in [`PackedShard::pictures`].
    pub picture: u32,
    /// First row.
    pub y: u32,
    /// First column.
    pub x: u32,
}

/// Pictures as a [`Trainer`](super::gpu::Trainer) takes them. The target of a sub-image is its center in `targets`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PackedShard {
    /// Y of the paper: degraded and enlarged pictures, 0..1, neither rounded nor clamped.
    pub inputs: Vec<f32>,
    /// X of the paper: 8-bit samples / 255, laid out as `inputs`.
    pub targets: Vec<f32>,
    /// One for each picture or band.
    pub pictures: Vec<PictureEntry>,
    /// All sub-images, picture by picture, row by row.
    pub patches: Vec<PatchEntry>,
}

/// Sub-images that are looked at for [`PackedShard::loss_bicubic`].
#[cfg(feature = "headless")]
const SAMPLE: usize = 1000;

#[cfg(feature = "headless")]
impl PackedShard {
    /// The mean loss (equation 4) of the inputs as they are over sub-images spread through the shard, for sub-images of `patch`
    /// pixels whose targets lack `border` pixels on each side.
    pub(crate) fn loss_bicubic(&self, patch: usize, border: usize, channels: usize) -> f64 {
        let every = self.patches.len().div_ceil(SAMPLE).max(1);
        let sum_of = |place: &PatchEntry| {
            let picture = &self.pictures[place.picture as usize];
            let (width, height) = (picture.width as usize, picture.height as usize);
            let (y, x) = (place.y as usize, place.x as usize);
            let rows =
                (0..channels).flat_map(|channel| (border..patch - border).map(move |row| (channel, row)));
            let squares = rows.map(|(channel, row)| {
                let begin = picture.offset as usize + (channel * height + y + row) * width + x;
                let part = begin + border..begin + patch - border;
                let pairs = self.inputs[part.clone()].iter().zip(&self.targets[part]);
                pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
            });
            squares.sum::<f64>()
        };
        let sums: Vec<f64> = self.patches.iter().step_by(every).map(sum_of).collect();
        sums.iter().sum::<f64>() / sums.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_of_interpolation() {
        let (width, height) = (7, 6);
        let targets: Vec<f32> = (0..2 * width * height).map(|i| i as f32).collect();
        // Off by 1 in the first plane and by 3 in the second.
        let inputs = targets.iter().enumerate().map(|(i, v)| v + if i < width * height { 1.0 } else { 3.0 });
        let shard = PackedShard {
            inputs: inputs.collect(),
            targets,
            pictures: vec![PictureEntry { offset: 0, width: width as u32, height: height as u32 }],
            patches: vec![PatchEntry { picture: 0, y: 1, x: 2 }, PatchEntry { picture: 0, y: 0, x: 0 }],
        };
        assert_eq!(shard.loss_bicubic(5, 1, 2), 9.0 * (1.0 + 9.0));
        assert_eq!(shard.loss_bicubic(5, 0, 1), 25.0);
    }
}
