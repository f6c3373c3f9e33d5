//! Four-bit weights: rows are unpacked to the scratch, a block of output channels at a time, and the same kernels run on
//! them as on eight-bit ones.

use super::requantization::Requantization;
use crate::format::{Read, Reader};

/// A layer whose weights have four bits, −7..=7: rows as with eight bits, two weights a byte, the first in the low half.
///
/// Its rows are unpacked to the scratch, `block` output channels at a time, and then read as eight-bit ones: larger blocks
/// read the input less often and need more scratch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(serde::Serialize))]
pub struct Packed<T> {
    /// The layer; a convolution has one group.
    pub layer: T,
    /// Output channels unpacked at a time, at least 1.
    pub block: u16,
}

impl<'a, T: Read<'a>> Read<'a> for Packed<T> {
    fn read(from: &mut Reader<'a>) -> Self {
        Self { layer: T::read(from), block: from.value() }
    }
}

/// The part of a requantization for the output channels from `first` on, but for the biases.
pub(super) fn from_channel(r: &Requantization, first: usize) -> Requantization {
    Requantization { multipliers: r.multipliers + 2 * first as u32, ..*r }
}

/// Writes two weights for every byte of `packed`, the low half first.
pub(super) fn unpack(packed: &[u8], weights: &mut [u8]) {
    for (pair, &byte) in weights.as_chunks_mut::<2>().0.iter_mut().zip(packed) {
        *pair = [((byte << 4) as i8 >> 4) as u8, (byte as i8 >> 4) as u8];
    }
}

