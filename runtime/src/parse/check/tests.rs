//! What parsing says of files that are wrong, and how much it looks at.

extern crate std;
use super::*;
use crate::format::{work, AxisHeader, Conditioning, PlanHeader, PlanRules, Process, TableError, TableFault};
use crate::host::{encode, encode_item, AlignedBytes};
use crate::model::Model;
use crate::ops::{
    ChannelBias, Conv2d, ConvInput, Depthwise, Linear, Lut, Op, Requantization, StepBias, WindowSpec, WinogradConv2d,
};
use crate::parse::{AxisFault, ParseError, PlanFault, MAX_OPS, MAX_PLANS, MAX_VALUES};
use crate::plan::{Start, STEP_LEN};
use crate::process::StateKind;
use std::format;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

pub(super) const I8: Element = Element::I8;

pub(super) fn tensor(offset: u32, channels: u16, element: Element) -> Tensor {
    Tensor { offset, shape: [1, 1, channels], element, zero_point: 0 }
}

/// The parts of a file; [`Parts::parse`] puts them together.
pub(super) struct Parts {
    pub(super) ops: Vec<Op>,
    pub(super) plans: Vec<(String, u16, u32)>,
    pub(super) blob: Vec<u8>,
    pub(super) input: Tensor,
    pub(super) output: Tensor,
    pub(super) arena_len: u32,
    state_len: u32,
    kind: StateKind,
    pub(super) conditioning: Conditioning<'static>,
}

const BIAS: u32 = 0;
const MULTIPLIERS: u32 = 64;
const STEPS: u32 = 128;
pub(super) const WEIGHTS: u32 = 256;

pub(super) const REQUANTIZATION: Requantization = Requantization {
    bias: BIAS,
    multipliers: MULTIPLIERS,
    offset: 0,
    shift: 1,
    step_bias: None,
    residual: None,
    lut: None,
};

/// A dense layer from `input` to `output`.
pub(super) fn linear(input: Tensor, output: Tensor) -> Linear {
    Linear { input, output, weights: WEIGHTS, requantization: REQUANTIZATION, scratch: 0 }
}

impl Parts {
    /// One dense layer with two inputs and two outputs, and one plan of one step.
    pub(super) fn new() -> Self {
        let (input, output) = (tensor(0, 2, I8), tensor(4, 2, Element::I16));
        Self {
            ops: vec![Op::Linear(linear(input, output))],
            plans: vec![("one".into(), 1, STEPS)],
            blob: vec![0; 512],
            input,
            output,
            arena_len: 64,
            state_len: 2,
            kind: StateKind::F32,
            conditioning: Conditioning {
                columns: 0,
                time_rows: 0,
                time_table: 0,
                class_table: 0,
                axis_count: 0,
                axes: &[],
            },
        }
    }

    pub(super) fn bytes(&self) -> AlignedBytes {
        let (mut ops, mut plans) = (vec![], vec![]);
        self.ops.iter().for_each(|op| encode_item(op, &mut ops).unwrap());
        for (name, steps, table) in &self.plans {
            encode_item(
                &PlanHeader { name, steps: *steps, table: *table, rules: PlanRules::new(true, Start::Normal) },
                &mut plans,
            )
            .unwrap();
        }
        self.file(&ops, &plans)
    }

    fn file(&self, ops: &[u8], plans: &[u8]) -> AlignedBytes {
        let header = Header {
            process: Process::Gaussian,
            name: "n",
            provenance: "",
            input: self.input,
            input_inverse_scale: 1.0,
            output: self.output,
            output_scale: 1.0,
            conditioning: self.conditioning,
            plan_count: self.plans.len() as u16,
            plans,
            op_count: self.ops.len() as u16,
            ops,
        };
        AlignedBytes::from(&encode(&header, &self.blob, self.arena_len, (self.state_len, self.kind)).unwrap()[..])
    }

