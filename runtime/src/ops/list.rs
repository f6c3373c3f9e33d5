//! The list of all ops. A new op is a file beside this one, and a line in the list.

use super::add::Add;
use super::buffers::Buffers;
use super::channel_bias::ChannelBias;
use super::concat::Concat;
#[cfg(feature = "constant")]
use super::constant::Constant;
use super::conv2d::Conv2d;
use super::depth_to_space::DepthToSpace;
use super::depthwise::Depthwise;
use super::evaluation::Evaluation;
use super::gate::Gate;
use super::linear::Linear;
#[cfg(feature = "local")]
use super::local_condition::LocalCondition;
use super::lut::Lut;
use super::operation::Operation;
#[cfg(feature = "four-bit")]
use super::packed::Packed;
use super::space_to_depth::SpaceToDepth;
use super::upsample::Upsample;
#[cfg(feature = "winograd")]
use super::winograd_conv2d::WinogradConv2d;
use crate::format::{Read, Reader, Tensor};

/// Declares [`Op`] from lines of an op's number in the format, its name and its type.
macro_rules! ops {
    ($($(#[$cfg:meta])* $number:literal $name:ident($type:ty),)*) => {
        /// One entry of the network's flat list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        #[non_exhaustive]
        pub enum Op {
            $($(#[$cfg])* $name($type),)*
        }

        impl Op {
            /// What every op answers.
            pub(crate) fn operation(&self) -> &dyn Operation {
                match self {
                    $($(#[$cfg])* Self::$name(op) => op,)*
                }
            }

            #[cfg(feature = "host")]
            pub(crate) fn operation_mut(&mut self) -> &mut dyn Operation {
                match self {
                    $($(#[$cfg])* Self::$name(op) => op,)*
                }
            }
        }

        impl<'a> Read<'a> for Op {
            #[inline(never)]
            fn read(from: &mut Reader<'a>) -> Self {
                match from.value::<u32>() {
                    $($(#[$cfg])* $number => Self::$name(Read::read(from)),)*
                    _ => {
                        from.fail();
                        Self::Upsample(Read::read(from))
                    }
                }
            }
        }

        /// Whether this build has an op of this number.
        pub(crate) fn is_known(number: u32) -> bool {
            $($(#[$cfg])* if number == $number { return true; })*
            false
        }

        #[cfg(feature = "host")]
        impl serde::Serialize for Op {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$name(op) => serializer.serialize_newtype_variant("Op", $number, stringify!($name), op),)*
                }
            }
        }
    };
}

ops! {
    0 Conv2d(Conv2d),
    1 Depthwise(Depthwise),
    2 Linear(Linear),
    3 Add(Add),
    4 ChannelBias(ChannelBias),
    5 Upsample(Upsample),
    6 Concat(Concat),
    7 Lut(Lut),
    8 SpaceToDepth(SpaceToDepth),
    9 DepthToSpace(DepthToSpace),
    #[cfg(feature = "four-bit")]
    10 PackedConv2d(Packed<Conv2d>),
    #[cfg(feature = "four-bit")]
    11 PackedLinear(Packed<Linear>),
    12 Gate(Gate),
    #[cfg(feature = "winograd")]
    14 WinogradConv2d(WinogradConv2d),
    #[cfg(feature = "constant")]
    15 Constant(Constant),
    #[cfg(feature = "local")]
    16 LocalCondition(LocalCondition),
}

impl Op {
    /// The result.
    pub fn output(&self) -> &Tensor {
        self.operation().output()
    }

    /// What it reads, in order; a residual is the last.
    pub fn inputs(&self) -> impl Iterator<Item = &Tensor> {
        self.operation().operands().into_iter().flatten()
    }

    /// Start and length of the scratch in the arena, if the op has one.
    pub fn scratch(&self) -> Option<(u32, usize)> {
        Some(self.operation().scratch()).filter(|(_, len)| *len > 0)
    }

    /// Bytes of scratch that a second core needs to compute half of the outputs.
    #[cfg(feature = "two-cores")]
    pub fn second_scratch_len(&self) -> usize {
        self.operation().second_scratch_len()
    }

    /// Multiply-accumulates of one evaluation, taps in the padding counted.
    pub fn macs(&self) -> u64 {
        self.operation().macs()
    }

    /// The number of ops that it says are computed once a chain, if it is the one that says so.
    pub(crate) fn prelude(&self) -> Option<u16> {
        match self {
            #[cfg(feature = "local")]
            Self::LocalCondition(op) => Some(op.prelude),
            _ => None,
        }
    }

    /// Computes the output in an arena whose places parsing has checked.
    /// The weights that it reads more than once, which are worth [memory of their own](crate::Sampler::with_weight_memory)
    /// where flash is slow: their offset in the blob and their bytes. `None` of what is no convolution, and of weights of
    /// four bits, which are unpacked into RAM anyway.
    #[cfg(feature = "weight-memory")]
    pub fn weights_read_often(&self) -> Option<(u32, usize)> {
        self.operation().weights_read_often()
    }

    pub(crate) fn run(&self, evaluation: &Evaluation, arena: &mut [u8]) -> Option<()> {
        let op = self.operation();
        op.run(evaluation, Buffers::of(arena, op.output(), op.scratch(), op.operands())?)
    }
}
