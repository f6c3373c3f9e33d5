//! A data set as NumPy arrays, for programs that read these.
use super::dataset::Dataset;
use super::pixels::Pixels;
use crate::{files, Error, Result};
use npyz::{AutoSerialize, WriterBuilder};
use std::path::Path;

/// The images' file in its folder.
pub const IMAGES: &str = "images.npy";
/// The labels' file.
pub const LABELS: &str = "labels.npy";

/// Writes `images.npy`, `[N][H][W][C]` of bytes (0 is −1, 255 is 1) or of f32 in [-1, 1], as the set has them, and where
/// there are labels `labels.npy`, `[N][axes]` of bytes, into a folder that is made if need be. `trainer` reads both again.
///
/// # Errors
/// Files that cannot be written, or labels of other images that lie there.
pub fn write(folder: &Path, data: &Dataset) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::file(folder, format!("cannot be written: {e}")))?;
    let labels = folder.join(LABELS);
    if data.labels.is_none() && labels.exists() {
        return Err(Error::file(&labels, "lies there, but these images have no labels; choose another folder"));
    }
    let shape = [data.len(), data.shape.height, data.shape.width, data.shape.channels];
    let images = folder.join(IMAGES);
    match &data.images {
        Pixels::Bytes(bytes) => array(&images, &shape, bytes)?,
        Pixels::Floats(values) => array(&images, &shape, values)?,
    }
    match &data.labels {
        Some(found) => array(&labels, &[found.len(), found.axes.len()], &found.values),
        None => Ok(()),
    }
}

fn array<T: AutoSerialize + Copy>(path: &Path, shape: &[usize], values: &[T]) -> Result<()> {
    let shape: Vec<u64> = shape.iter().map(|size| *size as u64).collect();
    files::write_with(path, |file| {
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
        write(folder.path(), &data).unwrap();
        let path = folder.path().join(IMAGES).display().to_string();
        let back = open(&path, &Reading::new(&Options::default(), &|_, _| ())).unwrap().data;
        assert_eq!((back.shape, back.digest()), (data.shape, data.digest()));
        let unlabelled = Dataset { labels: None, ..data };
        let error = write(folder.path(), &unlabelled).unwrap_err().to_string();
        assert!(error.contains("have no labels"), "{error}");
    }
}
