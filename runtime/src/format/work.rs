//! Counts what parsing looks at, for the test that this grows no faster than the file.

extern crate std;
use core::cell::Cell;

std::thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

/// Notes that `bytes` were decoded or examined.
pub(crate) fn add(bytes: usize) {
    BYTES.set(BYTES.get() + bytes);
}

/// What was noted since the last call, on this thread.
pub(crate) fn take() -> usize {
    BYTES.take()
}