    pub(super) fn parse(&self) -> Result<(), ParseError> {
        Model::parse(self.bytes().bytes()).map(|_| ())
    }
}

/// What is said of parts that `change` has made wrong.
fn error(change: impl FnOnce(&mut Parts)) -> ParseError {
    let mut parts = Parts::new();
    assert_eq!(parts.parse(), Ok(()));
    change(&mut parts);
    parts.parse().unwrap_err()
}

/// What is said of the one op when it is this one.
fn fault(op: Op) -> OpFault {
    match error(|parts| parts.ops = vec![op]) {
        ParseError::Op { op: 0, fault } => fault,
        other => panic!("{other:?}"),
    }
}

fn table(table: Table, fault: TableFault) -> TableError {
    TableError { table, fault }
}

#[test]
fn limits_are_named_as_what_they_are() {
    assert_eq!(error(|p| p.arena_len = (1 << 24) + 16), ParseError::ArenaTooLarge { found: (1 << 24) + 16 });
    assert_eq!(error(|p| p.ops = vec![p.ops[0]; 257]), ParseError::TooManyOps { found: 257 });
    let many = |p: &mut Parts| p.plans = (0..65).map(|i| (format!("p{i}"), 1, STEPS)).collect();
    assert_eq!(error(many), ParseError::TooManyPlans { found: 65 });
}

#[test]
fn too_many_multiply_accumulates_are_said_to_be() {
    // 512·511 pixels, 16 channels to 16: 67 M products an op, so the seventeenth is one too many.
    let image = Tensor { offset: 0, shape: [512, 511, 16], element: I8, zero_point: 0 };
    let len = image.len() as u32;
    let mut parts = Parts::new();
    let conv = |i: u32| Conv2d {
        a: ConvInput { tensor: Tensor { offset: i % 2 * len, ..image }, upsample: false },
        b: None,
        output: Tensor { offset: (i + 1) % 2 * len, ..image },
        window: WindowSpec { kernel: [1, 1], stride: [1, 1], pad: [0, 0], dilation: [1, 1] },
        groups: 1,
        weights: WEIGHTS,
        requantization: REQUANTIZATION,
        scratch: 4 * len,
    };
    parts.ops = (0..17).map(|i| Op::Conv2d(conv(i))).collect();
    parts.input = image;
    parts.output = Tensor { offset: 2 * len, element: Element::I16, ..image };
    parts.blob = vec![0; 17 * 320];
    parts.arena_len = 4 * len + 256;
    let error = parts.parse().unwrap_err();
    assert_eq!(error, ParseError::TooManyMacs { op: 16 });
    assert!(error.to_string().contains("1073741824 multiply-accumulates"), "{error}");
}

