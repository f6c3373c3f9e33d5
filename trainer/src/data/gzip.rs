//! Reading bytes that may be gzip, no more of them than are needed.
use crate::{Error, Result};
use flate2::bufread::MultiGzDecoder;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Most bytes of values that a data set may have: what is larger does not fit into the memory of usual machines.
pub const MOST_BYTES: usize = 1 << 33;

/// A reader of what `bytes` hold, unpacked where they are gzip.
///
/// # Errors
/// A file that cannot be read.
pub fn reader<'a>(bytes: impl Read + 'a) -> std::io::Result<Box<dyn Read + 'a>> {
    let mut bytes = BufReader::with_capacity(1 << 16, bytes);
    match bytes.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        true => Ok(Box::new(BufReader::new(MultiGzDecoder::new(bytes)))),
        false => Ok(Box::new(bytes)),
    }
}

/// Reads exactly the `count` bytes that a header promises, and no more than arrive.
///
/// # Errors
/// Fewer bytes, or more, or a broken stream; more than [`MOST_BYTES`].
pub fn promised(path: &Path, reader: &mut dyn Read, count: Option<usize>, what: &str) -> Result<Vec<u8>> {
    let Some(count) = count.filter(|count| *count <= MOST_BYTES) else {
        return Err(Error::file(path, format!("the header promises {what}, more than {} GB", MOST_BYTES >> 30)));
    };
    let mut bytes = Vec::new();
    let broken = |e: std::io::Error| Error::file(path, format!("the compressed stream is broken or cut off ({e})"));
    // What is promised is allocated as it arrives, at once where it is little.
    loop {
        let before = bytes.len();
        let next = (count - before).min(before.max(1 << 28));
        bytes.try_reserve_exact(next).map_err(|_| Error::file(path, format!("{what} do not fit in memory")))?;
        reader.take(next as u64).read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() == count || bytes.len() < before + next {
            break;
        }
    }
    if bytes.len() < count {
        return Err(Error::file(path, format!("is cut off: the header promises {what}, but {} follow", bytes.len())));
    }
    let mut more = [0];
    if reader.read(&mut more).map_err(broken)? > 0 {
        return Err(Error::file(path, format!("the header promises {what}, but more follow")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{write::GzEncoder, Compression};
    use std::io::Write;

    #[test]
    fn reads_what_is_promised_and_no_more() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&[7; 1000]).unwrap();
        let packed = encoder.finish().unwrap();
        let read = |bytes: &[u8], count| promised(Path::new("x"), &mut reader(bytes).unwrap(), count, "so many bytes");
        for bytes in [&packed[..], &[7; 1000]] {
            assert_eq!(read(bytes, Some(1000)).unwrap(), [7; 1000]);
            assert!(read(bytes, Some(999)).unwrap_err().to_string().contains("but more follow"));
            assert!(read(bytes, Some(1001)).unwrap_err().to_string().contains("but 1000 follow"));
            let error = read(bytes, Some(usize::MAX)).unwrap_err().to_string();
            assert!(error.contains("more than 8 GB"), "{error}");
            assert!(read(bytes, None).is_err());
        }
        let error = read(&packed[..packed.len() / 2], Some(1000)).unwrap_err().to_string();
        assert!(error.contains("broken or cut off"), "{error}");
    }
}
