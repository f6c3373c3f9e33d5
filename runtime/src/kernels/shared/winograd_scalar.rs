//! Winograd's transforms one channel at a time, for cores without instructions for pairs: the pairs of i16 are channels
//! next to each other. The products are plain too; a backend may have its own.

use super::requantize::Requantize;
use super::store::store;
use super::winograd::{Lane, Place};
use crate::kernels::epilogue::Output;

/// 1/3 modulo 2^32.
const THIRD: i32 = 0xAAAA_AAABu32 as i32;

/// See [`Transforms::inputs`](super::winograd::Transforms::inputs).
///
/// # Safety
/// What is said there.
pub unsafe fn inputs(columns: *const i8, stride: usize, channels: usize, to: *mut u32, plane: usize) {
    for c in 0..channels {
        // SAFETY: the caller's promise.
        unsafe {
            let from = columns.add(c);
            let column = |i: usize| *from.add(i * stride) as i32;
            let (d0, d1, d2, d3, d4, d5) = (column(0), column(1), column(2), column(3), column(4), column(5));
            let (even, odd) = (4 * d2 - d4, 4 * d1 - d3);
            let (far, near) = (d4 - d2, 2 * (d3 - d1));
            let values = [4 * d0 - 5 * d2 + d4, odd + even, even - odd, far + near, far - near, 4 * d1 - 5 * d3 + d5];
            let mut slot = to.cast::<i16>().add(c / 2 * 8 + c % 2);
            for value in values {
                slot.write(value as i16);
                slot = slot.byte_add(plane);
            }
        }
    }
}

/// See [`Transforms::weights`](super::winograd::Transforms::weights).
///
/// # Safety
/// What is said there.
pub unsafe fn weights(mut taps: *const i8, rows: usize, channels: usize, mut to: *mut u32, plane: usize) {
    for _ in 0..rows {
        for c in 0..channels {
            // SAFETY: the caller's promise.
            unsafe {
                let tap = |i: usize| *taps.add(i * channels + c) as i32;
                across([tap(0), tap(1), tap(2)], to.cast::<i16>().add(c / 2 * 4 + c % 2), plane);
            }
        }
        (taps, to) = (taps.wrapping_add(3 * channels), to.wrapping_add(channels));
    }
}

/// See [`Transforms::dot`](super::winograd::Transforms::dot), unsafe as there.
pub type Dot = unsafe fn(sums: &mut [i32; 8], inputs: *const u32, weights: *const u32, words: usize);

/// See [`Transforms::products`](super::winograd::Transforms::products).
///
/// # Safety
/// What is said there.
pub unsafe fn products(dot: Dot, inputs: *const u32, plane: usize, weights: *const u32, words: usize, sums: *mut i32) {
    for value in 0..6 {
        // SAFETY: the caller's promise.
        unsafe {
            let sums = &mut *sums.add(8 * value).cast::<[i32; 8]>();
            *sums = [0; 8];
            dot(sums, inputs.byte_add(value * plane), weights.add(2 * value * words), words);
        }
    }
}

/// See [`Transforms::inputs_down`](super::winograd::Transforms::inputs_down).
///
/// # Safety
/// What is said there.
pub unsafe fn inputs_down(tile: *mut u32, next: *mut u32, channels: usize) {
    let row = 2 * channels;
    let (mut slot, mut next) = (tile.cast::<i16>(), next.cast::<i16>());
    for _ in 0..6 {
        // SAFETY: the caller's promise: pairs of channels, four lanes apart, and from value to value four rows.
        unsafe {
            let end = slot.add(2 * row);
            while slot != end {
                for half in 0..2 {
                    let line = |i: usize| slot.add(2 * i * row + half);
                    let (d0, d1, d2, d3) = (*line(0), *line(1), *line(2), *line(3));
                    next.add(half).write(d2);
                    next.add(2 * row + half).write(d3);
                    line(0).write(d1 + d2);
                    line(1).write(d2 - d1);
                    line(2).write(d0 - d2);
                    line(3).write(d3 - d1);
                }
                (slot, next) = (slot.add(8), next.add(8));
            }
            (slot, next) = (slot.add(6 * row), next.add(6 * row));
        }
    }
}

/// See [`Transforms::weights_tile`](super::winograd::Transforms::weights_tile).
///
/// # Safety
/// What is said there.
pub unsafe fn weights_tile(rows: [*const i8; 2], channels: usize, to: *mut u32) {
    for (second, taps) in rows.into_iter().enumerate() {
        for c in 0..channels {
            // SAFETY: the caller's promise.
            unsafe {
                // Taps of a column from top to bottom, as the values of a tile.
                let column = |kx: usize| {
                    let tap = |ky: usize| *taps.add((3 * ky + kx) * channels + c) as i32;
                    let (outer, g1) = (tap(0) + tap(2), tap(1));
                    [outer + g1, outer - g1, 2 * tap(0), 2 * tap(2)]
                };
                let columns = [column(0), column(1), column(2)];
                let mut slot = to.cast::<i16>().add(c / 2 * 4 + 2 * second + c % 2);
                for down in 0..4 {
                    across(columns.map(|column| column[down]), slot, 16 * channels);
                    slot = slot.byte_add(4 * channels);
                }
            }
        }
    }
}

