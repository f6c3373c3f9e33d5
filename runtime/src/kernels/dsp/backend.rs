//! The kernels that this backend has.

use super::instructions::Dsp;
use super::{add, linear};
use crate::kernels::add::Add;
use crate::kernels::backend::{Backend, Portable};
use crate::kernels::conv::Conv;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::epilogue::Output;
use crate::kernels::gate::Gate;
use crate::kernels::linear::Linear;
#[cfg(feature = "winograd")]
use crate::kernels::shared::winograd;
use crate::kernels::shared::{gate, ring, tiles};

impl Backend for Dsp {
    #[inline(never)]
    fn conv(conv: &Conv, mut out: Output, scratch: &mut [i8]) {
        #[cfg(feature = "winograd")]
        if conv.winograd.is_some_and(|cut| winograd::conv::<Dsp>(conv, &cut, &mut out, scratch)) {
            return;
        }
        if !tiles::conv::<Dsp>(conv, &mut out, scratch) {
            Portable::conv(conv, out, scratch);
        }
    }

    #[inline(never)]
    fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
        // Slices that do not fit the shapes, which callers have checked, would leave the output as it is.
        ring::depthwise::<Dsp>(conv, out, scratch);
    }

    fn linear(linear: &Linear, out: Output) {
        linear::linear(linear, out);
    }

    fn add(add: &Add, out: &mut [i8]) {
        if !add::add(add, out) {
            Portable::add(add, out);
        }
    }

    fn gate(gate: &Gate, out: &mut [i8]) {
        gate::gate::<Dsp>(gate, out);
    }
}
