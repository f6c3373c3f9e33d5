//! Which reader a source is for.
use super::dataset::Dataset;
use super::pixels::from_byte;
use super::{builtin, idx, npy, png_folder};
use crate::graph::Shape;
use crate::{Error, Result};
use std::path::Path;

impl Dataset {
    /// Reads what `--data` names: a built-in set, an IDX file, a `.npy` array or a folder of PNGs.
    ///
    /// # Errors
    /// A source that is missing, broken, empty or of an unknown kind.
    pub fn open(source: &str) -> Result<Self> {
        if let Some(set) = builtin::named(source)? {
            return (set.train)();
        }
        let path = Path::new(source);
        let metadata = std::fs::metadata(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))?;
        if metadata.is_dir() {
            return png_folder::read(path);
        }
        let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
        if name.ends_with(".npy") || name.ends_with(".npy.gz") {
            npy::read(path)
        } else if name.ends_with(".png") {
            Err(Error::file(path, "is a single image; give the folder it lies in"))
        } else {
            idx::read(path)
        }
    }
}

/// One PNG, gray or RGB, with values in [-1, 1].
///
/// # Errors
/// A file that cannot be read or is no such PNG.
pub fn png(path: &Path) -> Result<(Shape, Vec<f32>)> {
    let (shape, pixels) = png_folder::image(path)?;
    Ok((shape, pixels.into_iter().map(from_byte).collect()))
}
