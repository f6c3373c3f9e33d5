//! Class-prior calibration: draws without a class get the classes' shares in the data.
use super::critic::Critic;
use super::critics;
use crate::chain::{self, Batch, Classes};
use crate::graph::Graph;
use crate::plans::NamedPlan;
use crate::Result;
use brownian::Guidance;

/// Images of each plan a round.
const IMAGES: usize = 2000;
/// Images that are drawn together.
const BATCH: usize = 100;
/// How far the null class moves, in class vectors, for classes that are e times too frequent.
const GAIN: f32 = 0.1;

/// What a round found.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// Mean total variation over the plans, between the classes of 2,000 images, as the critics read them, and those of
    /// the data.
    pub total_variation: f64,
    /// Mean over the plans of ln(p/q) of every class, p its share in the images and q that in the data.
    excess: Vec<f32>,
}

/// Draws images of every plan without a class and counts their classes.
fn measure(graph: &Graph, values: &[f32], plans: &[NamedPlan], critics: &[Critic], seed: u64) -> Result<Round> {
    let network = graph.fold(values, &[])?;
    let expected = critics[0].shares();
    let mut round = Round { total_variation: 0.0, excess: vec![0.0; expected.len()] };
    for plan in plans {
        let mut counts = vec![0.0; expected.len()];
        for first in (0..IMAGES).step_by(BATCH) {
            let batch =
                Batch { seed, first: first as u32, count: BATCH, classes: Classes::None, guidance: Guidance::PLAIN };
            let mut images = chain::float(&network, plan, &batch, |_, _, _| ())?;
            images.iter_mut().for_each(|v| *v = v.clamp(-1.0, 1.0));
            critics::classify(critics, &images, graph.input).into_iter().for_each(|class| counts[class] += 1.0);
        }
        for ((count, expected), excess) in counts.iter().zip(expected).zip(&mut round.excess) {
            let share = count / IMAGES as f64;
            round.total_variation += 0.5 * (share - expected).abs() / plans.len() as f64;
            // A class that the data do not have is let alone.
            if *expected > 0.0 {
                *excess += ((share.max(0.5 / IMAGES as f64) / expected).ln() / plans.len() as f64) as f32;
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
    /// The least total variation so far, and the null class's row that it belongs to.
    pub best: Option<(f64, Vec<f32>)>,
}

impl Calibration {
    /// One round: measures, and moves the null class's row of the class table away from the rows of classes that are
    /// drawn too often and towards those of classes that are drawn too seldom. No other number changes. The first round
    /// measures the row as it was; the `last` one puts the best row back in place of a move.
    ///
    /// # Errors
    /// None for a network made by training.
    pub fn round(
        &mut self,
        graph: &Graph,
        values: &mut [f32],
        plans: &[NamedPlan],
        critics: &[Critic],
        (seed, last): (u64, bool),
    ) -> Result<Round> {
        let round = measure(graph, values, plans, critics, seed)?;
        let spec = &graph.conditioning;
        let (table, columns) = (graph.params.blocks[spec.class_table].range.clone(), spec.columns);
        let (classes, null) = values[table].split_at_mut(spec.row(0, None) * columns);
        if self.best.as_ref().is_none_or(|(least, _)| round.total_variation < *least) {
            self.best = Some((round.total_variation, null.to_vec()));
        }
        self.rounds += 1;
        match &self.best {
            Some((_, row)) if last => null.copy_from_slice(row),
            _ => {
                let mean: f32 = round.excess.iter().sum::<f32>() / round.excess.len() as f32;
                for (class, excess) in classes.chunks_exact(columns).zip(&round.excess) {
                    null.iter_mut().zip(class).for_each(|(null, class)| *null -= GAIN * (excess - mean) * class);
                }
            }
        }
        Ok(round)
    }
}
