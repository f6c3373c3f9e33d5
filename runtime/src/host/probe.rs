//! One evaluation outside of a chain, op by op.

use crate::builder::check_arena;
use crate::conditioning::{self, Condition};
use crate::cores::Cores;
use crate::error::SamplerError;
use crate::execute;
use crate::local;
use crate::model::Model;
use crate::quant::quantize;
use crate::weight_memory::WeightMemory;

/// Evaluates the network once on a state `x`, outside of a chain, and shows `observer` the number of every op and the
/// arena right after it: for tools that compare what ops compute with something else.
///
/// `local` is the local condition, empty for a model that follows none. `time_row` chooses the row of channel biases, as [`Step::time_row`](crate::plan::Step::time_row) does; a row that is
/// not there counts as zeros. The output lies where [`Header::output`](crate::format::Header::output) says.
///
/// # Errors
/// A condition or a local condition that the model does not take, a state of another length than a sample, or an arena that is too short or
/// misaligned.
pub fn probe(
    model: &Model,
    condition: Condition,
    local: &[i8],
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
    let arena = check_arena(model, arena)?;
    local::place(model, local, arena)?;
    let header = model.header();
    let biases = conditioning::step_biases(model, &condition, time_row);
    for (index, op) in model.ops().enumerate() {
        // What is computed once a chain does not read the state, and may use its place.
        if index == usize::from(model.prelude()) {
            for (slot, &x) in arena[header.input.range()].iter_mut().zip(x) {
                *slot = quantize(x, header.input_inverse_scale, header.input.zero_point) as u8;
            }
        }
        execute::run(model, &biases, Cores::ONE, &mut WeightMemory::none(), &op, arena);
        observer(index as u16, arena);
    }
    Ok(())
}
