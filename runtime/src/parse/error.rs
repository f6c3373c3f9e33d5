//! Why a model file is refused: small `Copy` values that say which check failed and where.

use super::limits::{MAX_AXES, MAX_MACS, MAX_OPS, MAX_PLANS};
use crate::format::{TableError, VERSION};
use crate::ops::checker::MAX_ARENA;
use crate::ops::OpFault;
use core::fmt;

/// Why a model file was refused. Ops, plans and steps count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ParseError {
    /// The bytes do not start at a multiple of 16 in memory; see [`include_model`](crate::include_model).
    Misaligned,
    /// The file is shorter or longer than its prefix says.
    Length {
        /// Bytes that the prefix announces (or the prefix itself needs).
        expected: u32,
        /// Bytes given.
        found: u32,
    },
    /// The file does not begin with `BRWN`.
    Magic,
    /// The file was written for another version of the format.
    Version {
        /// The version in the file; this reader knows [`VERSION`].
        found: u16,
    },
    /// The checksum over the file differs: it is damaged.
    Crc {
        /// Checksum stored.
        stored: u32,
        /// Checksum of the bytes.
        computed: u32,
    },
    /// A reserved field is not zero, or a padding byte is not.
    Reserved,
    /// The plans reverse a process that this reader does not know.
    Process {
        /// The process's number.
        found: u8,
    },
    /// The header cannot be decoded.
    Header,
    /// The arena is larger than 2^24 bytes.
    ArenaTooLarge {
        /// Bytes that the prefix announces.
        found: u32,
    },
    /// The network's input.
    Input(OpFault),
    /// The network's output.
    Output(OpFault),
    /// The scale of the input or of the output is not finite.
    Scale,
    /// The prefix announces another number of values of a sample, or of state, than follows from the header.
    Announced {
        /// What follows from the header.
        expected: u32,
        /// What the prefix announces.
        found: u32,
    },
    /// A table of channel biases.
    Table(TableError),
    /// There are more axes of labels than [`MAX_AXES`].
    TooManyAxes {
        /// Number of axes.
        found: u16,
    },
    /// An axis of labels.
    Axis {
        /// The axis; the number of axes for bytes after the last.
        axis: u16,
        /// What is wrong with it.
        fault: AxisFault,
    },
    /// There are more ops than [`MAX_OPS`].
    TooManyOps {
        /// Number of ops.
        found: u16,
    },
    /// One evaluation takes more multiply-accumulates than [`MAX_MACS`].
    TooManyMacs {
        /// The op with which they are more.
        op: u16,
    },
    /// An op.
    Op {
        /// The op; the number of ops for bytes after the last.
        op: u16,
        /// What is wrong with it.
        fault: OpFault,
    },
    /// There are more plans than [`MAX_PLANS`].
    TooManyPlans {
        /// Number of plans.
        found: u16,
    },
    /// A plan.
    Plan {
        /// The plan; the number of plans for bytes after the last.
        plan: u16,
        /// What is wrong with it.
        fault: PlanFault,
    },
}

/// What is wrong with an axis of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AxisFault {
    /// It cannot be decoded, or has more names than classes.
    Encoding,
    /// Its name is empty or longer than 64 bytes.
    Name,
    /// It has no classes.
    Empty,
    /// A class has no name, or one that is empty, longer than 64 bytes or not UTF-8.
    ClassName {
        /// The class.
        class: u16,
    },
    /// With it the class tables have more than 65535 rows.
    TooManyClasses,
}

/// What is wrong with a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PlanFault {
    /// It cannot be decoded.
    Encoding,
    /// Its name is empty or longer than 32 bytes.
    Name,
    /// Its name is that of an earlier plan.
    Repeated,
    /// It has no steps.
    Empty,
    /// The table of its steps.
    Table(TableError),
    /// A coefficient is not finite.
    NotFinite {
        /// The step.
        step: u16,
    },
    /// A step names a row that the time table does not have.
    TimeRow {
        /// The step.
        step: u16,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misaligned => f.write_str("the model is not aligned to 16 bytes in memory; use include_model!"),
            Self::Length { expected, found } => {
                write!(f, "the model should have {expected} bytes but has {found}; it was cut off or extended")
            }
            Self::Magic => f.write_str("not a Brownian model (it does not begin with BRWN)"),
            Self::Version { found } if *found < VERSION => write!(
                f,
                "the model has format version {found}, this reader knows version {VERSION}; `trainer upgrade` brings it up to date"
            ),
            Self::Version { found } => write!(
                f,
                "the model has format version {found}, this reader knows version {VERSION}; use a newer Brownian"
            ),
            Self::Crc { stored, computed } => {
                write!(f, "checksum {computed:08x} differs from the stored {stored:08x}; the model is damaged")
            }
            Self::Reserved => f.write_str("a reserved field or padding byte is not zero"),
            Self::Process { found } => {
                write!(f, "the model is of process number {found}, which this reader does not know; use a newer Brownian")
            }
            Self::Header => f.write_str("the header cannot be decoded"),
            Self::ArenaTooLarge { found } => {
                write!(f, "the model needs an arena of {found} bytes; the most is {MAX_ARENA}")
            }
            Self::Input(fault) => write!(f, "the network's input: {fault}"),
            Self::Output(fault) => write!(f, "the network's output: {fault}"),
            Self::Scale => f.write_str("the scale of the input or of the output is not finite"),
            Self::Announced { expected, found } => {
                write!(f, "the prefix announces {found} values of state or of a sample, the header means {expected}")
            }
            Self::Table(error) => error.fmt(f),
            Self::TooManyAxes { found } => write!(f, "the labels have {found} axes; the most is {MAX_AXES}"),
            Self::Axis { axis, fault } => write!(f, "label axis {axis}: {fault}"),
            Self::TooManyOps { found } => write!(f, "the network has {found} ops; the most is {MAX_OPS}"),
            Self::TooManyMacs { op } => {
                write!(f, "with op {op} an evaluation takes more than {MAX_MACS} multiply-accumulates, which is the most")
            }
            Self::Op { op, fault } => write!(f, "op {op}: {fault}"),
            Self::TooManyPlans { found } => write!(f, "the model has {found} plans; the most is {MAX_PLANS}"),
            Self::Plan { plan, fault } => write!(f, "plan {plan}: {fault}"),
        }
    }
}

impl fmt::Display for AxisFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding => f.write_str("it cannot be decoded"),
            Self::Name => f.write_str("its name is empty or longer than 64 bytes"),
            Self::Empty => f.write_str("it has no classes"),
            Self::ClassName { class } => {
                write!(f, "class {class} has no name, or one that is empty, longer than 64 bytes or not UTF-8")
            }
            Self::TooManyClasses => f.write_str("with it there are more than 65535 rows in the class tables"),
        }
    }
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding => f.write_str("it cannot be decoded"),
            Self::Name => f.write_str("its name is empty or longer than 32 bytes"),
            Self::Repeated => f.write_str("an earlier plan has the same name"),
            Self::Empty => f.write_str("it has no steps"),
            Self::Table(error) => error.fmt(f),
            Self::NotFinite { step } => write!(f, "a coefficient of step {step} is not finite"),
            Self::TimeRow { step } => write!(f, "step {step} names a row that the time table does not have"),
        }
    }
}

impl core::error::Error for ParseError {}
