//! Pointwise non-linearities.
use super::making::is_its_own_layer;
use super::operation::{operands, Operation};
use super::passes::{Inference, Recording};
use crate::autograd::chunks::CHUNKS;
use crate::autograd::pool::Buffer;
use crate::autograd::simd;
use crate::autograd::tape::{Act, Tape};
use crate::graph::shape::Shape;
use crate::lower::context::{Lowering, Part};
use crate::lower::scale::Stored;
use crate::lower::step::{Function, Role, Step};
use crate::Result;
use rayon::prelude::*;
use serde::Serialize;

/// A pointwise non-linearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x · sigmoid(x).
    Silu,
    /// max(x, 0).
    Relu,
}

is_its_own_layer!(Activation);

impl Activation {
    /// The function itself.
    pub fn function(self) -> Function {
        match self {
            Self::Silu => |x| x / (1.0 + (-x).exp()),
            Self::Relu => |x| x.max(0.0),
        }
    }

    /// y = activation(x).
    pub fn values(self, x: &[f32]) -> Buffer {
        let mut y = Buffer::stale(x.len());
        let per = x.len().div_ceil(CHUNKS).max(1);
        x.par_chunks(per).zip(y.par_chunks_mut(per)).for_each(|(x, y)| match self {
            Self::Silu => simd::silu(x, y),
            Self::Relu => x.iter().zip(y).for_each(|(x, y)| *y = x.max(0.0)),
        });
        y
    }

    /// Records y = activation(x).
    pub fn of(self, tape: &mut Tape, x: &Act) -> Act {
        let y = tape.hold(self.values(x.values()), x.batch(), x.shape());
        let (x, out) = (x.clone(), y.clone());
        tape.record(move |grads| {
            let mut d = out.take_grad(grads)?;
            let per = d.len().div_ceil(CHUNKS).max(1);
            x.values().par_chunks(per).zip(d.par_chunks_mut(per)).for_each(|(x, d)| match self {
                Self::Silu => simd::silu_backward(x, d),
                Self::Relu => x.iter().zip(d).for_each(|(x, d)| *d *= f32::from(u8::from(*x > 0.0))),
            });
            x.give_grad(grads, d)
        });
        y
    }
}

impl Operation for Activation {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        operands(inputs).map(|[x]| x)
    }

    fn forward(&self, at: &Inference) -> Buffer {
        self.values(at.values[0])
    }

    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act {
        self.of(tape, at.inputs[0])
    }

    fn role(&self) -> Role {
        Role::Activates(self.function())
    }

    fn stored(&self, inputs: &[&[Stored]], _: Shape) -> Result<Option<Vec<Stored>>> {
        let activated = |part: &Stored| Ok(Stored { quantization: part.quantization.lut(self.function())?.1, ..*part });
        inputs[0].iter().map(activated).collect::<Result<_>>().map(Some)
    }

    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>> {
        let function = self.function();
        let parts = at.parts(at.input(step, 0));
        parts.into_iter().map(|part| at.activated(part, function)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::testing::{check_gradients, check_threads};

    #[test]
    fn gradients_match_finite_differences() {
        let shape = Shape::new(5, 5, 3);
        for kind in [Activation::Silu, Activation::Relu] {
            let run = move |tape: &mut Tape, acts: &[Act], _: &_| kind.of(tape, &acts[0]);
            check_gradients(&format!("{kind:?}"), 3, &[shape], 1, run);
            check_threads(&format!("{kind:?}"), 19, &[shape], 1, run);
        }
    }

    #[test]
    fn values() {
        let x = [-20.0, -1.0, 0.0, 1.0, 30.0];
        for (y, x) in Activation::Silu.values(&x).iter().zip(x) {
            assert!((y - x / (1.0 + (-x).exp())).abs() < 1e-5);
        }
        assert_eq!(&Activation::Relu.values(&x)[..], [0.0, 0.0, 0.0, 1.0, 30.0]);
    }
}
