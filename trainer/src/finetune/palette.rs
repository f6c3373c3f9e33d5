//! The colours that the data's pixels mostly have, as bins of a histogram.
use crate::autograd::soft_histogram::Bin;
use crate::data::Dataset;
use crate::recognition::View;
use std::collections::HashMap;

/// Widths of the bins around black and around white.
const GRAY_WIDTHS: [f32; 4] = [0.03, 0.06, 0.12, 0.25];
/// Most colours of a palette.
const COLOURS: usize = 24;
/// Width of the bins around a level of sound, a quarter of the range −1 to 1 apart.
const LEVEL_WIDTH: f32 = 0.12;
/// Widths of the bins around a colour.
const WIDTHS: [f32; 2] = [0.06, 0.25];
/// Colours that lie nearer than this to a more frequent one, along one channel at least, are that one.
const APART: f32 = 0.1;
/// Pixels that are counted, at most.
const PIXELS: usize = 1 << 20;

/// Bins of images with one channel: near black and near white, which most pixels of drawings and scans have exactly. Of
/// images with more: near the most frequent colours. Of sounds: levels evenly from silence up, as log-mel spectrograms
/// have them.
pub fn bins(data: &Dataset) -> Vec<Bin> {
    if let View::Sounds(_) = View::of_data(data) {
        let level = |i: usize| Bin { centre: vec![i as f32 / 4.0 - 1.0], width: LEVEL_WIDTH };
        return (0..8).map(level).collect();
    }
    if data.shape.channels == 1 {
        let near = |centre: f32| GRAY_WIDTHS.map(|width| Bin { centre: vec![centre], width });
        return [near(-1.0), near(1.0)].concat();
    }
    let widths = |centre: Vec<f32>| WIDTHS.map(|width| Bin { centre: centre.clone(), width });
    colours(data).into_iter().flat_map(widths).collect()
}

/// The most frequent colours, first those that occur most.
fn colours(data: &Dataset) -> Vec<Vec<f32>> {
    let channels = data.shape.channels;
    let step = (data.images.len() / channels).div_ceil(PIXELS);
    let mut counts: HashMap<Vec<u8>, usize> = HashMap::new();
    let values = data.images.to_vec();
    for pixel in values.chunks_exact(channels).step_by(step) {
        let levels = pixel.iter().map(|v| ((v + 1.0) * 127.5).round() as u8).collect();
        *counts.entry(levels).or_default() += 1;
    }
    let mut counts: Vec<(Vec<u8>, usize)> = counts.into_iter().collect();
    // Equal counts keep an order of their own, so that the same data give the same bins.
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut found: Vec<Vec<f32>> = vec![];
    for (levels, _) in counts {
        let colour: Vec<f32> = levels.iter().map(|level| f32::from(*level) / 127.5 - 1.0).collect();
        let near = |other: &Vec<f32>| other.iter().zip(&colour).all(|(a, b)| (a - b).abs() < APART);
        if !found.iter().any(near) {
            found.push(colour);
        }
        if found.len() == COLOURS {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    fn data(pixels: &[[f32; 3]]) -> Dataset {
        let images = pixels.concat();
        Dataset {
            source: "colours".into(),
            shape: Shape::new(1, pixels.len(), 3),
            images: images.into(),
            labels: None,
            sound: None,
        }
    }

    #[test]
    fn frequent_colours_come_first_and_near_ones_are_one() {
        let [red, blue, nearly_blue] = [[1.0, -1.0, -1.0], [-1.0, -1.0, 1.0], [-1.0, -0.95, 1.0]];
        let found = bins(&data(&[red, blue, nearly_blue, blue, red, blue]));
        let centres: Vec<&[f32]> = found.iter().map(|bin| &bin.centre[..]).collect();
        assert_eq!(centres, [blue, blue, red, red]);
        assert_eq!((found[0].width, found[1].width), (0.06, 0.25));
        let many: Vec<[f32; 3]> =
            (0..100).map(|i| [(i % 10) as f32 * 0.2 - 0.9, (i / 10) as f32 * 0.2 - 0.9, 0.0]).collect();
        assert_eq!(bins(&data(&many)).len(), 2 * COLOURS);
    }
}
