//! Chunks of PNG files.

/// A chunk: its name and data.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    pub name: [u8; 4],
    pub data: Vec<u8>,
}

impl Chunk {
    /// Whether it says what the colors mean.
    pub fn is_color(&self) -> bool {
        [b"gAMA", b"cHRM", b"sRGB", b"cICP"].contains(&&self.name) || self.is_brightness()
    }

    /// Whether it says how bright the display is that the colors were made for. Drafts had other names.
    pub fn is_brightness(&self) -> bool {
        [b"mDCV", b"cLLI", b"mDCv", b"cLLi"].contains(&&self.name)
    }

    /// Whether it holds text.
    pub fn is_text(&self) -> bool {
        [b"tEXt", b"zTXt", b"iTXt"].contains(&&self.name)
    }

    /// The keyword of a text.
    pub fn keyword(&self) -> String {
        let end = self.data.iter().position(|&byte| byte == 0).unwrap_or(self.data.len());
        latin_1(&self.data[..end.min(79)])
    }

    /// A big-endian number.
    pub fn number(&self, at: usize) -> Option<u32> {
        Some(u32::from_be_bytes(self.data.get(at..at + 4)?.try_into().ok()?))
    }
}

/// Text in Latin-1, whose characters have the numbers of their bytes.
pub fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_and_numbers() {
        let text = Chunk { name: *b"tEXt", data: b"Titr\xe9\0hello".to_vec() };
        assert!(text.is_text() && !text.is_color() && text.keyword() == "Titré");
        let light = Chunk { name: *b"cLLI", data: vec![0, 0, 1, 0, 9] };
        assert!(light.is_color() && light.number(0) == Some(256) && light.number(2).is_none());
    }
}
