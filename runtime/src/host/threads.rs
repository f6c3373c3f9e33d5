//! A thread in the place of a second core.

use crate::{Fork, Work};

/// Hands work to a thread that lives as long as the work: for tests, and to see what a chip with two cores computes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Threads;

impl Fork for Threads {
    fn fork<'w>(&self, here: Work<'w>, there: Work<'w>) {
        std::thread::scope(|scope| {
            scope.spawn(there);
            here();
        });
    }
}
