//! Elementwise products behind tables, four a turn, for cores that look up one value at a time.

use super::requantize::Requantize;
use crate::kernels::epilogue::start_of;
use crate::kernels::gate::Gate;
use core::cell::Cell;

/// `gate` without checks within its loop; nothing where slices are too short, which callers have checked.
pub fn gate<I: Requantize>(gate: &Gate, out: &[Cell<i8>]) {
    let len = out.len();
    if gate.a.is_some_and(|a| a.len() < len) || gate.b.len() < len {
        return;
    }
    let to = start_of(out);
    let a = gate.a.map_or(to.cast_const(), |a| a.as_ptr());
    let b = gate.b.as_ptr();
    let (multiplier, offset, shift) = (gate.multiplier as i32, gate.offset, gate.shift as u32 & 31);
    // SAFETY: the middle of 256 values, from which every i8 leads to one of them; indices stay below `len`.
    unsafe {
        let [middle_a, middle_b] = gate.tables.map(|table| table.as_ptr().add(128));
        let product = |index: usize| {
            let (a, b) = (*a.add(index) as isize, *b.add(index) as isize);
            let product = *middle_a.offset(a) as i32 * *middle_b.offset(b) as i32;
            I::saturate(product.wrapping_mul(multiplier).wrapping_add(offset) >> shift) as i8
        };
        let mut index = 0;
        while index < len & !3 {
            *to.add(index) = product(index);
            *to.add(index + 1) = product(index + 1);
            *to.add(index + 2) = product(index + 2);
            *to.add(index + 3) = product(index + 3);
            index += 4;
        }
        while index < len {
            *to.add(index) = product(index);
            index += 1;
        }
    }
}