#[test]
fn winograd_needs_what_makes_it_exact() {
    // One pixel of `channels` channels under 3×3 taps, behind an op that leaves the network's output.
    let tiles = |channels: u16, tile_rows: u8, change: &dyn Fn(&mut WinogradConv2d)| {
        let input = Tensor { offset: 16, shape: [1, 1, channels], element: I8, zero_point: 0 };
        let end = (input.offset + input.len() as u32).next_multiple_of(4);
        let output = Tensor { offset: end, shape: [1, 1, 1], ..input };
        let layer = Conv2d {
            a: ConvInput { tensor: input, upsample: false },
            b: None,
            output,
            window: WindowSpec { kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1] },
            groups: 1,
            weights: WEIGHTS,
            requantization: REQUANTIZATION,
            scratch: end + 4,
        };
        let mut conv = WinogradConv2d { layer, rows: 1, groups: 1, tile_rows };
        let mut parts = Parts::new();
        parts.blob.resize(512 + 9 * usize::from(channels), 0);
        parts.arena_len = (layer.scratch + conv.scratch_len() as u32).next_multiple_of(16);
        change(&mut conv);
        parts.ops.push(Op::WinogradConv2d(conv));
        match parts.parse() {
            // What comes last: nothing has written its input.
            Err(ParseError::Op { op: 1, fault: OpFault::Unwritten }) => None,
            Err(ParseError::Op { op: 1, fault }) => Some(fault),
            other => panic!("{other:?}"),
        }
    };
    let with = |channels: u16, change: &dyn Fn(&mut WinogradConv2d)| tiles(channels, 1, change);
    // |Σ w·x| < 2^28 holds for 1,832 channels, and no longer for four more, which a direct convolution may have.
    assert_eq!(with(1832, &|_| ()), None);
    assert_eq!(with(1836, &|_| ()), Some(OpFault::Winograd));
    assert_eq!(with(6, &|_| ()), Some(OpFault::Winograd));
    // Tiles of two rows want 2^27, and three rows of taps.
    assert_eq!(tiles(916, 2, &|_| ()), None);
    assert_eq!(tiles(920, 2, &|_| ()), Some(OpFault::Winograd));
    let row = |c: &mut WinogradConv2d| (c.layer.window.kernel, c.layer.window.pad) = ([1, 3], [0, 1]);
    assert_eq!(tiles(8, 2, &row), Some(OpFault::Winograd));
    assert_eq!(tiles(8, 3, &|_| ()), Some(OpFault::Winograd));
    assert_eq!(tiles(8, 0, &|_| ()), Some(OpFault::Winograd));
    assert_eq!(with(8, &|c| c.layer.window.kernel = [3, 2]), Some(OpFault::Winograd));
    assert_eq!(with(8, &|c| c.layer.window.stride = [1, 2]), Some(OpFault::Winograd));
    assert_eq!(with(8, &|c| c.layer.window.dilation = [2, 1]), Some(OpFault::Winograd));
    assert_eq!(with(8, &|c| c.layer.window.dilation = [1, 2]), None);
    assert_eq!(with(8, &|c| c.rows = 0), Some(OpFault::Shape));
    assert_eq!(with(8, &|c| c.rows = 2), Some(OpFault::Shape));
    assert_eq!(with(8, &|c| c.groups = 0), Some(OpFault::Shape));
    assert_eq!(with(8, &|c| c.groups = u16::MAX), Some(OpFault::Outside));
    assert_eq!(with(8, &|c| c.layer.scratch += 16), Some(OpFault::Outside));
}

#[test]
fn a_large_ring_is_not_an_accumulator() {
    let image = Tensor { offset: 0, shape: [200, 1, 1], element: I8, zero_point: 0 };
    let depthwise = Depthwise {
        input: ConvInput { tensor: image, upsample: false },
        output: Tensor { offset: 256, shape: [1, 1, 1], ..image },
        window: WindowSpec { kernel: [100, 2], stride: [1, 1], pad: [0, 30_000], dilation: [600, 60_000] },
        weights: WEIGHTS,
        requantization: REQUANTIZATION,
        scratch: 260,
    };
    let ring = error(|p| (p.ops, p.arena_len) = (vec![Op::Depthwise(depthwise)], 1024));
    assert_eq!(ring, ParseError::Op { op: 0, fault: OpFault::Ring });
    assert!(ring.to_string().contains("rows"), "{ring}");
}

