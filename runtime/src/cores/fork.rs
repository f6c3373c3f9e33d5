//! A second core, and how work is handed to it.

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;

/// Half of an op, for one core.
pub type Work<'w> = &'w mut (dyn FnMut() + Send + 'w);

/// Two cores, between which work is divided; see [`SecondCore`].
pub trait Fork {
    /// Does `here` on the core that calls and `there` on the other, at the same time or one after the other, and returns when
    /// both are done. What was written before the call is seen by both, and what both have written is seen by the caller.
    fn fork<'w>(&self, here: Work<'w>, there: Work<'w>);
}

/// A second core, and the scratch that it works in. A [`Sampler`](crate::Sampler) hands it half of the outputs of an op; the
/// bytes of the result are those of one core.
///
/// ```
/// use brownian::{host::Threads, include_model, Arena, Model, Sampler, SecondCore};
///
/// static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));
/// let model = Model::parse(FILE)?;
/// let mut scratch = vec![0; model.second_scratch_len()];
/// let second = SecondCore::new(&Threads, &mut scratch);
///
/// let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
/// let mut state = [0.0; brownian::state_len(FILE)];
/// let plan = model.plan("fast5").expect("the model has this plan");
/// let mut sampler = Sampler::builder(&model, plan).start(arena.bytes_mut(), &mut state)?.with_second_core(&second);
/// while sampler.step() {}
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SecondCore<'a> {
    fork: &'a dyn Fork,
    scratch: *mut [u8],
    is_lent: Cell<bool>,
    /// Of the scratch.
    own: PhantomData<&'a mut [u8]>,
}

impl<'a> SecondCore<'a> {
    /// The core behind `fork`, with scratch of [`Model::second_scratch_len`](crate::Model::second_scratch_len) bytes. An op
    /// that needs more than there is runs on the first core alone.
    pub fn new(fork: &'a dyn Fork, scratch: &'a mut [u8]) -> Self {
        Self { fork, scratch, is_lent: Cell::new(false), own: PhantomData }
    }

    /// Lends the core and its scratch, where that has `need` bytes and is not lent; else returns false.
    pub(crate) fn lend(&self, need: usize, work: impl FnOnce(Other, &mut [i8])) -> bool {
        if self.scratch.len() < need || self.is_lent.replace(true) {
            return false;
        }
        // SAFETY: what `new` was given, for as long as this lives, and nobody else has it now.
        let scratch = unsafe { &mut *self.scratch };
        work(Other { fork: self.fork }, bytemuck::cast_slice_mut(scratch));
        self.is_lent.set(false);
        true
    }
}

impl fmt::Debug for SecondCore<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecondCore")
    }
}

/// The other core, lent for one op.
#[derive(Clone, Copy)]
pub struct Other<'a> {
    fork: &'a dyn Fork,
}

impl Other<'_> {
    /// Does both at a time.
    ///
    /// # Safety
    /// Neither writes what the other reads or writes.
    pub(crate) unsafe fn both(self, here: impl FnMut(), there: impl FnMut()) {
        let (mut here, mut there) = (Task(here), Task(there));
        self.fork.fork(&mut || here.run(), &mut || there.run());
    }
}

/// Work that may be done on another core.
struct Task<F>(F);

// SAFETY: who makes one promises that it shares nothing that is written, see `Other::both`.
unsafe impl<F> Send for Task<F> {}

impl<F: FnMut()> Task<F> {
    fn run(&mut self) {
        (self.0)();
    }
}
