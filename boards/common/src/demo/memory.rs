//! The RAM that is free for a model: what the linker has left between the variables and the stack.

use core::marker::PhantomData;

/// Bytes at the top of the RAM that belong to the stack, unless a board's `memory.x` says otherwise by `__stack_size`.
pub const STACK: usize = 8 * 1024;

/// Memory for a model's arena and state. Until it is divided nobody has it, and a deep stack, such as that of reading a
/// model, may run into it.
#[derive(Debug)]
pub struct Memory<'a> {
    bytes: *mut [u8],
    whose: PhantomData<&'a mut [u8]>,
}

impl<'a> Memory<'a> {
    /// Of these bytes.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        let skip = bytes.as_ptr().align_offset(16).min(bytes.len());
        Self { bytes: bytes.split_at_mut(skip).1, whose: PhantomData }
    }

    /// Bytes that there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An arena of `arena` bytes, at a multiple of 16, behind it `state` bytes for a state, at one too, and what is left; `None`
    /// where they do not fit.
    pub fn divide(self, arena: usize, state: usize) -> Option<[&'a mut [u8]; 3]> {
        #[cfg(target_os = "none")]
        linked::paint_stack();
        // SAFETY: `self` alone stands for these bytes, and is used up.
        let bytes = unsafe { &mut *self.bytes };
        let (first, rest) = bytes.split_at_mut_checked(arena.next_multiple_of(16))?;
        let (state, rest) = rest.split_at_mut_checked(state)?;
        Some([first.get_mut(..arena)?, state, rest])
    }
}

#[cfg(target_os = "none")]
mod linked {
    use super::Memory;
    use crate::stack;
    use core::marker::PhantomData;
    use core::ptr::{addr_of, addr_of_mut};

    extern "C" {
        /// End of the variables, of cortex-m-rt.
        static mut __sheap: u32;
        /// Top of the stack, of cortex-m-rt.
        static mut _stack_start: u32;
        /// Of the board's `memory.x`.
        static __model_start: u8;
        static __model_end: u8;
        /// Of the board's `memory.x`, or [`STACK`](super::STACK) by its build script; its address is the value.
        static __stack_size: u8;
    }

    /// Bytes at the top of the RAM that belong to the stack.
    pub fn stack_size() -> usize {
        addr_of!(__stack_size) as usize
    }

    /// The flash region of a model.
    pub fn region() -> &'static [u8] {
        let (start, end) = (addr_of!(__model_start), addr_of!(__model_end));
        // SAFETY: the linker script keeps this range of flash free of the program; nothing writes to it while it runs.
        unsafe { core::slice::from_raw_parts(start, end as usize - start as usize) }
    }

    /// Left unpainted below the caller: the frames of `paint_stack` and of what it calls.
    const MARGIN: usize = 256;

    /// Paints the part of the stack that is not used.
    #[inline(never)]
    pub(super) fn paint_stack() {
        let here = 0u32;
        let end = (addr_of!(here) as usize - MARGIN) & !3;
        let bottom = addr_of_mut!(_stack_start) as usize - stack_size();
        // SAFETY: the stack's part below its pointer, without the frames of what is called here.
        unsafe { stack::paint(bottom as *mut u32..end.max(bottom) as *mut u32) };
    }

    /// The free RAM.
    ///
    /// # Safety
    /// Called once.
    pub unsafe fn take() -> Memory<'static> {
        let bottom = addr_of_mut!(_stack_start) as usize - stack_size();
        let free = addr_of_mut!(__sheap).cast::<u8>();
        let (skip, len) = (free.align_offset(16), bottom.saturating_sub(free as usize));
        let bytes = core::ptr::slice_from_raw_parts_mut(free.wrapping_add(skip), len.saturating_sub(skip));
        // Variables end where they begin, the stack ends where they end, no allocator is linked, and the caller calls once.
        Memory { bytes, whose: PhantomData }
    }

    /// The most bytes that the stack has had since the memory was divided.
    pub fn stack_used() -> usize {
        let top = addr_of!(_stack_start);
        let bottom = top.wrapping_byte_sub(stack_size());
        // SAFETY: readable memory of the stack.
        stack_size() - unsafe { stack::untouched(bottom..top) }
    }
}

#[cfg(target_os = "none")]
pub use linked::{region, stack_size, stack_used, take};

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
