//! MATLAB 5 files: variables of real numbers, as MATLAB and other programs write them: in either byte order, compressed or
//! not, each number in the smallest type that holds it.
//!
//! The format is "MAT-File Format" by MathWorks. A file is a header and elements, each with its type, its length and
//! data that may be elements again.

use std::io::Read;

use libflate::zlib;

use crate::error::{Error, Reason, Result};

/// Types of the elements.
const UTF8: u32 = 16;
const UTF16: u32 = 17;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// Flag of a variable whose numbers have imaginary parts.
const COMPLEX: u32 = 0x0800;
/// Classes of variables that are numbers.
const NUMBERS: std::ops::RangeInclusive<u32> = 6..=15;
/// Bytes before the first element.
const HEADER: usize = 128;

/// A variable.
pub struct Array {
    pub name: String,
    /// Elements along each axis.
    pub size: Vec<usize>,
    /// The numbers, with the first axis running fastest; `None` if the variable is not of real numbers.
    pub values: Option<Vec<f64>>,
}

/// Reads the variables that are `wanted` by name. All variables together may take `limit` bytes unpacked, and as many as
/// that in double precision.
///
/// # Errors
/// [`Error::InvalidArgument`] for damaged files.
pub fn read(bytes: &[u8], limit: u64, wanted: impl Fn(&str) -> bool) -> Result<Vec<Array>> {
    let order = match bytes.get(126..HEADER).ok_or_else(cut)? {
        b"IM" => Order { big: false },
        b"MI" => Order { big: true },
        _ => return Err(damaged("its header has no byte order mark".into())),
    };
    let mut arrays = Vec::new();
    let mut numbers = limit / 8;
    let mut add = |body: &[u8]| -> Result<()> {
        arrays.extend(order.array(body, &wanted, &mut numbers)?);
        Ok(())
    };
    let (mut rest, mut left) = (&bytes[HEADER..], limit);
    while !rest.is_empty() {
        let element = order.element(&mut rest).ok_or_else(cut)?;
        match element.kind {
            MATRIX => add(element.data)?,
            COMPRESSED => {
                // Compressed elements are not padded.
                rest = &bytes[bytes.len() - rest.len() - element.padding..];
                let mut inflated = Vec::new();
                zlib::Decoder::new(element.data)
                    .and_then(|decoder| decoder.take(left).read_to_end(&mut inflated))
                    .map_err(|e| damaged(e.into()))?;
                left -= inflated.len() as u64;
                match order.element(&mut inflated.as_slice()) {
                    Some(Element { kind: MATRIX, data, .. }) => add(data)?,
                    _ => return Err(damaged("a compressed variable is not whole".into())),
                }
            }
            other => return Err(damaged(format!("unknown element type {other}").into())),
        }
    }
    Ok(arrays)
}

fn cut() -> Error {
    Error::invalid("the .mat file is cut short")
}

fn damaged(what: Reason) -> Error {
    Error::invalid(what.within("damaged .mat file"))
}

struct Element<'a> {
    kind: u32,
    data: &'a [u8],
    /// Bytes behind the data, up to the next element.
    padding: usize,
}

/// The byte order of a file.
#[derive(Clone, Copy)]
struct Order {
    big: bool,
}

