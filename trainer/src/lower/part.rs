//! Parts of values as integers in the arena, and the sizes that the format holds.
use super::scale::{Quantization, Stored};
use crate::graph::shape::Shape;
use crate::{Error, Result};
use brownian::format::Tensor;

/// A tensor with its quantization, read enlarged twofold or as it is.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Where the integers are.
    pub tensor: Tensor,
    /// What they mean.
    pub quantization: Quantization,
    /// Whether it stands for its enlargement twofold, downwards and to the right.
    pub upsample: bool,
}

impl Part {
    /// Its channels and what they mean.
    pub fn stored(&self) -> Stored {
        Stored { channels: usize::from(self.tensor.shape[2]), quantization: self.quantization }
    }
}

/// A size that the format stores in 16 bits.
///
/// # Errors
/// A larger one.
pub fn narrow(what: &str, value: usize) -> Result<u16> {
    u16::try_from(value)
        .map_err(|_| Error::Invalid(format!("{what} is {value}; a model file holds at most {}", u16::MAX)))
}

/// Rows and columns that the format stores in eight bits each.
///
/// # Errors
/// More of them.
pub fn block(what: &str, factor: [usize; 2]) -> Result<[u8; 2]> {
    let one = |n: usize| {
        u8::try_from(n).map_err(|_| Error::Invalid(format!("{what} is {n}; a model file holds at most {}", u8::MAX)))
    };
    Ok([one(factor[0])?, one(factor[1])?])
}

/// The shape of a tensor.
pub fn extent(tensor: &Tensor) -> Shape {
    let [height, width, channels] = tensor.shape.map(usize::from);
    Shape { height, width, channels }
}
