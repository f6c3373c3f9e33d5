//! Two cores, which compute a part of an op's output each, or one where there is no second.

use super::fork::{Other, SecondCore};
use core::ops::Range;

/// A part of an op's output.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// All of it.
    All,
    /// The first half.
    First,
    /// The second half.
    Second,
}

impl Part {
    /// All of an output.
    pub(crate) const ALL: Self = Self::All;

    /// Which of `count` channels, pixels or values it has: halves that meet at a multiple of `unit`, the first of which is
    /// the larger.
    #[inline]
    pub(crate) fn of(self, count: usize, unit: usize) -> Range<usize> {
        let middle = || {
            let middle = count.div_ceil(2).next_multiple_of(unit.max(1));
            if middle < count {
                middle
            } else {
                count
            }
        };
        match self {
            Self::All => 0..count,
            Self::First => 0..middle(),
            Self::Second => middle()..count,
        }
    }
}

/// The cores that there are.
#[derive(Clone, Copy, Debug)]
pub struct Cores<'a> {
    second: Option<&'a SecondCore<'a>>,
}

impl<'a> Cores<'a> {
    /// The core that calls.
    pub(crate) const ONE: Self = Self { second: None };

    /// The core that calls, and another.
    pub(crate) fn with(second: &'a SecondCore<'a>) -> Self {
        Self { second: Some(second) }
    }

    /// Has `work` done with its scratch: by two cores, where the second has the `need`ed bytes of scratch of its own, else
    /// by one.
    ///
    /// # Safety
    /// `work` may run for both halves at a time: neither writes what the other reads or writes, but for the scratch that it
    /// is given.
    pub(crate) unsafe fn share(self, need: impl FnOnce() -> usize, scratch: &mut [i8], work: impl Fn(Part, &mut [i8])) {
        let shared = self.with_second(need, |other, own| {
            // SAFETY: the caller's promise.
            unsafe { other.both(|| work(Part::First, scratch), || work(Part::Second, own)) }
        });
        if !shared {
            work(Part::ALL, scratch);
        }
    }

    /// Lends the second core to `work`, and scratch of its own; returns false where there is none, or not as much as is
    /// needed.
    pub(crate) fn with_second(self, need: impl FnOnce() -> usize, work: impl FnOnce(Other, &mut [i8])) -> bool {
        self.second.is_some_and(|second| second.lend(need(), work))
    }
}
