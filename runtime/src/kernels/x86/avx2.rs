//! Dense convolution and linear layers with AVX2.
//!
//! The register tile of a dense convolution, four pixels by two output channels, sixteen taps a turn:
//!
//! ```text
//!              weights of channel   0             1             vpmovsxbw
//!   pixel 0    x15 … x0             vpmaddwd      vpmaddwd      vpmovsxbw, then vpaddd into 8 accumulators
//!   pixel 1    x15 … x0             vpmaddwd      vpmaddwd
//!   pixel 2    x15 … x0             vpmaddwd      vpmaddwd
//!   pixel 3    x15 … x0             vpmaddwd      vpmaddwd
//! ```
//!
//! 22 instructions for 128 products.

use super::instructions::X86;
use crate::kernels::shared::bytes::{Bytes, Tile};
use core::arch::x86_64::*;

impl Bytes for X86 {
    const RESIDUAL: bool = true;

    #[inline(always)]
    unsafe fn copy(from: *const i8, to: *mut i8, len: usize) {
        // SAFETY: the caller's promise; blocks of sixteen, the last of which overlaps the one before.
        unsafe {
            if len < 16 {
                for i in 0..len {
                    *to.add(i) = *from.add(i);
                }
                return;
            }
            let block = |at: usize| _mm_storeu_si128(to.add(at).cast(), _mm_loadu_si128(from.add(at).cast()));
            for at in (0..len - 15).step_by(16) {
                block(at);
            }
            block(len - 16);
        }
    }

    #[inline(always)]
    unsafe fn fill(value: i8, to: *mut i8, len: usize) {
        // SAFETY: the caller's promise.
        unsafe { core::ptr::write_bytes(to, value as u8, len) }
    }

    unsafe fn dot4(acc: [i32; 4], row: *const i8, others: [*const i8; 4], taps: usize) -> [i32; 4] {
        // SAFETY: the caller's promise.
        let [sums] = unsafe { tile([row], others, taps) };
        core::array::from_fn(|i| acc[i].wrapping_add(sums[i]))
    }

    unsafe fn channels(tile: &Tile) {
        // SAFETY: the caller's promise; AVX2 has been found.
        unsafe { channels(tile) }
    }
}

/// `Σ rows[c]·others[p]` over `taps` bytes.
///
/// # Safety
/// The processor has AVX2; the rows and the others have `taps` bytes.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn tile<const C: usize>(rows: [*const i8; C], others: [*const i8; 4], taps: usize) -> [[i32; 4]; C] {
    // Loops, not closures: those would be called without AVX2, by address.
    let mut acc = [[_mm256_setzero_si256(); 4]; C];
    let whole = taps & !15;
    let mut at = 0;
    while at < whole {
        // SAFETY: sixteen bytes from `at` on are there.
        unsafe { turn(&mut acc, &rows, &others, at) };
        at += 16;
    }
    if whole < taps {
        let (mut last_rows, mut last_others) = ([[0i8; 16]; C], [[0i8; 16]; 4]);
        for c in 0..C {
            // SAFETY: fewer than sixteen bytes are left.
            unsafe { core::ptr::copy_nonoverlapping(rows[c].add(whole), last_rows[c].as_mut_ptr(), taps - whole) };
        }
        for p in 0..4 {
            // SAFETY: as above.
            unsafe { core::ptr::copy_nonoverlapping(others[p].add(whole), last_others[p].as_mut_ptr(), taps - whole) };
        }
        let (rows, others) = (last_rows.each_ref().map(|r| r.as_ptr()), last_others.each_ref().map(|o| o.as_ptr()));
        // SAFETY: sixteen bytes each.
        unsafe { turn(&mut acc, &rows, &others, 0) };
    }
    let mut result = [[0; 4]; C];
    for c in 0..C {
        let [first, second, third, fourth] = acc[c];
        let sums = _mm256_hadd_epi32(_mm256_hadd_epi32(first, second), _mm256_hadd_epi32(third, fourth));
        let sums = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        // SAFETY: four i32.
        unsafe { _mm_storeu_si128(result[c].as_mut_ptr().cast(), sums) };
    }
    result
}

/// Sixteen taps of the tile.
///
/// # Safety
/// The processor has AVX2; the rows and the others have sixteen bytes from `at` on.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn turn<const C: usize>(acc: &mut [[__m256i; 4]; C], rows: &[*const i8; C], others: &[*const i8; 4], at: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut w = [_mm256_setzero_si256(); C];
        for c in 0..C {
            w[c] = _mm256_cvtepi8_epi16(_mm_loadu_si128(rows[c].add(at).cast()));
        }
        for p in 0..4 {
            let x = _mm256_cvtepi8_epi16(_mm_loadu_si128(others[p].add(at).cast()));
            for c in 0..C {
                acc[c][p] = _mm256_add_epi32(acc[c][p], _mm256_madd_epi16(w[c], x));
            }
        }
    }
}

/// # Safety
/// The processor has AVX2; everything that `job` points to is there.
#[target_feature(enable = "avx2")]
unsafe fn channels(job: &Tile) {
    // SAFETY: `bias_end` is the end of the same slice; rows o to o + 2 exist where they are read.
    unsafe {
        let count = job.bias_end.offset_from(job.bias) as usize;
        let mut o = 0;
        while o + 2 <= count {
            let row = job.weights.add(o * job.taps);
            let [first, second] = tile([row, row.add(job.taps)], job.patches, job.taps);
            finish(job, o, first);
            finish(job, o + 1, second);
            o += 2;
        }
        if o < count {
            let [sums] = tile([job.weights.add(o * job.taps)], job.patches, job.taps);
            finish(job, o, sums);
        }
    }
}

/// Requantizes channel `o` of four pixels.
///
/// # Safety
/// The processor has AVX2; bias, multiplier and four outputs of channel `o` exist.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn finish(job: &Tile, o: usize, sums: [i32; 4]) {
    // SAFETY: the caller's promise.
    unsafe {
        let (bias, multiplier) = (*job.bias.add(o), *job.multipliers.add(o) as i64);
        let acc = _mm_add_epi32(_mm_loadu_si128(sums.as_ptr().cast()), _mm_set1_epi32(bias));
        let products = _mm256_mul_epi32(_mm256_cvtepi32_epi64(acc), _mm256_set1_epi64x(multiplier));
        let scaled = _mm256_srli_epi64::<16>(products);
        let low = _mm256_permutevar8x32_epi32(scaled, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
        let mut q = _mm_add_epi32(_mm256_castsi256_si128(low), _mm_set1_epi32(job.offset));
        if !job.residual.is_null() {
            let (at, step) = (job.residual.add(o), job.step as usize);
            let value = |p: usize| *at.add(p * step) as i32;
            let values = _mm_setr_epi32(value(0), value(1), value(2), value(3));
            let products = _mm_mullo_epi32(values, _mm_set1_epi32(job.residual_multiplier));
            q = _mm_add_epi32(q, _mm_sra_epi32(products, _mm_cvtsi32_si128(job.residual_shift as i32)));
        }
        let q = _mm_packs_epi32(_mm_sra_epi32(q, _mm_cvtsi32_si128(-job.left_shift)), _mm_setzero_si128());
        let q = _mm_cvtsi128_si32(_mm_packs_epi16(q, q)).to_le_bytes();
        let mut out = job.out.add(o);
        for q in q {
            let q = q as i8;
            *out = if job.lut.is_null() { q } else { *job.lut.offset(q as isize) };
            out = out.wrapping_add(job.step as usize);
        }
    }
}
