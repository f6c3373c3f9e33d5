//! Each kernel against an independent implementation of its definition, over random shapes: one output at a time, one
//! tap at a time, in 64-bit integers, reading tensors by their coordinates.

use brownian::kernels::{
    conv_scratch, depthwise_in_place, depthwise_scratch, row_stride, Add, Checked, Conv, Depthwise, Epilogue, Gate,
    Kernel, Linear, Lut, Misfit, Residual, Source, Value, Window,
};
use brownian::{Fork, SecondCore, Work};
use proptest::prelude::*;

/// Numbers from a seed, so that a failing case prints as a shape and a seed.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32
    }

    /// Any i8 from `lowest` on; the ends of the range are common.
    fn i8s(&mut self, len: usize, lowest: i8) -> Vec<i8> {
        let value = |r: u32| match r % 8 {
            0 => lowest,
            1 => 127,
            _ => ((r >> 8) as i8).max(lowest),
        };
        (0..len).map(|_| value(self.next())).collect()
    }
}

/// Everything that turns sums into outputs, owned.
#[derive(Debug, Clone)]
struct Finish {
    bias: Vec<i32>,
    multipliers: Vec<i16>,
    offset: i32,
    shift: u8,
    /// Multiplier, shift, and the values if they are not the output buffer's.
    residual: Option<(i16, u8, Option<Vec<i8>>)>,
    lut: Option<Vec<i8>>,
}

impl Finish {
    fn new(rng: &mut Rng, channels: usize, values: usize, residual: u8, lut: bool) -> Self {
        Self {
            bias: (0..channels).map(|_| (rng.next() as i32) >> 12).collect(),
            multipliers: (0..channels).map(|_| (rng.next() % 32768) as i16).collect(),
            offset: (rng.next() as i32) >> 18,
            shift: 1 + (rng.next() % 12) as u8,
            residual: match residual {
                0 => None,
                1 => Some((rng.next() as i16, (rng.next() % 8) as u8, None)),
                _ => Some((rng.next() as i16, (rng.next() % 8) as u8, Some(rng.i8s(values, -128)))),
            },
            lut: lut.then(|| rng.i8s(256, -128)),
        }
    }

    fn epilogue(&self) -> Epilogue<'_> {
        Epilogue {
            bias: &self.bias,
            multipliers: &self.multipliers,
            offset: self.offset,
            shift: self.shift,
            residual: self.residual.as_ref().map(|(multiplier, shift, data)| Residual {
                data: data.as_deref(),
                multiplier: *multiplier,
                shift: *shift,
            }),
            lut: self.lut.as_ref().map(|lut| lut.as_slice().try_into().unwrap()),
        }
    }

    /// The output of channel `o` at `index`, not clamped or looked up.
    fn scaled(&self, sum: i64, o: usize, index: usize, before: i8) -> i64 {
        let acc = sum + self.bias[o] as i64;
        let mut t = (acc * self.multipliers[o] as i64).div_euclid(1 << 16) + self.offset as i64;
        if let Some((multiplier, shift, data)) = &self.residual {
            let value = data.as_ref().map_or(before, |d| d[index]) as i64;
            t += (value * *multiplier as i64).div_euclid(1 << shift);
        }
        t.div_euclid(1 << self.shift)
    }

    fn i8(&self, sum: i64, o: usize, index: usize, before: i8) -> i8 {
        let q = self.scaled(sum, o, index, before).clamp(-128, 127);
        self.lut.as_ref().map_or(q as i8, |lut| lut[(q + 128) as usize])
    }
}

/// A tensor as stored, with what reading it means.
#[derive(Debug, Clone)]
struct Tensor {
    data: Vec<i8>,
    shape: [usize; 3],
    upsample: u8,
    zero_point: i8,
}

impl Tensor {
    fn new(rng: &mut Rng, shape: [usize; 3], upsample: u8) -> Self {
        let zero_point = (rng.next() >> 5) as i8;
        Self { data: rng.i8s(shape.iter().product(), -128), shape, upsample, zero_point }
    }

