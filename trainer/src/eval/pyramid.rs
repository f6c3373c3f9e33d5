//! Sliced Wasserstein distance over a Laplacian pyramid (Karras et al. 2018, section 5), which needs no network: how far
//! the small patches of two sets of images lie apart, level by level from the finest to the coarsest.
//!
//! Each level but the last is an image less its smoothed and enlarged next level; the next level is half as large. Levels
//! have at least [`COARSEST`] rows and columns, so images below twice that have one alone. From every image the same
//! number of patches is taken at random places, of [`PATCH`]×[`PATCH`] pixels, or as many as the image has. Patches are
//! normalised a channel: less the mean of all patches of a set, over their standard deviation; here both are those of
//! the reference, so that a set is not forgiven a shift or a change of contrast. The distance of a level is the mean,
//! over random directions, of the mean absolute difference of the sorted projections (times 1000, as there), and that of
//! the pyramid their mean over the levels.
use super::sliced::{directions, project};
use crate::graph::Shape;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Fewest rows and columns of a level.
pub const COARSEST: usize = 16;
/// Rows and columns of a patch.
pub const PATCH: usize = 7;
/// Patches of each image and level.
pub const PATCHES: usize = 16;
/// Images, at most, of each set.
pub const IMAGES: usize = 2000;
/// What distances are multiplied by.
const UNIT: f64 = 1000.0;

/// The patches of a set of images, projected.
#[derive(Clone, Debug)]
pub struct Patches {
    /// For each level, one row of projections a direction: [`PATCHES`] values an image.
    levels: Vec<Vec<Vec<f32>>>,
}

/// What a set is compared with: the reference's projections, and what patches are normalised and projected by.
#[derive(Clone, Debug)]
pub struct Pyramid {
    shape: Shape,
    levels: Vec<Level>,
    /// With sorted rows.
    reference: Patches,
}

/// How the patches of a level are made comparable.
#[derive(Clone, Debug)]
struct Level {
    shape: Shape,
    /// Mean and deviation of each channel of the reference's patches.
    channels: Vec<[f32; 2]>,
    directions: Vec<f32>,
}

impl Pyramid {
    /// The pyramid of the first images of `reference`, NHWC of `shape` each.
    pub fn new(shape: Shape, reference: &[f32]) -> Self {
        let images = limited(shape, reference);
        let mut this = Self { shape, levels: vec![], reference: Patches { levels: vec![] } };
        for (number, (shape, patches)) in patches(shape, images).into_iter().enumerate() {
            let channels = (0..shape.channels).map(|c| moments(&patches, shape.channels, c)).collect();
            let directions = directions(patch(shape).len());
            this.levels.push(Level { shape, channels, directions });
            let mut projected = this.projected(number, patches);
            projected.par_iter_mut().for_each(|row| row.sort_unstable_by(f32::total_cmp));
            this.reference.levels.push(projected);
        }
        this
    }

    /// Rows and columns of each level, from the finest.
    pub fn sizes(&self) -> Vec<[usize; 2]> {
        self.levels.iter().map(|level| [level.shape.height, level.shape.width]).collect()
    }

    /// The patches of a set of images of the same shape.
    pub fn patches(&self, images: &[f32]) -> Patches {
        let levels = patches(self.shape, limited(self.shape, images)).into_iter().enumerate();
        Patches { levels: levels.map(|(number, (_, patches))| self.projected(number, patches)).collect() }
    }

    fn projected(&self, number: usize, mut patches: Vec<f32>) -> Vec<Vec<f32>> {
        let level = &self.levels[number];
        for pixel in patches.chunks_exact_mut(level.channels.len()) {
            pixel.iter_mut().zip(&level.channels).for_each(|(v, [mean, deviation])| *v = (*v - mean) / deviation);
        }
        project(&patches, &level.directions, patch(level.shape).len())
    }

    /// The distance, in thousandths, of the images that `pick` names, as often as it names them.
    pub fn distance(&self, set: &Patches, pick: &[usize]) -> f64 {
        let levels = self.reference.levels.iter().zip(&set.levels);
        let distances: Vec<f64> = levels.map(|(reference, set)| distance(reference, set, pick)).collect();
        UNIT * distances.iter().sum::<f64>() / distances.len().max(1) as f64
    }
}

impl Patches {
    /// Images that they were taken of.
    pub fn images(&self) -> usize {
        self.levels.first().and_then(|level| level.first()).map_or(0, |row| row.len() / PATCHES)
    }
}

/// The first images, as many as are used.
fn limited(shape: Shape, images: &[f32]) -> &[f32] {
    &images[..images.len().min(IMAGES * shape.len())]
}

/// The shape of a level's patches.
fn patch(level: Shape) -> Shape {
    Shape::new(level.height.min(PATCH), level.width.min(PATCH), level.channels)
}

