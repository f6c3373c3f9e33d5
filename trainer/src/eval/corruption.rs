//! Corruptions of real images and sounds, whose figures tell how sensitive a metric is.
use super::sound_corruption;
use crate::data::Sound;
use crate::graph::Shape;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Standard deviation of the noise: 20 of 255 gray levels, in units of images in [-1, 1].
pub const NOISE: f32 = 20.0 / 127.5;
/// Standard deviation of the blur in pixels.
const RADIUS: f32 = 1.0;
/// Pixels that the blur reaches to.
const REACH: isize = 4;

/// A change of real data.
#[derive(Clone, Copy, Debug)]
pub struct Corruption {
    /// Its name in reports.
    pub name: &'static str,
    /// What it is, in words.
    pub about: &'static str,
    change: Change,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Pictures(fn(Shape, &[f32]) -> Vec<f32>),
    Noise { decibels: f32 },
    MuLaw { bits: u32 },
    Late { samples: usize },
    NothingButNoise { deviation: f32 },
}

/// Those of pictures, or of sounds.
pub fn all(sound: Option<Sound>) -> Vec<Corruption> {
    let of = |name, about, change| Corruption { name, about, change };
    let Some(sound) = sound else {
        return vec![
            of("noise", "with noise of standard deviation 20/255", Change::Pictures(noise)),
            of("blur", "blurred by 1 pixel", Change::Pictures(blur)),
            of("uniform", "images of nothing but noise", Change::Pictures(uniform)),
        ];
    };
    vec![
        of("noise30", "with white noise 30 dB below", Change::Noise { decibels: 30.0 }),
        of("noise20", "with white noise 20 dB below", Change::Noise { decibels: 20.0 }),
        of("noise10", "with white noise 10 dB below", Change::Noise { decibels: 10.0 }),
        of("mulaw8", "of 8 bits on the µ-law", Change::MuLaw { bits: 8 }),
        of("mulaw5", "of 5 bits on the µ-law", Change::MuLaw { bits: 5 }),
        of("mulaw4", "of 4 bits on the µ-law", Change::MuLaw { bits: 4 }),
        of("late", "50 ms late", Change::Late { samples: (sound.rate / 20) as usize }),
        of("white", "nothing but white noise", Change::NothingButNoise { deviation: (1.0 / sound.scale) as f32 }),
    ]
}

impl Corruption {
    /// Corrupted ones of images or signals of a shape.
    pub fn of(&self, shape: Shape, images: &[f32]) -> Vec<f32> {
        match self.change {
            Change::Pictures(change) => change(shape, images),
            Change::Noise { decibels } => sound_corruption::noise(images, shape.len(), decibels),
            Change::MuLaw { bits } => sound_corruption::mu_law(images, bits),
            Change::Late { samples } => sound_corruption::late(images, shape.len(), samples),
            Change::NothingButNoise { deviation } => sound_corruption::nothing_but_noise(images, deviation),
        }
    }
}

/// What lies around an image that is blurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// Black (−1).
    Black,
    /// Its border goes on.
    Border,
}

/// Adds normal noise of standard deviation [`NOISE`] and clips to [-1, 1].
pub fn noise(_: Shape, images: &[f32]) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0x0153);
    images.iter().map(|v| (v + NOISE * rng.sample::<f32, _>(StandardNormal)).clamp(-1.0, 1.0)).collect()
}

/// Blurs images with a Gaussian of standard deviation 1 pixel; outside, their borders go on.
pub fn blur(shape: Shape, images: &[f32]) -> Vec<f32> {
    images.chunks_exact(shape.len()).flat_map(|image| blurred(shape, image, RADIUS, Outside::Border)).collect()
}

/// An image blurred with a Gaussian of standard deviation `radius` pixels, at most about 1.3.
pub fn blurred(shape: Shape, image: &[f32], radius: f32, outside: Outside) -> Vec<f32> {
    let radius = radius.max(0.01);
    let kernel: Vec<f32> = (-REACH..=REACH).map(|d| (-0.5 * (d as f32 / radius).powi(2)).exp()).collect();
    let sum: f32 = kernel.iter().sum();
    let Shape { height, width, channels } = shape;
    let pass = |image: &[f32], step: [isize; 2]| -> Vec<f32> {
        let at = |y: isize, x: isize, c: usize| {
            let [inner_y, inner_x] = [(y, height), (x, width)].map(|(at, size)| at.clamp(0, size as isize - 1));
            if outside == Outside::Black && (inner_y, inner_x) != (y, x) {
                return -1.0;
            }
            image[(inner_y as usize * width + inner_x as usize) * channels + c]
        };
        (0..shape.len())
            .map(|i| {
                let (c, x, y) = (i % channels, i / channels % width, i / channels / width);
                let place = |d: isize| (y as isize + d * step[0], x as isize + d * step[1]);
                let weighted = kernel.iter().zip(-REACH..).map(|(k, d)| k * at(place(d).0, place(d).1, c));
                weighted.sum::<f32>() / sum
            })
            .collect()
    };
    pass(&pass(image, [1, 0]), [0, 1])
}

/// As many images of nothing but noise, uniform in [-1, 1].
pub fn uniform(_: Shape, images: &[f32]) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0x0154);
    images.iter().map(|_| rng.random_range(-1.0..1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape::new(28, 24, 2);

    #[test]
    fn noise_has_its_deviation_and_stays_in_range() {
        let found = noise(SHAPE, &vec![0.0; 100_000]);
        let variance = found.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / found.len() as f64;
        assert!((variance.sqrt() / f64::from(NOISE) - 1.0).abs() < 0.01);
        assert!(noise(SHAPE, &vec![-1.0; 1000]).iter().all(|v| (-1.0..=1.0).contains(v)));
    }

    #[test]
    fn blur_spreads_a_point_and_keeps_its_light() {
        let mut image = vec![-1.0; SHAPE.len()];
        let place = |y: usize, x: usize| (y * SHAPE.width + x) * SHAPE.channels + 1;
        image[place(14, 10)] = 1.0;
        let found = blur(SHAPE, &image);
        let light = |v: &f32| f64::from(v + 1.0);
        assert!((found.iter().map(light).sum::<f64>() - 2.0).abs() < 1e-3);
        let channel = found.chunks_exact(2).enumerate();
        assert!(channel.clone().all(|(_, pixel)| pixel[0] == -1.0), "channels stay apart");
        let spread: f64 =
            channel.map(|(i, pixel)| light(&pixel[1]) / 2.0 * ((i % SHAPE.width) as f64 - 10.0).powi(2)).sum();
        assert!((spread - 1.0).abs() < 0.01, "the variance is one pixel squared, not {spread}");
        assert!((found[place(14, 11)] - found[place(13, 10)]).abs() < 1e-6);
        // A white image stays white where its border goes on, and gets darker edges where black lies outside.
        let white = vec![1.0; SHAPE.len()];
        assert!(blur(SHAPE, &white).iter().all(|v| (v - 1.0).abs() < 1e-6));
        let edged = blurred(SHAPE, &white, 1.0, Outside::Black);
        assert!(edged[0] < 0.0 && (edged[place(14, 10)] - 1.0).abs() < 1e-3);
    }
}