    /// The value at a coordinate of the enlarged tensor; outside it is the zero point.
    fn at(&self, y: i64, x: i64, c: usize) -> i64 {
        let [height, width, channels] = self.shape.map(|n| n as i64);
        let scale = 1 << self.upsample;
        if y < 0 || x < 0 || y >= height * scale || x >= width * scale {
            return self.zero_point as i64;
        }
        self.data[((y / scale * width + x / scale) * channels) as usize + c] as i64
    }

    fn source(&self) -> Source<'_> {
        let [height, width, channels] = self.shape;
        Source { data: &self.data, height, width, channels, upsample: self.upsample, zero_point: self.zero_point }
    }
}

/// Where tap (ky, kx) of output (y, x) reads.
fn tap(window: &Window, y: usize, x: usize, ky: usize, kx: usize) -> (i64, i64) {
    let along = |axis: usize, out: usize, k: usize| {
        (out * window.stride[axis] + k * window.dilation[axis]) as i64 - window.pad[axis] as i64
    };
    (along(0, y, ky), along(1, x, kx))
}

fn windows() -> impl Strategy<Value = Window> {
    let dilation = || prop_oneof![2 => Just(1usize), 1 => 2usize..=3];
    let axis = || (1usize..=4, 1usize..=3, dilation()).prop_flat_map(|(k, s, d)| (Just((k, s, d)), 0..=(k - 1) * d));
    (axis(), axis()).prop_map(|(((kh, sh, dh), ph), ((kw, sw, dw), pw))| Window {
        kernel: [kh, kw],
        stride: [sh, sw],
        pad: [ph, pw],
        dilation: [dh, dw],
    })
}

/// Rows or columns of outputs: `size/stride`, rounded up.
fn outputs(window: &Window, size: [usize; 2]) -> [usize; 2] {
    [size[0].div_ceil(window.stride[0]), size[1].div_ceil(window.stride[1])]
}

/// Rows of `taps` weights, each padded with zeros to its stride.
fn rows(rng: &mut Rng, count: usize, taps: usize) -> Vec<i8> {
    (0..count)
        .flat_map(|_| {
            let mut row = rng.i8s(taps, -127);
            row.resize(row_stride(taps), 0);
            row
        })
        .collect()
}

/// Memory as an arena has it: aligned, with a margin that no kernel may touch.
fn with_margin(values: &[i8]) -> Vec<i8> {
    [&[0x33; 8], values, &[0x33; 8]].concat()
}

/// What runs a kernel: the portable one, that of this build's backend, or that on two cores, one after the other.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Portable,
    One,
    Two { there_first: bool },
}

/// All of them.
const WAYS: [By; 4] = [By::Portable, By::One, By::Two { there_first: false }, By::Two { there_first: true }];

impl Fork for By {
    fn fork<'w>(&self, here: Work<'w>, there: Work<'w>) {
        let turns = if *self == (By::Two { there_first: true }) { [there, here] } else { [here, there] };
        turns.into_iter().for_each(|work| work());
    }
}

/// Runs a kernel. The second core has as much scratch as the first.
fn run<E: Value>(kernel: &impl Kernel, by: By, out: &mut [E], scratch: &mut [i8]) {
    let mut second = with_margin(&vec![0x11; scratch.len()]);
    let end = 8 + scratch.len();
    let mut checked = Checked::new(kernel, out, scratch).unwrap();
    match by {
        By::Portable => checked.run_portable(),
        By::One => checked.run(),
        By::Two { .. } => {
            checked.run_on_two_cores(&SecondCore::new(&by, bytemuck::cast_slice_mut(&mut second[8..end])))
        }
    }
    assert!(second[..8].iter().chain(&second[end..]).all(|&b| b == 0x33), "bytes around the second core's scratch");
}

