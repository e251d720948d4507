//! Photoshop's image resources, in which JPEG files keep their IPTC records.

/// The beginning of a JPEG segment that holds resources.
pub const HEADER: &[u8] = b"Photoshop 3.0\0";
const SIGNATURE: &[u8; 4] = b"8BIM";
const IPTC: u16 = 0x0404;
/// Small versions of the picture.
const THUMBNAILS: [u16; 2] = [0x0409, 0x040c];
/// Says whether the IPTC records have changed since.
const DIGEST: u16 = 0x0425;

/// A resource: its number, and all of its bytes with its data among them.
struct Resource<'a> {
    id: u16,
    whole: &'a [u8],
    data: &'a [u8],
}

/// The resources as far as they can be read.
fn resources(mut rest: &[u8]) -> Vec<Resource<'_>> {
    let mut found = Vec::new();
    while let Some(resource) = next(rest) {
        rest = &rest[resource.whole.len()..];
        found.push(resource);
    }
    found
}

fn next(rest: &[u8]) -> Option<Resource<'_>> {
    let &[a, b, c, d, high, low, name, ..] = rest else { return None };
    // Other signatures than Adobe's own are rare, and laid out alike.
    if ![*SIGNATURE, *b"MeSa", *b"PHUT", *b"AgHg", *b"DCSR"].contains(&[a, b, c, d]) {
        return None;
    }
    let at = 6 + (usize::from(name) + 1).next_multiple_of(2);
    let len = u32::from_be_bytes(rest.get(at..at + 4)?.try_into().ok()?) as usize;
    let data = rest.get(at + 4..)?.get(..len)?;
    // The last one may lack its padding.
    let whole = &rest[..rest.len().min(at + 4 + len.next_multiple_of(2))];
    Some(Resource { id: u16::from_be_bytes([high, low]), whole, data })
}

/// IPTC records, and all other resources.
pub fn split(bytes: &[u8]) -> (Option<Vec<u8>>, Vec<u8>) {
    let all = resources(bytes);
    let records = all.iter().find(|resource| resource.id == IPTC && !resource.data.is_empty());
    let others = all.iter().filter(|resource| resource.id != IPTC);
    (
        records.map(|resource| resource.data.to_vec()),
        others.flat_map(|resource| resource.whole).copied().collect(),
    )
}

/// Resources with IPTC records among them.
pub fn join(iptc: Option<&[u8]>, others: &[u8]) -> Vec<u8> {
    let mut bytes = others.to_vec();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    if let Some(records) = iptc {
        bytes.extend(SIGNATURE);
        bytes.extend(IPTC.to_be_bytes());
        bytes.extend([0, 0]); // no name
        bytes.extend((records.len() as u32).to_be_bytes());
        bytes.extend(records);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
    }
    bytes
}

/// Whether bytes are IPTC records and nothing else but zeros at their end.
pub fn is_iptc(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let [0x1c, _, _, high, low, data @ ..] = rest {
        match data.get(usize::from(u16::from_be_bytes([*high, *low]))..) {
            Some(next) => rest = next,
            // Long ones have their length in further bytes.
            None => return *high >= 0x80,
        }
    }
    rest.iter().all(|&byte| byte == 0)
}

/// Removes small versions of the picture, and says whether there were any.
pub fn remove_thumbnails(bytes: &mut Vec<u8>) -> bool {
    let all = resources(bytes);
    let others = all.iter().filter(|resource| !THUMBNAILS.contains(&resource.id));
    let others: Vec<u8> = others.flat_map(|resource| resource.whole).copied().collect();
    let found = others.len() < bytes.len();
    *bytes = others;
    found
}

/// Whether there is more than what belongs to IPTC records.
pub fn matters(bytes: &[u8]) -> bool {
    resources(bytes).iter().any(|resource| resource.id != DIGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_taken_out_and_put_in() {
        let other = b"8BIM\x04\x25\x01a\0\0\0\x03abc\0";
        let thumbnail = b"8BIM\x04\x0c\0\0\0\0\0\x02hi";
        let records = b"\x1c\x02\x19\0\x05alpha";
        let whole = join(Some(records), &[other.as_slice(), thumbnail].concat());
        let (iptc, mut others) = split(&whole);
        assert_eq!(iptc.as_deref(), Some(records.as_slice()));
        assert_eq!(others, [other.as_slice(), thumbnail].concat());
        assert!(matters(&others));
        assert!(remove_thumbnails(&mut others) && !remove_thumbnails(&mut others));
        assert_eq!(others, other);
        assert!(!matters(&others));
        assert!(is_iptc(records) && is_iptc(&[records.as_slice(), &[0; 3]].concat()));
        assert!(!is_iptc(&records[..7]) && !is_iptc(b"abc"));
        for len in 0..whole.len() {
            // Only that it returns.
            let _ = split(&whole[..len]);
        }
        // Padding may be missing at the end.
        assert_eq!(split(&whole[..whole.len() - 1]).0.is_some(), records.len() % 2 == 1);
    }
}
