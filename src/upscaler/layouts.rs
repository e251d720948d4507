//! Sizes of the textures in which a tile is computed.

use super::network::GpuNetwork;
use super::region::PlaneLayout;
use crate::precision::Precision;

/// Sizes of all textures for tiles of at most `tile` pixels that read at most `source_rows` rows.
pub(super) struct Layouts {
    /// The tile with its halo, columns resampled.
    pub horizontal: PlaneLayout,
    pub maps: Vec<PlaneLayout>,
}

impl Layouts {
    pub fn new(network: &GpuNetwork, [columns, rows]: [usize; 2], source_rows: usize, longest: u32) -> Self {
        let margins = network.units().0.map(|unit| 2 * (unit - 1));
        let map = |planes, reach| {
            let [columns, rows] = [columns + margins[0], rows + margins[1]].map(|len| len + 2 * reach);
            PlaneLayout::new(planes, columns, rows, longest)
        };
        let mut maps = vec![map(network.planes, network.architecture.radius())];
        maps.extend(network.passes().iter().map(|pass| map(pass.planes, pass.reach)));
        let columns = 4 * maps[0].texels as usize;
        let horizontal = PlaneLayout::new(network.planes, columns, source_rows, longest);
        Self { horizontal, maps }
    }

    /// Width and height of each texture: horizontal, bicubic, the ping-pong pair of hidden maps, and the result.
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
pub(super) fn precisions(network: &GpuNetwork) -> [Precision; 5] {
    let hidden = network.precision;
    [Precision::F32, Precision::F32, hidden, hidden, Precision::F32]
}
