//! The faces that are built in: 16×16 RGB, with and without glasses, of short and long hair, plain and happy (licence
//! in `assets/faces16/README.md`).
use super::dataset::Dataset;
use super::labels::{Axis, Labels};
use super::options::Options;
use super::place::Place;
use super::{array_images, npy};
use crate::Result;
use std::path::Path;

/// The 10,000 training images with their labels.
///
/// # Errors
/// None in practice: the data is part of the program and tested.
pub fn train() -> Result<Dataset> {
    decode(
        "faces16",
        include_bytes!("../../assets/faces16/train-images.npy.gz"),
        include_bytes!("../../assets/faces16/train-labels.npy.gz"),
    )
}

/// The 2,000 test images, for evaluation only.
///
/// # Errors
/// None in practice: the data is part of the program and tested.
pub fn test() -> Result<Dataset> {
    decode(
        "faces16 (test)",
        include_bytes!("../../assets/faces16/test-images.npy.gz"),
        include_bytes!("../../assets/faces16/test-labels.npy.gz"),
    )
}

/// The axes, from the highest bit of a label to the lowest.
const AXES: [(&str, [&str; 2]); 3] =
    [("glasses", ["no-glasses", "glasses"]), ("hair", ["short", "long"]), ("mouth", ["plain", "happy"])];

fn decode(name: &str, images: &'static [u8], labels: &'static [u8]) -> Result<Dataset> {
    let read = |bytes| {
        let place = Place::built_in(name, bytes)?;
        let array = npy::array(&place, &mut *place.reader()?);
        array
    };
    let path = Path::new(name);
    let (images, labels) = (read(images)?, read(labels)?);
    let (shape, images) = array_images::images(path, images, &Options::default(), &mut vec![])?;
    let axes = AXES.map(|(name, classes)| Axis { name: name.into(), classes: classes.map(str::to_owned).into() });
    let values = labels.bytes.into_iter().flat_map(|label| [2, 1, 0].map(|bit| label >> bit & 1));
    Dataset::checked(path, shape, images, Some(Labels { axes: axes.into(), values: values.collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    #[test]
    fn both_sets_decode() {
        for (set, count) in [(train().unwrap(), 10_000), (test().unwrap(), 2000)] {
            assert_eq!((set.len(), set.shape, set.classes()), (count, Shape::new(16, 16, 3), 6));
            let labels = set.labels.unwrap();
            assert_eq!(labels.axes[2].classes, ["plain", "happy"]);
            for axis in 0..3 {
                assert_eq!(labels.counts(axis), [count / 2; 2], "{axis}");
            }
            let happy_with_long_hair = (0..count).filter(|i| labels.of(*i) == [0, 1, 1]).count();
            assert_eq!(happy_with_long_hair, count / 8);
        }
        assert_ne!(train().unwrap().digest(), test().unwrap().digest());
    }
}
