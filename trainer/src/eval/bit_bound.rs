//! The variational bound of the binomial process on −log p(x0) (Sohl-Dickstein et al. 2015, equations 9 to 14): the
//! divergence of q(x_T | x0) from B(π), and of each step's posterior from the network's; estimated on test images whose
//! classes are known.
use super::denoiser::Denoiser;
use crate::data::{Dataset, Labels};
use crate::process::Binomial;
use crate::Result;
use rand::{seq::SliceRandom, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Evaluations of the network, at least one a timestep, on images; on fewer bits as many more as they take less.
const EVALUATIONS: usize = 20_000;
/// Bits of an image.
const IMAGE: usize = 784;
/// Images that the network computes together.
const BATCH: usize = 128;

/// The bound and its terms in nats an image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BitBound {
    /// Of the divergence of q(x_T | x0) from B(π).
    pub prior: f64,
    /// Σ of the terms of t = T..2.
    pub steps: f64,
    /// −ln p(x0 | x_1).
    pub reconstruction: f64,
    /// The sum.
    pub total: f64,
    /// Standard error of the sum, from the images and the bits that were drawn.
    pub standard_error: f64,
    /// The sum in bits a pixel.
    pub bits_a_pixel: f64,
    /// Evaluations of the network.
    pub evaluations: usize,
    /// The terms of t = 1..=T.
    pub per_timestep: Vec<f64>,
}

/// Each evaluation's timestep and image: all timesteps equally often, and all images where they are no more than the
/// evaluations.
fn items(timesteps: usize, images: usize, bits: usize, rng: &mut ChaCha8Rng) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..images).collect();
    order.shuffle(rng);
    let each = evaluations(timesteps, bits) / timesteps;
    let timesteps = (1..=timesteps).flat_map(|t| std::iter::repeat_n(t, each));
    timesteps.zip(order.into_iter().cycle()).collect()
}

/// How many evaluations [`measure`] takes for images of so many bits.
pub fn evaluations(timesteps: usize, bits: usize) -> usize {
    let all = EVALUATIONS.max(EVALUATIONS * IMAGE / bits.max(1));
    all.div_ceil(timesteps) * timesteps
}

/// Measures the bound of the whole chain on `data`, of bits. `outputs` gives the network's F for states, each with its
/// timestep and classes; `done` is told how many more evaluations there were.
///
/// # Errors
/// What `outputs` refuses.
pub fn measure(
    process: &Binomial,
    data: &Dataset,
    labels: Option<&Labels>,
    seed: u64,
    mut outputs: impl FnMut(&[f32], &[(usize, &[u8])]) -> Result<Vec<f32>>,
    mut done: impl FnMut(u64),
) -> Result<BitBound> {
    let (len, last) = (data.shape.len(), process.timesteps());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let items = items(last, data.len(), len, &mut rng);
    let mut terms = vec![Vec::new(); last];
    let mut prior = Vec::with_capacity(items.len());
    for items in items.chunks(BATCH) {
        let (mut x, mut x0) = (Vec::new(), Vec::new());
        for (t, image) in items {
            let start = x.len();
            x.extend_from_slice(&data.image(*image));
            x0.extend((0..len).map(|_| rng.random::<f32>()));
            process.noise(*t, &mut x[start..], &mut x0[start..]);
        }
        let classes = |image: usize| labels.map_or(&[][..], |labels| labels.of(image));
        let conditions: Vec<_> = items.iter().map(|(t, image)| (*t, classes(*image))).collect();
        let output = outputs(&x, &conditions)?;
        for (i, (t, _)) in items.iter().enumerate() {
            let of = |values: &[f32]| values[i * len..(i + 1) * len].to_vec();
            let (x, x0, f) = (of(&x), of(&x0), of(&output));
            terms[t - 1].push(process.step_divergence(*t, t - 1, &x, &x0, &f));
            prior.push(x0.iter().map(|x0| process.prior(last, *x0)).sum::<f64>());
        }
        done(items.len() as u64);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let variance = |values: &[f64]| {
        let middle = mean(values);
        let squares = values.iter().map(|v| (v - middle).powi(2)).sum::<f64>();
        squares / (values.len() as f64 - 1.0).max(1.0) / values.len() as f64
    };
    let per_timestep: Vec<f64> = terms.iter().map(|terms| mean(terms)).collect();
    let (prior_mean, reconstruction) = (mean(&prior), per_timestep[0]);
    let steps = per_timestep[1..].iter().sum::<f64>();
    let total = prior_mean + steps + reconstruction;
    Ok(BitBound {
        prior: prior_mean,
        steps,
        reconstruction,
        total,
        standard_error: (terms.iter().map(|terms| variance(terms)).sum::<f64>() + variance(&prior)).sqrt(),
        bits_a_pixel: total / std::f64::consts::LN_2 / len as f64,
        evaluations: prior.len(),
        per_timestep,
    })
}

/// [`measure`] of a network on test images.
///
/// # Errors
/// A timestep or class that the network does not know.
pub fn bound(
    denoiser: &Denoiser,
    process: &Binomial,
    test: &Dataset,
    labels: Option<&Labels>,
    seed: u64,
    done: impl FnMut(u64),
) -> Result<BitBound> {
    measure(process, test, labels, seed, |x, conditions| denoiser.outputs(x, conditions), done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;
    use crate::process::Weighting;

    /// Independent bits of a known mean and a network that knows it: F is the prior's logit, and the bound the entropy
    /// and the divergence of q(x_T) from B(π). A network that knows nothing needs more.
    #[test]
    fn a_measured_bound_of_independent_bits_is_their_entropy() {
        let share = 0.3f64;
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let images: Vec<f32> = (0..500 * 256).map(|_| if rng.random::<f64>() < share { 1.0 } else { -1.0 }).collect();
        let data = Dataset {
            source: "bits".into(),
            shape: Shape::new(16, 16, 1),
            images: images.into(),
            labels: None,
            sound: None,
        };
        let entropy = -256.0 * (share * share.ln() + (1.0 - share) * (1.0 - share).ln());
        for mean in [0.5, 0.2] {
            let process = Binomial::new(10, mean, Weighting::Simple);
            let found =
                |logit: f64| measure(&process, &data, None, 3, |x, _| Ok(vec![logit as f32; x.len()]), |_| ()).unwrap();
            let exact = found((share / (1.0 - share)).ln());
            // Nothing of x0 is left in x_T, which is B(π) itself.
            assert_eq!(exact.prior, 0.0);
            assert!((exact.total - entropy).abs() < 3.0 * exact.standard_error, "{} {entropy}", exact.total);
            assert!(exact.standard_error < 1.0 && exact.evaluations == 61_250, "{exact:?}");
            assert!((exact.bits_a_pixel - 0.8813).abs() < 0.02, "{}", exact.bits_a_pixel);
            assert!(found(0.0).total > entropy + 10.0);
        }
    }

    #[test]
    fn all_images_and_timesteps_have_their_turn() {
        let items = items(100, 10_000, 784, &mut ChaCha8Rng::seed_from_u64(0));
        assert_eq!(items.len(), evaluations(100, 784));
        assert_eq!(evaluations(400, 20), 784_000);
        let mut images: Vec<usize> = items.iter().map(|(_, image)| *image).collect();
        images.sort_unstable();
        assert!((0..10_000).all(|i| images[2 * i..][..2] == [i, i]));
        assert_eq!(items.iter().filter(|(t, _)| *t == 37).count(), 200);
    }
}
