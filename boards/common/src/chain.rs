//! A chain with its times and digests.

use crate::report::Line;
use brownian::{Part, Sampler};

/// Ticks that a chain took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// All steps, without what `tell` does between them.
    pub chain: u64,
    /// Of those, in the network.
    pub network: u64,
}

/// Makes `steps` steps, or as many as there are left; `clock` gives ticks, `tell` gets a [`Line::Step`] after
/// each. A caller that has something else to do asks for one step at a time.
///
/// `clock` is also read after every op, so that a counter of few bits does not wrap unseen.
pub fn run(sampler: &mut Sampler, steps: u32, clock: &mut impl FnMut() -> u64, mut tell: impl FnMut(Line)) -> Times {
    let mut times = Times::default();
    for _ in 0..steps {
        let start = clock();
        let (mut loaded, mut evaluated) = (start, start);
        let made = sampler.step_observed(|part| match part {
            Part::Quantize => loaded = clock(),
            Part::Op(_) => evaluated = clock(),
            Part::Update => {}
        });
        let ticks = clock() - start;
        if !made {
            break;
        }
        times.chain += ticks;
        times.network += evaluated - loaded;
        tell(Line::Step { step: sampler.steps_done() as u32, digest: sampler.digest(), ticks });
    }
    times
}
