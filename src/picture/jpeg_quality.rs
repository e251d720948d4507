//! The quality of JPEG files, from their quantization tables.
//!
//! Most encoders scale the tables that the standard recommends (ITU-T T.81, annex K) by a quality from 1 to 100, as the
//! library of the Independent JPEG Group does: below 50 by 50 / quality, above by 2 - quality / 50. Of other tables this finds the quality
//! whose table is as coarse.

use super::segments::Summary;

/// Steps for luminance in the standard's table K.1, in any order: only their sum counts.
const LUMINANCE: [u32; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17,
    22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78,
    87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// The sum of the table for a quality from 1 to 100.
fn sum(quality: u32) -> u32 {
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    LUMINANCE.iter().map(|step| ((step * percent + 50) / 100).clamp(1, 255)).sum()
}

/// The quality of a file's luminance, 1 to 100; `None` for one whose table is not found.
pub fn quality(summary: &Summary) -> Option<u8> {
    // Of each component: number, sampling, table.
    let (_, frame) = summary.frame.as_ref()?;
    let number = *frame.get(8)?;
    let table = summary.tables.iter().rev().find_map(|segment| table(segment, number))?;
    let nearest = (1..=100).min_by_key(|&quality| sum(quality).abs_diff(table))?;
    u8::try_from(nearest).ok()
}

/// The sum of the table with this number in a segment, which may hold several; the last one counts.
fn table(segment: &[u8], number: u8) -> Option<u32> {
    let (mut rest, mut found) = (segment, None);
    while let Some((&head, after)) = rest.split_first() {
        let bytes = if head >> 4 == 0 { 1 } else { 2 };
        let Some((steps, left)) = after.split_at_checked(64 * bytes) else { break };
        if head & 15 == number {
            let step = |bytes: &[u8]| bytes.iter().fold(0, |all, &byte| all << 8 | u32::from(byte));
            found = Some(steps.chunks_exact(bytes).map(step).sum());
        }
        rest = left;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::segments::summary_of;
    use std::io::Cursor;

    fn quality_of(bytes: &[u8]) -> Option<u8> {
        quality(&summary_of(&mut Cursor::new(bytes)))
    }

    /// Two encoders, grey and color, all qualities: the estimate is the quality itself.
    #[test]
    fn as_the_encoders_were_asked() {
        let picture = image::RgbImage::from_fn(24, 24, |x, y| image::Rgb([(x * 9) as u8, (y * 9) as u8, 80]));
        let grey = image::DynamicImage::from(picture.clone()).to_luma8();
        for wanted in 1..=100 {
            let mut first = Vec::new();
            image::codecs::jpeg::JpegEncoder::new_with_quality(&mut first, wanted)
                .encode_image(&picture)
                .unwrap();
            let mut second = Vec::new();
            let encoder = jpeg_encoder::Encoder::new(&mut second, wanted);
            encoder.encode(&grey, 24, 24, jpeg_encoder::ColorType::Luma).unwrap();
            for file in [first, second] {
                let found = quality_of(&file).unwrap();
                // The lowest qualities have the same tables: all steps are 255.
                assert!(found == wanted || sum(found.into()) == sum(wanted.into()), "{found} {wanted}");
            }
        }
    }

    #[test]
    fn other_tables_and_damage() {
        let frame = |table: u8| {
            let mut file = vec![0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, table];
            file.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0xff, 0xd9]);
            file
        };
        let with = |segment: &[u8], table: u8| {
            let mut file = frame(table);
            let length = (segment.len() as u16 + 2).to_be_bytes();
            file.splice(2..2, [&[0xff, 0xdb], &length[..], segment].concat());
            quality_of(&file)
        };
        // 16 bits a step, behind a table of another number.
        let other = [&[0][..], &[1; 64]].concat();
        let wide = [&[0x11][..], &[0, 90].repeat(64)].concat();
        let found = with(&[other.clone(), wide].concat(), 1).unwrap();
        assert!(sum(found.into()).abs_diff(90 * 64) <= 60, "{found}");
        assert_eq!(with(&other, 0), Some(100));
        assert_eq!(with(&other, 2), None);
        assert_eq!(with(&other[..30], 0), None);
        assert_eq!(quality_of(&frame(0)), None);
        assert_eq!(quality_of(b"no JPEG file"), None);
    }
}
