//! Winograd's products and outputs; the transforms are plain.

use super::finish::finish;
use super::instructions::Rv32;
use crate::kernels::conv::Conv;
use crate::kernels::epilogue::Output;
use crate::kernels::shared::finish::Finish;
use crate::kernels::shared::winograd::{Lane, Place, Transforms};
use crate::kernels::shared::winograd_scalar as scalar;
use core::arch::asm;

/// One channel: four lanes by two output channels, 22 instructions for 8 products.
macro_rules! channel {
    ($w0:literal, $w1:literal, $x0:literal, $x1:literal, $x2:literal, $x3:literal) => {
        concat!(
            "lh {u}, ",
            $w0,
            "({w})\n lh {v}, ",
            $w1,
            "({w})\n",
            lane!($x0, "{a0}", "{b0}"),
            lane!($x1, "{a1}", "{b1}"),
            lane!($x2, "{a2}", "{b2}"),
            lane!($x3, "{a3}", "{b3}"),
        )
    };
}
macro_rules! lane {
    ($x:literal, $a:literal, $b:literal) => {
        concat!(
            "lh {t}, ",
            $x,
            "({x})\n mul {p}, {t}, {u}\n mul {t}, {t}, {v}\n",
            "add ",
            $a,
            ", ",
            $a,
            ", {p}\n add ",
            $b,
            ", ",
            $b,
            ", {t}\n",
        )
    };
}

/// What outputs begin with.
pub struct Job {
    finish: Finish,
    out: *mut u8,
    residual: *const i8,
    /// 1 where outputs are i16.
    wide: usize,
}

impl Transforms for Rv32 {
    type Job = Job;

    unsafe fn job(conv: &Conv, out: &mut Output) -> Job {
        let wide = matches!(out, Output::I16(_)) as usize;
        // SAFETY: the caller's promise.
        let finish = unsafe { Finish::new(&conv.epilogue, out, conv.output[2], 0, conv.window.dilation[1], 0) };
        Job { out: finish.out, residual: finish.residual, finish, wide }
    }

    /// Four channels a turn.
    #[inline(never)]
    unsafe fn dot(acc: &mut [i32; 8], inputs: *const u32, weights: *const u32, words: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            asm!(
                "2:",
                channel!("0", "4", "0", "4", "8", "12"),
                channel!("2", "6", "2", "6", "10", "14"),
                channel!("8", "12", "16", "20", "24", "28"),
                channel!("10", "14", "18", "22", "26", "30"),
                "addi {w}, {w}, 16",
                "addi {x}, {x}, 32",
                "bne {w}, {end}, 2b",
                w = inout(reg) weights => _, x = inout(reg) inputs => _, end = in(reg) weights.add(2 * words),
                a0 = inout(reg) acc[0], a1 = inout(reg) acc[1], a2 = inout(reg) acc[2], a3 = inout(reg) acc[3],
                b0 = inout(reg) acc[4], b1 = inout(reg) acc[5], b2 = inout(reg) acc[6], b3 = inout(reg) acc[7],
                u = out(reg) _, v = out(reg) _, t = out(reg) _, p = out(reg) _,
                options(readonly, nostack),
            );
        }
    }

    unsafe fn outputs(job: &mut Job, at: &Place, _: &mut Output, sums: *const i32, lanes: *const Lane) {
        let [_, width, channels] = at.conv.output;
        let (epilogue, row) = (&at.conv.epilogue, at.row * width * channels + at.o);
        for lane in 0..4 {
            // SAFETY: the caller's promise. What `finish` overwrites is said.
            unsafe {
                let Lane { first, columns, rows } = *lanes.add(lane);
                if at.row >= rows as usize {
                    continue;
                }
                let index = first as usize + row;
                let finish_at = &mut job.finish;
                finish_at.multipliers = epilogue.multipliers.as_ptr().add(at.o);
                finish_at.out = job.out.wrapping_add(index << job.wide);
                if !job.residual.is_null() {
                    finish_at.residual = job.residual.wrapping_add(index);
                }
                finish_at.count = columns as usize;
                for channel in 0..at.channels {
                    let bias = *epilogue.bias.as_ptr().add(at.o + channel);
                    let [y0, y1, y2, y3] = scalar::outputs_of(sums.add(4 * channel + lane), at.doubled);
                    asm!(
                        "call {finish}",
                        finish = sym finish,
                        inout("a0") y0.wrapping_add(bias) => _, inout("a1") y1.wrapping_add(bias) => _,
                        inout("a2") y2.wrapping_add(bias) => _, inout("a3") y3.wrapping_add(bias) => _,
                        in("a4") finish_at as *mut Finish,
                        out("a5") _, out("a6") _, out("a7") _, out("t0") _, out("t1") _, out("t2") _, out("t3") _,
                        out("t4") _, out("ra") _,
                    );
                }
            }
        }
    }
}
