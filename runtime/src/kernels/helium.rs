//! Cortex-M55: the M-profile vector extension, sixteen 8-bit products an instruction.
//!
//! A dense convolution copies the patches of four output pixels to scratch as bytes. The register tile, four
//! pixels by one output channel, sixteen taps a turn of a tail-predicated loop:
//!
//! ```text
//!              weights w15 … w0      vldrb → q0
//!   pixel 0    x15 … x0              vldrb → q1, vmladava.s8 → r0
//!   pixel 1    x15 … x0              vldrb → q1, vmladava.s8 → r2
//!   pixel 2    x15 … x0              vldrb → q1, vmladava.s8 → r4
//!   pixel 3    x15 … x0              vldrb → q1, vmladava.s8 → r6
//! ```
//!
//! 10 instructions for 64 products. The four sums are requantized as one vector and scattered to their
//! pixels. Depthwise convolutions are in [`helium_depthwise`](super::helium_depthwise).

use super::epilogue::{align, store, Requantize};
use super::helium_depthwise;
use super::{conv_scratch, portable, row_stride, Conv, Depthwise, Linear, Output, Source, Window};
use core::arch::asm;

pub use super::portable::{add, lut};

pub(super) struct Helium;

impl Requantize for Helium {
    #[inline(always)]
    fn scale(acc: i32, multiplier: i16, offset: i32) -> i32 {
        let high = (acc as i64 * ((multiplier as i32) << 16) as i64) >> 32;
        (high as i32).wrapping_add(offset)
    }

    #[inline(always)]
    fn saturate(q: i32) -> i32 {
        q.clamp(i8::MIN as i32, i8::MAX as i32)
    }
}

/// Like [`portable::conv`].
pub fn conv(conv: &Conv, mut out: Output, scratch: &mut [i8]) {
    let [out_h, out_w, out_c] = conv.output;
    let (a, b) = conv.sources;
    let channels = a.channels + b.map_or(0, |s| s.channels);
    let taps = conv.window.kernel[0] * conv.window.kernel[1] * channels;
    let fits = conv.groups == 1
        && taps > 0
        && a.is_whole()
        && b.is_none_or(|s| s.is_whole())
        && conv.weights.len() >= out_c * row_stride(taps)
        && scratch.len() >= conv_scratch(taps)
        && conv.epilogue.is_whole(out_c, out_h * out_w * out_c, &out);
    if !fits {
        return portable::conv(conv, out, scratch);
    }
    // SAFETY: the slices have the lengths that the loops walk, as just checked; scratch has room for four patches.
    unsafe { tiles(conv, &mut out, align(scratch).cast(), row_stride(taps)) }
}

/// Like [`portable::depthwise`].
pub fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
    if !helium_depthwise::depthwise(conv, out, scratch) {
        portable::depthwise(conv, out, scratch);
    }
}

/// All output channels of four pixels, and where everything is.
#[repr(C)]
struct Tile {
    /// Patches of the four pixels.
    patches: [*const i8; 4],
    /// Bytes of a row of weights and of a patch.
    taps: usize,
    weights: *const i8,
    bias: *const i32,
    bias_end: *const i32,
    multipliers: *const i16,
    out: *mut i8,
    offset: i32,
    /// Minus the last shift.
    left_shift: i32,
    /// The middle of the activation's table, or null.
    lut: *const i8,
    /// From one pixel's outputs to the next.
    step: u32,
}

/// # Safety
/// The slices of `conv` and `out` are whole; `patch` has room for four patches, each rounded up to 16 bytes.
unsafe fn tiles(conv: &Conv, out: &mut Output, patch: *mut i8, taps: usize) {
    let [out_h, out_w, out_c] = conv.output;
    let pixels = out_h * out_w;
    let patches = [0, 1, 2, 3].map(|p| patch.wrapping_add(p * taps.next_multiple_of(16)));
    let epilogue = &conv.epilogue;
    let (mut x, mut y, mut first) = (0, 0, 0);
    while first < pixels {
        let count = if pixels - first < 4 { pixels - first } else { 4 };
        for patch in patches.into_iter().take(count) {
            // SAFETY: the caller's promise.
            unsafe { gather(conv, y, x, patch) };
            x += 1;
            if x == out_w {
                (x, y) = (0, y + 1);
            }
        }
        match out {
            Output::I8(out) if count == 4 && epilogue.residual.is_none() => {
                let tile = Tile {
                    patches: patches.map(|p| p.cast_const()),
                    taps,
                    weights: conv.weights.as_ptr(),
                    bias: epilogue.bias.as_ptr(),
                    bias_end: epilogue.bias.as_ptr().wrapping_add(out_c),
                    multipliers: epilogue.multipliers.as_ptr(),
                    out: out.as_mut_ptr().wrapping_add(first * out_c),
                    offset: epilogue.offset,
                    left_shift: -((epilogue.shift & 31) as i32),
                    lut: epilogue.lut.map_or(core::ptr::null(), |lut| lut.as_ptr().wrapping_add(128)),
                    step: out_c as u32,
                };
                if out_c > 0 {
                    // SAFETY: the slices are whole, so all channels of these four pixels exist.
                    unsafe { channels(&tile) };
                }
            }
            _ => {
                for o in 0..out_c {
                    // SAFETY: o < out_c, for which weights, bias, multipliers and outputs exist.
                    unsafe {
                        let row = conv.weights.as_ptr().add(o * taps);
                        let acc = dot4([*epilogue.bias.as_ptr().add(o); 4], row, patches.map(|p| p.cast_const()), taps);
                        store::<Helium, 4, 0>(epilogue, out, acc, count, o, first * out_c + o, out_c);
                    }
                }
            }
        }
        first += count;
    }
}

