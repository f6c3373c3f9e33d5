//! What the header holds. Offsets named after tables count bytes from the start of the weight blob;
//! a tensor's offset counts bytes from the start of the arena.

use super::read::{Read, Reader};
use super::record::record;
use super::tensor::Tensor;
use crate::plan::Start;

/// The forward process whose reverse the plans run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Process {
    /// x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε; number 0.
    Gaussian,
    /// Bits that are drawn anew, see [`process::binomial`](crate::process::binomial); number 1.
    Binomial,
}

impl Process {
    /// Whether it is over bits.
    pub const fn is_binomial(self) -> bool {
        cfg!(feature = "binomial") && matches!(self, Self::Binomial)
    }

    /// The process of this number in the file, if this reader knows it.
    pub const fn numbered(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Gaussian),
            1 if cfg!(feature = "binomial") => Some(Self::Binomial),
            _ => None,
        }
    }
}

impl Read<'_> for Process {
    fn read(from: &mut Reader) -> Self {
        Self::numbered(from.value()).unwrap_or_else(|| {
            from.fail();
            Self::Gaussian
        })
    }
}

record! {
    /// The tables of channel biases, i16, `[rows][columns]`, and the axes of labels.
    #[derive(Eq)]
    pub struct Conditioning<'a> {
        /// Columns of both tables.
        pub columns: u32,
        /// Rows of the time table.
        pub time_rows: u32,
        /// Start of the time table.
        pub time_table: u32,
        /// Start of the class tables: for each axis `classes + 1` rows, the last for no class.
        pub class_table: u32,
        /// Number of axes of labels, at most [`MAX_AXES`](crate::MAX_AXES); 0 for a model without.
        pub axis_count: u16,
        /// [`AxisHeader`]s, one after the other.
        pub axes: &'a [u8],
    }
}

record! {
    /// An axis of labels as the header names it.
    #[derive(Eq)]
    pub struct AxisHeader<'a> {
        /// Name; 1 to [`MAX_CLASS_NAME`](super::MAX_CLASS_NAME) bytes.
        pub name: &'a str,
        /// Number of classes, at least 1.
        pub classes: u16,
        /// The classes' names, one after the other, each a length and 1 to
        /// [`MAX_CLASS_NAME`](super::MAX_CLASS_NAME) bytes.
        pub class_names: &'a [u8],
    }
}

record! {
    /// A plan as the header names it.
    #[derive(Eq)]
    pub struct PlanHeader<'a> {
        /// Name, unique in the model; 1 to [`MAX_PLAN_NAME`](super::MAX_PLAN_NAME) bytes.
        pub name: &'a str,
        /// Number of steps.
        pub steps: u16,
        /// Start of the steps, [`STEP_LEN`](crate::plan::STEP_LEN) bytes each.
        pub table: u32,
        /// How its steps are followed.
        pub rules: PlanRules,
    }
}

/// How the steps of a plan are followed: a byte, whose bits 2 to 7 are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(serde::Serialize))]
pub struct PlanRules(u8);

impl PlanRules {
    const CLIP: u8 = 1;
    const NOISE: u8 = 2;

    /// Whether x0_hat is clipped to [-1, 1] (bit 0), and how the plan starts (bit 1: [`Start::Noise`]).
    pub const fn new(clip: bool, start: Start) -> Self {
        let start = match start {
            Start::Normal => 0,
            Start::Noise => Self::NOISE,
        };
        Self(clip as u8 | start)
    }

    /// Whether x0_hat is clipped to [-1, 1].
    pub const fn clip(self) -> bool {
        self.0 & Self::CLIP != 0
    }

    /// How the plan starts.
    pub const fn start(self) -> Start {
        match self.0 & Self::NOISE {
            0 => Start::Normal,
            _ => Start::Noise,
        }
    }
}

impl Read<'_> for PlanRules {
    fn read(from: &mut Reader) -> Self {
        let byte = from.value();
        if byte > Self::CLIP | Self::NOISE {
            from.fail();
        }
        Self(byte)
    }
}

record! {
    /// The postcard-encoded header.
    pub struct Header<'a> {
        /// The process that the plans reverse.
        pub process: Process,
        /// Name of the model.
        pub name: &'a str,
        /// Where it comes from: TOML with the training command, data, seed.
        pub provenance: &'a str,
        /// Where the network reads x_t; i8.
        pub input: Tensor,
        /// 1/scale of the input.
        pub input_inverse_scale: f32,
        /// Where the network leaves F; i16.
        pub output: Tensor,
        /// Scale of the output.
        pub output_scale: f32,
        /// Channel biases.
        pub conditioning: Conditioning<'a>,
        /// Number of plans.
        pub plan_count: u16,
        /// [`PlanHeader`]s, one after the other.
        pub plans: &'a [u8],
        /// Number of ops.
        pub op_count: u16,
        /// [`Op`](crate::ops::Op)s, one after the other.
        pub ops: &'a [u8],
    }
}
