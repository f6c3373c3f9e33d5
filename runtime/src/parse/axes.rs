//! Checks the axes of labels.

use super::error::{AxisFault, ParseError};
use super::limits::MAX_AXES;
use crate::format::{AxisHeader, Conditioning, Reader, MAX_CLASS_NAME};

/// Checks all axes; returns the number of classes of each, 0 behind the last, and the rows of their tables.
pub(crate) fn check_axes(conditioning: &Conditioning) -> Result<([u16; MAX_AXES], u32), ParseError> {
    let mut counts = [0; MAX_AXES];
    let found = conditioning.axis_count;
    let used = counts.get_mut(..found.into()).ok_or(ParseError::TooManyAxes { found })?;
    // Names are read twice: as a whole, and one by one.
    #[cfg(test)]
    crate::format::work::add(2 * conditioning.axes.len());
    let mut axes = Reader::new(conditioning.axes);
    let mut rows = 0;
    for (index, count) in used.iter_mut().enumerate() {
        let fail = |fault| ParseError::Axis { axis: index as u16, fault };
        let axis: AxisHeader = axes.value();
        if axes.failed() {
            return Err(fail(AxisFault::Encoding));
        }
        check_names(&axis).map_err(fail)?;
        *count = axis.classes;
        rows += u32::from(axis.classes) + 1;
        if rows > u16::MAX.into() {
            return Err(fail(AxisFault::TooManyClasses));
        }
    }
    if !axes.is_at_end() {
        return Err(ParseError::Axis { axis: found, fault: AxisFault::Encoding });
    }
    Ok((counts, rows))
}

/// There are as many names as classes, at least one, and none is empty or too long.
fn check_names(axis: &AxisHeader) -> Result<(), AxisFault> {
    let fits = |name: &str| (1..=MAX_CLASS_NAME).contains(&name.len());
    if !fits(axis.name) {
        return Err(AxisFault::Name);
    }
    if axis.classes == 0 {
        return Err(AxisFault::Empty);
    }
    let mut names = Reader::new(axis.class_names);
    for class in 0..axis.classes {
        // An empty one where there is none.
        if !fits(names.value()) {
            return Err(AxisFault::ClassName { class });
        }
    }
    if names.is_at_end() {
        Ok(())
    } else {
        Err(AxisFault::Encoding)
    }
}
