//! Compares the chosen kernels with the portable ones, `==`, on random shapes and on every length 0 to 67:
//! full-range and extreme values, odd channel counts, any alignment of the activations, in place and not.
//! Bytes around outputs and scratch must stay as they were. The same on two cores, one of which works after the other.
//!
//! Small enough for 16 KB of RAM. Exits with 1 at the first difference and prints the case.
#![no_std]
#![no_main]

use bench::data::{requantization, Rng};
use brownian::kernels::{
    conv_scratch, depthwise_in_place, depthwise_scratch, row_stride, Add, Checked, Conv, Depthwise, Epilogue, Gate,
    Kernel, Linear, Lut, Residual, Source, Value, Window, Winograd,
};
use brownian::{Fork, SecondCore, Work};
use semihosting::{println, process::exit};

const CASES: u32 = 6000;
const GUARD: usize = 16;

#[repr(align(16))]
struct Buffers {
    a: [i8; 784],
    b: [i8; 784],
    out: [i16; 300],
    expected: [i16; 300],
    divided: [i16; 300],
    weights: [i8; 3400],
    scratch: [i8; 4096],
    bias: [i32; 72],
    multipliers: [i16; 72],
    lut: [i8; 256],
}

static mut BUFFERS: Buffers = Buffers {
    a: [0; 784],
    b: [0; 784],
    out: [0; 300],
    expected: [0; 300],
    divided: [0; 300],
    weights: [0; 3400],
    scratch: [0; 4096],
    bias: [0; 72],
    multipliers: [0; 72],
    lut: [0; 256],
};

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    let buffers = &raw mut BUFFERS;
    // SAFETY: the only use of BUFFERS, and main runs once.
    let buffers = unsafe { &mut *buffers };
    let mut ran = [0u32; 6];
    for seed in 0..CASES {
        let mut rng = Rng(seed as u64 * 0x9E37_79B9_7F4A_7C15 + 1);
        let (kind, equal) = match seed % 12 {
            0 => (0, lengths(buffers, &mut rng, seed as usize / 12 % 68)),
            1 => (1, linear(buffers, &mut rng, seed as usize / 12 % 68)),
            2 => (2, conv(buffers, &mut rng, Shape::Pointwise(seed as usize / 12 % 68))),
            3 | 4 => (3, depthwise(buffers, &mut rng)),
            5..8 => (4, conv(buffers, &mut rng, Shape::Any)),
            _ => (5, conv(buffers, &mut rng, Shape::Winograd)),
        };
        match equal {
            Some(true) => ran[kind] += 1,
            Some(false) => {
                println!("error: case {seed} differs from the portable kernel");
                exit(1);
            }
            None => {}
        }
    }
    println!(
        "check|add, lut and gate {}|linear {}|pointwise {}|depthwise {}|conv {}|winograd {}",
        ran[0], ran[1], ran[2], ran[3], ran[4], ran[5]
    );
    println!("done");
    exit(0)
}

/// Where a kernel writes, and its scratch.
struct Room<'a> {
    out: &'a mut [i16],
    expected: &'a mut [i16],
    /// The output of two cores.
    divided: &'a mut [i16],
    scratch: &'a mut [i8],
    /// The output, in bytes.
    at: core::ops::Range<usize>,
    i16s: bool,
    /// Bytes of scratch.
    need: usize,
}

/// Runs the chosen kernel and the portable one on equal memory and compares all of it: outputs, the bytes around them and
/// around the scratch.
fn same(kernel: &impl Kernel, room: &mut Room) -> bool {
    let Room { out, expected, divided, scratch, at, i16s, need } = room;
    let (out, expected, divided) = (bytes(out), bytes(expected), bytes(divided));
    expected.copy_from_slice(out);
    scratch.fill(0x5A);
    let scratch_at = GUARD..GUARD + *need;
    run(kernel, *i16s, By::One, &mut out[at.clone()], &mut scratch[scratch_at.clone()]);
    let mut equal = scratch[..GUARD].iter().chain(&scratch[GUARD + *need..]).all(|&s| s == 0x5A);
    for there_first in [false, true] {
        divided.copy_from_slice(expected);
        scratch.fill(0x5A);
        let (first, rest) = scratch.split_at_mut(2 * GUARD + *need);
        let (second, end) = rest.split_at_mut(rest.len() - GUARD);
        let turns = Turns { there_first };
        // Where it is too short the kernel does without the second core.
        let core = SecondCore::new(&turns, as_u8(second));
        run(kernel, *i16s, By::Two(&core), &mut divided[at.clone()], &mut first[scratch_at.clone()]);
        equal &=
            divided == out && first[..GUARD].iter().chain(&first[GUARD + *need..]).chain(&*end).all(|&s| s == 0x5A);
    }
    run(kernel, *i16s, By::Portable, &mut expected[at.clone()], &mut scratch[scratch_at]);
    equal && out == expected
}

