//! Channel biases of all steps and classes, in the units of the accumulators that take them.

use super::builder::ModelBuilder;
use crate::{Error, Result};
use brownian::format::Conditioning;
use brownian::ops::StepBias;

/// Largest left shift that the format allows.
const MAX_SHIFT: u8 = 8;

/// Real values of all bias columns, and the unit that each column is stored in.
#[derive(Clone, Debug)]
pub struct BiasColumns {
    /// One row a different step.
    time: Vec<Vec<f32>>,
    /// Axis after axis one row a class, the last for no class; no axis for a model without classes.
    classes: Vec<Vec<Vec<f32>>>,
    /// Real value of 1 in a column; 0 for a column that no op has taken.
    units: Vec<f64>,
}

impl BiasColumns {
    /// `columns` columns with one row of `time` a different step of the plans, and for each axis one of `classes` a
    /// class, the last for no class; without classes, no axis.
    ///
    /// # Errors
    /// A value that is not finite.
    pub fn new(columns: usize, time: Vec<Vec<f32>>, classes: Vec<Vec<Vec<f32>>>) -> Result<Self> {
        if time.iter().chain(classes.iter().flatten()).flatten().any(|v| !v.is_finite()) {
            return Err(Error::Invalid("a channel bias of a timestep or a class is not finite".into()));
        }
        Ok(Self { time, classes, units: vec![0.0; columns] })
    }

    /// Adds columns that depend on the timestep alone, one row of `values` a timestep, and returns the first of them.
    pub fn append(&mut self, values: &[Vec<f32>]) -> usize {
        let first = self.units.len();
        self.time.iter_mut().zip(values).for_each(|(row, values)| row.extend(values));
        let columns = self.time.first().map_or(first, Vec::len);
        self.classes.iter_mut().flatten().for_each(|row| row.resize(columns, 0.0));
        self.units.resize(columns, 0.0);
        first
    }

    /// The largest value of a column, without its sign: of a step, or of the sum of a row an axis.
    fn largest(&self, column: usize) -> f64 {
        let largest = |rows: &[Vec<f32>]| rows.iter().map(|row| f64::from(row[column].abs())).fold(0.0, f64::max);
        largest(&self.time).max(self.classes.iter().map(|rows| largest(rows)).sum())
    }

    /// The smallest units of accumulators in which `count` columns from `first` on can be stored.
    pub fn least_units(&self, first: usize, count: usize) -> Vec<f64> {
        (first..first + count).map(|c| self.largest(c) / f64::from(1u32 << MAX_SHIFT) / 32767.0).collect()
    }

    /// Whether the columns from `first` on can be stored for accumulators with these units.
    pub fn fit(&self, first: usize, channel_units: &[f64]) -> bool {
        self.least_units(first, channel_units.len()).iter().zip(channel_units).all(|(least, unit)| fits(*least, *unit))
    }

    /// Assigns `channel_units.len()` columns from `first` on to an op whose accumulators have these units,
    /// and returns how the op finds them.
    ///
    /// # Errors
    /// Biases that do not fit these units.
    pub fn assign(&mut self, first: usize, channel_units: &[f64]) -> Result<StepBias> {
        if !self.fit(first, channel_units) {
            return Err(Error::Invalid("its channel biases are too large beside its weights".into()));
        }
        let needed = |c: usize| self.largest(first + c) / channel_units[c] / 32767.0;
        let ratio = (0..channel_units.len()).map(needed).fold(0.0, f64::max);
        let shift = (0..MAX_SHIFT).find(|&s| f64::from(1u32 << s) >= ratio).unwrap_or(MAX_SHIFT);
        for (unit, channel) in self.units[first..].iter_mut().zip(channel_units) {
            *unit = channel * f64::from(1u32 << shift);
        }
        Ok(StepBias { column: narrow("bias columns", first)?, shift })
    }

    /// Writes the tables; the axes' names are not known here.
    ///
    /// # Errors
    /// More columns or rows than the format holds.
    pub fn write(&self, builder: &mut ModelBuilder) -> Result<Conditioning<'static>> {
        let round = |rows: &mut dyn Iterator<Item = &Vec<f32>>| -> Vec<i16> {
            let value = |(v, unit): (&f32, &f64)| match *unit {
                0.0 => 0,
                // In range by `assign`; ±0.5 beyond it by rounding at most.
                unit => (f64::from(*v) / unit).round().clamp(-32768.0, 32767.0) as i16,
            };
            rows.flat_map(|row| row.iter().zip(&self.units).map(value)).collect()
        };
        Ok(Conditioning {
            columns: narrow("bias columns", self.units.len())?,
            time_rows: narrow("different steps of the plans", self.time.len())?,
            time_table: builder.i16_table(&round(&mut self.time.iter())),
            class_table: builder.i16_table(&round(&mut self.classes.iter().flatten())),
            axis_count: 0,
            axes: &[],
        })
    }
}

/// Whether a unit is not smaller than the least, up to the rounding of their computation.
fn fits(least: f64, unit: f64) -> bool {
    least <= unit * (1.0 + 1e-9)
}

/// A count in the format's type for it.
fn narrow<T: TryFrom<usize>>(what: &str, count: usize) -> Result<T> {
    T::try_from(count).map_err(|_| Error::Invalid(format!("{count} {what} are more than a model file holds")))
}
