//! A training that starts from another run's weights.
use super::trainer::Trainer;
use crate::graph::{Block, Layout};
use crate::run::Checkpoint;
use crate::{Error, Result};

/// The table of the classes, which another run may have others of.
const CLASSES: &str = "conditioning.classes";

impl Trainer {
    /// Takes the averaged weights and statistics of `run` as those to start from. Its class tables come along where both
    /// runs have the same classes. Returns whether they did.
    ///
    /// # Errors
    /// Networks of other layers, with the first one that differs.
    pub fn start_from(&mut self, run: &Checkpoint) -> Result<bool> {
        let graph = run.config.graph()?;
        let same_classes = run.config.axes == self.config().axes;
        let (mut params, mut stats) = self.weights();
        copy(&self.graph().params, &mut params, (&graph.params, &run.ema), !same_classes)?;
        copy(&self.graph().stats, &mut stats, (&graph.stats, &run.stats), false)?;
        self.set_weights(params, stats);
        Ok(same_classes)
    }
}

/// Fills blocks from those of the same name.
fn copy(layout: &Layout, values: &mut [f32], (other, from): (&Layout, &[f32]), new_classes: bool) -> Result<()> {
    for block in layout.blocks.iter().filter(|block| !(new_classes && block.name == CLASSES)) {
        let called = |name: &str| other.blocks.iter().find(|other| other.name == name);
        // A folded norm leaves a bias that has the name of its shift.
        let shift = || called(&format!("{}beta", block.name.strip_suffix("bias")?));
        let found = called(&block.name).or_else(shift);
        let same = found.filter(|found| found.shape == block.shape);
        let Some(same) = same else {
            let shape = found.map_or("missing".into(), |found: &Block| format!("{:?}", found.shape));
            return Err(Error::Invalid(format!(
                "its network is another: {} is {shape} there and {:?} here",
                block.name, block.shape
            )));
        };
        values[block.range.clone()].copy_from_slice(&from[same.range.clone()]);
    }
    Ok(())
}
