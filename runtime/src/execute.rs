//! The op loop: one evaluation of the network over the arena.
//!
//! Helpers return `Option` to leave early where a slice is not there; parsing has made that impossible.

mod packed;

use crate::conditioning::{Condition, StepBiases};
use crate::error::SamplerError;
use crate::format::{self, Element, Op, Requantization, StepBias, Tensor};
use crate::kernels::{self, Active, Backend, Epilogue, Output, Residual, Source};
use crate::model::Model;
use crate::moves;
use crate::quant::quantize;
use core::ops::Range;

/// Runs one op.
pub(crate) fn run(model: &Model, biases: &StepBiases, op: &Op, arena: &mut [u8]) {
    Network { blob: model.blob(), biases }.run(op, arena);
}

/// Evaluates the network once on a state `x`, outside of a chain, and shows `observer` the number of every op and the
/// arena right after it: for tools that compare what ops compute with something else.
///
/// `time_row` chooses the row of channel biases, as [`Step::time_row`](crate::plan::Step::time_row) does; a row that is
/// not there counts as zeros. The output lies where [`Header::output`](format::Header::output) says.
///
/// # Errors
/// A condition that the model does not take, a state of another length than a sample, or an arena that is too short or misaligned.
pub fn probe(
    model: &Model,
    condition: Condition,
    time_row: u32,
    x: &[f32],
    arena: &mut [u8],
    mut observer: impl FnMut(u16, &[u8]),
) -> Result<(), SamplerError> {
    condition.check(model)?;
    let (needed, found) = (model.sample_len() as u32, x.len() as u32);
    if needed != found {
        return Err(SamplerError::ImageLength { needed, found });
    }
    if !(arena.as_ptr() as usize).is_multiple_of(format::BLOB_ALIGN) {
        return Err(SamplerError::ArenaMisaligned);
    }
    let lengths = (model.arena_len() as u32, arena.len() as u32);
    let short = SamplerError::ArenaLength { needed: lengths.0, found: lengths.1 };
    let arena = arena.get_mut(..model.arena_len()).ok_or(short)?;
    let header = model.header();
    let input = arena.get_mut(header.input.range()).ok_or(short)?;
    for (slot, &x) in input.iter_mut().zip(x) {
        *slot = quantize(x, header.input_inverse_scale, header.input.zero_point) as u8;
    }
    let biases = StepBiases::new(model, condition, time_row);
    let network = Network { blob: model.blob(), biases: &biases };
    for (index, op) in model.ops().enumerate() {
        network.run(&op, arena);
        observer(index as u16, arena);
    }
    Ok(())
}

struct Network<'a> {
    blob: &'a [u8],
    biases: &'a StepBiases<'a>,
}

const NOTHING: Range<usize> = 0..0;

impl<'a> Network<'a> {
    fn run(&self, op: &Op, arena: &mut [u8]) -> Option<()> {
        match op {
            Op::Conv2d(op) => self.conv(op, arena),
            Op::PackedConv2d(op) => self.packed_conv(op, arena),
            Op::Depthwise(op) => self.depthwise(op, arena),
            Op::Linear(op) => self.linear(op, arena),
            Op::PackedLinear(op) => self.packed_linear(op, arena),
            Op::Add(op) => self.add(op, arena),
            Op::ChannelBias(op) => self.channel_bias(op, arena),
            Op::Lut(op) => {
                let (out, input) = split(arena, &op.output, &op.input)?;
                let lut = kernels::Lut { input: input.map(as_i8), table: self.lut(op.table)? };
                Active::lut(&lut, as_i8_mut(out));
                Some(())
            }
            Op::Upsample(op) => moves::upsample(op, arena),
            Op::Concat(op) => moves::concat(op, arena),
            Op::SpaceToDepth(op) => moves::blocks(op, &op.input, &op.output, arena),
            Op::DepthToSpace(op) => moves::blocks(op, &op.output, &op.input, arena),
        }
    }

