//! The op loop: one evaluation of the network over the arena.

use crate::conditioning::{self, Condition};
use crate::error::SamplerError;
use crate::format;
use crate::model::Model;
use crate::ops::evaluation::Evaluation;
use crate::ops::step_bias::StepBiases;
use crate::ops::Op;
use crate::quant::quantize;

/// Runs one op.
pub(crate) fn run(model: &Model, biases: &StepBiases, op: &Op, arena: &mut [u8]) {
    op.run(&Evaluation { blob: model.blob(), biases }, arena);
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
    let biases = conditioning::step_biases(model, condition, time_row);
    for (index, op) in model.ops().enumerate() {
        run(model, &biases, &op, arena);
        observer(index as u16, arena);
    }
    Ok(())
}
