//! The checks behind [`Model::parse`](crate::Model::parse): after them nothing downstream can fail,
//! index out of bounds, overflow or read what was not written.

use super::rules::{all_i8, blocks, conv_shape, final_shift, moved, no_minimum, ring_len, same_shape, window_shape};
use super::{
    items, state_len_of, Conv2d, Element, Header, Linear, Op, Packed, PlanHeader, Requantization, StepBias, Tensor,
    MAX_PLAN_NAME,
};
use crate::error::{OpFault, ParseError, Table};
use crate::kernels::row_stride;
use crate::plan::{Step, STEP_LEN};
use core::ops::Range;

/// Largest arena, in bytes.
const MAX_ARENA: u64 = 1 << 24;
/// Largest number of ops.
const MAX_OPS: u16 = 256;
/// Largest number of multiply-accumulates of one evaluation.
const MAX_MACS: u64 = 1 << 30;
/// Bound on |Σ w·x|, on |bias|, on |step bias| and on |offset|: three of them fit 32 bits with room.
pub(super) const PART_LIMIT: u64 = 1 << 29;
/// |w·x| ≤ 127·128.
pub(super) const PRODUCT_LIMIT: u64 = 127 * 128;
/// Largest left shift of a step bias; with guidance up to 16 a value has 21 bits.
const MAX_BIAS_SHIFT: u8 = 8;

struct Checker<'a> {
    blob: &'a [u8],
    ops: &'a [u8],
    input: Tensor,
    arena_len: usize,
    columns: u64,
}

/// Checks a decoded header against its blob and the lengths that the prefix announces.
pub(crate) fn validate(
    header: &Header,
    blob: &[u8],
    arena_len: usize,
    [state_len, sample_len]: [usize; 2],
) -> Result<(), ParseError> {
    let conditioning = header.conditioning;
    let checker =
        Checker { blob, ops: header.ops, input: header.input, arena_len, columns: conditioning.columns as u64 };
    if arena_len as u64 > MAX_ARENA || header.op_count > MAX_OPS {
        return Err(ParseError::Frame);
    }
    for tensor in [&header.input, &header.output] {
        checker.tensor(tensor).map_err(|_| ParseError::Frame)?;
    }
    let scales = header.input_inverse_scale.is_finite() && header.output_scale.is_finite();
    let elements = (header.input.element, header.output.element) == (Element::I8, Element::I16);
    if !scales || !elements || header.input.values() != header.output.values() {
        return Err(ParseError::Frame);
    }
    let row = checker.columns.saturating_mul(2);
    let (time, classes) = (conditioning.time_table, conditioning.classes as u64);
    checker.table(time, row.saturating_mul(conditioning.time_rows as u64), 2, Table::Time, 0)?;
    let class_rows = if classes > 0 { classes + 1 } else { 0 };
    checker.table(conditioning.class_table, row.saturating_mul(class_rows), 2, Table::Class, 0)?;

    let mut ops = items::<Op>(header.ops);
    let mut macs = 0u64;
    for index in 0..header.op_count {
        let op = ops.next().ok_or(ParseError::Op { op: index, fault: OpFault::Encoding })?;
        checker.op(&op, index)?;
        macs = macs.saturating_add(op.macs());
        if macs > MAX_MACS {
            return Err(ParseError::Op { op: index, fault: OpFault::Shape });
        }
    }
    if ops.rest() != 0 {
        return Err(ParseError::Op { op: header.op_count, fault: OpFault::Encoding });
    }
    if !checker.is_written(&header.output, header.op_count) {
        return Err(ParseError::Frame);
    }

    let uses_previous = checker.plans(header)?;
    let values = header.input.values();
    if sample_len != values || state_len != state_len_of(values, uses_previous) {
        return Err(ParseError::Frame);
    }
    Ok(())
}

fn disjoint(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.end <= b.start || b.end <= a.start
}

