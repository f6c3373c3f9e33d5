//! Nearest neighbours: improved precision and recall (Kynkäänniemi et al. 2019) and the memorisation ratio.
use multiversion::multiversion;
use rayon::prelude::*;

/// Neighbours that a ball reaches to.
pub const K: usize = 3;

/// Σ(a − b)² over as many values as both have.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    let ((blocks_a, rest_a), (blocks_b, rest_b)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in blocks_a.iter().zip(blocks_b) {
        // Indices become vector instructions at every level of optimisation, iterators at the highest alone.
        #[allow(clippy::needless_range_loop)]
        for i in 0..16 {
            lanes[i] += (a[i] - b[i]) * (a[i] - b[i]);
        }
    }
    lanes.iter().sum::<f32>() + rest_a.iter().zip(rest_b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>()
}

/// For every vector of `len` values the squared distance to its [`K`]-th nearest other vector of the same set; infinite
/// where there are not so many.
pub fn radii(vectors: &[f32], len: usize) -> Vec<f32> {
    let radius = |(i, vector): (usize, &[f32])| {
        let mut nearest = [f32::INFINITY; K];
        for (j, other) in vectors.chunks_exact(len).enumerate() {
            let mut distance = squared_distance(vector, other);
            if i != j && distance < nearest[K - 1] {
                for kept in &mut nearest {
                    if distance < *kept {
                        std::mem::swap(kept, &mut distance);
                    }
                }
            }
        }
        nearest[K - 1]
    };
    vectors.par_chunks_exact(len).enumerate().map(radius).collect()
}

/// For every vector of `queries` whether it lies in a ball about any vector of `support` with the given squared radii.
/// The mean over generated vectors in the balls of real ones is the precision, the other way round the recall.
pub fn covered(queries: &[f32], support: &[f32], radii: &[f32], len: usize) -> Vec<bool> {
    let inside = |query: &[f32]| {
        support.chunks_exact(len).zip(radii).any(|(centre, radius)| squared_distance(query, centre) <= *radius)
    };
    queries.par_chunks_exact(len).map(inside).collect()
}

/// Queries that see a vector of the support one after the other, while it is in the processor's cache.
const TOGETHER: usize = 16;

/// For every vector of `queries` the distance to the nearest vector of `support`.
pub fn nearest(queries: &[f32], support: &[f32], len: usize) -> Vec<f64> {
    let distances = |queries: &[f32]| {
        let mut least = vec![f32::INFINITY; queries.len() / len];
        for other in support.chunks_exact(len) {
            for (least, query) in least.iter_mut().zip(queries.chunks_exact(len)) {
                *least = least.min(squared_distance(query, other));
            }
        }
        least.into_iter().map(|square| f64::from(square).sqrt())
    };
    queries.par_chunks(TOGETHER * len).flat_map_iter(distances).collect()
}

/// The middle value (the mean of the two middle ones); 0 of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` points of 20 dimensions about `centre`.
    fn cloud(count: usize, centre: f32) -> Vec<f32> {
        (0..count * 20).map(|i| centre + ((i * i) as f32 * 0.37).sin()).collect()
    }

    fn share(inside: &[bool]) -> f64 {
        inside.iter().filter(|i| **i).count() as f64 / inside.len() as f64
    }

    #[test]
    fn radii_reach_to_the_third_neighbour() {
        assert_eq!(radii(&[0.0, 1.0, 3.0, 7.0, 20.0], 1), [49.0, 36.0, 16.0, 49.0, 361.0]);
        assert_eq!(radii(&[0.0, 1.0, 3.0], 1), [f32::INFINITY; 3]);
    }

    #[test]
    fn identical_sets_cover_each_other_and_distant_ones_do_not() {
        let (a, b) = (cloud(100, 0.0), cloud(80, 50.0));
        let (radii_a, radii_b) = (radii(&a, 20), radii(&b, 20));
        assert_eq!(share(&covered(&a, &a, &radii_a, 20)), 1.0);
        assert_eq!(share(&covered(&b, &a, &radii_a, 20)), 0.0);
        assert_eq!(share(&covered(&a, &b, &radii_b, 20)), 0.0);
        // A set that holds both is covered in part: 100 of 180.
        let both = [a.clone(), b].concat();
        assert_eq!(share(&covered(&both, &a, &radii_a, 20)), 100.0 / 180.0);
    }

    #[test]
    fn copies_lie_at_distance_zero() {
        let train = cloud(50, 0.0);
        assert_eq!(median(&nearest(&train[200..600], &train, 20)), 0.0);
        let moved: Vec<f32> = train.iter().enumerate().map(|(i, v)| v + if i % 20 == 0 { 0.01 } else { 0.0 }).collect();
        assert!((median(&nearest(&moved, &train, 20)) - 0.01).abs() < 1e-4);
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0]), median(&[])), (2.0, 2.5, 0.0));
    }
}
