//! Operations that move values and change none: the same for weights and for the places of the network's own values.
use super::node::Node;
use super::tensor::Tensor;
use crate::graph::shape::values_of;
use crate::{Error, Result};
use ndarray::{ArrayD, Axis, IxDyn};

/// Operators of [`moved`], whose first input is what is moved.
pub const MOVEMENTS: [&str; 11] = [
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Transpose",
    "Expand",
    "Slice",
    "Split",
    "Identity",
    "Dropout",
    "Gather",
];

/// The results of one of [`MOVEMENTS`] on `x`; `rest` are the node's other inputs.
///
/// # Errors
/// Sizes and places that do not fit, without the node's name.
pub fn moved<T: Clone>(node: &Node, x: &ArrayD<T>, rest: &[Option<&Tensor>]) -> Result<Vec<ArrayD<T>>> {
    let list = |i: usize| rest.get(i).copied().flatten().map(Tensor::ints).transpose();
    let one = |array: ArrayD<T>| Ok(vec![array]);
    match &*node.op {
        "Identity" | "Dropout" => one(x.clone()),
        "Reshape" => {
            let wanted = list(0)?.ok_or_else(|| invalid("has no sizes"))?;
            one(shaped(x, reshaped(x.shape(), &wanted, node.int("allowzero", 0) != 0)?)?)
        }
        "Flatten" => {
            let axis = node.int("axis", 1);
            let axis = if axis == x.ndim() as i64 { x.ndim() } else { place(axis, x.ndim())? };
            let (rows, columns) = x.shape().split_at(axis);
            one(shaped(x, vec![rows.iter().product(), columns.iter().product()])?)
        }
        "Squeeze" => {
            let axes = match list(0)? {
                Some(axes) => places(&axes, x.ndim())?,
                None => (0..x.ndim()).filter(|axis| x.shape()[*axis] == 1).collect(),
            };
            if axes.iter().any(|axis| x.shape()[*axis] != 1) {
                return Err(invalid(&format!("drops axes of {:?} that are not 1", x.shape())));
            }
            let kept = x.shape().iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
            one(shaped(x, kept.map(|(_, size)| *size).collect())?)
        }
        "Unsqueeze" => {
            let axes = list(0)?.ok_or_else(|| invalid("has no axes"))?;
            let count = x.ndim() + axes.len();
            let axes = places(&axes, count)?;
            let mut sizes = x.shape().iter();
            let dims = (0..count).map(|axis| match axes.contains(&axis) {
                true => 1,
                false => sizes.next().copied().unwrap_or(1),
            });
            one(shaped(x, dims.collect())?)
        }
        "Transpose" => {
            let perm = match node.has("perm") {
                true => places(node.ints("perm"), x.ndim())?,
                false => (0..x.ndim()).rev().collect(),
            };
            if perm.len() != x.ndim() {
                return Err(invalid(&format!("orders {} of {} axes", perm.len(), x.ndim())));
            }
            one(x.view().permuted_axes(IxDyn(&perm)).as_standard_layout().into_owned())
        }
        "Expand" => {
            let wanted = list(0)?.ok_or_else(|| invalid("has no sizes"))?;
            let wanted: Option<Vec<usize>> = wanted.iter().map(|size| usize::try_from(*size).ok()).collect();
            let wanted = wanted.ok_or_else(|| invalid("has sizes below 0"))?;
            let dims = broadcast(x.shape(), &wanted)?;
            one(expanded(x, &dims)?)
        }
        "Slice" => sliced(x, [list(0)?, list(1)?, list(2)?, list(3)?]).and_then(one),
        "Split" => split(node, x, list(0)?),
        "Gather" => {
            let Some(Some(indices)) = rest.first() else { return Err(invalid("has no indices")) };
            gathered(x, indices, node.int("axis", 0)).and_then(one)
        }
        _ => Err(invalid("moves no values")),
    }
}

fn invalid(what: &str) -> Error {
    Error::Invalid(what.into())
}

/// The axis that a number stands for; negative ones count from the end.
///
/// # Errors
/// No such axis.
pub fn place(axis: i64, count: usize) -> Result<usize> {
    let found = if axis < 0 { axis + count as i64 } else { axis };
    match usize::try_from(found) {
        Ok(found) if found < count => Ok(found),
        _ => Err(Error::Invalid(format!("asks for axis {axis} of {count}"))),
    }
}

fn places(axes: &[i64], count: usize) -> Result<Vec<usize>> {
    let found: Vec<usize> = axes.iter().map(|axis| place(*axis, count)).collect::<Result<_>>()?;
    match found.iter().enumerate().any(|(i, axis)| found[..i].contains(axis)) {
        true => Err(Error::Invalid(format!("names an axis twice in {axes:?}"))),
        false => Ok(found),
    }
}

/// The same values with other sizes.
fn shaped<T: Clone>(x: &ArrayD<T>, dims: Vec<usize>) -> Result<ArrayD<T>> {
    let failed = |_| Error::Invalid(format!("cannot make {dims:?} of {:?}", x.shape()));
    ArrayD::from_shape_vec(IxDyn(&dims), x.iter().cloned().collect()).map_err(failed)
}

