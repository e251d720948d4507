//! What the chunks of WebP files say of a picture.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::chunk::latin_1;
use super::metadata::{Metadata, shown};
use crate::limits::Limit;

/// Adds profile, Exif and XMP to the metadata, whether the header announces them or not.
pub fn read(path: &Path, metadata: &mut Metadata) {
    // The decoder reports what is wrong with the file.
    let _ = File::open(path).and_then(|file| read_chunks(&mut BufReader::new(file), metadata));
}

fn read_chunks(file: &mut BufReader<File>, metadata: &mut Metadata) -> io::Result<()> {
    let mut head = [0; 12];
    file.read_exact(&mut head)?;
    let mut left = Limit::Metadata.get();
    loop {
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let [a, b, c, d, l0, l1, l2, l3] = head;
        let len = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        let part = match &[a, b, c, d] {
            b"ICCP" => &mut metadata.icc,
            b"EXIF" => &mut metadata.exif,
            b"XMP " | b"XMP\0" => &mut metadata.xmp,
            b"VP8X" | b"VP8 " | b"VP8L" | b"ALPH" | b"ANIM" | b"ANMF" => {
                file.seek_relative(len.next_multiple_of(2) as i64)?;
                continue;
            }
            name => {
                metadata.not_kept(&format!("the chunk {}", shown(&latin_1(name))));
                file.seek_relative(len.next_multiple_of(2) as i64)?;
                continue;
            }
        };
        if part.is_some() || len > left {
            file.seek_relative(len.next_multiple_of(2) as i64)?;
            continue;
        }
        left -= len;
        let mut data = Vec::new();
        file.take(len).read_to_end(&mut data)?;
        *part = Some(data);
        file.seek_relative((len % 2) as i64)?;
    }
}
