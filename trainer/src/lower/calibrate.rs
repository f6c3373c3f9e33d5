//! Ranges of activations over the trajectories that the plans really take.

use super::fuse;
use super::scale::Range;
use super::step::{Function, Step};
use crate::chain::{self, Batch, Classes};
use crate::graph::NodeId;
use crate::network::Network;
use crate::plans::NamedPlan;
use crate::{Error, Result};
use brownian::Guidance;

/// Evaluations of the network that calibration spends on one plan.
const EVALUATIONS: usize = 6000;
/// Bins of a histogram.
const BINS: usize = 2048;
/// Ends of a range that are tried between nothing and the outermost value.
const CANDIDATES: usize = 64;

/// What calibration draws: classes, and the guidance scale. Plain, guided, and without a class.
const CONDITIONS: [(Classes, f32); 3] = [(Classes::Cycle, 1.0), (Classes::Cycle, 1.5), (Classes::None, 1.0)];

/// [`CONDITIONS`] as chains take them.
pub(super) fn conditions() -> impl Iterator<Item = (Classes, Guidance)> {
    CONDITIONS.into_iter().map(|(classes, scale)| (classes, Guidance::new(scale).expect("from 0 to 16")))
}

/// How the range of an activation follows from its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RangeChoice {
    /// From the smallest value to the largest.
    MinMax,
    /// Where rounding and clipping together have the least mean square error, behind the activation that follows.
    #[default]
    LeastError,
}

/// Runs every plan with the float network on a few images of every class, under plain and stronger
/// guidance and without a class, and returns each layer's range.
///
/// [`RangeChoice::LeastError`] weighs the values of a step by how an error of F enters the state
/// ([`weight`](crate::steps::Steps::weight)), so that the mean square error of the samples counts, added up over the
/// plans.
///
/// # Errors
/// What the float chain refuses, or a layer whose values are not finite.
pub fn calibrate(network: &Network, plans: &[NamedPlan], seed: u64, choice: RangeChoice) -> Result<Vec<Range>> {
    let mut ranges = vec![Range::EMPTY; network.nodes().len()];
    // What is not finite spreads to all layers behind it, and to the next step's state: the first to show it is to
    // blame.
    let mut diverged = Ok(());
    visit(network, plans, seed, |_, layer, values| {
        ranges[layer].extend(values);
        if diverged.is_ok() {
            diverged = ranges[layer].finite().map(drop).map_err(|e| (layer, e));
        }
    })?;
    diverged.map_err(|(layer, e)| Error::Invalid(format!("layer {}: {e}", network.nodes()[layer].name)))?;
    if choice == RangeChoice::MinMax {
        return Ok(ranges);
    }
    // Layers that are rounded to eight bits; the output has 16 and keeps its whole range.
    let mut rounded = vec![(0, None)];
    rounded.extend(fuse::fuse(&network.graph)?.iter().filter(|step| !step.wide).map(Step::rounded));
    let mut histograms: Vec<Option<Histogram>> = vec![None; network.nodes().len()];
    rounded.iter().for_each(|(layer, _)| histograms[*layer] = Some(Histogram::new(ranges[*layer])));
    visit(network, plans, seed, |weight, layer, values| {
        if let Some(histogram) = &mut histograms[layer] {
            histogram.add(values, weight);
        }
    })?;
    for (layer, activation) in rounded {
        if let Some(histogram) = &histograms[layer] {
            ranges[layer] = histogram.least_error(activation);
        }
    }
    Ok(ranges)
}

/// Shows `see` every layer's values with their weight.
fn visit(network: &Network, plans: &[NamedPlan], seed: u64, mut see: impl FnMut(f64, NodeId, &[f32])) -> Result<()> {
    for plan in plans {
        let count = (EVALUATIONS / plan.steps.len().max(1)).clamp(8, 96).div_ceil(3);
        let weight = |step: usize| plan.steps.weight(step) / count as f64;
        for (classes, guidance) in conditions() {
            let batch = Batch { seed, first: 0, count, classes, guidance };
            chain::float(network, plan, &batch, |step, layer, values| see(weight(step), layer, values))?;
        }
    }
    Ok(())
}

/// How often values fell into each of [`BINS`] equal parts of a range.
#[derive(Clone, Debug)]
struct Histogram {
    range: Range,
    bins: Vec<f64>,
}