/// Two cores in turn.
struct Turns {
    there_first: bool,
}

impl Fork for Turns {
    fn fork<'w>(&self, here: Work<'w>, there: Work<'w>) {
        let [first, second] = if self.there_first { [there, here] } else { [here, there] };
        first();
        second();
    }
}

/// What runs a kernel.
#[derive(Clone, Copy)]
enum By<'a> {
    One,
    Two(&'a SecondCore<'a>),
    Portable,
}

/// Runs the chosen kernel or the portable one, over i8 or i16 outputs.
fn run(kernel: &impl Kernel, i16s: bool, by: By, out: &mut [i8], scratch: &mut [i8]) {
    fn run<E: Value>(kernel: &impl Kernel, by: By, out: &mut [E], scratch: &mut [i8]) {
        match Checked::new(kernel, out, scratch) {
            Ok(mut checked) => match by {
                By::One => checked.run(),
                By::Two(second) => checked.run_on_two_cores(second),
                By::Portable => checked.run_portable(),
            },
            Err(misfit) => {
                println!("error: a case is wrong: {misfit}");
                exit(1)
            }
        }
    }
    if i16s {
        run(kernel, by, wide(out), scratch);
    } else {
        run(kernel, by, out, scratch);
    }
}

fn bytes(values: &mut [i16]) -> &mut [i8] {
    // SAFETY: any i16 is two i8.
    unsafe { core::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), 2 * values.len()) }
}

fn as_u8(values: &mut [i8]) -> &mut [u8] {
    // SAFETY: any i8 is a u8.
    unsafe { core::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), values.len()) }
}

fn wide(values: &mut [i8]) -> &mut [i16] {
    // SAFETY: the callers pass even lengths at even addresses.
    unsafe { core::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), values.len() / 2) }
}

/// A start within the buffer: usually aligned to 4, as tensors are, at times anywhere.
fn start(rng: &mut Rng) -> usize {
    GUARD + if rng.below(4) == 0 { rng.below(8) } else { 4 * rng.below(2) }
}

/// Fills with any values or, one time in three, with the extremes alone.
fn fill(rng: &mut Rng, values: &mut [i8], lowest: i8) {
    let extreme = rng.below(3) == 0;
    for v in values.iter_mut() {
        *v = match extreme {
            true if rng.below(2) == 0 => lowest,
            true => 127,
            false => rng.activation().max(lowest),
        };
    }
}

/// `lut`, `add` and `gate` of `len` values.
fn lengths(m: &mut Buffers, rng: &mut Rng, len: usize) -> Option<bool> {
    fill(rng, &mut m.a, -128);
    fill(rng, &mut m.b, -128);
    fill(rng, &mut m.lut, -128);
    fill(rng, bytes(&mut m.out), -128);
    let (at, a, b) = (start(rng), start(rng), start(rng));
    let in_place = rng.below(2) == 0;
    let add = Add {
        a: (!in_place).then_some(&m.a[a..a + len]),
        b: &m.b[b..b + len],
        multipliers: [rng.bits() as i16, rng.bits() as i16],
        offset: (rng.bits() as i32) >> 10,
        shift: 10 + rng.below(8) as u8,
        lut: (rng.below(2) == 0).then_some(&m.lut),
    };
    let lut = Lut { input: add.a, table: &m.lut };
    // Any 256 values are a table.
    let Some(other) = m.weights.first_chunk_mut() else { return Some(false) };
    fill(rng, other, -128);
    let tables = [&m.lut, &*other];
    let (multiplier, offset) = (rng.bits() as i16, (rng.bits() as i32) >> rng.below(20).max(2));
    let gate = Gate { a: add.a, b: add.b, tables, multiplier, offset, shift: 5 + rng.below(16) as u8 };
    let (out, expected, scratch) = (&mut m.out[..], &mut m.expected[..], &mut m.scratch[..]);
    let divided = &mut m.divided[..];
    let mut room = Room { out, expected, divided, scratch, at: at..at + len, i16s: false, need: 0 };
    Some(same(&add, &mut room) && same(&lut, &mut room) && same(&gate, &mut room))
}

