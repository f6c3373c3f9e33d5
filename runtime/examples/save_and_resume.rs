//! Saves a chain in the middle and takes it up again, in other memory and, if need be, on another machine: the bytes
//! are those of an uninterrupted run: `cargo run -p brownian --example save_and_resume`.

mod show;

use brownian::{include_model, Arena, Model, Sampler};

static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
    let mut state = [0.0; brownian::state_len(FILE)];
    let model = Model::parse(FILE)?;
    let plan = model.plan("fast10").ok_or("the model has no plan fast10")?;
    let mut sampler = Sampler::builder(&model, plan).seed(6).class(8).start(arena.bytes_mut(), &mut state)?;
    while sampler.steps_done() < 4 && sampler.step() {}
    // `save_to` gives the bytes piece by piece, to flash or to a line, and needs no buffer.
    let mut snapshot = [0; brownian::snapshot_len(FILE)];
    let len = sampler.save(&mut snapshot)?;
    println!("{len} bytes saved after {} steps", sampler.steps_done());
    while sampler.step() {}
    let uninterrupted = sampler.digest();

    arena.bytes_mut().fill(0xaa);
    state.fill(f32::NAN);
    let mut sampler = Sampler::resume(&model, &snapshot[..len])?.start(arena.bytes_mut(), &mut state)?;
    println!("taken up after {} of {} steps of {}", sampler.steps_done(), sampler.steps(), sampler.plan().name());
    while sampler.step() {}
    assert_eq!(sampler.digest(), uninterrupted);
    show::print(sampler.x().iter().copied(), model.shape()[1]);
    Ok(())
}
