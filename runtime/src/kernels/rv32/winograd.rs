//! Winograd's products; the transforms are plain.

use super::instructions::Rv32;
use crate::kernels::epilogue::Output;
use crate::kernels::shared::winograd::{Lane, Place, Transforms};
use crate::kernels::shared::winograd_scalar as scalar;
use core::arch::asm;

/// One channel: four lanes by two output channels, 22 instructions for 8 products.
macro_rules! channel {
    ($x0:literal, $x1:literal, $x2:literal, $x3:literal, $w1:literal) => {
        concat!(
            "lh {u}, ",
            $x0,
            "({w})\n lh {v}, ",
            $w1,
            "({w})\n",
            "lh {t}, ",
            $x0,
            "({x})\n mul {p}, {t}, {u}\n mul {t}, {t}, {v}\n add {a0}, {a0}, {p}\n add {b0}, {b0}, {t}\n",
            "lh {t}, ",
            $x1,
            "({x})\n mul {p}, {t}, {u}\n mul {t}, {t}, {v}\n add {a1}, {a1}, {p}\n add {b1}, {b1}, {t}\n",
            "lh {t}, ",
            $x2,
            "({x})\n mul {p}, {t}, {u}\n mul {t}, {t}, {v}\n add {a2}, {a2}, {p}\n add {b2}, {b2}, {t}\n",
            "lh {t}, ",
            $x3,
            "({x})\n mul {p}, {t}, {u}\n mul {t}, {t}, {v}\n add {a3}, {a3}, {p}\n add {b3}, {b3}, {t}\n",
        )
    };
}

impl Transforms for Rv32 {
    unsafe fn inputs(columns: *const i8, stride: usize, channels: usize, to: *mut u32, plane: usize) {
        // SAFETY: the caller's promise.
        unsafe { scalar::inputs(columns, stride, channels, to, plane) }
    }

    unsafe fn weights(taps: *const i8, channels: usize, to: *mut u32, plane: usize) {
        // SAFETY: the caller's promise.
        unsafe { scalar::weights(taps, channels, to, plane) }
    }

    unsafe fn products(
        mut inputs: *const u32,
        plane: usize,
        mut weights: *const u32,
        words: usize,
        mut sums: *mut i32,
    ) {
        for _ in 0..6 {
            let (mut a, mut b) = ([0i32; 4], [0i32; 4]);
            // SAFETY: the caller's promise: `words` words of two output channels and of four lanes.
            unsafe {
                let end = weights.add(2 * words);
                asm!(
                    ".balign 4",
                    "2:",
                    channel!("0", "4", "8", "12", "4"),
                    channel!("2", "6", "10", "14", "6"),
                    "addi {w}, {w}, 8",
                    "addi {x}, {x}, 16",
                    "bne {w}, {end}, 2b",
                    w = inout(reg) weights => _, x = inout(reg) inputs => _, end = in(reg) end,
                    a0 = inout(reg) a[0], a1 = inout(reg) a[1], a2 = inout(reg) a[2], a3 = inout(reg) a[3],
                    b0 = inout(reg) b[0], b1 = inout(reg) b[1], b2 = inout(reg) b[2], b3 = inout(reg) b[3],
                    u = out(reg) _, v = out(reg) _, t = out(reg) _, p = out(reg) _,
                    options(readonly, nostack),
                );
                for (lane, (a, b)) in a.into_iter().zip(b).enumerate() {
                    sums.add(lane).write(a);
                    sums.add(lane + 4).write(b);
                }
                (sums, weights, inputs) = (sums.add(8), end, inputs.byte_add(plane));
            }
        }
    }

    unsafe fn outputs(at: &Place, out: &mut Output, sums: *const i32, lanes: *const Lane) {
        // SAFETY: the caller's promise.
        unsafe { scalar::outputs::<Self>(at, out, sums, lanes) }
    }
}
