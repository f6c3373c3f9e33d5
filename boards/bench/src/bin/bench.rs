//! Counts the instructions of each kernel on the shapes of the baseline table.
//!
//! Prints `row|name|macs|instructions` for each; every output is compared with the portable kernel.
//! With the argument `trace` each kernel runs once and alone, for a host that watches the instructions.
#![no_std]
#![no_main]

use bench::count;
use bench::data::{requantization, Rng};
use brownian::kernels::{
    conv_scratch, depthwise_scratch, row_stride, Add, Checked, Conv, Depthwise, Epilogue, Gate, Kernel, Linear, Source,
    Window, Winograd,
};
use semihosting::{println, process::exit};

enum Kind {
    /// Input channels, output channels, kernel rows and columns, dilation; output as large as the input.
    Conv(usize, usize, [usize; 2], usize),
    /// The same by Winograd's algorithm: rows in a band, groups of lanes at a time, rows of a tile.
    Winograd(usize, usize, [usize; 2], usize, [usize; 3]),
    /// Channels, 3×3.
    Depthwise(usize),
    /// Inputs and outputs.
    Linear(usize, usize),
    /// Channels.
    Add(usize),
    /// Channels.
    Gate(usize),
}
use Kind::{Add as Sum, Conv as Dense, Depthwise as Deep, Gate as Gated, Linear as Full, Winograd as Fast};

/// Name, height, width, kernel.
const ROWS: [(&str, usize, usize, Kind); 30] = [
    ("conv3x3 14×14×32→32", 14, 14, Dense(32, 32, [3, 3], 1)),
    ("conv3x3 7×7×64→64", 7, 7, Dense(64, 64, [3, 3], 1)),
    ("conv3x3 28×28×16→16", 28, 28, Dense(16, 16, [3, 3], 1)),
    ("conv3x3 28×28×1→16", 28, 28, Dense(1, 16, [3, 3], 1)),
    ("conv3x3 14×14×4→24", 14, 14, Dense(4, 24, [3, 3], 1)),
    ("conv1x1 14×14×32→32", 14, 14, Dense(32, 32, [1, 1], 1)),
    ("conv1x1 14×14×24→48", 14, 14, Dense(24, 48, [1, 1], 1)),
    ("conv1x1 7×7×64→64", 7, 7, Dense(64, 64, [1, 1], 1)),
    ("conv1x1 28×28×16→16", 28, 28, Dense(16, 16, [1, 1], 1)),
    ("depthwise3x3 28×28×16", 28, 28, Deep(16)),
    ("depthwise3x3 14×14×32", 14, 14, Deep(32)),
    ("depthwise3x3 7×7×64", 7, 7, Deep(64)),
    ("depthwise3x3 14×14×24", 14, 14, Deep(24)),
    ("fully connected 64→64", 1, 1, Full(64, 64)),
    ("fully connected 128→128", 1, 1, Full(128, 128)),
    ("elementwise add 14×14×32", 14, 14, Sum(32)),
    ("conv1d 1024×16→32, k=3, dilation 4", 1, 1024, Dense(16, 32, [1, 3], 4)),
    ("gate 1024×16", 1, 1024, Gated(16)),
    ("gate 1024×64", 1, 1024, Gated(64)),
    ("conv3x3 14×14×32→32, winograd 27 KB", 14, 14, Fast(32, 32, [3, 3], 1, [14, 1, 1])),
    ("conv3x3 14×14×32→32, winograd 17 KB", 14, 14, Fast(32, 32, [3, 3], 1, [7, 1, 1])),
    ("conv3x3 7×7×64→64, winograd 24 KB", 7, 7, Fast(64, 64, [3, 3], 1, [4, 1, 1])),
    ("conv3x3 28×28×16→16, winograd 48 KB", 28, 28, Fast(16, 16, [3, 3], 1, [14, 4, 1])),
    ("conv3x3 28×28×16→16, winograd 15 KB", 28, 28, Fast(16, 16, [3, 3], 1, [14, 1, 1])),
    ("conv3x3 14×14×32→32, winograd 2×4 46 KB", 14, 14, Fast(32, 32, [3, 3], 1, [14, 1, 2])),
    ("conv3x3 14×14×32→32, winograd 2×4 28 KB", 14, 14, Fast(32, 32, [3, 3], 1, [8, 1, 2])),
    ("conv3x3 14×14×32→32, winograd 2×4 16 KB", 14, 14, Fast(32, 32, [3, 3], 1, [4, 1, 2])),
    ("conv3x3 7×7×64→64, winograd 2×4 31 KB", 7, 7, Fast(64, 64, [3, 3], 1, [4, 1, 2])),
    ("conv3x3 28×28×16→16, winograd 2×4 45 KB", 28, 28, Fast(16, 16, [3, 3], 1, [4, 7, 2])),
    ("conv1d 1024×16→32, k=3, dilation 4, winograd 14 KB", 1, 1024, Fast(16, 32, [1, 3], 4, [1, 16, 1])),
];