/// The mean absolute difference of sorted projections, over the directions; those of the reference are sorted already.
/// Two sets of different size are compared at the quantiles of the smaller.
fn distance(reference: &[Vec<f32>], set: &[Vec<f32>], pick: &[usize]) -> f64 {
    let of_direction = |(reference, set): (&Vec<f32>, &Vec<f32>)| {
        let mut values: Vec<f32> =
            pick.iter().flat_map(|image| &set[image * PATCHES..(image + 1) * PATCHES]).copied().collect();
        values.sort_unstable_by(f32::total_cmp);
        let count = values.len().min(reference.len());
        let quantile = |values: &[f32], i: usize| values[(2 * i + 1) * values.len() / (2 * count.max(1))];
        let differences = (0..count).map(|i| f64::from((quantile(&values, i) - quantile(reference, i)).abs()));
        differences.sum::<f64>() / count.max(1) as f64
    };
    let distances: Vec<f64> = reference.par_iter().zip(set).map(of_direction).collect();
    distances.iter().sum::<f64>() / distances.len().max(1) as f64
}

/// Mean and standard deviation of a channel; a channel that does not vary is left as it is.
fn moments(values: &[f32], channels: usize, channel: usize) -> [f32; 2] {
    let of_channel = || values.iter().skip(channel).step_by(channels).map(|v| f64::from(*v));
    let count = (values.len() / channels).max(1) as f64;
    let mean = of_channel().sum::<f64>() / count;
    let variance = of_channel().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    [mean as f32, if variance > 1e-12 { variance.sqrt() as f32 } else { 1.0 }]
}

/// The levels' shapes, and the patches of each, image after image.
fn patches(shape: Shape, images: &[f32]) -> Vec<(Shape, Vec<f32>)> {
    let shapes = shapes(shape);
    let of_image = |(i, image): (usize, &[f32])| {
        let mut rng = ChaCha8Rng::seed_from_u64(0x5a7c);
        rng.set_stream(i as u64);
        let mut found = vec![];
        let mut image = image.to_vec();
        for (number, shape) in shapes.iter().enumerate() {
            let next = shapes.get(number + 1).map(|next| halved(*shape, *next, &image));
            let band = match &next {
                Some(next) => {
                    let coarse = enlarged(shapes[number + 1], *shape, next);
                    image.iter().zip(coarse).map(|(fine, coarse)| fine - coarse).collect()
                }
                None => image,
            };
            found.push(cut(*shape, &band, &mut rng));
            image = next.unwrap_or_default();
        }
        found
    };
    let all: Vec<Vec<Vec<f32>>> = images.par_chunks_exact(shape.len()).enumerate().map(of_image).collect();
    let level = |number: usize| all.iter().flat_map(|levels| &levels[number]).copied().collect();
    shapes.iter().enumerate().map(|(number, shape)| (*shape, level(number))).collect()
}

/// The shapes of the levels.
fn shapes(finest: Shape) -> Vec<Shape> {
    let mut shapes = vec![finest];
    while let Some(Shape { height, width, channels }) = shapes.last().copied() {
        // Of a line the length alone is halved.
        let half = |size: usize| if size == 1 { 1 } else { size / 2 };
        let next = Shape::new(half(height), half(width), channels);
        if [(height, next.height), (width, next.width)].iter().any(|(size, next)| *size > 1 && *next < COARSEST) {
            break;
        }
        if next.pixels() == shapes[shapes.len() - 1].pixels() {
            break;
        }
        shapes.push(next);
    }
    shapes
}

/// [`PATCHES`] patches at random places.
fn cut(shape: Shape, band: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
    let patch = patch(shape);
    let mut found = Vec::with_capacity(PATCHES * patch.len());
    for _ in 0..PATCHES {
        let y = rng.random_range(0..=shape.height - patch.height);
        let x = rng.random_range(0..=shape.width - patch.width);
        for row in y..y + patch.height {
            let first = (row * shape.width + x) * shape.channels;
            found.extend_from_slice(&band[first..first + patch.width * shape.channels]);
        }
    }
    found
}

/// Binomial weights of the smoothing (Burt & Adelson 1983).
const SMOOTHING: [f32; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];

/// An index outside of 0..size, mirrored at the border.
fn mirrored(at: isize, size: usize) -> usize {
    let last = size as isize - 1;
    let at = at.abs();
    (if at > last { (2 * last - at).max(0) } else { at }) as usize
}

/// The image smoothed along both axes.
fn smoothed(shape: Shape, image: &[f32]) -> Vec<f32> {
    let Shape { height, width, channels } = shape;
    let pass = |image: &[f32], down: bool| -> Vec<f32> {
        let value = |i: usize| -> f32 {
            let (c, x, y) = (i % channels, i / channels % width, i / channels / width);
            let weighted = SMOOTHING.iter().zip(-2isize..).map(|(weight, d)| {
                let (y, x) = match down {
                    true => (mirrored(y as isize + d, height), x),
                    false => (y, mirrored(x as isize + d, width)),
                };
                weight * image[(y * width + x) * channels + c]
            });
            weighted.sum()
        };
        (0..image.len()).map(value).collect()
    };
    pass(&pass(image, true), false)
}

