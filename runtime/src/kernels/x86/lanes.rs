//! Vector steps that the AVX-512 kernels share: requantization of sixteen sums, tables, transposition; and the elementwise
//! kernels made of them.

use crate::kernels::add::Add;
use crate::kernels::epilogue::start_of;
use crate::kernels::gate::Gate;
use crate::kernels::lut::Lut;
use core::arch::x86_64::*;
use core::cell::Cell;

/// [`quant::scale`](crate::quant::scale) of sixteen sums, as 64-bit products of the even and of the odd lanes.
#[target_feature(enable = "avx512f")]
#[inline]
pub fn scale(acc: __m512i, [even, odd]: [__m512i; 2]) -> __m512i {
    let even = _mm512_srli_epi64::<16>(_mm512_mul_epi32(acc, even));
    let odd = _mm512_slli_epi64::<16>(_mm512_mul_epi32(_mm512_srli_epi64::<32>(acc), odd));
    _mm512_mask_blend_epi32(0xAAAA, even, odd)
}

/// An activation's table in four registers.
pub struct Table([__m512i; 4]);

impl Table {
    /// The table in registers.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub fn new(lut: &[i8; 256]) -> Self {
        // SAFETY: 64 bytes from each of the four places.
        Self([0, 64, 128, 192].map(|at| unsafe { lut.as_ptr().add(at).cast::<__m512i>().read_unaligned() }))
    }

    /// `lut[q + 128]` of 64 values: `vpermi2b` reads seven bits of q, the eighth chooses the half.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    #[inline]
    pub fn look_up(&self, q: __m512i) -> __m512i {
        let [first, second, third, fourth] = self.0;
        let negative = _mm512_permutex2var_epi8(first, q, second);
        let positive = _mm512_permutex2var_epi8(third, q, fourth);
        _mm512_mask_blend_epi8(_mm512_movepi8_mask(q), positive, negative)
    }
}

/// Word i of row j becomes word j of row i.
#[target_feature(enable = "avx512f")]
#[inline]
pub fn transpose(rows: [__m512i; 16]) -> [__m512i; 16] {
    let zero = _mm512_setzero_si512();
    // After this, lane L of `quads[4·g + c]` is column 4·L + c of rows 4·g to 4·g + 3.
    let mut quads = [zero; 16];
    for g in 0..4 {
        let (a, b, c, d) = (rows[4 * g], rows[4 * g + 1], rows[4 * g + 2], rows[4 * g + 3]);
        let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
        let (ab_high, cd_high) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
        quads[4 * g] = _mm512_unpacklo_epi64(ab, cd);
        quads[4 * g + 1] = _mm512_unpackhi_epi64(ab, cd);
        quads[4 * g + 2] = _mm512_unpacklo_epi64(ab_high, cd_high);
        quads[4 * g + 3] = _mm512_unpackhi_epi64(ab_high, cd_high);
    }
    let mut columns = [zero; 16];
    for c in 0..4 {
        let (q0, q1, q2, q3) = (quads[c], quads[4 + c], quads[8 + c], quads[12 + c]);
        let (even, odd) = (_mm512_shuffle_i32x4::<0x88>(q0, q1), _mm512_shuffle_i32x4::<0xDD>(q0, q1));
        let (even_high, odd_high) = (_mm512_shuffle_i32x4::<0x88>(q2, q3), _mm512_shuffle_i32x4::<0xDD>(q2, q3));
        columns[c] = _mm512_shuffle_i32x4::<0x88>(even, even_high);
        columns[4 + c] = _mm512_shuffle_i32x4::<0x88>(odd, odd_high);
        columns[8 + c] = _mm512_shuffle_i32x4::<0xDD>(even, even_high);
        columns[12 + c] = _mm512_shuffle_i32x4::<0xDD>(odd, odd_high);
    }
    columns
}

/// Like [`lut::portable`](crate::kernels::lut::portable), 64 values at a time.
///
/// # Safety
/// The processor has AVX-512 with BW and VBMI.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub unsafe fn lut(lut: &Lut, out: &[Cell<i8>]) {
    let Lut { input, table } = *lut;
    let len = input.map_or(out.len(), |i| if i.len() < out.len() { i.len() } else { out.len() });
    let to = start_of(out);
    let from = input.map_or(to.cast_const(), |i| i.as_ptr());
    let table = Table::new(table);
    let mut at = 0;
    while at < len {
        let mask = if len - at < 64 { (1u64 << (len - at)) - 1 } else { u64::MAX };
        // SAFETY: the mask ends with both slices.
        unsafe {
            let values = _mm512_maskz_loadu_epi8(mask, from.add(at));
            _mm512_mask_storeu_epi8(to.add(at), mask, table.look_up(values));
        }
        at += 64;
    }
}

