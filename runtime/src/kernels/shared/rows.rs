//! Fully connected layers on scalar cores: several outputs share each input.

use super::requantize::Requantize;
use super::store::store;
use crate::cores::Part;
use crate::kernels::epilogue::Output;
use crate::kernels::linear::{Linear, UNIT};
use crate::kernels::scratch::row_stride;
use core::ops::Range;

/// Adds the dot products of `inputs` ≥ 1 inputs with ROWS rows of weights, `step` bytes apart, to `acc`.
///
/// Unsafe: the caller promises that the inputs and the rows are readable.
pub type Rows<const ROWS: usize> =
    unsafe fn(acc: &mut [i32; ROWS], input: *const i8, row: *const i8, step: usize, inputs: usize);

/// `linear` by ROWS rows at a time; returns false without a change where the slices do not fit the shapes.
pub fn linear<I: Requantize, const ROWS: usize>(
    linear: &Linear,
    part: Part,
    out: &mut Output,
    add_rows: Rows<ROWS>,
) -> bool {
    let (inputs, stride) = (linear.input.len(), row_stride(linear.input.len()));
    let outputs = linear.weights.len().checked_div(stride).unwrap_or(0);
    if inputs == 0 || !linear.epilogue.is_whole(outputs, outputs, out) {
        return false;
    }
    let Range { start: mut o, end: outputs } = part.of(outputs, UNIT);
    while o < outputs {
        // The last outputs go one by one, the tile over the same row again and again.
        let (count, step, next) = if outputs - o < ROWS { (1, 0, 0) } else { (ROWS, stride, 1) };
        // SAFETY: rows `o` to `o + count` exist, with `stride ≥ inputs` weights and a bias each.
        unsafe {
            let bias = linear.epilogue.bias.as_ptr().add(o);
            let mut acc: [i32; ROWS] = core::array::from_fn(|i| *bias.add(i * next));
            add_rows(&mut acc, linear.input.as_ptr(), linear.weights.as_ptr().add(o * stride), step, inputs);
            store::<I, ROWS, 1>(&linear.epilogue, out, acc, count, o, o, 1);
        }
        o += count;
    }
    true
}
