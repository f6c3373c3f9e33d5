//! The swiss roll of Sohl-Dickstein et al. 2015 (section 3.1.1): points of two values along a spiral, with noise.
use super::dataset::Dataset;
use super::pixels::Pixels;
use crate::graph::Shape;
use crate::Result;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::f64::consts::PI;

/// Standard deviation of the noise on each value.
pub const NOISE: f64 = 0.01;
/// What the spiral is divided by, so that it lies in [-1, 1]; it ends at 4.5·π.
const SIZE: f64 = 15.0;

/// 10,000 points.
///
/// # Errors
/// None.
pub fn train() -> Result<Dataset> {
    Ok(points("swissroll", 10_000, 0))
}

/// 5,000 others, for evaluation.
///
/// # Errors
/// None.
pub fn test() -> Result<Dataset> {
    Ok(points("swissroll (test)", 5000, 1))
}

/// The point of the spiral at `u` from 0 to 1: angle and radius grow evenly from 1.5·π to 4.5·π, as in scikit-learn's
/// `make_swiss_roll` without its height.
pub fn spiral(u: f64) -> [f64; 2] {
    let angle = 1.5 * PI * (1.0 + 2.0 * u);
    [libm::cos(angle), libm::sin(angle)].map(|part| part * angle / SIZE)
}

fn points(name: &str, count: usize, stream: u64) -> Dataset {
    let mut rng = ChaCha8Rng::seed_from_u64(2015);
    rng.set_stream(stream);
    let mut values = Vec::with_capacity(2 * count);
    for _ in 0..count {
        for value in spiral(rng.random()) {
            let noise: f64 = rng.sample(StandardNormal);
            values.push((value + NOISE * noise) as f32);
        }
    }
    Dataset {
        source: name.into(),
        shape: Shape::new(1, 1, 2),
        images: Pixels::Floats(values),
        labels: None,
        sound: None,
    }
}

/// −log2 of the density about 4 deviations of the noise off the spiral, at the outer end where the points are rarest.
pub const FAR: f64 = 10.0;
/// Places along the spiral that the density is a mean over.
const PLACES: usize = 8192;

/// −log2 of the density of the roll at each of the points, in bits a point: the mean over the spiral of a normal density
/// around it. Its mean over test points estimates the entropy, below which no bound can be.
pub fn surprise(points: &[f32]) -> Vec<f64> {
    let places: Vec<[f64; 2]> = (0..PLACES).map(|i| spiral((i as f64 + 0.5) / PLACES as f64)).collect();
    let density = |point: &[f32; 2]| {
        let squares = places.iter().map(|place| {
            let apart = [0, 1].map(|i| (f64::from(point[i]) - place[i]).powi(2));
            (apart[0] + apart[1]) / (2.0 * NOISE * NOISE)
        });
        squares.map(|square| (-square).exp()).sum::<f64>() / (PLACES as f64 * 2.0 * PI * NOISE * NOISE)
    };
    points.as_chunks().0.iter().map(|point| -density(point).log2()).collect()
}

/// Bits a point that are added when the points are scaled to the unit variance in each value in which
/// Sohl-Dickstein et al. state theirs.
pub fn bits_to_unit_variance(points: &[f32]) -> f64 {
    let count = (points.len() / 2) as f64;
    let deviation = |i: usize| {
        let values = || points.iter().skip(i).step_by(2).map(|value| f64::from(*value));
        let mean = values().sum::<f64>() / count;
        (values().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()
    };
    -(deviation(0).log2() + deviation(1).log2())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_along_the_spiral() {
        let [train, test] = [train().unwrap(), test().unwrap()];
        assert_eq!((train.len(), test.len()), (10_000, 5000));
        let values = train.images.to_vec();
        assert!(values.iter().all(|value| value.abs() < 1.0));
        assert_ne!(values[..100], test.images.to_vec()[..100]);
        // Their distance from the centre is the angle over the size, of which one turn is 2·π.
        let turn = |point: &[f32]| {
            let [x, y] = [f64::from(point[0]), f64::from(point[1])];
            let turns = (SIZE * x.hypot(y) - y.atan2(x)) / (2.0 * PI);
            (turns - turns.round()).abs() * 2.0 * PI / SIZE
        };
        let off: Vec<f64> = values.chunks_exact(2).map(turn).collect();
        let square = off.iter().map(|off| off * off).sum::<f64>() / off.len() as f64;
        assert!((square.sqrt() / NOISE - 1.0).abs() < 0.1, "{}", square.sqrt());
    }

    /// A long thin strip: about log2 of its length times the entropy of the noise across it.
    #[test]
    fn the_entropy_is_that_of_a_strip() {
        let points = test().unwrap().images.to_vec();
        let found = surprise(&points).iter().sum::<f64>() / 5000.0;
        // The density along the spiral falls as 1/√(1 + angle²) over SIZE; 20,000 places are enough of it.
        let along = |u: f64| (3.0 * PI * (1.0 + (1.5 * PI * (1.0 + 2.0 * u)).powi(2)).sqrt() / SIZE).log2();
        let length = (0..20_000).map(|i| along((f64::from(i) + 0.5) / 20_000.0)).sum::<f64>() / 20_000.0;
        let across = (NOISE * (2.0 * PI * std::f64::consts::E).sqrt()).log2();
        assert!((found - length - across).abs() < 0.03, "{found} {}", length + across);
        let scale = bits_to_unit_variance(&points);
        assert!((2.0..2.8).contains(&scale), "{scale}");
    }
}
