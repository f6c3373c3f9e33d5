//! Scales and zero points of activations: real = scale·(q − zero_point).
use crate::{Error, Result};

/// Smallest and largest value that a tensor took during calibration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Smallest value.
    pub min: f32,
    /// Largest value.
    pub max: f32,
}

impl Range {
    /// Contains nothing yet.
    pub const EMPTY: Self = Self { min: f32::INFINITY, max: f32::NEG_INFINITY };

    /// The smallest range with all `values` and the old range; everything where a value is not a number.
    pub fn extend(&mut self, values: &[f32]) {
        let mut nan = false;
        for &value in values {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
            nan |= value.is_nan();
        }
        if nan {
            *self = Self { min: f32::NEG_INFINITY, max: f32::INFINITY };
        }
    }

    /// The range itself.
    ///
    /// # Errors
    /// An end that is not finite; an empty range is 0.
    pub fn finite(self) -> Result<Self> {
        if self == Self::EMPTY {
            return Ok(Self { min: 0.0, max: 0.0 });
        }
        if !(self.min.is_finite() && self.max.is_finite()) {
            return Err(Error::Invalid(
                "its values are infinite or not numbers on the plans' own trajectories; the training has diverged"
                    .into(),
            ));
        }
        Ok(self)
    }

    /// The larger absolute end, or 0 if nothing has been seen.
    pub fn largest(&self) -> f32 {
        if self.min > self.max {
            0.0
        } else {
            self.min.abs().max(self.max.abs())
        }
    }
}

/// Scale and zero point of an i8 tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantization {
    /// Real difference between neighbouring integers.
    pub scale: f64,
    /// The integer that stands for 0.
    pub zero_point: i8,
}

impl Quantization {
    /// The finest quantization whose 256 values cover `range` and 0; where all values are 0 (up to 1e-9), any.
    ///
    /// # Errors
    /// A range that is not finite.
    pub fn covering(range: Range) -> Result<Self> {
        let range = range.finite()?;
        let (min, max) = (f64::from(range.min).min(0.0), f64::from(range.max).max(0.0));
        if max - min < 1e-9 {
            return Ok(Self { scale: 1.0 / 127.0, zero_point: 0 });
        }
        let scale = (max - min) / 255.0;
        // Within −128..=127, since 0 lies within the range.
        Ok(Self { scale, zero_point: (-128.0 - min / scale).round() as i8 })
    }

    /// The same 0 in the middle of the same range, at least `scale` coarse.
    pub fn at_least(self, scale: f64) -> Self {
        if self.scale >= scale {
            return self;
        }
        Self { scale, zero_point: (f64::from(self.zero_point) * self.scale / scale).round() as i8 }
    }

    /// The real value of `q`.
    pub fn real(&self, q: i8) -> f64 {
        self.scale * (f64::from(q) - f64::from(self.zero_point))
    }

    /// The integer nearest to a real value.
    pub fn quantize(&self, real: f64) -> i8 {
        (real / self.scale + f64::from(self.zero_point)).round().clamp(-128.0, 127.0) as i8
    }

    /// The table `lut[q + 128]` of a function from this quantization to another, and that other one, which
    /// covers the function's values over all 256 inputs.
    ///
    /// # Errors
    /// A function whose values are not finite.
    pub fn lut(&self, function: impl Fn(f64) -> f64) -> Result<([i8; 256], Self)> {
        let values: Vec<f64> = (-128..=127).map(|q: i32| function(self.real(q as i8))).collect();
        let mut range = Range::EMPTY;
        range.extend(&values.iter().map(|&v| v as f32).collect::<Vec<_>>());
        let output = Self::covering(range)?;
        Ok((self.lut_to(&output, function), output))
    }

    /// The table of a function from this quantization to `output`.
    pub fn lut_to(&self, output: &Self, function: impl Fn(f64) -> f64) -> [i8; 256] {
        std::array::from_fn(|i| output.quantize(function(self.real((i as i32 - 128) as i8))))
    }
}

/// Channels that are stored with one quantization.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stored {
    /// Number of channels.
    pub channels: usize,
    /// What their integers mean.
    pub quantization: Quantization,
}

impl Stored {
    /// The one quantization of all parts: theirs where there is one part, else one as coarse as the coarsest needs.
    ///
    /// # Errors
    /// Ranges that are not finite.
    pub fn joined(parts: &[Self]) -> Result<Quantization> {
        if let [part] = parts {
            return Ok(part.quantization);
        }
        let end = |q: i8| parts.iter().map(move |p| p.quantization.real(q) as f32);
        let mut range = Range::EMPTY;
        range.extend(&end(-128).chain(end(127)).collect::<Vec<_>>());
        Quantization::covering(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_the_range_with_zero_exact() {
        for (min, max) in [(-1.0f32, 3.0f32), (0.5, 2.0), (-4.0, -1.0), (-0.28, 6.0)] {
            let q = Quantization::covering(Range { min, max }).unwrap();
            assert_eq!(q.real(q.zero_point), 0.0);
            for value in [min, max, 0.0] {
                let back = q.real(q.quantize(f64::from(value)));
                assert!((back - f64::from(value)).abs() <= q.scale, "{value} -> {back}");
            }
        }
    }

    #[test]
    fn lut_follows_the_function() {
        let q = Quantization::covering(Range { min: -3.0, max: 5.0 }).unwrap();
        let silu = |x: f64| x / (1.0 + (-x).exp());
        let (lut, out) = q.lut(silu).unwrap();
        for i in -128..=127i32 {
            let exact = silu(q.real(i as i8));
            assert!((out.real(lut[(i + 128) as usize]) - exact).abs() <= out.scale * 0.51);
        }
    }

    /// Values that are not finite were once skipped or took the scale of an empty range.
    #[test]
    fn values_that_are_not_finite_are_no_range() {
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut range = Range::EMPTY;
            range.extend(&[1.0, wrong, -2.0]);
            range.extend(&[3.0]);
            let error = Quantization::covering(range).unwrap_err().to_string();
            assert!(error.contains("infinite or not numbers"), "{wrong}: {error}");
        }
        assert!(Quantization::covering(Range::EMPTY).is_ok());
    }
}
