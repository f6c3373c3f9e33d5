//! Memory into which a convolution's weights are copied before it runs, where the flash that they lie in is slow.
//!
//! A convolution reads its weights once for every few pixels. From a flash behind a cache that is smaller than they are it
//! gets them anew each time; copied first, they are read from there once. Without the feature `weight-memory` this is
//! empty, and nothing of it is left in a firmware.

use crate::ops::Op;

/// Such memory, or none.
#[derive(Debug)]
pub(crate) struct WeightMemory<'a> {
    #[cfg(feature = "weight-memory")]
    words: &'a mut [u32],
    #[cfg(not(feature = "weight-memory"))]
    none: core::marker::PhantomData<&'a ()>,
}

/// Weights that are copied, and their offset in the blob.
pub(crate) type Copied<'c> = Option<(u32, &'c [u8])>;

impl<'a> WeightMemory<'a> {
    /// No memory.
    pub(crate) fn none() -> Self {
        #[cfg(feature = "weight-memory")]
        return Self { words: &mut [] };
        #[cfg(not(feature = "weight-memory"))]
        Self { none: core::marker::PhantomData }
    }

    /// This memory.
    #[cfg(feature = "weight-memory")]
    pub(crate) fn of(words: &'a mut [u32]) -> Self {
        Self { words }
    }

    /// Copies the weights of an op that reads them several times, if they fit.
    #[inline(always)]
    pub(crate) fn copy(&mut self, _op: &Op, _blob: &[u8]) -> Copied<'_> {
        #[cfg(feature = "weight-memory")]
        {
            let (offset, len) = _op.weights_read_often()?;
            let weights = _blob.get(offset as usize..)?.get(..len)?;
            let place: &mut [u8] = bytemuck::try_cast_slice_mut(self.words).ok()?.get_mut(..len)?;
            place.iter_mut().zip(weights).for_each(|(slot, byte)| *slot = *byte);
            return Some((offset, place));
        }
        #[cfg(not(feature = "weight-memory"))]
        None
    }
}
