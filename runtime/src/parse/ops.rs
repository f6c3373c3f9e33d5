//! Checks the list of ops in one pass.

use super::error::ParseError;
use super::limits::{MAX_MACS, MAX_OPS};
use super::written::Written;
use crate::format::{items, Header, Reader};
use crate::ops::checker::Checker;
use crate::ops::{is_known, Op, OpFault};
use core::ops::Range;

/// Checks every op, that it reads only what was written, and that the last ones leave the network's output.
pub(super) fn check_ops(header: &Header, checker: &mut Checker) -> Result<(), ParseError> {
    if header.op_count > MAX_OPS {
        return Err(ParseError::TooManyOps { found: header.op_count });
    }
    let mut ops = items::<Op>(header.ops);
    let mut written = Written::nothing();
    let mut macs = 0u64;
    let columns = checker.columns;
    let mut prelude = 0;
    for index in 0..header.op_count {
        let fail = |fault| ParseError::Op { op: index, fault };
        let Some(op) = ops.next() else {
            let known = is_known(Reader::new(ops.rest()).value());
            return Err(fail(if known { OpFault::Encoding } else { OpFault::Unknown }));
        };
        if let Some(count) = op.prelude() {
            if index > 0 || count == 0 || count > header.op_count {
                return Err(fail(OpFault::Prelude));
            }
            prelude = count;
        }
        // What is computed once has no biases of a step.
        checker.columns = if index < prelude { 0 } else { columns };
        if index == prelude {
            written.write(&header.input).map_err(ParseError::Input)?;
        }
        check_op(&op, checker, &mut written).map_err(fail)?;
        macs = macs.saturating_add(op.macs());
        if macs > MAX_MACS {
            return Err(ParseError::TooManyMacs { op: index });
        }
    }
    if !ops.rest().is_empty() {
        return Err(ParseError::Op { op: header.op_count, fault: OpFault::Encoding });
    }
    if !written.holds(&header.output) {
        return Err(ParseError::Output(OpFault::Unwritten));
    }
    if prelude > 0 {
        check_prelude(header, prelude)?;
    }
    Ok(())
}

/// Checks of ops that are in order themselves that the results of the first `prelude` ones last: the others, which run again
/// and again, read none that they overwrite.
// Once a model at most.
#[inline(never)]
fn check_prelude(header: &Header, prelude: u16) -> Result<(), ParseError> {
    let mut written = Written::nothing();
    let all = || (0..header.op_count).zip(items::<Op>(header.ops));
    let trace = |written: &mut Written, (index, op): (u16, Op)| {
        trace(&op, written).map_err(|fault| ParseError::Op { op: index, fault })
    };
    all().take(prelude.into()).try_for_each(|op| trace(&mut written, op))?;
    for (_, op) in all().skip(prelude.into()) {
        written.overwrite(scratch(&op));
        written.overwrite(op.output().range());
    }
    written.write(&header.input).map_err(ParseError::Input)?;
    all().skip(prelude.into()).try_for_each(|op| trace(&mut written, op))
}

/// Where an op's scratch lies.
fn scratch(op: &Op) -> Range<usize> {
    let (start, len) = op.scratch().unwrap_or((0, 0));
    start as usize..start as usize + len
}

/// Follows what an op reads and writes.
fn trace(op: &Op, written: &mut Written) -> Result<(), OpFault> {
    if !op.inputs().all(|tensor| written.holds(tensor)) {
        return Err(OpFault::Unwritten);
    }
    written.overwrite(scratch(op));
    written.write(op.output())
}

fn check_op(op: &Op, checker: &mut Checker, written: &mut Written) -> Result<(), OpFault> {
    checker.tensor(op.output())?;
    for input in op.inputs() {
        checker.tensor(input)?;
    }
    let op = op.operation();
    op.check(checker)?;
    let operands = op.operands();
    let output = op.output();
    let (scratch, scratch_len) = op.scratch();
    checker.buffer(scratch, scratch_len as u64)?;
    let scratch = scratch as usize..scratch as usize + scratch_len;
    // Outputs, inputs and scratch are apart, but for the pairs that may be one buffer.
    let out = output.range();
    if overlap(&scratch, &out) {
        return Err(OpFault::Overlap);
    }
    for (place, tensor) in operands.iter().enumerate() {
        let Some(tensor) = tensor else { continue };
        let range = tensor.range();
        let in_place = range == out && op.may_work_in_place(place);
        if !in_place && overlap(&range, &out) || overlap(&range, &scratch) {
            return Err(OpFault::Overlap);
        }
        for other in operands.iter().skip(place + 1).flatten().map(|tensor| tensor.range()) {
            if other != range && overlap(&other, &range) {
                return Err(OpFault::Overlap);
            }
        }
        if !written.holds(tensor) {
            return Err(OpFault::Unwritten);
        }
    }
    written.overwrite(scratch);
    written.write(output)
}

/// Whether two ranges share a byte.
fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start.max(b.start) < a.end.min(b.end)
}
