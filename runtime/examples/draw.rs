//! Draws a digit, whichever the noise leads to: `cargo run -p brownian --example draw -- SEED`.

mod show;

use brownian::{include_model, Arena, Model, Sampler};

static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |seed| seed.parse())?;
    // In firmware these two are statics.
    let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
    let mut state = [0.0; brownian::state_len(FILE)];

    let model = Model::parse(FILE)?;
    let plan = model.plan("fast10").ok_or("the model has no plan fast10")?;
    let mut sampler = Sampler::builder(&model, plan).seed(seed).start(arena.bytes_mut(), &mut state)?;
    while sampler.step() {
        eprintln!("step {} of {}", sampler.steps_done(), sampler.steps());
    }
    show::print(sampler.x().iter().copied(), model.shape()[1]);
    Ok(())
}