impl Order {
    /// A number of up to 8 bytes.
    fn number(self, bytes: &[u8]) -> u64 {
        let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        if self.big { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }

    /// Splits the first element off. Elements of up to 4 bytes may have a header of 4 bytes instead of 8.
    fn element<'a>(self, rest: &mut &'a [u8]) -> Option<Element<'a>> {
        let head = self.number(rest.get(..4)?) as u32;
        let (kind, len, start) = match head >> 16 {
            0 => (head, self.number(rest.get(4..8)?) as usize, 8),
            len => (head & 0xffff, len as usize, 4),
        };
        if start == 4 && len > 4 {
            return None;
        }
        let data = rest.get(start..)?.get(..len)?;
        let behind = &rest[start + len..];
        // The padding of the last element may be missing.
        let padding = ((start + len).next_multiple_of(8) - start - len).min(behind.len());
        *rest = &behind[padding..];
        Some(Element { kind, data, padding })
    }

    /// The variable in a matrix element, if it is wanted. `numbers` is how many may still be read, less those that are.
    fn array(
        self,
        mut body: &[u8],
        wanted: impl Fn(&str) -> bool,
        numbers: &mut u64,
    ) -> Result<Option<Array>> {
        let broken = || damaged("a variable cannot be decoded".into());
        let flags = self.element(&mut body).ok_or_else(broken)?;
        let flags = self.number(flags.data.get(..4).ok_or_else(broken)?) as u32;
        let class = flags & 0xff;
        if !(1..=15).contains(&class) {
            // An object: its parts are others than those of arrays.
            return Ok(None);
        }
        let size = self.element(&mut body).and_then(|element| self.values(&element)).ok_or_else(broken)?;
        let name = self.element(&mut body).and_then(|element| self.text(&element)).ok_or_else(broken)?;
        if !wanted(&name) {
            return Ok(None);
        }
        let count = size.iter().fold(1u64, |count, &n| count.saturating_mul(n as u64));
        let size: Vec<usize> = size.iter().map(|&n| n as usize).collect();
        let mut values = None;
        if NUMBERS.contains(&class) && flags & COMPLEX == 0 {
            let element = self.element(&mut body).ok_or_else(broken)?;
            *numbers = numbers
                .checked_sub(count)
                .ok_or_else(|| damaged("it has more numbers than any network".into()))?;
            values = self.values(&element).filter(|values| values.len() as u64 == count);
            if values.is_none() {
                return Err(broken());
            }
        }
        Ok(Some(Array { name, size, values }))
    }

    /// The numbers in an element; `None` for another type.
    fn values(self, element: &Element<'_>) -> Option<Vec<f64>> {
        fn each<const N: usize>(data: &[u8], value: impl Fn([u8; N]) -> f64) -> Option<Vec<f64>> {
            let (numbers, rest) = data.as_chunks::<N>();
            rest.is_empty().then(|| numbers.iter().map(|&bytes| value(bytes)).collect())
        }
        let (data, number) = (element.data, |bytes: &[u8]| self.number(bytes));
        match element.kind {
            1 => each::<1>(data, |b| f64::from(b[0] as i8)),
            2 => each::<1>(data, |b| b[0].into()),
            3 => each::<2>(data, |b| f64::from(number(&b) as i16)),
            4 => each::<2>(data, |b| number(&b) as f64),
            5 => each::<4>(data, |b| f64::from(number(&b) as i32)),
            6 => each::<4>(data, |b| number(&b) as f64),
            7 => each::<4>(data, |b| f32::from_bits(number(&b) as u32).into()),
            9 => each::<8>(data, |b| f64::from_bits(number(&b))),
            12 => each::<8>(data, |b| number(&b) as i64 as f64),
            13 => each::<8>(data, |b| number(&b) as f64),
            _ => None,
        }
    }

    /// The characters in an element.
    fn text(self, element: &Element<'_>) -> Option<String> {
        match element.kind {
            // Bytes of any kind: the names that matter are of ASCII.
            1 | 2 | UTF8 => Some(String::from_utf8_lossy(element.data).trim_end_matches('\0').to_string()),
            4 | UTF16 => {
                let units = element.data.chunks_exact(2).map(|unit| self.number(unit) as u16);
                Some(char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(elements: &[Vec<u8>]) -> Vec<u8> {
        let mut file = vec![b' '; 124];
        file.extend(b"\0\x01IM");
        elements.iter().for_each(|element| file.extend(element));
        file
    }

    fn element(kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = [kind.to_le_bytes().as_slice(), &(data.len() as u32).to_le_bytes(), data].concat();
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn compressed(element: &[u8]) -> Vec<u8> {
        let mut encoder = zlib::Encoder::new(Vec::new()).unwrap();
        encoder.write_all(element).unwrap();
        let packed = encoder.finish().into_result().unwrap();
        [COMPRESSED.to_le_bytes().as_slice(), &(packed.len() as u32).to_le_bytes(), &packed].concat()
    }

    #[test]
    fn compressed_variables_share_one_limit() {
        let body = [
            element(6, &[6, 0, 0, 0, 0, 0, 0, 0]),
            element(5, &[125, 0, 0, 0, 1, 0, 0, 0]),
            element(1, b"a"),
            element(9, &[0; 1000]),
        ];
        let packed = compressed(&element(MATRIX, &body.concat()));
        let file = file(&[packed.clone(), packed.clone(), packed]);
        let arrays = read(&file, 10_000, |_| true).unwrap();
        assert_eq!(
            arrays.iter().map(|array| array.values.as_ref().unwrap().len()).collect::<Vec<_>>(),
            [125; 3]
        );
        let error = read(&file, 2500, |_| true).err().unwrap().to_string();
        assert!(error.contains("not whole"), "{error}");
        // One byte in the file can be eight in memory.
        let bytes = element(2, &[0; 1000]);
        let body = [
            element(6, &[9, 0, 0, 0, 0, 0, 0, 0]),
            element(5, &[232, 3, 0, 0, 1, 0, 0, 0]),
            element(1, b"a"),
            bytes,
        ];
        let packed = compressed(&element(MATRIX, &body.concat()));
        let error = read(&self::file(&[packed]), 2500, |_| true).err().unwrap().to_string();
        assert!(error.contains("more numbers"), "{error}");
    }

    #[test]
    fn names_and_types_of_other_writers() {
        let variable = |name: Vec<u8>, class: u8, values: Vec<u8>| {
            let body = [
                element(6, &[class, 0, 0, 0, 0, 0, 0, 0]),
                element(5, &[2, 0, 0, 0, 1, 0, 0, 0]),
                name,
                values,
            ];
            element(MATRIX, &body.concat())
        };
        // In the short form: type and length in one number.
        let short = |kind: u8, data: [u8; 2]| vec![kind, 0, 2, 0, data[0], data[1], 0, 0];
        let long8: Vec<u8> = [-2i64, 7].iter().flat_map(|v| v.to_le_bytes()).collect();
        let file = file(&[
            variable(element(UTF8, b"utf"), 6, short(1, [0xff, 3])),
            variable(element(UTF16, b"w\0i\0"), 7, short(2, [0xff, 3])),
            compressed(&variable(element(1, b"q"), 14, element(12, &long8))),
            variable(element(1, b"text"), 4, short(4, [0, 0])),
            element(MATRIX, &element(6, &[17, 0, 0, 0, 0, 0, 0, 0])),
        ]);
        let arrays = read(&file, 10_000, |_| true).unwrap();
        let read: Vec<_> = arrays.iter().map(|array| (array.name.as_str(), array.values.clone())).collect();
        let expected = [
            ("utf", Some(vec![-1.0, 3.0])),
            ("wi", Some(vec![255.0, 3.0])),
            ("q", Some(vec![-2.0, 7.0])),
            ("text", None),
        ];
        assert_eq!(read, expected);
        assert!(arrays.iter().all(|array| array.size == [2, 1]));
    }
}
