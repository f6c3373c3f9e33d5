//! Labels from arrays, and the files beside the data in which they lie.
use super::array::Array;
use super::labels::{Axis, Labels};
use super::options::Options;
use super::place::Place;
use super::{idx, npy};
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files of a folder that are looked at in search of labels.
const MOST_SIBLINGS: usize = 200;
/// The value of `--labels` that stands for no labels.
pub const NONE: &str = "none";

/// The labels of `count` images in an array of one class an image, of one column an axis, or one-hot.
///
/// # Errors
/// An array of another size, or of values that are no classes.
pub fn labels(path: &Path, array: Array, count: usize) -> Result<Labels> {
    let (images, columns) = match array.sizes[..] {
        [images] => (images, 1),
        [images, columns] => (images, columns),
        _ => return Err(Error::file(path, format!("has {} axes; labels have 1 or 2", array.sizes.len()))),
    };
    if images != count {
        return Err(Error::file(path, format!("{count} images, but {images} labels")));
    }
    let order = &[0, 1][..array.sizes.len()];
    let array = array.transposed(order);
    if columns > 1 && array.kind.is_number() {
        let numbers: Vec<f64> = array.numbers().collect();
        let one_hot =
            |row: &[f64]| row.iter().filter(|v| **v == 1.0).count() == 1 && row.iter().all(|v| *v == 0.0 || *v == 1.0);
        if numbers.chunks_exact(columns).all(one_hot) && columns <= super::labels::MAX_CLASSES {
            let class = |row: &[f64]| row.iter().position(|v| *v == 1.0).unwrap_or(0) as u8;
            let values = numbers.chunks_exact(columns).map(class).collect();
            return Ok(Labels { axes: vec![Axis::numbered(columns)], values });
        }
    }
    let texts = array.texts(path)?;
    let names = match columns {
        1 => vec!["class".to_owned()],
        columns => (1..=columns).map(|column| format!("label{column}")).collect(),
    };
    named(path, names, &texts)
}

/// Labels from texts, `[images][axes]`: small whole numbers keep theirs, other texts are numbered in their order.
///
/// # Errors
/// More axes or classes than labels may have.
pub fn named(path: &Path, names: Vec<String>, texts: &[String]) -> Result<Labels> {
    let columns = names.len();
    let mut values = vec![0; texts.len()];
    let axes = names.into_iter().enumerate().map(|(column, name)| {
        let of_column = || texts.iter().skip(column).step_by(columns.max(1));
        // As whole numbers, the way they are written: "01" is a name.
        let number = |text: &String| text.parse::<u8>().ok().filter(|number| number.to_string() == *text);
        let numbers: Option<Vec<u8>> = of_column().map(number).collect();
        let slots = values.iter_mut().skip(column).step_by(columns.max(1));
        if let Some(numbers) = numbers {
            let classes = numbers.iter().max().map_or(0, |most| usize::from(*most) + 1);
            slots.zip(numbers).for_each(|(slot, number)| *slot = number);
            return Ok(Axis { name, ..Axis::numbered(classes) });
        }
        let classes = in_order(of_column().map(String::as_str).collect());
        if classes.len() > super::labels::MAX_CLASSES {
            return Err(Error::file(
                path,
                format!(
                    "{name} has {} classes, at most {}; --axes chooses columns, --labels none leaves out all",
                    classes.len(),
                    super::labels::MAX_CLASSES
                ),
            ));
        }
        for (slot, text) in slots.zip(of_column()) {
            *slot = classes.iter().position(|class| class == text).unwrap_or(0) as u8;
        }
        Ok(Axis { name, classes: classes.into_iter().map(str::to_owned).collect() })
    });
    Ok(Labels { axes: axes.collect::<Result<_>>()?, values })
}

/// Names in order: by value where all are numbers, else as texts.
pub fn in_order(names: BTreeSet<&str>) -> Vec<&str> {
    let mut names: Vec<&str> = names.into_iter().collect();
    let number = |name: &&str| name.parse::<i64>().ok();
    if names.iter().all(|name| number(name).is_some()) {
        names.sort_by_key(number);
    }
    names
}

/// The labels of `count` images of the file at `place`, from a file beside it: that of `--labels`, that of the usual
/// name, or the only one that is an array of so many classes. With the name of the file; doubtful ones become notes.
///
/// # Errors
/// A file of labels that is broken or of other images.
pub fn beside(
    place: &Place,
    count: usize,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Option<(Labels, String)>> {
    let read = |path: PathBuf| {
        let array = array(&Place::at(&path)?)?.ok_or_else(|| {
            Error::file(&path, "is neither an .npy array nor an IDX file, which labels are read from")
        })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Some((labels(&path, array, count)?, name)))
    };
    match options.labels.as_deref() {
        Some(NONE) => return Ok(None),
        Some(name) => {
            let beside = place.path.with_file_name(name);
            return read(if beside.is_file() { beside } else { name.into() });
        }
        None if !place.regular => return Ok(None),
        None => {}
    }
    if let Some(path) = usual(&place.path) {
        return read(path);
    }
    let candidates = siblings(&place.path, count);
    match &candidates[..] {
        [] => Ok(None),
        [path] => read(path.clone()),
        several => {
            let names: Vec<_> = several.iter().map(|p| p.file_name().unwrap_or_default().to_string_lossy()).collect();
            notes.push(format!("{} may be labels: --labels takes one of them", names.join(", ")));
            Ok(None)
        }
    }
}