impl<'a> Checker<'a> {
    /// A table of `len` bytes in the blob; an empty table may stand anywhere.
    fn table(&self, offset: u32, len: u64, align: u32, table: Table, index: u16) -> Result<&'a [u8], ParseError> {
        let error = ParseError::Table { table, index };
        if len == 0 {
            return Ok(&[]);
        }
        let len = usize::try_from(len).map_err(|_| error)?;
        let start = offset as usize;
        let end = start.checked_add(len).ok_or(error)?;
        if !offset.is_multiple_of(align.max(1)) {
            return Err(error);
        }
        self.blob.get(start..end).ok_or(error)
    }

    /// Dimensions are not zero and the tensor lies in the arena at a multiple of 4.
    fn tensor(&self, tensor: &Tensor) -> Result<(), OpFault> {
        let values = tensor.shape.iter().fold(1u64, |n, &d| n * d as u64);
        if values == 0 || values > MAX_ARENA {
            return Err(OpFault::Shape);
        }
        self.in_arena(tensor.offset, values * tensor.element.size() as u64)
    }

    fn in_arena(&self, offset: u32, len: u64) -> Result<(), OpFault> {
        if !offset.is_multiple_of(4) || offset as u64 + len > self.arena_len as u64 {
            return Err(OpFault::Arena);
        }
        Ok(())
    }

    fn op(&self, op: &Op, index: u16) -> Result<(), ParseError> {
        let fail = |fault| ParseError::Op { op: index, fault };
        self.tensor(op.output()).map_err(fail)?;
        for input in op.inputs() {
            self.tensor(input).map_err(fail)?;
        }
        self.fields(op, index)?;
        self.overlaps(op).map_err(fail)?;
        if !op.inputs().all(|input| self.is_written(input, index)) {
            return Err(fail(OpFault::Unwritten));
        }
        Ok(())
    }

    /// Shapes, element types, tables and number ranges of one op.
    fn fields(&self, op: &Op, index: u16) -> Result<(), ParseError> {
        let fail = |fault| ParseError::Op { op: index, fault };
        match op {
            Op::Conv2d(conv) => self.conv(conv, 8, index),
            Op::PackedConv2d(Packed { layer, block }) => {
                if *block == 0 || layer.groups != 1 {
                    return Err(fail(OpFault::Shape));
                }
                self.conv(layer, 4, index)
            }
            Op::Depthwise(conv) => {
                window_shape(&conv.window, conv.input.extent(), &conv.output).map_err(fail)?;
                let channels = conv.output.shape[2];
                if channels != conv.input.tensor.shape[2] {
                    return Err(fail(OpFault::Shape));
                }
                all_i8([&conv.input.tensor, &conv.output]).map_err(fail)?;
                let taps = conv.window.taps() as u64;
                if taps * PRODUCT_LIMIT > PART_LIMIT || ring_len(&conv.window, &conv.output) > MAX_ARENA {
                    return Err(fail(OpFault::Accumulator));
                }
                let weights = self.table(conv.weights, taps * channels as u64, 4, Table::Weights, index)?;
                no_minimum(weights).map_err(fail)?;
                self.requantization(&conv.requantization, &conv.output, channels as u64, index)
            }
            Op::Linear(linear) => self.linear(linear, 8, index),
            Op::PackedLinear(Packed { layer, block }) => {
                if *block == 0 {
                    return Err(fail(OpFault::Shape));
                }
                self.linear(layer, 4, index)
            }
            Op::Add(add) => {
                all_i8([&add.a, &add.b, &add.output]).map_err(fail)?;
                same_shape(&add.a, &add.output).map_err(fail)?;
                same_shape(&add.b, &add.output).map_err(fail)?;
                final_shift(add.shift, add.offset).map_err(fail)?;
                self.lut(add.lut, index)
            }
            Op::ChannelBias(bias) => {
                all_i8([&bias.input, &bias.output]).map_err(fail)?;
                same_shape(&bias.input, &bias.output).map_err(fail)?;
                final_shift(bias.shift, bias.offset).map_err(fail)?;
                self.step_bias(&bias.step_bias, bias.output.shape[2] as u64).map_err(fail)
            }
            Op::Concat(concat) => {
                all_i8([&concat.a, &concat.b, &concat.output]).map_err(fail)?;
                let ([h, w, ca], [hb, wb, cb]) = (concat.a.shape, concat.b.shape);
                let zero_points = [concat.a.zero_point, concat.b.zero_point];
                let sum = ca as u32 + cb as u32 == concat.output.shape[2] as u32;
                if [hb, wb] != [h, w] || concat.output.shape[..2] != [h, w] || !sum || zero_points[0] != zero_points[1]
                {
                    return Err(fail(OpFault::Shape));
                }
                Ok(())
            }
            Op::Lut(lut) => {
                all_i8([&lut.input, &lut.output]).map_err(fail)?;
                same_shape(&lut.input, &lut.output).map_err(fail)?;
                self.lut(Some(lut.table), index)
            }
            Op::Upsample(op) => {
                let [h, w, c] = op.input.shape.map(u64::from);
                let [rows, columns] = op.block.map(u64::from);
                moved(&op.input, &op.output, [h * rows, w * columns, c]).map_err(fail)
            }
            Op::SpaceToDepth(op) => blocks(op, &op.output, &op.input).map_err(fail),
            Op::DepthToSpace(op) => blocks(op, &op.input, &op.output).map_err(fail),
        }
    }

    fn conv(&self, conv: &Conv2d, bits: u64, index: u16) -> Result<(), ParseError> {
        conv_shape(conv).map_err(|fault| ParseError::Op { op: index, fault })?;
        let groups = (conv.groups as usize).max(1);
        let channels = conv.output.shape[2] as u64;
        let taps = (conv.window.taps() * conv.input_channels() / groups) as u64;
        self.matrix(conv.weights, channels, taps, bits, index)?;
        self.requantization(&conv.requantization, &conv.output, channels, index)
    }

    fn linear(&self, linear: &Linear, bits: u64, index: u16) -> Result<(), ParseError> {
        all_i8([&linear.input]).map_err(|fault| ParseError::Op { op: index, fault })?;
        let (outputs, inputs) = (linear.output.values() as u64, linear.input.values() as u64);
        self.matrix(linear.weights, outputs, inputs, bits, index)?;
        self.requantization(&linear.requantization, &linear.output, outputs, index)
    }

    /// `rows` rows of weights with `taps` taps of 8 or 4 bits: zeros beyond the taps, no smallest integer, sums within
    /// bounds.
    fn matrix(&self, offset: u32, rows: u64, taps: u64, bits: u64, index: u16) -> Result<(), ParseError> {
        let fail = |fault| ParseError::Op { op: index, fault };
        if taps == 0 || taps * PRODUCT_LIMIT > PART_LIMIT {
            return Err(fail(OpFault::Accumulator));
        }
        let row_len = row_stride(taps as usize) as u64 * bits / 8;
        let weights = self.table(offset, rows * row_len, 4, Table::Weights, index)?;
        let row_len = row_len as usize;
        let clean = |row: &[u8]| match bits {
            4 => {
                let odd = taps as usize % 2;
                let whole = row.get(taps as usize / 2..).is_some_and(|tail| {
                    tail.iter().enumerate().all(|(i, &byte)| byte >> if i < odd { 4 } else { 0 } == 0)
                });
                whole && row.iter().all(|&byte| byte & 0x0f != 0x08 && byte & 0xf0 != 0x80)
            }
            _ => row.get(taps as usize..).is_some_and(|tail| tail.iter().all(|&b| b == 0)) && no_minimum(row).is_ok(),
        };
        if row_len == 0 || !weights.chunks_exact(row_len).all(clean) {
            return Err(fail(OpFault::Weight));
        }
        Ok(())
    }

    fn requantization(&self, r: &Requantization, out: &Tensor, rows: u64, index: u16) -> Result<(), ParseError> {
        let fail = |fault| ParseError::Op { op: index, fault };
        let biases = self.table(r.bias, rows * 4, 4, Table::Bias, index)?;
        for bias in biases.as_chunks::<4>().0 {
            if i32::from_le_bytes(*bias).unsigned_abs() as u64 > PART_LIMIT {
                return Err(fail(OpFault::Accumulator));
            }
        }
        self.table(r.multipliers, rows * 2, 2, Table::Multipliers, index)?;
        if let Some(step_bias) = &r.step_bias {
            self.step_bias(step_bias, rows).map_err(fail)?;
        }
        final_shift(r.shift, r.offset).map_err(fail)?;
        if out.element == Element::I16 && (r.residual.is_some() || r.lut.is_some()) {
            return Err(fail(OpFault::Element));
        }
        if let Some(residual) = &r.residual {
            all_i8([&residual.tensor]).map_err(fail)?;
            same_shape(&residual.tensor, out).map_err(fail)?;
            if residual.shift > 15 {
                return Err(fail(OpFault::Requantization));
            }
        }
        self.lut(r.lut, index)
    }

    fn step_bias(&self, bias: &StepBias, channels: u64) -> Result<(), OpFault> {
        if bias.shift > MAX_BIAS_SHIFT {
            return Err(OpFault::Requantization);
        }
        if bias.column as u64 + channels > self.columns {
            return Err(OpFault::Column);
        }
        Ok(())
    }

    fn lut(&self, lut: Option<u32>, index: u16) -> Result<(), ParseError> {
        lut.map_or(Ok(()), |offset| self.table(offset, 256, 1, Table::Lut, index).map(|_| ()))
    }

    /// Outputs, inputs and scratch are apart, but for the pairs that may be one buffer.
    fn overlaps(&self, op: &Op) -> Result<(), OpFault> {
        let output = op.output().range();
        let scratch = match op.scratch() {
            Some((offset, len)) => {
                self.in_arena(offset, len as u64)?;
                offset as usize..offset as usize + len
            }
            None => 0..0,
        };
        if !scratch.is_empty() && !disjoint(&scratch, &output) {
            return Err(OpFault::Overlap);
        }
        for (i, input) in op.inputs().enumerate() {
            let range = input.range();
            let in_place = range == output && op.may_work_in_place(i);
            if (!in_place && !disjoint(&range, &output)) || (!scratch.is_empty() && !disjoint(&range, &scratch)) {
                return Err(OpFault::Overlap);
            }
            for other in op.inputs().skip(i + 1).map(Tensor::range) {
                if other != range && !disjoint(&other, &range) {
                    return Err(OpFault::Overlap);
                }
            }
        }
        Ok(())
    }

    /// Whether the last write that touches `tensor` before op `index` wrote exactly its bytes.
    fn is_written(&self, tensor: &Tensor, index: u16) -> bool {
        let range = tensor.range();
        let mut whole = self.input.range() == range;
        for op in items::<Op>(self.ops).take(index as usize) {
            if let Some((offset, len)) = op.scratch() {
                let scratch = offset as usize..offset as usize + len;
                if len > 0 && !disjoint(&scratch, &range) {
                    whole = false;
                }
            }
            let written = op.output().range();
            if !disjoint(&written, &range) {
                whole = written == range && op.output().element == tensor.element;
            }
        }
        whole
    }

    /// Checks all plans; returns whether one of them needs the previous x0_hat.
    fn plans(&self, header: &Header) -> Result<bool, ParseError> {
        let mut plans = items::<PlanHeader>(header.plans);
        let mut uses_previous = false;
        for index in 0..header.plan_count {
            let fail = |step| ParseError::Plan { plan: index, step };
            let plan = plans.next().ok_or(fail(u16::MAX))?;
            let twin = items::<PlanHeader>(header.plans).take(index as usize).any(|p| p.name == plan.name);
            if plan.steps == 0 || !(1..=MAX_PLAN_NAME).contains(&plan.name.len()) || twin {
                return Err(fail(u16::MAX));
            }
            let steps = self.table(plan.table, plan.steps as u64 * STEP_LEN as u64, 4, Table::Steps, index)?;
            for (i, bytes) in steps.as_chunks::<STEP_LEN>().0.iter().enumerate() {
                let step = Step::decode(bytes);
                if !step.is_finite() || (self.columns > 0 && step.time_row >= header.conditioning.time_rows) {
                    return Err(fail(i as u16));
                }
                uses_previous |= step.c != 0.0;
            }
        }
        if plans.rest() != 0 {
            return Err(ParseError::Plan { plan: header.plan_count, step: u16::MAX });
        }
        Ok(uses_previous)
    }
}
