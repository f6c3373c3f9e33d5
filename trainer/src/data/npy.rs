//! NumPy arrays: f32 in [-1, 1] or bytes, of shape N×H×W or N×H×W×C.
use super::dataset::Dataset;
use super::gzip;
use super::pixels::Pixels;
use crate::graph::Shape;
use crate::{Error, Result};
use npyz::{DType, NpyFile, Order, TypeChar};
use std::path::Path;

/// Reads the images of an array; `.npy` has no labels.
pub fn read(path: &Path) -> Result<Dataset> {
    let bytes = std::fs::read(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))?;
    let (shape, images) = images(path, &bytes)?;
    Dataset::checked(path, shape, images, None)
}

/// Decodes images from the bytes of `path`, gzipped or not.
pub fn images(path: &Path, bytes: &[u8]) -> Result<(Shape, Pixels)> {
    let broken = |e: std::io::Error| Error::file(path, format!("is not a readable .npy array ({e})"));
    let bytes = gzip::unpacked(path, bytes)?;
    let array = NpyFile::new(&bytes[..]).map_err(broken)?;
    let sizes: Vec<usize> = array.shape().iter().map(|n| usize::try_from(*n).unwrap_or(usize::MAX)).collect();
    let shape = match sizes[..] {
        [_, height, width] => Shape::new(height, width, 1),
        [_, height, width, channels] => Shape::new(height, width, channels),
        _ => {
            return Err(Error::file(
                path,
                format!(
                    "has {} axes; images have 3 (N, H, W) or 4 (N, H, W, C), signals are images of height 1",
                    sizes.len()
                ),
            ))
        }
    };
    let promised = sizes.iter().try_fold(array.dtype().num_bytes().unwrap_or(1), |product, n| product.checked_mul(*n));
    if promised.is_none_or(|n| n > bytes.len()) {
        return Err(Error::file(path, "is cut off: the header promises more values than follow"));
    }
    if array.order() != Order::C {
        return Err(Error::file(path, "is stored in Fortran order; save it in C order"));
    }
    let (kind, size) = match array.dtype() {
        DType::Plain(plain) => (Some(plain.type_char()), plain.size_field()),
        _ => (None, 0),
    };
    let images = match (kind, size) {
        (Some(TypeChar::Float), 4) => Pixels::Floats(array.into_vec().map_err(broken)?),
        (Some(TypeChar::Uint), 1) => Pixels::Bytes(array.into_vec().map_err(broken)?),
        _ => return Err(Error::file(path, format!("holds values of type {}; use f32 or u8", array.dtype().descr()))),
    };
    Ok((shape, images))
}

/// Decodes labels, bytes of one axis, from the bytes of `path`, gzipped or not.
pub fn labels(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    let broken = |e: std::io::Error| Error::file(path, format!("is not a readable .npy array of bytes ({e})"));
    NpyFile::new(&gzip::unpacked(path, bytes)?[..]).and_then(NpyFile::into_vec).map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use npyz::WriterBuilder;

    fn open<T: npyz::AutoSerialize>(shape: &[u64], values: &[T]) -> Result<Dataset> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.npy");
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(file).begin_nd().unwrap();
        values.iter().for_each(|v| writer.push(v).unwrap());
        writer.finish().unwrap();
        Dataset::open(path.to_str().unwrap())
    }

    #[test]
    fn reads_floats_and_bytes() {
        let set = open(&[2, 1, 2], &[0.5f32, -1.0, 1.0, 0.0]).unwrap();
        assert_eq!((set.shape, &set.image(1)[..], &set.labels), (Shape::new(1, 2, 1), &[1.0, 0.0][..], &None));
        let set = open(&[1, 1, 2, 3], &[0u8, 255, 0, 255, 0, 255]).unwrap();
        assert_eq!((set.shape, &set.image(0)[..]), (Shape::new(1, 2, 3), &[-1.0, 1.0, -1.0, 1.0, -1.0, 1.0][..]));
    }

    #[test]
    fn says_what_is_wrong() {
        let reason = |set: Result<Dataset>| set.unwrap_err().to_string();
        assert!(reason(open(&[2, 1, 2], &[0.5f32, 0.0, f32::NAN, 0.0]))
            .contains("image 1 holds a value that is not a number"));
        assert!(reason(open(&[1, 1, 2], &[0.5f32, 200.0])).contains("image 0 holds 200"));
        assert!(reason(open(&[4], &[0.5f32; 4])).contains("has 1 axes"));
        assert!(reason(open(&[1, 1, 2], &[0.5f64; 2])).contains("use f32 or u8"));
        assert!(reason(open::<f32>(&[0, 4, 4], &[])).contains("holds no images"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broken.npy");
        std::fs::write(&path, b"nonsense").unwrap();
        assert!(reason(Dataset::open(path.to_str().unwrap())).contains("is not a readable .npy array"));
    }
}
