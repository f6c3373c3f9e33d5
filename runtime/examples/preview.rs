//! Reads every step's x0_hat and stops as soon as hardly a pixel is gray any more:
//! `cargo run -p brownian --example preview`.
//!
//! The preview takes no memory: its values are computed when they are asked for.

mod show;

use brownian::{include_model, Arena, Model, Sampler};

static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));
/// A share of gray pixels that is not worth another step.
const FEW: f32 = 0.12;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
    let mut state = [0.0; brownian::state_len(FILE)];
    let model = Model::parse(FILE)?;
    let plan = model.plan("fast10").ok_or("the model has no plan fast10")?;
    let mut sampler = Sampler::builder(&model, plan).seed(4).class(2).start(arena.bytes_mut(), &mut state)?;

    let mut image = [0.0f32; brownian::sample_len(FILE)];
    while let Some(preview) = sampler.evaluate() {
        image.iter_mut().zip(preview.x0_hat()).for_each(|(pixel, x0_hat)| *pixel = x0_hat);
        let gray = image.iter().filter(|pixel| pixel.abs() < 0.8).count() as f32 / image.len() as f32;
        println!("in step {}: {:.0} % of the pixels are gray", preview.steps_done() + 1, 100.0 * gray);
        show::print(image, 28);
        if gray < FEW {
            break;
        }
        sampler.step();
    }
    println!("{} of {} steps were made", sampler.steps_done(), sampler.steps());
    Ok(())
}
