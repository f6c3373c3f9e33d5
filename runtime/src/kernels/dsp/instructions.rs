//! Single instructions of the DSP extension.

use crate::kernels::shared::requantize::Requantize;
use core::arch::asm;

/// The instruction set.
pub struct Dsp;

/// One instruction with register operands and no other effect.
macro_rules! instruction {
    ($text:literal $(, $operand:expr)*) => {{
        let result: u32;
        // SAFETY: a register operation of the DSP extension; no memory, no stack, no flag that Rust reads.
        unsafe { instruction!(@ $text, result $(, $operand)*) };
        result
    }};
    (@ $text:literal, $r:ident, $a:expr) => {
        asm!($text, out(reg) $r, in(reg) $a, options(pure, nomem, nostack, preserves_flags))
    };
    (@ $text:literal, $r:ident, $a:expr, $b:expr) => {
        asm!($text, out(reg) $r, in(reg) $a, in(reg) $b, options(pure, nomem, nostack, preserves_flags))
    };
    (@ $text:literal, $r:ident, $a:expr, $b:expr, $c:expr) => {
        asm!($text, out(reg) $r, in(reg) $a, in(reg) $b, in(reg) $c, options(pure, nomem, nostack, preserves_flags))
    };
}

pub(super) use instruction;

/// Two signed 16-bit products added to `acc`.
#[inline(always)]
pub fn smlad(x: u32, y: u32, acc: i32) -> i32 {
    instruction!("smlad {}, {}, {}, {}", x, y, acc) as i32
}

/// Bytes 0 and 2 as signed halfwords.
#[inline(always)]
pub fn even(values: u32) -> u32 {
    instruction!("sxtb16 {}, {}", values)
}

/// Bytes 1 and 3 as signed halfwords.
#[inline(always)]
pub fn odd(values: u32) -> u32 {
    instruction!("sxtb16 {}, {}, ror #8", values)
}

impl Requantize for Dsp {
    #[inline(always)]
    fn scale(acc: i32, multiplier: i16, offset: i32) -> i32 {
        instruction!("smlawb {}, {}, {}, {}", acc, multiplier as i32, offset) as i32
    }

    #[inline(always)]
    fn saturate(q: i32) -> i32 {
        instruction!("ssat {}, #8, {}", q) as i32
    }
}
