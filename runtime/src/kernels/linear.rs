//! Fully connected layer.

use super::arguments::{ensure, Arguments, Misfit, LIMIT};
use super::epilogue::{Epilogue, Output};
use super::portable::{dot, write};
use super::scratch::row_stride;
use crate::cores::Part;

/// Outputs that a backend computes at a time, at most; a part begins with a multiple.
pub(super) const UNIT: usize = 8;

/// A fully connected layer: `out[o] = Σ weights[o][i]·input[i]`.
#[derive(Clone, Copy, Debug)]
pub struct Linear<'a> {
    /// The inputs.
    pub input: &'a [i8],
    /// `[outputs][row_stride]`, zeros beyond the inputs.
    pub weights: &'a [i8],
    /// Bias, requantization, residual, activation.
    pub epilogue: Epilogue<'a>,
}

impl Arguments for Linear<'_> {
    fn check(&self, out: &Output, _: usize) -> Result<(), Misfit> {
        // Without inputs there are no outputs either.
        let outputs = self.weights.len().checked_div(row_stride(self.input.len())).unwrap_or(0);
        let weights = outputs * row_stride(self.input.len());
        ensure(self.weights.len() <= LIMIT && self.weights.len() == weights, Misfit::Weights)?;
        self.epilogue.check(outputs, outputs, out)
    }
}

/// Fully connected layer.
pub(super) fn portable(linear: &Linear, part: Part, mut out: Output) {
    let stride = row_stride(linear.input.len());
    if stride == 0 {
        return;
    }
    let outputs = part.of(linear.weights.len().checked_div(stride).unwrap_or(0), UNIT);
    let rows = linear.weights.get(outputs.start * stride..).unwrap_or(&[]);
    for (o, row) in outputs.zip(rows.chunks_exact(stride)) {
        write(&linear.epilogue, &mut out, o, o, dot(row, linear.input));
    }
}
