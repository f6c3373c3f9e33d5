//! Operations on tensors with values: what the importer computes itself, weights that a file derives from others and
//! the network of timestep and class. Every result is rounded to single precision as PyTorch does.
use super::hints::instead_of_constant;
use super::movement::{broadcast, moved, place, MOVEMENTS};
use super::node::Node;
use super::proto::element;
use super::tensor::Tensor;
use crate::graph::shape::values_of;
use crate::{Error, Result};
use ndarray::{concatenate, ArrayD, ArrayView2, ArrayViewD, Axis, Ix2, IxDyn, Zip};
use std::path::Path;

/// The results of a node for inputs with values; `None` where an input is left out.
///
/// # Errors
/// Operators that are not known, and inputs that do not fit; each names the node.
pub fn evaluate(node: &Node, inputs: &[Option<&Tensor>]) -> Result<Vec<Tensor>> {
    results(node, inputs).map_err(|e| node.error(e))
}

fn results(node: &Node, inputs: &[Option<&Tensor>]) -> Result<Vec<Tensor>> {
    let input = |i: usize| {
        inputs.get(i).copied().flatten().ok_or_else(|| Error::Invalid(format!("lacks its input number {}", i + 1)))
    };
    let op = &*node.op;
    if MOVEMENTS.contains(&op) {
        return Ok(match input(0)? {
            Tensor::Float(x) => moved(node, x, &inputs[1..])?.into_iter().map(Tensor::Float).collect(),
            Tensor::Int(x) => moved(node, x, &inputs[1..])?.into_iter().map(Tensor::Int).collect(),
        });
    }
    if let Some(function) = function(node) {
        return Ok(vec![Tensor::Float(input(0)?.floats()?.mapv(|x| function(f64::from(x)) as f32))]);
    }
    let result = match op {
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max" => binary(op, input(0)?, input(1)?)?,
        "Neg" => match input(0)? {
            Tensor::Float(x) => Tensor::Float(x.mapv(|x| -x)),
            Tensor::Int(x) => Tensor::Int(x.mapv(i64::wrapping_neg)),
        },
        "Cast" => cast(input(0)?, node.int("to", 0))?,
        "CastLike" => match (input(0)?, input(1)?) {
            (x, Tensor::Float(_)) => cast(x, i64::from(element::FLOAT))?,
            (x, Tensor::Int(_)) => cast(x, i64::from(element::INT64))?,
        },
        "Shape" => {
            let dims: Vec<i64> = input(0)?.dims().iter().map(|size| *size as i64).collect();
            shape(node, dims)?
        }
        "ConstantOfShape" => filled(node, &input(0)?.ints()?)?,
        "Concat" => {
            let parts: Vec<&Tensor> = (0..inputs.len()).map(input).collect::<Result<_>>()?;
            joined(&parts, node.int("axis", 0))?
        }
        "Gemm" => {
            let (a, b) = (input(0)?.floats()?, input(1)?.floats()?);
            let a = if node.int("transA", 0) != 0 { a.t() } else { a.view() };
            let b = if node.int("transB", 0) != 0 { b.t() } else { b.view() };
            let product = product(a, b, f64::from(node.float("alpha", 1.0)))?;
            match inputs.get(2).copied().flatten() {
                None => product,
                Some(c) => {
                    let beta = node.float("beta", 1.0);
                    binary("Add", &product, &Tensor::Float(c.floats()?.mapv(|c| beta * c)))?
                }
            }
        }
        "MatMul" => product(input(0)?.floats()?.view(), input(1)?.floats()?.view(), 1.0)?,
        op => return Err(Error::Invalid(instead_of_constant(op).into())),
    };
    Ok(vec![result])
}

/// The sizes of a tensor of which a `Shape` takes a part, as a tensor.
///
/// # Errors
/// None: what lies outside is left out.
pub fn shape(node: &Node, dims: Vec<i64>) -> Result<Tensor> {
    let count = dims.len() as i64;
    let within = |at: i64| (if at < 0 { at + count } else { at }).clamp(0, count) as usize;
    let (start, end) = (within(node.int("start", 0)), within(node.int("end", count)));
    let part = dims.get(start..end).unwrap_or_default().to_vec();
    Tensor::int(&[part.len()], part)
}

