//! Exif blocks read and changed in place, when a picture is enlarged.

use super::{LONG, Order, SHORT, tag};

/// Pointer from Exif's directory to one of its own, and the sizes in that.
const INTEROPERABILITY: u16 = tag::INTEROPERABILITY;
const RELATED_WIDTH: u16 = 0x1001;
const RELATED_LENGTH: u16 = 0x1002;
/// The beginning of a JPEG file.
const JPEG: [u8; 3] = [0xff, 0xd8, 0xff];

/// What is known of a block.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct About {
    /// The number that says how the picture has to be turned, if it is one that says something: 1 to 8.
    pub orientation: Option<u8>,
    /// Whether there is a small version of the picture in a directory of its own.
    pub thumbnail: bool,
    /// Whether the maker's notes are there, and hold a picture.
    pub notes: bool,
    pub preview: bool,
}

/// Looks at a block; `None` if it cannot be read.
pub fn about(block: &[u8]) -> Option<About> {
    let order = Order::of(block)?;
    let main = order.u32(block.get(4..8)?) as usize;
    let all = entries(block, order, main);
    let last = *all.last()?;
    let thumbnail = block.get(last + 12..last + 16).is_some_and(|next| order.u32(next) != 0);
    let with =
        |directory: &[usize], tag| directory.iter().copied().find(|&at| order.u16(&block[at..]) == tag);
    // Readers take the first one that says something.
    let orientation = all.iter().filter(|&&at| order.u16(&block[at..]) == tag::ORIENTATION);
    let orientation =
        orientation.filter_map(|&at| small_number(&block[at..at + 12], order)).find(|n| (1..=8).contains(n));
    let exif = pointed(block, order, with(&all, tag::EXIF));
    let notes = with(&exif, tag::MAKER_NOTE).map(|at| {
        let (len, place) = (order.u32(&block[at + 4..]) as usize, order.u32(&block[at + 8..]) as usize);
        let end = place.saturating_add(len).min(block.len());
        block.get(place..end).unwrap_or_default()
    });
    let preview = notes.is_some_and(|notes| notes.windows(3).any(|part| part == JPEG));
    Some(About { orientation, thumbnail, notes: notes.is_some(), preview })
}

/// Updates a block in place for an upright picture of `width` x `height` pixels. If the picture was `turned` to become
/// upright, the block says so, and the thumbnail, which was not, is cut off.
pub fn update(block: &mut [u8], (width, height): (u32, u32), turned: bool) {
    let Some(order) = Order::of(block) else { return };
    let Some(main) = block.get(4..8).map(|at| order.u32(at) as usize) else { return };
    let sizes = [
        (tag::IMAGE_WIDTH, width),
        (tag::IMAGE_LENGTH, height),
        (tag::PIXEL_X_DIMENSION, width),
        (tag::PIXEL_Y_DIMENSION, height),
        (RELATED_WIDTH, width),
        (RELATED_LENGTH, height),
    ];
    let first = entries(block, order, main);
    let pointer = |block: &[u8], directory: &[usize], tag| {
        directory.iter().copied().find(|&at| order.u16(&block[at..]) == tag)
    };
    let exif = pointed(block, order, pointer(block, &first, tag::EXIF));
    let other = pointed(block, order, pointer(block, &exif, INTEROPERABILITY));
    for &at in first.iter().chain(&exif).chain(&other) {
        let found = order.u16(&block[at..]);
        if let Some((_, value)) = sizes.iter().find(|(tag, _)| *tag == found) {
            put(&mut block[at..at + 12], order, LONG, *value);
        }
    }
    if !turned {
        return;
    }
    set_orientation(block, 1);
    if let Some(next) = first.last().and_then(|last| block.get_mut(last + 12..last + 16)) {
        next.fill(0);
    }
}

/// Sets the orientation, if there is one.
pub fn set_orientation(block: &mut [u8], number: u8) {
    let Some(order) = Order::of(block) else { return };
    let Some(main) = block.get(4..8).map(|at| order.u32(at) as usize) else { return };
    for at in entries(block, order, main) {
        if order.u16(&block[at..]) == tag::ORIENTATION {
            put(&mut block[at..at + 12], order, SHORT, number.into());
        }
    }
}