impl Histogram {
    fn new(range: Range) -> Self {
        Self { range, bins: vec![0.0; BINS] }
    }

    fn add(&mut self, values: &[f32], weight: f64) {
        let factor = BINS as f32 / (self.range.max - self.range.min).max(f32::MIN_POSITIVE);
        for value in values {
            let bin = ((value - self.range.min) * factor) as usize;
            self.bins[bin.min(BINS - 1)] += weight;
        }
    }

    /// The range [lo, hi] around 0 with the least Σ (f(clip(v)) − f(v))² + f'(v)²·scale²/12 over all values v, where f
    /// is the activation and scale = (hi − lo)/255.
    fn least_error(&self, activation: Option<Function>) -> Range {
        let (min, max) = (f64::from(self.range.min), f64::from(self.range.max));
        let f = |x: f64| activation.map_or(x, |function| function(x));
        let width = (max - min) / BINS as f64;
        let center = |bin: usize| min + (bin as f64 + 0.5) * width;
        let seen: Vec<(f64, f64)> =
            self.bins.iter().enumerate().filter(|(_, n)| **n > 0.0).map(|(i, n)| (center(i), *n)).collect();
        let slope = |x: f64| (f(x + width) - f(x - width)) / (2.0 * width);
        let rounding: f64 = seen.iter().map(|(v, n)| n * slope(*v) * slope(*v)).sum::<f64>() / 12.0;
        if !(width > 0.0 && rounding > 0.0) {
            return self.range;
        }
        // An end at 0 would leave no side to a value of the other sign; the outermost value is the last candidate.
        let ends = |outermost: f64| -> Vec<(f64, f64)> {
            let end = |i: usize| outermost * i as f64 / CANDIDATES as f64;
            let beyond = |v: f64, end: f64| if outermost < 0.0 { v < end } else { v > end };
            let clipped = |end: f64| -> f64 {
                seen.iter().filter(|(v, _)| beyond(*v, end)).map(|(v, n)| n * (f(end) - f(*v)) * (f(end) - f(*v))).sum()
            };
            (1..=CANDIDATES).map(end).map(|end| (end, clipped(end))).collect()
        };
        let (low, high) = (ends(min.min(0.0)), ends(max.max(0.0)));
        let mut best = (f64::INFINITY, self.range);
        for (lo, below) in &low {
            for (hi, above) in &high {
                let scale = (hi - lo) / 255.0;
                let loss = below + above + rounding * scale * scale;
                if loss < best.0 {
                    best = (loss, Range { min: *lo as f32, max: *hi as f32 });
                }
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bell of standard deviation 1 with one value in a million at 40.
    fn bell_with_outlier() -> Histogram {
        let mut histogram = Histogram::new(Range { min: -4.0, max: 40.0 });
        for i in -400..=400 {
            let x = i as f32 / 100.0;
            histogram.add(&[x], f64::from((-x * x / 2.0).exp()));
        }
        histogram.add(&[40.0], 250.0 * 1e-6);
        histogram
    }

    #[test]
    fn a_rare_outlier_is_clipped_and_the_bulk_is_not() {
        let range = bell_with_outlier().least_error(None);
        assert!(range.max < 20.0 && range.max > 3.0, "{range:?}");
        assert!(range.min < -3.0 && range.min >= -4.0, "{range:?}");
        // A thousand times as many: clipping costs more than coarse rounding.
        let mut often = bell_with_outlier();
        often.add(&[40.0], 250.0 * 1e-2);
        assert_eq!(often.least_error(None).max, 40.0);
    }

    #[test]
    fn what_the_activation_hides_is_clipped() {
        let mut histogram = Histogram::new(Range { min: -30.0, max: 10.0 });
        (-300..=100).for_each(|i| histogram.add(&[i as f32 / 10.0], 1.0));
        let (plain, behind) = (histogram.least_error(None), histogram.least_error(Some(|x| x.max(0.0))));
        assert!(plain.min < -25.0, "{plain:?}");
        assert!(behind.min > -1.0 && behind.max > 9.0, "{behind:?}");
    }

    #[test]
    fn a_constant_keeps_its_range() {
        for value in [0.0, 2.5] {
            let range = Range { min: value, max: value };
            let mut histogram = Histogram::new(range);
            histogram.add(&[value; 3], 1.0);
            assert_eq!(histogram.least_error(None), range);
        }
    }
}
