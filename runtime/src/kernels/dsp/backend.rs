//! The kernels that this backend has.

use super::instructions::Dsp;
use super::{add, linear};
use crate::cores::{Cores, Part};
use crate::kernels::add::Add;
use crate::kernels::backend::{Backend, Portable};
use crate::kernels::conv::{self, Conv};
use crate::kernels::depthwise::{self, Depthwise};
use crate::kernels::epilogue::Output;
use crate::kernels::gate::Gate;
use crate::kernels::linear::Linear;
#[cfg(feature = "winograd")]
use crate::kernels::shared::winograd;
use crate::kernels::shared::{gate, ring, tiles};
use core::cell::Cell;

impl Backend for Dsp {
    #[inline(never)]
    fn conv(cores: Cores, conv: &Conv, out: Output, scratch: &mut [i8]) {
        #[cfg(feature = "winograd")]
        let mut out = out;
        #[cfg(feature = "winograd")]
        if conv.winograd.is_some_and(|cut| winograd::conv::<Dsp>(cores, conv, &cut, &mut out, scratch)) {
            return;
        }
        conv::share(cores, conv, out, scratch, |part, mut out, scratch| {
            if !tiles::conv::<Dsp>(conv, part, &mut out, scratch) {
                conv::portable(conv, part, out, scratch);
            }
        });
    }

    #[inline(never)]
    fn depthwise(cores: Cores, conv: &Depthwise, out: &[Cell<i8>], scratch: &mut [i8]) {
        // Slices that do not fit the shapes, which callers have checked, would leave the output as it is.
        depthwise::share(cores, conv, scratch, |part, scratch| {
            ring::depthwise::<Dsp>(conv, part, out, scratch);
        });
    }

    fn linear(linear: &Linear, part: Part, out: Output) {
        linear::linear(linear, part, out);
    }

    fn add(add: &Add, out: &[Cell<i8>]) {
        if !add::add(add, out) {
            Portable::add(add, out);
        }
    }

    fn gate(gate: &Gate, out: &[Cell<i8>]) {
        gate::gate::<Dsp>(gate, out);
    }
}