/// Random requantization with or without table and residual, for `channels` channels and sums of `taps` products.
fn epilogue<'a>(
    rng: &mut Rng,
    taps: usize,
    bias: &'a mut [i32],
    multipliers: &'a mut [i16],
    lut: &'a [i8; 256],
    residual: Option<&'a [i8]>,
) -> Epilogue<'a> {
    let zero = rng.activation();
    let (offset, shift) = requantization(rng, taps, bias, multipliers, zero);
    if rng.below(4) == 0 {
        // A ±2^30 accumulator: every bit of the product counts.
        bias.iter_mut().for_each(|b| *b = rng.bits() as i32 >> 1);
    }
    let residual = (rng.below(3) == 0).then(|| Residual {
        data: if rng.below(2) == 0 { residual } else { None },
        multiplier: rng.bits() as i16,
        shift: rng.below(8) as u8,
    });
    let lut = (rng.below(2) == 0).then_some(lut);
    Epilogue { bias, multipliers, offset, shift, residual, lut }
}

fn linear(m: &mut Buffers, rng: &mut Rng, inputs: usize) -> Option<bool> {
    let outputs = rng.below(14);
    let stride = row_stride(inputs);
    fill(rng, &mut m.a, -128);
    fill(rng, &mut m.b, -128);
    fill(rng, &mut m.lut, -128);
    fill(rng, bytes(&mut m.out), -128);
    rows(rng, &mut m.weights[..outputs * stride], inputs);
    let (at, a) = (start(rng), start(rng));
    let i16s = at % 4 == 0 && rng.below(3) == 0;
    let mut epilogue =
        epilogue(rng, inputs, &mut m.bias[..outputs], &mut m.multipliers[..outputs], &m.lut, Some(&m.b[..outputs]));
    if i16s {
        (epilogue.lut, epilogue.residual) = (None, None);
    }
    let linear = Linear { input: &m.a[a..a + inputs], weights: &m.weights[..outputs * stride], epilogue };
    let len = if i16s { 2 * outputs } else { outputs };
    let (out, expected, divided, scratch) = (&mut m.out, &mut m.expected, &mut m.divided, &mut m.scratch);
    Some(same(&linear, &mut Room { out, expected, divided, scratch, at: at..at + len, i16s, need: 0 }))
}

fn rows(rng: &mut Rng, weights: &mut [i8], taps: usize) {
    fill(rng, weights, -127);
    let stride = row_stride(taps).max(1);
    for row in weights.chunks_exact_mut(stride) {
        row[taps..].fill(0);
    }
}

/// A kernel of up to `most` rows and columns, and a padding below its reach.
fn window(rng: &mut Rng, most: usize) -> Window {
    let mut window =
        Window { kernel: [1 + rng.below(most), 1 + rng.below(most)], stride: [1; 2], pad: [0; 2], dilation: [1; 2] };
    for axis in 0..2 {
        if rng.below(4) == 0 {
            window.stride[axis] = 2;
        }
        if rng.below(4) == 0 {
            window.dilation[axis] = 2 + rng.below(2);
        }
        window.pad[axis] = rng.below((window.kernel[axis] - 1) * window.dilation[axis] + 1);
    }
    window
}

/// Rows or columns of the output: as many as the input, divided by the stride; what lies beyond is padding.
fn outputs(size: usize, window: &Window, axis: usize) -> usize {
    size.div_ceil(window.stride[axis])
}

/// What a convolution is like.
enum Shape {
    Any,
    /// One tap a channel, and the channels.
    Pointwise(usize),
    /// As Winograd's algorithm takes it.
    Winograd,
}

