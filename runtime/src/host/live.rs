//! What is alive in the arena at an op.

use crate::format::Header;
use crate::model::Model;
use crate::ops::Op;
use core::ops::Range;
use std::vec;
use std::vec::Vec;

/// The smallest arena that any placement of a model's buffers could have, in bytes: the largest sum of
/// what is alive at one op. Buffers are told apart by where and when they are written.
pub fn arena_lower_bound(model: &Model) -> u32 {
    let ops: Vec<Op> = model.ops().collect();
    let live = |at: usize| -> usize {
        let ranges = live_ranges(&ops, model.header(), at);
        let scratch = ops[at].scratch().map_or(0, |(_, len)| len.next_multiple_of(4));
        ranges.iter().map(|r| r.len().next_multiple_of(4)).sum::<usize>() + scratch
    };
    (0..ops.len()).map(live).max().unwrap_or(0) as u32
}

/// Where in the arena the values lie that are alive at an op, its result included and its scratch not: those that it or a
/// later op reads before they are written again, and of what is computed once a chain those that the other ops read.
pub fn live_ranges(ops: &[Op], header: &Header, at: usize) -> Vec<Range<usize>> {
    let mut ranges = vec![ops[at].output().range()];
    let written_before =
        |range: &Range<usize>| ops[..at].iter().any(|o| o.output().range() == *range) || header.input.range() == *range;
    for (later, reads) in ops[at..].iter().map(|o| o.inputs().collect::<Vec<_>>()).enumerate() {
        let output = Some(&header.output).filter(|_| at + later + 1 == ops.len());
        for tensor in reads.into_iter().chain(output) {
            let range = tensor.range();
            let rewritten = ops[at..at + later].iter().any(|o| o.output().range() == range);
            if !rewritten && written_before(&range) && !ranges.contains(&range) {
                ranges.push(range);
            }
        }
    }
    let (prelude, body) = ops.split_at(ops[0].prelude().unwrap_or(0).into());
    let is_kept = |range: &Range<usize>| {
        body.iter().any(|op| op.inputs().any(|tensor| tensor.range() == *range))
            && body.iter().all(|op| op.output().range() != *range)
    };
    let kept = prelude.iter().map(|op| op.output().range()).filter(is_kept).filter(|_| at >= prelude.len());
    ranges.extend(kept.filter(|range| !ranges.contains(range)).collect::<Vec<_>>());
    ranges
}
