//! A data set as NumPy arrays, for programs that read these.
use super::dataset::Dataset;
use super::pixels::Pixels;
use crate::files::{self, Pending};
use crate::{Error, Result};
use npyz::{AutoSerialize, WriterBuilder};
use std::path::Path;

/// The images' file in its folder.
pub const IMAGES: &str = "images.npy";
/// The labels' file.
pub const LABELS: &str = "labels.npy";

/// Checks that a folder, which need not be there, can take the arrays of data with labels or without: whoever reads
/// them takes all files `images*.npy` and `labels*.npy` in it.
///
/// # Errors
/// A file in place of the folder, other arrays in it, or a place that cannot be written.
pub fn check(folder: &Path, labelled: bool) -> Result<()> {
    let failed = |e: std::io::Error| Error::file(folder, format!("cannot be read: {e}"));
    if !folder.exists() {
        return Ok(());
    }
    if !folder.is_dir() {
        return Err(Error::file(folder, "is no folder; choose one for the arrays, which need not be there yet"));
    }
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_array = name.ends_with(".npy") && (name.starts_with("images") || name.starts_with("labels"));
        if is_array && name != IMAGES && !(labelled && name == LABELS) {
            return Err(Error::file(&path, "lies there and would be read with the new arrays; choose another folder"));
        }
    }
    files::check_writable(&folder.join(IMAGES))?;
    files::check_writable(&folder.join(LABELS))
}

/// Writes `images.npy`, `[N][H][W][C]` of bytes (0 is −1, 255 is 1) or of f32 in [-1, 1], as the set has them, and
/// where there are labels `labels.npy`, `[N][axes]` of bytes, into a folder that is there. They get their names when
/// they are committed; `trainer` reads both again.
///
/// # Errors
/// Files that cannot be written.
pub fn write(folder: &Path, data: &Dataset) -> Result<Vec<Pending>> {
    let shape = [data.len(), data.shape.height, data.shape.width, data.shape.channels];
    let images = folder.join(IMAGES);
    let mut pending = vec![match &data.images {
        Pixels::Bytes(bytes) => array(&images, &shape, bytes)?,
        Pixels::Floats(values) => array(&images, &shape, values)?,
    }];
    if let Some(found) = &data.labels {
        pending.push(array(&folder.join(LABELS), &[found.len(), found.axes.len()], &found.values)?);
    }
    Ok(pending)
}

fn array<T: AutoSerialize + Copy>(path: &Path, shape: &[usize], values: &[T]) -> Result<Pending> {
    let shape: Vec<u64> = shape.iter().map(|size| *size as u64).collect();
    Pending::write(path, |file| {
        let array = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(file);
        let written = array.begin_nd().and_then(|mut array| {
            array.extend(values.iter().copied())?;
            array.finish()
        });
        written.map_err(|e| Error::file(path, format!("cannot be written: {e}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{digits, open, Options, Reading};

    #[test]
    fn arrays_are_read_as_they_were() {
        let data = digits::train().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let pending = write(folder.path(), &data).unwrap();
        pending.into_iter().try_for_each(Pending::commit).unwrap();
        let path = folder.path().join(IMAGES).display().to_string();
        let back = open(&path, &Reading::new(&Options::default(), &|_, _, _| ())).unwrap().data;
        assert_eq!((back.shape, back.digest()), (data.shape, data.digest()));
    }

    /// What a reader would take for arrays of the set.
    #[test]
    fn folders_with_other_arrays_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| std::fs::write(folder.path().join(name), b"").unwrap();
        let refused = |at: &Path, labelled: bool, words: &str| {
            let error = check(at, labelled).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        [IMAGES, LABELS, "notes.txt", "labels.csv"].into_iter().for_each(put);
        check(folder.path(), true).unwrap();
        check(&folder.path().join("new/deep"), false).unwrap();
        refused(folder.path(), false, "labels.npy: lies there");
        refused(&folder.path().join("notes.txt"), true, "notes.txt: is no folder; choose one");
        for name in ["images-2.npy", "labels-2.npy", "images1.npy"] {
            put(name);
            refused(folder.path(), true, &format!("{name}: lies there and would be read with the new arrays"));
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        std::fs::remove_file(folder.path().join(IMAGES)).unwrap();
        std::fs::create_dir(folder.path().join(IMAGES)).unwrap();
        refused(folder.path(), true, "images.npy: cannot be written: is a folder");
    }
}
