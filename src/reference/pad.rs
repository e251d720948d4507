//! Padding of a picture: the twin of what convolutions do where their filters reach beyond the edge.

use super::Maps;
use crate::network::Padding;

/// `input` with `radius` more pixels on each side, filled by the padding mode; unchanged for [`Padding::Valid`].
pub fn pad(input: &Maps, radius: usize, padding: Padding) -> Maps {
    if padding == Padding::Valid {
        return input.clone();
    }
    let size = [input.channels, input.height + 2 * radius, input.width + 2 * radius];
    Maps::from_fn(size, |c, y, x| {
        let inside_y = y.saturating_sub(radius).min(input.height - 1);
        let inside_x = x.saturating_sub(radius).min(input.width - 1);
        let inside = (inside_y + radius, inside_x + radius) == (y, x);
        if inside || padding == Padding::Replicate { input.at(c, inside_y, inside_x) } else { 0.0 }
    })
}