/// Offsets of the entries of a directory, as far as the block contains them.
fn entries(block: &[u8], order: Order, directory: usize) -> Vec<usize> {
    let Some(count) = block.get(directory..).and_then(|rest| rest.get(..2)) else { return Vec::new() };
    let places = (0..usize::from(order.u16(count))).map(|i| directory + 2 + 12 * i);
    places.take_while(|at| at + 12 <= block.len()).collect()
}

/// The entries of the directory that an entry points to.
fn pointed(block: &[u8], order: Order, pointer: Option<usize>) -> Vec<usize> {
    pointer.map(|at| entries(block, order, order.u32(&block[at + 8..]) as usize)).unwrap_or_default()
}

/// An entry's first value, if it is an integer below 256 of any width.
fn small_number(entry: &[u8], order: Order) -> Option<u8> {
    let (kind, count) = (order.u16(&entry[2..]), order.u32(&entry[4..]));
    let number = match (kind, count) {
        // Signed or not.
        (1 | 6, 1..=4) => entry[8].into(),
        (3 | 8, 1..=2) => order.u16(&entry[8..]).into(),
        (4 | 9, 1) => order.u32(&entry[8..]),
        _ => return None,
    };
    u8::try_from(number).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A block with one orientation and a pointer to a directory of notes and sizes.
    fn block(order: Order, kind: u16, value: [u8; 4]) -> Vec<u8> {
        let u16 = |n: u16| if order.big { n.to_be_bytes() } else { n.to_le_bytes() };
        let u32 = |n: u32| if order.big { n.to_be_bytes() } else { n.to_le_bytes() };
        let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
            [u16(tag).to_vec(), u16(kind).to_vec(), u32(count).to_vec(), value.to_vec()].concat()
        };
        let mut bytes = if order.big { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
        bytes.extend(u32(8));
        bytes.extend(u16(2));
        bytes.extend(entry(tag::ORIENTATION, kind, 1, value));
        bytes.extend(entry(tag::EXIF, LONG, 1, u32(38)));
        bytes.extend(u32(200));
        bytes.extend(u16(2));
        bytes.extend(entry(tag::MAKER_NOTE, 7, 6, u32(90)));
        bytes.extend(entry(INTEROPERABILITY, LONG, 1, u32(68)));
        bytes.extend(u32(0));
        bytes.extend(u16(1));
        bytes.extend(entry(RELATED_WIDTH, SHORT, 1, if order.big { [0, 9, 0, 0] } else { [9, 0, 0, 0] }));
        bytes.resize(90, 0);
        bytes.extend(b"note\xff\xd8\xff");
        bytes
    }

    #[test]
    fn orientations_of_any_width() {
        for (big, kind, value) in [
            (true, 1, [6, 0, 0, 0]),
            (true, 3, [0, 6, 0, 0]),
            (true, 4, [0, 0, 0, 6]),
            (false, 3, [6, 0, 0, 0]),
            (false, 9, [6, 0, 0, 0]),
        ] {
            let order = Order { big };
            let mut block = block(order, kind, value);
            let found = about(&block).unwrap();
            assert_eq!(found, About { orientation: Some(6), thumbnail: true, notes: true, preview: false });
            // As it was until the picture is turned.
            update(&mut block, (70, 60), false);
            assert_eq!(about(&block).unwrap(), found);
            assert_eq!(order.u32(&block[78..]), 70, "the related width");
            update(&mut block, (70, 60), true);
            assert_eq!(about(&block).unwrap(), About { orientation: Some(1), thumbnail: false, ..found });
        }
        let order = Order { big: false };
        assert_eq!(about(&block(order, 2, *b"6\0\0\0")).unwrap().orientation, None);
        assert_eq!(about(&block(order, 3, [9, 0, 0, 0])).unwrap().orientation, None);
        let mut pictured = block(order, 3, [1, 0, 0, 0]);
        let count = 40 + 4;
        pictured[count] = 7;
        assert!(about(&pictured).unwrap().preview);
        for broken in
            [b"II".as_slice(), b"MM*\0\0\0\0\x08", b"II*\0\x08\0\0\0", b"II*\0\xff\xff\xff\xff", b"Exif"]
        {
            assert_eq!(about(broken), None);
        }
    }
}
