//! The kernels that this backend has.

use super::instructions::Helium;
use super::{depthwise as eight, gate};
use crate::cores::{Cores, Part};
use crate::kernels::backend::{Backend, Portable};
use crate::kernels::conv::{self, Conv};
use crate::kernels::depthwise::{self, Depthwise};
use crate::kernels::epilogue::Output;
use crate::kernels::gate::Gate;
use crate::kernels::linear::Linear;
use crate::kernels::shared::bytes;
use core::cell::Cell;

impl Backend for Helium {
    #[inline(never)]
    fn conv(cores: Cores, conv: &Conv, out: Output, scratch: &mut [i8]) {
        conv::share(cores, conv, out, scratch, |part, mut out, scratch| {
            if !bytes::conv::<Helium>(conv, part, &mut out, scratch) {
                conv::portable(conv, part, out, scratch);
            }
        });
    }

    #[inline(never)]
    fn depthwise(cores: Cores, conv: &Depthwise, out: &[Cell<i8>], scratch: &mut [i8]) {
        depthwise::share(cores, conv, scratch, |part, scratch| {
            if !eight::depthwise(conv, part, out, scratch) {
                depthwise::portable(conv, part, out, scratch);
            }
        });
    }

    fn linear(linear: &Linear, part: Part, mut out: Output) {
        if !bytes::linear::<Helium>(linear, part, &mut out) {
            Portable::linear(linear, part, out);
        }
    }

    fn gate(gate: &Gate, out: &[Cell<i8>]) {
        if !gate::gate(gate, out) {
            Portable::gate(gate, out);
        }
    }
}
