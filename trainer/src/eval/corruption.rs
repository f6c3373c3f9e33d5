//! Corruptions of real digits, whose figures tell how sensitive a metric is.
use super::classifier::IMAGE;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Standard deviation of the noise: 20 of 255 gray levels, in units of images in [-1, 1].
pub const NOISE: f32 = 20.0 / 127.5;
/// Standard deviation of the blur in pixels.
const RADIUS: f32 = 1.0;
/// Pixels that the blur reaches to.
const REACH: isize = 4;

/// Adds normal noise of standard deviation [`NOISE`] and clips to [-1, 1].
pub fn noise(images: &[f32]) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0x0153);
    images.iter().map(|v| (v + NOISE * rng.sample::<f32, _>(StandardNormal)).clamp(-1.0, 1.0)).collect()
}

/// Blurs 28×28×1 images with a Gaussian of standard deviation 1 pixel; outside is background (−1).
pub fn blur(images: &[f32]) -> Vec<f32> {
    images.chunks_exact(IMAGE.len()).flat_map(|image| blurred(image, RADIUS)).collect()
}

/// A 28×28×1 image blurred with a Gaussian of standard deviation `radius` pixels, at most about 1.3; outside is
/// background (−1).
pub fn blurred(image: &[f32], radius: f32) -> Vec<f32> {
    let radius = radius.max(0.01);
    let kernel: Vec<f32> = (-REACH..=REACH).map(|d| (-0.5 * (d as f32 / radius).powi(2)).exp()).collect();
    let sum: f32 = kernel.iter().sum();
    let pass = |image: &[f32], step: [isize; 2]| -> Vec<f32> {
        let at = |y: isize, x: isize| {
            let inside = (0..IMAGE.height as isize).contains(&y) && (0..IMAGE.width as isize).contains(&x);
            if inside {
                image[y as usize * IMAGE.width + x as usize]
            } else {
                -1.0
            }
        };
        (0..IMAGE.len() as isize)
            .map(|i| {
                let (y, x) = (i / IMAGE.width as isize, i % IMAGE.width as isize);
                let weighted = kernel.iter().zip(-REACH..).map(|(k, d)| k * at(y + d * step[0], x + d * step[1]));
                weighted.sum::<f32>() / sum
            })
            .collect()
    };
    pass(&pass(image, [1, 0]), [0, 1])
}

/// As many 28×28×1 images of nothing but noise, uniform in [-1, 1].
pub fn uniform(images: &[f32]) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0x0154);
    images.iter().map(|_| rng.random_range(-1.0..1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_its_deviation_and_stays_in_range() {
        let found = noise(&vec![0.0; 100_000]);
        let variance = found.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / found.len() as f64;
        assert!((variance.sqrt() / f64::from(NOISE) - 1.0).abs() < 0.01);
        assert!(noise(&vec![-1.0; 1000]).iter().all(|v| (-1.0..=1.0).contains(v)));
    }

    #[test]
    fn blur_spreads_a_point_and_keeps_its_light() {
        let mut image = vec![-1.0; IMAGE.len()];
        image[14 * 28 + 10] = 1.0;
        let found = blur(&image);
        let light = |v: &f32| f64::from(v + 1.0);
        assert!((found.iter().map(light).sum::<f64>() - 2.0).abs() < 1e-3);
        let spread: f64 =
            found.iter().enumerate().map(|(i, v)| light(v) / 2.0 * ((i % 28) as f64 - 10.0).powi(2)).sum();
        assert!((spread - 1.0).abs() < 0.01, "the variance is one pixel squared, not {spread}");
        assert!((found[14 * 28 + 11] - found[13 * 28 + 10]).abs() < 1e-6);
    }
}
