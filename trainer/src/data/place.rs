//! A place that data are read from: a folder, a file, or a pipe that can be read once.
use super::counted::Counted;
use super::form::Unit;
use super::gzip;
use crate::{Error, Result};
use std::borrow::Cow;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};

/// A folder or a file that is there.
#[derive(Debug)]
pub struct Place {
    /// As it was given.
    pub path: PathBuf,
    /// Whether it is a folder.
    pub folder: bool,
    /// Whether there is a folder in which files lie beside it.
    pub regular: bool,
    /// The first bytes of a file, unpacked.
    pub start: Vec<u8>,
    /// The bytes of what is in memory already, such as what came through a pipe.
    held: Option<Cow<'static, [u8]>>,
}

/// What can be read from any position.
pub trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

impl Place {
    /// The place at `path`; a pipe is read to its end.
    ///
    /// # Errors
    /// Nothing there, or nothing that may be read; a pipe of more than `gzip::MOST_BYTES`.
    pub fn at(path: &Path) -> Result<Self> {
        let unreadable = |e: std::io::Error| Error::file(path, format!("cannot be read: {e}"));
        let found = std::fs::metadata(path).map_err(unreadable)?;
        let mut place = Self {
            path: path.to_path_buf(),
            folder: found.is_dir(),
            regular: found.is_file(),
            start: vec![],
            held: None,
        };
        if place.folder {
            return Ok(place);
        }
        if !found.is_file() {
            let mut bytes = Vec::new();
            let pipe = File::open(path).map_err(unreadable)?;
            pipe.take(gzip::MOST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
            if bytes.len() > gzip::MOST_BYTES {
                return Err(Error::file(path, format!("gives more than {} GB", gzip::MOST_BYTES >> 30)));
            }
            place.held = Some(bytes.into());
        }
        place.with_start()
    }

    /// A file whose bytes are part of the program, called `name`.
    ///
    /// # Errors
    /// A broken gzip stream.
    pub fn built_in(name: &str, bytes: &'static [u8]) -> Result<Self> {
        let held = Some(Cow::Borrowed(bytes));
        Self { path: name.into(), folder: false, regular: false, start: vec![], held }.with_start()
    }

    fn with_start(mut self) -> Result<Self> {
        let mut start = Vec::new();
        let broken = |e: std::io::Error| self.error(format!("the gzip stream is broken or cut off ({e})"));
        self.reader()?.take(16).read_to_end(&mut start).map_err(broken)?;
        self.start = start;
        Ok(self)
    }

    /// Its bytes from the beginning, unpacked where they are gzip.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn reader(&self) -> Result<Box<dyn Read + '_>> {
        self.counted(&|_, _, _| ())
    }

    /// As [`Self::reader`]; `progress` is told how many of the bytes as they lie there are read, of how many.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn counted<'a>(&'a self, progress: &'a dyn Fn(Unit, u64, u64)) -> Result<Box<dyn Read + 'a>> {
        let unreadable = |e: std::io::Error| self.error(format!("cannot be read: {e}"));
        let bytes = match &self.held {
            Some(bytes) => bytes.len() as u64,
            None => std::fs::metadata(&self.path).map_err(unreadable)?.len(),
        };
        gzip::reader(Counted::new(self.seekable()?, bytes, progress)).map_err(unreadable)
    }

    /// Its bytes as they are.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn seekable(&self) -> Result<Box<dyn ReadSeek + '_>> {
        match &self.held {
            Some(bytes) => Ok(Box::new(Cursor::new(&bytes[..]))),
            None => {
                let file = File::open(&self.path).map_err(|e| self.error(format!("cannot be read: {e}")))?;
                Ok(Box::new(file))
            }
        }
    }

    /// An error about it.
    pub fn error(&self, reason: impl ToString) -> Error {
        Error::file(&self.path, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{write::GzEncoder, Compression};
    use std::cell::RefCell;
    use std::io::Write;

    /// Of a packed file the bytes that lie there are counted, not those that come out of it.
    #[test]
    fn what_is_read_is_counted_as_it_lies_there() {
        let folder = tempfile::tempdir().unwrap();
        let values: Vec<u8> = (0..1_000_000u64).map(|i| ((i * i) >> 7) as u8).collect();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&values).unwrap();
        let packed = encoder.finish().unwrap();
        assert!(packed.len() > 200_000 && packed.len() < 900_000, "{} bytes", packed.len());
        for (name, bytes) in [("a.gz", &packed), ("a", &values)] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let place = Place::at(&path).unwrap();
            let told = RefCell::new(vec![]);
            let progress = |unit, done, of| told.borrow_mut().push((unit, done, of));
            let mut read = vec![];
            place.counted(&progress).unwrap().read_to_end(&mut read).unwrap();
            let (told, of) = (told.take(), bytes.len() as u64);
            assert!(read == values && told.len() > 3 && told.is_sorted_by_key(|(_, done, _)| *done), "{name}");
            assert!(told.iter().all(|(unit, _, all)| (*unit, *all) == (Unit::Bytes, of)), "{name}");
            assert_eq!(told.last().unwrap().1, of, "{name}");
        }
    }
}
