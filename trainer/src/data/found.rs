//! What was found where data were read, in the lines with which every command begins.
use super::dataset::Dataset;
use super::labels::Labels;
use super::pixels::Pixels;
use super::place::Place;
use crate::graph::Shape;
use crate::report::note::Plain;
use crate::Result;
use serde::{Deserialize, Serialize};

/// A data set, and what reading it found.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The images and labels.
    pub data: Dataset,
    /// How they were found.
    pub found: Found,
}

/// How data were found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What the images were read from: `.npy array`, `40 JPEG, 1 PNG`.
    pub form: String,
    /// Where the labels came from, if there are any: `folder names`.
    pub labels: Option<String>,
    /// What was left out, and why.
    pub left_out: Vec<LeftOut>,
    /// What was decided without being asked for.
    pub notes: Vec<String>,
    /// What is doubtful.
    pub warnings: Vec<String>,
}

/// Files that were left out for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Why.
    pub reason: String,
    /// The name of the first.
    pub first: String,
    /// How many.
    pub count: usize,
}

/// Classes of an axis that are counted one by one in a line.
const LISTED: usize = 12;
/// Names of empty classes in a line.
const EMPTY_LISTED: usize = 8;

impl Found {
    /// Counts one more file that is left out.
    pub fn leave_out(&mut self, reason: &str, name: String) {
        match self.left_out.iter_mut().find(|left_out| left_out.reason == reason) {
            Some(left_out) => left_out.count += 1,
            None => self.left_out.push(LeftOut { reason: reason.into(), first: Plain(name).to_string(), count: 1 }),
        }
    }
}

impl Opened {
    /// What was read at `place`, with everything checked that later code relies on; labels with where they came from.
    ///
    /// # Errors
    /// No images, or labels that do not fit.
    pub(super) fn checked(
        place: &Place,
        shape: Shape,
        pixels: Pixels,
        labels: Option<(Labels, String)>,
        mut found: Found,
    ) -> Result<Self> {
        let (labels, source) = labels.unzip();
        found.labels = source;
        Ok(Self { data: Dataset::checked(&place.path, shape, pixels, labels)?, found })
    }

    /// What was read: number, size, form, values, labels, what was left out, and what is doubtful; one matter a line.
    pub fn lines(&self) -> Vec<String> {
        let Self { data, found } = self;
        let values = match &data.images {
            Pixels::Bytes(bytes) => {
                let ends = bytes.iter().fold([255, 0], |[low, high]: [u8; 2], v| [low.min(*v), high.max(*v)]);
                format!("values {} to {} of 255", ends[0], ends[1])
            }
            Pixels::Floats(values) => {
                let ends = values.iter().fold([f32::MAX, f32::MIN], |[low, high], v| [low.min(*v), high.max(*v)]);
                format!("values {} to {}", ends[0], ends[1])
            }
        };
        let count = match data.sound {
            None => format!("{} images of {}", data.len(), data.shape),
            Some(sound) => {
                let (samples, seconds) = (data.shape.width, data.shape.width as f64 / f64::from(sound.rate));
                format!("{} recordings of {samples} samples, {seconds:.3} s at {} Hz", data.len(), sound.rate)
            }
        };
        let mut lines = vec![format!("{}: {count} ({}), {values}", data.source, found.form)];
        match &data.labels {
            None => lines.push("no labels".into()),
            Some(labels) => {
                let source = found.labels.as_deref().unwrap_or("the data");
                lines.extend(
                    (0..labels.axes.len()).map(|axis| format!("labels from {source}: {}", counted(labels, axis))),
                );
            }
        }
        if !found.left_out.is_empty() {
            let parts = found.left_out.iter().map(|LeftOut { reason, first, count }| match count {
                1 => format!("{first} ({reason})"),
                count => format!("{count} files ({reason}: {first}, …)"),
            });
            lines.push(format!("left out: {}", parts.collect::<Vec<_>>().join("; ")));
        }
        lines.extend(found.notes.iter().cloned());
        lines.extend(found.warnings.iter().chain(&self.doubts()).map(|warning| format!("warning: {warning}")));
        lines
    }

