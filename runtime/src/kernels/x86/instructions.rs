//! What SSE2, which every x86-64 has, does better than the compiler.

use crate::kernels::shared::requantize::Requantize;
use crate::kernels::shared::ring::Spread;
use core::arch::x86_64::*;

/// The instruction set; what is more than SSE2 is only used where it has been found.
pub struct X86;

impl Requantize for X86 {}

impl Spread for X86 {
    #[inline(always)]
    unsafe fn multiply_add(acc: [i32; 4], x: *const u32, w: *const u32) -> [i32; 4] {
        // SAFETY: the caller's promise; SSE2 is part of x86-64.
        unsafe {
            let (x, w) = (_mm_loadl_epi64(x.cast()), _mm_loadl_epi64(w.cast()));
            let products = _mm_unpacklo_epi16(_mm_mullo_epi16(x, w), _mm_mulhi_epi16(x, w));
            let sums = _mm_add_epi32(_mm_loadu_si128(acc.as_ptr().cast()), products);
            core::mem::transmute::<__m128i, [i32; 4]>(sums)
        }
    }
}
