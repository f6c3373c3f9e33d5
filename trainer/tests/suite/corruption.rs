//! No file, however corrupt, makes the runtime panic, hang or leave its memory.

use brownian::format::{self, Element, PlanHeader, Read, Reader, Table, TableError, TableFault, Tensor};
use brownian::host;
use brownian::host::{AlignedBytes, ChainMemory, PlanSpec};
use brownian::ops::{self, Op};
use brownian::plan::schedule::Schedule;
use brownian::plan::Prediction;
use brownian::{with_state_element, Model, OpFault, ParseError, Sampler, StateElement, StateKind};
use brownian_trainer::data::Axis;
use brownian_trainer::graph::{Builder, ConvGeometry, Shape};
use brownian_trainer::lower::{
    self,
    calibrate::{calibrate, RangeChoice},
    Export,
};
use brownian_trainer::ops::{
    Activation, Add, ChannelBiasLayer, Concat, ConvLayer, DepthToSpace, Gate, LinearLayer, LocalCondition, Positions,
    SpaceToDepth, Upsample,
};
use brownian_trainer::plans::NamedPlan;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What is particular about a small model.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    /// Four-bit weights.
    Packed,
    /// Two label axes, and a state of f16.
    AxesAndHalves,
    /// Of the binomial process.
    Bits,
}

fn axes() -> [Axis; 2] {
    let axis = |name: &str, classes: &[&str]| Axis {
        name: name.into(),
        classes: classes.iter().map(|class| class.to_string()).collect(),
    };
    [axis("a", &["x", "y"]), axis("b", &["x", "z", "w"])]
}

/// A small model with every kind of op.
fn model(kind: Kind) -> Vec<u8> {
    let mut g = Builder::new(Shape::new(4, 4, 1)).unwrap();
    let x = g.node("patchify", SpaceToDepth { block: [2; 2], pad: [0; 2] }, &[0]).unwrap();
    let places = g.node("positions", Positions { pairs: 1 }, &[x]).unwrap();
    let x = g.node("placed", Concat, &[x, places]).unwrap();
    let x = g.node("in", ConvLayer::new(3, ConvGeometry::square(3, 1)).normed(true), &[x]).unwrap();
    let skip = g.node("silu", Activation::Silu, &[x]).unwrap();
    let x = g.node("depth", ConvLayer::new(3, ConvGeometry::square(3, 1).depthwise()).normed(true), &[skip]).unwrap();
    let x = g.node("bias", ChannelBiasLayer, &[x]).unwrap();
    let x = g.node("relu", Activation::Relu, &[x]).unwrap();
    let x = g.node("point", ConvLayer::new(3, ConvGeometry::square(1, 1)).normed(true), &[x]).unwrap();
    let x = g.node("residual", Add, &[x, skip]).unwrap();
    let y = g.node("linear", LinearLayer(12), &[x]).unwrap();
    let y = g.node("reshape", DepthToSpace { block: [2; 2], crop: [0; 2] }, &[y]).unwrap();
    let x = g.node("add", Add, &[x, y]).unwrap();
    let x = g.node("bias2", ChannelBiasLayer, &[x]).unwrap();
    let (up, up_skip) =
        (g.node("up", Upsample::TWICE, &[x]).unwrap(), g.node("up2", Upsample::TWICE, &[skip]).unwrap());
    let x = g.node("join", Concat, &[up, up_skip]).unwrap();
    let x = g.node("join3", Concat, &[x, up]).unwrap();
    let gates = g.node("gates", ConvLayer::new(3, ConvGeometry::square(1, 1)), &[up]).unwrap();
    let gated = g.node("gate", Gate, &[up_skip, gates]).unwrap();
    let x = g.node("join4", Concat, &[x, gated]).unwrap();
    let whole = ConvGeometry { pad: [0, 0], ..ConvGeometry::square(2, 2) };
    let x = g.node("out", ConvLayer::new(4, whole).normed(true), &[x]).unwrap();
    g.node("unpatchify", DepthToSpace { block: [2; 2], crop: [0; 2] }, &[x]).unwrap();
    export(g, kind)
}

