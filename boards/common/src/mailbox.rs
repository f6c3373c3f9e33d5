//! Work on its way to a second core, by one word that both cores see.
//!
//! The first core writes where the work is and wakes the second, which does it, clears the word and wakes the first. Cores
//! that have nothing to do wait; what that is the board says, `wfe` and `sev` on Arm.

use brownian::{Fork, Work};
use core::cell::Cell;
use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// A place for one piece of work.
#[derive(Debug)]
pub struct Mailbox {
    /// Null where there is none; else it lives, and only the second core uses it, until it is null again.
    work: AtomicPtr<Work<'static>>,
    wait: fn(),
    wake: fn(),
}

impl Mailbox {
    /// Empty. `wait` returns when `wake` has been called on either core since it last returned, or earlier.
    pub const fn new(wait: fn(), wake: fn()) -> Self {
        Self { work: AtomicPtr::new(ptr::null_mut()), wait, wake }
    }

    /// The first core's side, and the second's.
    pub fn split(&mut self) -> (Outbox<'_>, Inbox<'_>) {
        let mailbox = &*self;
        (Outbox { mailbox, one: PhantomData }, Inbox { mailbox })
    }

    fn is_empty(&self) -> bool {
        self.work.load(Ordering::Acquire).is_null()
    }
}

/// Where the first core hands over work.
#[derive(Debug)]
pub struct Outbox<'m> {
    mailbox: &'m Mailbox,
    /// Not shared: there is room for one piece.
    one: PhantomData<Cell<()>>,
}

impl Fork for Outbox<'_> {
    fn fork<'w>(&self, here: Work<'w>, mut there: Work<'w>) {
        /// Waits until the work is done, even where `here` panics.
        struct Done<'m>(&'m Mailbox);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                if self.0.is_empty() {
                    return;
                }
                while !self.0.is_empty() {
                    (self.0.wait)();
                }
                // An interrupt may have woken this core for others, an executor that is to sleep only where nobody has:
                // its next wait must not last.
                (self.0.wake)();
            }
        }
        let done = Done(self.mailbox);
        // Nothing of `there` is used here until `done` is dropped, which it outlives.
        self.mailbox.work.store((&raw mut there).cast(), Ordering::Release);
        (self.mailbox.wake)();
        here();
        drop(done);
    }
}

/// Where the second core finds work.
#[derive(Debug)]
pub struct Inbox<'m> {
    mailbox: &'m Mailbox,
}

impl Inbox<'_> {
    /// Does what there is to do, or waits; whether there was something to do.
    pub fn serve(&mut self) -> bool {
        if self.mailbox.is_empty() {
            (self.mailbox.wait)();
            return false;
        }
        // SAFETY: `fork` has put it there, keeps it alive and leaves it alone until the place is empty again.
        unsafe { (*self.mailbox.work.load(Ordering::Relaxed))() };
        self.mailbox.work.store(ptr::null_mut(), Ordering::Release);
        (self.mailbox.wake)();
        true
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use brownian::host::{ChainMemory, OwnedModel};
    use brownian::{Sampler, SecondCore};
    use std::sync::atomic::AtomicBool;
    use std::{thread, vec, vec::Vec};

    /// Does `work` with a second core that serves meanwhile; returns how often that had something to do.
    fn with_second_core(work: impl FnOnce(&Outbox)) -> usize {
        let mut mailbox = Mailbox::new(thread::yield_now, || ());
        let (outbox, mut inbox) = mailbox.split();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let serving = scope.spawn(|| {
                let mut served = 0;
                while !stop.load(Ordering::Relaxed) {
                    served += usize::from(inbox.serve());
                }
                served
            });
            work(&outbox);
            stop.store(true, Ordering::Relaxed);
            serving.join().unwrap()
        })
    }

    /// Each half is done once a fork, and what it has written is there when the fork returns.
    #[test]
    fn both_halves_are_done_once() {
        let served = with_second_core(|outbox| {
            let (mut here, mut there) = (0u64, 0u64);
            for turn in 1..=20_000 {
                outbox.fork(&mut || here += turn, &mut || there += 2 * turn);
                assert_eq!((here, there), (turn * (turn + 1) / 2, turn * (turn + 1)));
            }
        });
        assert_eq!(served, 20_000);
    }

    std::thread_local! {
        /// Whether the next wait of this core returns at once.
        static EVENT: Cell<bool> = const { Cell::new(false) };
    }

    /// Who waits on the first core after a fork that has waited there is woken: what it waits for may have come meanwhile.
    #[test]
    fn a_fork_that_waits_leaves_an_event() {
        static HAS_WAITED: AtomicBool = AtomicBool::new(false);
        let wait = || {
            HAS_WAITED.fetch_or(EVENT.replace(false), Ordering::Relaxed);
            thread::yield_now();
        };
        let mut mailbox = Mailbox::new(wait, || EVENT.set(true));
        let (outbox, mut inbox) = mailbox.split();
        thread::scope(|scope| {
            scope.spawn(|| while !inbox.serve() {});
            outbox.fork(&mut || (), &mut || {
                while !HAS_WAITED.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
            });
        });
        assert!(EVENT.get());
    }

    /// A chain whose halves go through a mailbox is the chain of one core.
    #[test]
    fn a_chain_is_the_same() {
        let file = OwnedModel::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/digits28-nano.brn")).unwrap();
        let model = file.model();
        let chain = || Sampler::builder(&model, model.plan("fast5").unwrap()).seed(9);
        let (mut one, mut two) = (ChainMemory::new(&model), ChainMemory::new(&model));
        let mut sampler = one.start::<f32>(chain()).unwrap();
        let mut expected = Vec::new();
        while sampler.step() {
            expected.push(sampler.digest());
        }
        let served = with_second_core(|outbox| {
            let mut scratch = vec![0; model.second_scratch_len()];
            let second = SecondCore::new(outbox, &mut scratch);
            let mut sampler = two.start::<f32>(chain()).unwrap().with_second_core(&second);
            for digest in expected {
                assert!(sampler.step());
                assert_eq!(sampler.digest(), digest);
            }
        });
        assert!(served > 50, "{served} pieces of work");
    }
}
