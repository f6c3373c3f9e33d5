//! Memory for weights.

use crate::ops::Op;

/// The memory; of length 0 for none.
#[derive(Debug)]
pub(crate) struct WeightMemory<'a>(&'a mut [u32]);

/// An op's weights in that memory, and their offset in the blob.
pub(crate) struct Copied<'c>(Option<(u32, &'c [u8])>);

impl<'a> WeightMemory<'a> {
    /// No memory.
    pub(crate) fn none() -> Self {
        Self(&mut [])
    }

    /// This memory.
    pub(crate) fn of(words: &'a mut [u32]) -> Self {
        Self(words)
    }

    /// Copies the weights of an op that reads them several times, if they fit.
    pub(crate) fn copy(&mut self, op: &Op, blob: &[u8]) -> Copied<'_> {
        Copied(self.copied(op, blob))
    }

    fn copied(&mut self, op: &Op, blob: &[u8]) -> Option<(u32, &[u8])> {
        let (offset, len) = op.weights_read_often()?;
        let weights = blob.get(offset as usize..)?.get(..len)?;
        let place: &mut [u8] = bytemuck::try_cast_slice_mut(self.0).ok()?.get_mut(..len)?;
        place.iter_mut().zip(weights).for_each(|(slot, byte)| *slot = *byte);
        Some((offset, place))
    }
}

impl<'c> Copied<'c> {
    /// Nothing is copied.
    #[cfg(test)]
    pub(crate) const NOTHING: Self = Self(None);

    /// The weights that lie at this offset of the blob.
    pub(crate) fn at(&self, offset: u32) -> Option<&'c [u8]> {
        self.0.filter(|(start, _)| *start == offset).map(|(_, weights)| weights)
    }
}
