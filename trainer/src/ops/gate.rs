//! Gated activation of DiffWave (Kong et al. 2021, section 5): tanh(a)·sigmoid(b).
use super::making::is_its_own_layer;
use super::operation::{operands, Operation};
use super::passes::{Inference, Recording};
use crate::autograd::chunks::CHUNKS;
use crate::autograd::pool::Buffer;
use crate::autograd::simd::sigmoid;
use crate::autograd::tape::{Act, Tape};
use crate::graph::shape::Shape;
use crate::lower::context::Lowering;
use crate::lower::part::Part;
use crate::lower::scale::Quantization;
use crate::lower::step::{Function, Step};
use crate::{Error, Result};
use brownian::ops as integer;
use brownian::quant::{rounding_offset, SHIFT_RANGE};
use multiversion::multiversion;
use rayon::prelude::*;
use serde::Serialize;

/// tanh(a)·sigmoid(b), elementwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gate;

is_its_own_layer!(Gate);

impl Operation for Gate {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let [a, b] = operands(inputs)?;
        if a != b {
            return Err(Error::Invalid(format!("cannot gate {a} by {b}")));
        }
        Ok(a)
    }

    fn forward(&self, at: &Inference) -> Buffer {
        values(at.values[0], at.values[1])
    }

    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act {
        gate(tape, at.inputs[0], at.inputs[1])
    }

    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>> {
        let (a, b) = (at.whole(at.input(step, 0))?, at.whole(at.input(step, 1))?);
        let (table_a, scale_a) = table(a.quantization, f64::tanh);
        let (table_b, scale_b) = table(b.quantization, |x| 1.0 / (1.0 + (-x).exp()));
        let quantization = at.covering(step.requantized)?.at_least(scale_a * scale_b / LARGEST_FACTOR);
        let (multiplier, shift, offset) = requantizer(scale_a * scale_b, quantization)
            .ok_or_else(|| Error::Invalid("the scale of its product is too far from its own".into()))?;
        let output = at.result(step, quantization)?;
        let tables = [at.builder.i8_table(&table_a), at.builder.i8_table(&table_b)];
        let op = integer::Gate { a: a.tensor, b: b.tensor, output: output.tensor, tables, multiplier, offset, shift };
        at.builder.push(integer::Op::Gate(op));
        Ok(vec![output])
    }
}

/// Largest factor from a product of two table values to an output: below half of the largest multiplier, for the smallest
/// shift is 1.
const LARGEST_FACTOR: f64 = 16383.0;

/// The table `table[q + 128]` of a function and its scale; its zero point is 0, and the largest value in size is ±127.
fn table(input: Quantization, function: Function) -> ([i8; 256], f64) {
    let largest = (-128..=127).map(|q| function(input.real(q)).abs()).fold(0.0, f64::max);
    let output = Quantization { scale: largest / 127.0, zero_point: 0 };
    (input.lut_to(&output, function), output.scale)
}

/// Multiplier, shift and offset from products that count in `scale` to `output`.
fn requantizer(scale: f64, output: Quantization) -> Option<(i16, u8, i32)> {
    let factor = |shift: u8| (scale / output.scale * f64::from(1u32 << shift)).round();
    let shift = SHIFT_RANGE.rev().find(|&shift| factor(shift) <= 32767.0)?;
    Some((factor(shift) as i16, shift, rounding_offset(shift, output.zero_point.into())))
}

/// tanh(a)·sigmoid(b).
fn values(a: &[f32], b: &[f32]) -> Buffer {
    let mut y = Buffer::stale(a.len());
    let per = a.len().div_ceil(CHUNKS).max(1);
    a.par_chunks(per).zip(b.par_chunks(per)).zip(y.par_chunks_mut(per)).for_each(|((a, b), y)| products(a, b, y));
    y
}

/// Records tanh(a)·sigmoid(b).
fn gate(tape: &mut Tape, a: &Act, b: &Act) -> Act {
    let y = tape.hold(values(a.values(), b.values()), a.batch(), a.shape());
    let (a, b, out) = (a.clone(), b.clone(), y.clone());
    tape.record(move |grads| {
        let mut da = out.take_grad(grads)?;
        let mut db = Buffer::copy_of(&da);
        let per = da.len().div_ceil(CHUNKS).max(1);
        let inputs = a.values().par_chunks(per).zip(b.values().par_chunks(per));
        let gradients = da.par_chunks_mut(per).zip(db.par_chunks_mut(per));
        inputs.zip(gradients).for_each(|((a, b), (da, db))| slopes(a, b, da, db));
        a.give_grad(grads, da)?;
        b.give_grad(grads, db)
    });
    y
}

