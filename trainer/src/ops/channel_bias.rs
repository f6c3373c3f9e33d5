//! Biases a channel that depend on the timestep and the class.
use super::making::{Layer, Making};
use super::operation::{operands, Operation};
use super::passes::{Inference, Recording};
use crate::autograd::pool::Buffer;
use crate::autograd::simd;
use crate::autograd::tape::{Act, Tape};
use crate::graph::shape::Shape;
use crate::lower::context::{Lowering, Part};
use crate::lower::step::{Role, Step};
use crate::{Error, Result};
use brownian::ops as integer;
use rayon::prelude::*;
use serde::Serialize;

/// Adds the image's bias columns `first..first + channels` to every pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelBias {
    /// The first column.
    pub first: usize,
}

/// A [`ChannelBias`] with columns of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelBiasLayer;

impl Layer for ChannelBiasLayer {
    type Op = ChannelBias;

    fn make(self, at: &mut Making) -> Result<ChannelBias> {
        let [x] = operands(at.inputs)?;
        Ok(ChannelBias { first: at.columns(x.channels) })
    }
}

/// Smallest multiplier's bits behind the binary point, and the largest.
const SHIFTS: std::ops::RangeInclusive<u8> = 1..=14;

impl Operation for ChannelBias {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        operands(inputs).map(|[x]| x)
    }

    fn forward(&self, at: &Inference) -> Buffer {
        shifted(at.values[0], at.output, at.columns, self.first)
    }

    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act {
        channel_bias(tape, at.inputs[0], at.columns, self.first)
    }

    fn role(&self) -> Role {
        Role::Biases(self.first)
    }

    fn learns(&self) -> bool {
        true
    }

    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>> {
        let part = at.whole(at.input(step, 0))?;
        let quantization = at.covering(step.result)?;
        let ratio = part.quantization.scale / quantization.scale;
        let channels = usize::from(part.tensor.shape[2]);
        let units = |shift: u8| vec![quantization.scale / f64::from(1u32 << shift); channels];
        let fits = |shift: u8| {
            (ratio * f64::from(1u32 << shift)).round() <= 32767.0 && at.biases.fit(self.first, &units(shift))
        };
        let shift = SHIFTS.rev().find(|&shift| fits(shift)).ok_or_else(|| {
            Error::Invalid("its biases or the scale of its input are too large beside the scale of its result".into())
        })?;
        let multiplier = (ratio * f64::from(1u32 << shift)).round() as i16;
        let step_bias = at.biases.assign(self.first, &units(shift))?;
        let zero = i32::from(part.quantization.zero_point) * i32::from(multiplier);
        let output = at.result(step, quantization)?;
        at.builder.push(integer::Op::ChannelBias(integer::ChannelBias {
            input: part.tensor,
            output: output.tensor,
            step_bias,
            multiplier,
            offset: brownian::quant::rounding_offset(shift, quantization.zero_point.into()) - zero,
            shift,
        }));
        Ok(vec![output])
    }
}

/// x + `columns[first..first + channels]`, with one row of `width` columns an image.
fn shifted(x: &[f32], shape: Shape, (columns, width): (&[f32], usize), first: usize) -> Buffer {
    let mut y = Buffer::stale(x.len());
    let images =
        x.par_chunks_exact(shape.len()).zip(y.par_chunks_exact_mut(shape.len())).zip(columns.par_chunks_exact(width));
    images.with_min_len(8).for_each(|((x, y), row)| {
        simd::shift(x, &simd::tile(row[first..first + shape.channels].iter().copied()), y);
    });
    y
}

/// Records x + `columns[first..first + channels]`, where `columns` has one 1×1 vector an image.
fn channel_bias(tape: &mut Tape, x: &Act, columns: &Act, first: usize) -> Act {
    let (shape, width) = (x.shape(), columns.shape().channels);
    let y = tape.hold(shifted(x.values(), shape, (columns.values(), width), first), x.batch(), shape);
    let (x, columns, out) = (x.clone(), columns.clone(), y.clone());
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        let mut dcolumns = Buffer::zeros(columns.values().len());
        let images = dy.par_chunks_exact(shape.len()).zip(dcolumns.par_chunks_exact_mut(width));
        images.with_min_len(8).for_each(|(dy, row)| {
            let sums = simd::image_column_sums(dy, shape.channels);
            row[first..first + shape.channels].copy_from_slice(&sums);
        });
        columns.give_grad(grads, dcolumns)?;
        x.give_grad(grads, dy)
    });
    y
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::testing::{check_gradients, check_threads};

    #[test]
    fn gradients_match_finite_differences() {
        let shapes = [Shape::new(5, 4, 3), Shape::new(1, 1, 7)];
        let run = |tape: &mut Tape, acts: &[Act], _: &_| channel_bias(tape, &acts[0], &acts[1], 2);
        check_gradients("channel bias", 3, &shapes, 1, run);
        check_threads("channel bias", 19, &shapes, 1, run);
    }
}
