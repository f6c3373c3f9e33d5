//! Where each pixel is: a constant, so that a network of convolutions, which are the same everywhere, may depend on it.
use super::making::is_its_own_layer;
use super::operation::{operands, Operation};
use super::passes::{Inference, Recording};
use crate::autograd::pool::Buffer;
use crate::autograd::tape::{Act, Tape};
use crate::graph::shape::Shape;
use crate::lower::context::{Lowering, Part};
use crate::lower::scale::{Quantization, Range};
use crate::lower::step::Step;
use crate::{Error, Result};
use brownian::ops as integer;
use serde::Serialize;
use std::f64::consts::PI;

/// √2·sin(π·2^k·u) and √2·cos(π·2^k·u) for k from 0 to `pairs` − 1, where u goes from 0 to 1 over an axis: first the
/// columns, then the rows; an axis of one has none. The input gives the size alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Positions {
    /// Sines, each with its cosine, an axis.
    pub pairs: usize,
}

is_its_own_layer!(Positions);

impl Positions {
    /// The values of an image, HWC.
    fn values(self, shape: Shape) -> Vec<f32> {
        let axes = |y: usize, x: usize| [(x, shape.width), (y, shape.height)].into_iter().filter(|(_, size)| *size > 1);
        let wave = |(at, size): (usize, usize)| {
            let place = PI * (at as f64 + 0.5) / size as f64;
            (0..self.pairs).flat_map(move |k| {
                let angle = place * f64::from(1u32 << k);
                [libm::sin(angle), libm::cos(angle)].map(|value| (value * std::f64::consts::SQRT_2) as f32)
            })
        };
        (0..shape.pixels()).flat_map(|i| axes(i / shape.width, i % shape.width).flat_map(wave)).collect()
    }

    /// The values of a batch.
    fn batch(self, shape: Shape, images: usize) -> Buffer {
        let values = self.values(shape);
        let mut all = Buffer::stale(images * values.len());
        all.chunks_exact_mut(values.len().max(1)).for_each(|image| image.copy_from_slice(&values));
        all
    }
}

impl Operation for Positions {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let [x] = operands(inputs)?;
        let axes = [x.width, x.height].into_iter().filter(|size| *size > 1).count();
        match 2 * self.pairs * axes {
            0 => Err(Error::Invalid(format!("{x} has no positions that differ"))),
            channels => Ok(Shape { channels, ..x }),
        }
    }

    fn forward(&self, at: &Inference) -> Buffer {
        self.batch(at.output, at.values[0].len() / at.shapes[0].len())
    }

    /// No way back: nothing is learned of a constant.
    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act {
        let images = at.inputs[0].batch();
        tape.hold(self.batch(at.output, images), images, at.output)
    }

    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>> {
        let values = self.values(at.shape(step.result));
        let mut range = Range::EMPTY;
        range.extend(&values);
        let quantization = Quantization::covering(range)?;
        let output = at.result(step, quantization)?;
        let table: Vec<i8> = values.iter().map(|value| quantization.quantize(f64::from(*value))).collect();
        let table = at.builder.i8_table(&table);
        at.builder.push(integer::Op::Constant(integer::Constant { output: output.tensor, table }));
        Ok(vec![output])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart() {
        let signal = Shape::new(1, 64, 3);
        let positions = Positions { pairs: 3 };
        assert_eq!(positions.shape(&[signal]).unwrap(), Shape::new(1, 64, 6));
        assert_eq!(positions.shape(&[Shape::new(8, 8, 1)]).unwrap().channels, 12);
        assert!(positions.shape(&[Shape::new(1, 1, 9)]).unwrap_err().to_string().contains("no positions"));
        let values = positions.values(Shape::new(1, 64, 6));
        let at = |x: usize| &values[6 * x..6 * x + 6];
        for (a, b) in (0..64).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let apart: f32 = at(a).iter().zip(at(b)).map(|(a, b)| (a - b).powi(2)).sum();
            assert!(apart > 1e-3, "{a} and {b}");
        }
        let power = values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32;
        assert!((power - 1.0).abs() < 1e-3, "{power}");
        // Rows of pictures follow columns.
        let picture = Positions { pairs: 1 }.values(Shape::new(2, 2, 4));
        assert_eq!(picture[..2], picture[8..10], "the same column");
        assert_eq!(picture[2..4], picture[6..8], "the same row");
    }
}