/// tanh and sigmoid; tanh(a) = 2·sigmoid(2a) − 1.
#[inline(always)]
fn both(a: f32, b: f32) -> (f32, f32) {
    (2.0 * sigmoid(2.0 * a) - 1.0, sigmoid(b))
}

/// `y = tanh(a)·sigmoid(b)`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn products(a: &[f32], b: &[f32], y: &mut [f32]) {
    for ((a, b), y) in a.iter().zip(b).zip(y) {
        let (tanh, sigmoid) = both(*a, *b);
        *y = tanh * sigmoid;
    }
}

/// `da *= (1 − tanh²(a))·sigmoid(b)` and `db *= tanh(a)·sigmoid(b)·(1 − sigmoid(b))`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn slopes(a: &[f32], b: &[f32], da: &mut [f32], db: &mut [f32]) {
    for (((a, b), da), db) in a.iter().zip(b).zip(da).zip(db) {
        let (tanh, sigmoid) = both(*a, *b);
        *da *= (1.0 - tanh * tanh) * sigmoid;
        *db *= tanh * sigmoid * (1.0 - sigmoid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::testing::{check_gradients, check_threads};
    use crate::lower::scale::Range;

    #[test]
    fn gradients_match_finite_differences() {
        let shapes = [Shape::new(5, 4, 3); 2];
        let run = |tape: &mut Tape, acts: &[Act], _: &_| gate(tape, &acts[0], &acts[1]);
        check_gradients("gate", 3, &shapes, 1, run);
        check_threads("gate", 19, &shapes, 1, run);
        let itself = |tape: &mut Tape, acts: &[Act], _: &_| gate(tape, &acts[0], &acts[0]);
        check_gradients("gate of itself", 3, &shapes[..1], 1, itself);
    }

    #[test]
    fn values_are_those_of_the_definition() {
        let (a, b) = ([-30.0f32, -1.0, 0.0, 0.3, 30.0, 2.0], [30.0f32, 0.5, 3.0, -0.2, -30.0, 0.0]);
        for ((y, a), b) in values(&a, &b).iter().zip(a).zip(b) {
            let exact = f64::from(a).tanh() / (1.0 + (-f64::from(b)).exp());
            assert!((f64::from(*y) - exact).abs() < 2e-5, "gate({a}, {b}) is {y}, not {exact}");
        }
    }

    /// All 65,536 pairs of inputs: half a unit of the output, and half a unit of each table times the other's largest value.
    #[test]
    fn integers_follow_the_definition() {
        let range = |min, max| Quantization::covering(Range { min, max }).unwrap();
        for (a, b, output) in [
            (range(-4.0, 3.0), range(-6.0, 6.0), range(-1.0, 1.0)),
            (range(-0.2, 0.1), range(-3.0, -1.0), range(-0.06, 0.03)),
        ] {
            let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
            let ((table_a, scale_a), (table_b, scale_b)) = (table(a, f64::tanh), table(b, sigmoid));
            assert!([table_a, table_b].iter().flatten().any(|&t| t.unsigned_abs() == 127));
            let (multiplier, shift, offset) = requantizer(scale_a * scale_b, output).unwrap();
            for (qa, qb) in (0..256).flat_map(|qa| (0..256).map(move |qb| (qa, qb))) {
                let product = i32::from(table_a[qa]) * i32::from(table_b[qb]) * i32::from(multiplier);
                let q = ((product + offset) >> shift).clamp(-128, 127) as i8;
                let exact = a.real((qa as i32 - 128) as i8).tanh() * sigmoid(b.real((qb as i32 - 128) as i8));
                let error = (output.real(q) - exact.clamp(output.real(-128), output.real(127))).abs();
                let bound = 0.51 * output.scale + 1.01 * 127.0 * scale_a * scale_b;
                assert!(error <= bound, "{qa} and {qb}: off by {error}, more than {bound}");
            }
        }
    }

    #[test]
    fn operands_of_different_shapes_are_refused() {
        let error = Gate.shape(&[Shape::new(1, 8, 4), Shape::new(1, 8, 3)]).unwrap_err();
        assert!(error.to_string().contains("cannot gate"), "{error}");
    }
}
