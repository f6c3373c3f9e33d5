//! Concatenation along the channels.

use super::buffers::Buffers;
use super::checker::{all_i8, Checker};
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::operation::Operation;
use super::pixel_blocks::copy;
use crate::format::{record, Tensor};
#[cfg(feature = "host")]
use std::{string::String, vec, vec::Vec};

record! {
    /// Channels of `a`, then those of `b`, with the same scale and zero point.
    #[derive(Eq)]
    pub struct Concat {
        /// First input.
        pub a: Tensor,
        /// Second input.
        pub b: Tensor,
        /// Result.
        pub output: Tensor,
    }
}

impl Operation for Concat {
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn operands(&self) -> [Option<&Tensor>; 3] {
        [Some(&self.a), Some(&self.b), None]
    }

    fn check(&self, _: &mut Checker) -> Result<(), OpFault> {
        all_i8(&[&self.a, &self.b, &self.output])?;
        let [[h, w, ca], [hb, wb, cb], [ho, wo, co]] = [self.a.shape, self.b.shape, self.output.shape];
        let fits = [hb, wb] == [h, w] && [ho, wo] == [h, w] && ca as u32 + cb as u32 == co as u32;
        if fits && self.a.zero_point == self.b.zero_point {
            Ok(())
        } else {
            Err(OpFault::Shape)
        }
    }

    fn run(&self, _: &Evaluation, buffers: Buffers) -> Option<()> {
        let Buffers { out, operands: [a, b, _], .. } = buffers;
        let channels = [self.a, self.b].map(|tensor| tensor.shape[2] as usize);
        let mut start = 0;
        for (input, channels_in) in [a?, b?].into_iter().zip(channels) {
            let (mut from, mut to) = (0, start);
            while from < input.len() {
                copy((input, from), (out, to), channels_in)?;
                from += channels_in;
                to += channels[0] + channels[1];
            }
            start += channels_in;
        }
        Some(())
    }

    #[cfg(feature = "host")]
    fn tensors_mut(&mut self) -> Vec<&mut Tensor> {
        vec![&mut self.a, &mut self.b, &mut self.output]
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        "concat".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Element;
    use crate::ops::list::Op;
    use crate::ops::testing::{arena, at, places, run, tensor};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn concat_joins_channels(h in 1u16..6, w in 1u16..6, ca in 1u16..6, cb in 1u16..6) {
            let a = tensor(0, [h, w, ca], Element::I8);
            let b = tensor(a.len().next_multiple_of(4), [h, w, cb], Element::I8);
            let output = tensor(b.range().end.next_multiple_of(4), [h, w, ca + cb], Element::I8);
            let mut arena = arena(output.range().end);
            run(Op::Concat(Concat { a, b, output }), &mut arena);
            for (y, x, k) in places(output.shape) {
                let (from, k_in) = if k < ca as usize { (&a, k) } else { (&b, k - ca as usize) };
                prop_assert_eq!(at(&arena, &output, y, x, k), at(&arena, from, y, x, k_in));
            }
        }
    }
}