    fn conv(&self, op: &format::Conv2d, arena: &mut [u8]) -> Option<()> {
        let Buffers { out, scratch, a, b, residual } = Buffers::of(op, op.scratch_len(), arena)?;
        let channels = op.output.shape[2] as usize;
        let (bias, scratch) = self.bias(&op.requantization, channels, scratch)?;
        let conv = kernels::Conv {
            sources: (source(&op.a, a), op.b.as_ref().map(|input| source(input, b))),
            window: op.window.window(),
            output: op.output.shape.map(usize::from),
            groups: op.groups as usize,
            weights: as_i8(self.blob.get(op.weights as usize..)?),
            epilogue: self.epilogue(&op.requantization, bias, channels, residual)?,
        };
        Active::conv(&conv, output(&op.output, out)?, as_i8_mut(scratch));
        Some(())
    }

    fn depthwise(&self, op: &format::Depthwise, arena: &mut [u8]) -> Option<()> {
        let (out, scratch, input, residual) =
            split_scratch(arena, &op.output, (op.scratch, op.scratch_len()), &op.input.tensor, &op.requantization)?;
        // An input that is the output's own buffer arrives as an empty slice, which the kernel knows.
        let [height, width, channels] = op.output.shape.map(usize::from);
        let (bias, scratch) = self.bias(&op.requantization, channels, scratch)?;
        let conv = kernels::Depthwise {
            source: source(&op.input, input),
            window: op.window.window(),
            output: [height, width],
            weights: as_i8(self.blob.get(op.weights as usize..)?),
            epilogue: self.epilogue(&op.requantization, bias, channels, residual)?,
        };
        Active::depthwise(&conv, as_i8_mut(out), as_i8_mut(scratch));
        Some(())
    }

    fn linear(&self, op: &format::Linear, arena: &mut [u8]) -> Option<()> {
        let (out, scratch, input, residual) =
            split_scratch(arena, &op.output, (op.scratch, op.scratch_len()), &op.input, &op.requantization)?;
        let outputs = op.output.values();
        let (bias, _) = self.bias(&op.requantization, outputs, scratch)?;
        let weights = kernels::row_stride(input.len()) * outputs;
        let linear = kernels::Linear {
            input: as_i8(input),
            weights: as_i8(self.blob.get(op.weights as usize..)?.get(..weights)?),
            epilogue: self.epilogue(&op.requantization, bias, outputs, residual)?,
        };
        Active::linear(&linear, output(&op.output, out)?);
        Some(())
    }

    fn add(&self, op: &format::Add, arena: &mut [u8]) -> Option<()> {
        let (out, a, b) = (op.output.range(), op.a.range(), op.b.range());
        let in_place = a == out;
        let same = a == b;
        let [out, a, b] = arena
            .get_disjoint_mut([out, if in_place { NOTHING } else { a }, if same && !in_place { NOTHING } else { b }])
            .ok()?;
        let (a, b) = (as_i8(a), as_i8(b));
        let add = kernels::Add {
            a: if in_place { None } else { Some(a) },
            b: if same { a } else { b },
            multipliers: op.multipliers,
            offset: op.offset,
            shift: op.shift,
            lut: op.lut.and_then(|lut| self.lut(lut)),
        };
        Active::add(&add, as_i8_mut(out));
        Some(())
    }

    fn channel_bias(&self, op: &format::ChannelBias, arena: &mut [u8]) -> Option<()> {
        let (out, input) = split(arena, &op.output, &op.input)?;
        let channels = op.output.shape[2] as usize;
        let shift = op.shift as u32 & 31;
        for c in 0..channels {
            let bias = self.shifted(&op.step_bias, c).wrapping_add(op.offset);
            let mut at = c;
            while let Some(slot) = out.get_mut(at) {
                let value = match input {
                    Some(input) => input.get(at).copied()?,
                    None => *slot,
                };
                let t = (value as i8 as i32 * op.multiplier as i32).wrapping_add(bias);
                *slot = crate::quant::clamp_i8(t >> shift) as u8;
                at += channels;
            }
        }
        Some(())
    }

    /// A step bias of channel `c` in units of the accumulator.
    fn shifted(&self, bias: &StepBias, c: usize) -> i32 {
        self.biases.value(bias.column as usize + c) << (bias.shift as u32 & 31)
    }

