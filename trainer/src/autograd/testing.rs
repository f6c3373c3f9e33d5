//! Gradient checks by finite differences, and equality over numbers of threads.
use super::loss::weighted_mse;
use super::optimizer::Parameters;
use super::tape::{Act, Tape};
use crate::graph::shape::Shape;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The inputs of one evaluation: activations, then parameters.
type Values = Vec<Vec<f32>>;

fn random(rng: &mut ChaCha8Rng, len: usize) -> Vec<f32> {
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn inputs(batch: usize, shapes: &[Shape], params: usize) -> Values {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    shapes.iter().map(|s| batch * s.len()).chain([params]).map(|len| random(&mut rng, len)).collect()
}

/// The loss Σ w·(y − r)² for fixed random w and r, and its gradient for every input.
fn evaluate(
    batch: usize,
    shapes: &[Shape],
    values: &Values,
    run: &impl Fn(&mut Tape, &[Act], &Parameters) -> Act,
) -> (f64, Values) {
    let mut tape = Tape::default();
    let acts: Vec<Act> =
        shapes.iter().zip(values).map(|(shape, values)| tape.hold(values.clone().into(), batch, *shape)).collect();
    let params = Parameters::new(values[shapes.len()].clone());
    let y = run(&mut tape, &acts, &params);
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let (target, weights) = (random(&mut rng, y.values().len()), random(&mut rng, batch));
    let loss = weighted_mse(&mut tape, &y, &target, &weights);
    let value: f64 = (0..batch)
        .map(|i| {
            let range = i * y.shape().len()..(i + 1) * y.shape().len();
            let errors = y.values()[range.clone()].iter().zip(&target[range]);
            f64::from(weights[i]) * errors.map(|(y, t)| (f64::from(*y) - f64::from(*t)).powi(2)).sum::<f64>()
        })
        .sum();
    assert!((loss.value * y.values().len() as f64 - value).abs() < 1e-3 * (1.0 + value.abs()));
    let mut grads = loss.backward(tape).unwrap();
    let scale = y.values().len() as f32;
    let mut all: Values = acts.iter().map(|a| a.take_grad(&mut grads).unwrap().to_vec()).collect();
    all.push(params.grad(&mut grads).unwrap().to_vec());
    all.iter_mut().flatten().for_each(|g| *g *= scale);
    (value, all)
}

/// Compares the gradient with central differences at some places of every input.
///
/// # Panics
/// If they differ by more than 1 %.
pub fn check_gradients(
    name: &str,
    batch: usize,
    shapes: &[Shape],
    params: usize,
    run: impl Fn(&mut Tape, &[Act], &Parameters) -> Act,
) {
    let values = inputs(batch, shapes, params);
    let (_, gradients) = evaluate(batch, shapes, &values, &run);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for input in 0..values.len() {
        for _ in 0..25 {
            let at = rng.random_range(0..values[input].len());
            let h = 4e-3f32;
            let moved = |by: f32| {
                let mut values = values.clone();
                values[input][at] += by;
                evaluate(batch, shapes, &values, &run).0
            };
            let expected = (moved(h) - moved(-h)) / (2.0 * f64::from(h));
            let found = f64::from(gradients[input][at]);
            let error = (found - expected).abs() / (1.0 + expected.abs());
            assert!(error < 1e-2, "{name}: gradient of input {input} at {at} is {found}, differences give {expected}");
        }
    }
}

/// Checks that one and three threads give the same bits.
///
/// # Panics
/// If they do not.
pub fn check_threads(
    name: &str,
    batch: usize,
    shapes: &[Shape],
    params: usize,
    run: impl Fn(&mut Tape, &[Act], &Parameters) -> Act + Sync,
) {
    let values = inputs(batch, shapes, params);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (_, gradients) = pool.install(|| evaluate(batch, shapes, &values, &run));
        gradients.into_iter().flatten().map(f32::to_bits).collect::<Vec<_>>()
    };
    assert!(with(1) == with(3), "{name}: the number of threads changes the result");
}
