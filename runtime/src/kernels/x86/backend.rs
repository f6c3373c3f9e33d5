//! The kernels that this backend has.

use super::instructions::X86;
use super::{lanes, tile};
use crate::kernels::add::Add;
use crate::kernels::backend::{Backend, Portable};
use crate::kernels::conv::Conv;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::epilogue::Output;
use crate::kernels::gate::Gate;
use crate::kernels::linear::Linear;
use crate::kernels::lut::Lut;
use crate::kernels::shared::{bytes, ring};
use std::is_x86_feature_detected;

impl Backend for X86 {
    fn conv(conv: &Conv, mut out: Output, scratch: &mut [i8]) {
        let done = tile::conv(conv, &mut out)
            || is_x86_feature_detected!("avx2") && bytes::conv::<X86>(conv, &mut out, scratch);
        if !done {
            Portable::conv(conv, out, scratch);
        }
    }

    fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
        if !is_x86_feature_detected!("avx2") || !ring::depthwise::<X86>(conv, out, scratch) {
            Portable::depthwise(conv, out, scratch);
        }
    }

    fn linear(linear: &Linear, mut out: Output) {
        if !is_x86_feature_detected!("avx2") || !bytes::linear::<X86>(linear, &mut out) {
            Portable::linear(linear, out);
        }
    }

    fn add(add: &Add, out: &mut [i8]) {
        if tile::is_supported() {
            // SAFETY: the processor has the instructions.
            unsafe { lanes::add(add, out) }
        } else {
            Portable::add(add, out);
        }
    }

    fn lut(lut: &Lut, out: &mut [i8]) {
        if tile::is_supported() {
            // SAFETY: the processor has the instructions.
            unsafe { lanes::lut(lut, out) }
        } else {
            Portable::lut(lut, out);
        }
    }

    fn gate(gate: &Gate, out: &mut [i8]) {
        if tile::is_supported() {
            // SAFETY: the processor has the instructions.
            unsafe { lanes::gate(gate, out) }
        } else {
            Portable::gate(gate, out);
        }
    }
}
