//! Elementwise products behind tables: sixteen values a turn, looked up by gathering loads.
//!
//! ```text
//!   q + 128 of a, of b      vldrb, vadd.i8        unsigned offsets into the tables
//!   table values            vldrb [table, q]      16 gathered bytes
//!   products                vmullb.s8, vmullt.s8  even and odd bytes, 16 bits
//!   times the multiplier    vmullb.s16, vmullt.s16, vadd.i32, vshl.s32
//!   back to bytes           vqmovnb, vqmovnt      saturating, even and odd places
//! ```
//!
//! 31 instructions for 16 values. Loads and stores alone are predicated: what widens must write whole lanes.

use crate::kernels::epilogue::start_of;
use crate::kernels::gate::Gate;
use core::arch::asm;
use core::cell::Cell;

/// `gate`; returns false without a change where slices are too short.
pub fn gate(gate: &Gate, out: &[Cell<i8>]) -> bool {
    let len = out.len();
    if gate.a.is_some_and(|a| a.len() < len) || gate.b.len() < len {
        return false;
    }
    let to = start_of(out);
    let a = gate.a.map_or(to.cast_const(), |a| a.as_ptr());
    // SAFETY: `vctp` keeps loads and stores within `len`; bytes that are not loaded are 0, and every byte is an index into
    // 256 values. `wls` skips the loop when `len` is 0.
    unsafe {
        asm!(
            "vdup.16 q4, {multiplier}",
            "wls lr, {turns}, 3f",
            "2:",
            "vctp.8 {left}",
            "vpstt",
            "vldrbt.u8 q0, [{a}], #16",
            "vldrbt.u8 q1, [{b}], #16",
            "subs {left}, #16",
            "vadd.i8 q0, q0, {half}",
            "vadd.i8 q1, q1, {half}",
            "vldrb.u8 q2, [{table_a}, q0]",
            "vldrb.u8 q3, [{table_b}, q1]",
            "vmullb.s8 q0, q2, q3",
            "vmullt.s8 q1, q2, q3",
            "vmullb.s16 q2, q0, q4",
            "vmullt.s16 q3, q0, q4",
            "vadd.i32 q2, q2, {offset}",
            "vadd.i32 q3, q3, {offset}",
            "vshl.s32 q2, {shift}",
            "vshl.s32 q3, {shift}",
            "vqmovnb.s32 q0, q2",
            "vqmovnt.s32 q0, q3",
            "vmullb.s16 q2, q1, q4",
            "vmullt.s16 q3, q1, q4",
            "vadd.i32 q2, q2, {offset}",
            "vadd.i32 q3, q3, {offset}",
            "vshl.s32 q2, {shift}",
            "vshl.s32 q3, {shift}",
            "vqmovnb.s32 q1, q2",
            "vqmovnt.s32 q1, q3",
            "vqmovnb.s16 q0, q0",
            "vqmovnt.s16 q0, q1",
            "vpst",
            "vstrbt.8 q0, [{to}], #16",
            "le lr, 2b",
            "3:",
            turns = in(reg) len.div_ceil(16), left = inout(reg) len => _,
            a = inout(reg) a => _, b = inout(reg) gate.b.as_ptr() => _, to = inout(reg) to => _,
            table_a = in(reg) gate.tables[0].as_ptr(), table_b = in(reg) gate.tables[1].as_ptr(),
            half = in(reg) 128, offset = in(reg) gate.offset, shift = in(reg) -(gate.shift as i32 & 31),
            multiplier = in(reg) gate.multiplier as i32,
            out("lr") _,
            out("d0") _, out("d1") _, out("d2") _, out("d3") _, out("d4") _, out("d5") _, out("d6") _, out("d7") _,
            out("d8") _, out("d9") _,
            options(nostack),
        );
    }
    true
}
