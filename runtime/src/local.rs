//! The local condition of a chain, such as a mel spectrogram: where a class says what all of a sample is, it says what
//! lies where. The ops that depend on it alone are computed once, when the chain starts.

use crate::conditioning::{self, Condition};
use crate::cores::Cores;
use crate::error::SamplerError;
use crate::execute;
use crate::model::Model;
use crate::ops::Op;
use crate::quant::quantize;
use crate::weight_memory::WeightMemory;

/// A value of a local condition as a model takes it: 127·x to the nearest integer, ties to even, of x kept from -1 to 1.
///
/// ```
/// assert_eq!([0.0, 1.0, -1.0, 0.5, -7.0].map(brownian::local_value), [0, 127, -127, 64, -127]);
/// ```
pub fn local_value(x: f32) -> i8 {
    quantize(x, 127.0, 0).max(-127)
}

/// Writes a local condition into the arena; none into that of a model that takes none.
///
/// # Errors
/// One of another length than the model's.
pub(crate) fn place(model: &Model, local: &[i8], arena: &mut [u8]) -> Result<(), SamplerError> {
    let tensor = model.local_tensor();
    let (needed, found) = (tensor.map_or(0, |tensor| tensor.len()), local.len());
    if needed != found {
        return Err(SamplerError::LocalLength { needed: needed as u32, found: found as u32 });
    }
    if let Some(bytes) = tensor.and_then(|tensor| arena.get_mut(tensor.range())) {
        bytes.iter_mut().zip(local).for_each(|(slot, &value)| *slot = value as u8);
    }
    Ok(())
}

/// As [`place`]; then computes what depends on the local condition alone.
pub(crate) fn prepare(model: &Model, local: &[i8], arena: &mut [u8]) -> Result<(), SamplerError> {
    place(model, local, arena)?;
    let ops = model.ops().take(model.prelude().into());
    ops.for_each(|op: Op| {
        // Such ops have no channel biases.
        let biases = conditioning::step_biases(model, &Condition::NONE, 0);
        execute::run(model, &biases, Cores::ONE, &mut WeightMemory::none(), &op, arena);
    });
    Ok(())
}