/// Runs both kernel sets, and one on two cores, from equal memory; the outputs must be `expected`, the margins untouched.
fn both(before: &[i8], expected: &[i8], scratch: usize, kernel: &impl Kernel) {
    for by in WAYS {
        let (mut out, mut room) = (with_margin(before), with_margin(&vec![0x11; scratch]));
        let (end, room_end) = (8 + before.len(), 8 + scratch);
        run(kernel, by, &mut out[8..end], &mut room[8..room_end]);
        assert_eq!(&out[8..end], expected, "{by:?}");
        assert_eq!(out, with_margin(expected), "bytes around the output, {by:?}");
        assert!(room[..8].iter().chain(&room[room_end..]).all(|&b| b == 0x33), "bytes around the scratch");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Dense, strided, dilated, 1-D, with two sources, enlarged, with residuals and tables.
    #[test]
    fn conv_is_its_definition(
        window in windows(),
        size in [1usize..=4, 1usize..=9],
        channels in (1usize..=20, 0usize..=9),
        enlarged in [0u8..=1, 0u8..=1],
        out_c in prop_oneof![1usize..=9, 10usize..=70],
        residual in 0u8..=2,
        lut: bool,
        seed: u64,
    ) {
        let mut rng = Rng(seed);
        let any = enlarged[0] == 1 || (channels.1 > 0 && enlarged[1] == 1);
        let size = size.map(|n| if any { 2 * n } else { n });
        let tensor = |rng: &mut Rng, c: usize, up: u8| Tensor::new(rng, [size[0] >> up, size[1] >> up, c], up);
        let a = tensor(&mut rng, channels.0, enlarged[0]);
        let b = (channels.1 > 0).then(|| tensor(&mut rng, channels.1, enlarged[1]));
        let total = channels.0 + channels.1;
        let [kh, kw] = window.kernel;
        let [out_h, out_w] = outputs(&window, size);
        let weights = rows(&mut rng, out_c, kh * kw * total);
        let values = out_h * out_w * out_c;
        let finish = Finish::new(&mut rng, out_c, values, residual, lut);
        let before = rng.i8s(values, -128);
        let sum = |y: usize, x: usize, o: usize| -> i64 {
            let mut sum = 0;
            for ky in 0..kh {
                for kx in 0..kw {
                    let (iy, ix) = tap(&window, y, x, ky, kx);
                    for c in 0..total {
                        let value = match &b {
                            Some(b) if c >= channels.0 => b.at(iy, ix, c - channels.0),
                            _ => a.at(iy, ix, c),
                        };
                        let weight = weights[o * row_stride(kh * kw * total) + (ky * kw + kx) * total + c];
                        sum += value * weight as i64;
                    }
                }
            }
            sum
        };
        let coordinates = |index: usize| (index / out_c / out_w, index / out_c % out_w, index % out_c);
        let sums: Vec<i64> = (0..values).map(coordinates).map(|(y, x, o)| sum(y, x, o)).collect();
        let expected: Vec<i8> = (0..values).map(|i| finish.i8(sums[i], i % out_c, i, before[i])).collect();
        let conv = Conv {
            sources: (a.source(), b.as_ref().map(Tensor::source)),
            window,
            output: [out_h, out_w, out_c],
            groups: 1,
            weights: &weights,
            epilogue: finish.epilogue(),
            winograd: None,
        };
        both(&before, &expected, conv_scratch(kh * kw * total), &conv);
        // The network's last layer: 16 bits, no residual, no table.
        let plain = Finish { residual: None, lut: None, ..finish.clone() };
        let conv = Conv { epilogue: plain.epilogue(), ..conv };
        for by in WAYS {
            let (mut out, mut scratch) = (vec![0i16; values], vec![0; conv_scratch(kh * kw * total)]);
            run(&conv, by, &mut out, &mut scratch);
            for (i, &q) in out.iter().enumerate() {
                let exact = plain.scaled(sums[i], i % out_c, i, 0).clamp(-32768, 32767);
                prop_assert_eq!(q as i64, exact, "i16 output {}, {:?}", i, by);
            }
        }
    }

    /// Groups of channels, down to one a group.
    #[test]
    fn grouped_conv_is_its_definition(
        window in windows(),
        size in [1usize..=5, 1usize..=5],
        groups in 2usize..=4,
        per_group in (1usize..=5, 1usize..=4),
        seed: u64,
    ) {
        let mut rng = Rng(seed);
        let (group_in, group_out) = per_group;
        let input = Tensor::new(&mut rng, [size[0], size[1], groups * group_in], 0);
        let [kh, kw] = window.kernel;
        let [out_h, out_w] = outputs(&window, size);
        let out_c = groups * group_out;
        let stride = row_stride(kh * kw * group_in);
        let weights = rows(&mut rng, out_c, kh * kw * group_in);
        let values = out_h * out_w * out_c;
        let finish = Finish::new(&mut rng, out_c, values, 0, true);
        let mut expected = Vec::new();
        for (y, x, o) in (0..values).map(|i| (i / out_c / out_w, i / out_c % out_w, i % out_c)) {
            let mut sum = 0;
            for (ky, kx, c) in (0..kh * kw * group_in).map(|t| (t / group_in / kw, t / group_in % kw, t % group_in)) {
                let (iy, ix) = tap(&window, y, x, ky, kx);
                let weight = weights[o * stride + (ky * kw + kx) * group_in + c] as i64;
                sum += input.at(iy, ix, o / group_out * group_in + c) * weight;
            }
            expected.push(finish.i8(sum, o, 0, 0));
        }
        let conv = Conv {
            sources: (input.source(), None),
            window,
            output: [out_h, out_w, out_c],
            groups,
            weights: &weights,
            epilogue: finish.epilogue(),
            winograd: None,
        };
        let scratch = conv_scratch(kh * kw * groups * group_in);
        both(&vec![0; values], &expected, scratch, &conv);
    }

    /// One filter a channel, over its input too.
    #[test]
    fn depthwise_is_its_definition(
        window in windows(),
        plain: bool,
        size in [1usize..=6, 1usize..=9],
        channels in 1usize..=19,
        upsample in 0u8..=1,
        in_place: bool,
        residual in 0u8..=2,
        lut: bool,
        seed: u64,
    ) {
        let mut rng = Rng(seed);
        let window = if plain {
            Window { kernel: [3; 2], stride: [1; 2], pad: [1; 2], dilation: [1; 2] }
        } else {
            window
        };
        let input = Tensor::new(&mut rng, [size[0], size[1], channels], upsample);
        let [kh, kw] = window.kernel;
        let [out_h, out_w] = outputs(&window, size.map(|n| n << upsample));
        let values = out_h * out_w * channels;
        let in_place = in_place && values == input.data.len() && depthwise_in_place(&window, upsample);
        // In place the buffer holds the input, not a residual.
        let residual = if in_place && residual == 1 { 0 } else { residual };
        let weights = rng.i8s(kh * kw * channels, -127);
        let finish = Finish::new(&mut rng, channels, values, residual, lut);
        let before = if in_place { input.data.clone() } else { rng.i8s(values, -128) };
        let mut expected = Vec::new();
        for (y, x, c) in (0..values).map(|i| (i / channels / out_w, i / channels % out_w, i % channels)) {
            let mut sum = 0;
            for (ky, kx) in (0..kh * kw).map(|t| (t / kw, t % kw)) {
                let (iy, ix) = tap(&window, y, x, ky, kx);
                sum += input.at(iy, ix, c) * weights[(ky * kw + kx) * channels + c] as i64;
            }
            let index = expected.len();
            expected.push(finish.i8(sum, c, index, before[index]));
        }
        let mut source = input.source();
        if in_place {
            source.data = &[];
        }
        let conv = Depthwise { source, window, output: [out_h, out_w], weights: &weights, epilogue: finish.epilogue() };
        both(&before, &expected, depthwise_scratch(&window, out_w), &conv);
    }

    #[test]
    fn linear_is_its_definition(inputs in 1usize..=67, outputs in 1usize..=9, residual in 0u8..=2, lut: bool, seed: u64) {
        let mut rng = Rng(seed);
        let input = rng.i8s(inputs, -128);
        let weights = rows(&mut rng, outputs, inputs);
        let finish = Finish::new(&mut rng, outputs, outputs, residual, lut);
        let before = rng.i8s(outputs, -128);
        let expected: Vec<i8> = (0..outputs)
            .map(|o| {
                let row = &weights[o * row_stride(inputs)..];
                let sum = input.iter().zip(row).map(|(&x, &w)| x as i64 * w as i64).sum();
                finish.i8(sum, o, o, before[o])
            })
            .collect();
        let linear = Linear { input: &input, weights: &weights, epilogue: finish.epilogue() };
        both(&before, &expected, 0, &linear);
    }

    #[test]
    fn add_and_lut_are_their_definitions(
        len in 0usize..=67,
        in_place: bool,
        table: bool,
        multipliers: [i16; 2],
        offset in -(1i32 << 20)..(1 << 20),
        shift in 1u8..=20,
        seed: u64,
    ) {
        let mut rng = Rng(seed);
        let (a, b, lut) = (rng.i8s(len, -128), rng.i8s(len, -128), rng.i8s(256, -128));
        let before = if in_place { a.clone() } else { rng.i8s(len, -128) };
        let look_up = |q: i64| lut[(q + 128) as usize];
        let sum = |(&a, &b): (&i8, &i8)| {
            let t = a as i64 * multipliers[0] as i64 + b as i64 * multipliers[1] as i64 + offset as i64;
            let q = t.div_euclid(1 << shift).clamp(-128, 127);
            if table { look_up(q) } else { q as i8 }
        };
        let expected: Vec<i8> = a.iter().zip(&b).map(sum).collect();
        let values: &[i8; 256] = lut.as_slice().try_into().unwrap();
        let add = Add {
            a: (!in_place).then_some(&a[..]),
            b: &b,
            multipliers,
            offset,
            shift,
            lut: table.then_some(values),
        };
        both(&before, &expected, 0, &add);
        let expected: Vec<i8> = a.iter().map(|&q| look_up(q as i64)).collect();
        both(&before, &expected, 0, &Lut { input: add.a, table: values });
    }

    /// Any tables and multipliers, with offsets up to the 2^29 that parsing admits.
    #[test]
    fn gate_is_its_definition(
        len in 0usize..=67,
        in_place: bool,
        multiplier in prop_oneof![4 => any::<i16>(), 1 => Just(i16::MIN), 1 => Just(i16::MAX)],
        offset in prop_oneof![4 => -(1i32 << 22)..(1 << 22), 1 => Just(-(1 << 29)), 1 => Just(1 << 29)],
        shift in 1u8..=20,
        seed: u64,
    ) {
        let mut rng = Rng(seed);
        let (a, b) = (rng.i8s(len, -128), rng.i8s(len, -128));
        let (table_a, table_b) = (rng.i8s(256, -128), rng.i8s(256, -128));
        let before = if in_place { a.clone() } else { rng.i8s(len, -128) };
        let of = |table: &[i8], q: i8| table[(q as i64 + 128) as usize] as i64;
        let product = |(&a, &b): (&i8, &i8)| {
            let t = of(&table_a, a) * of(&table_b, b) * multiplier as i64 + offset as i64;
            t.div_euclid(1 << shift).clamp(-128, 127) as i8
        };
        let expected: Vec<i8> = a.iter().zip(&b).map(product).collect();
        let tables = [&table_a, &table_b].map(|table| table.as_slice().try_into().unwrap());
        let gate = Gate { a: (!in_place).then_some(&a[..]), b: &b, tables, multiplier, offset, shift };
        both(&before, &expected, 0, &gate);
    }
}

/// A convolution of two 3×3 images to two channels, which fits.
fn small_conv<'a>(data: &'a [i8], weights: &'a [i8]) -> Conv<'a> {
    let source = Source { data, height: 3, width: 3, channels: 1, upsample: 0, zero_point: 0 };
    Conv {
        sources: (source, None),
        window: Window { kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1] },
        output: [3, 3, 2],
        groups: 1,
        weights,
        epilogue: Epilogue { bias: &[0; 2], multipliers: &[1; 2], offset: 0, shift: 0, residual: None, lut: None },
        winograd: None,
    }
}

