//! Weights, biases and multipliers of one convolution or dense layer in integers.

use super::error_compensation::ErrorCompensation;
use super::moments::Moments;
use super::scale::{Quantization, Stored};
use crate::{Error, Result};
use brownian::kernels::row_stride;
use brownian::quant::{rounding_offset, SHIFT_RANGE};

/// Channels whose weights are this much smaller than the largest give up weight precision rather than
/// multiplier precision.
const SMALLEST_CHANNEL: f64 = 1.0 / 128.0;
/// Largest factor from accumulator to output; the format holds factors below 1/4.
const LARGEST_FACTOR: f64 = 0.249;

/// A float layer as lowering sees it: `rows` of `[taps][channels]`, the channels split over sources.
#[derive(Clone, Debug)]
pub struct FloatLayer<'a> {
    /// `[outputs][taps][sum of channels]`.
    pub weights: &'a [f32],
    /// One an output.
    pub bias: &'a [f32],
    /// Kernel taps.
    pub taps: usize,
    /// Channels (of a group, where there are groups) and quantization of each source.
    pub sources: Vec<Stored>,
}

/// The integer layer.
#[derive(Clone, Debug)]
pub struct IntegerLayer {
    /// `[outputs][row_stride]`.
    pub weights: Vec<i8>,
    /// Biases in units of the accumulator, with Σ w·zero_point of the inputs taken off.
    pub bias: Vec<i32>,
    /// Real value of one unit of the accumulator, an output.
    pub unit: Vec<f64>,
    /// Whether all weights are in −7..=7 and are stored with four bits.
    pub four_bits: bool,
}

/// Largest bias, in units of the accumulator.
const LARGEST_BIAS: f64 = 5e8;

impl FloatLayer<'_> {
    fn row_len(&self) -> usize {
        self.taps * self.sources.iter().map(|s| s.channels).sum::<usize>()
    }

    /// The scale of the input of each weight of one tap.
    fn scales(&self) -> Vec<f64> {
        self.sources.iter().flat_map(|s| std::iter::repeat_n(s.quantization.scale, s.channels)).collect()
    }

    /// Rounds weights to the nearest of −127..=127; or, with the moments of what the layer reads, to −7..=7 such that
    /// the errors of a row make up for each other. One scale an output channel: the finest that keeps the weights and
    /// the bias in range, and is not below the channel's of `least_units`.
    ///
    /// Also returns what could not be kept.
    ///
    /// # Errors
    /// Weights or biases that are not finite, or sums of weights too large for an accumulator.
    pub fn quantize(
        &self,
        moments: Option<&Moments>,
        least_units: Option<&[f64]>,
    ) -> Result<(IntegerLayer, Vec<String>)> {
        if self.weights.iter().chain(self.bias).any(|v| !v.is_finite()) {
            return Err(Error::Invalid("has a weight or a bias that is infinite or not a number".into()));
        }
        let mut warnings = Vec::new();
        let row_len = self.row_len();
        let four_bits = moments.is_some();
        let limit = if four_bits { 7.0 } else { 127.0 };
        // Real contribution of one step of the input: weight times the scale of its source.
        let scales = self.scales();
        let zeros: Vec<i32> = self
            .sources
            .iter()
            .flat_map(|s| std::iter::repeat_n(s.quantization.zero_point.into(), s.channels))
            .collect();
        let scaled = |row: &[f32]| -> Vec<f64> {
            row.iter().zip(scales.iter().cycle()).map(|(w, s)| f64::from(*w) * s).collect()
        };
        let reach = |row: &[f64]| row.iter().fold(0.0f64, |m, w| m.max(w.abs()));
        let rows: Vec<Vec<f64>> = self.weights.chunks_exact(row_len).map(scaled).collect();
        let least: Vec<f64> = (0..self.bias.len())
            .map(|c| (f64::from(self.bias[c].abs()) / LARGEST_BIAS).max(least_units.map_or(0.0, |units| units[c])))
            .collect();
        let largest = rows.iter().map(|row| reach(row)).chain(least.iter().map(|unit| unit * limit));
        let largest = largest.fold(0.0f64, f64::max).max(1e-12);
        let compensation = moments.and_then(|moments| ErrorCompensation::new(moments, &scales.repeat(self.taps)));
        if four_bits && compensation.is_none() {
            warnings.push(
                "the moments of its input cannot be inverted, so its weights are rounded to four bits without error \
                 compensation; --weights 8 is more exact"
                    .into(),
            );
        }
        let coarser = rows.iter().zip(&least).filter(|(row, least)| reach(row) > 0.0 && **least > reach(row) / limit);
        let coarser = coarser.count();
        if coarser > 0 {
            warnings.push(format!(
                "the biases of {coarser} of its {} channels are so large beside their weights that the weights keep \
                 fewer bits",
                self.bias.len()
            ));
        }
        let mut layer = IntegerLayer { weights: Vec::new(), bias: Vec::new(), unit: Vec::new(), four_bits };
        for ((row, bias), least) in rows.iter().zip(self.bias).zip(&least) {
            let unit = (reach(row).max(largest * SMALLEST_CHANNEL) / limit).max(*least);
            let rounded: Vec<i8> = match &compensation {
                Some(compensation) => compensation.round(row, unit, limit),
                // In range by the choice of the unit.
                None => row.iter().map(|w| (w / unit).round().clamp(-limit, limit) as i8).collect(),
            };
            let folded: i64 =
                rounded.iter().zip(zeros.iter().cycle()).map(|(&w, z)| i64::from(w) * i64::from(*z)).sum();
            layer.weights.extend(rounded);
            layer.weights.resize(layer.weights.len().next_multiple_of(row_stride(row_len)), 0);
            let bias = i32::try_from((f64::from(*bias) / unit).round() as i64 - folded);
            layer.bias.push(bias.map_err(|_| Error::Invalid("its sums do not fit 32 bits".into()))?);
            layer.unit.push(unit);
        }
        Ok((layer, warnings))
    }

    /// The real values of the weights rounded to eight bits, in the layout of [`Self::weights`].
    ///
    /// # Errors
    /// As [`Self::quantize`].
    pub fn rounded_weights(&self) -> Result<Vec<f32>> {
        let (row_len, scales) = (self.row_len(), self.scales());
        let (layer, _) = self.quantize(None, None)?;
        let rows = layer.weights.chunks_exact(row_stride(row_len)).zip(&layer.unit);
        let real = rows.flat_map(|(row, unit)| {
            row[..row_len].iter().zip(scales.iter().cycle()).map(move |(w, s)| (f64::from(*w) * unit / s) as f32)
        });
        Ok(real.collect())
    }
}

