//! Arrays of numbers as they lie in files, in any order, type and byte order.
use crate::{Error, Result};
use brownian::f16;
use std::path::Path;

/// The type of an array's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One byte, 0 or 1.
    Bool,
    /// Signed integers of so many bytes.
    Int(usize),
    /// Unsigned integers of so many bytes.
    Uint(usize),
    /// Floats of 2, 4 or 8 bytes.
    Float(usize),
    /// Text of so many code points of 4 bytes, filled with zeros.
    Text(usize),
    /// Text of so many bytes, filled with zeros.
    Bytes(usize),
}

impl Kind {
    /// Bytes of a value.
    pub fn size(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Int(size) | Self::Uint(size) | Self::Float(size) | Self::Bytes(size) => size,
            Self::Text(points) => 4 * points,
        }
    }

    /// Whether the values are numbers.
    pub fn is_number(self) -> bool {
        !matches!(self, Self::Text(_) | Self::Bytes(_))
    }

    /// Whether the values are whole numbers.
    pub fn is_integer(self) -> bool {
        matches!(self, Self::Int(_) | Self::Uint(_) | Self::Bool)
    }
}

/// An array in memory, its values still as in the file.
#[derive(Clone, Debug)]
pub struct Array {
    /// Sizes of the axes.
    pub sizes: Vec<usize>,
    /// Whether the first axis is that of neighbours in memory (Fortran's order) rather than the last.
    pub fortran: bool,
    /// Type of the values.
    pub kind: Kind,
    /// Whether the highest byte of a value comes first.
    pub big_endian: bool,
    /// The values.
    pub bytes: Vec<u8>,
}

impl Array {
    /// Bytes of all values of an array, unless that is no number.
    pub fn size(kind: Kind, sizes: &[usize]) -> Option<usize> {
        sizes.iter().try_fold(kind.size(), |product, size| product.checked_mul(*size))
    }

    /// The sizes in words, such as 10x28x28.
    pub fn dimensions(&self) -> String {
        self.sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
    }

    /// The same values in C's order, of axes in the order `axes`: axis k is what was axis `axes[k]`.
    pub fn transposed(self, axes: &[usize]) -> Self {
        let in_order = axes.iter().enumerate().all(|(k, axis)| k == *axis);
        if in_order && (!self.fortran || self.sizes.len() < 2) {
            return Self { fortran: false, ..self };
        }
        let mut strides = vec![self.kind.size(); self.sizes.len()];
        let rank = self.sizes.len();
        for k in 1..rank {
            match self.fortran {
                true => strides[k] = strides[k - 1] * self.sizes[k - 1],
                false => strides[rank - 1 - k] = strides[rank - k] * self.sizes[rank - k],
            }
        }
        let sizes: Vec<usize> = axes.iter().map(|axis| self.sizes[*axis]).collect();
        let strides: Vec<usize> = axes.iter().map(|axis| strides[*axis]).collect();
        let (mut bytes, mut at) = (Vec::with_capacity(self.bytes.len()), vec![0; rank]);
        let mut from = 0;
        while bytes.len() < self.bytes.len() {
            bytes.extend_from_slice(&self.bytes[from..from + self.kind.size()]);
            for k in (0..rank).rev() {
                at[k] += 1;
                from += strides[k];
                if at[k] < sizes[k] {
                    break;
                }
                from -= strides[k] * sizes[k];
                at[k] = 0;
            }
        }
        Self { sizes, fortran: false, bytes, ..self }
    }

