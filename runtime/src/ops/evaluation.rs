//! What ops compute with beside their buffers: the weight blob, the step's channel biases, and the cores.

use super::buffers::as_i8;
use super::requantization::Requantization;
use super::step_bias::StepBiases;
use crate::cores::Cores;
use crate::kernels::{Epilogue, Residual};
use crate::weight_memory::Copied;

/// One evaluation of the network.
pub(crate) struct Evaluation<'a> {
    pub(crate) blob: &'a [u8],
    /// The op's weights in faster memory.
    pub(crate) copied: Copied<'a>,
    pub(crate) biases: &'a StepBiases<'a>,
    pub(crate) cores: Cores<'a>,
}

impl<'a> Evaluation<'a> {
    /// The biases that accumulators start from, and the rest of the scratch: the model's own, or, where
    /// they depend on the step, their sums at the front of the scratch.
    pub(super) fn bias<'s>(
        &self,
        r: &Requantization,
        channels: usize,
        scratch: &'s mut [u8],
    ) -> Option<(&'s [i32], &'s mut [u8])>
    where
        'a: 's,
    {
        let fixed: &'a [i32] = self.table(r.bias, channels * 4)?;
        let Some(step_bias) = &r.step_bias else { return Some((fixed, scratch)) };
        let (sums, rest) = scratch.split_at_mut_checked(channels * 4)?;
        let sums: &mut [i32] = bytemuck::try_cast_slice_mut(sums).ok()?;
        for (c, (sum, &bias)) in sums.iter_mut().zip(fixed).enumerate() {
            *sum = bias.wrapping_add(self.biases.shifted(step_bias, c));
        }
        Some((sums, rest))
    }

    /// How accumulators of `channels` outputs become outputs; `residual` is `None` where the output holds it.
    pub(super) fn epilogue<'s>(
        &self,
        r: &Requantization,
        bias: &'s [i32],
        channels: usize,
        residual: Option<&'s [u8]>,
    ) -> Option<Epilogue<'s>>
    where
        'a: 's,
    {
        Some(Epilogue {
            bias,
            multipliers: self.table(r.multipliers, channels * 2)?,
            offset: r.offset,
            shift: r.shift,
            residual: r.residual.map(|spec| Residual {
                data: residual.map(as_i8),
                multiplier: spec.multiplier,
                shift: spec.shift,
            }),
            lut: r.lut.and_then(|lut| self.lut(lut)),
        })
    }

    /// An activation table.
    pub(super) fn lut(&self, offset: u32) -> Option<&'a [i8; 256]> {
        self.weights(offset)?.first_chunk()
    }

    /// Weights from `offset` on, where they are fastest.
    pub(super) fn weights(&self, offset: u32) -> Option<&'a [i8]> {
        let weights = match self.copied.at(offset) {
            Some(copied) => copied,
            None => self.blob.get(offset as usize..)?,
        };
        Some(as_i8(weights))
    }

    /// Aligned values in the weight blob.
    fn table<T: bytemuck::AnyBitPattern>(&self, offset: u32, len: usize) -> Option<&'a [T]> {
        bytemuck::try_cast_slice(self.blob.get(offset as usize..)?.get(..len)?).ok()
    }
}
