#![no_std]
#![no_main]
//! Like `digits`, for chains that evaluate twice a step, start from an image, keep parts of one, are saved, or go on
//! from a snapshot. Its command line says which, see [`Request`]; image, mask and snapshot are [`machine::inputs`].

use brownian::{include_model, Arena, Model};
use brownian_board::{chain, edit, report::Line, request::Request};
use machine::{println, Arguments, Meter};
use static_cell::ConstStaticCell;

const MODEL: &[u8] = include_model!(env!("MODEL"));
static ARENA: ConstStaticCell<Arena<{ brownian::arena_len(MODEL) }>> = ConstStaticCell::new(Arena::new());
static STATE: ConstStaticCell<[f32; brownian::state_len_two_evaluations(MODEL)]> =
    ConstStaticCell::new([0.0; brownian::state_len_two_evaluations(MODEL)]);

#[machine::entry]
fn main() -> ! {
    let mut meter = Meter::start();
    let arguments = Arguments::get();
    let request = arguments.words().try_fold(Request::default(), Request::word);
    let request = request.unwrap_or_else(|bad| machine::refuse(bad));
    let model = Model::parse(MODEL).unwrap_or_else(|error| machine::refuse(error));
    let inputs = edit::Inputs::new(machine::inputs(), &model);
    let (arena, state) = (ARENA.take(), STATE.take());
    for seed in request.seeds() {
        println!("{}", Line::Chain { seed });
        let sampler = edit::start(&request, &model, seed, inputs, arena.bytes_mut(), state);
        let mut sampler = sampler.unwrap_or_else(|refusal| machine::refuse(refusal));
        let mut times = chain::Times::default();
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
            state: 4 * model.state_len_two_evaluations() as u32,
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
