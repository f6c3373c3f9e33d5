//! Sliced Wasserstein distance (Bonneel et al. 2015): √ of the mean, over random directions, of the squared
//! 2-Wasserstein distance between the projections of both sets, which for sorted projections of equal number is their
//! mean squared difference.
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use rayon::prelude::*;

/// Number of directions.
pub const DIRECTIONS: usize = 128;

/// Unit vectors of `len` values, uniform on the sphere, one after the other; the same at every call.
pub fn directions(len: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0x51ed);
    let mut all = Vec::with_capacity(DIRECTIONS * len);
    for _ in 0..DIRECTIONS {
        let direction: Vec<f32> = (0..len).map(|_| rng.sample(StandardNormal)).collect();
        let norm = direction.iter().map(|v| v * v).sum::<f32>().sqrt();
        all.extend(direction.iter().map(|v| v / norm));
    }
    all
}

/// The projections of `vectors` on each of `directions`: one row a direction.
pub fn project(vectors: &[f32], directions: &[f32], len: usize) -> Vec<Vec<f32>> {
    let row = |direction: &[f32]| {
        let dot = |vector: &[f32]| -> f32 {
            let (blocks_a, blocks_b) = (vector.chunks(16), direction.chunks(16));
            blocks_a.zip(blocks_b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>()).sum()
        };
        vectors.chunks_exact(len).map(dot).collect()
    };
    directions.par_chunks_exact(len).map(row).collect()
}

/// The distance between two sets of projections on the same directions, over the vectors that `pick_a` and `pick_b`
/// name; of the larger selection as many are used as the smaller has.
pub fn distance(a: &[Vec<f32>], b: &[Vec<f32>], pick_a: &[usize], pick_b: &[usize]) -> f64 {
    let count = pick_a.len().min(pick_b.len());
    let sorted = |row: &[f32], pick: &[usize]| {
        let mut values: Vec<f32> = pick[..count].iter().map(|i| row[*i]).collect();
        values.sort_unstable_by(f32::total_cmp);
        values
    };
    let square = |(a, b): (&Vec<f32>, &Vec<f32>)| {
        let (a, b) = (sorted(a, pick_a), sorted(b, pick_b));
        a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / count.max(1) as f64
    };
    let squares: Vec<f64> = a.par_iter().zip(b).map(square).collect();
    (squares.iter().sum::<f64>() / squares.len().max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_shift() {
        let len = 40;
        let a: Vec<f32> = (0..300 * len).map(|i| (i as f32 * 0.731).sin()).collect();
        let shift: Vec<f32> = (0..len).map(|i| if i % 2 == 0 { 3.0 } else { -1.0 }).collect();
        let b: Vec<f32> = a.iter().zip(shift.iter().cycle()).map(|(a, s)| a + s).collect();
        let directions = directions(len);
        let (pa, pb) = (project(&a, &directions, len), project(&b, &directions, len));
        let all: Vec<usize> = (0..300).collect();
        let reversed: Vec<usize> = (0..300).rev().collect();
        assert_eq!(distance(&pa, &pa, &all, &reversed), 0.0);
        // Each direction θ sees the shift |⟨s, θ⟩|, whose mean square is |s|²/len.
        let seen: f32 = directions
            .chunks_exact(len)
            .map(|d| d.iter().zip(&shift).map(|(d, s)| d * s).sum::<f32>().powi(2))
            .sum::<f32>()
            / DIRECTIONS as f32;
        let found = distance(&pa, &pb, &all, &reversed);
        assert!((found - f64::from(seen).sqrt()).abs() < 1e-4, "{found}");
        let expected = (shift.iter().map(|s| s * s).sum::<f32>() / len as f32).sqrt();
        assert!((found / f64::from(expected) - 1.0).abs() < 0.25, "{found} near {expected}");
    }
}
