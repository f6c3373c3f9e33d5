//! The stack's high-water mark: fill the free part with a pattern, look later how much of it is left.

use core::ops::Range;

const PAINT: u32 = 0xb10b_5afe;

/// Fills the words of `free` with the pattern.
///
/// # Safety
/// `free` is a range of aligned, writable memory that nothing else uses: the part of the stack below
/// the present stack pointer, with a margin for this function's own frame.
pub unsafe fn paint(free: Range<*mut u32>) {
    let mut word = free.start;
    while word < free.end {
        // SAFETY: `word` lies in `free`, which the caller vouches for.
        unsafe {
            word.write_volatile(PAINT);
            word = word.add(1);
        }
    }
}

/// Bytes at the low end of `painted` that still hold the pattern: the stack never grew into them.
///
/// # Safety
/// `painted` is a range of aligned, readable memory.
pub unsafe fn untouched(painted: Range<*const u32>) -> usize {
    let mut word = painted.start;
    // SAFETY: `word` lies in `painted` whenever it is read; the caller vouches for the range.
    while word < painted.end && unsafe { word.read_volatile() } == PAINT {
        // SAFETY: at most one past the end.
        word = unsafe { word.add(1) };
    }
    word as usize - painted.start as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 16 words painted, the 10th from the bottom overwritten: 9 words stayed untouched.
    #[test]
    fn finds_the_lowest_overwritten_word() {
        let mut memory = [0u32; 16];
        let range = memory.as_mut_ptr_range();
        // SAFETY: the whole array, ours alone.
        unsafe { paint(range) };
        memory[9] = 7;
        memory[14] = 7;
        // SAFETY: the whole array.
        assert_eq!(unsafe { untouched(memory.as_ptr_range()) }, 36);
    }
}
