//! What images show, as far as it is known: one class an image on every axis, and the names of both.
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Most axes that labels may have.
pub const MAX_AXES: usize = 8;
/// Most classes of an axis: labels are bytes.
pub const MAX_CLASSES: usize = 256;
/// Most bytes of the name of an axis or a class.
pub const MAX_NAME: usize = 64;
/// The name of an axis that the data do not name.
const UNNAMED: &str = "class";

/// One way to tell images apart: hair, with the classes short and long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// The names of its classes, by number.
    pub classes: Vec<String>,
}

impl Axis {
    /// The axis `class` with classes called 0, 1, … , of data that name neither.
    pub fn numbered(classes: usize) -> Self {
        Self { name: UNNAMED.into(), classes: (0..classes).map(|class| class.to_string()).collect() }
    }

    /// Whether it is what [`Self::numbered`] makes of as many classes.
    pub fn is_numbered(&self) -> bool {
        self.name == UNNAMED && self.classes.iter().enumerate().all(|(i, name)| *name == i.to_string())
    }
}

/// The classes of images: on every axis, each image has exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The axes, at least one.
    pub axes: Vec<Axis>,
    /// `[images][axes]`: the number of a class.
    pub values: Vec<u8>,
}

/// Classes by name, axis after axis, as `--class` takes them.
pub fn named(axes: &[Axis], classes: &[u8]) -> String {
    let names = axes.iter().zip(classes).map(|(axis, class)| &axis.classes[usize::from(*class)][..]);
    names.collect::<Vec<_>>().join("+")
}

impl Labels {
    /// Labels on one axis that has no name, with one class more than the largest value.
    pub fn numbered(values: Vec<u8>) -> Self {
        let classes = values.iter().max().map_or(0, |max| usize::from(*max) + 1);
        Self { axes: vec![Axis::numbered(classes)], values }
    }

