//! Axes of labels as a model file's header names them.
use crate::data::labels::{self, Axis};
use crate::network::Network;
use crate::{Error, Result};
use brownian::format::AxisHeader;
use brownian::host::{encode_item, EncodeError};

/// The axes of a network: those that are given, or without any, its own with numbers for names.
///
/// # Errors
/// Axes with other classes than the network has.
pub fn named(axes: &[Axis], network: &Network) -> Result<Vec<Axis>> {
    let counts = network.classes().iter().copied().filter(|_| network.is_conditioned());
    if axes.is_empty() {
        return Ok(counts.enumerate().map(|(index, count)| numbered(index, count)).collect());
    }
    if axes.iter().map(|axis| axis.classes.len()).eq(counts) {
        return Ok(axes.to_vec());
    }
    Err(Error::Invalid(format!("the network does not know labels with {}", labels::described(axes))))
}

/// Axis number `index` of labels without names.
fn numbered(index: usize, classes: usize) -> Axis {
    let axis = Axis::numbered(classes);
    match index {
        0 => axis,
        _ => Axis { name: format!("{}{}", axis.name, index + 1), ..axis },
    }
}

/// The list of the header.
///
/// # Errors
/// None for labels that have been checked.
pub fn encoded(axes: &[Axis]) -> std::result::Result<Vec<u8>, EncodeError> {
    let mut list = vec![];
    for axis in axes {
        let mut class_names = vec![];
        axis.classes.iter().try_for_each(|name| encode_item(name, &mut class_names))?;
        let classes = u16::try_from(axis.classes.len()).map_err(|_| EncodeError::TooLong)?;
        encode_item(&AxisHeader { name: &axis.name, classes, class_names: &class_names }, &mut list)?;
    }
    Ok(list)
}