#[test]
fn outside_and_misaligned_are_told_apart() {
    let (input, output) = (tensor(0, 2, I8), tensor(4, 2, Element::I16));
    let with = |change: &dyn Fn(&mut Linear)| {
        let mut op = linear(input, output);
        change(&mut op);
        fault(Op::Linear(op))
    };
    assert_eq!(with(&|l| l.output.offset = 64), OpFault::Outside);
    assert_eq!(with(&|l| l.output.offset = 6), OpFault::Misaligned);
    assert_eq!(with(&|l| l.weights = 508), OpFault::Table(table(Table::Weights, TableFault::Outside)));
    assert_eq!(with(&|l| l.weights = 258), OpFault::Table(table(Table::Weights, TableFault::Misaligned)));
    assert_eq!(with(&|l| l.requantization.bias = 1), OpFault::Table(table(Table::Bias, TableFault::Misaligned)));
    let multipliers = |l: &mut Linear| l.requantization.multipliers = u32::MAX;
    assert_eq!(with(&multipliers), OpFault::Table(table(Table::Multipliers, TableFault::Misaligned)));
    let multipliers = |l: &mut Linear| l.requantization.multipliers = u32::MAX - 1;
    assert_eq!(with(&multipliers), OpFault::Table(table(Table::Multipliers, TableFault::Outside)));
    let time = |p: &mut Parts| (p.conditioning.columns, p.conditioning.time_rows) = (3, 1000);
    assert_eq!(error(time), ParseError::Table(table(Table::Time, TableFault::Outside)));
    let class = |p: &mut Parts| {
        (p.conditioning.columns, p.conditioning.class_table) = (3, 1);
        set_axes(p, &[("class", 1, &["0"])]);
    };
    assert_eq!(error(class), ParseError::Table(table(Table::Class, TableFault::Misaligned)));
    assert!(error(class).to_string().contains("biases by class do not start at a multiple"));
}

#[test]
fn the_ends_and_the_lengths_are_named() {
    assert_eq!(error(|p| p.input.offset = 64), ParseError::Input(OpFault::Outside));
    assert_eq!(error(|p| p.output.element = I8), ParseError::Output(OpFault::Element));
    assert_eq!(error(|p| p.output.shape[2] = 3), ParseError::Output(OpFault::Shape));
    assert_eq!(error(|p| p.output.offset = 12), ParseError::Output(OpFault::Unwritten));
    assert_eq!(error(|p| p.state_len = 3), ParseError::Announced { expected: 2, found: 3 });
}

#[test]
fn plans_are_named_with_what_is_wrong() {
    let plan = |index, fault| ParseError::Plan { plan: index, fault };
    assert_eq!(error(|p| p.plans[0].0 = "".into()), plan(0, PlanFault::Name));
    assert_eq!(error(|p| p.plans[0].0 = "x".repeat(33)), plan(0, PlanFault::Name));
    assert_eq!(error(|p| p.plans.push(p.plans[0].clone())), plan(1, PlanFault::Repeated));
    assert_eq!(error(|p| p.plans[0].1 = 0), plan(0, PlanFault::Empty));
    let outside = PlanFault::Table(table(Table::Steps, TableFault::Outside));
    assert_eq!(error(|p| p.plans[0].1 = 100), plan(0, outside));
    let infinite = |p: &mut Parts| p.blob[STEPS as usize + 8..][..4].copy_from_slice(&f32::INFINITY.to_le_bytes());
    assert_eq!(error(infinite), plan(0, PlanFault::NotFinite { step: 0 }));
    let row =
        |p: &mut Parts| (p.conditioning.columns, p.conditioning.time_rows, p.blob[STEPS as usize + 4]) = (1, 1, 1);
    assert_eq!(error(row), plan(0, PlanFault::TimeRow { step: 0 }));
}

#[test]
fn numbers_without_an_op_are_unknown() {
    let mut parts = Parts::new();
    let mut ops = vec![];
    encode_item(&parts.ops[0], &mut ops).unwrap();
    let op = |ops: &[u8]| {
        let mut plans = vec![];
        encode_item(
            &PlanHeader { name: "one", steps: 1, table: STEPS, rules: PlanRules::new(true, Start::Normal) },
            &mut plans,
        )
        .unwrap();
        Model::parse(parts.file(ops, &plans).bytes()).map(|_| ()).unwrap_err()
    };
    assert_eq!(op(&[&[99], &ops[1..]].concat()), ParseError::Op { op: 0, fault: OpFault::Unknown });
    assert_eq!(op(&ops[..ops.len() - 1]), ParseError::Op { op: 0, fault: OpFault::Encoding });
    assert_eq!(op(&[&ops[..], &[0]].concat()), ParseError::Op { op: 1, fault: OpFault::Encoding });
    parts.plans.clear();
    assert_eq!(parts.parse(), Ok(()));
}

