//! A thread in the place of a second core.

use crate::Fork;

/// Hands work to a thread that lives as long as the work: for tests, and to see what a chip with two cores computes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Threads;

impl Fork for Threads {
    fn fork(&self, here: &mut (dyn FnMut() + Send), there: &mut (dyn FnMut() + Send)) {
        std::thread::scope(|scope| {
            scope.spawn(there);
            here();
        });
    }
}