/// The smallest model there is.
fn smallest_model() -> Vec<u8> {
    let mut g = Builder::new(Shape::new(1, 1, 1)).unwrap();
    let x = g.node("bias", ChannelBiasLayer, &[0]).unwrap();
    g.node("out", ConvLayer::new(1, ConvGeometry::square(1, 1)), &[x]).unwrap();
    export(g, Kind::Plain)
}

/// A model that follows a local condition.
fn following_model() -> Vec<u8> {
    let mut g = Builder::new(Shape::new(1, 8, 1)).unwrap();
    let line = ConvGeometry::line(3, 1);
    let c = g.node("local", LocalCondition { frames: 2, bands: 4 }, &[]).unwrap();
    let c = g.node("local.in", ConvLayer::new(4, line).normed(true), &[c]).unwrap();
    let c = g.node("local.relu", Activation::Relu, &[c]).unwrap();
    let c = g.node("local.out", ConvLayer::new(3, ConvGeometry::square(1, 1)), &[c]).unwrap();
    let x = g.node("patchify", SpaceToDepth { block: [1, 2], pad: [0; 2] }, &[0]).unwrap();
    let x = g.node("in", ConvLayer::new(3, line), &[x]).unwrap();
    let x = g.node("bias", ChannelBiasLayer, &[x]).unwrap();
    let c = g.node("up", Upsample { factor: [1, 2] }, &[c]).unwrap();
    let y = g.node("seen", Add, &[x, c]).unwrap();
    let y = g.node("mixed", ConvLayer::new(3, line), &[y]).unwrap();
    let y = g.node("add", Add, &[y, x]).unwrap();
    let y = g.node("out", ConvLayer::new(2, line), &[y]).unwrap();
    g.node("unpatchify", DepthToSpace { block: [1, 2], crop: [0; 2] }, &[y]).unwrap();
    export(g, Kind::Plain)
}

fn export(g: Builder, kind: Kind) -> Vec<u8> {
    let axes = axes();
    let axes = &axes[..if kind == Kind::AxesAndHalves { 2 } else { 0 }];
    let counts: Vec<usize> = axes.iter().map(|axis| axis.classes.len()).collect();
    let graph = g.finish(4, 4, if axes.is_empty() { &[2] } else { &counts }).unwrap();
    let mut network = graph.fold(&graph.params.init(1), &graph.stats.init(1)).unwrap();
    network.locals = (0..network.local_len()).map(|i| (i as f32 * 0.7).sin()).collect();
    let mut alpha_bar = vec![0.0; 100];
    Schedule::COSINE.alpha_bars(&mut alpha_bar);
    let bits = kind == Kind::Bits;
    let texts = if bits { ["bits:3", "bits:4"] } else { ["ddpm:3", "dpm:3"] };
    let specs = PlanSpec::parse_all(&texts.map(String::from)).unwrap();
    let kept: Vec<f64> = (1..=10).map(|t| 1.0 - f64::from(t) / 10.0).collect();
    let built = |s: &PlanSpec| {
        if bits {
            NamedPlan::of_bits(s, &kept, 0.5)
        } else {
            NamedPlan::new(s, Prediction::V, &alpha_bar, &[])
        }
    };
    let plans: Vec<_> = specs.iter().map(|s| built(s).unwrap()).collect();
    let ranges = calibrate(&network, &plans, 1, RangeChoice::LeastError).unwrap();
    let export = Export { name: "s", provenance: "", axes, network: &network, ranges: &ranges, plans: &plans };
    if kind != Kind::Packed {
        let file = lower::lower(&export, &Default::default()).unwrap().file;
        return if axes.is_empty() || bits { file } else { host::with_state(&file, StateKind::F16).unwrap() };
    }
    let moments = lower::windows::collect(&network, &plans, 1, |layer| layer != network.nodes().len() - 2).unwrap();
    lower::lower(&export, &lower::Measured { moments, ..Default::default() }).unwrap().file
}

fn small_model() -> Vec<u8> {
    model(Kind::Plain)
}

/// Writes the checksum anew, so that the checks behind it are reached.
fn seal(bytes: &mut [u8]) {
    let end = bytes.len() - format::CRC_LEN;
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[..end]);
    bytes[end..].copy_from_slice(&crc.sum().to_le_bytes());
}

