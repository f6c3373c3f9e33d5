//! The kernels that this backend has.

use super::instructions::Armv6m;
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

impl Backend for Armv6m {
    #[inline(never)]
    fn conv(conv: &Conv, mut out: Output, scratch: &mut [i8]) {
        #[cfg(feature = "winograd")]
        if conv.winograd.is_some_and(|cut| winograd::conv::<Armv6m>(conv, &cut, &mut out, scratch)) {
            return;
        }
        if !tiles::conv::<Armv6m>(conv, &mut out, scratch) {
            Portable::conv(conv, out, scratch);
        }
    }

    #[inline(never)]
    fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
        // Slices that do not fit the shapes, which callers have checked, would leave the output as it is.
        ring::depthwise::<Armv6m>(conv, out, scratch);
    }

    fn linear(linear: &Linear, mut out: Output) {
        if !rows::linear::<Armv6m, 2>(linear, &mut out, add_rows) {
            Portable::linear(linear, out);
        }
    }

    fn gate(gate: &Gate, out: &mut [i8]) {
        gate::gate::<Armv6m>(gate, out);
    }
}
