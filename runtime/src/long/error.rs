//! Why a long signal cannot be drawn.

use crate::error::SamplerError;
use core::fmt;

/// Why a signal longer than a model's own could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LongError {
    /// The model is not of signals of the Gaussian process, or its columns are not the same everywhere: it has positions,
    /// a dense layer over all columns, or a length that its patches and strides do not divide.
    Model,
    /// The network looks so far that nothing is left of a window.
    Reach {
        /// Columns to the left.
        left: u32,
        /// Columns to the right.
        right: u32,
        /// Columns of the model.
        window: u32,
    },
    /// The length is not a multiple of `step` from `least` to `most`.
    Length {
        /// Columns of the model.
        least: u32,
        /// What lengths are multiples of.
        step: u32,
        /// The most columns.
        most: u32,
    },
    /// Two evaluations a step, image-to-image or inpainting, which are for signals of the model's own length.
    Plain,
    /// What a chain of the model's own length is refused for, too. Lengths of arena and state are those that
    /// [`Pieces`](super::Pieces) says.
    Sampler(SamplerError),
}

impl From<SamplerError> for LongError {
    fn from(error: SamplerError) -> Self {
        Self::Sampler(error)
    }
}

impl fmt::Display for LongError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model => f.write_str(
                "the model draws signals of its own length alone: it is not of signals, or its columns are not the same \
                 everywhere (positions, dense layers, a length that patches and strides do not divide)",
            ),
            Self::Reach { left, right, window } => write!(
                f,
                "the network looks {left} samples to the left and {right} to the right, so that of its {window} none is left \
                 to keep"
            ),
            Self::Length { least, step, most } => {
                write!(f, "the length must be a multiple of {step} from {least} to {most}")
            }
            Self::Plain => f.write_str(
                "two evaluations a step, image-to-image and inpainting are for signals of the model's own length",
            ),
            Self::Sampler(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for LongError {}
