//! What an op works on, as slices of the arena.

use crate::format::Tensor;
use core::ops::Range;

const NOTHING: Range<usize> = 0..0;

/// Output, scratch and operands of one op, apart.
pub(crate) struct Buffers<'s> {
    /// The output. Where it shares a buffer with an operand it holds that operand.
    pub(crate) out: &'s mut [u8],
    pub(crate) scratch: &'s mut [u8],
    /// The operands at their places; `None` where there is none, or where it lies in `out`.
    pub(crate) operands: [Option<&'s [u8]>; 3],
}

impl<'s> Buffers<'s> {
    /// Divides the arena. An operand that several places name is lent to all of them.
    pub(crate) fn of(
        arena: &'s mut [u8],
        output: &Tensor,
        (scratch, scratch_len): (u32, usize),
        operands: [Option<&Tensor>; 3],
    ) -> Option<Self> {
        let out = output.range();
        let [a, b, c] = operands.map(|operand| operand.map_or(NOTHING, Tensor::range)).map(|range| {
            if range == out {
                NOTHING
            } else {
                range
            }
        });
        // Each range once.
        let second = if b == a { NOTHING } else { b.clone() };
        let third = if c == a || c == b { NOTHING } else { c.clone() };
        // An empty range inside of another would count as overlapping it.
        let scratch = if scratch_len == 0 { NOTHING } else { scratch as usize..scratch as usize + scratch_len };
        let [out, scratch, first, second, third] =
            arena.get_disjoint_mut([out, scratch, a.clone(), second, third]).ok()?;
        let first = &*first;
        let second = if b == a { first } else { &*second };
        let third = match () {
            () if c == a => first,
            () if c == b => second,
            () => &*third,
        };
        let operands = [first, second, third].map(|bytes| if bytes.is_empty() { None } else { Some(bytes) });
        Some(Self { out, scratch, operands })
    }
}

/// Bytes as activations.
pub(crate) fn as_i8(bytes: &[u8]) -> &[i8] {
    bytemuck::try_cast_slice(bytes).unwrap_or(&[])
}

/// Bytes as activations, to be written.
pub(crate) fn as_i8_mut(bytes: &mut [u8]) -> &mut [i8] {
    bytemuck::try_cast_slice_mut(bytes).unwrap_or(&mut [])
}