    /// The biases that accumulators start from, and the rest of the scratch: the model's own, or, where
    /// they depend on the step, their sums at the front of the scratch.
    fn bias<'s>(&self, r: &Requantization, channels: usize, scratch: &'s mut [u8]) -> Option<(&'s [i32], &'s mut [u8])>
    where
        'a: 's,
    {
        let fixed: &'a [i32] = table(self.blob, r.bias, channels * 4)?;
        let Some(step_bias) = &r.step_bias else { return Some((fixed, scratch)) };
        let (sums, rest) = scratch.split_at_mut_checked(channels * 4)?;
        let sums: &mut [i32] = bytemuck::try_cast_slice_mut(sums).ok()?;
        for (c, (sum, &bias)) in sums.iter_mut().zip(fixed).enumerate() {
            *sum = bias.wrapping_add(self.shifted(step_bias, c));
        }
        Some((sums, rest))
    }

    fn epilogue<'s>(
        &self,
        r: &Requantization,
        bias: &'s [i32],
        channels: usize,
        residual: Option<&'s [u8]>,
    ) -> Option<Epilogue<'s>>
    where
        'a: 's,
    {
        Some(Epilogue {
            bias,
            multipliers: table(self.blob, r.multipliers, channels * 2)?,
            offset: r.offset,
            shift: r.shift,
            residual: r.residual.map(|spec| Residual {
                data: residual.map(as_i8),
                multiplier: spec.multiplier,
                shift: spec.shift,
            }),
            lut: r.lut.and_then(|lut| self.lut(lut)),
        })
    }

    fn lut(&self, offset: u32) -> Option<&'a [i8; 256]> {
        as_i8(self.blob.get(offset as usize..)?).first_chunk()
    }
}

/// Aligned values in the weight blob.
fn table<T: bytemuck::AnyBitPattern>(blob: &[u8], offset: u32, len: usize) -> Option<&[T]> {
    bytemuck::try_cast_slice(blob.get(offset as usize..)?.get(..len)?).ok()
}

fn as_i8(bytes: &[u8]) -> &[i8] {
    bytemuck::try_cast_slice(bytes).unwrap_or(&[])
}

fn as_i8_mut(bytes: &mut [u8]) -> &mut [i8] {
    bytemuck::try_cast_slice_mut(bytes).unwrap_or(&mut [])
}

fn output<'o>(tensor: &Tensor, bytes: &'o mut [u8]) -> Option<Output<'o>> {
    Some(match tensor.element {
        Element::I8 => Output::I8(as_i8_mut(bytes)),
        Element::I16 => Output::I16(bytemuck::try_cast_slice_mut(bytes).ok()?),
    })
}

fn source<'d>(input: &format::ConvInput, data: &'d [u8]) -> Source<'d> {
    let [height, width, channels] = input.tensor.shape.map(usize::from);
    Source {
        data: as_i8(data),
        height,
        width,
        channels,
        upsample: input.upsample as u8,
        zero_point: input.tensor.zero_point,
    }
}

/// What a convolution works on, apart.
struct Buffers<'s> {
    out: &'s mut [u8],
    scratch: &'s mut [u8],
    a: &'s [u8],
    b: &'s [u8],
    /// Nothing where there is no residual or the output holds it.
    residual: Option<&'s [u8]>,
}

impl<'s> Buffers<'s> {
    fn of(op: &format::Conv2d, scratch_len: usize, arena: &'s mut [u8]) -> Option<Self> {
        let (a, b) = (op.a.tensor.range(), op.b.map_or(NOTHING, |b| b.tensor.range()));
        let second = if b == a { NOTHING } else { b.clone() };
        let residual = outside_residual(&op.requantization, &op.output);
        let third = if residual == a || residual == b { NOTHING } else { residual.clone() };
        let scratch = op.scratch as usize..op.scratch as usize + scratch_len;
        let [out, scratch, a_data, b_data, r_data] =
            arena.get_disjoint_mut([op.output.range(), scratch, a.clone(), second, third]).ok()?;
        let (a_data, b_data, r_data) = (&*a_data, &*b_data, &*r_data);
        let b_data = if b == a { a_data } else { b_data };
        let residual = if residual.is_empty() {
            None
        } else if residual == a {
            Some(a_data)
        } else if residual == b {
            Some(b_data)
        } else {
            Some(r_data)
        };
        Some(Self { out, scratch, a: a_data, b: b_data, residual })
    }
}

