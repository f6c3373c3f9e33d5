//! Checks a header: what it says of the network's ends and of the tables of channel biases; then its ops and plans.

use super::axes::check_axes;
use super::error::ParseError;
use super::limits::MAX_AXES;
use super::ops::check_ops;
use super::plans::check_plans;
use crate::format::{state_len_of, Element, Header, Table, Tensor};
use crate::ops::checker::{Checker, MAX_ARENA};
use crate::ops::OpFault;
use crate::plan::is_finite;
use crate::process::{scales, StateKind};

/// Checks a decoded header against its blob and the lengths that the prefix announces; returns the classes of its axes.
pub(crate) fn check(
    header: &Header,
    blob: &[u8],
    arena_len: usize,
    (state_len, kind): (usize, StateKind),
    sample_len: usize,
) -> Result<[u16; MAX_AXES], ParseError> {
    if arena_len as u64 > MAX_ARENA {
        return Err(ParseError::ArenaTooLarge { found: arena_len as u32 });
    }
    let conditioning = &header.conditioning;
    let (classes, class_rows) = check_axes(conditioning)?;
    let columns = conditioning.columns as u64;
    let mut checker = Checker::new(blob, arena_len as u64, columns);
    let end = |checker: &Checker, tensor: &Tensor, element| {
        checker.tensor(tensor)?;
        if tensor.element == element {
            Ok(())
        } else {
            Err(OpFault::Element)
        }
    };
    end(&checker, &header.input, Element::I8).map_err(ParseError::Input)?;
    end(&checker, &header.output, Element::I16).map_err(ParseError::Output)?;
    let values = header.input.values();
    if header.output.values() != values {
        return Err(ParseError::Output(OpFault::Shape));
    }
    let end_scales = [header.input_inverse_scale, header.output_scale];
    let right = match header.process.is_binomial() {
        false => end_scales.iter().all(|scale| is_finite(scale.to_bits())),
        true => header.input.zero_point == 0 && scales::reads(end_scales),
    };
    if !right {
        return Err(ParseError::Scale);
    }
    for (table, offset, rows) in [
        (Table::Time, conditioning.time_table, conditioning.time_rows as u64),
        (Table::Class, conditioning.class_table, class_rows.into()),
    ] {
        checker.table(table, offset, (columns * 2).saturating_mul(rows), 2).map_err(ParseError::Table)?;
    }
    check_ops(header, &mut checker)?;
    let uses_previous = check_plans(header, &mut checker)?;
    for (found, expected) in [(sample_len, values), (state_len, state_len_of(values, uses_previous, kind))] {
        if found != expected {
            return Err(ParseError::Announced { expected: expected as u32, found: found as u32 });
        }
    }
    Ok(classes)
}

#[cfg(test)]
mod local_tests;
#[cfg(test)]
mod tests;