/// The next level: smoothed, every second row and column.
fn halved(shape: Shape, next: Shape, image: &[f32]) -> Vec<f32> {
    let smoothed = smoothed(shape, image);
    let step = |size: usize, next: usize| if size == next { 1 } else { 2 };
    let (down, right) = (step(shape.height, next.height), step(shape.width, next.width));
    let mut found = Vec::with_capacity(next.len());
    for (y, x) in (0..next.height).flat_map(|y| (0..next.width).map(move |x| (y * down, x * right))) {
        let first = (y * shape.width + x) * shape.channels;
        found.extend_from_slice(&smoothed[first..first + shape.channels]);
    }
    found
}

/// A level as large as the one before it: pixels between zeros, smoothed, brightened by what the zeros took.
fn enlarged(shape: Shape, to: Shape, image: &[f32]) -> Vec<f32> {
    let step = |size: usize, to: usize| if size == to { 1 } else { 2 };
    let (down, right) = (step(shape.height, to.height), step(shape.width, to.width));
    let (mut values, mut weights) = (vec![0.0; to.len()], vec![0.0; to.len()]);
    for (y, x) in (0..shape.height).flat_map(|y| (0..shape.width).map(move |x| (y, x))) {
        let (from, first) =
            ((y * shape.width + x) * shape.channels, (y * down * to.width + x * right) * shape.channels);
        values[first..first + shape.channels].copy_from_slice(&image[from..from + shape.channels]);
        weights[first..first + shape.channels].fill(1.0);
    }
    let (values, weights) = (smoothed(to, &values), smoothed(to, &weights));
    values.iter().zip(weights).map(|(value, weight)| value / weight.max(1e-6)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(shape: Shape, count: usize, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..count * shape.len()).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    #[test]
    fn levels_go_down_to_16() {
        let sizes = |height, width| {
            Pyramid::new(Shape::new(height, width, 1), &noise(Shape::new(height, width, 1), 2, 1)).sizes()
        };
        assert_eq!(sizes(64, 64), [[64, 64], [32, 32], [16, 16]]);
        assert_eq!(sizes(70, 33), [[70, 33], [35, 16]]);
        assert_eq!(sizes(28, 28), [[28, 28]]);
        assert_eq!(sizes(5, 9), [[5, 9]]);
        assert_eq!(sizes(1, 80), [[1, 80], [1, 40], [1, 20]]);
        assert_eq!(sizes(1, 1), [[1, 1]]);
    }

    /// A constant and a slope are smooth: nothing of them is left in the bands of a pyramid but at the borders.
    #[test]
    fn bands_hold_what_is_finer() {
        let (shape, next) = (Shape::new(32, 40, 2), Shape::new(16, 20, 2));
        let image: Vec<f32> =
            (0..shape.len()).map(|i| 0.02 * (i / 80) as f32 - 0.01 * (i / 2 % 40) as f32 + (i % 2) as f32).collect();
        let coarse = enlarged(next, shape, &halved(shape, next, &image));
        for (y, x) in (6..26).flat_map(|y| (6..34).map(move |x| (y, x))) {
            for c in 0..2 {
                let at = (y * 40 + x) * 2 + c;
                assert!((coarse[at] - image[at]).abs() < 1e-4, "{y} {x} {c}: {} and {}", coarse[at], image[at]);
            }
        }
    }

    #[test]
    fn equal_sets_are_at_zero_and_others_are_not() {
        // Patches that are whole images are fewer, so that more images are needed.
        for (shape, count) in [
            (Shape::new(32, 32, 3), 60),
            (Shape::new(12, 10, 1), 60),
            (Shape::new(5, 6, 4), 600),
            (Shape::new(1, 40, 1), 60),
        ] {
            let real = noise(shape, count, 3);
            let pyramid = Pyramid::new(shape, &real);
            let all: Vec<usize> = (0..count).collect();
            let distance = |images: &[f32]| pyramid.distance(&pyramid.patches(images), &all);
            assert_eq!(distance(&real), 0.0, "{shape}");
            let other = distance(&noise(shape, count, 4));
            let faded: Vec<f32> = noise(shape, count, 4).iter().map(|v| 0.5 * v).collect();
            let moved: Vec<f32> = noise(shape, count, 4).iter().map(|v| v + 0.5).collect();
            assert!(other > 0.0 && other < 0.4 * distance(&faded), "{shape}: {other} and {}", distance(&faded));
            assert!(other < 0.4 * distance(&moved), "{shape}");
            assert_eq!(pyramid.patches(&real).images(), count);
        }
    }

    /// Of one pixel and one direction the distance is known: that of the sorted values over their deviation.
    #[test]
    fn a_shift_of_single_pixels_is_measured_in_deviations() {
        let shape = Shape::new(1, 1, 1);
        let real: Vec<f32> = (0..100).map(|i| (i as f32 - 49.5) / 100.0).collect();
        let deviation = (real.iter().map(|v| v * v).sum::<f32>() / 100.0).sqrt();
        let moved: Vec<f32> = real.iter().map(|v| v + 0.1).collect();
        let pyramid = Pyramid::new(shape, &real);
        let all: Vec<usize> = (0..100).collect();
        let found = pyramid.distance(&pyramid.patches(&moved), &all);
        assert!((found / (1000.0 * f64::from(0.1 / deviation)) - 1.0).abs() < 1e-3, "{found}");
    }
}
