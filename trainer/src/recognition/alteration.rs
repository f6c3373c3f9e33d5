//! Alterations that a network without labels learns to tell: whether an image was turned or mirrored (Gidaris et al.
//! 2018), how far it was blurred, and how much noise was added.
use crate::graph::Shape;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Standard deviations of the noise.
const NOISE: [f32; 3] = [0.0, 0.1, 0.3];
/// Shares of every pixel that come from its neighbours.
const BLUR: [f32; 3] = [0.0, 0.35, 0.7];

/// The number of classes of each alteration of images of `shape`: turns, mirroring, noise, blur.
pub fn heads(shape: Shape) -> Vec<usize> {
    vec![turns(shape), 2, NOISE.len(), BLUR.len()]
}

/// Quarter turns of square images, half turns of others, none of lines.
fn turns(shape: Shape) -> usize {
    match shape {
        Shape { height: 1, .. } | Shape { width: 1, .. } => 1,
        Shape { height, width, .. } if height == width => 4,
        _ => 2,
    }
}

/// Alters an image and adds the class of each alteration to `classes`.
pub fn alter(shape: Shape, pixels: &mut [f32], rng: &mut ChaCha8Rng, classes: &mut Vec<u8>) {
    let drawn: Vec<usize> = heads(shape).into_iter().map(|count| rng.random_range(0..count)).collect();
    let [turn, mirror, noise, blur] = drawn[..] else { unreachable!("four heads") };
    blend(shape, pixels, BLUR[blur]);
    move_pixels(shape, pixels, |[y, x], [height, width]| match (turn, turns(shape)) {
        (1, 4) => [x, width - 1 - y],
        (2, _) | (1, 2) => [height - 1 - y, width - 1 - x],
        (3, _) => [height - 1 - x, y],
        _ => [y, x],
    });
    if mirror == 1 {
        move_pixels(shape, pixels, |[y, x], [_, width]| [y, width - 1 - x]);
    }
    if NOISE[noise] > 0.0 {
        for value in pixels.iter_mut() {
            *value = (*value + NOISE[noise] * rng.sample::<f32, _>(StandardNormal)).clamp(-1.0, 1.0);
        }
    }
    classes.extend(drawn.into_iter().map(|class| class as u8));
}

/// Puts every pixel where `to` says, from a place [row, column] in an image of [rows, columns].
fn move_pixels(shape: Shape, pixels: &mut [f32], to: impl Fn([usize; 2], [usize; 2]) -> [usize; 2]) {
    let Shape { height, width, channels } = shape;
    let before = pixels.to_vec();
    for (i, pixel) in before.chunks_exact(channels).enumerate() {
        let [y, x] = to([i / width, i % width], [height, width]);
        pixels[(y * width + x) * channels..][..channels].copy_from_slice(pixel);
    }
}

/// Takes `share` of every pixel from the mean of its neighbours left, right, above and below; outside, the image goes
/// on with its border.
fn blend(shape: Shape, pixels: &mut [f32], share: f32) {
    let Shape { height, width, channels } = shape;
    if share == 0.0 {
        return;
    }
    let before = pixels.to_vec();
    let at = |y: usize, x: usize, c: usize| before[(y.min(height - 1) * width + x.min(width - 1)) * channels + c];
    for (i, value) in pixels.iter_mut().enumerate() {
        let (c, x, y) = (i % channels, i / channels % width, i / channels / width);
        let neighbours =
            at(y.saturating_sub(1), x, c) + at(y + 1, x, c) + at(y, x.saturating_sub(1), c) + at(y, x + 1, c);
        *value = (1.0 - share) * *value + share * 0.25 * neighbours;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// Every turn and mirroring of a square is another one, and all are found by name; a line is only mirrored.
    #[test]
    fn what_was_done_is_what_is_told() {
        let shape = Shape::new(3, 3, 2);
        let image: Vec<f32> = (0..18).map(|i| i as f32 / 32.0).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut seen = std::collections::BTreeMap::<Vec<u8>, Vec<f32>>::new();
        for _ in 0..2000 {
            let (mut pixels, mut classes) = (image.clone(), vec![]);
            alter(shape, &mut pixels, &mut rng, &mut classes);
            assert!(classes.iter().zip(heads(shape)).all(|(class, count)| usize::from(*class) < count));
            let (noise, blur) = (classes[2], classes[3]);
            if noise == 0 {
                let again = seen.entry(classes).or_insert_with(|| pixels.clone());
                assert!(*again == pixels, "without noise the classes say everything");
            }
            let mut sorted = pixels.clone();
            sorted.sort_by(f32::total_cmp);
            assert_eq!(sorted == image, noise == 0 && blur == 0, "only these change values");
        }
        let mut different: Vec<&Vec<f32>> = seen.values().collect();
        different.dedup();
        assert_eq!((seen.len(), different.len()), (4 * 2 * 3, 4 * 2 * 3));
        let plain = |turn: u8| seen[&vec![turn, 0, 0, 0]].clone();
        assert!(plain(0) == image);
        assert_eq!(plain(1)[4..6], image[0..2], "a quarter turn takes the first corner to the second");
        assert_eq!(plain(2)[16..18], image[0..2]);
        assert_eq!(plain(3)[12..14], image[0..2]);
        assert_eq!(heads(Shape::new(1, 9, 1))[0], 1);
        assert_eq!(heads(Shape::new(4, 6, 1))[0], 2);
    }
}