/// # Safety
/// Everything that `tile` points to is there, for at least one channel.
#[inline(never)]
unsafe fn channels(tile: &Tile) {
    // SAFETY: the caller's promise; the offsets are those of the fields of `Tile`. r6 and r7 are saved, q0 to q3 belong
    // to the callee by the calling convention.
    unsafe {
        asm!(
            "push {{r6, r7}}",
            "mov r5, r0",
            "ldr r8, [r5, #20]",
            "ldr r10, [r5, #24]",
            "ldr r12, [r5, #32]",
            // q3: where the four pixels' outputs are.
            "ldr r1, [r5, #52]",
            "ldr r2, [r5, #36]",
            "add r3, r2, r1",
            "vmov d6, r2, r3",
            "add r3, r3, r1",
            "add r2, r3, r1",
            "vmov d7, r3, r2",
            "2:",
            "ldr r0, [r10], #4",
            "mov r2, r0",
            "mov r4, r0",
            "mov r6, r0",
            "ldm r5, {{r3, r7, r9, r11}}",
            "mov r1, r8",
            "ldr lr, [r5, #16]",
            "add r8, r8, lr",
            "dlstp.8 lr, lr",
            "3:",
            "vldrb.u8 q0, [r1], #16",
            "vldrb.u8 q1, [r3], #16",
            "vmladava.s8 r0, q0, q1",
            "vldrb.u8 q1, [r7], #16",
            "vmladava.s8 r2, q0, q1",
            "vldrb.u8 q1, [r9], #16",
            "vmladava.s8 r4, q0, q1",
            "vldrb.u8 q1, [r11], #16",
            "vmladava.s8 r6, q0, q1",
            "letp lr, 3b",
            "vmov d0, r0, r2",
            "vmov d1, r4, r6",
            // ⌊acc·m / 2^16⌋ as the upper half of 2·acc·(m·2^15).
            "ldrsh r0, [r12], #2",
            "lsl r0, r0, #15",
            "vqdmulh.s32 q0, q0, r0",
            "ldrd r0, r1, [r5, #40]",
            "vadd.i32 q0, q0, r0",
            "vshl.s32 q0, r1",
            "vqmovnb.s32 q0, q0",
            "vqmovnb.s16 q0, q0",
            "ldrd r0, r1, [r5, #28]",
            "ldr r1, [r5, #48]",
            "cbz r1, 4f",
            "vmovlb.s8 q0, q0",
            "vmovlb.s16 q1, q0",
            "vldrb.u32 q0, [r1, q1]",
            "4:",
            "movs r1, #0",
            "vstrb.32 q0, [r1, q3]",
            "movs r1, #1",
            "vadd.i32 q3, q3, r1",
            "cmp r10, r0",
            "bne 2b",
            "pop {{r6, r7}}",
            inout("r0") tile => _,
            out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _, out("r8") _, out("r9") _,
            out("r10") _, out("r11") _, out("r12") _, out("lr") _,
            out("d0") _, out("d1") _, out("d2") _, out("d3") _, out("d6") _, out("d7") _,
        );
    }
}