/// Like [`add::portable`](crate::kernels::add::portable), sixteen values at a time.
///
/// # Safety
/// The processor has AVX-512 with BW, VL and VBMI.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
pub unsafe fn add(add: &Add, out: &[Cell<i8>]) {
    let shorter = |a: usize, b: usize| if a < b { a } else { b };
    let len = shorter(add.a.map_or(out.len(), |a| shorter(a.len(), out.len())), add.b.len());
    let to = start_of(out);
    let a = add.a.map_or(to.cast_const(), |a| a.as_ptr());
    let [first, second] = add.multipliers.map(|m| m as u16 as u32);
    let multipliers = _mm512_set1_epi32((second << 16 | first) as i32);
    let offset = _mm512_set1_epi32(add.offset);
    let shift = _mm_cvtsi32_si128(add.shift as i32 & 31);
    let table = add.lut.map(|lut| Table::new(lut));
    let mut at = 0;
    while at < len {
        let mask = if len - at < 16 { (1u16 << (len - at)) - 1 } else { u16::MAX };
        // SAFETY: the mask ends with all three slices.
        unsafe {
            let a = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask, a.add(at)));
            let b = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask, add.b.as_ptr().add(at)));
            // Both in one lane, a in the lower half, for one `vpmaddwd`.
            let pairs = _mm512_mask_blend_epi16(0xAAAA_AAAA, a, _mm512_slli_epi32::<16>(b));
            let sum = _mm512_add_epi32(_mm512_madd_epi16(pairs, multipliers), offset);
            let mut q = _mm512_cvtsepi32_epi8(_mm512_sra_epi32(sum, shift));
            if let Some(table) = &table {
                q = _mm512_castsi512_si128(table.look_up(_mm512_castsi128_si512(q)));
            }
            _mm_mask_storeu_epi8(to.add(at), mask, q);
        }
        at += 16;
    }
}

/// Like [`gate::portable`](crate::kernels::gate::portable), sixteen values at a time.
///
/// # Safety
/// The processor has AVX-512 with BW, VL and VBMI.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
pub unsafe fn gate(gate: &Gate, out: &[Cell<i8>]) {
    let shorter = |a: usize, b: usize| if a < b { a } else { b };
    let len = shorter(gate.a.map_or(out.len(), |a| shorter(a.len(), out.len())), gate.b.len());
    let to = start_of(out);
    let a = gate.a.map_or(to.cast_const(), |a| a.as_ptr());
    let [table_a, table_b] = gate.tables.map(|table| Table::new(table));
    // The lower halves alone have a factor, so that `vpmaddwd` is one product a lane.
    let low = _mm512_set1_epi32(0xFFFF);
    let multiplier = _mm512_set1_epi32(gate.multiplier as u16 as i32);
    let offset = _mm512_set1_epi32(gate.offset);
    let shift = _mm_cvtsi32_si128(gate.shift as i32 & 31);
    let mut at = 0;
    while at < len {
        let mask = if len - at < 16 { (1u16 << (len - at)) - 1 } else { u16::MAX };
        // SAFETY: the mask ends with all three slices.
        unsafe {
            let a = table_a.look_up(_mm512_castsi128_si512(_mm_maskz_loadu_epi8(mask, a.add(at))));
            let b = table_b.look_up(_mm512_castsi128_si512(_mm_maskz_loadu_epi8(mask, gate.b.as_ptr().add(at))));
            let [a, b] = [a, b].map(|values| _mm512_cvtepi8_epi32(_mm512_castsi512_si128(values)));
            let product = _mm512_madd_epi16(_mm512_madd_epi16(a, _mm512_and_si512(b, low)), multiplier);
            let q = _mm512_cvtsepi32_epi8(_mm512_sra_epi32(_mm512_add_epi32(product, offset), shift));
            _mm_mask_storeu_epi8(to.add(at), mask, q);
        }
        at += 16;
    }
}