    /// What is doubtful about the images themselves.
    pub fn doubts(&self) -> Vec<String> {
        let data = &self.data;
        let mut doubts = Vec::new();
        if data.len() > 1 && data.all_equal() {
            doubts.push(format!("all {} images are equal", data.len()));
        }
        if data.shape.channels == 3 && data.is_gray() {
            doubts.push("all pixels are gray, though there are three channels: use --colour gray".into());
        }
        for axis in data.labels.iter().flat_map(|labels| labels.axes.iter()) {
            if axis.classes.len() == 1 {
                doubts.push(format!("{} has one class, {}, which tells nothing", axis.name, axis.classes[0]));
            }
        }
        doubts
    }
}

/// An axis with how many images each class has, the empty ones by name.
fn counted(labels: &Labels, axis: usize) -> String {
    let counts = labels.counts(axis);
    let axis = &labels.axes[axis];
    let there: Vec<(&String, usize)> = axis.classes.iter().zip(counts).filter(|(_, count)| *count > 0).collect();
    let mut text = format!("{}, {} classes", axis.name, axis.classes.len());
    if there.len() <= LISTED {
        let counts = there.iter().map(|(name, count)| format!("{name} {count}"));
        text += &format!(": {}", counts.collect::<Vec<_>>().join(", "));
    } else {
        let least = there.iter().map(|(_, count)| count).min().unwrap_or(&0);
        let most = there.iter().map(|(_, count)| count).max().unwrap_or(&0);
        text += &format!(" of {least} to {most} images");
    }
    let empty: Vec<&str> =
        axis.classes.iter().filter(|name| there.iter().all(|(there, _)| there != name)).map(String::as_str).collect();
    if !empty.is_empty() {
        let more = if empty.len() > EMPTY_LISTED { ", …" } else { "" };
        text += &format!("; {} empty: {}{more}", empty.len(), empty[..empty.len().min(EMPTY_LISTED)].join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(shape: Shape, images: Vec<u8>, labels: Option<Labels>) -> Opened {
        let data = Dataset { source: "mine".into(), shape, images: images.into(), labels, sound: None };
        Opened { data, found: Found { form: "3 PNG".into(), ..Found::default() } }
    }

    #[test]
    fn lines_tell_what_was_found() {
        let labels = Labels::numbered(vec![3, 1, 1]);
        let mut set = opened(Shape::new(1, 2, 1), vec![9, 200, 0, 3, 7, 8], Some(labels));
        set.found.labels = Some("labels.csv".into());
        for name in ["._a.png", ".DS_Store"] {
            set.found.leave_out("hidden", name.into());
        }
        set.found.leave_out("no image", "notes.txt".into());
        assert_eq!(
            set.lines(),
            [
                "mine: 3 images of 1x2x1 (3 PNG), values 0 to 200 of 255",
                "labels from labels.csv: class, 4 classes: 1 2, 3 1; 2 empty: 0, 2",
                "left out: 2 files (hidden: ._a.png, …); notes.txt (no image)"
            ]
        );
        let many = Labels::numbered((0..100).chain([99]).collect());
        assert_eq!(counted(&many, 0), "class, 100 classes of 1 to 2 images");
    }

    #[test]
    fn doubts_are_said() {
        let gray = opened(Shape::new(1, 1, 3), vec![5, 5, 5, 90, 90, 90], Some(Labels::numbered(vec![0, 0])));
        let lines = gray.lines().join("\n");
        assert!(lines.contains("warning: all pixels are gray") && lines.contains("use --colour gray"), "{lines}");
        assert!(lines.contains("warning: class has one class, 0"), "{lines}");
        let equal = opened(Shape::new(1, 1, 3), vec![5, 6, 7, 5, 6, 7], None);
        assert_eq!(equal.doubts(), ["all 2 images are equal"]);
        assert!(equal.lines().contains(&"no labels".to_string()));
        assert!(opened(Shape::new(1, 1, 3), vec![5, 6, 7, 5, 6, 8], None).doubts().is_empty());
    }
}
