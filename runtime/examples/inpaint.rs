//! Keeps the upper half of a digit and draws other lower halves: `cargo run -p brownian --example inpaint`.
//!
//! The image and the mask may lie in flash; an image of bytes and a mask of bits are small enough for RAM, too.

mod show;

use brownian::{include_model, Arena, Image, KnownPixels, Model, Sampler};

static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));
const PIXELS: usize = brownian::sample_len(FILE);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
    let mut state = [0.0; brownian::state_len(FILE)];
    let model = Model::parse(FILE)?;
    let plan = model.plan("fast10").ok_or("the model has no plan fast10")?;
    let width = model.shape()[1];

    let mut sampler = Sampler::builder(&model, plan).seed(2).class(9).start(arena.bytes_mut(), &mut state)?;
    while sampler.step() {}
    let mut nine = [0.0; PIXELS];
    nine.copy_from_slice(sampler.x());
    println!("the image");
    show::print(nine, width);

    // A bit a pixel: the first half of the rows is kept.
    let mut mask = [0; brownian::mask_len(PIXELS)];
    mask[..PIXELS / 16].fill(0xff);
    let known = KnownPixels { image: Image::Values(&nine), mask: &mask };
    for class in [4, 7] {
        let chain = Sampler::builder(&model, plan).seed(3).class(class).inpaint(known);
        let mut sampler = chain.start(arena.bytes_mut(), &mut state)?;
        while sampler.step() {}
        println!("its upper half, gone on with as a {class}");
        show::print(sampler.x().iter().copied(), width);
    }
    Ok(())
}
