//! The RAM that is free for a model: what the linker has left between the variables and the stack.

/// Bytes at the top of the RAM that belong to the stack.
pub const STACK: usize = 8 * 1024;

/// Memory for a model's arena and state.
#[derive(Debug)]
pub struct Memory<'a> {
    bytes: &'a mut [u8],
}

impl<'a> Memory<'a> {
    /// Of these bytes.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        let skip = bytes.as_ptr().align_offset(16).min(bytes.len());
        Self { bytes: bytes.split_at_mut(skip).1 }
    }

    /// Bytes that there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// An arena of `arena` bytes, at a multiple of 16, behind it `state` bytes for a state, at one too, and what is left; `None`
    /// where they do not fit.
    pub fn divide(self, arena: usize, state: usize) -> Option<[&'a mut [u8]; 3]> {
        let (first, rest) = self.bytes.split_at_mut_checked(arena.next_multiple_of(16))?;
        let (state, rest) = rest.split_at_mut_checked(state)?;
        Some([first.get_mut(..arena)?, state, rest])
    }
}

#[cfg(target_os = "none")]
mod linked {
    use super::{Memory, STACK};
    use crate::stack;
    use core::ptr::{addr_of, addr_of_mut};

    extern "C" {
        /// End of the variables, of cortex-m-rt.
        static mut __sheap: u32;
        /// Top of the stack, of cortex-m-rt.
        static mut _stack_start: u32;
        /// Of the board's `memory.x`.
        static __model_start: u8;
        static __model_end: u8;
    }

    /// The flash region of a model.
    pub fn region() -> &'static [u8] {
        let (start, end) = (addr_of!(__model_start), addr_of!(__model_end));
        // SAFETY: the linker script keeps this range of flash free of the program; nothing writes to it while it runs.
        unsafe { core::slice::from_raw_parts(start, end as usize - start as usize) }
    }

    /// Left unpainted below the caller: the frames of `take` and of what it calls.
    const MARGIN: usize = 256;

    /// The free RAM; paints the part of the stack that is not used yet.
    ///
    /// # Safety
    /// Called once, with less than [`STACK`] bytes on the stack.
    #[inline(never)]
    pub unsafe fn take() -> Memory<'static> {
        let here = 0u32;
        let end = (addr_of!(here) as usize - MARGIN) & !3;
        let bottom = addr_of_mut!(_stack_start) as usize - STACK;
        let free = addr_of_mut!(__sheap).cast::<u8>();
        let len = bottom.saturating_sub(free as usize);
        // SAFETY: the stack's part below its pointer, without the frames of what is called here. Variables end where `free`
        // begins, the stack ends at `bottom`, no allocator is linked, and the caller calls once.
        unsafe {
            stack::paint(bottom as *mut u32..end.max(bottom) as *mut u32);
            Memory::new(core::slice::from_raw_parts_mut(free, len))
        }
    }

    /// The most bytes that the stack has had since [`take`].
    pub fn stack_used() -> usize {
        let top = addr_of!(_stack_start);
        let bottom = top.wrapping_byte_sub(STACK);
        // SAFETY: readable memory of the stack.
        STACK - unsafe { stack::untouched(bottom..top) }
    }
}

#[cfg(target_os = "none")]
pub use linked::{region, stack_used, take};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arena_and_state_share_the_memory() {
        let mut bytes = [0u8; 16 + 48 + 40];
        let memory = Memory::new(&mut bytes[3..]);
        let len = memory.len();
        assert!((85..=101).contains(&len) && !memory.is_empty());
        let [arena, state, rest] = memory.divide(33, 36).unwrap();
        assert_eq!([arena.len(), state.len(), rest.len()], [33, 36, len - 48 - 36]);
        assert_eq!([&*arena, &*state].map(|part| part.as_ptr().align_offset(16)), [0, 0]);
        assert!(Memory::new(&mut bytes).divide(33, 64).is_none());
        assert!(Memory::new(&mut bytes).divide(1000, 0).is_none());
    }
}