#[test]
fn an_unknown_process_is_said_to_be() {
    let mut bytes = Parts::new().bytes();
    bytes.bytes_mut()[crate::format::PREFIX_LEN] = 2;
    let end = bytes.bytes().len() - 4;
    let crc = crate::format::CRC.checksum(&bytes.bytes()[..end]);
    bytes.bytes_mut()[end..].copy_from_slice(&crc.to_le_bytes());
    let error = Model::parse(bytes.bytes()).unwrap_err();
    assert_eq!(error, ParseError::Process { found: 2 });
    assert!(error.to_string().contains("process number 2"));
}

#[test]
fn a_state_is_of_its_process() {
    for (kind, fits) in [(StateKind::F32, true), (StateKind::F16, true), (StateKind::Bits, false)] {
        let mut parts = Parts::new();
        parts.kind = kind;
        let fault = Model::parse(parts.bytes().bytes()).err();
        assert_eq!(fault, (!fits).then_some(ParseError::Reserved), "{kind:?}");
    }
}

/// A chain of activation tables, each from a buffer of its own to the next.
fn steps_apart(count: u32) -> Result<(), ParseError> {
    let mut parts = Parts::new();
    let at = |i: u32| tensor(8 * i, 2, I8);
    parts.ops = (0..count).map(|i| Op::Lut(Lut { input: at(i), output: at(i + 1), table: 0 })).collect();
    parts.output.offset = 8 * count + 8;
    parts.ops.push(Op::Linear(linear(at(count), parts.output)));
    parts.arena_len = parts.output.offset + 8;
    parts.parse()
}

#[test]
fn as_many_buffers_as_the_limit_lie_side_by_side() {
    // The network's input and output are two of them.
    assert_eq!(steps_apart(MAX_VALUES as u32 - 2), Ok(()));
    let op = MAX_VALUES as u16 - 1;
    assert_eq!(steps_apart(MAX_VALUES as u32 - 1), Err(ParseError::Op { op, fault: OpFault::TooManyValues }));
}

#[test]
fn what_was_overwritten_is_not_read() {
    let (a, b, c) = (tensor(0, 8, I8), tensor(8, 8, I8), tensor(16, 8, I8));
    let lut = |input, output| Op::Lut(Lut { input, output, table: 0 });
    let parse = |ops: &[Op]| {
        let mut parts = Parts::new();
        (parts.input, parts.output) = (a, tensor(32, 8, Element::I16));
        parts.ops = ops.to_vec();
        parts.ops.push(Op::Linear(linear(c, parts.output)));
        (parts.state_len, parts.arena_len) = (8, 64);
        parts.parse()
    };
    let unwritten = |op| Err(ParseError::Op { op, fault: OpFault::Unwritten });
    assert_eq!(parse(&[lut(a, b), lut(b, c)]), Ok(()));
    assert_eq!(parse(&[lut(b, c)]), unwritten(0));
    assert_eq!(parse(&[lut(a, b), lut(a, c)]), Ok(()), "what nothing has touched is still there");
    assert_eq!(parse(&[lut(a, a), lut(a, c)]), Ok(()), "in place");
    // A part of a is written over, then a is read.
    let part = Tensor { shape: [1, 1, 4], ..a };
    let half = Tensor { offset: 4, ..part };
    assert_eq!(parse(&[lut(part, part)]), unwritten(0), "it was written as a part of something else");
    let bias = ChannelBias {
        input: a,
        output: b,
        step_bias: StepBias { column: 0, shift: 0 },
        multiplier: 1,
        offset: 0,
        shift: 1,
    };
    assert_eq!(parse(&[Op::ChannelBias(bias)]), Err(ParseError::Op { op: 0, fault: OpFault::Column }));
    assert_eq!(parse(&[lut(a, b), lut(b, c), lut(half, half), lut(a, c)]), unwritten(2));
    // The scratch of a layer lies over b.
    let narrow = tensor(24, 8, I8);
    let layer = Linear {
        requantization: Requantization { step_bias: Some(StepBias { column: 0, shift: 0 }), ..REQUANTIZATION },
        scratch: 8,
        ..linear(a, narrow)
    };
    let mut parts = Parts::new();
    (parts.input, parts.output) = (a, tensor(40, 8, Element::I16));
    (parts.conditioning.columns, parts.conditioning.time_rows) = (8, 1);
    let layer = Linear { output: Tensor { offset: 56, ..narrow }, ..layer };
    parts.ops = vec![lut(a, b), Op::Linear(layer), Op::Linear(linear(b, parts.output))];
    (parts.state_len, parts.arena_len) = (8, 80);
    parts.blob.resize(1024, 0);
    assert_eq!(parts.parse(), unwritten(2));
}