/// A tensor of one value everywhere, a float 0 where none is given.
fn filled(node: &Node, sizes: &[i64]) -> Result<Tensor> {
    let dims: Option<Vec<usize>> = sizes.iter().map(|size| usize::try_from(*size).ok()).collect();
    let dims = dims.ok_or_else(|| Error::Invalid(format!("has the impossible sizes {sizes:?}")))?;
    let one = match node.has("value") {
        true => node.constant(Path::new(""))?,
        false => Tensor::float(&[1], vec![0.0])?,
    };
    let count = broadcast(&dims, &[])?.iter().product();
    match one {
        Tensor::Float(value) => Tensor::float(&dims, vec![value.first().copied().unwrap_or(0.0); count]),
        Tensor::Int(value) => Tensor::int(&dims, vec![value.first().copied().unwrap_or(0); count]),
    }
}

/// A function of one float.
fn function(node: &Node) -> Option<Box<dyn Fn(f64) -> f64>> {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let (alpha, approximate) =
        (node.has("alpha").then(|| f64::from(node.float("alpha", 0.0))), node.text("approximate", "none"));
    Some(match &*node.op {
        "Sin" => Box::new(f64::sin),
        "Cos" => Box::new(f64::cos),
        "Exp" => Box::new(f64::exp),
        "Log" => Box::new(f64::ln),
        "Sqrt" => Box::new(f64::sqrt),
        "Reciprocal" => Box::new(f64::recip),
        "Abs" => Box::new(f64::abs),
        "Sigmoid" => Box::new(sigmoid),
        "Tanh" => Box::new(f64::tanh),
        "Erf" => Box::new(libm::erf),
        "Relu" => Box::new(|x| x.max(0.0)),
        "Softplus" => Box::new(|x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        "LeakyRelu" => {
            let alpha = alpha.unwrap_or(0.01);
            Box::new(move |x| if x < 0.0 { alpha * x } else { x })
        }
        "Swish" => {
            let alpha = alpha.unwrap_or(1.0);
            Box::new(move |x| x * sigmoid(alpha * x))
        }
        "Gelu" if approximate == "none" => {
            Box::new(|x| 0.5 * x * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2)))
        }
        "Gelu" => Box::new(|x| {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            0.5 * x * (1.0 + inner.tanh())
        }),
        _ => return None,
    })
}

fn binary(op: &str, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let dims = IxDyn(&broadcast(a.dims(), b.dims())?);
    fn each<T: Clone>(a: &ArrayD<T>, b: &ArrayD<T>, dims: &IxDyn, f: impl Fn(&T, &T) -> T) -> Result<ArrayD<T>> {
        match (a.broadcast(dims.clone()), b.broadcast(dims.clone())) {
            (Some(a), Some(b)) => Ok(Zip::from(a).and(b).map_collect(f)),
            _ => Err(Error::Invalid(format!("cannot compute {:?} with {:?}", a.shape(), b.shape()))),
        }
    }
    match (a, b) {
        (Tensor::Float(a), Tensor::Float(b)) => Ok(Tensor::Float(match op {
            "Add" => each(a, b, &dims, |a, b| a + b)?,
            "Sub" => each(a, b, &dims, |a, b| a - b)?,
            "Mul" => each(a, b, &dims, |a, b| a * b)?,
            "Div" => each(a, b, &dims, |a, b| a / b)?,
            "Min" => each(a, b, &dims, |a, b| a.min(*b))?,
            "Max" => each(a, b, &dims, |a, b| a.max(*b))?,
            _ => each(a, b, &dims, |a, b| f64::from(*a).powf(f64::from(*b)) as f32)?,
        })),
        (Tensor::Int(a), Tensor::Int(b)) => Ok(Tensor::Int(match op {
            "Add" => each(a, b, &dims, |a, b| a.wrapping_add(*b))?,
            "Sub" => each(a, b, &dims, |a, b| a.wrapping_sub(*b))?,
            "Mul" => each(a, b, &dims, |a, b| a.wrapping_mul(*b))?,
            "Div" if b.iter().all(|b| *b != 0) => each(a, b, &dims, |a, b| a.wrapping_div(*b))?,
            "Min" => each(a, b, &dims, |a, b| *a.min(b))?,
            "Max" => each(a, b, &dims, |a, b| *a.max(b))?,
            _ => return Err(Error::Invalid("cannot compute these whole numbers".into())),
        })),
        (Tensor::Float(_), Tensor::Int(b)) if op == "Pow" => binary(op, a, &Tensor::Float(b.mapv(|b| b as f32))),
        _ => Err(Error::Invalid("computes floats with whole numbers".into())),
    }
}

