//! What images are like: values, copies, images of one value.
use super::dataset::Dataset;
use super::found::Opened;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Intervals of a histogram.
pub const BINS: usize = 16;
/// Fewer images than these are memorised rather than learned.
const FEW: usize = 1000;
/// How many times as many images the largest class may have as the smallest.
const UNEVEN: usize = 10;

/// What the images of a data set are like.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Number of values in equal intervals from −1 to 1, for each channel.
    pub histogram: Vec<[u64; BINS]>,
    /// Mean of all values.
    pub mean: f64,
    /// Standard deviation of all values.
    pub deviation: f64,
    /// The images that are equal to an earlier one, each with the earlier one.
    pub copies: Vec<(usize, usize)>,
    /// The images whose pixels are all equal.
    pub constant: Vec<usize>,
}

impl Summary {
    /// Looks at every image.
    pub fn of(data: &Dataset) -> Self {
        let channels = data.shape.channels;
        let mut histogram = vec![[0; BINS]; channels];
        let (mut sum, mut squares) = (0.0, 0.0);
        let (mut copies, mut constant) = (Vec::new(), Vec::new());
        let mut seen: HashMap<u64, Vec<usize>> = HashMap::new();
        for i in 0..data.len() {
            let image = data.image(i);
            let mut hasher = DefaultHasher::new();
            for (k, value) in image.iter().enumerate() {
                let bin = ((value + 1.0) * 0.5 * BINS as f32) as usize;
                histogram[k % channels][bin.min(BINS - 1)] += 1;
                sum += f64::from(*value);
                squares += f64::from(*value).powi(2);
                value.to_bits().hash(&mut hasher);
            }
            let same_hash = seen.entry(hasher.finish()).or_default();
            match same_hash.iter().find(|earlier| data.image(**earlier) == image) {
                Some(earlier) => copies.push((i, *earlier)),
                None => same_hash.push(i),
            }
            if image.chunks_exact(channels).all(|pixel| pixel == &image[..channels]) {
                constant.push(i);
            }
        }
        let count = data.images.len().max(1) as f64;
        let mean = sum / count;
        Self { histogram, mean, deviation: (squares / count - mean * mean).max(0.0).sqrt(), copies, constant }
    }

    /// What is doubtful, beyond [`Opened::doubts`].
    pub fn warnings(&self, opened: &Opened) -> Vec<String> {
        let data = &opened.data;
        let mut warnings = Vec::new();
        if data.len() < FEW {
            warnings.push(format!("{} images are few: a network memorises them; a few thousand are a set", data.len()));
        }
        if let Some(first) = self.constant.first() {
            let count = self.constant.len();
            warnings.push(format!("{count} images are of one value all over, the first is number {first}"));
        }
        if let Some((copy, earlier)) = self.copies.first() {
            let count = self.copies.len();
            warnings.push(format!("{count} images are copies of others, such as number {copy} of {earlier}"));
        }
        if self.deviation < 0.05 {
            warnings.push(format!("values hardly differ: their standard deviation is {:.3} of 1", self.deviation));
        }
        for (number, axis) in data.axes().iter().enumerate() {
            let counts = data.labels.as_ref().map_or_else(Vec::new, |labels| labels.counts(number));
            let there = counts.iter().filter(|count| **count > 0);
            let (least, most) = (there.clone().min().unwrap_or(&0), there.max().unwrap_or(&0));
            if *most > UNEVEN * least {
                warnings.push(format!("classes of {} are uneven: {least} to {most} images", axis.name));
            }
        }
        warnings
    }
}

/// Images for a contact sheet: with labels a row for each combination of classes, else `rows` rows of all. Each row is
/// `columns` long; `None` where there are no more images.
pub fn contact_sheet(data: &Dataset, columns: usize, rows: usize) -> Vec<Option<usize>> {
    let spread = |images: &[usize], count: usize| -> Vec<usize> {
        let count = count.min(images.len());
        (0..count).map(|i| images[i * images.len() / count]).collect()
    };
    let Some(labels) = &data.labels else {
        return spread(&(0..data.len()).collect::<Vec<_>>(), columns * rows).into_iter().map(Some).collect();
    };
    let mut groups: std::collections::BTreeMap<&[u8], Vec<usize>> = std::collections::BTreeMap::new();
    (0..data.len()).for_each(|i| groups.entry(labels.of(i)).or_default().push(i));
    let row = |images: &Vec<usize>| {
        let mut row: Vec<Option<usize>> = spread(images, columns).into_iter().map(Some).collect();
        row.resize(columns, None);
        row
    };
    groups.values().take(rows).flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::super::found::Found;
    use super::super::labels::Labels;
    use super::*;
    use crate::graph::Shape;

    fn opened() -> Opened {
        let images: Vec<u8> = vec![0, 255, 7, 7, 0, 255, 128, 0, 0, 255, 0, 255];
        let labels = Some(Labels::numbered(vec![1, 0, 1, 1, 1, 1]));
        let data =
            Dataset { source: "six".into(), shape: Shape::new(1, 2, 1), images: images.into(), labels, sound: None };
        Opened { data, found: Found::default() }
    }

    #[test]
    fn copies_and_constant_images_are_found() {
        let opened = opened();
        let summary = Summary::of(&opened.data);
        assert_eq!(summary.copies, [(2, 0), (4, 0), (5, 0)]);
        assert_eq!(summary.constant, [1]);
        assert_eq!((summary.histogram[0][0], summary.histogram[0][8], summary.histogram[0][15]), (7, 1, 4));
        let values = opened.data.images.to_vec();
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / 12.0;
        assert!((summary.mean - mean).abs() < 1e-9 && summary.deviation > 0.8, "{summary:?}");
        let warnings = summary.warnings(&opened).join("\n");
        for part in [
            "6 images are few",
            "1 images are of one value all over, the first is number 1",
            "3 images are copies of others, such as number 2 of 0",
        ] {
            assert!(warnings.contains(part), "{warnings}");
        }
    }

    #[test]
    fn a_sheet_has_a_row_for_each_class() {
        let mut data = opened().data;
        assert_eq!(contact_sheet(&data, 3, 9), [Some(1), None, None, Some(0), Some(2), Some(4)]);
        data.labels = None;
        assert_eq!(contact_sheet(&data, 2, 2), [Some(0), Some(1), Some(3), Some(4)]);
        assert_eq!(contact_sheet(&data, 10, 10).len(), 6);
    }
}