/// What parsing decodes and examines of a file, in bytes, as a multiple of the file's length.
fn work_per_byte(parts: &Parts) -> f64 {
    let bytes = parts.bytes();
    work::take();
    let _ = Model::parse(bytes.bytes());
    work::take() as f64 / bytes.bytes().len() as f64
}

#[test]
fn the_work_grows_with_the_file_alone() {
    // As many ops as there may be, each reading what the one before has written.
    let (a, b) = (tensor(0, 2, I8), tensor(8, 2, I8));
    let mut many = Parts::new();
    many.ops = (0..u32::from(MAX_OPS) - 1)
        .map(|i| {
            let (input, output) = if i % 2 == 0 { (a, b) } else { (b, a) };
            Op::Lut(Lut { input, output, table: 0 })
        })
        .collect();
    many.output.offset = 16;
    many.ops.push(Op::Linear(linear(b, many.output)));
    assert_eq!(many.parse(), Ok(()));
    assert!(work_per_byte(&many) <= 1.0, "{}", work_per_byte(&many));

    // All of them examine the same large table of weights.
    let mut shared = Parts::new();
    let wide = tensor(4, 1000, I8);
    shared.blob = vec![0; 256 + 4 * 1000];
    shared.arena_len = 4096;
    let layer = |i: u32| {
        let output = if i.is_multiple_of(2) { tensor(1004, 4, I8) } else { tensor(1008, 4, I8) };
        Op::Linear(linear(wide, output))
    };
    shared.input = wide;
    shared.output = Tensor { element: Element::I16, offset: 1200, ..wide };
    shared.ops = (0..u32::from(MAX_OPS)).map(layer).collect();
    let refused = OpFault::Table(table(Table::Weights, TableFault::Shared));
    assert_eq!(shared.parse(), Err(ParseError::Op { op: 1, fault: refused }));
    assert!(work_per_byte(&shared) <= 1.0);

    // As many plans as there may be, with the longest names, all with the same long table of steps.
    let mut plans = Parts::new();
    let steps = 1000;
    plans.blob = vec![0; STEPS as usize + steps * STEP_LEN];
    let name = |i: u16| format!("{:0>32}", i);
    plans.plans = (0..MAX_PLANS).map(|i| (name(i), steps as u16, STEPS)).collect();
    let refused = PlanFault::Table(table(Table::Steps, TableFault::Shared));
    assert_eq!(plans.parse(), Err(ParseError::Plan { plan: 1, fault: refused }));
    assert!(work_per_byte(&plans) <= 1.0);
    let mut step = 0;
    plans.plans.iter_mut().for_each(|plan| {
        (plan.1, plan.2) = (1, STEPS + step);
        step += STEP_LEN as u32;
    });
    assert_eq!(plans.parse(), Ok(()));
    // A name is compared with those before it, at most MAX_PLANS: a constant, not the file's length.
    assert!(work_per_byte(&plans) <= 1.0 + f64::from(MAX_PLANS) / 2.0);
}

