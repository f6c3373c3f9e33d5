//! Classifier-free guidance as it was published: the network is evaluated twice a step, without the class and
//! with it, and their difference is scaled: `cargo run -p brownian --example two_evaluations -- DIGIT SCALE`.
//!
//! It takes twice the time of bias guidance, and a state that also holds the first evaluation's output.

mod show;

use brownian::{include_model, Arena, Model, Sampler};

static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let class = std::env::args().nth(1).map_or(Ok(5), |class| class.parse())?;
    let scale = std::env::args().nth(2).map_or(Ok(2.0), |scale| scale.parse())?;
    let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
    let mut state = [0.0; brownian::state_len_two_evaluations(FILE)];

    let model = Model::parse(FILE)?;
    let plan = model.plan("fast10").ok_or("the model has no plan fast10")?;
    let chain = Sampler::builder(&model, plan).seed(7).class(class).guidance(scale).two_evaluations();
    let mut sampler = chain.start(arena.bytes_mut(), &mut state)?;
    while sampler.step() {}
    show::print(sampler.x().iter().copied(), model.shape()[1]);
    Ok(())
}