    /// The classes of an image by name, see [`named`].
    pub fn named(&self, image: usize) -> String {
        named(&self.axes, self.of(image))
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.values.len() / self.axes.len().max(1)
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The classes of image `i`, one an axis.
    pub fn of(&self, i: usize) -> &[u8] {
        &self.values[i * self.axes.len()..(i + 1) * self.axes.len()]
    }

    /// The labels of some images, in this order.
    pub fn select(&self, images: impl IntoIterator<Item = usize>) -> Self {
        let values = images.into_iter().flat_map(|i| self.of(i)).copied().collect();
        Self { axes: self.axes.clone(), values }
    }

    /// One class an image, where there is one axis.
    pub fn single(&self) -> Option<&[u8]> {
        (self.axes.len() == 1).then_some(&self.values[..])
    }

    /// Whether a network for labels with these axes can learn from them: axes with the same names, and the same classes;
    /// of classes without names there may be fewer.
    pub fn fit(&self, axes: &[Axis]) -> bool {
        match (&self.axes[..], axes) {
            ([data], [run]) if data.is_numbered() && run.is_numbered() => data.classes.len() <= run.classes.len(),
            // That is said of the number of classes.
            ([data], _) if data.is_numbered() => axes.len() < 2,
            (data, run) => data == run,
        }
    }

    /// How many images each class of axis number `axis` has.
    pub fn counts(&self, axis: usize) -> Vec<usize> {
        let mut counts = vec![0; self.axes[axis].classes.len()];
        let of_axis = self.values.iter().skip(axis).step_by(self.axes.len());
        of_axis.for_each(|class| counts[usize::from(*class)] += 1);
        counts
    }

    /// Checks what later code relies on, for `images` images from `path`.
    pub(super) fn check(&self, path: &Path, images: usize) -> Result<()> {
        let fail = |reason: String| Err(Error::file(path, reason));
        if self.axes.is_empty() || self.axes.len() > MAX_AXES {
            return fail(format!("{} label axes; give 1 to {MAX_AXES}", self.axes.len()));
        }
        if self.values.len() != images * self.axes.len() {
            return match self.axes.len() {
                1 => fail(format!("{images} images, but {} labels", self.values.len())),
                axes => fail(format!("{images} images of {axes} labels, but {} labels", self.values.len())),
            };
        }
        for (number, axis) in self.axes.iter().enumerate() {
            check_name("a label axis", &axis.name).or_else(fail)?;
            if self.axes[..number].iter().any(|earlier| earlier.name == axis.name) {
                return fail(format!("two label axes are called {:?}", axis.name));
            }
            if axis.classes.len() > MAX_CLASSES {
                return fail(format!("{} classes of {}; at most {MAX_CLASSES}", axis.classes.len(), axis.name));
            }
            let mut names = std::collections::HashSet::new();
            for class in &axis.classes {
                check_name(&format!("a class of {}", axis.name), class).or_else(fail)?;
                if !names.insert(class) {
                    return fail(format!("two classes of {} are called {class:?}", axis.name));
                }
            }
            let of_axis = self.values.iter().skip(number).step_by(self.axes.len());
            if let Some((i, class)) = of_axis.enumerate().find(|(_, class)| usize::from(**class) >= axis.classes.len())
            {
                return fail(format!("image {i} has class {class} of {}, which has {}", axis.name, axis.classes.len()));
            }
        }
        Ok(())
    }

    /// The bytes that a digest of the data covers: the values, and the names where there are any.
    pub(super) fn digested(&self) -> impl Iterator<Item = &[u8]> {
        let named = !(self.axes.len() == 1 && self.axes[0].is_numbered());
        let axes = self.axes.iter().filter(move |_| named);
        let names = axes.flat_map(|axis| std::iter::once(&axis.name).chain(&axis.classes));
        std::iter::once(&self.values[..]).chain(names.flat_map(|name| [name.as_bytes(), &b"\0"[..]]))
    }
}

/// Axes in words: their names, and those of their classes.
pub fn described(axes: &[Axis]) -> String {
    let axis = |axis: &Axis| format!("{} ({})", axis.name, axis.classes.join(", "));
    if axes.is_empty() {
        return "no classes".into();
    }
    axes.iter().map(axis).collect::<Vec<_>>().join(" and ")
}

/// Checks the name of an axis or a class.
fn check_name(of: &str, name: &str) -> std::result::Result<(), String> {
    if name.is_empty() {
        return Err(format!("{of} has no name"));
    }
    if name.len() > MAX_NAME {
        return Err(format!("{of} is called {name:?}: names have at most {MAX_NAME} bytes"));
    }
    if name.trim() != name || name.chars().any(char::is_control) {
        return Err(format!("{of} is called {name:?}: names have no control characters, and no spaces around them"));
    }
    Ok(())
}

/// How a run's file writes axes: the number of classes where nothing is named (0 without labels), else a table an axis.
pub(crate) mod text {
    use super::Axis;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Text {
        Count(usize),
        Axes(Vec<Axis>),
    }

