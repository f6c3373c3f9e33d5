//! Everything random of a run's first steps, to be trained on elsewhere too:
//! `cargo run -p brownian-trainer --example training_draws -- RUN OUT.safetensors STEPS`.
//!
//! The file holds `x` (x_t) and `target` (`[STEPS][N][H][W][C]`), `t` (`[STEPS][N]`) and `classes`
//! (`[STEPS][N][axes]`, -1 for none).
use brownian_trainer::data::{open, recorded, Reading};
use brownian_trainer::run::{checkpoint, Tensors};
use brownian_trainer::train::Trainer;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [run, out, steps] = &arguments[..] else { return Err("give RUN OUT.safetensors STEPS".into()) };
    let steps: usize = steps.parse()?;
    let run = checkpoint::load(Path::new(run))?;
    let data = open(&recorded(&run.config.data), &Reading::new(&run.config.data_options, &|_, _, _| ()))?.data;
    let mut trainer = Trainer::new(run.config)?;
    let conditioning = trainer.graph().conditioning.clone();
    let (mut x, mut target, mut timesteps, mut classes) = (vec![], vec![], vec![], vec![]);
    for step in 0..steps {
        let draw = trainer.draw(&data, step as u64);
        x.extend_from_slice(&draw.x);
        target.extend_from_slice(&draw.target);
        timesteps.extend(draw.timesteps.iter().map(|t| *t as f32));
        for rows in draw.class_rows.chunks_exact(conditioning.axes()) {
            classes.extend(conditioning.condition(rows).iter().map(|class| class.map_or(-1.0, |class| class as f32)));
        }
    }
    let (shape, batch) = (data.shape, trainer.config().batch);
    let images = [steps, batch, shape.height, shape.width, shape.channels];
    let mut tensors = Tensors::default();
    tensors.put("x", &images, &x);
    tensors.put("target", &images, &target);
    tensors.put("t", &[steps, batch], &timesteps);
    tensors.put("classes", &[steps, batch, conditioning.axes()], &classes);
    Ok(std::fs::write(out, tensors.encode()?)?)
}
