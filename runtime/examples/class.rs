//! Draws the digit that is asked for, plain and under guidance: `cargo run -p brownian --example class -- DIGIT`.
//!
//! Bias guidance costs nothing: it scales the class's channel biases.

mod show;

use brownian::{include_model, Arena, Model, Sampler};

static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let class = std::env::args().nth(1).map_or(Ok(3), |class| class.parse())?;
    let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
    let mut state = [0.0; brownian::state_len(FILE)];

    let model = Model::parse(FILE)?;
    let plan = model.plan("fast10").ok_or("the model has no plan fast10")?;
    for scale in [1.0, 1.5] {
        let chain = Sampler::builder(&model, plan).seed(7).class(class).guidance(scale);
        let mut sampler = chain.start(arena.bytes_mut(), &mut state)?;
        while sampler.step() {}
        println!("class {class}, guidance {scale}");
        show::print(sampler.x().iter().copied(), model.shape()[1]);
    }
    Ok(())
}