/// `train-images-idx3-ubyte.gz` → `train-labels-idx1-ubyte.gz` or the same without `.gz`, `images.npy` → `labels.npy`,
/// if it exists.
fn usual(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let renamed = name.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1");
    if renamed == name {
        return None;
    }
    let plain = renamed.trim_end_matches(".gz").to_string();
    [renamed, format!("{plain}.gz"), plain].into_iter().map(|name| path.with_file_name(name)).find(|p| p.is_file())
}

/// Other files of the folder that hold `count` classes, in the order of their names.
fn siblings(path: &Path, count: usize) -> Vec<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MOST_SIBLINGS);
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|other| other.file_name() != path.file_name() && other.is_file())
        .filter(|other| !other.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')))
        .collect();
    paths.sort();
    paths.retain(|path| {
        let found = Place::at(path).and_then(|place| sizes(&place)).ok().flatten();
        found.is_some_and(|sizes| sizes == [count])
            && Place::at(path).and_then(|p| array(&p)).ok().flatten().is_some_and(|a| labels(path, a, count).is_ok())
    });
    paths
}

fn sizes(place: &Place) -> Result<Option<Vec<usize>>> {
    Ok(match () {
        () if npy::is_at(place) => Some(npy::header(place, &mut *place.reader()?)?.sizes),
        () if idx::is_at(place) => Some(idx::header(place, &mut *place.reader()?)?.sizes),
        () => None,
    })
}

fn array(place: &Place) -> Result<Option<Array>> {
    Ok(match () {
        () if npy::is_at(place) => Some(npy::array(place, &mut *place.reader()?)?),
        () if idx::is_at(place) => Some(idx::array(place)?),
        () => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::array::Kind;
    use super::*;

    fn array_of(sizes: &[usize], kind: Kind, bytes: &[u8]) -> Array {
        Array { sizes: sizes.into(), fortran: false, kind, big_endian: false, bytes: bytes.into() }
    }

    #[test]
    fn classes_are_numbers_names_columns_or_one_hot() {
        let of = |array: Array, count| labels(Path::new("l.npy"), array, count);
        let numbers = of(array_of(&[3], Kind::Uint(1), &[2, 1, 2]), 3).unwrap();
        assert_eq!(numbers, Labels::numbered(vec![2, 1, 2]));
        let text: Vec<u8> = ["cat", "ant", "cat"].concat().chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let names = of(array_of(&[3], Kind::Text(3), &text), 3).unwrap();
        assert_eq!(
            (&names.axes[0].classes[..], &names.values[..]),
            (&["ant".into(), "cat".into()][..], &[1, 0, 1][..])
        );
        let wide: Vec<u8> = [-1000i64, 2000, -1000].iter().flat_map(|v| v.to_le_bytes()).collect();
        let far = of(array_of(&[3], Kind::Int(8), &wide), 3).unwrap();
        assert_eq!((&far.axes[0].classes[..], &far.values[..]), (&["-1000".into(), "2000".into()][..], &[0, 1, 0][..]));
        let one_hot = of(array_of(&[2, 3], Kind::Bool, &[0, 0, 1, 1, 0, 0]), 2).unwrap();
        assert_eq!((one_hot.axes.len(), &one_hot.values[..]), (1, &[2, 0][..]));
        let columns = of(array_of(&[2, 2], Kind::Uint(1), &[0, 4, 1, 2]), 2).unwrap();
        assert_eq!(
            (&columns.axes[1].name[..], columns.axes[1].classes.len(), columns.of(0)),
            ("label2", 5, &[0, 4][..])
        );
        for (array, reason) in [
            (array_of(&[2], Kind::Uint(1), &[0, 1]), "3 images, but 2 labels"),
            (array_of(&[3, 1, 1], Kind::Uint(1), &[0; 3]), "has 3 axes; labels have 1 or 2"),
            (array_of(&[3], Kind::Float(4), &[0, 0, 0, 63, 0, 0, 0, 0, 0, 0, 0, 0]), "holds the label 0.5"),
        ] {
            let error = of(array, 3).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn names_are_in_the_order_of_people() {
        assert_eq!(in_order(["10", "9", "-1"].into()), ["-1", "9", "10"]);
        assert_eq!(in_order(["b", "10", "9"].into()), ["10", "9", "b"]);
    }
}
