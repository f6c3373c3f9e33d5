#![no_std]
#![no_main]
//! Like `digits`, for chains that evaluate twice a step, start from an image, keep parts of one, are saved, or go on
//! from a snapshot. Its command line says which, see [`Request`]; image, mask and snapshot are [`machine::inputs`].

use brownian::{include_model, Arena, Model, Sampler, StateElement, StateElementOf};
use brownian_board::{chain, edit, report::Line, request::Request};
use machine::{println, Arguments, Meter};
use static_cell::ConstStaticCell;

const MODEL: &[u8] = include_model!(env!("MODEL"));
static ARENA: ConstStaticCell<Arena<{ brownian::arena_len(MODEL) }>> = ConstStaticCell::new(Arena::new());
const STATE_LEN: usize = brownian::state_len_two_evaluations(MODEL);
/// f32 or f16, whichever the model says.
type Element = StateElementOf<{ brownian::state_kind(MODEL).number() }>;
static STATE: ConstStaticCell<[Element; STATE_LEN]> =
    ConstStaticCell::new([<Element as StateElement>::ZERO; STATE_LEN]);

#[machine::entry]
fn main() -> ! {
    let mut meter = Meter::start();
    let arguments = Arguments::get();
    let request = arguments.words().try_fold(Request::default(), Request::word);
    let request = request.unwrap_or_else(|bad| machine::refuse(bad));
    let model = model();
    let inputs = edit::Inputs::new(machine::inputs(), &model);
    let (arena, state) = (ARENA.take(), STATE.take());
    for seed in request.seeds() {
        println!("{}", Line::Chain { seed });
        let mut sampler = start(&request, &model, seed, inputs, arena.bytes_mut(), state);
        let mut times = brownian_board::times::Times::default();
        if let Some(steps) = request.save {
            let left = steps.saturating_sub(sampler.steps_done() as u32);
            times += chain::run(&mut sampler, left, &mut || meter.ticks(), |line| println!("{line}"));
            edit::tell_snapshot(&sampler, |line| println!("{line}"));
        }
        times += chain::run(&mut sampler, request.steps, &mut || meter.ticks(), |line| println!("{line}"));
        println!("{}", Line::Image { digest: sampler.digest(), times });
    }
    println!(
        "{}",
        Line::Memory {
            arena: model.arena_len() as u32,
            state: size_of::<[Element; STATE_LEN]>() as u32,
            stack: meter.stack_used() as u32
        }
    );
    println!("{}", Line::Done);
    machine::exit(0)
}

// Functions of their own, so that what is checked and then moved takes its place on the stack once.
#[inline(never)]
fn model() -> Model<'static> {
    Model::parse(MODEL).unwrap_or_else(|error| machine::refuse(error))
}

#[inline(never)]
fn start<'a>(
    request: &Request,
    model: &'a Model<'a>,
    seed: u64,
    inputs: edit::Inputs<'a>,
    arena: &'a mut [u8],
    state: &'a mut [Element],
) -> Sampler<'a, Element> {
    edit::start(request, model, seed, inputs, arena, state).unwrap_or_else(|refusal| machine::refuse(refusal))
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    machine::panicked(info)
}
