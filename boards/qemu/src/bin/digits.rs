#![no_std]
#![no_main]
//! Draws images with the model that is built in and reports every step.
//!
//! Its command line says what to draw, see [`Request`].

use brownian::{include_model, Arena, Model, StateElement, StateElementOf};
use brownian_board::{chain, picture::Picture, report::Line, request::Request};
use machine::{println, Arguments, Meter};
use static_cell::ConstStaticCell;

const MODEL: &[u8] = include_model!(env!("MODEL"));
static ARENA: ConstStaticCell<Arena<{ brownian::arena_len(MODEL) }>> = ConstStaticCell::new(Arena::new());
/// f32 or f16, whichever the model says.
type Element = StateElementOf<{ brownian::state_kind(MODEL).number() }>;
static STATE: ConstStaticCell<[Element; brownian::state_len(MODEL)]> =
    ConstStaticCell::new([<Element as StateElement>::ZERO; brownian::state_len(MODEL)]);

#[machine::entry]
fn main() -> ! {
    let mut meter = Meter::start();
    println!("{}", meter.calibrate());
    let arguments = Arguments::get();
    let request = arguments.words().try_fold(Request::default(), Request::word);
    let request = request.unwrap_or_else(|bad| machine::refuse(bad));
    let model = Model::parse(MODEL).unwrap_or_else(|error| machine::refuse(error));
    let plan = request.choose(&model).unwrap_or_else(|| machine::refuse("the model has no plan of that name"));
    let (arena, state) = (ARENA.take(), STATE.take());
    for seed in request.seeds() {
        println!("{}", Line::Chain { seed });
        let mut sampler = request
            .ask::<Element>(&model, plan, seed)
            .unwrap_or_else(|error| machine::refuse(error))
            .start(arena.bytes_mut(), state)
            .unwrap_or_else(|error| machine::refuse(error));
        let times = chain::run(&mut sampler, request.steps, &mut || meter.ticks(), |line| println!("{line}"));
        println!("{}", Picture::new(sampler.x(), model.shape()));
        println!("{}", Line::Image { digest: sampler.digest(), times });
    }
    println!(
        "{}",
        Line::Memory {
            arena: model.arena_len() as u32,
            state: size_of::<[Element; brownian::state_len(MODEL)]>() as u32,
            stack: meter.stack_used() as u32
        }
    );
    println!("{}", Line::Done);
    machine::exit(0)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    machine::panicked(info)
}
