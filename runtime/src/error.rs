//! Errors: small `Copy` values that say which check failed and where.

use crate::process::StateKind;
use core::fmt;

/// Why a sampler could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SamplerError {
    /// The arena is shorter than [`Model::arena_len`](crate::Model::arena_len).
    ArenaLength {
        /// Bytes needed.
        needed: u32,
        /// Bytes given.
        found: u32,
    },
    /// The arena does not start at a multiple of 16; see [`Arena`](crate::Arena).
    ArenaMisaligned,
    /// The state is shorter than [`Model::state_len`](crate::Model::state_len).
    StateLength {
        /// Values needed.
        needed: u32,
        /// Values given.
        found: u32,
    },
    /// The state is of other elements than the model's.
    StateElement {
        /// What the model's is kept in.
        kind: StateKind,
    },
    /// The class is not below [`Model::classes`](crate::Model::classes).
    Class {
        /// Classes the model knows.
        classes: u16,
    },
    /// The labels have several axes, and the class was named without its axis; see
    /// [`Builder::class_on`](crate::Builder::class_on).
    SeveralAxes {
        /// Axes of the model.
        axes: u16,
    },
    /// The axis is not one of [`Model::axes`](crate::Model::axes), or has no such class.
    ClassOnAxis {
        /// The axis; one that is beyond the last that any model has counts as that.
        axis: u16,
        /// Its classes, 0 for an axis that there is not.
        classes: u16,
    },
    /// The guidance scale is not from 0 to 16.
    Guidance,
    /// Guidance is asked for, and no class that it could act on.
    GuidanceWithoutClass,
    /// The plan is another model's.
    ForeignPlan,
    /// Distributions are to be multiplied in a chain over bits.
    MultiplyBits,
    /// The deviation of the noise on what is known is not from 0 to 10.
    MultiplyDeviation,
    /// Distributions are to be multiplied, and a step that is not the last adds no noise.
    MultiplyWithoutNoise {
        /// The step.
        step: u32,
    },
    /// Image-to-image would start behind the last step.
    Start {
        /// Steps of the plan.
        steps: u32,
    },
    /// An image, or a state to probe, has another number of values than a sample.
    ImageLength {
        /// Values of a sample.
        needed: u32,
        /// Values given.
        found: u32,
    },
    /// The local condition has another number of values than that of the model.
    LocalLength {
        /// Values of the model's, 0 for a model that follows none.
        needed: u32,
        /// Values given, 0 for none.
        found: u32,
    },
    /// The mask has another number of bytes than [`mask_len`](crate::mask_len) says.
    MaskLength {
        /// Bytes needed.
        needed: u32,
        /// Bytes given.
        found: u32,
    },
}

/// Why a snapshot could not be written or taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SnapshotError {
    /// The buffer is shorter than the snapshot; [`Model::snapshot_len`](crate::Model::snapshot_len) bytes suffice.
    BufferTooShort {
        /// Bytes needed.
        needed: u32,
        /// Bytes given.
        found: u32,
    },
    /// The bytes do not begin with `BRNS`.
    Magic,
    /// The snapshot was written by another version.
    Version {
        /// The version in it; this reader knows [`SNAPSHOT_VERSION`](crate::SNAPSHOT_VERSION).
        found: u16,
    },
    /// The checksum differs: it is damaged or cut off.
    Damaged,
    /// It cannot be decoded.
    Malformed,
    /// It belongs to another model.
    Model {
        /// Checksum of the model it was made with.
        expected: u32,
        /// Checksum of this one.
        found: u32,
    },
    /// The chain keeps a known image and mask, and other ones were given, or none; or it keeps none and some were given. Or it
    /// follows another local condition.
    Known,
    /// The chain evaluates twice a step, and [`Resume::two_evaluations`](crate::Resume::two_evaluations) was not called.
    TwoEvaluations,
    /// Memory that does not fit, or a condition that the model does not take.
    Sampler(SamplerError),
}

impl fmt::Display for SamplerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ArenaLength { needed, found } => write!(f, "the arena has {found} bytes, the model needs {needed}"),
            Self::ArenaMisaligned => f.write_str("the arena is not aligned to 16 bytes; use Arena"),
            Self::StateLength { needed, found } => write!(f, "the state has {found} values, the model needs {needed}"),
            Self::StateElement { kind } => {
                write!(f, "the model keeps its state as {0}: give it memory of {0}", kind.name())
            }
            Self::Class { classes: 0 } => f.write_str("the model is not conditioned on classes"),
            Self::Class { classes } => write!(f, "the class must be below {classes}"),
            Self::SeveralAxes { axes } => {
                write!(f, "the labels have {axes} axes: name the class's with class_on(axis, class)")
            }
            Self::ClassOnAxis { axis, classes: 0 } => write!(f, "the labels have no axis {axis}"),
            Self::ClassOnAxis { axis, classes } => write!(f, "the class on axis {axis} must be below {classes}"),
            Self::Guidance => f.write_str("the guidance scale must be from 0 to 16"),
            Self::GuidanceWithoutClass => f.write_str("guidance acts on a class: name one, or ask for no guidance"),
            Self::ForeignPlan => f.write_str("the plan is another model's; take it from the model that draws"),
            Self::MultiplyBits => {
                f.write_str("a chain over bits keeps known pixels by replacing them; distributions are multiplied of values")
            }
            Self::MultiplyDeviation => f.write_str("the deviation of what is known must be from 0 to 10"),
            Self::MultiplyWithoutNoise { step } => write!(
                f,
                "step {step} of the plan adds no noise, so there is no distribution to multiply: take a plan such as ddpm or \
                 ddim with eta=1, or replace the known pixels"
            ),
            Self::Start { steps } => {
                write!(f, "the plan has {steps} steps; start at a step below that, counted from 0")
            }
            Self::ImageLength { needed, found } => write!(f, "the image has {found} values, a sample {needed}"),
            Self::LocalLength { needed: 0, found } => {
                write!(f, "the model follows no local condition, and one of {found} values is given")
            }
            Self::LocalLength { needed, found: 0 } => {
                write!(f, "the model follows a local condition of {needed} values, and none is given")
            }
            Self::LocalLength { needed, found } => {
                write!(f, "the local condition has {found} values, that of the model {needed}")
            }
            Self::MaskLength { needed, found } => {
                write!(f, "the mask has {found} bytes and needs {needed}, a bit for each pixel")
            }
        }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooShort { needed, found } => {
                write!(f, "the snapshot has {needed} bytes, the buffer {found}")
            }
            Self::Magic => f.write_str("not a Brownian snapshot (it does not begin with BRNS)"),
            Self::Version { found } => write!(
                f,
                "the snapshot has version {found}, this reader knows version {}; use a matching Brownian",
                crate::SNAPSHOT_VERSION
            ),
            Self::Damaged => f.write_str("the snapshot's checksum differs; it is damaged or was cut off"),
            Self::Malformed => f.write_str("the snapshot cannot be decoded"),
            Self::Model { expected, found } => write!(
                f,
                "the snapshot belongs to the model with checksum {expected:08x}, this one has {found:08x}"
            ),
            Self::Known => f.write_str(
                "the known image and mask, or the local condition, are not those that the chain was saved with; give the \
                 same, or none if it had none",
            ),
            Self::TwoEvaluations => {
                f.write_str("the chain evaluates twice a step; call two_evaluations() on what is taken up to admit that")
            }
            Self::Sampler(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SamplerError {}
impl core::error::Error for SnapshotError {}

impl From<SamplerError> for SnapshotError {
    fn from(error: SamplerError) -> Self {
        Self::Sampler(error)
    }
}
