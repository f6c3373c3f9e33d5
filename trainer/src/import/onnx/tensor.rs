//! Tensors with values: weights and constants of a file, and what the importer computes from them.
use super::proto::{self, element};
use crate::{Error, Result};
use half::{bf16, f16};
use ndarray::{ArrayD, IxDyn};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// A tensor with values. Every kind of float is held as f32, every kind of whole number as i64.
#[derive(Clone, Debug, PartialEq)]
pub enum Tensor {
    /// Floats.
    Float(ArrayD<f32>),
    /// Whole numbers, and 0 and 1 for truth values.
    Int(ArrayD<i64>),
}

impl Tensor {
    /// The sizes of its axes.
    pub fn dims(&self) -> &[usize] {
        match self {
            Self::Float(values) => values.shape(),
            Self::Int(values) => values.shape(),
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.dims().iter().product()
    }

    /// A tensor of floats, row-major.
    ///
    /// # Errors
    /// Another number of values than the sizes make.
    pub fn float(dims: &[usize], values: Vec<f32>) -> Result<Self> {
        ArrayD::from_shape_vec(IxDyn(dims), values).map(Self::Float).map_err(|_| misshapen(dims))
    }

    /// A tensor of whole numbers, row-major.
    ///
    /// # Errors
    /// Another number of values than the sizes make.
    pub fn int(dims: &[usize], values: Vec<i64>) -> Result<Self> {
        ArrayD::from_shape_vec(IxDyn(dims), values).map(Self::Int).map_err(|_| misshapen(dims))
    }

    /// Its floats.
    ///
    /// # Errors
    /// Whole numbers.
    pub fn floats(&self) -> Result<&ArrayD<f32>> {
        match self {
            Self::Float(values) => Ok(values),
            Self::Int(_) => Err(Error::Invalid("takes floats here, not whole numbers".into())),
        }
    }

    /// Its floats in row-major order.
    ///
    /// # Errors
    /// Whole numbers.
    pub fn float_values(&self) -> Result<Vec<f32>> {
        self.floats().map(|values| values.iter().copied().collect())
    }

    /// Its whole numbers in row-major order.
    ///
    /// # Errors
    /// Floats.
    pub fn ints(&self) -> Result<Vec<i64>> {
        match self {
            Self::Int(values) => Ok(values.iter().copied().collect()),
            Self::Float(_) => Err(Error::Invalid("takes whole numbers here, not floats".into())),
        }
    }

    /// The tensor of a file whose values may be in another file in the same `folder`. Half, bfloat and double precision
    /// become single.
    ///
    /// # Errors
    /// Kinds that are no numbers, fewer or more values than its sizes make, values that are not finite, or another file
    /// that is not there. The error names the tensor.
    pub fn read(from: &proto::Tensor, folder: &Path) -> Result<Self> {
        let named = |e: Error| Error::Invalid(format!("tensor {}: {e}", from.name));
        let dims: Option<Vec<usize>> = from.dims.iter().map(|size| usize::try_from(*size).ok()).collect();
        let dims = dims
            .filter(|dims| dims.iter().try_fold(1usize, |product, size| product.checked_mul(*size)).is_some())
            .ok_or_else(|| named(Error::Invalid(format!("has the impossible sizes {:?}", from.dims))))?;
        let external = match from.data_location {
            0 => None,
            _ => Some(external(from, folder).map_err(named)?),
        };
        let raw = external.as_deref().unwrap_or(&from.raw_data);
        let read = values(from, raw).and_then(|values| match values {
            Values::Float(values) => Self::float(&dims, values),
            Values::Int(values) => Self::int(&dims, values),
        });
        let tensor = read.map_err(named)?;
        match &tensor {
            Self::Float(values) if !values.iter().all(|value| value.is_finite()) => {
                Err(named(Error::Invalid("holds a value that is NaN, infinite or beyond single precision".into())))
            }
            _ => Ok(tensor),
        }
    }
}

fn misshapen(dims: &[usize]) -> Error {
    Error::Invalid(format!("has another number of values than its sizes {dims:?} make"))
}

enum Values {
    Float(Vec<f32>),
    Int(Vec<i64>),
}

/// The values of a tensor, from its raw bytes or else from the field of its kind.
fn values(from: &proto::Tensor, raw: &[u8]) -> Result<Values> {
    fn each<const N: usize, T>(raw: &[u8], value: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
        match raw.as_chunks::<N>() {
            (chunks, []) => Ok(chunks.iter().map(|bytes| value(*bytes)).collect()),
            _ => Err(Error::Invalid(format!("has {} bytes, which are no whole values", raw.len()))),
        }
    }
    let is_raw = !raw.is_empty();
    let halves = || from.int32_data.iter().map(|bits| *bits as u16);
    let small = || Ok(Values::Int(from.int32_data.iter().map(|value| i64::from(*value)).collect()));
    Ok(match (from.data_type, is_raw) {
        (element::FLOAT, true) => Values::Float(each(raw, f32::from_le_bytes)?),
        (element::FLOAT, false) => Values::Float(from.float_data.clone()),
        (element::DOUBLE, true) => Values::Float(each(raw, |bytes| f64::from_le_bytes(bytes) as f32)?),
        (element::DOUBLE, false) => Values::Float(from.double_data.iter().map(|value| *value as f32).collect()),
        (element::FLOAT16, true) => Values::Float(each(raw, |bytes| f16::from_le_bytes(bytes).to_f32())?),
        (element::FLOAT16, false) => Values::Float(halves().map(|bits| f16::from_bits(bits).to_f32()).collect()),
        (element::BFLOAT16, true) => Values::Float(each(raw, |bytes| bf16::from_le_bytes(bytes).to_f32())?),
        (element::BFLOAT16, false) => Values::Float(halves().map(|bits| bf16::from_bits(bits).to_f32()).collect()),
        (element::INT64, true) => Values::Int(each(raw, i64::from_le_bytes)?),
        (element::INT64, false) => Values::Int(from.int64_data.clone()),
        (element::INT32, true) => Values::Int(each(raw, |bytes| i64::from(i32::from_le_bytes(bytes)))?),
        (element::INT16, true) => Values::Int(each(raw, |bytes| i64::from(i16::from_le_bytes(bytes)))?),
        (element::UINT16, true) => Values::Int(each(raw, |bytes| i64::from(u16::from_le_bytes(bytes)))?),
        (element::INT8, true) => Values::Int(each(raw, |bytes| i64::from(i8::from_le_bytes(bytes)))?),
        (element::UINT8 | element::BOOL, true) => Values::Int(raw.iter().map(|byte| i64::from(*byte)).collect()),
        (element::INT32 | element::INT16 | element::UINT16 | element::INT8 | element::UINT8 | element::BOOL, false) => {
            return small()
        }
        (kind, _) => {
            return Err(Error::Invalid(format!("has elements of kind {kind}; export floats and whole numbers alone")))
        }
    })
}

/// The bytes of a tensor that are in another file beside the network's.
fn external(from: &proto::Tensor, folder: &Path) -> Result<Vec<u8>> {
    let value = |key: &str| from.external_data.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str());
    let number = |key: &str| match value(key) {
        None => Ok(None),
        Some(text) => {
            text.parse::<u64>().map(Some).map_err(|_| Error::Invalid(format!("has the {key} {text:?}, no number")))
        }
    };
    let location = value("location").unwrap_or_default();
    if location.is_empty() || location.contains(['/', '\\']) || location == ".." {
        return Err(Error::Invalid(format!(
            "is in the file {location:?}, which is not beside the network; export with external_data=False"
        )));
    }
    let path = folder.join(location);
    let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
    let read = || {
        let mut file = File::open(&path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(length.unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|e: std::io::Error| {
        Error::Invalid(format!("is in {}, which cannot be read: {e}; keep it beside the network", path.display()))
    })?;
    match length {
        Some(length) if bytes.len() as u64 != length => {
            Err(Error::Invalid(format!("is in {}, which ends too early", path.display())))
        }
        _ => Ok(bytes),
    }
}
