//! The digits that are built in: 10,000 training images of MNIST and its test set (licence in
//! `assets/mnist/README.md`).
use super::dataset::Dataset;
use super::labels::Labels;
use super::options::Options;
use super::place::Place;
use super::{array_images, idx};
use crate::Result;
use std::path::Path;

/// The training images with their labels 0 to 9.
///
/// # Errors
/// None in practice: the data is part of the program and tested.
pub fn train() -> Result<Dataset> {
    decode(
        "digits",
        include_bytes!("../../assets/mnist/train-images-idx3-ubyte.gz"),
        include_bytes!("../../assets/mnist/train-labels-idx1-ubyte.gz"),
    )
}

/// The official test set, for evaluation only.
///
/// # Errors
/// None in practice: the data is part of the program and tested.
pub fn test() -> Result<Dataset> {
    decode(
        "digits (test)",
        include_bytes!("../../assets/mnist/t10k-images-idx3-ubyte.gz"),
        include_bytes!("../../assets/mnist/t10k-labels-idx1-ubyte.gz"),
    )
}

fn decode(name: &str, images: &'static [u8], labels: &'static [u8]) -> Result<Dataset> {
    let read = |bytes| {
        let place = Place::built_in(name, bytes)?;
        let array = idx::array(&place, &mut *place.reader()?);
        array
    };
    let path = Path::new(name);
    let (images, labels) = (read(images)?, read(labels)?);
    let (shape, images) = array_images::images(path, images, &Options::default(), &mut vec![])?;
    Dataset::checked(path, shape, images, Some(Labels::numbered(labels.bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    #[test]
    fn both_sets_decode() {
        for set in [train().unwrap(), test().unwrap()] {
            assert_eq!((set.len(), set.shape, set.classes()), (10_000, Shape::new(28, 28, 1), 10));
            // MNIST's mean pixel is 0.1307 of white.
            let mean = set.images.to_vec().iter().map(|v| f64::from(*v)).sum::<f64>() / set.images.len() as f64;
            assert!((mean - (2.0 * 0.1307 - 1.0)).abs() < 0.02);
        }
        assert_ne!(train().unwrap().digest(), test().unwrap().digest());
    }
}
