//! Decodes the header's items field by field with postcard.
//!
//! Postcard writes a struct as its fields, one after the other, without any frame, so reading the fields in
//! order is reading the struct. Derived deserializers would do the same with four times the code.

use super::types::*;
use postcard::de_flavors::Slice;
use postcard::Deserializer;
use serde::Deserialize;

/// Reads values one after the other.
pub struct Reader<'a> {
    input: Deserializer<'a, Slice<'a>>,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { input: Deserializer::from_bytes(bytes) }
    }

    /// What has not been read.
    pub fn rest(self) -> Option<&'a [u8]> {
        self.input.finalize().ok()
    }

    /// The next value of a primitive type, or `None` where the bytes end or hold none.
    #[inline(never)]
    pub(crate) fn next<T: Deserialize<'a>>(&mut self) -> Option<T> {
        T::deserialize(&mut self.input).ok()
    }

    /// An optional value: a byte that is 0 or 1, then the value if it is 1.
    fn option<T: Read<'a>>(&mut self) -> Option<Option<T>> {
        match self.next::<bool>()? {
            true => T::read(self).map(Some),
            false => Some(None),
        }
    }

    /// Two values along the vertical and the horizontal axis.
    fn pair<T: Deserialize<'a>>(&mut self) -> Option<[T; 2]> {
        Some([self.next()?, self.next()?])
    }
}

/// What can be read from postcard bytes.
pub trait Read<'a>: Sized {
    /// The value at the front of the reader, or `None` if there is none.
    fn read(from: &mut Reader<'a>) -> Option<Self>;
}

impl<'a> Read<'a> for u32 {
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        from.next()
    }
}

impl<'a> Read<'a> for Tensor {
    #[inline(never)]
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            offset: from.next()?,
            shape: [from.next()?, from.next()?, from.next()?],
            element: match from.next::<u32>()? {
                0 => Element::I8,
                1 => Element::I16,
                _ => return None,
            },
            zero_point: from.next()?,
        })
    }
}

impl<'a> Read<'a> for ConvInput {
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self { tensor: Tensor::read(from)?, upsample: from.next()? })
    }
}

impl<'a> Read<'a> for WindowSpec {
    #[inline(never)]
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self { kernel: from.pair()?, stride: from.pair()?, pad: from.pair()?, dilation: from.pair()? })
    }
}

impl<'a> Read<'a> for StepBias {
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self { column: from.next()?, shift: from.next()? })
    }
}

impl<'a> Read<'a> for Residual {
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self { tensor: Tensor::read(from)?, multiplier: from.next()?, shift: from.next()? })
    }
}

impl<'a> Read<'a> for Requantization {
    #[inline(never)]
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            bias: from.next()?,
            multipliers: from.next()?,
            offset: from.next()?,
            shift: from.next()?,
            step_bias: from.option()?,
            residual: from.option()?,
            lut: from.option()?,
        })
    }
}

impl<'a> Read<'a> for Move {
    #[inline(never)]
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self { input: Tensor::read(from)?, output: Tensor::read(from)?, block: from.pair()? })
    }
}

impl<'a> Read<'a> for Conv2d {
    #[inline(never)]
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            a: ConvInput::read(from)?,
            b: from.option()?,
            output: Tensor::read(from)?,
            window: WindowSpec::read(from)?,
            groups: from.next()?,
            weights: from.next()?,
            requantization: Requantization::read(from)?,
            scratch: from.next()?,
        })
    }
}

impl<'a> Read<'a> for Linear {
    #[inline(never)]
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            input: Tensor::read(from)?,
            output: Tensor::read(from)?,
            weights: from.next()?,
            requantization: Requantization::read(from)?,
            scratch: from.next()?,
        })
    }
}

impl<'a> Read<'a> for Op {
    #[inline(never)]
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        // Ops with the same layer are read in the same place: a place each would add up on the stack.
        let number = from.next::<u32>()?;
        Some(match number {
            0 | 10 => {
                let layer = Conv2d::read(from)?;
                match number {
                    0 => Self::Conv2d(layer),
                    _ => Self::PackedConv2d(Packed { layer, block: from.next()? }),
                }
            }
            1 => Self::Depthwise(Depthwise {
                input: ConvInput::read(from)?,
                output: Tensor::read(from)?,
                window: WindowSpec::read(from)?,
                weights: from.next()?,
                requantization: Requantization::read(from)?,
                scratch: from.next()?,
            }),
            2 | 11 => {
                let layer = Linear::read(from)?;
                match number {
                    2 => Self::Linear(layer),
                    _ => Self::PackedLinear(Packed { layer, block: from.next()? }),
                }
            }
            3 => Self::Add(Add {
                a: Tensor::read(from)?,
                b: Tensor::read(from)?,
                output: Tensor::read(from)?,
                multipliers: from.pair()?,
                offset: from.next()?,
                shift: from.next()?,
                lut: from.option()?,
            }),
            4 => Self::ChannelBias(ChannelBias {
                input: Tensor::read(from)?,
                output: Tensor::read(from)?,
                step_bias: StepBias::read(from)?,
                multiplier: from.next()?,
                offset: from.next()?,
                shift: from.next()?,
            }),
            5 => Self::Upsample(Move::read(from)?),
            6 => Self::Concat(Concat { a: Tensor::read(from)?, b: Tensor::read(from)?, output: Tensor::read(from)? }),
            7 => Self::Lut(Lut { input: Tensor::read(from)?, output: Tensor::read(from)?, table: from.next()? }),
            8 => Self::SpaceToDepth(Move::read(from)?),
            9 => Self::DepthToSpace(Move::read(from)?),
            _ => return None,
        })
    }
}

impl<'a> Read<'a> for PlanHeader<'a> {
    #[inline(never)]
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self { name: from.next()?, steps: from.next()?, table: from.next()?, clip: from.next()? })
    }
}

impl<'a> Read<'a> for Header<'a> {
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            name: from.next()?,
            provenance: from.next()?,
            input: Tensor::read(from)?,
            input_inverse_scale: from.next()?,
            output: Tensor::read(from)?,
            output_scale: from.next()?,
            conditioning: Conditioning {
                columns: from.next()?,
                time_rows: from.next()?,
                time_table: from.next()?,
                classes: from.next()?,
                class_table: from.next()?,
            },
            plan_count: from.next()?,
            plans: from.next()?,
            op_count: from.next()?,
            ops: from.next()?,
        })
    }
}
