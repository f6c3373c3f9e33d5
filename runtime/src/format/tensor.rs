//! Tensors in the arena.

use super::read::{Read, Reader};
use super::record::record;

/// Type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Element {
    /// Activations.
    I8,
    /// The network's output.
    I16,
}

impl Element {
    /// Bytes an element.
    pub const fn size(self) -> usize {
        match self {
            Self::I8 => 1,
            Self::I16 => 2,
        }
    }
}

impl Read<'_> for Element {
    fn read(from: &mut Reader) -> Self {
        match from.value::<u32>() {
            0 => Self::I8,
            1 => Self::I16,
            _ => {
                from.fail();
                Self::I8
            }
        }
    }
}

record! {
    /// A tensor in the arena: NHWC, batch 1.
    ///
    /// ```
    /// use brownian::format::{Element, Tensor};
    ///
    /// let output = Tensor { offset: 64, shape: [4, 4, 3], element: Element::I16, zero_point: 0 };
    /// assert_eq!((output.values(), output.len(), output.range()), (48, 96, 64..160));
    /// ```
    #[derive(Eq)]
    pub struct Tensor {
        /// Start in the arena, in bytes.
        pub offset: u32,
        /// Height, width, channels.
        pub shape: [u16; 3],
        /// Type of the elements.
        pub element: Element,
        /// The value that stands for real 0.
        pub zero_point: i8,
    }
}

impl Tensor {
    /// Number of values.
    pub const fn values(&self) -> usize {
        self.shape[0] as usize * self.shape[1] as usize * self.shape[2] as usize
    }

    /// Bytes in the arena.
    pub const fn len(&self) -> usize {
        self.values() * self.element.size()
    }

    /// Whether a dimension is zero.
    pub const fn is_empty(&self) -> bool {
        self.values() == 0
    }

    /// Its bytes in the arena.
    #[inline(never)]
    pub fn range(&self) -> core::ops::Range<usize> {
        let start = self.offset as usize;
        start..start.saturating_add(self.len())
    }
}
