//! Arithmetic that the portable kernels share.

use super::epilogue::{Epilogue, Output, Residual};
use crate::quant::{clamp_i16, clamp_i8, scale};

/// `Σ row·patch`.
#[inline(always)]
pub(super) fn dot(row: &[i8], patch: &[i8]) -> i32 {
    row.iter().zip(patch).map(|(&w, &v)| w as i32 * v as i32).fold(0i32, i32::wrapping_add)
}

/// Requantizes `bias[o] + sum` and stores it at `index`.
#[inline(always)]
pub(super) fn write(epilogue: &Epilogue, out: &mut Output, o: usize, index: usize, sum: i32) {
    let (Some(&bias), Some(&multiplier)) = (epilogue.bias.get(o), epilogue.multipliers.get(o)) else { return };
    let mut t = scale(bias.wrapping_add(sum), multiplier).wrapping_add(epilogue.offset);
    let shift = epilogue.shift as u32 & 31;
    match out {
        Output::I8(out) => {
            let Some(slot) = out.get(index) else { return };
            if let Some(Residual { data, multiplier, shift }) = epilogue.residual {
                let value = data.map_or(slot.get(), |d| d.get(index).copied().unwrap_or(0));
                t = t.wrapping_add((value as i32 * multiplier as i32) >> (shift as u32 & 31));
            }
            slot.set(look_up(epilogue.lut, clamp_i8(t >> shift)));
        }
        Output::I16(out) => {
            if let Some(slot) = out.get(index) {
                slot.set(clamp_i16(t >> shift));
            }
        }
    }
}

/// `q` through the table if there is one.
#[inline(always)]
pub(super) fn look_up(lut: Option<&[i8; 256]>, q: i8) -> i8 {
    match lut {
        Some(lut) => lut[(q as u8 ^ 0x80) as usize],
        None => q,
    }
}

/// The values from `first` on.
#[inline(always)]
pub(super) fn tail(values: &[i8], first: usize) -> &[i8] {
    values.get(first..).unwrap_or(&[])
}
