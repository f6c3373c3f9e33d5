//! The forms in which data lie on a disk, behind one trait.
use super::cache;
use super::found::Opened;
use super::options::Options;
use super::place::Place;
use crate::Result;
use std::path::PathBuf;

/// A form of data that can be read. A new one is a file beside this one, and an entry in `FORMS` of
/// `open.rs`.
pub trait Form: Sync {
    /// Whether what lies there has this form, by its first bytes.
    fn is_at(&self, place: &Place) -> bool;

    /// Whether options of sound mean something for it.
    fn reads_sound(&self) -> bool {
        false
    }

    /// Reads it.
    ///
    /// # Errors
    /// Data that are broken, empty or doubtful.
    fn read(&self, place: &Place, reading: &Reading) -> Result<Opened>;
}

/// What [`Reading::progress`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Images or recordings.
    Samples,
    /// Bytes of a file as it lies there, packed where it is gzip; of an array in an archive, its unpacked ones.
    Bytes,
}

/// What a [`Form`] is read with.
pub struct Reading<'a> {
    /// What was asked for.
    pub options: &'a Options,
    /// The folder in which decoded pictures are kept, if they are.
    pub cache: Option<PathBuf>,
    /// Is told how much is read, of how much.
    pub progress: &'a (dyn Fn(Unit, u64, u64) + Sync),
}

impl<'a> Reading<'a> {
    /// With the usual cache, unless the options want none.
    pub fn new(options: &'a Options, progress: &'a (dyn Fn(Unit, u64, u64) + Sync)) -> Self {
        let cache = if options.no_cache { None } else { cache::usual_folder() };
        Self { options, cache, progress }
    }
}
