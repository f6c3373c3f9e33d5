//! From accumulators to stored outputs.

use super::requantize::{look_up, Requantize};
use crate::kernels::epilogue::{start_of, Epilogue, Output, Residual};

/// The first address in `scratch` that is a multiple of 8.
pub fn align(scratch: &mut [i8]) -> *mut u32 {
    let start = scratch.as_mut_ptr();
    start.wrapping_add((start as usize).wrapping_neg() & 7).cast()
}

/// Requantizes `count` accumulators into `out[index + p·step]`: of channel `o` all of them, or, where
/// `ACROSS` is 1, of channel `o + p`.
///
/// # Safety
/// The epilogue and `out` are whole for these indices.
#[inline(always)]
pub unsafe fn store<I: Requantize, const P: usize, const ACROSS: usize>(
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
                let mut slot = start_of(out).add(index);
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
                    let slot = start_of(out).add(index + p * step);
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
                    *start_of(out).add(index + p * step) = crate::quant::clamp_i16(scaled(p, acc) >> shift);
                }
            }
        }
    }
}