fn conv(m: &mut Buffers, rng: &mut Rng, shape: Shape) -> Option<bool> {
    let (mut window, mut channels) = (window(rng, 4), [1 + rng.below(9), 0]);
    match shape {
        Shape::Pointwise(taps) => {
            window = Window { kernel: [1; 2], stride: [1; 2], pad: [0; 2], dilation: [1; 2] };
            channels[0] = taps.max(1);
        }
        Shape::Winograd => {
            window.kernel = [1 + rng.below(3), 3];
            window.stride = [1; 2];
            window.dilation = if window.kernel[0] == 1 { [1, 1 + rng.below(3)] } else { [1; 2] };
            window.pad = [rng.below(window.kernel[0]), rng.below(2 * window.dilation[1] + 1)];
            channels[0] = 4 * (1 + rng.below(3));
        }
        Shape::Any if rng.below(8) == 0 => channels[0] = 30 + rng.below(20),
        Shape::Any => {}
    }
    if rng.below(2) == 0 {
        channels[0] = channels[0].next_multiple_of(4);
    }
    if !matches!(shape, Shape::Pointwise(_)) && rng.below(3) == 0 {
        channels[1] = if channels[0] % 4 == 0 { 4 * (1 + rng.below(3)) } else { 1 + rng.below(5) };
    }
    let total = channels[0] + channels[1];
    let [up_a, up_b] = [rng.below(4) == 0, channels[1] > 0 && rng.below(2) == 0];
    let even = |n: usize| if up_a || up_b { n.next_multiple_of(2) } else { n };
    let most = if matches!(shape, Shape::Winograd) { 11 } else { 7 };
    let (height, width) = (even(1 + rng.below(5)), even(1 + rng.below(most)));
    let (out_h, out_w) = (outputs(height, &window, 0), outputs(width, &window, 1));
    let taps = window.kernel[0] * window.kernel[1] * total;
    let mut out_c = 1 + rng.below(10);
    let tile_rows = if window.kernel[0] == 3 { 1 + rng.below(2) } else { 1 };
    let winograd = matches!(shape, Shape::Winograd).then(|| Winograd {
        rows: 1 + rng.below(out_h),
        groups: 1 + rng.below(3),
        tile_rows,
    });
    let groups = if winograd.is_none() && rng.below(10) == 0 && channels[1] == 0 { total } else { 1 };
    if groups > 1 {
        out_c = groups;
    }
    let stride = row_stride(taps / groups);
    let values = out_h * out_w * out_c;
    let i16s = rng.below(5) == 0;
    let len = if i16s { 2 * values } else { values };
    let need = winograd.map_or(0, |cut| cut.scratch(window.kernel[0], total)).max(conv_scratch(taps));
    let size = |c: usize, up: bool| (height >> up as usize) * (width >> up as usize) * c;
    let sizes = [size(channels[0], up_a), size(channels[1], up_b)];
    let room = sizes.iter().all(|&s| s + 2 * GUARD <= m.a.len())
        && values + 8 <= m.b.len()
        && len + 2 * GUARD <= 600
        && out_c * stride <= m.weights.len()
        && need + 2 * GUARD <= m.scratch.len()
        && out_c <= m.bias.len();
    if !room {
        return None;
    }
    fill(rng, &mut m.a, -128);
    fill(rng, &mut m.b, -128);
    fill(rng, &mut m.lut, -128);
    fill(rng, bytes(&mut m.out), -128);
    rows(rng, &mut m.weights[..out_c * stride], taps / groups);
    let (at, a, b) = (if i16s { GUARD } else { start(rng) }, start(rng), start(rng));
    let source = |data: &'static [i8], channels: usize, up: bool, zero_point: i8| Source {
        data,
        height: height >> up as usize,
        width: width >> up as usize,
        channels,
        upsample: up as u8,
        zero_point,
    };
    // SAFETY: the activations are not written while the sources are in use.
    let (data_a, data_b) = unsafe {
        let slice = |data: &[i8]| core::slice::from_raw_parts(data.as_ptr(), data.len());
        (slice(&m.a[a..a + sizes[0]]), slice(&m.b[b..b + sizes[1]]))
    };
    let mut epilogue =
        epilogue(rng, taps, &mut m.bias[..out_c], &mut m.multipliers[..out_c], &m.lut, Some(&m.b[4..4 + values]));
    if i16s {
        (epilogue.lut, epilogue.residual) = (None, None);
    }
    let conv = Conv {
        sources: (
            source(data_a, channels[0], up_a, rng.activation()),
            (channels[1] > 0).then(|| source(data_b, channels[1], up_b, rng.activation())),
        ),
        window,
        output: [out_h, out_w, out_c],
        groups,
        weights: &m.weights[..out_c * stride],
        epilogue,
        winograd,
    };
    let (out, expected, divided, scratch) = (&mut m.out, &mut m.expected, &mut m.divided, &mut m.scratch);
    let equal = same(&conv, &mut Room { out, expected, divided, scratch, at: at..at + len, i16s, need });
    if !equal {
        println!("{window:?} {height}×{width}×{channels:?}→{out_c}, groups {groups}, up {up_a} {up_b}, i16 {i16s}");
        println!("{winograd:?}");
        println!("starts {at} {a} {b}, table {}, {:?}", epilogue.lut.is_some(), epilogue.residual.map(|r| r.data));
    }
    Some(equal)
}

