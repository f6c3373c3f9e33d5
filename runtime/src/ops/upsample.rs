//! Nearest-neighbour enlargement.

use super::buffers::Buffers;
use super::checker::{moved, Checker};
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::operation::Operation;
use super::pixel_blocks::copy;
use crate::format::{record, Tensor};
#[cfg(feature = "long")]
use crate::long::Reach;
#[cfg(feature = "host")]
use std::{string::String, vec, vec::Vec};

record! {
    /// Nearest-neighbour enlargement: every row and every column is repeated.
    #[derive(Eq)]
    pub struct Upsample {
        /// Input.
        pub input: Tensor,
        /// Result.
        pub output: Tensor,
        /// How often rows and columns are repeated.
        pub block: [u8; 2],
    }
}

impl Operation for Upsample {
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn operands(&self) -> [Option<&Tensor>; 3] {
        [Some(&self.input), None, None]
    }

    #[cfg(feature = "long")]
    fn reach(&self, [input, ..]: [Option<Reach>; 3]) -> Option<Reach> {
        input?.enlarged(self.block[1].into())
    }

    fn check(&self, _: &mut Checker) -> Result<(), OpFault> {
        let [h, w, c] = self.input.shape.map(u32::from);
        let [rows, columns] = self.block.map(u32::from);
        moved(&self.input, &self.output, [h * rows, w * columns, c])
    }

    fn run(&self, _: &Evaluation, buffers: Buffers) -> Option<()> {
        let Buffers { out, operands: [input, ..], .. } = buffers;
        let input = input?;
        let width = self.input.shape[1] as usize;
        let [out_height, out_width, _] = self.output.shape.map(usize::from);
        let pixel = self.input.shape[2] as usize * self.input.element.size();
        let [rows, columns] = self.block.map(usize::from);
        let mut to = 0;
        for y in 0..out_height {
            for x in 0..out_width {
                let from = (y.checked_div(rows)? * width + x.checked_div(columns)?) * pixel;
                copy((input, from), (out, to), pixel)?;
                to += pixel;
            }
        }
        Some(())
    }

    #[cfg(feature = "host")]
    fn tensors_mut(&mut self) -> Vec<&mut Tensor> {
        vec![&mut self.input, &mut self.output]
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        "upsample".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::list::Op;
    use crate::ops::testing::{arena, at, elements, places, run, tensor};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn upsample_repeats_pixels(
            h in 1u16..6, w in 1u16..6, c in 1u16..6, m in 1u8..4, n in 1u8..4, element in elements(),
        ) {
            let input = tensor(0, [h, w, c], element);
            let output = tensor(input.len().next_multiple_of(4), [h * m as u16, w * n as u16, c], element);
            let mut arena = arena(output.range().end);
            run(Op::Upsample(Upsample { input, output, block: [m, n] }), &mut arena);
            for (y, x, k) in places(output.shape) {
                prop_assert_eq!(at(&arena, &output, y, x, k), at(&arena, &input, y / m as usize, x / n as usize, k));
            }
        }
    }
}
