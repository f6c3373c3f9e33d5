//! What every op of the trainer knows of itself.
use super::folding::Folding;
use super::passes::{Inference, Recording};
use crate::autograd::pool::Buffer;
use crate::autograd::tape::{Act, Tape};
use crate::graph::layout::BlockId;
use crate::graph::shape::Shape;
use crate::lower::context::{Lowering, Part};
use crate::lower::scale::{Quantization, Stored};
use crate::lower::step::{Role, Step};
use crate::{Error, Result};

/// An op: shapes, both float passes, and its way to the integer network. An op is one file that implements this, and
/// one name in the list in `ops/mod.rs`.
pub trait Operation {
    /// The shape of the result for inputs of these shapes.
    ///
    /// # Errors
    /// Inputs that the op does not take; the caller adds the layer's name.
    fn shape(&self, inputs: &[Shape]) -> Result<Shape>;

    /// The float result for a whole batch.
    fn forward(&self, at: &Inference) -> Buffer;

    /// The float result for a whole batch, recorded with its way back.
    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act;

    /// Makes the runtime ops for a step that starts here, and returns the parts of its value.
    ///
    /// # Errors
    /// Numbers or sizes that the format does not hold; the caller adds the layer's name.
    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>>;

    /// The op without norms, its parameters copied to the folded layout.
    fn folded(&self, _to: &mut Folding) -> Self
    where
        Self: Sized + Clone,
    {
        self.clone()
    }

    /// What lowering may do with it.
    fn role(&self) -> Role {
        Role::Alone
    }

    /// Whether parameters of its own take part, or bias columns.
    fn learns(&self) -> bool {
        self.weights().is_some()
    }

    /// Its weights, where it has some.
    fn weights(&self) -> Option<Weights> {
        None
    }

    /// Multiply-accumulates of one image.
    fn macs(&self, _inputs: &[Shape], _output: Shape) -> usize {
        0
    }

    /// The parts in which the integer network stores the result, where they follow from those of the inputs; `None`
    /// where the result is rounded to its own range.
    ///
    /// # Errors
    /// Ranges that are not finite.
    fn stored(&self, _inputs: &[&[Stored]], _output: Shape) -> Result<Option<Vec<Stored>>> {
        Ok(None)
    }

    /// What its result is always rounded to, where that does not follow from a range.
    fn fixed(&self) -> Option<Quantization> {
        None
    }

    /// How a row of the weights reads the parts of the input: for every tap the channels of each part.
    ///
    /// # Errors
    /// Ranges that are not finite.
    fn sources(&self, _input: Shape, parts: &[Stored]) -> Result<Vec<Stored>> {
        Ok(parts.to_vec())
    }

    /// Shows `see` what a row of the weights meets: about `wanted` windows over a batch of input values, evenly spread.
    fn windows(&self, _shapes: [Shape; 2], _values: &[f32], _wanted: usize, _see: &mut dyn FnMut(&[f32])) {}
}

/// The weights of an op that accumulates: a row an output channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Where they lie.
    pub weight: BlockId,
    /// Number of taps; a row has this many times the channels that a tap reads.
    pub taps: usize,
    /// Whether a row reads all channels, so that the layer can be stored with four bits a weight.
    pub dense: bool,
}

/// The shapes of exactly `N` inputs.
///
/// # Errors
/// Another number of inputs.
pub fn operands<const N: usize>(inputs: &[Shape]) -> Result<[Shape; N]> {
    let count = inputs.len();
    inputs.try_into().map_err(|_| Error::Invalid(format!("takes {N} inputs, not {count}")))
}
