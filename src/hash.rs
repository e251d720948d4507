//! FNV-1a of 64 bits: the same on every machine and in every version, unlike the standard library's hashes.

/// The hash of bytes that come in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Adds bytes; how they are divided into parts makes no difference.
    pub fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    /// The hash of all that was added.
    pub fn hash(self) -> u64 {
        self.0
    }
}

/// The hash of some bytes.
pub fn fnv(bytes: impl AsRef<[u8]>) -> u64 {
    let mut hash = Fnv::default();
    hash.add(bytes.as_ref());
    hash.hash()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of the authors (Fowler, Noll, Vo).
    #[test]
    fn known_hashes() {
        assert_eq!(fnv(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
