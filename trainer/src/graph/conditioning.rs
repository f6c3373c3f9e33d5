//! The network that turns a timestep and classes into bias columns.
use super::layout::BlockId;
use crate::{Error, Result};
use serde::Serialize;

/// What turns a timestep and one class an axis into bias columns on the host:
/// columns(t, classes) = time(t) + Σₐ Eₐ\[classₐ\], where time(t) is of [`TimeColumns`].
///
/// A condition is a slice of `Option<usize>`, one an axis: a class, or `None` for none; axes beyond its end have none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conditioning {
    /// How a timestep becomes bias columns.
    #[serde(flatten)]
    pub time: TimeColumns,
    /// Number of classes of each axis, at least one axis; each has one row more, the null class, for no class. Unlabelled
    /// data are one axis without classes.
    pub classes: Vec<usize>,
    /// Number of bias columns.
    pub columns: usize,
    /// The class tables E, axis after axis, `[classes + 1][columns]` each; the last row of an axis is its null class.
    pub class_table: BlockId,
    /// Plans whose steps have rows of their own.
    pub plans: Vec<TunedPlan>,
    /// Rows added for the steps of [`Self::plans`], `[1 + steps of all plans][columns]`; row 0 is for every other
    /// timestep.
    pub plan_table: Option<BlockId>,
}

/// How a timestep becomes bias columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum TimeColumns {
    /// A network: W·silu(W₂·silu(W₁·features(t) + b₁) + b₂) + b.
    Network {
        /// Number of sinusoidal features of t.
        features: usize,
        /// Width of the two hidden layers.
        hidden: usize,
        /// Weight and bias of the three dense layers.
        layers: [(BlockId, BlockId); 3],
    },
    /// A row a timestep, `[T][columns]`; that of t is row t − 1.
    Table {
        /// The rows.
        time_table: BlockId,
    },
}

/// A plan that a network was fine-tuned for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TunedPlan {
    /// Its name.
    pub name: String,
    /// The timestep of every step.
    pub timesteps: Vec<u32>,
}

impl Conditioning {
    /// Number of axes.
    pub fn axes(&self) -> usize {
        self.classes.len()
    }

    /// The row of the class tables where axis number `axis` begins.
    pub fn first_row(&self, axis: usize) -> usize {
        self.classes[..axis].iter().map(|classes| classes + 1).sum()
    }

    /// The row of a class of an axis, or of its null class.
    pub fn row(&self, axis: usize, class: Option<usize>) -> usize {
        self.first_row(axis) + class.unwrap_or(self.classes[axis])
    }

    /// The rows of a condition, one an axis.
    ///
    /// # Errors
    /// A class or an axis that the network does not know.
    pub fn rows(&self, condition: &[Option<usize>]) -> Result<Vec<usize>> {
        let known = |axis: usize| self.classes.get(axis).copied().unwrap_or(0);
        for (axis, class) in condition.iter().enumerate() {
            if let Some(class) = class.filter(|class| *class >= known(axis)) {
                let of = if self.axes() > 1 { format!(" of axis {axis}") } else { String::new() };
                return Err(Error::Usage(format!(
                    "there is no class {class}{of}; the model knows {} classes",
                    known(axis)
                )));
            }
        }
        Ok((0..self.axes()).map(|axis| self.row(axis, condition.get(axis).copied().flatten())).collect())
    }

    /// The condition of rows, one an axis: the inverse of [`Self::rows`].
    pub fn condition(&self, rows: &[usize]) -> Vec<Option<usize>> {
        let class =
            |(axis, row): (usize, &usize)| Some(row - self.first_row(axis)).filter(|class| *class < self.classes[axis]);
        rows.iter().enumerate().map(class).collect()
    }

    /// The row of the plan table for a step of the plan called `name` at timestep `t`: 0 unless the network was tuned
    /// for it.
    pub fn plan_row(&self, name: &str, step: usize, t: u32) -> usize {
        let mut first = 1;
        for plan in &self.plans {
            if plan.name == name && plan.timesteps.get(step) == Some(&t) {
                return first + step;
            }
            first += plan.timesteps.len();
        }
        0
    }
}

/// The two rows of a table with a row a timestep that those of timestep `t`, with a fraction, are mixed from, each with
/// its share. Timesteps beyond the ends have the row of the end.
pub fn table_rows(t: f64, rows: usize) -> [(usize, f32); 2] {
    let at = (t - 1.0).clamp(0.0, rows.saturating_sub(1) as f64);
    let (low, share) = (at.floor() as usize, (at - at.floor()) as f32);
    [(low, 1.0 - share), ((low + 1).min(rows.saturating_sub(1)), share)]
}

/// The sinusoidal features of timestep `t`, with a fraction (Vaswani et al. 2017, section 3.5): half of `count` sines, then cosines.
pub fn time_features(count: usize, t: f64) -> Vec<f32> {
    let half = count / 2;
    let angle = |i: usize| t * (-(i as f64) / half as f64 * 10_000f64.ln()).exp();
    let sines = (0..half).map(|i| angle(i).sin() as f32);
    sines.chain((0..half).map(|i| angle(i).cos() as f32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_between_timesteps_are_mixed() {
        assert_eq!(table_rows(3.0, 10), [(2, 1.0), (3, 0.0)]);
        assert_eq!(table_rows(3.25, 10), [(2, 0.75), (3, 0.25)]);
        assert_eq!(table_rows(0.5, 10)[0], (0, 1.0));
        assert_eq!(table_rows(10.0, 10), [(9, 1.0), (9, 0.0)]);
        let [low, middle, high] = [4.0, 4.5, 5.0].map(|t| time_features(4, t)[1]);
        assert!(low < middle && middle < high, "the slow sine rises");
    }
}
