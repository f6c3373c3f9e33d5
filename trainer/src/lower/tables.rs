//! Channel biases of all steps and classes, in the units of the accumulators that take them.

use super::builder::ModelBuilder;
use crate::network::Network;
use crate::Result;
use brownian::format::{Conditioning, StepBias};

/// Largest left shift that the format allows.
const MAX_SHIFT: u8 = 8;

/// Real values of all bias columns, and the unit that each column is stored in.
#[derive(Clone, Debug)]
pub struct BiasColumns {
    /// One row a different step.
    time: Vec<Vec<f32>>,
    /// One row a class, the last for no class; empty for a model without classes.
    classes: Vec<Vec<f32>>,
    /// Real value of 1 in a column; 0 for a column that no op has taken.
    units: Vec<f64>,
}

impl BiasColumns {
    /// The columns of `network` with these rows for the steps of its plans.
    pub fn new(network: &Network, mut time: Vec<Vec<f32>>) -> Result<Self> {
        let none = network.class_bias(None)?;
        let mut classes = Vec::new();
        if network.classes() > 0 {
            classes = (0..network.classes()).map(|c| network.class_bias(Some(c))).collect::<Result<Vec<_>>>()?;
            classes.push(none);
        } else {
            time.iter_mut().for_each(|row| row.iter_mut().zip(&none).for_each(|(t, n)| *t += n));
        }
        let units = vec![0.0; network.bias_columns()];
        Ok(Self { time, classes, units })
    }

    /// Adds columns that depend on the timestep alone, one row of `values` a timestep, and returns the first of them.
    pub fn append(&mut self, values: &[Vec<f32>]) -> usize {
        let first = self.units.len();
        self.time.iter_mut().zip(values).for_each(|(row, values)| row.extend(values));
        let columns = self.time.first().map_or(first, Vec::len);
        self.classes.iter_mut().for_each(|row| row.resize(columns, 0.0));
        self.units.resize(columns, 0.0);
        first
    }

    /// Assigns `channel_units.len()` columns from `first` on to an op whose accumulators have these units,
    /// and returns how the op finds them.
    pub fn assign(&mut self, first: usize, channel_units: &[f64]) -> StepBias {
        let rows = || self.time.iter().chain(&self.classes);
        let largest = |c: usize| rows().map(|row| f64::from(row[first + c].abs())).fold(0.0, f64::max);
        let needed = |c: usize| largest(c) / channel_units[c] / 32767.0;
        let ratio = (0..channel_units.len()).map(needed).fold(0.0, f64::max);
        let shift = (0..MAX_SHIFT).find(|&s| f64::from(1u32 << s) >= ratio).unwrap_or(MAX_SHIFT);
        for (unit, channel) in self.units[first..].iter_mut().zip(channel_units) {
            *unit = channel * f64::from(1u32 << shift);
        }
        StepBias { column: first as u32, shift }
    }

    /// Writes both tables.
    pub fn write(&self, builder: &mut ModelBuilder) -> Conditioning {
        let round = |rows: &[Vec<f32>]| -> Vec<i16> {
            let value = |(v, unit): (&f32, &f64)| match *unit {
                0.0 => 0,
                unit => (f64::from(*v) / unit).round().clamp(-32768.0, 32767.0) as i16,
            };
            rows.iter().flat_map(|row| row.iter().zip(&self.units).map(value)).collect()
        };
        Conditioning {
            columns: self.units.len() as u32,
            time_rows: self.time.len() as u32,
            time_table: builder.i16_table(&round(&self.time)),
            classes: self.classes.len().saturating_sub(1) as u16,
            class_table: builder.i16_table(&round(&self.classes)),
        }
    }
}
