//! From accumulators to stored outputs, and what else the fast backends share.

use super::{Epilogue, Output, Residual, Source};

/// Requantization, as an instruction set does it best.
pub(super) trait Requantize {
    /// `scale(acc, multiplier) + offset`.
    fn scale(acc: i32, multiplier: i16, offset: i32) -> i32;

    /// Clamps to the i8 range.
    fn saturate(q: i32) -> i32;
}

/// The first address in `scratch` that is a multiple of 8.
pub(super) fn align(scratch: &mut [i8]) -> *mut u32 {
    let start = scratch.as_mut_ptr();
    start.wrapping_add((start as usize).wrapping_neg() & 7).cast()
}

impl Source<'_> {
    /// Whether the slice has the values that the shape says.
    pub(super) fn is_whole(&self) -> bool {
        self.data.len() >= self.height * self.width * self.channels
    }
}

impl Epilogue<'_> {
    /// Whether the slices suffice for `channels` channels and `values` outputs.
    pub(super) fn is_whole(&self, channels: usize, values: usize, out: &Output) -> bool {
        let residual = self.residual.and_then(|r| r.data).is_none_or(|d| d.len() >= values);
        let room = match out {
            Output::I8(out) => out.len(),
            Output::I16(out) => out.len(),
        };
        residual && room >= values && self.bias.len() >= channels && self.multipliers.len() >= channels
    }
}

/// Requantizes `count` accumulators into `out[index + p·step]`: of channel `o` all of them, or, where
/// `ACROSS` is 1, of channel `o + p`.
///
/// # Safety
/// The epilogue and `out` are whole for these indices.
#[inline(always)]
pub(super) unsafe fn store<I: Requantize, const P: usize, const ACROSS: usize>(
    epilogue: &Epilogue,
    out: &mut Output,
    acc: [i32; P],
    count: usize,
    o: usize,
    index: usize,
    step: usize,
) {
    let (offset, shift) = (epilogue.offset, epilogue.shift as u32 & 31);
    // SAFETY: the caller's promise.
    unsafe {
        let multipliers = epilogue.multipliers.as_ptr().add(o);
        let first = *multipliers;
        let scaled = |p: usize, acc: i32| I::scale(acc, if ACROSS == 0 { first } else { *multipliers.add(p) }, offset);
        match out {
            Output::I8(out) if epilogue.residual.is_none() && count == P => {
                let mut slot = out.as_mut_ptr().add(index);
                if let Some(lut) = epilogue.lut {
                    let middle = lut.as_ptr().add(128);
                    for (p, acc) in acc.into_iter().enumerate() {
                        *slot = *middle.offset(I::saturate(scaled(p, acc) >> shift) as isize);
                        slot = slot.wrapping_add(step);
                    }
                } else {
                    for (p, acc) in acc.into_iter().enumerate() {
                        *slot = I::saturate(scaled(p, acc) >> shift) as i8;
                        slot = slot.wrapping_add(step);
                    }
                }
            }
            Output::I8(out) => {
                for (p, acc) in acc.into_iter().enumerate().take(count) {
                    let slot = out.as_mut_ptr().add(index + p * step);
                    let mut t = scaled(p, acc);
                    if let Some(Residual { data, multiplier, shift }) = epilogue.residual {
                        let value = data.map_or(*slot, |d| *d.as_ptr().add(index + p * step));
                        t = t.wrapping_add((value as i32 * multiplier as i32) >> (shift as u32 & 31));
                    }
                    *slot = look_up(epilogue.lut, I::saturate(t >> shift));
                }
            }
            Output::I16(out) => {
                for (p, acc) in acc.into_iter().enumerate().take(count) {
                    *out.as_mut_ptr().add(index + p * step) = crate::quant::clamp_i16(scaled(p, acc) >> shift);
                }
            }
        }
    }
}

/// `q`, in the i8 range, through the table if there is one.
#[inline(always)]
pub(super) fn look_up(lut: Option<&[i8; 256]>, q: i32) -> i8 {
    match lut {
        // SAFETY: the index is masked to 0..256.
        Some(lut) => unsafe { *lut.as_ptr().add((q as usize ^ 0x80) & 0xFF) },
        None => q as i8,
    }
}
