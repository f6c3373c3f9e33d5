//! How networks of every kind take an image apart and put it together.
use crate::graph::{Builder, NodeId};
use crate::ops::{Concat, DepthToSpace, Positions};
use crate::Result;

/// `x` with channels that say where each position is: `pairs` sines and cosines an axis, none where that is 0.
///
/// # Errors
/// A single position.
pub fn placed(g: &mut Builder, pairs: usize, x: NodeId) -> Result<NodeId> {
    if pairs == 0 {
        return Ok(x);
    }
    let positions = g.node("positions", Positions { pairs }, &[x])?;
    g.node("placed", Concat, &[x, positions])
}

/// Patches become pixels again.
///
/// # Errors
/// Channels that are no whole patches.
pub fn unpatched(g: &mut Builder, block: [usize; 2], crop: [usize; 2], x: NodeId) -> Result<NodeId> {
    g.node("unpatchify", DepthToSpace { block, crop }, &[x])
}
