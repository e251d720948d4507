//! Exif blocks changed in place, when a picture is enlarged.

use super::{LONG, Order, SHORT, tag};

/// Updates a block in place for an upright picture of `width` x `height` pixels. If the picture was `turned` to become
/// upright, the thumbnail, which was not, is cut off.
pub fn update(block: &mut [u8], (width, height): (u32, u32), turned: bool) {
    let Some(order) = Order::of(block) else { return };
    let Some(main) = block.get(4..8).map(|at| order.u32(at) as usize) else { return };
    let sizes = [
        (tag::IMAGE_WIDTH, width),
        (tag::IMAGE_LENGTH, height),
        (tag::PIXEL_X_DIMENSION, width),
        (tag::PIXEL_Y_DIMENSION, height),
    ];
    let mut exif = None;
    for at in entries(block, order, main) {
        match order.u16(&block[at..]) {
            tag::ORIENTATION => put(&mut block[at..at + 12], order, SHORT, 1),
            tag::EXIF => exif = Some(order.u32(&block[at + 8..]) as usize),
            found => sizes.iter().filter(|(tag, _)| *tag == found).for_each(|(_, value)| {
                put(&mut block[at..at + 12], order, LONG, *value);
            }),
        }
    }
    for at in exif.map(|exif| entries(block, order, exif)).unwrap_or_default() {
        let found = order.u16(&block[at..]);
        if let Some((_, value)) = sizes.iter().find(|(tag, _)| *tag == found) {
            put(&mut block[at..at + 12], order, LONG, *value);
        }
    }
    let next = entries(block, order, main).last().map(|last| last + 12);
    if let Some(next) = next.and_then(|at| block.get_mut(at..at + 4))
        && turned
    {
        next.fill(0);
    }
}

/// Offsets of the entries of a directory, as far as the block contains them.
fn entries(block: &[u8], order: Order, directory: usize) -> Vec<usize> {
    let Some(count) = block.get(directory..).and_then(|rest| rest.get(..2)) else { return Vec::new() };
    let places = (0..usize::from(order.u16(count))).map(|i| directory + 2 + 12 * i);
    places.take_while(|at| at + 12 <= block.len()).collect()
}

/// Replaces an entry's value by one number.
fn put(entry: &mut [u8], order: Order, kind: u16, value: u32) {
    let (kind, one, short) = (kind, 1u32, value as u16);
    let mut number = [0; 4];
    if order.big {
        entry[2..4].copy_from_slice(&kind.to_be_bytes());
        entry[4..8].copy_from_slice(&one.to_be_bytes());
        match kind {
            SHORT => number[..2].copy_from_slice(&short.to_be_bytes()),
            _ => number = value.to_be_bytes(),
        }
    } else {
        entry[2..4].copy_from_slice(&kind.to_le_bytes());
        entry[4..8].copy_from_slice(&one.to_le_bytes());
        number = value.to_le_bytes();
    }
    entry[8..12].copy_from_slice(&number);
}
