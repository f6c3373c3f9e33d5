//! How accumulators become outputs, laid out for pieces of assembly.

use crate::kernels::epilogue::{start_of, Epilogue, Output};

/// How accumulators become outputs and where these go, as the assembly reads it.
#[repr(C)]
pub struct Finish {
    /// Of the next channel.
    pub multipliers: *const i16,
    /// The next channel of the first output.
    pub out: *mut u8,
    /// Bytes from one output to the next.
    pub step: usize,
    pub offset: i32,
    pub shift: u32,
    /// The middle of the activation's table, 0 for none, or 1 for outputs of i16.
    pub lut: usize,
    /// Like `out`, or null. The residual has i8 and `step`, too.
    pub residual: *const i8,
    /// Of the next channel, and where they end.
    pub bias: [*const i32; 2],
    pub residual_multiplier: i32,
    pub residual_shift: u32,
    /// Outputs to store; the other accumulators count for nothing.
    pub count: usize,
}

impl Finish {
    /// For `count` outputs from pixel `pixel` on, `step` pixels apart, each of `channels` channels, from channel 0 on.
    ///
    /// # Safety
    /// The epilogue and the output are whole.
    #[inline(always)]
    pub unsafe fn new(
        epilogue: &Epilogue,
        out: &mut Output,
        channels: usize,
        pixel: usize,
        step: usize,
        count: usize,
    ) -> Self {
        let (to, size, mut lut) = match out {
            Output::I8(out) => (start_of(out).cast::<u8>(), 1, 0),
            Output::I16(out) => (start_of(out).cast(), 2, 1),
        };
        if let Some(table) = epilogue.lut {
            lut = table.as_ptr() as usize + 128;
        }
        let (mut residual, mut multiplier, mut shift) = (core::ptr::null(), 0, 0);
        if let Some(r) = epilogue.residual {
            residual = r.data.map_or(to.cast_const().cast(), |data| data.as_ptr()).wrapping_add(pixel * channels);
            (multiplier, shift) = (r.multiplier as i32, r.shift as u32 & 31);
        }
        Self {
            multipliers: epilogue.multipliers.as_ptr(),
            out: to.wrapping_add(pixel * channels * size),
            step: step * channels * size,
            offset: epilogue.offset,
            shift: epilogue.shift as u32 & 31,
            lut,
            residual,
            bias: [epilogue.bias.as_ptr(), epilogue.bias.as_ptr().wrapping_add(channels)],
            residual_multiplier: multiplier,
            residual_shift: shift,
            count,
        }
    }
}
