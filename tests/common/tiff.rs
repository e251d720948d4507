//! Writes TIFF files byte by byte, in all four forms.

/// A TIFF file in the making: with 32-bit or 64-bit positions, in either byte order.
#[derive(Clone)]
pub struct Tiff {
    /// Whether it is a BigTIFF file.
    wide: bool,
    big_endian: bool,
    /// Tag, kind, bytes of a value, values.
    entries: Vec<(u16, u16, usize, Vec<u64>)>,
    chunks: Vec<Vec<u8>>,
    tiled: bool,
    more: bool,
}

impl Tiff {
    /// Begins a file of uncompressed pixels in every form, with a suffix for its name.
    pub fn forms(width: u16, height: u16) -> Vec<(&'static str, Self)> {
        let forms =
            [("", false, false), ("_mm", false, true), ("_big", true, false), ("_big_mm", true, true)];
        forms.map(|(name, wide, big_endian)| (name, Self::new(width, height, wide, big_endian))).to_vec()
    }

    fn new(width: u16, height: u16, wide: bool, big_endian: bool) -> Self {
        let file =
            Self { wide, big_endian, entries: Vec::new(), chunks: Vec::new(), tiled: false, more: false };
        file.shorts(0x100, &[width]).shorts(0x101, &[height]).shorts(0x103, &[1])
    }

    /// Adds 16-bit numbers.
    pub fn shorts(mut self, tag: u16, values: &[u16]) -> Self {
        self.entries.push((tag, 3, 2, values.iter().map(|&v| v.into()).collect()));
        self
    }

    /// Adds 16-bit numbers in place of what the tag had.
    pub fn replaced(mut self, tag: u16, values: &[u16]) -> Self {
        self.entries.retain(|entry| entry.0 != tag);
        self.shorts(tag, values)
    }

    /// Adds bytes: kind 2 for text, 7 for others.
    pub fn bytes(mut self, tag: u16, kind: u16, values: &[u8]) -> Self {
        self.entries.push((tag, kind, 1, values.iter().map(|&v| v.into()).collect()));
        self
    }

    /// Says that another page follows.
    pub fn with_more_pages(mut self) -> Self {
        self.more = true;
        self
    }

    /// Adds what the samples are: bits, channels, and the kind of color.
    pub fn samples(self, photometric: u16, bits: u16, channels: u16) -> Self {
        let all = vec![bits; channels.into()];
        self.shorts(0x102, &all).shorts(0x106, &[photometric]).shorts(0x115, &[channels])
    }

    /// Adds a strip.
    pub fn strip(mut self, pixels: Vec<u8>) -> Self {
        self.chunks.push(pixels);
        self
    }

    /// Adds a tile.
    pub fn tile(mut self, pixels: Vec<u8>) -> Self {
        self.tiled = true;
        self.strip(pixels)
    }

    /// A number in the file's byte order.
    pub fn number(&self, value: u64, len: usize) -> Vec<u8> {
        let bytes = value.to_le_bytes()[..len].to_vec();
        if self.big_endian { bytes.into_iter().rev().collect() } else { bytes }
    }

    /// Samples of `len` bytes in the file's byte order.
    pub fn numbers(&self, values: impl IntoIterator<Item = u64>, len: usize) -> Vec<u8> {
        values.into_iter().flat_map(|value| self.number(value, len)).collect()
    }

    pub fn file(mut self) -> Vec<u8> {
        let place = if self.wide { 8 } else { 4 };
        let mut file = if self.big_endian { b"MM".to_vec() } else { b"II".to_vec() };
        let head: &[u64] = if self.wide { &[43, 8, 0] } else { &[42] };
        file.extend(self.numbers(head.iter().copied(), 2));
        let pointer = file.len();
        file.extend([0; 8].iter().take(place));
        let mut offsets = Vec::new();
        for chunk in &self.chunks {
            offsets.push(file.len() as u64);
            file.extend(chunk);
        }
        file.resize(file.len().next_multiple_of(2), 0);
        let counts = self.chunks.iter().map(|chunk| chunk.len() as u64).collect();
        let [at, len] = if self.tiled { [0x144, 0x145] } else { [0x111, 0x117] };
        let kind = if self.wide { 16 } else { 4 };
        self.entries.push((at, kind, place, offsets));
        self.entries.push((len, kind, place, counts));
        self.entries.sort_by_key(|entry| entry.0);
        let start = file.len();
        let position = self.number(start as u64, place);
        file[pointer..pointer + place].copy_from_slice(&position);
        let count = self.entries.len();
        file.extend(self.number(count as u64, if self.wide { 8 } else { 2 }));
        let first = file.len() + (4 + 2 * place) * count + place;
        let mut behind = Vec::new();
        for (tag, kind, len, values) in &self.entries {
            file.extend(self.number((*tag).into(), 2));
            file.extend(self.number((*kind).into(), 2));
            file.extend(self.number(values.len() as u64, place));
            let data = self.numbers(values.iter().copied(), *len);
            if data.len() <= place {
                file.extend(data.iter().copied().chain([0; 8]).take(place));
            } else {
                file.extend(self.number((first + behind.len()) as u64, place));
                behind.extend(data);
                behind.resize(behind.len().next_multiple_of(2), 0);
            }
        }
        // The next page is this one again.
        file.extend(self.number(if self.more { start as u64 } else { 0 }, place));
        file.extend(behind);
        file
    }
}
