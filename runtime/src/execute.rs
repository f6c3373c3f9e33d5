//! The op loop: one evaluation of the network over the arena.

use crate::cores::Cores;
use crate::model::Model;
use crate::ops::evaluation::Evaluation;
use crate::ops::step_bias::StepBiases;
use crate::ops::Op;
use crate::weight_memory::WeightMemory;

/// Runs one op.
pub(crate) fn run(
    model: &Model,
    biases: &StepBiases,
    cores: Cores,
    weight_memory: &mut WeightMemory,
    op: &Op,
    arena: &mut [u8],
) {
    let blob = model.blob();
    let copied = weight_memory.copy(op, blob);
    op.run(&Evaluation { blob, copied, biases, cores }, arena);
}