    /// The values as numbers, in the order in which they lie in memory; none of text.
    pub fn numbers(&self) -> Box<dyn Iterator<Item = f64> + '_> {
        macro_rules! numbers {
            ($($pattern:pat => $number:ty),*) => {
                match self.kind {
                    $($pattern => Box::new(self.bytes.as_chunks().0.iter().map(|bytes| {
                        let value = match self.big_endian {
                            true => <$number>::from_be_bytes(*bytes),
                            false => <$number>::from_le_bytes(*bytes),
                        };
                        value as f64
                    })),)*
                    Kind::Float(2) => Box::new(self.bytes.as_chunks().0.iter().map(|bytes| {
                        let value = match self.big_endian {
                            true => f16::from_be_bytes(*bytes),
                            false => f16::from_le_bytes(*bytes),
                        };
                        value.to_f64()
                    })),
                    Kind::Bool => Box::new(self.bytes.iter().map(|byte| f64::from(u8::from(*byte != 0)))),
                    _ => Box::new(std::iter::empty()),
                }
            };
        }
        numbers! {
            Kind::Uint(1) => u8, Kind::Uint(2) => u16, Kind::Uint(4) => u32, Kind::Uint(8) => u64,
            Kind::Int(1) => i8, Kind::Int(2) => i16, Kind::Int(4) => i32, Kind::Int(8) => i64,
            Kind::Float(4) => f32, Kind::Float(8) => f64
        }
    }

    /// The values as texts: those of text, and whole numbers as they are written.
    ///
    /// # Errors
    /// Numbers that are not whole, and text that is not Unicode.
    pub fn texts(&self, path: &Path) -> Result<Vec<String>> {
        let text = |points: &mut dyn Iterator<Item = Option<char>>| {
            let text: Option<String> = points.take_while(|point| *point != Some('\0')).collect();
            text.ok_or_else(|| Error::file(path, "holds labels that are not Unicode"))
        };
        match self.kind {
            Kind::Text(points) => self
                .bytes
                .chunks_exact(4 * points.max(1))
                .map(|value| {
                    let point = |bytes: &[u8; 4]| match self.big_endian {
                        true => u32::from_be_bytes(*bytes),
                        false => u32::from_le_bytes(*bytes),
                    };
                    text(&mut value.as_chunks().0.iter().map(|bytes| char::from_u32(point(bytes))))
                })
                .collect(),
            Kind::Bytes(size) => self
                .bytes
                .chunks_exact(size.max(1))
                .map(|value| {
                    let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
                    let text = std::str::from_utf8(value).map(str::to_owned);
                    text.map_err(|_| Error::file(path, "holds labels that are not Unicode"))
                })
                .collect(),
            _ => self
                .numbers()
                .map(|number| match number == number.trunc() {
                    true if number.abs() >= MOST_EXACT => {
                        Err(Error::file(path, format!("holds the label {number}; numbers so large are not exact")))
                    }
                    true => Ok(format!("{number}")),
                    false => {
                        Err(Error::file(path, format!("holds the label {number}; classes are whole numbers or names")))
                    }
                })
                .collect(),
        }
    }
}

/// Whole numbers below it are exact as they are read.
const MOST_EXACT: f64 = (1u64 << 53) as f64;

/// So many zeros, where the machine has memory for them.
pub fn zeros(len: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).ok()?;
    bytes.resize(len, 0);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(sizes: &[usize], fortran: bool, bytes: &[u8]) -> Array {
        Array { sizes: sizes.into(), fortran, kind: Kind::Uint(1), big_endian: false, bytes: bytes.into() }
    }

    #[test]
    fn axes_change_places() {
        // [[0, 1, 2], [3, 4, 5]] in both orders.
        let (c, fortran) = (bytes(&[2, 3], false, &[0, 1, 2, 3, 4, 5]), bytes(&[2, 3], true, &[0, 3, 1, 4, 2, 5]));
        for array in [c, fortran] {
            assert_eq!(array.clone().transposed(&[0, 1]).bytes, [0, 1, 2, 3, 4, 5]);
            let turned = array.transposed(&[1, 0]);
            assert_eq!((&turned.sizes[..], &turned.bytes[..]), (&[3, 2][..], &[0, 3, 1, 4, 2, 5][..]));
        }
        let four: Vec<u8> = (0..2 * 3 * 4 * 5).collect();
        let there = bytes(&[2, 3, 4, 5], false, &four).transposed(&[0, 2, 3, 1]);
        assert_eq!((&there.sizes[..], there.bytes[1]), (&[2, 4, 5, 3][..], 20));
        assert_eq!(there.transposed(&[0, 3, 1, 2]).bytes, four);
        // Values of several bytes stay together.
        let wide = Array { kind: Kind::Uint(2), ..bytes(&[2, 2], true, &[0, 9, 1, 9, 2, 9, 3, 9]) };
        assert_eq!(wide.transposed(&[0, 1]).bytes, [0, 9, 2, 9, 1, 9, 3, 9]);
    }

    #[test]
    fn numbers_of_every_type() {
        let numbers = |kind, big_endian, values: &[u8]| {
            let array = Array { sizes: vec![], fortran: false, kind, big_endian, bytes: values.into() };
            array.numbers().collect::<Vec<f64>>()
        };
        assert_eq!(numbers(Kind::Bool, false, &[0, 1, 2]), [0.0, 1.0, 1.0]);
        assert_eq!(numbers(Kind::Uint(1), false, &[255]), [255.0]);
        assert_eq!(numbers(Kind::Int(1), false, &[255]), [-1.0]);
        for big in [false, true] {
            let order = |mut bytes: Vec<u8>| {
                if big {
                    bytes.reverse();
                }
                bytes
            };
            assert_eq!(numbers(Kind::Uint(2), big, &order(vec![1, 2])), [513.0]);
            assert_eq!(numbers(Kind::Int(4), big, &order((-7i32).to_le_bytes().into())), [-7.0]);
            assert_eq!(numbers(Kind::Int(8), big, &order((1i64 << 40).to_le_bytes().into())), [(1u64 << 40) as f64]);
            assert_eq!(numbers(Kind::Float(2), big, &order(vec![0x00, 0xb8])), [-0.5]);
            assert_eq!(numbers(Kind::Float(4), big, &order(0.5f32.to_le_bytes().into())), [0.5]);
            assert_eq!(numbers(Kind::Float(8), big, &order((-0.25f64).to_le_bytes().into())), [-0.25]);
        }
    }
}
