//! The kernels that this backend has.

use super::depthwise;
use super::instructions::Helium;
use crate::kernels::arguments::{Conv, Depthwise, Linear};
use crate::kernels::backend::Backend;
use crate::kernels::epilogue::Output;
use crate::kernels::portable;
use crate::kernels::shared::bytes;

impl Backend for Helium {
    #[inline(never)]
    fn conv(conv: &Conv, mut out: Output, scratch: &mut [i8]) {
        if !bytes::conv::<Helium>(conv, &mut out, scratch) {
            portable::conv(conv, out, scratch);
        }
    }

    #[inline(never)]
    fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
        if !depthwise::depthwise(conv, out, scratch) {
            portable::depthwise(conv, out, scratch);
        }
    }

    fn linear(linear: &Linear, mut out: Output) {
        if !bytes::linear::<Helium>(linear, &mut out) {
            portable::linear(linear, out);
        }
    }
}
