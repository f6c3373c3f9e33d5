//! The last steps from an accumulator to an i8.

/// Requantization, as an instruction set does it best.
pub trait Requantize {
    /// `scale(acc, multiplier) + offset`, see [`quant::scale`](crate::quant::scale).
    #[inline(always)]
    fn scale(acc: i32, multiplier: i16, offset: i32) -> i32 {
        crate::quant::scale(acc, multiplier).wrapping_add(offset)
    }

    /// Clamps to the i8 range.
    #[inline(always)]
    fn saturate(q: i32) -> i32 {
        q.clamp(i8::MIN as i32, i8::MAX as i32)
    }
}

/// [`Requantize::scale`] where the upper half of a 32-bit product is one instruction.
#[inline(always)]
pub fn scale_by_upper_half(acc: i32, multiplier: i16, offset: i32) -> i32 {
    let high = (acc as i64 * ((multiplier as i32) << 16) as i64) >> 32;
    (high as i32).wrapping_add(offset)
}

/// [`Requantize::saturate`] where a comparison is dear: of sign and seven bits.
#[inline(always)]
pub fn saturate_by_sign(q: i32) -> i32 {
    if q as i8 as i32 == q {
        q
    } else {
        (q >> 31) ^ 127
    }
}

/// `q`, in the i8 range, through the table if there is one.
#[inline(always)]
pub fn look_up(lut: Option<&[i8; 256]>, q: i32) -> i8 {
    match lut {
        // SAFETY: the index is masked to 0..256.
        Some(lut) => unsafe { *lut.as_ptr().add((q as usize ^ 0x80) & 0xFF) },
        None => q as i8,
    }
}