/// Slices that are too short, and shapes whose products overflow to small ones, are refused before a kernel runs.
#[test]
fn misfits_are_refused() {
    let (data, weights, mut out, mut scratch) = ([1; 9], [1; 24], [0i8; 18], [0; conv_scratch(9)]);
    let conv = small_conv(&data, &weights);
    let mut check = |conv: Conv, out_len: usize, scratch_len: usize| {
        Checked::new(&conv, &mut out[..out_len], &mut scratch[..scratch_len]).err()
    };
    let need = conv_scratch(9);
    assert_eq!(check(conv, 18, need), None);
    assert_eq!(check(conv, 17, need), Some(Misfit::Output));
    assert_eq!(check(conv, 18, need - 1), Some(Misfit::Scratch));
    assert_eq!(check(Conv { weights: &weights[..23], ..conv }, 18, need), Some(Misfit::Weights));
    assert_eq!(check(small_conv(&data[..8], &weights), 18, need), Some(Misfit::Input));
    assert_eq!(check(Conv { groups: 3, ..conv }, 18, need), Some(Misfit::Shape));
    let epilogue = Epilogue { bias: &[0], ..conv.epilogue };
    assert_eq!(check(Conv { epilogue, ..conv }, 18, need), Some(Misfit::Epilogue));
    // 2^63·2·… is 0 in 64 bits.
    let huge = Source { height: 1 << (usize::BITS - 1), width: 2, ..conv.sources.0 };
    assert_eq!(check(Conv { sources: (huge, None), ..conv }, 18, need), Some(Misfit::Shape));
    let output = [1 << (usize::BITS - 1), 2, 2];
    assert_eq!(check(Conv { output, ..conv }, 18, need), Some(Misfit::Shape));
    let window = Window { stride: [usize::MAX, 1], ..conv.window };
    assert_eq!(check(Conv { window, ..conv }, 18, need), Some(Misfit::Shape));
    let window = Window { dilation: [1, usize::MAX / 2 + 2], ..conv.window };
    assert_eq!(check(Conv { window, ..conv }, 18, need), Some(Misfit::Shape));

    // Enlarged, a depthwise convolution may not write over its input; a stride of two neither.
    let source = Source { data: &[], ..conv.sources.0 };
    let epilogue = conv.epilogue;
    let depthwise = Depthwise { source, window: conv.window, output: [3, 3], weights: &weights[..9], epilogue };
    let mut check = |depthwise: Depthwise, out_len: usize| {
        let mut scratch = vec![0; depthwise_scratch(&conv.window, 3)];
        Checked::new(&depthwise, &mut out[..out_len], &mut scratch).err()
    };
    assert_eq!(check(depthwise, 9), None);
    assert_eq!(check(depthwise, 8), Some(Misfit::Output));
    let enlarged = Source { upsample: 1, ..source };
    assert_eq!(check(Depthwise { source: enlarged, ..depthwise }, 9), Some(Misfit::Output));
    let window = Window { stride: [2, 1], ..conv.window };
    assert_eq!(check(Depthwise { window, ..depthwise }, 9), Some(Misfit::Output));

    let linear = |inputs: usize, weights: usize| {
        let linear = Linear { input: &data[..inputs], weights: &[1; 24][..weights], epilogue };
        Checked::new(&linear, &mut [0i8; 2], &mut []).err()
    };
    assert_eq!([linear(9, 24), linear(0, 0)], [None, None]);
    assert_eq!([linear(9, 23), linear(0, 4)], [Some(Misfit::Weights); 2]);
    assert_eq!(linear(1, 12), Some(Misfit::Output));

    let add = Add { a: None, b: &data, multipliers: [1; 2], offset: 0, shift: 0, lut: None };
    assert!(Checked::new(&add, &mut out[..9], &mut []).is_ok());
    assert_eq!(Checked::new(&add, &mut out[..10], &mut []).err(), Some(Misfit::Input));
    assert_eq!(Checked::new(&add, &mut [0i16; 9], &mut []).err(), Some(Misfit::Output));
    let gate = Gate { a: Some(&data), b: &data[..8], tables: [&[0; 256]; 2], multiplier: 1, offset: 0, shift: 0 };
    assert!(Checked::new(&gate, &mut out[..8], &mut []).is_ok());
    assert_eq!(Checked::new(&gate, &mut out[..9], &mut []).err(), Some(Misfit::Input));
    assert_eq!(Checked::new(&Gate { a: Some(&data[..7]), ..gate }, &mut out[..8], &mut []).err(), Some(Misfit::Input));
    assert_eq!(Checked::new(&gate, &mut [0i16; 8], &mut []).err(), Some(Misfit::Output));
}