/// A row of three taps as six values, `plane` bytes apart.
#[inline(always)]
unsafe fn across([g0, g1, g2]: [i32; 3], mut slot: *mut i16, plane: usize) {
    let (outer, wide) = (g0 + g2, g0 + 4 * g2);
    for value in [g0, outer + g1, outer - g1, wide + 2 * g1, wide - 2 * g1, g2] {
        // SAFETY: the caller's promise: there is room for six.
        unsafe {
            slot.write(value as i16);
            slot = slot.byte_add(plane);
        }
    }
}

/// See [`Transforms::products_down`](super::winograd::Transforms::products_down).
///
/// # Safety
/// What is said there.
pub unsafe fn products_down(
    dot: Dot,
    mut inputs: *const u32,
    mut weights: *const u32,
    words: usize,
    mut sums: *mut i32,
) {
    let mut next = |sums: &mut [i32; 8]| {
        // SAFETY: the caller's promise: 24 times, of six values four products each.
        unsafe { dot(sums, inputs, weights, words) };
        (inputs, weights) = (inputs.wrapping_add(4 * words), weights.wrapping_add(2 * words));
    };
    for _ in 0..6 {
        // SAFETY: the caller's promise.
        let (first, second) = unsafe { (&mut *sums.cast::<[i32; 8]>(), &mut *sums.add(48).cast::<[i32; 8]>()) };
        *first = [0; 8];
        next(first);
        *second = *first;
        next(first);
        // m0 + m1 there, so 2·m0 − (m0 + m1) here.
        for (second, &first) in second.iter_mut().zip(first.iter()) {
            *second = second.wrapping_add(*second).wrapping_sub(first);
        }
        next(first);
        next(second);
        sums = sums.wrapping_add(8);
    }
}

/// See [`Transforms::dot`](super::winograd::Transforms::dot).
///
/// # Safety
/// What is said there.
pub unsafe fn dot(sums: &mut [i32; 8], inputs: *const u32, weights: *const u32, words: usize) {
    for (place, sum) in sums.iter_mut().enumerate() {
        let (channel, lane) = (place / 4, place % 4);
        for word in 0..words {
            // SAFETY: the caller's promise.
            unsafe {
                let (x, w) = (inputs.add(4 * word + lane).cast::<i16>(), weights.add(2 * word + channel).cast::<i16>());
                *sum = sum.wrapping_add(*x as i32 * *w as i32).wrapping_add(*x.add(1) as i32 * *w.add(1) as i32);
            }
        }
    }
}

/// Four outputs next to each other, less their biases, from their six sums, eight apart:
///
/// ```text
///   24·y0 = 6·m0 + 4·(m1 + m2) + (m3 + m4)         6·y2 = (m1 + m2) + (m3 + m4)
///   12·y1 = 2·(m1 − m2) + (m3 − m4)                6·y3 = (m1 − m2) + 2·(m3 − m4) + 6·m5
/// ```
///
/// Times 1/3 modulo 2^32, and shifted by what is left, and by `doubled` more.
#[inline(always)]
pub unsafe fn outputs_of(sums: *const i32, doubled: bool) -> [i32; 4] {
    // SAFETY: the caller's promise.
    let m = |value: usize| unsafe { *sums.add(8 * value) };
    let twice = |x: i32| x.wrapping_add(x);
    let (s, p) = (m(1).wrapping_add(m(2)), m(1).wrapping_sub(m(2)));
    let (t, q) = (m(3).wrapping_add(m(4)), m(3).wrapping_sub(m(4)));
    let three = |x: i32| twice(x).wrapping_add(x);
    let y0 = t.wrapping_add(twice(three(m(0)).wrapping_add(twice(s))));
    let y1 = q.wrapping_add(twice(p));
    let y2 = s.wrapping_add(t);
    let y3 = p.wrapping_add(twice(q.wrapping_add(three(m(5)))));
    [(y0, 3), (y1, 2), (y2, 1), (y3, 1)].map(|(y, shift)| y.wrapping_mul(THIRD) >> (shift + doubled as u32))
}

/// See [`Transforms::outputs`](super::winograd::Transforms::outputs).
///
/// # Safety
/// What is said there.
pub unsafe fn outputs<I: Requantize>(at: &Place, out: &mut Output, sums: *const i32, lanes: *const Lane) {
    let [_, width, channels] = at.conv.output;
    let step = at.conv.window.dilation[1] * channels;
    for lane in 0..4 {
        // SAFETY: the caller's promise.
        unsafe {
            let Lane { first, columns, rows } = *lanes.add(lane);
            if at.row >= rows as usize {
                continue;
            }
            for o in at.o..at.o + at.channels {
                let bias = *at.conv.epilogue.bias.as_ptr().add(o);
                let acc = outputs_of(sums.add(4 * (o - at.o) + lane), at.doubled).map(|y| y.wrapping_add(bias));
                let index = first as usize + at.row * width * channels + o;
                store::<I, 4, 0>(&at.conv.epilogue, out, acc, columns as usize, o, index, step);
            }
        }
    }
}