/// Parses; where that succeeds, runs a few steps of every plan in memory of exactly the sizes announced.
fn parse_and_run(bytes: &[u8]) -> Result<(), ParseError> {
    let file = AlignedBytes::from(bytes);
    let model = Model::parse(file.bytes())?;
    with_state_element!(&model, Element => run::<Element>(&model));
    Ok(())
}

fn run<E: StateElement>(model: &Model) {
    let mut memory = ChainMemory::new(model);
    let local = vec![-100; model.local_shape().map_or(0, |shape| shape.iter().product())];
    for plan in model.plans().take(2) {
        let plain = Sampler::builder(model, plan).seed(1).local(&local);
        for chain in [plain, plain.class_on(1, 2), plain.class(1).guidance(16.0).two_evaluations()] {
            let (arena, state) = memory.split_as::<E>();
            if let Ok(mut sampler) = chain.start(arena, state) {
                (0..3).for_each(|_| _ = sampler.step());
            }
        }
    }
}

#[test]
fn a_model_of_two_axes_and_halves_is_read() {
    let file = AlignedBytes::from(&model(Kind::AxesAndHalves)[..]);
    let model = Model::parse(file.bytes()).unwrap();
    assert_eq!(model.state_kind(), StateKind::F16);
    let names: Vec<String> = model.axes().map(|axis| axis.name().to_owned()).collect();
    assert_eq!(names, ["a", "b"]);
    parse_and_run(file.bytes()).unwrap();
}

/// The scales that a chain over bits reads, and what says that it is one, are checked together.
#[test]
fn a_model_over_bits_is_read_and_its_scales_are_checked() {
    let good = model(Kind::Bits);
    parse_and_run(&good).unwrap();
    let file = AlignedBytes::from(&good[..]);
    let model = Model::parse(file.bytes()).unwrap();
    assert_eq!((model.state_kind(), model.state_len()), (StateKind::Bits, 1));
    let rebuilt = |header: format::Header, kind: StateKind, state_len: u32| {
        let arena = model.arena_len() as u32;
        parse_and_run(&host::encode(&header, model.blob(), arena, (state_len, kind)).unwrap())
    };
    let header = *model.header();
    assert_eq!(rebuilt(header, StateKind::Bits, 1), Ok(()));
    for output_scale in [header.output_scale * 1.5, 0.125, 2f32.powi(-21), -header.output_scale, f32::NAN] {
        let wrong = format::Header { output_scale, ..header };
        assert_eq!(rebuilt(wrong, StateKind::Bits, 1), Err(ParseError::Scale), "{output_scale}");
    }
    for output_scale in [2f32.powi(-20), 0.0625] {
        assert_eq!(rebuilt(format::Header { output_scale, ..header }, StateKind::Bits, 1), Ok(()));
    }
    let wrong = format::Header { input_inverse_scale: 126.0, ..header };
    assert_eq!(rebuilt(wrong, StateKind::Bits, 1), Err(ParseError::Scale));
    // Neither process has the other's state.
    assert_eq!(rebuilt(header, StateKind::F32, 16), Err(ParseError::Reserved));
    let gaussian = format::Header { process: format::Process::Gaussian, ..header };
    assert_eq!(rebuilt(gaussian, StateKind::Bits, 1), Err(ParseError::Reserved));
}

#[test]
fn every_op_is_in_the_small_model() {
    let file = AlignedBytes::from(&small_model()[..]);
    let model = Model::parse(file.bytes()).unwrap();
    let mut kinds: Vec<_> = model.ops().map(|op| std::mem::discriminant(&op)).collect();
    let count = kinds.len();
    kinds.dedup();
    let mut unique: Vec<std::mem::Discriminant<Op>> = Vec::new();
    kinds.into_iter().for_each(|kind| {
        if !unique.contains(&kind) {
            unique.push(kind);
        }
    });
    println!("{count} ops, {} bytes, arena {}", file.bytes().len(), model.arena_len());
    assert_eq!(unique.len(), 12);
    parse_and_run(file.bytes()).unwrap();
}