fn depthwise(m: &mut Buffers, rng: &mut Rng) -> Option<bool> {
    let mut window = window(rng, 4);
    if rng.below(2) == 0 {
        window = Window { kernel: [3; 2], stride: [1; 2], pad: [1; 2], dilation: [1; 2] };
    }
    let channels = match rng.below(4) {
        0 => 8 * (1 + rng.below(3)),
        1 => 4 * (1 + rng.below(5)),
        _ => 1 + rng.below(19),
    };
    let up = rng.below(4) == 0;
    let size = |n: usize| if up { n.next_multiple_of(2) } else { n };
    let (height, width) = (size(1 + rng.below(6)), size(1 + rng.below(7)));
    let (out_h, out_w) = (outputs(height, &window, 0), outputs(width, &window, 1));
    let taps = window.kernel[0] * window.kernel[1];
    let values = out_h * out_w * channels;
    let inputs = (height >> up as usize) * (width >> up as usize) * channels;
    let in_place = rng.below(2) == 0 && values == inputs && depthwise_in_place(&window, up as u8);
    let need = depthwise_scratch(&window, out_w);
    let room = inputs + 2 * GUARD <= m.a.len()
        && values + 2 * GUARD <= 600
        && taps * channels <= m.weights.len()
        && need + 2 * GUARD <= m.scratch.len();
    if !room {
        return None;
    }
    fill(rng, &mut m.a, -128);
    fill(rng, &mut m.b, -128);
    fill(rng, &mut m.lut, -128);
    fill(rng, bytes(&mut m.out), -128);
    fill(rng, &mut m.weights[..taps * channels], -127);
    let (at, a) = (start(rng), start(rng));
    let mut epilogue =
        epilogue(rng, taps, &mut m.bias[..channels], &mut m.multipliers[..channels], &m.lut, Some(&m.b[..values]));
    if in_place && epilogue.residual.is_some_and(|r| r.data.is_none()) {
        epilogue.residual = None;
    }
    let conv = Depthwise {
        source: Source {
            data: if in_place { &[] } else { &m.a[a..a + inputs] },
            height: height >> up as usize,
            width: width >> up as usize,
            channels,
            upsample: up as u8,
            zero_point: rng.activation(),
        },
        window,
        output: [out_h, out_w],
        weights: &m.weights[..taps * channels],
        epilogue,
    };
    let (out, expected, divided, scratch) = (&mut m.out, &mut m.expected, &mut m.divided, &mut m.scratch);
    let equal = same(&conv, &mut Room { out, expected, divided, scratch, at: at..at + values, i16s: false, need });
    if !equal {
        println!("{window:?} {height}×{width}×{channels}, up {up}, in place {in_place}, starts {at} {a}");
        println!("table {}, residual {}", epilogue.lut.is_some(), epilogue.residual.is_some());
    }
    Some(equal)
}