/// The sizes that a `Reshape` asks for: 0 keeps a size, −1 takes what is left.
fn reshaped(from: &[usize], wanted: &[i64], zero_is_zero: bool) -> Result<Vec<usize>> {
    let failed = || Error::Invalid(format!("cannot make {wanted:?} of {from:?}"));
    let mut dims = vec![];
    for (axis, size) in wanted.iter().enumerate() {
        dims.push(match size {
            -1 => 1,
            0 if !zero_is_zero => *from.get(axis).ok_or_else(failed)?,
            size => usize::try_from(*size).map_err(|_| failed())?,
        });
    }
    let whole: usize = from.iter().product();
    if wanted.iter().filter(|size| **size == -1).count() > 1 {
        return Err(failed());
    }
    if let Some(open) = wanted.iter().position(|size| *size == -1) {
        dims[open] = whole.checked_div(values_of(&dims)?).ok_or_else(failed)?;
    }
    match values_of(&dims)? == whole {
        true => Ok(dims),
        false => Err(failed()),
    }
}

/// The sizes of two tensors that are computed with each other: sizes of 1 and missing axes in front are repeated.
///
/// # Errors
/// Sizes that do not fit, or that make more values than can be held.
pub fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
    let count = a.len().max(b.len());
    let size = |dims: &[usize], axis: usize| (axis + dims.len()).checked_sub(count).map_or(1, |axis| dims[axis]);
    let dims: Option<Vec<usize>> = (0..count)
        .map(|axis| match (size(a, axis), size(b, axis)) {
            (a, b) if a == b || b == 1 => Some(a),
            (1, b) => Some(b),
            _ => None,
        })
        .collect();
    let dims = dims.ok_or_else(|| Error::Invalid(format!("cannot compute {a:?} with {b:?}")))?;
    values_of(&dims).map(|_| dims)
}

fn expanded<T: Clone>(x: &ArrayD<T>, dims: &[usize]) -> Result<ArrayD<T>> {
    let failed = || Error::Invalid(format!("cannot make {dims:?} of {:?}", x.shape()));
    x.broadcast(IxDyn(dims)).map(|view| view.to_owned()).ok_or_else(failed)
}

fn sliced<T: Clone>(x: &ArrayD<T>, [starts, ends, axes, steps]: [Option<Vec<i64>>; 4]) -> Result<ArrayD<T>> {
    let (Some(starts), Some(ends)) = (starts, ends) else { return Err(invalid("has no starts and ends")) };
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(invalid("has starts, ends, axes and steps of different numbers"));
    }
    let mut y = x.clone();
    for (((start, end), axis), step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
        let axis = place(*axis, x.ndim())?;
        if *step == 0 {
            return Err(invalid("takes values by steps of 0"));
        }
        let size = y.shape()[axis] as i64;
        // Backwards, the end may lie before the first value.
        let (least, most) = if *step < 0 { (-1, size - 1) } else { (0, size) };
        let within = |at: i64| (if at < 0 { at.saturating_add(size) } else { at }).clamp(least, most);
        let (mut at, end) = (within(*start), within(*end));
        let mut taken = vec![];
        while (end - at) * step.signum() > 0 {
            taken.push(at as usize);
            at = at.saturating_add(*step);
        }
        if taken.is_empty() {
            return Err(Error::Invalid(format!("takes nothing of axis {axis}")));
        }
        y = y.select(Axis(axis), &taken);
    }
    Ok(y)
}

fn split<T: Clone>(node: &Node, x: &ArrayD<T>, sizes: Option<Vec<i64>>) -> Result<Vec<ArrayD<T>>> {
    let axis = place(node.int("axis", 0), x.ndim())?;
    let (whole, count) = (x.shape()[axis], node.outputs.len());
    let sizes: Vec<usize> = match sizes {
        Some(sizes) => sizes.iter().map(|size| usize::try_from(*size).unwrap_or(0)).collect(),
        None => {
            let part = whole.div_ceil(count);
            (0..count).map(|i| part.min(whole.saturating_sub(i * part))).collect()
        }
    };
    let sum = sizes.iter().try_fold(0usize, |sum, size| sum.checked_add(*size));
    if sizes.len() != count || sizes.contains(&0) || sum != Some(whole) {
        return Err(Error::Invalid(format!("cannot split {whole} into {sizes:?}")));
    }
    let mut at = 0;
    let mut part = |size: usize| {
        at += size;
        x.slice_axis(Axis(axis), (at - size..at).into()).to_owned()
    };
    Ok(sizes.into_iter().map(&mut part).collect())
}

fn gathered<T: Clone>(x: &ArrayD<T>, indices: &Tensor, axis: i64) -> Result<ArrayD<T>> {
    let axis = place(axis, x.ndim())?;
    let size = x.shape()[axis];
    let at = |index: i64| {
        let found = if index < 0 { index + size as i64 } else { index };
        usize::try_from(found)
            .ok()
            .filter(|found| *found < size)
            .ok_or_else(|| Error::Invalid(format!("takes row {index} of a table of {size}")))
    };
    let rows: Vec<usize> = indices.ints()?.into_iter().map(at).collect::<Result<_>>()?;
    let dims = [&x.shape()[..axis], indices.dims(), &x.shape()[axis + 1..]].concat();
    values_of(&dims)?;
    let taken = x.select(Axis(axis), &rows);
    shaped(&taken, dims)
}
