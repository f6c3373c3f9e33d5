//! One core, which computes everything.

use core::marker::PhantomData;
use core::ops::Range;

/// A part of an op's output: all of it.
#[derive(Clone, Copy, Debug)]
pub struct Part;

impl Part {
    /// All of an output.
    pub(crate) const ALL: Self = Self;

    /// Which of `count` channels, pixels or values it has.
    #[inline(always)]
    pub(crate) fn of(self, count: usize, _unit: usize) -> Range<usize> {
        0..count
    }
}

/// The core.
#[derive(Clone, Copy, Debug)]
pub struct Cores<'a>(PhantomData<&'a ()>);

impl Cores<'_> {
    /// The core that calls.
    pub(crate) const ONE: Self = Self(PhantomData);

    /// Has `work` done with its scratch.
    ///
    /// # Safety
    /// None here; see the same function for two cores.
    #[inline(always)]
    pub(crate) unsafe fn share(
        self,
        _need: impl FnOnce() -> usize,
        scratch: &mut [i8],
        work: impl Fn(Part, &mut [i8]),
    ) {
        work(Part::ALL, scratch);
    }
}
