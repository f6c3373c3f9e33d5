//! Linear layers: several outputs share each input.

use core::arch::asm;

/// One tap of eight rows: an input, then a weight, a product and a sum for each.
macro_rules! tap {
    ($at:literal) => {
        concat!(
            "lb {x}, ",
            $at,
            "({input})\n",
            row!($at, "{r0}", "{a0}"),
            row!($at, "{r1}", "{a1}"),
            row!($at, "{r2}", "{a2}"),
            row!($at, "{r3}", "{a3}"),
            row!($at, "{r4}", "{a4}"),
            row!($at, "{r5}", "{a5}"),
            row!($at, "{r6}", "{a6}"),
            row!($at, "{r7}", "{a7}"),
        )
    };
}
macro_rules! row {
    ($at:literal, $row:literal, $acc:literal) => {
        concat!("lb {w}, ", $at, "(", $row, ")\n mul {w}, {w}, {x}\n add ", $acc, ", ", $acc, ", {w}\n")
    };
}
macro_rules! step {
    ($by:literal) => {
        concat!(
            "addi {r0}, {r0}, ",
            $by,
            "\n addi {r1}, {r1}, ",
            $by,
            "\n addi {r2}, {r2}, ",
            $by,
            "\n addi {r3}, {r3}, ",
            $by,
            "\n addi {r4}, {r4}, ",
            $by,
            "\n addi {r5}, {r5}, ",
            $by,
            "\n addi {r6}, {r6}, ",
            $by,
            "\n addi {r7}, {r7}, ",
            $by,
            "\n addi {input}, {input}, ",
            $by,
            "\n",
        )
    };
}

/// See [`Rows`](crate::kernels::shared::rows::Rows): eight outputs share each input. 25 instructions for 8 products.
pub unsafe fn add_rows(acc: &mut [i32; 8], input: *const i8, row: *const i8, step: usize, inputs: usize) {
    if step == 0 {
        // The same row eight times over.
        let mut sum = acc[0];
        for i in 0..inputs {
            // SAFETY: the caller's promise.
            sum = sum.wrapping_add(unsafe { *input.add(i) as i32 * *row.add(i) as i32 });
        }
        *acc = [sum; 8];
        return;
    }
    // SAFETY: the caller's promise. Sixteen taps a turn, the last ones one by one.
    unsafe {
        asm!(
            "bgeu {input}, {unrolled}, 3f",
            "2:",
            tap!("0"), tap!("1"), tap!("2"), tap!("3"), tap!("4"), tap!("5"), tap!("6"), tap!("7"),
            tap!("8"), tap!("9"), tap!("10"), tap!("11"), tap!("12"), tap!("13"), tap!("14"), tap!("15"),
            step!("16"),
            "bne {input}, {unrolled}, 2b",
            "3:",
            "beqz {left}, 5f",
            "4:",
            tap!("0"),
            step!("1"),
            "addi {left}, {left}, -1",
            "bnez {left}, 4b",
            "5:",
            a0 = inout(reg) acc[0], a1 = inout(reg) acc[1], a2 = inout(reg) acc[2], a3 = inout(reg) acc[3],
            a4 = inout(reg) acc[4], a5 = inout(reg) acc[5], a6 = inout(reg) acc[6], a7 = inout(reg) acc[7],
            r0 = inout(reg) row => _, r1 = inout(reg) row.add(step) => _, r2 = inout(reg) row.add(2 * step) => _,
            r3 = inout(reg) row.add(3 * step) => _, r4 = inout(reg) row.add(4 * step) => _,
            r5 = inout(reg) row.add(5 * step) => _, r6 = inout(reg) row.add(6 * step) => _,
            r7 = inout(reg) row.add(7 * step) => _,
            input = inout(reg) input => _, unrolled = in(reg) input.add(inputs & !15), left = inout(reg) inputs & 15 => _,
            x = out(reg) _, w = out(reg) _,
            options(readonly, nostack),
        );
    }
}