#[test]
fn every_truncation_and_every_changed_byte_is_an_error() {
    let good = small_model();
    for len in 0..good.len() {
        assert!(parse_and_run(&good[..len]).is_err(), "cut to {len} bytes");
    }
    assert!(parse_and_run(&[good.clone(), vec![0]].concat()).is_err());
    // The checksum sees a changed byte, whatever it means; the work is the square of the file's length.
    let good = smallest_model();
    let mut file = AlignedBytes::from(&good[..]);
    for at in 0..good.len() {
        for change in 1..=255u8 {
            file.bytes_mut()[at] ^= change;
            assert!(Model::parse(file.bytes()).is_err(), "byte {at} changed by {change:#x}");
            file.bytes_mut()[at] ^= change;
        }
    }
    assert!(Model::parse(file.bytes()).is_ok());
}

/// Values that are likely to sit at a border.
fn odd_value(rng: &mut ChaCha8Rng) -> u8 {
    const BORDERS: [u8; 10] = [0, 1, 2, 3, 4, 0x7f, 0x80, 0x81, 0xfe, 0xff];
    if rng.random_bool(0.5) {
        BORDERS[rng.random_range(0..BORDERS.len())]
    } else {
        rng.random()
    }
}

#[test]
fn a_hundred_thousand_sealed_mutations_never_panic() {
    mutate(small_model(), 50_000);
    mutate(model(Kind::Packed), 25_000);
    mutate(model(Kind::AxesAndHalves), 25_000);
    mutate(model(Kind::Bits), 25_000);
    mutate(following_model(), 25_000);
}

