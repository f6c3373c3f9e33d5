//! Whether a JPEG goes on to its end: decoders fill what is missing with gray.
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Start of image, and its end.
const START: u8 = 0xd8;
const END: u8 = 0xd9;

/// Whether the file at `path`, which begins as a JPEG does, has its end marker (ITU-T T.81, annex B). A picture inside
/// its segments, as EXIF has them, is passed over.
///
/// # Errors
/// A file that cannot be read.
pub fn is_whole(path: &Path) -> io::Result<bool> {
    match walk(&mut BufReader::new(std::fs::File::open(path)?)) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        walked => walked.map(|()| true),
    }
}

/// Goes from marker to marker until the end.
fn walk(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        match marker(reader)? {
            END => return Ok(()),
            // Markers without a segment: stuffed bytes and restarts between a scan's data, and the start.
            0x00 | 0x01 | 0xd0..=START => {}
            _ => {
                let mut length = [0; 2];
                reader.read_exact(&mut length)?;
                let length = u64::from(u16::from_be_bytes(length)).saturating_sub(2);
                let passed = io::copy(&mut reader.take(length), &mut io::sink())?;
                if passed < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
    }
}

/// The kind of the next marker; what lies before it, such as the data of a scan, is passed over.
fn marker(reader: &mut impl BufRead) -> io::Result<u8> {
    let end = || Err(io::ErrorKind::UnexpectedEof.into());
    if reader.skip_until(0xff)? == 0 {
        return end();
    }
    loop {
        let mut kind = [0];
        if reader.read(&mut kind)? == 0 {
            return end();
        }
        // Several 0xff are padding.
        if kind[0] != 0xff {
            return Ok(kind[0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_found_behind_scans_and_not_in_segments() {
        let whole = |bytes: &[u8]| walk(&mut &*bytes).is_ok();
        let start = [0xff, 0xd8];
        let inner = [0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9];
        let scan = [0xff, 0xda, 0, 3, 1, 5, 0xff, 0x00, 7, 0xff, 0xd0, 9, 0xff, 0xff];
        let all = [&start[..], &inner, &scan, &[0xd9]].concat();
        assert!(whole(&all));
        assert!((0..all.len()).all(|len| !whole(&all[..len])));
        assert!(whole(&[&all[..], &[1, 2, 3]].concat()), "what follows the end is nobody's");
    }
}
