//! The loss on images that are held out of training, beside that on training images.
use crate::data::Dataset;
use crate::network::Network;
use crate::run::Config;
use crate::Result;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Evaluations of the network for one loss; images are used more than once where there are fewer.
const EVALUATIONS: usize = 2000;
/// Images that the network computes together.
const BATCH: usize = 100;

/// The run's weighted loss of `network` on `data`: timesteps spread evenly over 1..=T, noise that is the same every
/// time, so that losses of different moments, runs and data differ by what they should.
///
/// # Errors
/// A class that the network does not know.
pub fn loss(network: &Network, config: &Config, data: &Dataset) -> Result<f64> {
    let process = config.process();
    let last = process.timesteps();
    let local = config.local_mel()?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut sum = 0.0;
    for first in (0..EVALUATIONS).step_by(BATCH) {
        let (mut x, mut targets, mut columns) = (Vec::new(), Vec::<f32>::new(), Vec::new());
        let mut locals = Vec::new();
        let items = first..(first + BATCH).min(EVALUATIONS);
        // A stride without a common divisor with the number of evaluations spreads the timesteps over the images.
        let timestep = |i: usize| (i * 1123 % EVALUATIONS) * last / EVALUATIONS + 1;
        for i in items.clone() {
            let (t, image) = (timestep(i), i % data.len());
            columns.extend(network.bias(t, &data.condition(image))?);
            let start = x.len();
            x.extend_from_slice(&data.image(image));
            locals.extend(local.iter().flat_map(|local| local.of(&data.image(image))));
            targets.extend((start..x.len()).map(|_| process.random(&mut rng)));
            process.noise(t, &mut x[start..], &mut targets[start..]);
        }
        let output = network.forward(&x, &columns, &locals, |_, _| ())?;
        let len = data.shape.len();
        let images = x.chunks_exact(len).zip(targets.chunks_exact(len)).zip(output.chunks_exact(len));
        let losses = items.zip(images).map(|(i, ((x, target), f))| process.image_loss(timestep(i), x, target, f));
        sum += losses.sum::<f64>();
    }
    Ok(sum / EVALUATIONS as f64)
}
