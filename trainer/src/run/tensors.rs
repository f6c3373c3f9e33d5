//! Tensors by name, as a safetensors file holds them.
use crate::{Error, Result};
use safetensors::{tensor::TensorView, Dtype, SafeTensors};
use std::collections::BTreeMap;

/// Tensors of single or double precision by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors {
    tensors: BTreeMap<String, Tensor>,
}

/// Little-endian values in row-major order.
#[derive(Clone, Debug, PartialEq)]
struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensors {
    /// Adds a tensor of single precision.
    pub fn put(&mut self, name: impl Into<String>, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensors.insert(name.into(), Tensor { dtype: Dtype::F32, shape: shape.to_vec(), bytes });
    }

    /// Adds a tensor of double precision.
    pub fn put_double(&mut self, name: impl Into<String>, shape: &[usize], values: &[f64]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensors.insert(name.into(), Tensor { dtype: Dtype::F64, shape: shape.to_vec(), bytes });
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The values of a tensor of single precision.
    ///
    /// # Errors
    /// A tensor that is missing, has another shape or holds values that are not numbers.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let bytes = self.checked(name, Dtype::F32, shape)?;
        let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        if values.iter().all(|v| v.is_finite()) {
            return Ok(values);
        }
        Err(Error::Invalid(format!("{name} holds a value that is not a number")))
    }

    /// The values of a tensor of single precision of any number of entries of this shape; none where there is no such
    /// tensor.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn get_some(&self, name: &str, entry: &[usize]) -> Result<Vec<f32>> {
        match self.tensors.get(name) {
            None => Ok(vec![]),
            Some(tensor) => self.get(name, &[&tensor.shape[..1.min(tensor.shape.len())], entry].concat()),
        }
    }

    /// The values of a tensor of double precision.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn get_double(&self, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
        let bytes = self.checked(name, Dtype::F64, shape)?;
        let values: Vec<f64> = bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
        if values.iter().all(|v| v.is_finite()) {
            return Ok(values);
        }
        Err(Error::Invalid(format!("{name} holds a value that is not a number")))
    }

    fn checked(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<&[u8]> {
        let tensor = self.tensors.get(name).ok_or_else(|| Error::Invalid(format!("lacks the tensor {name}")))?;
        if tensor.dtype != dtype || tensor.shape != shape {
            let found = format!("{:?} {:?}", tensor.dtype, tensor.shape);
            return Err(Error::Invalid(format!("{name} is {found}, not {dtype:?} {shape:?}")));
        }
        Ok(&tensor.bytes)
    }

    /// The bytes of a safetensors file.
    ///
    /// # Errors
    /// Shapes that do not fit their values.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let invalid = |e: safetensors::SafeTensorError| Error::Invalid(format!("the state cannot be stored: {e}"));
        let mut views = Vec::new();
        for (name, tensor) in &self.tensors {
            let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes).map_err(invalid)?;
            views.push((name, view));
        }
        safetensors::serialize(views, None).map_err(invalid)
    }

    /// The tensors of a safetensors file.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let file = SafeTensors::deserialize(bytes)
            .map_err(|e| Error::Invalid(format!("is not a readable safetensors file ({e})")))?;
        let tensor = |(name, view): (String, TensorView)| {
            let (dtype, shape, bytes) = (view.dtype(), view.shape().to_vec(), view.data().to_vec());
            (name, Tensor { dtype, shape, bytes })
        };
        Ok(Self { tensors: file.tensors().into_iter().map(tensor).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_come_back_and_others_are_named() {
        let mut tensors = Tensors::default();
        tensors.put("a", &[2, 1], &[1.5, -2.0]);
        tensors.put_double("b", &[1], &[0.1]);
        tensors.put("c", &[1], &[f32::NAN]);
        let read = Tensors::decode(&tensors.encode().unwrap()).unwrap();
        assert_eq!(read.get("a", &[2, 1]).unwrap(), [1.5, -2.0]);
        assert_eq!(read.get_double("b", &[1]).unwrap(), [0.1]);
        assert!(read.contains("b") && !read.contains("d"));
        for (error, reason) in [
            (read.get("a", &[2]), "a is F32 [2, 1], not F32 [2]"),
            (read.get("b", &[1]), "b is F64 [1], not F32 [1]"),
            (read.get("c", &[1]), "c holds a value that is not a number"),
            (read.get("d", &[1]), "lacks the tensor d"),
        ] {
            assert_eq!(error.unwrap_err().to_string(), reason);
        }
        assert!(Tensors::decode(b"x").unwrap_err().to_string().contains("safetensors"));
    }
}
