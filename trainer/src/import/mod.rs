//! Networks that were trained elsewhere, as runs: one file a format. A run goes out the same way,
//! by [`safetensors::encode`].
//!
//! Whatever the format, an imported run is a packed one ([`Checkpoint::packed`]): it has weights and statistics, but
//! neither Adam's moments nor losses. It is exported, sampled, evaluated, fine-tuned and trained from like any other.
pub mod onnx;
pub mod safetensors;
mod values;

use crate::graph::{Graph, Layout};
use crate::lower;
use crate::process::Learning;
use crate::run::{check_step, Checkpoint, Config};
use crate::{Error, Result};

/// The run of a configuration with these weights, at `step`. `params` and `stats` follow the layouts of
/// [`Config::graph`].
///
/// # Errors
/// A configuration that makes no sense, a step that no run has, a network that no model file holds, vectors of another
/// length, a statistic that is no variance, or a learned process that is none.
pub fn run(mut config: Config, params: Vec<f32>, stats: Vec<f32>, step: u64) -> Result<Checkpoint> {
    config.check()?;
    check_step(step)?;
    let graph = config.graph()?;
    lower::check(&graph)?;
    for (what, layout, values) in [("parameters", &graph.params, &params), ("statistics", &graph.stats, &stats)] {
        if layout.len() != values.len() {
            let (needed, given) = (layout.len(), values.len());
            return Err(Error::Invalid(format!("the network has {needed} {what}, but {given} were given")));
        }
    }
    check_variances(&graph, &stats)?;
    // What a learned process has become lies in the parameters.
    if let Some(beta_first) = config.schedule.learned() {
        let learning = Learning::of(&graph.params, &params, beta_first);
        learning.iter().try_for_each(Learning::check)?;
        config.learned = learning.map(|learning| learning.tables());
        config.check()?;
    }
    Ok(Checkpoint {
        config,
        ema: params.clone(),
        params,
        stats,
        packed_at: Some(step),
        adam_first: vec![],
        adam_second: vec![],
        losses: vec![],
        validation: vec![],
        locals: vec![],
        seconds: 0.0,
        unfinished: None,
    })
}

/// Checks that variances are none below zero.
fn check_variances(graph: &Graph, stats: &[f32]) -> Result<()> {
    let layout: &Layout = &graph.stats;
    for block in layout.blocks.iter().filter(|block| block.name.ends_with(".variance")) {
        if let Some(i) = stats[block.range.clone()].iter().position(|value| *value < 0.0) {
            let value = stats[block.range.start + i];
            return Err(Error::Invalid(format!(
                "the tensor {} holds {value} at {i}; variances are 0 or more",
                block.name
            )));
        }
    }
    Ok(())
}
