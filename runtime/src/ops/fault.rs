//! What can be wrong with an op.

use crate::format::TableError;
use core::fmt;

/// What is wrong with an op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum OpFault {
    /// Its number is not that of an op, or of one that this build leaves out.
    Unknown,
    /// It cannot be decoded.
    Encoding,
    /// A dimension is zero, or the shapes do not follow from each other.
    Shape,
    /// A buffer leaves the arena.
    Outside,
    /// A buffer does not start at a multiple of 4.
    Misaligned,
    /// Buffers overlap that must not.
    Overlap,
    /// It reads a buffer that no earlier op has written, or that has been overwritten since.
    Unwritten,
    /// Too many buffers lie side by side in the arena when it has run; see [`MAX_VALUES`](crate::MAX_VALUES).
    TooManyValues,
    /// A shift, offset or multiplier is out of range.
    Requantization,
    /// A sum could leave 32 bits.
    Accumulator,
    /// The rows that a depthwise convolution keeps need more than the largest arena.
    Ring,
    /// A weight is the smallest integer, or a byte beyond the taps is not zero.
    Weight,
    /// A channel bias names columns beyond the time table, of which an op that is computed once a chain has none.
    Column,
    /// Winograd's algorithm does not apply: not three columns of taps, strides, channels not a multiple of 4, or a sum that
    /// could leave 28 bits.
    Winograd,
    /// A local condition that is not the first op, or that says that more ops are computed once a chain than there are.
    Prelude,
    /// The element type is not one that this op has.
    Element,
    /// A table in the blob is refused.
    Table(TableError),
}

impl From<TableError> for OpFault {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

impl fmt::Display for OpFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => {
                "its number is not that of an op of this build; four-bit weights need the feature four-bit, scratch \
                 for Winograd's algorithm the feature winograd, positions the feature constant, local conditions the feature local, \
                 newer ops a newer Brownian"
            }
            Self::Encoding => "it cannot be decoded",
            Self::Shape => "its shapes do not follow from each other",
            Self::Outside => "a buffer leaves the arena",
            Self::Misaligned => "a buffer does not start at a multiple of 4",
            Self::Overlap => "its buffers overlap",
            Self::Unwritten => "it reads what no earlier op has written whole, or what was overwritten since",
            Self::TooManyValues => "too many buffers lie side by side in the arena",
            Self::Requantization => "a shift, offset or multiplier is out of range",
            Self::Accumulator => "a sum could leave 32 bits",
            Self::Ring => "the rows it keeps need more than the largest arena",
            Self::Weight => "a weight is the smallest integer, or its rows are not padded with zeros",
            Self::Column => "its channel biases lie beyond the columns of the tables",
            Self::Winograd => "it cannot be computed by Winograd's algorithm",
            Self::Prelude => "a local condition is the first op and says how many ops are computed once a chain",
            Self::Element => "an element type is not one that it has",
            Self::Table(error) => return error.fmt(f),
        })
    }
}
