//! The kernels that this backend has.

use super::instructions::Armv7m;
use super::linear::add_rows;
use crate::cores::{Cores, Part};
use crate::kernels::backend::{Backend, Portable};
use crate::kernels::conv::{self, Conv};
use crate::kernels::depthwise::{self, Depthwise};
use crate::kernels::epilogue::Output;
use crate::kernels::gate::Gate;
use crate::kernels::linear::Linear;
#[cfg(feature = "winograd")]
use crate::kernels::shared::winograd;
use crate::kernels::shared::{gate, ring, rows, tiles};
use core::cell::Cell;

impl Backend for Armv7m {
    #[inline(never)]
    fn conv(cores: Cores, conv: &Conv, out: Output, scratch: &mut [i8]) {
        #[cfg(feature = "winograd")]
        let mut out = out;
        #[cfg(feature = "winograd")]
        if conv.winograd.is_some_and(|cut| winograd::conv::<Armv7m>(cores, conv, &cut, &mut out, scratch)) {
            return;
        }
        conv::share(cores, conv, out, scratch, |part, mut out, scratch| {
            if !tiles::conv::<Armv7m>(conv, part, &mut out, scratch) {
                conv::portable(conv, part, out, scratch);
            }
        });
    }

    #[inline(never)]
    fn depthwise(cores: Cores, conv: &Depthwise, out: &[Cell<i8>], scratch: &mut [i8]) {
        // Slices that do not fit the shapes, which callers have checked, would leave the output as it is.
        depthwise::share(cores, conv, scratch, |part, scratch| {
            ring::depthwise::<Armv7m>(conv, part, out, scratch);
        });
    }

    fn linear(linear: &Linear, part: Part, mut out: Output) {
        if !rows::linear::<Armv7m, 4>(linear, part, &mut out, add_rows) {
            Portable::linear(linear, part, out);
        }
    }

    fn gate(gate: &Gate, out: &[Cell<i8>]) {
        gate::gate::<Armv7m>(gate, out);
    }
}
