//! Winograd's algorithm with plain transforms against the portable kernel, bit by bit.

extern crate std;

use super::requantize::Requantize;
use super::winograd::{conv as fast, Lane, Place, Transforms};
use super::winograd_scalar as scalar;
use crate::cores::{Cores, Fork, Part, SecondCore, Work};
use crate::host::Threads;
use crate::kernels::{
    conv, conv_scratch, row_stride, Conv, Epilogue, Output, Residual, Source, Value, Window, Winograd,
};
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

struct Plain;

impl Requantize for Plain {}

impl Transforms for Plain {
    type Job = ();

    unsafe fn job(_: &Conv, _: &mut Output) {}

    unsafe fn outputs(_: &mut (), at: &Place, out: &mut Output, sums: *const i32, lanes: *const Lane) {
        // SAFETY: the caller's promise.
        unsafe { scalar::outputs::<Self>(at, out, sums, lanes) }
    }
}

/// Values at an address that is a multiple of 4.
fn aligned(values: &[i8]) -> Vec<u32> {
    let mut words = vec![0u32; values.len().div_ceil(4)];
    bytemuck::cast_slice_mut::<u32, i8>(&mut words)[..values.len()].copy_from_slice(values);
    words
}

/// The second core's work first, last, or by a thread.
fn on_two_cores(need: usize, channels: usize, mut run: impl FnMut(Cores)) {
    struct First;
    impl Fork for First {
        fn fork<'w>(&self, here: Work<'w>, there: Work<'w>) {
            here();
            there();
        }
    }
    struct Last;
    impl Fork for Last {
        fn fork<'w>(&self, here: Work<'w>, there: Work<'w>) {
            there();
            here();
        }
    }
    for fork in [&First as &dyn Fork, &Last, &Threads] {
        let mut scratch = vec![0xA5; need + 16];
        run(Cores::with(&SecondCore::new(fork, &mut scratch[..need])));
        // One pair of channels is not divided.
        let has_worked = scratch[..need].iter().any(|&byte| byte != 0xA5);
        assert!(has_worked || channels <= 2, "the second core has worked");
        assert!(scratch[need..].iter().all(|&byte| byte == 0xA5));
    }
}

