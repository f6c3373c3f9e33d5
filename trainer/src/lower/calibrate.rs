//! Ranges of activations over the trajectories that the plans really take.

use super::{NamedPlan, Range};
use crate::chain::{self, Batch, Classes};
use crate::network::Network;
use crate::Result;
use brownian::Guidance;

/// Evaluations of the network that calibration spends on one plan.
const EVALUATIONS: usize = 6000;

/// Runs every plan with the float network on a few images of every class, under plain and stronger
/// guidance and without a class, and returns each layer's range.
///
/// # Errors
/// What the float chain refuses.
pub fn calibrate(network: &Network, plans: &[NamedPlan], seed: u64) -> Result<Vec<Range>> {
    let mut ranges = vec![Range::EMPTY; network.layers.len()];
    for plan in plans {
        let count = (EVALUATIONS / plan.steps.len().max(1)).clamp(8, 96);
        for (classes, guidance_scale) in [(Classes::Cycle, 256), (Classes::Cycle, 384), (Classes::None, 256)] {
            let count = count.div_ceil(3);
            let batch = Batch { seed, first: 0, count, classes, guidance_scale, guidance: Guidance::Bias };
            chain::float(network, plan, &batch, |_, layer, values| ranges[layer].extend(values))?;
        }
    }
    Ok(ranges)
}
