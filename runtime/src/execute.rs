//! The op loop: one evaluation of the network over the arena.

use crate::cores::Cores;
use crate::model::Model;
use crate::ops::evaluation::Evaluation;
use crate::ops::step_bias::StepBiases;
use crate::ops::Op;

/// Runs one op.
pub(crate) fn run(model: &Model, biases: &StepBiases, cores: Cores, op: &Op, arena: &mut [u8]) {
    op.run(&Evaluation { blob: model.blob(), biases, cores }, arena);
}