/// Both algorithms over i16 outputs where `wide`, i8 otherwise, over a buffer that holds the residual.
fn same(conv: &Conv, cut: Winograd, wide: bool, before: &[i8]) {
    let [height, width, channels] = conv.output;
    let inputs = conv.sources.0.channels + conv.sources.1.map_or(0, |b| b.channels);
    let rows = conv.window.kernel[0];
    let values = height * width * channels;
    let need = cut.scratch(rows, inputs);
    let mut scratch = vec![0x5Ai8; need + 16];
    let other_need = cut.second_scratch(rows, inputs);
    let mut direct = vec![0; conv_scratch(3 * rows * inputs)];
    if wide {
        let (mut ours, mut theirs) = (vec![0i16; values], vec![0i16; values]);
        conv::portable(conv, Part::ALL, i16::output(&mut theirs), &mut direct);
        assert!(fast::<Plain>(Cores::ONE, conv, &cut, &mut i16::output(&mut ours), &mut scratch[..need]));
        assert!(ours == theirs);
        on_two_cores(other_need, channels, |cores| {
            ours.fill(0x55);
            assert!(fast::<Plain>(cores, conv, &cut, &mut i16::output(&mut ours), &mut scratch[..need]));
            assert!(ours == theirs);
        });
    } else {
        let (mut ours, mut theirs) = (before[..values].to_vec(), before[..values].to_vec());
        conv::portable(conv, Part::ALL, i8::output(&mut theirs), &mut direct);
        assert!(fast::<Plain>(Cores::ONE, conv, &cut, &mut i8::output(&mut ours), &mut scratch[..need]));
        assert!(ours == theirs);
        on_two_cores(other_need, channels, |cores| {
            ours.copy_from_slice(&before[..values]);
            assert!(fast::<Plain>(cores, conv, &cut, &mut i8::output(&mut ours), &mut scratch[..need]));
            assert!(ours == theirs);
        });
    }
    assert!(scratch[need..].iter().all(|&byte| byte == 0x5A));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any shape: odd sizes, any padding, two sources, one of them enlarged, spread taps of a row, residuals in place.
    #[test]
    fn equal_to_the_portable_kernel(
        (kernel_rows, dilation) in prop_oneof![(1usize..=3, Just(1usize)), (Just(1usize), 2usize..=3)],
        (height, width) in (1usize..=5, 1usize..=11),
        (a, b, out_c) in (1usize..=3, 0usize..=2, 1usize..=5),
        (groups, rows, upsample, tall) in (1usize..=3, 1usize..=5, any::<bool>(), any::<bool>()),
        (lut, residual, wide) in (any::<bool>(), 0..3, any::<bool>()),
        seed in any::<u64>(),
    ) {
        let mut state = seed | 1;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let value = (state >> 33) as u32;
            if value.is_multiple_of(3) { -128 } else { (value >> 8) as i8 }
        };
        let mut values = |len: usize| -> Vec<i8> { (0..len).map(|_| next()).collect() };
        let (channels, up) = ([4 * a, 4 * b], usize::from(upsample && b > 0));
        let (height, width) = (height << up, width << up);
        let taps = 3 * kernel_rows * (channels[0] + channels[1]);
        let data = [aligned(&values(height * width * channels[0])), aligned(&values(height * width * channels[1]))];
        let source = |i: usize, up: usize| Source {
            data: bytemuck::cast_slice(&data[i]),
            height: height >> up,
            width: width >> up,
            channels: channels[i],
            upsample: up as u8,
            zero_point: 3 - 9 * i as i8,
        };
        let weights: Vec<i8> = values(out_c * row_stride(taps)).iter().map(|&w| w.max(-127)).collect();
        let weights = aligned(&weights);
        let outputs = height * width * out_c;
        let (before, added, table) = (values(outputs), values(outputs), values(256));
        let bias: Vec<i32> = values(out_c).iter().map(|&b| i32::from(b) << 9).collect();
        let multipliers: Vec<i16> = values(out_c).iter().map(|&m| 16000 + 100 * i16::from(m)).collect();
        let data = if residual == 1 { None } else { Some(&added[..]) };
        let epilogue = Epilogue {
            bias: &bias,
            multipliers: &multipliers,
            offset: 1 << 8,
            shift: 9,
            residual: (residual > 0 && !wide).then_some(Residual { data, multiplier: 321, shift: 2 }),
            lut: if lut && !wide { table.first_chunk() } else { None },
        };
        let tile_rows = if kernel_rows == 3 && tall { 2 } else { 1 };
        let cut = Winograd { rows: rows.min(height), groups, tile_rows };
        let conv = Conv {
            sources: (source(0, 0), (b > 0).then(|| source(1, up))),
            window: Window {
                kernel: [kernel_rows, 3],
                stride: [1, 1],
                pad: [kernel_rows / 2, dilation],
                dilation: [1, dilation],
            },
            output: [height, width, out_c],
            groups: 1,
            weights: bytemuck::cast_slice(&weights),
            epilogue,
            winograd: Some(cut),
        };
        same(&conv, cut, wide, &before);
    }
}

/// The largest sums that parsing admits, of the same sign and of alternating ones: 1,832 channels of 3×3, or 916 where
/// tiles have two rows.
#[test]
fn exact_at_the_bound() {
    for (channels, tile_rows) in [(1832, 1), (916, 2)] {
        assert!(Winograd::applies(tile_rows, &SQUARE, [channels, 0]));
        assert!(!Winograd::applies(tile_rows, &SQUARE, [channels + 4, 0]));
        at_the_bound(channels, tile_rows);
    }
}

fn at_the_bound(channels: usize, tile_rows: usize) {
    let taps = 9 * channels;
    assert!(taps * 127 * 128 < 1 << (29 - tile_rows));
    for (x, w, alternate) in [(-128, 127, false), (-128, -127, false), (127, 127, true), (-128, 127, true)] {
        let inputs: Vec<i8> = (0..10 * channels).map(|i| if alternate && i % 2 == 0 { !x } else { x }).collect();
        let weights: Vec<i8> = (0..taps).map(|i| if alternate && i % 3 == 0 { -w } else { w }).collect();
        let (inputs, weights) = (aligned(&inputs), aligned(&weights));
        let conv = Conv {
            sources: (
                Source {
                    data: bytemuck::cast_slice(&inputs),
                    height: 2,
                    width: 5,
                    channels,
                    upsample: 0,
                    // Padding is as extreme as the values.
                    zero_point: x,
                },
                None,
            ),
            window: SQUARE,
            output: [2, 5, 1],
            groups: 1,
            weights: bytemuck::cast_slice(&weights),
            // Sixteen bits from the 13th on: any bit that is wrong above shows, and a carry from below.
            epilogue: Epilogue { bias: &[0], multipliers: &[1 << 12], offset: 0, shift: 9, residual: None, lut: None },
            winograd: None,
        };
        same(&conv, Winograd { rows: 2, groups: 2, tile_rows }, true, &[]);
    }
}

const SQUARE: Window = Window { kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1] };
