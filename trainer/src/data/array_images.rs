//! Images from an array of numbers.
use super::array::Array;
use super::options::Options;
use super::pixels::Pixels;
use super::{fit, layout, range};
use crate::graph::Shape;
use crate::{Error, Result};
use std::path::Path;

/// The images of an array, as the options ask; notes say what was decided.
///
/// # Errors
/// Sizes or values that images do not have, or that are doubtful; options that do not go with the array.
pub fn images(path: &Path, array: Array, options: &Options, notes: &mut Vec<String>) -> Result<(Shape, Pixels)> {
    let layout = layout::layout(path, &array.sizes, options.layout)?;
    let (count, shape) = layout.images(&array.sizes);
    if count == 0 || shape.is_empty() {
        return Err(Error::file(path, "holds no images"));
    }
    let pixels = range::pixels(path, array.transposed(layout.order()), shape.len(), options.range, notes)?;
    if options.size.is_none() && options.colour.is_none() {
        return Ok((shape, pixels));
    }
    match pixels {
        Pixels::Bytes(bytes) => {
            let (shape, bytes) = fit::bytes(path, shape, bytes, options)?;
            Ok((shape, Pixels::Bytes(bytes)))
        }
        Pixels::Floats(_) => {
            Err(Error::file(path, "holds floats, which --size and --colour do not change: do so before, or save bytes"))
        }
    }
}
