//! Memory with the alignment that models and arenas need.

/// Activation memory of `N` bytes, aligned to 16.
#[derive(Clone, Debug)]
#[repr(C, align(16))]
pub struct Arena<const N: usize>([u8; N]);

impl<const N: usize> Arena<N> {
    /// Zeroed memory.
    pub const fn new() -> Self {
        Self([0; N])
    }

    /// Its bytes.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl<const N: usize> Default for Arena<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes aligned to 16; what [`include_model`](crate::include_model) wraps a file in.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub struct Aligned<T: ?Sized>(pub T);

/// The bytes of a model file, built into the program and aligned as [`Model::parse`](crate::Model::parse)
/// demands: an expression of type `&'static [u8]`. The path is one for `include_bytes!`.
#[macro_export]
macro_rules! include_model {
    ($path:expr $(,)?) => {{
        static FILE: &$crate::Aligned<[u8]> = &$crate::Aligned(*include_bytes!($path));
        &FILE.0
    }};
}