/// Copies `len` bytes from and to every pixel; each side is its bytes, where to begin, and the distance between pixels.
pub(super) fn copy_strided(from: (&[u8], usize, usize), to: (&mut [u8], usize, usize), len: usize) {
    let (mut source, mut target) = (from.1, to.1);
    while let (Some(values), Some(slots)) = (from.0.get(source..source + len), to.0.get_mut(target..target + len)) {
        slots.iter_mut().zip(values).for_each(|(slot, &value)| *slot = value);
        source += from.2;
        target += to.2;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use crate::cores::Cores;
    use crate::format::{Element, Tensor};
    use crate::ops::evaluation::Evaluation;
    use crate::ops::step_bias::StepBiases;
    use crate::ops::{Conv2d, ConvInput, Linear, Op, Packed, Requantization, Residual, WindowSpec};
    use proptest::prelude::*;
    use std::vec::Vec;

    /// Numbers from a seed.
    fn numbers(seed: u32) -> impl FnMut() -> u32 {
        let mut state = seed | 1;
        move || {
            state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            state >> 9
        }
    }

    /// A blob with biases at 0, multipliers, a lookup table, then the same small weights with eight bits and with four.
    struct Blob {
        bytes: Vec<u8>,
        requantization: Requantization,
        weights: u32,
        packed: u32,
    }

    fn blob(rows: usize, taps: usize, residual: Option<Residual>, next: &mut impl FnMut() -> u32) -> Blob {
        let mut bytes: Vec<u8> = (0..rows).flat_map(|_| ((next() as i32 % 4000) - 2000).to_le_bytes()).collect();
        let multipliers = bytes.len() as u32;
        bytes.extend((0..rows).flat_map(|_| (next() as i16 & 0x7fff).to_le_bytes()));
        let lut = bytes.len() as u32;
        bytes.extend((0..256).map(|_| next() as u8));
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        let weights = bytes.len() as u32;
        let stride = crate::kernels::row_stride(taps);
        let row = |next: &mut dyn FnMut() -> u32| -> Vec<i8> {
            (0..stride).map(|i| if i < taps { (next() % 15) as i8 - 7 } else { 0 }).collect()
        };
        let values: Vec<i8> = (0..rows).flat_map(|_| row(next)).collect();
        bytes.extend(values.iter().map(|&w| w as u8));
        let packed = bytes.len() as u32;
        bytes.extend(values.chunks(2).map(|pair| (pair[0] & 15) as u8 | ((pair[1] & 15) as u8) << 4));
        let step_bias = None;
        let requantization =
            Requantization { bias: 0, multipliers, offset: 77, shift: 2, step_bias, residual, lut: Some(lut) };
        Blob { bytes, requantization, weights, packed }
    }

    /// Both ops, run on arenas with the same contents, leave the same output.
    fn same(blob: &[u8], eight: &Op, four: &Op, scratch: u32, next: &mut impl FnMut() -> u32) {
        let biases = StepBiases::of_time(&[]);
        let [four_len, eight_len] = [four, eight].map(|op| op.scratch().map_or(0, |(_, len)| len));
        let len = scratch as usize + four_len.max(eight_len);
        let before: Vec<u32> = (0..len.div_ceil(4)).map(|_| next().wrapping_mul(0x9E37_79B9)).collect();
        let run = |op: &Op| {
            let mut words = before.clone();
            let arena: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
            op.run(
                &Evaluation { blob, copied: crate::weight_memory::Copied::NOTHING, biases: &biases, cores: Cores::ONE },
                &mut arena[..len],
            )
            .unwrap();
            arena[..scratch as usize].to_vec()
        };
        assert_eq!(run(eight), run(four));
    }

    proptest! {
        #[test]
        fn four_bit_convolutions_equal_eight_bit_ones(
            size in (1u16..=5, 1u16..=5), channels in (1u16..=7, 0u16..=3), out_c in 1u16..=37, kernel in 1u16..=3,
            block in prop_oneof![1u16..=40, Just(u16::MAX)], residual in 0u8..=2, wide: bool, seed: u32,
        ) {
            let mut next = numbers(seed);
            let tensor = |offset: usize, c: u16, element| Tensor {
                offset: offset as u32, shape: [size.0, size.1, c], element, zero_point: -5,
            };
            let a = tensor(0, channels.0, Element::I8);
            let b = (channels.1 > 0).then(|| tensor(a.range().end.next_multiple_of(4), channels.1, Element::I8));
            let end = b.map_or(a.range().end, |b| b.range().end).next_multiple_of(4);
            let (element, residual) = if wide { (Element::I16, 0) } else { (Element::I8, residual) };
            let output = tensor(end, out_c, element);
            let apart = tensor(output.range().end.next_multiple_of(4), out_c, Element::I8);
            let scratch = apart.range().end.next_multiple_of(4) as u32;
            let residual = [None, Some(output), Some(apart)][residual as usize]
                .map(|tensor| Residual { tensor, multiplier: 1234, shift: 3 });
            let taps = usize::from(kernel * kernel * (channels.0 + channels.1));
            let mut blob = blob(out_c.into(), taps, residual, &mut next);
            if wide {
                blob.requantization.lut = None;
            }
            let pad = [kernel / 2; 2];
            let conv = Conv2d {
                a: ConvInput { tensor: a, upsample: false },
                b: b.map(|tensor| ConvInput { tensor, upsample: false }),
                output,
                window: WindowSpec { kernel: [kernel; 2], stride: [1; 2], pad, dilation: [1; 2] },
                groups: 1,
                weights: blob.weights,
                requantization: blob.requantization,
                scratch,
            };
            let layer = Conv2d { weights: blob.packed, ..conv };
            same(&blob.bytes, &Op::Conv2d(conv), &Op::PackedConv2d(Packed { layer, block }), scratch, &mut next);
        }

        #[test]
        fn four_bit_dense_layers_equal_eight_bit_ones(
            inputs in 1u16..=67, outputs in 1u16..=37, block in prop_oneof![1u16..=40, Just(u16::MAX)],
            residual in 0u8..=2, seed: u32,
        ) {
            let mut next = numbers(seed);
            let tensor =
                |offset: usize, c: u16| Tensor { offset: offset as u32, shape: [1, 1, c], element: Element::I8, zero_point: 0 };
            let input = tensor(0, inputs);
            let output = tensor(input.range().end.next_multiple_of(4), outputs);
            let apart = tensor(output.range().end.next_multiple_of(4), outputs);
            let scratch = apart.range().end.next_multiple_of(4) as u32;
            let residual = [None, Some(output), Some(apart)][residual as usize]
                .map(|tensor| Residual { tensor, multiplier: -321, shift: 2 });
            let blob = blob(outputs.into(), inputs.into(), residual, &mut next);
            let linear =
                Linear { input, output, weights: blob.weights, requantization: blob.requantization, scratch };
            let layer = Linear { weights: blob.packed, ..linear };
            same(&blob.bytes, &Op::Linear(linear), &Op::PackedLinear(Packed { layer, block }), scratch, &mut next);
        }
    }
}