/// Gives the parts axes of labels: a name, the number of classes, and their names.
fn set_axes(parts: &mut Parts, axes: &[(&str, u16, &[&str])]) {
    let mut list = vec![];
    for (name, classes, names) in axes {
        let mut class_names = vec![];
        names.iter().for_each(|name| encode_item(name, &mut class_names).unwrap());
        encode_item(&AxisHeader { name, classes: *classes, class_names: &class_names }, &mut list).unwrap();
    }
    parts.conditioning.axis_count = axes.len() as u16;
    parts.conditioning.axes = list.leak();
}

#[test]
fn axes_of_labels_are_checked() {
    let with = |axes: &[(&str, u16, &[&str])]| error(|p| set_axes(p, axes));
    let at = |axis, fault| ParseError::Axis { axis, fault };
    let long = "x".repeat(65);
    let names: &[&str] = &["short", "long"];
    assert_eq!(with(&[("hair", 2, names), ("", 2, names)]), at(1, AxisFault::Name));
    assert_eq!(with(&[(&long, 2, names)]), at(0, AxisFault::Name));
    assert_eq!(with(&[("hair", 0, &[])]), at(0, AxisFault::Empty));
    assert_eq!(with(&[("hair", 3, names)]), at(0, AxisFault::ClassName { class: 2 }));
    assert_eq!(with(&[("hair", 2, &["short", ""])]), at(0, AxisFault::ClassName { class: 1 }));
    assert_eq!(with(&[("hair", 2, &[&long, "long"])]), at(0, AxisFault::ClassName { class: 0 }));
    assert_eq!(with(&[("hair", 1, names)]), at(0, AxisFault::Encoding));
    assert_eq!(with(&[("hair", 2, names); 9]), ParseError::TooManyAxes { found: 9 });
    let many = vec!["x"; 65_535];
    assert_eq!(with(&[("hair", 65_535, &many)]), at(0, AxisFault::TooManyClasses));
    let cut = error(|p| {
        set_axes(p, &[("hair", 2, names)]);
        p.conditioning.axis_count = 2;
    });
    assert_eq!(cut, at(1, AxisFault::Encoding));
    let rest = error(|p| {
        set_axes(p, &[("hair", 2, names)]);
        p.conditioning.axis_count = 0;
    });
    assert_eq!(rest, at(0, AxisFault::Encoding));
    // Names that are not UTF-8: of a class, and of an axis.
    for (at_byte, fault) in [(8, AxisFault::ClassName { class: 0 }), (1, AxisFault::Encoding)] {
        let not_text = error(|p| {
            set_axes(p, &[("hair", 2, names)]);
            let mut bytes = p.conditioning.axes.to_vec();
            bytes[at_byte] = 0xff;
            p.conditioning.axes = bytes.leak();
        });
        assert_eq!(not_text, at(0, fault));
    }
    let mut parts = Parts::new();
    let conditioning = &mut parts.conditioning;
    (conditioning.columns, conditioning.time_rows) = (2, 1);
    (conditioning.time_table, conditioning.class_table) = (256, 256);
    set_axes(&mut parts, &[("hair", 2, names), ("mood", 1, &["gl\u{fc}cklich"])]);
    let file = parts.bytes();
    let model = Model::parse(file.bytes()).unwrap();
    assert_eq!(model.class_counts(), [2, 1]);
    let mood = model.axis("mood").unwrap();
    assert_eq!((mood.index(), mood.class("gl\u{fc}cklich"), mood.class("sad")), (1, Some(0), None));
    assert!(model.axes().map(|axis| axis.len()).eq([2, 1]));
}
