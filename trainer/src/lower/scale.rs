//! Scales and zero points of activations: real = scale·(q − zero_point).

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

    /// The smallest range with all finite `values` and the old range.
    pub fn extend(&mut self, values: &[f32]) {
        for &value in values {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        }
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
    /// The finest quantization whose 256 values cover `range` and 0.
    pub fn covering(range: Range) -> Self {
        let (min, max) = (f64::from(range.min).min(0.0), f64::from(range.max).max(0.0));
        if !(max - min).is_finite() || max - min < 1e-9 {
            return Self { scale: 1.0 / 127.0, zero_point: 0 };
        }
        let scale = (max - min) / 255.0;
        Self { scale, zero_point: (-128.0 - min / scale).round().clamp(-128.0, 127.0) as i8 }
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
    pub fn lut(&self, function: impl Fn(f64) -> f64) -> ([i8; 256], Self) {
        let values: Vec<f64> = (-128..=127).map(|q: i32| function(self.real(q as i8))).collect();
        let mut range = Range::EMPTY;
        range.extend(&values.iter().map(|&v| v as f32).collect::<Vec<_>>());
        let output = Self::covering(range);
        (self.lut_to(&output, function), output)
    }

    /// The table of a function from this quantization to `output`.
    pub fn lut_to(&self, output: &Self, function: impl Fn(f64) -> f64) -> [i8; 256] {
        std::array::from_fn(|i| output.quantize(function(self.real((i as i32 - 128) as i8))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_the_range_with_zero_exact() {
        for (min, max) in [(-1.0f32, 3.0f32), (0.5, 2.0), (-4.0, -1.0), (-0.28, 6.0)] {
            let q = Quantization::covering(Range { min, max });
            assert_eq!(q.real(q.zero_point), 0.0);
            for value in [min, max, 0.0] {
                let back = q.real(q.quantize(f64::from(value)));
                assert!((back - f64::from(value)).abs() <= q.scale, "{value} -> {back}");
            }
        }
    }

    #[test]
    fn lut_follows_the_function() {
        let q = Quantization::covering(Range { min: -3.0, max: 5.0 });
        let silu = |x: f64| x / (1.0 + (-x).exp());
        let (lut, out) = q.lut(silu);
        for i in -128..=127i32 {
            let exact = silu(q.real(i as i8));
            assert!((out.real(lut[(i + 128) as usize]) - exact).abs() <= out.scale * 0.51);
        }
    }
}
