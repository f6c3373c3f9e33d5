//! IDX files, gzipped or not: the format of MNIST (bytes 0, 0, type, rank, then big-endian sizes, then the values).
use super::dataset::Dataset;
use super::gzip;
use super::labels::Labels;
use crate::graph::Shape;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The IDX type code of unsigned bytes.
const UNSIGNED_BYTE: u8 = 0x08;

/// Reads images (N×H×W or N×H×W×C bytes) and, where a labels file lies beside them under the usual name, their labels.
pub fn read(path: &Path) -> Result<Dataset> {
    let (shape, values) = images(path, &load(path)?)?;
    let labels = match labels_beside(path) {
        Some(beside) => Some(Labels::numbered(labels(&beside, &load(&beside)?)?)),
        None => None,
    };
    Dataset::checked(path, shape, values, labels)
}

/// Decodes images from the bytes of `path`.
pub fn images(path: &Path, bytes: &[u8]) -> Result<(Shape, Vec<u8>)> {
    let (sizes, values) = decode(path, bytes)?;
    let shape = match sizes[1..] {
        [height, width] => Shape::new(height, width, 1),
        [height, width, channels] => Shape::new(height, width, channels),
        _ => return Err(Error::file(path, format!("has {} axes; images have 3 (N, H, W) or 4", sizes.len()))),
    };
    Ok((shape, values))
}

/// Decodes labels from the bytes of `path`.
pub fn labels(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    let (sizes, values) = decode(path, bytes)?;
    if sizes.len() != 1 {
        return Err(Error::file(path, format!("has {} axes; labels have 1", sizes.len())));
    }
    Ok(values)
}

fn load(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))
}

/// `train-images-idx3-ubyte.gz` → `train-labels-idx1-ubyte.gz` or the same without `.gz`, if it exists.
fn labels_beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let renamed = name.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1");
    if renamed == name {
        return None;
    }
    let plain = renamed.trim_end_matches(".gz").to_string();
    [renamed, format!("{plain}.gz"), plain].into_iter().map(|name| path.with_file_name(name)).find(|p| p.is_file())
}

/// The sizes of the axes and the values.
fn decode(path: &Path, bytes: &[u8]) -> Result<(Vec<usize>, Vec<u8>)> {
    let bytes = &gzip::unpacked(path, bytes)?[..];
    let &[0, 0, kind, rank, ref rest @ ..] = bytes else {
        return Err(Error::file(path, "is not an IDX file: it does not start with the magic bytes 00 00"));
    };
    if kind != UNSIGNED_BYTE {
        return Err(Error::file(path, format!("is IDX of type 0x{kind:02x}; only unsigned bytes (0x08) can be read")));
    }
    let rank = usize::from(rank);
    if rank == 0 || rest.len() < 4 * rank {
        return Err(Error::file(path, "the IDX header is cut off"));
    }
    let (header, values) = rest.split_at(4 * rank);
    let sizes: Vec<usize> = header.as_chunks::<4>().0.iter().map(|size| u32::from_be_bytes(*size) as usize).collect();
    let expected = sizes.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    if expected != Some(values.len()) {
        let axes = sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
        return Err(Error::file(path, format!("the header promises {axes} bytes, but {} follow", values.len())));
    }
    Ok((sizes, values.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{write::GzEncoder, Compression};
    use std::io::Write;

    fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, UNSIGNED_BYTE, sizes.len() as u8];
        sizes.iter().for_each(|s| bytes.extend(s.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn reason(bytes: &[u8]) -> String {
        images(Path::new("some.idx"), bytes).unwrap_err().to_string()
    }

    #[test]
    fn reads_images_and_the_labels_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a-images-idx3-ubyte.gz");
        std::fs::write(&path, gzip(&idx(&[2, 1, 3], &[0, 255, 0, 255, 0, 51]))).unwrap();
        let unlabelled = Dataset::open(path.to_str().unwrap()).unwrap();
        assert_eq!(unlabelled.labels, None);
        assert_eq!(unlabelled.classes(), 0);
        std::fs::write(folder.path().join("a-labels-idx1-ubyte"), idx(&[2], &[3, 1])).unwrap();
        let set = Dataset::open(path.to_str().unwrap()).unwrap();
        assert_eq!((set.shape, set.len(), set.classes()), (Shape::new(1, 3, 1), 2, 4));
        assert_eq!(set.image(1)[..], [1.0, -1.0, 51.0 / 127.5 - 1.0]);
        std::fs::write(folder.path().join("a-labels-idx1-ubyte"), idx(&[3], &[3, 1, 0])).unwrap();
        let error = Dataset::open(path.to_str().unwrap()).unwrap_err().to_string();
        assert!(error.contains("2 images, but 3 labels"), "{error}");
    }

    #[test]
    fn says_what_is_wrong() {
        let good = idx(&[2, 2, 2], &[7; 8]);
        assert!(images(Path::new("some.idx"), &good).is_ok());
        assert!(reason(b"hello").contains("some.idx: is not an IDX file"));
        assert!(reason(&[]).contains("is not an IDX file"));
        assert!(reason(&[0, 0, 0x0d, 1, 0, 0, 0, 0]).contains("type 0x0d"));
        assert!(reason(&[0, 0, 8, 3, 0]).contains("header is cut off"));
        assert!(reason(&good[..good.len() - 1]).contains("promises 2x2x2 bytes, but 7 follow"));
        assert!(reason(&idx(&[u32::MAX; 5], &[])).contains("promises"));
        assert!(reason(&idx(&[3], &[1, 2, 3])).contains("has 1 axes"));
        let packed = gzip(&idx(&[100, 2, 2], &(0..400u32).map(|i| (i * i / 7) as u8).collect::<Vec<_>>()));
        assert!(reason(&packed[..packed.len() / 2]).contains("gzip stream is broken or cut off"));
        let missing = Dataset::open("no/such/file").unwrap_err();
        assert!(missing.to_string().contains("no/such/file: cannot be read"));
        assert_eq!(missing.exit_code(), 1);
    }

    #[test]
    fn zero_images_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty.idx");
        std::fs::write(&path, idx(&[0, 2, 2], &[])).unwrap();
        let error = Dataset::open(path.to_str().unwrap()).unwrap_err().to_string();
        assert!(error.contains("holds no images"), "{error}");
    }
}
