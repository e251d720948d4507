//! Sizes of the textures in which a tile is computed.

use super::fold::FoldedPasses;
use super::network::GpuNetwork;
use super::pass::Pass;
use super::region::MapLayout;
use crate::precision::Precision;

/// Sizes of all textures for tiles of at most `tile` pixels that read at most `source_rows` rows.
pub(super) struct Layouts {
    /// The tile with its halo, columns resampled.
    pub horizontal: MapLayout,
    pub maps: Vec<MapLayout>,
    pub folded: Option<FoldedLayouts>,
}

/// Maps of tiles inside.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoldedLayouts {
    /// Width and height of the low-resolution luminance, in texels.
    pub luminance: [u32; 2],
    /// What the rows of the last layer's filter are computed to.
    pub rows: MapLayout,
    pub result: MapLayout,
}

impl Layouts {
    pub fn new(network: &GpuNetwork, [columns, rows]: [usize; 2], source_rows: usize, longest: u32) -> Self {
        let margins = network.units().0.map(|unit| 2 * (unit - 1));
        let map = |planes, reach| {
            let [columns, rows] = [columns + margins[0], rows + margins[1]].map(|len| len + 2 * reach);
            MapLayout::new(planes, columns, rows, longest)
        };
        let mut maps = vec![map(network.planes, network.architecture.radius())];
        maps.extend(network.passes().iter().map(|pass| map(pass.planes, pass.reach)));
        let folded = network.folded().map(|folded| FoldedLayouts::new(folded, [columns, rows], longest));
        let columns = 4 * maps[0].texels as usize;
        let horizontal = MapLayout::new(network.planes, columns, source_rows, longest);
        Self { horizontal, maps, folded }
    }

    /// Width and height of each texture: horizontal, bicubic, the ping-pong pair of hidden maps, the result, and the
    /// low-resolution luminance.
    pub fn textures(&self) -> [[u32; 2]; 6] {
        let largest = |[w, h]: [u32; 2], [width, height]: [u32; 2]| [w.max(width), h.max(height)];
        let last = self.maps.len() - 1;
        let hidden = |parity| {
            let sizes = self.maps[1..last].iter().skip(parity).step_by(2).map(MapLayout::size);
            sizes.fold([1, 1], largest)
        };
        let folded = |size: fn(&FoldedLayouts) -> [u32; 2]| self.folded.as_ref().map_or([1, 1], size);
        [
            self.horizontal.size(),
            self.maps[0].size(),
            largest(hidden(0), folded(|maps| maps.rows.size())),
            hidden(1),
            largest(self.maps[last].size(), folded(|maps| maps.result.size())),
            folded(|maps| maps.luminance),
        ]
    }
}

impl FoldedLayouts {
    fn new(folded: &FoldedPasses, [columns, rows]: [usize; 2], longest: u32) -> Self {
        let [unit_x, unit_y] = folded.units();
        let map = |pass: &Pass| {
            let [columns, rows] =
                [(columns, unit_x), (rows, unit_y)].map(|(len, unit)| len + 2 * (pass.reach + unit - 1));
            MapLayout::new(pass.planes, columns, rows, longest)
        };
        let [rows, result] = folded.passes.each_ref().map(map);
        let luminance = luminance_size(folded, [4 * rows.texels, rows.rows]);
        Self { luminance: [luminance[0] / 4, luminance[1]], rows, result }
    }
}

/// Columns and rows of low-resolution luminance for so many enlarged ones.
pub(super) fn luminance_size(folded: &FoldedPasses, [columns, rows]: [u32; 2]) -> [u32; 2] {
    let [unit_x, unit_y] = folded.units().map(|unit| unit as u32);
    // A group of pixels is a texel, and reads the next two.
    [4 * (columns.div_ceil(unit_x) + 2), rows.div_ceil(unit_y) + folded.taps() as u32 - 1]
}

/// Bytes of all textures for tiles of `tile` x `tile` pixels, `None` when one is too large for the device; what the
/// choice of a tile size starts from.
pub(crate) fn bytes_for_tile(network: &GpuNetwork, tile: usize, longest: u32) -> Option<u64> {
    let rows = tile + 2 * network.architecture.radius() + 8;
    let textures = Layouts::new(network, [tile; 2], rows, longest).textures();
    let fits = textures.as_flattened().iter().all(|&side| side <= longest);
    let bytes = |([width, height], precision): (&[u32; 2], Precision)| {
        u64::from(*width) * u64::from(*height) * 4 * precision.bytes() as u64
    };
    fits.then(|| textures.iter().zip(precisions(network)).map(bytes).sum())
}

/// Precision of each texture, in the order of [`Layouts::textures`].
pub(super) fn precisions(network: &GpuNetwork) -> [Precision; 6] {
    let hidden = network.precision;
    [Precision::F32, Precision::F32, hidden, hidden, Precision::F32, Precision::F32]
}