    pub fn serialize<S: Serializer>(axes: &[Axis], serializer: S) -> Result<S::Ok, S::Error> {
        let text = match axes {
            [] => Text::Count(0),
            [axis] if axis.is_numbered() => Text::Count(axis.classes.len()),
            axes => Text::Axes(axes.to_vec()),
        };
        text.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Axis>, D::Error> {
        use serde::de::Error;
        let axes = match Text::deserialize(deserializer)? {
            Text::Count(0) => vec![],
            Text::Count(count) if count <= super::MAX_CLASSES => vec![Axis::numbered(count)],
            Text::Count(count) => {
                return Err(Error::custom(format!("{count} classes; at most {}", super::MAX_CLASSES)))
            }
            Text::Axes(axes) => axes,
        };
        let labels = super::Labels { axes, values: vec![] };
        if !labels.axes.is_empty() {
            labels.check(std::path::Path::new("classes"), 0).map_err(Error::custom)?;
        }
        Ok(labels.axes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(name: &str, classes: &[&str]) -> Axis {
        Axis { name: name.into(), classes: classes.iter().map(|c| c.to_string()).collect() }
    }

    fn faces() -> Labels {
        let axes = vec![axis("glasses", &["none", "glasses"]), axis("hair", &["short", "long", "none"])];
        Labels { axes, values: vec![0, 0, 1, 2, 1, 1] }
    }

    #[test]
    fn every_image_has_a_class_on_every_axis() {
        let faces = faces();
        assert_eq!((faces.len(), faces.of(1), faces.single()), (3, &[1, 2][..], None));
        assert_eq!((faces.counts(0), faces.counts(1)), (vec![1, 2], vec![1, 1, 1]));
        assert_eq!(faces.select([2, 0]).values, [1, 1, 0, 0]);
        assert!(faces.check(Path::new("faces"), 3).is_ok(), "a class's name may occur on two axes");
        let numbered = Labels::numbered(vec![3, 1]);
        assert_eq!((numbered.axes.len(), numbered.counts(0)), (1, vec![0, 1, 0, 1]));
        assert_eq!(numbered.single(), Some(&[3, 1][..]));
    }

    #[test]
    fn says_what_is_wrong() {
        type Change = fn(&mut Labels);
        let cases: [(&str, Change); 9] = [
            ("3 images of 2 labels, but 5 labels", |l| l.values.truncate(5)),
            ("image 1 has class 3 of hair, which has 3", |l| l.values[3] = 3),
            ("two label axes are called \"hair\"", |l| l.axes[0].name = "hair".into()),
            ("two classes of hair are called \"long\"", |l| l.axes[1].classes[2] = "long".into()),
            ("a class of glasses has no name", |l| l.axes[0].classes[0].clear()),
            ("names have at most 64 bytes", |l| l.axes[0].classes[0] = "x".repeat(65)),
            ("no control characters", |l| l.axes[1].name = "ha\nir".into()),
            ("257 classes of hair; at most 256", |l| l.axes[1] = axis("hair", &[""; 257])),
            ("9 label axes; give 1 to 8", |l| l.axes = vec![l.axes[0].clone(); 9]),
        ];
        for (reason, change) in cases {
            let mut labels = faces();
            change(&mut labels);
            let error = labels.check(Path::new("faces"), 3).unwrap_err().to_string();
            assert!(error.contains("faces: ") && error.contains(reason), "{reason}: {error}");
        }
    }

    #[test]
    fn names_are_part_of_a_digest_where_there_are_any() {
        let bytes = |labels: &Labels| labels.digested().flatten().copied().collect::<Vec<u8>>();
        assert_eq!(bytes(&Labels::numbered(vec![2, 0])), [2, 0]);
        assert!(bytes(&faces()).starts_with(&[0, 0, 1, 2, 1, 1]));
        let mut renamed = faces();
        renamed.axes[1].classes[0] = "bald".into();
        assert_ne!(bytes(&renamed), bytes(&faces()));
    }

    #[test]
    fn a_run_writes_axes_and_reads_what_earlier_ones_wrote() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Run {
            #[serde(with = "text")]
            classes: Vec<Axis>,
            after: u8,
        }
        for (axes, start) in [
            (vec![], "classes = 0\nafter = 1\n"),
            (vec![Axis::numbered(10)], "classes = 10\nafter = 1\n"),
            (faces().axes, "after = 1\n\n[[classes]]\nname = \"glasses\"\n"),
            (vec![axis("class", &["cat", "dog"])], "after = 1\n\n[[classes]]\nname = \"class\"\n"),
        ] {
            let run = Run { classes: axes, after: 1 };
            let text = toml::to_string(&run).unwrap();
            assert!(text.starts_with(start), "{text}");
            assert_eq!(toml::from_str::<Run>(&text).unwrap(), run);
        }
        let error = toml::from_str::<Run>("classes = 257\nafter = 1").unwrap_err().to_string();
        assert!(error.contains("257 classes; at most 256"), "{error}");
        let twice = "after = 1\n[[classes]]\nname = \"a\"\nclasses = [\"x\", \"x\"]";
        let error = toml::from_str::<Run>(twice).unwrap_err().to_string();
        assert!(error.contains("two classes of a are called \"x\""), "{error}");
    }
}