/// `acc[i] + Σ row·others[i]` over `taps` ≥ 1 bytes.
///
/// # Safety
/// The row and the others have `taps` bytes.
#[inline(always)]
unsafe fn dot4(mut acc: [i32; 4], row: *const i8, others: [*const i8; 4], taps: usize) -> [i32; 4] {
    // SAFETY: the caller's promise; the loop's tail predicate keeps reads within `taps` bytes.
    unsafe {
        asm!(
            "dlstp.8 lr, r12",
            "2:",
            "vldrb.u8 q0, [r1], #16",
            "vldrb.u8 q1, [r3], #16",
            "vmladava.s8 r0, q0, q1",
            "vldrb.u8 q1, [r5], #16",
            "vmladava.s8 r2, q0, q1",
            "vldrb.u8 q1, [r9], #16",
            "vmladava.s8 r4, q0, q1",
            "vldrb.u8 q1, [r11], #16",
            "vmladava.s8 r8, q0, q1",
            "letp lr, 2b",
            inout("r0") acc[0], inout("r2") acc[1], inout("r4") acc[2], inout("r8") acc[3],
            inout("r1") row => _, inout("r3") others[0] => _, inout("r5") others[1] => _,
            inout("r9") others[2] => _, inout("r11") others[3] => _, in("r12") taps, out("lr") _,
            out("d0") _, out("d1") _, out("d2") _, out("d3") _,
            options(readonly, nostack),
        );
    }
    acc
}

/// Copies the window at output (y, x) to `patch`.
///
/// # Safety
/// The sources are whole, `patch` has room for all taps, rounded up to 4.
unsafe fn gather(conv: &Conv, y: usize, x: usize, mut patch: *mut i8) {
    let Window { kernel, stride, pad, dilation } = conv.window;
    let (a, b) = conv.sources;
    let left = (x * stride[1]).wrapping_sub(pad[1]);
    let plain = b.is_none() && a.upsample == 0 && dilation[1] == 1;
    let inside = plain && left < a.width && left + kernel[1] <= a.width;
    let (columns, pixels) = if inside { (1, kernel[1]) } else { (kernel[1], 1) };
    for ky in 0..kernel[0] {
        let iy = (y * stride[0] + ky * dilation[0]).wrapping_sub(pad[0]);
        for kx in 0..columns {
            let ix = left.wrapping_add(kx * dilation[1]);
            // SAFETY: the caller's promise.
            unsafe {
                patch = push(&a, iy, ix, a.channels * pixels, patch);
                if let Some(b) = &b {
                    patch = push(b, iy, ix, b.channels, patch);
                }
            }
        }
    }
}

/// Copies `len` values from pixel (y, x) on, or zero points in the padding; returns where the next go.
///
/// # Safety
/// The source is whole and has `len` values from (y, x) on if that is inside; `to` has room for them.
#[inline(always)]
unsafe fn push(source: &Source, y: usize, x: usize, len: usize, to: *mut i8) -> *mut i8 {
    let (y, x) = (y >> (source.upsample & 1), x >> (source.upsample & 1));
    let next;
    // SAFETY: the caller's promise; `wlstp` skips the loop when `len` is 0.
    unsafe {
        if y < source.height && x < source.width {
            asm!(
                "wlstp.8 lr, {n}, 3f",
                "2:",
                "vldrb.u8 q0, [{from}], #16",
                "vstrb.8 q0, [{to}], #16",
                "letp lr, 2b",
                "3:",
                n = in(reg) len,
                from = inout(reg) source.data.as_ptr().add((y * source.width + x) * source.channels) => _,
                to = inout(reg) to => _, out("lr") _, out("d0") _, out("d1") _,
                options(nostack),
            );
        } else {
            asm!(
                "vdup.8 q0, {zero}",
                "wlstp.8 lr, {n}, 3f",
                "2:",
                "vstrb.8 q0, [{to}], #16",
                "letp lr, 2b",
                "3:",
                n = in(reg) len, zero = in(reg) source.zero_point as i32,
                to = inout(reg) to => _, out("lr") _, out("d0") _, out("d1") _,
                options(nostack),
            );
        }
        next = to.add(len);
    }
    next
}

/// Like [`portable::linear`]: four outputs share each vector of inputs.
pub fn linear(linear: &Linear, mut out: Output) {
    let (inputs, stride) = (linear.input.len(), row_stride(linear.input.len()));
    let outputs = linear.weights.len().checked_div(stride).unwrap_or(0);
    if inputs == 0 || !linear.epilogue.is_whole(outputs, outputs, &out) {
        return portable::linear(linear, out);
    }
    let mut o = 0;
    while o < outputs {
        // The last outputs go one by one, the tile four times over the same row.
        let (count, step) = if outputs - o < 4 { (1, 0) } else { (4, stride) };
        let mut acc = [0; 4];
        // SAFETY: rows `o` to `o + count` exist, with `stride ≥ inputs` weights and a bias each.
        unsafe {
            for (i, a) in acc.iter_mut().enumerate().take(count) {
                *a = *linear.epilogue.bias.as_ptr().add(o + i);
            }
            let row = linear.weights.as_ptr().add(o * stride);
            let rows = [row, row.add(step), row.add(2 * step), row.add(3 * step)];
            acc = dot4(acc, linear.input.as_ptr(), rows, inputs);
            store::<Helium, 4, 1>(&linear.epilogue, &mut out, acc, count, o, o, 1);
        }
        o += count;
    }
}
