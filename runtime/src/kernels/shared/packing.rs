//! How backends without the DSP extension lay four i8 into words.

/// Taps 0 and 2, and taps 1 and 3, each pair as the integer `first·2^16 + second`.
#[inline(always)]
pub fn pairs(values: u32) -> [u32; 2] {
    let byte = |i: u32| ((values << (24 - 8 * i)) as i32 >> 24) as u32;
    [(byte(0) << 16).wrapping_add(byte(2)), (byte(1) << 16).wrapping_add(byte(3))]
}

/// Four i16 in order.
#[inline(always)]
pub fn halves(values: u32) -> [u32; 2] {
    let byte = |i: u32| ((values << (24 - 8 * i)) as i32 >> 24) as u32;
    [byte(0) & 0xFFFF | byte(1) << 16, byte(2) & 0xFFFF | byte(3) << 16]
}

/// `acc[c] += x[c]·w[c]` over four i16 each.
///
/// # Safety
/// `x` and `w` have two words.
#[inline(always)]
pub unsafe fn multiply_add_halves(mut acc: [i32; 4], x: *const u32, w: *const u32) -> [i32; 4] {
    for (i, a) in acc.iter_mut().enumerate() {
        // SAFETY: the caller's promise. Volatile, lest the compiler keep a window of weights and inputs in
        // registers that it does not have, and spill them all.
        let (x, w) = unsafe { (x.cast::<i16>().add(i).read_volatile(), w.cast::<i16>().add(i).read_volatile()) };
        *a = a.wrapping_add(x as i32 * w as i32);
    }
    acc
}

/// `count` ≤ 4 bytes as a word, zeros above.
///
/// # Safety
/// `from` has `count` bytes.
#[inline(always)]
pub unsafe fn four(from: *const i8, count: usize) -> u32 {
    let mut word = 0;
    for i in 0..count {
        // SAFETY: the caller passes `count` readable bytes.
        word |= unsafe { *from.add(i) as u8 as u32 } << (8 * i);
    }
    word
}
