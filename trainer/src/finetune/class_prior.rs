//! Class-prior calibration: draws without a class get the classes' shares in the data.
use super::critic::Critic;
use super::critics;
use crate::autograd::cross_entropy::parts;
use crate::chain::{self, Batch, Classes};
use crate::graph::Graph;
use crate::plans::NamedPlan;
use crate::Result;
use brownian::Guidance;

/// Images that are drawn together.
const BATCH: usize = 100;
/// How far the null class moves, in class vectors, for classes that are e times too frequent.
const GAIN: f32 = 0.1;

/// What a round found.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// Mean total variation over the plans and the axes of the labels, between the classes of the drawn images, as the
    /// critics read them, and those of the data.
    pub total_variation: f64,
    /// Mean over the plans of ln(p/q) of every class, axis after axis, p its share in the images and q that in the data.
    excess: Vec<f32>,
}

/// Draws images of every plan without a class and counts their classes.
fn measure(
    graph: &Graph,
    values: &[f32],
    plans: &[NamedPlan],
    critics: &[Critic],
    (images, seed): (usize, u64),
) -> Result<Round> {
    let network = graph.fold(values, &[])?;
    let (heads, expected) = (critics[0].heads(), critics[0].shares());
    let mut round = Round { total_variation: 0.0, excess: vec![0.0; expected.len()] };
    for plan in plans {
        let mut counts = vec![0.0; expected.len()];
        for first in (0..images).step_by(BATCH) {
            let count = BATCH.min(images - first);
            let batch = Batch { seed, first: first as u32, count, classes: Classes::None, guidance: Guidance::PLAIN };
            let mut images = chain::float(&network, plan, &batch, |_, _, _| ())?;
            images.iter_mut().for_each(|v| *v = v.clamp(-1.0, 1.0));
            for classes in critics::classify(critics, &images, graph.input) {
                parts(heads).zip(classes).for_each(|(head, class)| counts[head.start + class] += 1.0);
            }
        }
        for ((count, expected), excess) in counts.iter().zip(expected).zip(&mut round.excess) {
            let share = count / images as f64;
            round.total_variation += 0.5 * (share - expected).abs() / (plans.len() * heads.len()) as f64;
            // A class that the data do not have is let alone.
            if *expected > 0.0 {
                *excess += ((share.max(0.5 / images as f64) / expected).ln() / plans.len() as f64) as f32;
            }
        }
    }
    Ok(round)
}

/// A calibration in progress.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibration {
    /// Rounds done.
    pub rounds: usize,
    /// The least total variation so far, and the null classes' rows that it belongs to, one an axis.
    pub best: Option<(f64, Vec<f32>)>,
}

impl Calibration {
    /// One round: measures, and moves the row of each axis' null class away from the rows of classes that are drawn too
    /// often and towards those of classes that are drawn too seldom. No other number changes. The first round measures
    /// the rows as they were; the `last` one puts the best ones back in place of a move.
    ///
    /// # Errors
    /// None for a network made by training.
    pub fn round(
        &mut self,
        graph: &Graph,
        values: &mut [f32],
        plans: &[NamedPlan],
        critics: &[Critic],
        (images, seed, last): (usize, u64, bool),
    ) -> Result<Round> {
        let round = measure(graph, values, plans, critics, (images, seed))?;
        let spec = &graph.conditioning;
        let columns = spec.columns;
        let table = &mut values[graph.params.blocks[spec.class_table].range.clone()];
        let row =
            |axis: usize, class: Option<usize>| spec.row(axis, class) * columns..(spec.row(axis, class) + 1) * columns;
        if self.best.as_ref().is_none_or(|(least, _)| round.total_variation < *least) {
            let nulls = (0..spec.axes()).flat_map(|axis| &table[row(axis, None)]).copied().collect();
            self.best = Some((round.total_variation, nulls));
        }
        self.rounds += 1;
        match &self.best {
            Some((_, nulls)) if last => {
                for (axis, null) in nulls.chunks_exact(columns).enumerate() {
                    table[row(axis, None)].copy_from_slice(null);
                }
            }
            _ => {
                for (axis, head) in parts(critics[0].heads()).enumerate() {
                    let excess = &round.excess[head];
                    let mean: f32 = excess.iter().sum::<f32>() / excess.len() as f32;
                    for (class, excess) in excess.iter().enumerate() {
                        let class = table[row(axis, Some(class))].to_vec();
                        let moves = class.iter().map(|value| GAIN * (excess - mean) * value);
                        table[row(axis, None)].iter_mut().zip(moves).for_each(|(null, by)| *null -= by);
                    }
                }
            }
        }
        Ok(round)
    }
}