/// The value as another kind; floats lose what is behind the point, as ONNX says.
fn cast(x: &Tensor, to: i64) -> Result<Tensor> {
    let to = i32::try_from(to).unwrap_or(0);
    Ok(match (x, to) {
        (Tensor::Float(x), element::FLOAT | element::DOUBLE) => Tensor::Float(x.clone()),
        (Tensor::Float(x), element::FLOAT16) => Tensor::Float(x.mapv(|x| half::f16::from_f32(x).to_f32())),
        (Tensor::Float(x), element::BFLOAT16) => Tensor::Float(x.mapv(|x| half::bf16::from_f32(x).to_f32())),
        (Tensor::Float(x), element::INT32 | element::INT64) => Tensor::Int(x.mapv(|x| x as i64)),
        (Tensor::Int(x), element::FLOAT | element::DOUBLE | element::FLOAT16 | element::BFLOAT16) => {
            Tensor::Float(x.mapv(|x| x as f32))
        }
        (Tensor::Int(x), element::INT32 | element::INT64) => Tensor::Int(x.clone()),
        _ => return Err(Error::Invalid(format!("makes elements of kind {to}, which is not known"))),
    })
}

fn joined(parts: &[&Tensor], axis: i64) -> Result<Tensor> {
    let axis = place(axis, parts[0].dims().len())?;
    let along_axis = parts.iter().map(|part| part.dims().get(axis).copied().unwrap_or(0)).sum();
    let mut dims = parts[0].dims().to_vec();
    dims[axis] = along_axis;
    values_of(&dims)?;
    fn along<T: Clone>(parts: &[&ArrayD<T>], axis: usize) -> Result<ArrayD<T>> {
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        concatenate(Axis(axis), &views).map_err(|_| Error::Invalid("joins tensors whose other sizes differ".into()))
    }
    match parts[0] {
        Tensor::Float(_) => {
            let parts: Vec<&ArrayD<f32>> = parts.iter().map(|part| part.floats()).collect::<Result<_>>()?;
            along(&parts, axis).map(Tensor::Float)
        }
        Tensor::Int(_) => {
            let of = |part: &&Tensor| match part {
                Tensor::Int(part) => Ok(part.clone()),
                Tensor::Float(_) => Err(Error::Invalid("joins floats with whole numbers".into())),
            };
            let parts: Vec<ArrayD<i64>> = parts.iter().map(of).collect::<Result<_>>()?;
            along(&parts.iter().collect::<Vec<_>>(), axis).map(Tensor::Int)
        }
    }
}

/// α·A·B of matrices; a vector A is one row.
fn product(a: ArrayViewD<f32>, b: ArrayViewD<f32>, alpha: f64) -> Result<Tensor> {
    let failed = || Error::Invalid(format!("cannot multiply {:?} by {:?}", a.shape(), b.shape()));
    let rows = match a.ndim() {
        1 => a.view().insert_axis(Axis(0)),
        _ => a.view(),
    };
    let rows: ArrayView2<f32> = rows.into_dimensionality::<Ix2>().map_err(|_| failed())?;
    let columns: ArrayView2<f32> = b.view().into_dimensionality::<Ix2>().map_err(|_| failed())?;
    if rows.ncols() != columns.nrows() {
        return Err(failed());
    }
    let mut values = Vec::with_capacity(values_of(&[rows.nrows(), columns.ncols()])?);
    for row in rows.rows() {
        for column in columns.columns() {
            let sum: f64 = row.iter().zip(column).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            values.push((alpha * sum) as f32);
        }
    }
    match a.ndim() {
        1 => Tensor::float(&[columns.ncols()], values),
        _ => Tensor::float(&[rows.nrows(), columns.ncols()], values),
    }
}
