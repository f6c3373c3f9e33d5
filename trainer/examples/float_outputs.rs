//! Outputs of a run's averaged float network on random inputs, to be compared with another implementation's:
//! `cargo run -p brownian-trainer --example float_outputs -- RUN OUT.safetensors [COUNT]`.
//!
//! The file holds `x` (`[N][H][W][C]`, normal numbers), `t` (`[N]`), `classes` (`[N][axes]`, -1 for none) and the output
//! `f`, shaped like `x`.
use brownian_trainer::run::{checkpoint, Tensors};
use rand::{RngExt, SeedableRng};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [run, out, rest @ ..] = &arguments[..] else { return Err("give RUN OUT.safetensors [COUNT]".into()) };
    let count = rest.first().map_or(Ok(8), |text| text.parse())?;
    let run = checkpoint::load(Path::new(run))?;
    let network = run.network()?;
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let shape = network.graph.input;
    let x: Vec<f32> = (0..count * shape.len()).map(|_| rng.sample(rand_distr::StandardNormal)).collect();
    let (mut columns, mut timesteps, mut classes) = (vec![], vec![], vec![]);
    for _ in 0..count {
        let t = rng.random_range(1..=run.config.timesteps);
        let draw = |n: &usize| rng.random_range(0..=*n);
        let condition: Vec<Option<usize>> = network
            .classes()
            .iter()
            .zip(network.classes().iter().map(draw).collect::<Vec<_>>())
            .map(|(n, class)| (class < *n).then_some(class))
            .collect();
        columns.extend(network.bias(t, &condition)?);
        timesteps.push(t as f32);
        classes.extend(condition.iter().map(|class| class.map_or(-1.0, |class| class as f32)));
    }
    let f = network.forward(&x, &columns, &[], |_, _| ())?;
    let images = [count, shape.height, shape.width, shape.channels];
    let mut tensors = Tensors::default();
    tensors.put("x", &images, &x);
    tensors.put("t", &[count], &timesteps);
    tensors.put("classes", &[count, network.classes().len()], &classes);
    tensors.put("f", &images, &f);
    Ok(std::fs::write(out, tensors.encode()?)?)
}
