//! Turns a crude drawing into a digit: the drawing is noised to the level of one step of the plan, and the
//! chain goes on from there: `cargo run -p brownian --example image_to_image -- STEP`. The later the step, the more of
//! the drawing stays.

mod show;

use brownian::{include_model, Arena, Image, Model, Sampler};

static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));
const PIXELS: usize = brownian::sample_len(FILE);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let step = std::env::args().nth(1).map_or(Ok(5), |step| step.parse())?;
    let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
    let mut state = [0.0; brownian::state_len(FILE)];
    let model = Model::parse(FILE)?;
    let plan = model.plan("fast10").ok_or("the model has no plan fast10")?;
    let [height, width, _] = model.shape();

    // A 7 of two bars, one byte a pixel.
    let mut drawing = [0u8; PIXELS];
    for y in 5..height - 4 {
        for x in 6..width - 6 {
            let slanted = 2 * x + y;
            if y < 8 || (50..56).contains(&slanted) {
                drawing[y * width + x] = 255;
            }
        }
    }
    let image = Image::Bytes(&drawing);
    println!("the drawing");
    show::print((0..PIXELS).filter_map(|i| image.value(i)), width);

    let chain = Sampler::builder(&model, plan).seed(1).class(7).from_image(image, step);
    let mut sampler = chain.start(arena.bytes_mut(), &mut state)?;
    while sampler.step() {}
    println!("from step {step} of {}", sampler.steps());
    show::print(sampler.x().iter().copied(), width);
    Ok(())
}
