//! The kernels that this backend has.

use super::instructions::Dsp;
use super::{add, linear};
use crate::kernels::arguments::{Add, Conv, Depthwise, Linear};
use crate::kernels::backend::Backend;
use crate::kernels::epilogue::Output;
use crate::kernels::portable;
use crate::kernels::shared::{ring, tiles};

impl Backend for Dsp {
    #[inline(never)]
    fn conv(conv: &Conv, mut out: Output, scratch: &mut [i8]) {
        if !tiles::conv::<Dsp>(conv, &mut out, scratch) {
            portable::conv(conv, out, scratch);
        }
    }

    #[inline(never)]
    fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
        if !ring::depthwise::<Dsp>(conv, out, scratch) {
            portable::depthwise(conv, out, scratch);
        }
    }

    fn linear(linear: &Linear, out: Output) {
        linear::linear(linear, out);
    }

    fn add(add: &Add, out: &mut [i8]) {
        if !add::add(add, out) {
            portable::add(add, out);
        }
    }
}