/// Runs `count` files that differ from `good` in a few bytes.
fn mutate(good: Vec<u8>, count: u32) {
    let header_len = u32::from_le_bytes(good[8..12].try_into().unwrap()) as usize;
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut accepted, mut reached) = (0u32, std::collections::BTreeMap::<String, u32>::new());
    for _ in 0..count {
        let mut bytes = good.clone();
        for _ in 0..rng.random_range(1..4) {
            // Mostly the header, whose bytes mean the most; sometimes anything.
            let end = if rng.random_bool(0.8) { format::PREFIX_LEN + header_len } else { good.len() };
            let at = rng.random_range(8..end);
            bytes[at] = odd_value(&mut rng);
        }
        seal(&mut bytes);
        match parse_and_run(&bytes) {
            Ok(()) => accepted += 1,
            Err(error) => {
                let text = format!("{error:?}");
                *reached.entry(text.split([' ', '{', '(']).next().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    println!("{accepted} accepted, refused: {reached:?}");
    assert!(accepted > 1000, "mutations reach the network");
    let kinds =
        [["Op", "Plan", "Table", "Header", "Announced"], ["Length", "Process", "ArenaTooLarge", "Input", "Output"]];
    kinds.iter().flatten().for_each(|kind| assert!(reached.contains_key(*kind), "{kind} was never met: {reached:?}"));
}

/// Changes one field of one op at a time, so that most files decode and only the meaning is wrong.
#[test]
fn changed_fields_never_panic() {
    change_fields(small_model(), 14_000);
    change_fields(model(Kind::Packed), 16_000);
    let refused = change_fields(following_model(), 14_000);
    assert!(refused.contains_key("Prelude"), "{refused:?}");
}

fn change_fields(good: Vec<u8>, count: u32) -> std::collections::BTreeMap<String, u32> {
    let file = AlignedBytes::from(&good[..]);
    let model = Model::parse(file.bytes()).unwrap();
    let ops: Vec<Op> = model.ops().collect();
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let (mut accepted, mut refused) = (0u32, std::collections::BTreeMap::<String, u32>::new());
    for _ in 0..count {
        let mut changed = ops.clone();
        let at = rng.random_range(0..changed.len());
        match rng.random_range(0..4) {
            0 => changed.swap(at, rng.random_range(0..ops.len())),
            1 => _ = changed.remove(at),
            2 => changed[at] = changed[rng.random_range(0..ops.len())],
            _ => {
                // A byte of the op's own encoding.
                let mut encoded = Vec::new();
                host::encode_item(&changed[at], &mut encoded).unwrap();
                let byte = rng.random_range(0..encoded.len());
                encoded[byte] = odd_value(&mut rng);
                let mut reader = Reader::new(&encoded);
                let op = Op::read(&mut reader);
                if reader.failed() {
                    continue;
                }
                changed[at] = op;
            }
        }
        let mut list = Vec::new();
        for op in &changed {
            host::encode_item(op, &mut list).unwrap();
        }
        let header = format::Header { op_count: changed.len() as u16, ops: &list, ..*model.header() };
        let (arena, state) = (model.arena_len() as u32, model.state_len() as u32);
        match parse_and_run(&host::encode(&header, model.blob(), arena, (state, StateKind::F32)).unwrap()) {
            Ok(()) => accepted += 1,
            Err(error) => {
                let text = format!("{error:?}");
                let fault = text.split("fault: ").nth(1).unwrap_or(&text).trim_end_matches(" }").to_owned();
                *refused.entry(fault).or_default() += 1;
            }
        }
    }
    println!("{accepted} accepted, refused: {refused:?}");
    for fault in ["Shape", "Outside", "Misaligned", "Overlap", "Unwritten", "Requantization", "Column", "Element"] {
        assert!(refused.contains_key(fault), "{fault} was never met: {refused:?}");
    }
    refused
}

/// What a gate can have wrong; that its tables lie in the blob is all that matters of them.
#[test]
fn wrong_gates_are_refused() {
    let good = small_model();
    let file = AlignedBytes::from(&good[..]);
    let model = Model::parse(file.bytes()).unwrap();
    let ops: Vec<Op> = model.ops().collect();
    let at = ops.iter().position(|op| matches!(op, Op::Gate(_))).unwrap();
    let Op::Gate(gate) = ops[at] else { unreachable!() };
    let rebuilt = |gate: ops::Gate| {
        let mut list = Vec::new();
        for (i, op) in ops.iter().enumerate() {
            host::encode_item(&if i == at { Op::Gate(gate) } else { *op }, &mut list).unwrap();
        }
        let header = format::Header { ops: &list, ..*model.header() };
        let (arena, state) = (model.arena_len() as u32, model.state_len() as u32);
        parse_and_run(&host::encode(&header, model.blob(), arena, (state, StateKind::F32)).unwrap())
    };
    let fault = |fault| Err(ParseError::Op { op: at as u16, fault });
    assert_eq!(rebuilt(gate), Ok(()));
    let wide = |tensor: Tensor| Tensor { element: Element::I16, ..tensor };
    assert_eq!(rebuilt(ops::Gate { b: wide(gate.b), ..gate }), fault(OpFault::Element));
    let short = |tensor: Tensor| Tensor { shape: [1, 1, 1], ..tensor };
    assert_eq!(rebuilt(ops::Gate { a: short(gate.a), ..gate }), fault(OpFault::Shape));
    assert_eq!(rebuilt(ops::Gate { b: short(gate.b), ..gate }), fault(OpFault::Shape));
    for shift in [0, 21] {
        assert_eq!(rebuilt(ops::Gate { shift, ..gate }), fault(OpFault::Requantization));
    }
    for (offset, result) in [
        (1 << 29, Ok(())),
        (-(1 << 29), Ok(())),
        ((1 << 29) + 1, fault(OpFault::Requantization)),
        (i32::MIN, fault(OpFault::Requantization)),
    ] {
        assert_eq!(rebuilt(ops::Gate { offset, multiplier: i16::MIN, ..gate }), result);
    }
    let last = model.blob().len() as u32 - 256;
    let outside = fault(OpFault::Table(TableError { table: Table::Lut, fault: TableFault::Outside }));
    for place in 0..2 {
        let mut tables = gate.tables;
        tables[place] = last;
        assert_eq!(rebuilt(ops::Gate { tables, ..gate }), Ok(()), "any 256 bytes are a table");
        tables[place] = last + 1;
        assert_eq!(rebuilt(ops::Gate { tables, ..gate }), outside);
    }
    // The second operand is read behind the first result, so that it may not be the output.
    let over = ops::Gate { output: Tensor { zero_point: gate.output.zero_point, ..gate.b }, ..gate };
    assert_eq!(rebuilt(over), fault(OpFault::Overlap));
}

/// What only four-bit weights can have wrong.
#[test]
fn wrong_packed_ops_are_refused() {
    let good = model(Kind::Packed);
    let file = AlignedBytes::from(&good[..]);
    let model = Model::parse(file.bytes()).unwrap();
    let ops: Vec<Op> = model.ops().collect();
    let at = ops.iter().position(|op| matches!(op, Op::PackedConv2d(_))).unwrap();
    assert!(ops.iter().any(|op| matches!(op, Op::PackedLinear(_))));
    let Op::PackedConv2d(conv) = ops[at] else { unreachable!() };
    let rebuilt = |conv: ops::Packed<ops::Conv2d>, blob: &[u8]| {
        let mut list = Vec::new();
        for (i, op) in ops.iter().enumerate() {
            let op = if i == at { Op::PackedConv2d(conv) } else { *op };
            host::encode_item(&op, &mut list).unwrap();
        }
        let header = format::Header { ops: &list, ..*model.header() };
        let (arena, state) = (model.arena_len() as u32, model.state_len() as u32);
        parse_and_run(&host::encode(&header, blob, arena, (state, StateKind::F32)).unwrap())
    };
    let fault = |fault| Err(ParseError::Op { op: at as u16, fault });
    assert_eq!(rebuilt(conv, model.blob()), Ok(()));
    assert_eq!(rebuilt(ops::Packed { block: 0, ..conv }, model.blob()), fault(OpFault::Shape));
    let grouped = ops::Conv2d { groups: 3, ..conv.layer };
    assert_eq!(rebuilt(ops::Packed { layer: grouped, ..conv }, model.blob()), fault(OpFault::Shape));
    let outside = ops::Conv2d { weights: model.blob().len() as u32 / 4 * 4, ..conv.layer };
    let table = |table_fault| fault(OpFault::Table(TableError { table: Table::Weights, fault: table_fault }));
    assert_eq!(rebuilt(ops::Packed { layer: outside, ..conv }, model.blob()), table(TableFault::Outside));
    let unaligned = ops::Conv2d { weights: conv.layer.weights + 2, ..conv.layer };
    assert_eq!(rebuilt(ops::Packed { layer: unaligned, ..conv }, model.blob()), table(TableFault::Misaligned));
    // −8 in the low and in the high half.
    for value in [0x08, 0x80] {
        let mut blob = model.blob().to_vec();
        blob[conv.layer.weights as usize] = value;
        assert_eq!(rebuilt(conv, &blob), fault(OpFault::Weight));
    }
    let huge = ops::Conv2d { scratch: model.arena_len() as u32 - 4, ..conv.layer };
    assert_eq!(rebuilt(ops::Packed { layer: huge, ..conv }, model.blob()), fault(OpFault::Outside));
}

#[test]
fn errors_say_what_is_wrong() {
    let good = small_model();
    let error = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        parse_and_run(&bytes).unwrap_err()
    };
    assert_eq!(error(&|b| b[0] = b'X'), ParseError::Magic);
    assert_eq!(error(&|b| b[4] = 9), ParseError::Version { found: 9 });
    assert!(error(&|b| b[4] = 9).to_string().contains("version 9"));
    assert!(matches!(error(&|b| b.truncate(100)), ParseError::Length { found: 100, .. }));
    assert!(matches!(error(&|b| b[60] ^= 1), ParseError::Crc { .. }));
    let reserved = |b: &mut Vec<u8>| {
        b[28] = 1;
        seal(b);
    };
    assert_eq!(error(&reserved), ParseError::Reserved);
    // One byte further in memory.
    let mut words = vec![0u128; good.len().div_ceil(16) + 1];
    let shifted = &mut bytemuck::cast_slice_mut::<u128, u8>(&mut words)[1..=good.len()];
    shifted.copy_from_slice(&good);
    assert_eq!(Model::parse(shifted).unwrap_err(), ParseError::Misaligned);
    let file = AlignedBytes::from(&good[..]);
    let plan: PlanHeader = PlanHeader::read(&mut Reader::new(Model::parse(file.bytes()).unwrap().header().plans));
    assert_eq!(plan.name, "ddpm3");
}
