//! IDX files, gzipped or not: the format of MNIST (bytes 0, 0, type, rank, then big-endian sizes, then the values).
use super::array::{Array, Kind};
use super::gzip;
use super::place::Place;
use crate::Result;
use std::io::Read;

/// The types of values by their codes.
const KINDS: [(u8, Kind); 6] = [
    (0x08, Kind::Uint(1)),
    (0x09, Kind::Int(1)),
    (0x0b, Kind::Int(2)),
    (0x0c, Kind::Int(4)),
    (0x0d, Kind::Float(4)),
    (0x0e, Kind::Float(8)),
];

/// Whether the file at `place` begins as an IDX file does.
pub fn is_at(place: &Place) -> bool {
    matches!(place.start[..], [0, 0, kind, rank, ..] if KINDS.iter().any(|(code, _)| *code == kind) && rank > 0)
}

/// The array at `place` without its values; `reader` is left behind the header.
///
/// # Errors
/// A header that is broken.
pub fn header(place: &Place, reader: &mut dyn Read) -> Result<Array> {
    let cut_off = |_| place.error("the IDX header is cut off");
    let mut start = [0; 4];
    reader.read_exact(&mut start).map_err(cut_off)?;
    let Some((_, kind)) = KINDS.iter().find(|(code, _)| *code == start[2]).filter(|_| start[..2] == [0, 0]) else {
        return Err(place.error("is not an IDX file: it does not start with 00 00 and a type"));
    };
    let mut sizes = vec![0; 4 * usize::from(start[3])];
    reader.read_exact(&mut sizes).map_err(cut_off)?;
    let sizes = sizes.as_chunks::<4>().0.iter().map(|size| u32::from_be_bytes(*size) as usize).collect();
    Ok(Array { sizes, fortran: false, kind: *kind, big_endian: true, bytes: vec![] })
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