/// The residual's bytes, or nothing where there is none or the output holds it.
fn outside_residual(r: &Requantization, output: &Tensor) -> Range<usize> {
    match &r.residual {
        Some(residual) if residual.tensor.range() != output.range() => residual.tensor.range(),
        _ => NOTHING,
    }
}

/// Output and input, the latter `None` where it is the output's own buffer.
fn split<'s>(arena: &'s mut [u8], out: &Tensor, input: &Tensor) -> Option<(&'s mut [u8], Option<&'s [u8]>)> {
    let in_place = out.range() == input.range();
    let [out, input] = arena.get_disjoint_mut([out.range(), if in_place { NOTHING } else { input.range() }]).ok()?;
    Some((out, if in_place { None } else { Some(input) }))
}

/// Output, scratch, input and residual of an op with one input.
#[allow(clippy::type_complexity)]
fn split_scratch<'s>(
    arena: &'s mut [u8],
    out: &Tensor,
    (scratch, scratch_len): (u32, usize),
    input: &Tensor,
    r: &Requantization,
) -> Option<(&'s mut [u8], &'s mut [u8], &'s [u8], Option<&'s [u8]>)> {
    let residual = outside_residual(r, out);
    let input = if input.range() == out.range() { NOTHING } else { input.range() };
    let same = residual == input;
    let scratch = scratch as usize..scratch as usize + scratch_len;
    let third = if same { NOTHING } else { residual.clone() };
    let [out, scratch, input, other] = arena.get_disjoint_mut([out.range(), scratch, input, third]).ok()?;
    let input = &*input;
    let residual = if residual.is_empty() {
        None
    } else if same {
        Some(input)
    } else {
        Some(&*other)
    };
    Some((out, scratch, input, residual))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::quant::rounding_offset;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        /// q = clamp(⌊(value·m + (bias << s)) / 2^shift + 1/2⌋ + zero_point), in place and not.
        #[test]
        fn channel_bias_is_its_definition(
            h in 1u16..5, w in 1u16..5, c in 1u16..6, in_place: bool, multiplier: i16,
            shift in 1u8..=20, left in 0u8..=8, zero_point: i8, seed: u32,
        ) {
            let time: Vec<i16> = (0..c as u32 + 2).map(|i| (seed.wrapping_add(i * 77).wrapping_mul(2_654_435_761) >> 16) as i16).collect();
            let biases = StepBiases { time: &time, none: &[], class: &[], guidance_scale: 256 };
            let input = Tensor { offset: 0, shape: [h, w, c], element: Element::I8, zero_point: 0 };
            let start = if in_place { 0 } else { input.len().next_multiple_of(4) as u32 };
            let output = Tensor { offset: start, ..input };
            let op = format::ChannelBias {
                input, output, step_bias: StepBias { column: 2, shift: left }, multiplier,
                offset: rounding_offset(shift, zero_point.into()), shift,
            };
            let before: Vec<u8> = (0..output.range().end as u32).map(|i| (i.wrapping_mul(seed | 1) >> 7) as u8).collect();
            let mut arena = before.clone();
            Network { blob: &[], biases: &biases }.channel_bias(&op, &mut arena).unwrap();
            for (i, &q) in arena[output.range()].iter().enumerate() {
                let value = before[i] as i8 as i64 * multiplier as i64;
                let bias = (time[2 + i % c as usize] as i64) << left;
                let exact = ((value + bias + (1i64 << (shift - 1))) >> shift) + zero_point as i64;
                prop_assert_eq!(q as i8 as i64, exact.clamp(-128, 127));
            }
        }
    }
}
