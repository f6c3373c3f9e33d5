//! The values of a tensor of any floating type as those of single precision.
use crate::{Error, Result};
use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::Dtype;

/// The values of a tensor of f32, f16, bf16 or f64, in its own order.
///
/// # Errors
/// Another type, or a value that is not a finite number in single precision, with the tensor's `name`.
pub fn floats(name: &str, tensor: &TensorView) -> Result<Vec<f32>> {
    let bytes = tensor.data();
    let values: Vec<f32> = match tensor.dtype() {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        other => {
            return Err(Error::Invalid(format!(
                "the tensor {name} is of type {other:?}; weights are F32, F16, BF16 or F64: convert it with `.float()`"
            )));
        }
    };
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(i) => Err(Error::Invalid(format!(
            "the tensor {name} holds {} at {i}, not a finite number of single precision; take an earlier checkpoint of \
             the training",
            values[i]
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1.5 and −0.25 are the same in every type.
    #[test]
    fn every_floating_type_is_read() {
        let bytes: [(Dtype, Vec<u8>); 4] = [
            (Dtype::F32, [1.5f32, -0.25].iter().flat_map(|v| v.to_le_bytes()).collect()),
            (Dtype::F64, [1.5f64, -0.25].iter().flat_map(|v| v.to_le_bytes()).collect()),
            (Dtype::F16, [0x3E00u16, 0xB400].iter().flat_map(|v| v.to_le_bytes()).collect()),
            (Dtype::BF16, [0x3FC0u16, 0xBE80].iter().flat_map(|v| v.to_le_bytes()).collect()),
        ];
        for (dtype, bytes) in bytes {
            let view = TensorView::new(dtype, vec![2], &bytes).unwrap();
            assert_eq!(floats("a", &view).unwrap(), [1.5, -0.25], "{dtype:?}");
        }
    }

    #[test]
    fn what_is_no_weight_is_named() {
        let large = 1e300f64.to_le_bytes();
        let cases: [(Dtype, &[u8], &str); 4] = [
            (Dtype::I64, &[0; 8], "the tensor w is of type I64"),
            (Dtype::F64, &large, "the tensor w holds inf at 0"),
            (Dtype::F32, &[0, 0, 0xC0, 0x7F, 0, 0, 0, 0], "the tensor w holds NaN at 0"),
            (Dtype::F16, &[0, 0, 0, 0x7C], "the tensor w holds inf at 1"),
        ];
        for (dtype, bytes, reason) in cases {
            let count = bytes.len() * 8 / dtype.bitsize();
            let view = TensorView::new(dtype, vec![count], bytes).unwrap();
            let error = floats("w", &view).unwrap_err().to_string();
            assert!(error.starts_with(reason), "{error}");
        }
    }
}