/// How accumulators of a layer become outputs.
#[derive(Clone, Debug)]
pub struct Requantizer {
    /// One an output channel.
    pub multipliers: Vec<i16>,
    /// The last shift.
    pub shift: u8,
    /// Rounding, zero point of the output, zero point of the residual.
    pub offset: i32,
    /// Multiplier and shift of a residual.
    pub residual: Option<(i16, u8)>,
}

impl IntegerLayer {
    /// The finest output scale that the format's multipliers reach.
    pub fn finest_output(&self) -> f64 {
        self.unit.iter().fold(0.0f64, |m, &u| m.max(u)) / LARGEST_FACTOR
    }

    /// Multipliers to an output of `scale` and `zero_point` (0 for i16), with an optional residual.
    ///
    /// Returns `None` if the numbers do not fit the format.
    pub fn requantizer(&self, scale: f64, zero_point: i8, residual: Option<Quantization>) -> Option<Requantizer> {
        let factors: Vec<f64> = self.unit.iter().map(|u| u / scale).collect();
        let mut multipliers = vec![0; factors.len()];
        let mut shift = brownian::host::multipliers(&factors, &mut multipliers)?;
        let ratio = residual.map_or(0.0, |r| r.scale / scale);
        // A residual that outweighs the accumulators by far costs the multipliers some bits.
        while ratio * f64::from(1u32 << shift) > 32767.0 {
            shift = shift.checked_sub(1).filter(|s| SHIFT_RANGE.contains(s))?;
            multipliers.iter_mut().for_each(|m| *m = (*m + 1) >> 1);
        }
        let mut offset = rounding_offset(shift, zero_point.into());
        let residual = residual.map(|r| {
            let unscaled = ratio * f64::from(1u32 << shift);
            let extra = (0..=15u8).rev().find(|&s| (unscaled * f64::from(1u32 << s)).round() <= 32767.0).unwrap_or(0);
            let multiplier = (unscaled * f64::from(1u32 << extra)).round();
            offset -= (f64::from(r.zero_point) * multiplier / f64::from(1u32 << extra)).round() as i32;
            (multiplier as i16, extra)
        });
        Some(Requantizer { multipliers, shift, offset, residual })
    }
}

/// Multipliers, shift and offset of an elementwise sum.
pub fn sum_requantizer(inputs: [Quantization; 2], output: Quantization) -> Option<([i16; 2], u8, i32)> {
    let factors = inputs.map(|q| q.scale / output.scale);
    let largest = factors[0].max(factors[1]);
    let shift = SHIFT_RANGE.rev().find(|&s| (largest * f64::from(1u32 << s)).round() <= 32767.0)?;
    let multipliers = factors.map(|f| (f * f64::from(1u32 << shift)).round() as i16);
    let zeros: i32 = inputs.iter().zip(multipliers).map(|(q, m)| i32::from(q.zero_point) * i32::from(m)).sum();
    Some((multipliers, shift, rounding_offset(shift, output.zero_point.into()) - zeros))
}
