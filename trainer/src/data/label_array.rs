//! Labels from arrays and from texts.
use super::array::Array;
use super::labels::{Axis, Labels};
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::path::Path;

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