#[repr(align(16))]
struct Buffers {
    input: [i8; 65536],
    other: [i8; 65536],
    output: [i8; 65536],
    expected: [i8; 65536],
    weights: [i8; 36864],
    bias: [i32; 128],
    multipliers: [i16; 128],
    scratch: [i8; 53248],
}

static mut BUFFERS: Buffers = Buffers {
    input: [0; 65536],
    other: [0; 65536],
    output: [0; 65536],
    expected: [0; 65536],
    weights: [0; 36864],
    bias: [0; 128],
    multipliers: [0; 128],
    scratch: [0; 53248],
};

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    let calibration = count::calibrate();
    if calibration != 1000 {
        println!("error: 1000 nops count as {calibration}: run under `-icount shift=0` on the machine built for");
        exit(3);
    }
    let arguments = semihosting::experimental::env::args::<256>();
    let trace = arguments.is_ok_and(|a| a.filter_map(Result::ok).any(|word| word == "trace"));
    let buffers = &raw mut BUFFERS;
    // SAFETY: the only use of BUFFERS, and main runs once.
    let buffers = unsafe { &mut *buffers };
    let mut wrong = 0;
    for (name, height, width, kind) in &ROWS {
        let (macs, instructions, equal) = run(buffers, *height, *width, kind, trace);
        println!("row|{name}|{macs}|{instructions}|{}", if equal { "equal" } else { "WRONG" });
        wrong += i32::from(!equal);
    }
    println!("done");
    exit(wrong)
}

