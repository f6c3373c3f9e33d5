//! The kernels that this backend has.

use super::instructions::X86;
use super::{lanes, tile};
use crate::cores::{Cores, Part};
use crate::kernels::add::Add;
use crate::kernels::backend::{Backend, Portable};
use crate::kernels::conv::{self, Conv};
use crate::kernels::depthwise::{self, Depthwise};
use crate::kernels::epilogue::Output;
use crate::kernels::gate::Gate;
use crate::kernels::linear::Linear;
use crate::kernels::lut::Lut;
use crate::kernels::shared::{bytes, ring};
use core::cell::Cell;
use std::is_x86_feature_detected;

impl Backend for X86 {
    fn conv(cores: Cores, conv: &Conv, out: Output, scratch: &mut [i8]) {
        conv::share(cores, conv, out, scratch, |part, mut out, scratch| {
            let done = tile::conv(conv, part, &mut out)
                || is_x86_feature_detected!("avx2") && bytes::conv::<X86>(conv, part, &mut out, scratch);
            if !done {
                conv::portable(conv, part, out, scratch);
            }
        });
    }

    fn depthwise(cores: Cores, conv: &Depthwise, out: &[Cell<i8>], scratch: &mut [i8]) {
        depthwise::share(cores, conv, scratch, |part, scratch| {
            if !is_x86_feature_detected!("avx2") || !ring::depthwise::<X86>(conv, part, out, scratch) {
                depthwise::portable(conv, part, out, scratch);
            }
        });
    }

    fn linear(linear: &Linear, part: Part, mut out: Output) {
        if !is_x86_feature_detected!("avx2") || !bytes::linear::<X86>(linear, part, &mut out) {
            Portable::linear(linear, part, out);
        }
    }

    fn add(add: &Add, out: &[Cell<i8>]) {
        if tile::is_supported() {
            // SAFETY: the processor has the instructions.
            unsafe { lanes::add(add, out) }
        } else {
            Portable::add(add, out);
        }
    }

    fn lut(lut: &Lut, out: &[Cell<i8>]) {
        if tile::is_supported() {
            // SAFETY: the processor has the instructions.
            unsafe { lanes::lut(lut, out) }
        } else {
            Portable::lut(lut, out);
        }
    }

    fn gate(gate: &Gate, out: &[Cell<i8>]) {
        if tile::is_supported() {
            // SAFETY: the processor has the instructions.
            unsafe { lanes::gate(gate, out) }
        } else {
            Portable::gate(gate, out);
        }
    }
}
