//! NumPy arrays, gzipped or not.
use super::array::{Array, Kind};
use super::gzip;
use super::place::Place;
use crate::Result;
use npyz::{DType, Endianness, NpyFile, Order, TypeChar};
use std::io::Read;

/// Bytes that the header of an array has at most.
const MOST_HEADER: u32 = 1 << 20;

/// Whether the file at `place` begins as an array does.
pub fn is_at(place: &Place) -> bool {
    place.start.starts_with(b"\x93NUMPY")
}

/// The array at `place` without its values; `reader` is left behind the header.
///
/// # Errors
/// A header that is broken, or a type that is not read.
pub fn header(place: &Place, reader: &mut dyn Read) -> Result<Array> {
    let unreadable = |e: std::io::Error| place.error(format!("is not a readable .npy array ({e})"));
    // Magic bytes, version and the length of the header, which is not to be believed.
    let mut start = [0; 12];
    reader.read_exact(&mut start).map_err(unreadable)?;
    let length = match start[6] {
        1 => u32::from(u16::from_le_bytes([start[8], start[9]])),
        _ => u32::from_le_bytes([start[8], start[9], start[10], start[11]]),
    };
    if length > MOST_HEADER {
        return Err(place.error(format!("is not a readable .npy array (its header is to have {length} bytes)")));
    }
    let array = NpyFile::new(start.chain(&mut *reader)).map_err(unreadable)?;
    let unknown = || {
        let what = array.dtype().descr();
        place.error(format!("holds values of type {what}; use numbers of 8 to 64 bits, bool, or text for labels"))
    };
    let DType::Plain(plain) = array.dtype() else { return Err(unknown()) };
    let size = usize::try_from(plain.size_field()).map_err(|_| unknown())?;
    let kind = match (plain.type_char(), size) {
        (TypeChar::Bool, 1) => Kind::Bool,
        (TypeChar::Int, 1 | 2 | 4 | 8) => Kind::Int(size),
        (TypeChar::Uint, 1 | 2 | 4 | 8) => Kind::Uint(size),
        (TypeChar::Float, 2 | 4 | 8) => Kind::Float(size),
        (TypeChar::UnicodeStr, 1..=1024) => Kind::Text(size),
        (TypeChar::ByteStr, 1..=4096) => Kind::Bytes(size),
        _ => return Err(unknown()),
    };
    Ok(Array {
        sizes: array.shape().iter().map(|n| usize::try_from(*n).unwrap_or(usize::MAX)).collect(),
        fortran: array.order() == Order::Fortran,
        kind,
        big_endian: plain.endianness() == Endianness::Big,
        bytes: vec![],
    })
}

/// The array at `place`, which `reader` reads from its beginning.
///
/// # Errors
/// As [`header`], and fewer or more values than the header promises.
pub fn array(place: &Place, reader: &mut dyn Read) -> Result<Array> {
    let array = header(place, reader)?;
    let what = format!("{} values of {} bytes", array.dimensions(), array.kind.size());
    let bytes = gzip::promised(&place.path, reader, Array::size(array.kind, &array.sizes), &what)?;
    Ok(Array { bytes, ..array })
}