/// Runs one row twice, or once for a `trace`; returns its nominal MACs, its instructions and whether the output is
/// right.
fn run(b: &mut Buffers, height: usize, width: usize, kind: &Kind, trace: bool) -> (usize, u32, bool) {
    let mut rng = Rng(7);
    let (channels, outputs, taps, rows) = match *kind {
        Dense(i, o, [h, w], _) | Fast(i, o, [h, w], ..) => (i, o, h * w * i, o),
        Deep(c) => (c, c, 9, 0),
        Full(i, o) => (i, o, i, o),
        Sum(c) | Gated(c) => (c, c, 1, 0),
    };
    let (size, out_size) = (height * width * channels, height * width * outputs);
    rng.activations(&mut b.input[..size]);
    rng.activations(&mut b.other[..size]);
    rng.rows(&mut b.weights[..rows * row_stride(taps)], taps);
    if let Deep(c) = kind {
        b.weights[..9 * c].iter_mut().for_each(|w| *w = rng.weight());
    }
    let zero_point = -9;
    let (offset, shift) = requantization(&mut rng, taps, &mut b.bias[..outputs], &mut b.multipliers[..outputs], 11);
    let epilogue = Epilogue {
        bias: &b.bias[..outputs],
        multipliers: &b.multipliers[..outputs],
        offset,
        shift,
        residual: None,
        lut: None,
    };
    let source = Source { data: &b.input[..size], height, width, channels, upsample: 0, zero_point };
    let window = |kernel: [usize; 2], d: usize| Window {
        kernel,
        stride: [1, 1],
        pad: [(kernel[0] - 1) * d / 2, (kernel[1] - 1) * d / 2],
        dilation: [d, d],
    };
    let mut room =
        Room { out: &mut b.output[..out_size], expected: &mut b.expected[..out_size], scratch: &mut b.scratch, trace };
    let (macs, (instructions, equal)) = match *kind {
        Dense(_, _, kernel, dilation) | Fast(_, _, kernel, dilation, _) => {
            let winograd = match *kind {
                Fast(.., [rows, groups, tile_rows]) => Some(Winograd { rows, groups, tile_rows }),
                _ => None,
            };
            let conv = Conv {
                sources: (source, None),
                window: window(kernel, dilation),
                output: [height, width, outputs],
                groups: 1,
                weights: &b.weights[..rows * row_stride(taps)],
                epilogue,
                winograd,
            };
            let need = winograd.map_or(0, |cut| cut.scratch(kernel[0], channels)).max(conv_scratch(taps));
            let result = room.count(&conv, need);
            (out_size * taps, result)
        }
        Deep(c) => {
            let conv = Depthwise {
                source,
                window: window([3, 3], 1),
                output: [height, width],
                weights: &b.weights[..9 * c],
                epilogue,
            };
            let result = room.count(&conv, depthwise_scratch(&conv.window, width));
            (out_size * 9, result)
        }
        Full(..) => {
            let linear = Linear { input: &b.input[..size], weights: &b.weights[..rows * row_stride(taps)], epilogue };
            let result = room.count(&linear, 0);
            (out_size * taps, result)
        }
        Sum(_) => {
            let add = Add {
                a: Some(&b.input[..size]),
                b: &b.other[..size],
                multipliers: [21000, 12345],
                offset: (1 << 14) + (5 << 15),
                shift: 15,
                lut: None,
            };
            let result = room.count(&add, 0);
            (out_size, result)
        }
        Gated(_) => {
            let (tables, _) = b.weights.as_chunks_mut::<256>();
            tables[..2].iter_mut().for_each(|table| rng.activations(table));
            let tables = [&tables[0], &tables[1]];
            let (a, b) = (Some(&b.input[..size]), &b.other[..size]);
            let gate = Gate { a, b, tables, multiplier: 21000, offset: (1 << 19) + (5 << 20), shift: 20 };
            let result = room.count(&gate, 0);
            (out_size, result)
        }
    };
    (macs, instructions, equal)
}

/// Where a kernel writes, and its scratch.
struct Room<'a> {
    out: &'a mut [i8],
    expected: &'a mut [i8],
    scratch: &'a mut [i8],
    trace: bool,
}

impl Room<'_> {
    /// Runs the kernel twice, or once for a trace; returns its instructions, and whether its output is right.
    fn count(&mut self, kernel: &impl Kernel, scratch: usize) -> (u32, bool) {
        let scratch = &mut self.scratch[..scratch];
        if !self.trace {
            checked(kernel, self.expected, scratch).run_portable();
            self.out.fill(0x55);
        }
        let mut call = checked(kernel, self.out, scratch);
        let mut run = || call.run();
        let first = count::instructions(&mut run);
        if self.trace {
            return (first, true);
        }
        let second = count::instructions(&mut run);
        (first, first == second && self.out == self.expected)
    }
}

fn checked<'a, K: Kernel>(kernel: &'a K, out: &'a mut [i8], scratch: &'a mut [i8]) -> Checked<'a, K> {
    Checked::new(kernel, out, scratch).unwrap_or_else(|misfit| {
        println!("error: a row is wrong: {misfit}");
        exit(1)
    })
}
