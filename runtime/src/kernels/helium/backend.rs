//! The kernels that this backend has.

use super::instructions::Helium;
use super::{depthwise, gate};
use crate::kernels::backend::{Backend, Portable};
use crate::kernels::conv::Conv;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::epilogue::Output;
use crate::kernels::gate::Gate;
use crate::kernels::linear::Linear;
use crate::kernels::shared::bytes;

impl Backend for Helium {
    #[inline(never)]
    fn conv(conv: &Conv, mut out: Output, scratch: &mut [i8]) {
        if !bytes::conv::<Helium>(conv, &mut out, scratch) {
            Portable::conv(conv, out, scratch);
        }
    }

    #[inline(never)]
    fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
        if !depthwise::depthwise(conv, out, scratch) {
            Portable::depthwise(conv, out, scratch);
        }
    }

    fn linear(linear: &Linear, mut out: Output) {
        if !bytes::linear::<Helium>(linear, &mut out) {
            Portable::linear(linear, out);
        }
    }

    fn gate(gate: &Gate, out: &mut [i8]) {
        if !gate::gate(gate, out) {
            Portable::gate(gate, out);
        }
    }
}
