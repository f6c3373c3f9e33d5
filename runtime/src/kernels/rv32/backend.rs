//! The kernels that this backend has.

use super::instructions::Rv32;
use super::linear::add_rows;
use crate::kernels::backend::{Backend, Portable};
use crate::kernels::conv::Conv;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::epilogue::Output;
use crate::kernels::gate::Gate;
use crate::kernels::linear::Linear;
#[cfg(feature = "winograd")]
use crate::kernels::shared::winograd;
use crate::kernels::shared::{gate, ring, rows, tiles};

impl Backend for Rv32 {
    #[inline(never)]
    fn conv(conv: &Conv, out: Output, scratch: &mut [i8]) {
        #[cfg(feature = "winograd")]
        let mut out = out;
        #[cfg(feature = "winograd")]
        if conv.winograd.is_some_and(|cut| winograd::conv::<Rv32>(conv, &cut, &mut out, scratch)) {
            return;
        }
        direct(conv, out, scratch);
    }

    #[inline(never)]
    fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
        // Slices that do not fit the shapes, which callers have checked, would leave the output as it is.
        ring::depthwise::<Rv32>(conv, out, scratch);
    }

    fn linear(linear: &Linear, mut out: Output) {
        if !rows::linear::<Rv32, 8>(linear, &mut out, add_rows) {
            Portable::linear(linear, out);
        }
    }

    fn gate(gate: &Gate, out: &mut [i8]) {
        gate::gate::<Rv32>(gate, out);
    }
}

/// Without Winograd's algorithm; a function of its own, so that it has the same registers with and without.
#[cfg_attr(feature = "winograd", inline(never))]
fn direct(conv: &Conv, mut out: Output, scratch: &mut [i8]) {
    if !tiles::conv::<Rv32>(conv, &mut out, scratch) {
        Portable::conv(conv, out, scratch);
    }
}
