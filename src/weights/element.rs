//! The kinds of numbers in weight files, all of them read as f32.

/// A kind of floating-point number, stored in little-endian order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    F16,
    BF16,
    F32,
    F64,
}

impl Element {
    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The number at the beginning of `bytes`, which must be long enough.
    pub fn read(self, bytes: &[u8]) -> f32 {
        let word = |at: usize| u32::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        let double = || word(0) | word(2) << 16;
        match self {
            Self::F16 => from_f16(word(0)),
            // bfloat16 is the upper half of a float.
            Self::BF16 => f32::from_bits(word(0) << 16),
            Self::F32 => f32::from_bits(double()),
            Self::F64 => {
                f64::from_bits(u64::from(double()) | u64::from(word(4) | word(6) << 16) << 32) as f32
            }
        }
    }

    /// All numbers of `bytes`; what is left over at the end is ignored.
    pub fn read_all(self, bytes: &[u8]) -> Vec<f32> {
        bytes.chunks_exact(self.size()).map(|bytes| self.read(bytes)).collect()
    }
}

/// IEEE half precision (sign, 5 bits of exponent with bias 15, 10 bits of fraction), exactly.
fn from_f16(bits: u32) -> f32 {
    let (sign, exponent, fraction) = ((bits & 0x8000) << 16, (bits >> 10) & 0x1f, bits & 0x3ff);
    let magnitude = match exponent {
        0 => fraction as f32 * 2f32.powi(-24),                // subnormal
        0x1f => f32::from_bits(0x7f80_0000 | fraction << 13), // infinity, NaN
        _ => f32::from_bits((exponent + 127 - 15) << 23 | fraction << 13),
    };
    f32::from_bits(magnitude.to_bits() | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x8001, -5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x7c00, f32::INFINITY),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(from_f16(bits), value, "{bits:#06x}");
        }
        assert!(from_f16(0x8000).is_sign_negative());
        assert!(from_f16(0x7e00).is_nan());
    }

    #[test]
    fn all_kinds_are_little_endian() {
        let value = -0.15625_f64; // exact in each of them
        for (element, bytes) in [
            (Element::F16, vec![0x00, 0xb1]),
            (Element::BF16, vec![0x20, 0xbe]),
            (Element::F32, (value as f32).to_le_bytes().to_vec()),
            (Element::F64, value.to_le_bytes().to_vec()),
        ] {
            assert_eq!(bytes.len(), element.size());
            let twice = [bytes.as_slice(), &bytes, &[1]].concat();
            assert_eq!(element.read_all(&twice), [value as f32; 2], "{element:?}");
        }
    }
}
