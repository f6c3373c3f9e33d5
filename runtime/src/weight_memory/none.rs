//! No memory for weights.

use crate::ops::Op;
use core::marker::PhantomData;

/// No memory.
#[derive(Debug)]
pub(crate) struct WeightMemory<'a>(PhantomData<&'a mut [u32]>);

/// Nothing is copied.
pub(crate) struct Copied<'c>(PhantomData<&'c [u8]>);

impl WeightMemory<'_> {
    /// No memory.
    pub(crate) fn none() -> Self {
        Self(PhantomData)
    }

    /// Copies nothing.
    #[inline(always)]
    pub(crate) fn copy(&mut self, _: &Op, _: &[u8]) -> Copied<'_> {
        Copied(PhantomData)
    }
}

impl<'c> Copied<'c> {
    /// Nothing is copied.
    #[cfg(test)]
    pub(crate) const NOTHING: Self = Self(PhantomData);

    /// Nowhere.
    #[inline(always)]
    pub(crate) fn at(&self, _: u32) -> Option<&'c [u8]> {
        None
    }
}
