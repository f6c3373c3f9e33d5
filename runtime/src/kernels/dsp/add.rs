//! Elementwise sums: a word of each operand, four sums.

use super::instructions::{even, instruction, odd, Dsp};
use crate::kernels::add::Add;
use crate::kernels::epilogue::start_of;
use crate::kernels::shared::requantize::{look_up, Requantize};
use core::arch::asm;
use core::cell::Cell;

/// `add` by words; returns false without a change where slices are too short or not aligned.
pub fn add(add: &Add, out: &[Cell<i8>]) -> bool {
    let len = out.len();
    let to = start_of(out);
    let a = add.a.map_or(to.cast_const(), |a| a.as_ptr());
    let whole = add.a.is_none_or(|a| a.len() >= len) && add.b.len() >= len;
    if !whole || !(a as usize | add.b.as_ptr() as usize | to as usize).is_multiple_of(4) {
        return false;
    }
    // SAFETY: all three slices have `len` values, aligned to 4.
    unsafe {
        let b = add.b.as_ptr();
        match add.lut {
            Some(_) => sums(add, a, b, to, len, |q| look_up(add.lut, q)),
            None => sums(add, a, b, to, len, |q| q as i8),
        }
    }
    true
}

/// # Safety
/// `a`, `b` and `to` have `len` values, aligned to 4.
#[inline(always)]
unsafe fn sums(add: &Add, a: *const i8, b: *const i8, to: *mut i8, len: usize, finish: impl Fn(i32) -> i8) {
    let multipliers = add.multipliers[0] as u16 as u32 | (add.multipliers[1] as u16 as u32) << 16;
    let (offset, shift) = (add.offset, add.shift as u32 & 31);
    let low = |a: u32, b: u32| {
        let t = instruction!("smlabb {}, {}, {}, {}", a, multipliers, offset);
        finish(Dsp::saturate(instruction!("smlabt {}, {}, {}, {}", b, multipliers, t) as i32 >> shift))
    };
    let high = |a: u32, b: u32| {
        let t = instruction!("smlatb {}, {}, {}, {}", a, multipliers, offset);
        finish(Dsp::saturate(instruction!("smlatt {}, {}, {}, {}", b, multipliers, t) as i32 >> shift))
    };
    // SAFETY: index stays below `len`.
    unsafe {
        for index in (0..len & !3).step_by(4) {
            let (x, y) = (*a.add(index).cast::<u32>(), *b.add(index).cast::<u32>());
            let (xe, xo, ye, yo) = (even(x), odd(x), even(y), odd(y));
            *to.add(index) = low(xe, ye);
            *to.add(index + 1) = low(xo, yo);
            *to.add(index + 2) = high(xe, ye);
            *to.add(index + 3) = high(xo, yo);
        }
        for index in len & !3..len {
            *to.add(index) = low(*a.add(index) as u32, *b.add(index) as u32);
        }
    }
}
