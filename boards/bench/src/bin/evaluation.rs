//! Counts the instructions of one evaluation of a network: on one core, and along the longest way through two.
//!
//! There is one core here, on which the halves of an op run in turn; each is counted, and the shorter one taken off. Prints
//! `evaluation|one core|two cores|handed over|bytes of scratch of the second core`, where handing work over and waiting for
//! it counts as [`HANDOVER`] instructions. Both chains must give the same step.
#![no_std]
#![no_main]

use bench::count;
use brownian::{include_model, Arena, Fork, Model, Progress, Sampler, SecondCore, StateElement, StateElementOf, Work};
use core::cell::Cell;
use semihosting::{println, process::exit};

const MODEL: &[u8] = include_model!(env!("MODEL"));
type Element = StateElementOf<{ brownian::state_kind(MODEL).number() }>;
type State = [Element; brownian::state_len(MODEL)];

/// Instructions of one handover: `brownian_board::mailbox` stores an address, signals, wakes the other core, and is woken.
const HANDOVER: u32 = 40;
/// Bytes of scratch for the second core.
const SCRATCH: usize = 16 * 1024;

static mut ARENA: Arena<{ brownian::arena_len(MODEL) }> = Arena::new();
static mut STATE: State = [<Element as StateElement>::ZERO; brownian::state_len(MODEL)];
static mut SECOND: [u8; SCRATCH] = [0; SCRATCH];

/// Two cores in turn.
#[derive(Default)]
struct Turns {
    /// Whether halves are counted.
    counts: bool,
    forks: Cell<u32>,
    /// Instructions of the shorter halves.
    shorter: Cell<u32>,
}

impl Fork for Turns {
    #[inline(never)]
    fn fork<'w>(&self, here: Work<'w>, there: Work<'w>) {
        if self.counts {
            let (first, second) = (count::instructions(here), count::instructions(there));
            self.shorter.set(self.shorter.get() + first.min(second));
            self.forks.set(self.forks.get() + 1);
        } else {
            here();
            there();
        }
    }
}

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    if count::calibrate() != 1000 {
        println!("error: run under `-icount shift=0` on the machine built for");
        exit(3);
    }
    let (arena, state, scratch) = (&raw mut ARENA, &raw mut STATE, &raw mut SECOND);
    // SAFETY: the only uses, and main runs once.
    let (arena, state, scratch) = unsafe { (&mut *arena, &mut *state, &mut *scratch) };
    let model = Model::parse(MODEL).unwrap_or_else(|error| refuse(error));
    let len = model.second_scratch_len();
    let Some(scratch) = scratch.get_mut(..len) else { refuse("the second core needs more scratch") };
    let (one, digest) = count_evaluation(&model, arena.bytes_mut(), state, None);
    let turns = Turns::default();
    let second = SecondCore::new(&turns, scratch);
    let (both, both_digest) = count_evaluation(&model, arena.bytes_mut(), state, Some(&second));
    let turns = Turns { counts: true, ..Turns::default() };
    let second = SecondCore::new(&turns, scratch);
    count_evaluation(&model, arena.bytes_mut(), state, Some(&second));
    if digest != both_digest {
        refuse("two cores make another step than one");
    }
    let forks = turns.forks.get();
    println!("evaluation|{one}|{}|{forks}|{len}", both - turns.shorter.get() + forks * HANDOVER);
    println!("done");
    exit(0)
}

/// Instructions of all ops of the first step, and the step's digest.
fn count_evaluation<'a>(
    model: &'a Model<'a>,
    arena: &'a mut [u8],
    state: &'a mut State,
    second: Option<&'a SecondCore<'a>>,
) -> (u32, u32) {
    let plan = model.plans().next().unwrap_or_else(|| refuse("the model has no plan"));
    let chain = Sampler::builder(model, plan).seed(1);
    let chain = if model.classes() > 0 { chain.class(1) } else { chain };
    let mut sampler = chain.start(arena, state).unwrap_or_else(|error| refuse(error));
    if let Some(second) = second {
        sampler = sampler.with_second_core(second);
    }
    let mut sum = 0;
    loop {
        let mut progress = Progress::Done;
        let instructions = count::instructions(&mut || progress = sampler.advance());
        match progress {
            Progress::Op(_) => sum += instructions,
            Progress::Stepped | Progress::Done => return (sum, sampler.digest()),
            _ => {}
        }
    }
}

fn refuse(why: impl core::fmt::Display) -> ! {
    println!("error: {why}");
    exit(1)
}
