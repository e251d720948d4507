//! Sizes of the textures in which a tile is computed, and of tiles that fit into them.

use super::outline::Outline;
use super::region::PlaneLayout;
use crate::precision::Precision;

/// Layouts of all textures, for tiles of at most `tile` pixels that read at most `source_rows` rows.
#[derive(Debug)]
pub(super) struct Layouts {
    /// The source tile with its halo, columns resampled.
    pub horizontal: PlaneLayout,
    /// The input of each pass, starting with the bicubic planes Y; the last one is the result F(Y).
    pub maps: Vec<PlaneLayout>,
}

/// Names of the textures, used in their labels.
pub(super) const NAMES: [&str; 5] = ["horizontal", "bicubic", "hidden0", "hidden1", "result"];

impl Layouts {
    pub fn new(
        outline: &Outline,
        [columns, rows]: [usize; 2],
        source_rows: usize,
        max_texture_side: u32,
    ) -> Self {
        let margins = outline.alignment.units.map(|unit| 2 * (unit - 1));
        let map = |planes, reach| {
            let [columns, rows] = [columns + margins[0], rows + margins[1]].map(|len| len + 2 * reach);
            PlaneLayout::new(planes, columns, rows, max_texture_side)
        };
        let mut maps = vec![map(outline.planes, outline.architecture.radius())];
        maps.extend(outline.passes.iter().map(|pass| map(pass.planes, pass.reach)));
        let columns = 4 * maps[0].texels as usize;
        let horizontal = PlaneLayout::new(outline.planes, columns, source_rows, max_texture_side);
        Self { horizontal, maps }
    }

    /// The result F(Y).
    pub fn result(&self) -> PlaneLayout {
        self.maps[self.maps.len() - 1]
    }

    /// Width and height of each texture, in the order of [`NAMES`]. Hidden maps alternate between two textures.
    pub fn textures(&self) -> [[u32; 2]; 5] {
        let largest = |[w, h]: [u32; 2], [width, height]: [u32; 2]| [w.max(width), h.max(height)];
        let last = self.maps.len() - 1;
        let hidden = |parity| {
            let sizes = self.maps[1..last].iter().skip(parity).step_by(2).map(PlaneLayout::size);
            sizes.fold([1, 1], largest)
        };
        [self.horizontal.size(), self.maps[0].size(), hidden(0), hidden(1), self.maps[last].size()]
    }
}

/// Number in [`NAMES`] of the texture that is the input of pass `i`, of this many; for `i` = `passes`, the result.
pub(super) fn texture_of_map(i: usize, passes: usize) -> usize {
    match i {
        0 => 1,
        i if i == passes => 4,
        i => 2 + (i - 1) % 2,
    }
}

/// Precision of each texture, in the order of [`NAMES`].
pub(super) fn precisions(outline: &Outline) -> [Precision; 5] {
    let hidden = outline.precision;
    [Precision::F32, Precision::F32, hidden, hidden, Precision::F32]
}

/// A tile size within the device's limits for what was prepared last, with bounded memory and work per tile.
pub(super) fn default_tile(outline: &Outline, max_texture_side: u32) -> usize {
    // At most a few hundred milliseconds per tile, at 20 GFLOP/s in software or 200 GFLOP/s on a slow GPU.
    let (memory, work, largest) =
        if outline.software { (48 << 20, 2.0e9, 512) } else { (512 << 20, 2.0e10, 1024) };
    let by_work = (work / outline.architecture.multiply_adds() as f64).sqrt() as usize;
    let mut tile = by_work.clamp(16, largest);
    while tile > 16 && bytes_for_tile(outline, tile, max_texture_side).is_none_or(|bytes| bytes > memory) {
        tile = tile * 7 / 8;
    }
    tile
}

/// Bytes of all textures for tiles of `tile` x `tile` pixels; `None` if one is too large for the device.
fn bytes_for_tile(outline: &Outline, tile: usize, max_texture_side: u32) -> Option<u64> {
    let rows = tile + 2 * outline.architecture.radius() + 8;
    let textures = Layouts::new(outline, [tile; 2], rows, max_texture_side).textures();
    let fits = textures.as_flattened().iter().all(|&side| side <= max_texture_side);
    fits.then(|| bytes(&textures, precisions(outline)))
}

/// Bytes of all textures of these sizes.
pub(super) fn bytes(sizes: &[[u32; 2]; 5], precisions: [Precision; 5]) -> u64 {
    let bytes = |([width, height], precision): (&[u32; 2], Precision)| {
        u64::from(*width) * u64::from(*height) * 4 * precision.bytes() as u64
    };
    sizes.iter().zip(precisions).map(bytes).sum()
}
