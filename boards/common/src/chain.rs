//! A chain with its times and digests.

use crate::report::Line;
use crate::times::Times;
use brownian::{Model, Progress, Sampler, StateElement};

/// Which ops of a model multiply weights; a bit an op.
fn convolutions(model: &Model) -> [u32; 8] {
    let mut bits = [0; 8];
    for (index, op) in model.ops().enumerate() {
        if op.macs() > 0 {
            if let Some(word) = bits.get_mut(index / 32) {
                *word |= 1 << (index % 32);
            }
        }
    }
    bits
}

/// Makes `steps` steps, or as many as there are left; `clock` gives ticks, `tell` gets a [`Line::Step`] after
/// each. A caller that has something else to do asks for one step at a time.
///
/// `clock` is also read after every op, so that a counter of few bits does not wrap unseen.
pub fn run<E: StateElement>(
    sampler: &mut Sampler<E>,
    steps: u32,
    clock: &mut impl FnMut() -> u64,
    mut tell: impl FnMut(Line),
) -> Times {
    let mut times = Times::default();
    let convolutions = convolutions(sampler.model());
    for _ in 0..steps {
        let start = clock();
        let mut before = start;
        let mut network = 0;
        loop {
            match sampler.advance() {
                Progress::Quantized => before = clock(),
                Progress::Op(index) => {
                    let now = clock();
                    network += now - before;
                    if convolutions.get(usize::from(index / 32)).is_some_and(|word| word >> (index % 32) & 1 == 1) {
                        times.convolutions += now - before;
                    }
                    before = now;
                }
                Progress::Done => return times,
                _ => break,
            }
        }
        let ticks = clock() - start;
        times.chain += ticks;
        times.network += network;
        tell(Line::Step { step: sampler.steps_done() as u32, digest: sampler.digest(), ticks });
    }
    times
}
