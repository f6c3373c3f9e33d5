//! What parsing says of what is computed once a chain, and what chains of it give.

extern crate std;
use super::tests::{linear, tensor, Parts, I8, REQUANTIZATION, WEIGHTS};
use crate::format::{Element, Tensor};
use crate::host::{probe, AlignedBytes, ChainMemory};
use crate::model::Model;
use crate::ops::{Add, LocalCondition, Lut, Op, OpFault, StepBias};
use crate::parse::ParseError;
use crate::{Condition, Progress, Sampler, SamplerError, SnapshotError};
use std::vec;
use std::vec::Vec;

/// Where the input, the condition, what is made of it and their sum lie.
const INPUT: Tensor = Tensor { offset: 0, shape: [1, 1, 2], element: I8, zero_point: 0 };
const LOCAL: Tensor = Tensor { offset: 4, ..INPUT };
const MADE: Tensor = Tensor { offset: 8, ..INPUT };
const SUM: Tensor = Tensor { offset: 12, ..INPUT };

/// A condition, a table of it that is computed once, and behind that the sum with the input and a dense layer.
fn parts() -> Parts {
    let mut parts = Parts::new();
    parts.input = INPUT;
    parts.output = tensor(16, 2, Element::I16);
    let sum = Add { a: INPUT, b: MADE, output: SUM, multipliers: [1 << 14; 2], offset: 0, shift: 14, lut: None };
    parts.ops = vec![
        Op::LocalCondition(LocalCondition { output: LOCAL, prelude: 2 }),
        Op::Lut(Lut { input: LOCAL, output: MADE, table: 512 }),
        Op::Add(sum),
        Op::Linear(linear(SUM, parts.output)),
    ];
    // The table turns signs.
    parts.blob.resize(768, 0);
    (0..256).for_each(|i| parts.blob[512 + i] = (128 - i as i32).clamp(-127, 127) as u8);
    // Two outputs that are the inputs times 64·2^14/2^17 = 8.
    [0, 5].iter().for_each(|at| parts.blob[WEIGHTS as usize + at] = 64);
    parts.blob[64..68].copy_from_slice(&[0, 64, 0, 64]);
    // Two steps of x = F/1024.
    parts.plans[0].1 = 2;
    for step in [128, 168] {
        parts.blob[step + 12..][..4].copy_from_slice(&(1.0 / 1024f32).to_le_bytes());
        parts.blob[step + 20..][..4].copy_from_slice(&1f32.to_le_bytes());
    }
    parts
}

/// What is said of parts that `change` has made wrong.
fn error(change: impl FnOnce(&mut Parts)) -> ParseError {
    let mut parts = parts();
    assert_eq!(parts.parse(), Ok(()));
    change(&mut parts);
    parts.parse().unwrap_err()
}

fn at(op: u16, fault: OpFault) -> ParseError {
    ParseError::Op { op, fault }
}

#[test]
fn a_prelude_is_the_first_ops_and_depends_on_the_condition_alone() {
    let condition = |output, prelude| Op::LocalCondition(LocalCondition { output, prelude });
    for prelude in [0, 5] {
        assert_eq!(error(|p| p.ops[0] = condition(LOCAL, prelude)), at(0, OpFault::Prelude));
    }
    assert_eq!(error(|p| p.ops.swap(0, 1)), at(0, OpFault::Unwritten));
    assert_eq!(error(|p| p.ops.push(p.ops[0])), at(4, OpFault::Prelude));
    let shifted = Tensor { zero_point: 1, ..LOCAL };
    assert_eq!(error(|p| p.ops[0] = condition(shifted, 2)), at(0, OpFault::Requantization));
    let wide = Tensor { element: Element::I16, offset: 24, ..LOCAL };
    assert_eq!(error(|p| p.ops[0] = condition(wide, 2)), at(0, OpFault::Element));
    // The sum reads the network's input, the table what it is given.
    assert_eq!(error(|p| p.ops[0] = condition(LOCAL, 3)), at(2, OpFault::Unwritten));
    // Channel biases are of a step.
    let biased = |p: &mut Parts| {
        (p.conditioning.columns, p.conditioning.time_rows, p.conditioning.time_table) = (2, 1, 600);
        let requantization =
            crate::ops::Requantization { step_bias: Some(StepBias { column: 0, shift: 0 }), ..REQUANTIZATION };
        let made = linear(LOCAL, MADE);
        p.arena_len = 128;
        p.ops[1] = Op::Linear(crate::ops::Linear { requantization, scratch: 64, ..made });
    };
    assert_eq!(error(biased), at(1, OpFault::Column));
    // The same is right behind the prelude.
    let mut right = parts();
    biased(&mut right);
    right.ops[0] = condition(LOCAL, 1);
    assert_eq!(right.parse(), Ok(()));
}

#[test]
fn what_a_prelude_leaves_lasts() {
    let sum = |p: &Parts| match p.ops[2] {
        Op::Add(sum) => sum,
        _ => unreachable!(),
    };
    // In the list's order nothing is wrong: the result is overwritten after it was read. The next step would read the sum.
    let over_it = |p: &mut Parts| {
        p.ops.insert(3, Op::Lut(Lut { input: SUM, output: MADE, table: 512 }));
        p.ops[4] = Op::Linear(linear(MADE, p.output));
    };
    assert_eq!(error(over_it), at(2, OpFault::Unwritten));
    // The output lies where the table's result lay.
    assert_eq!(
        error(|p| {
            p.output.offset = MADE.offset;
            p.ops[3] = Op::Linear(linear(SUM, p.output));
        }),
        at(2, OpFault::Unwritten)
    );
    // The condition itself is read once and may be overwritten.
    let mut right = parts();
    right.ops[2] = Op::Add(Add { output: LOCAL, ..sum(&right) });
    right.ops[3] = Op::Linear(linear(LOCAL, right.output));
    assert_eq!(right.parse(), Ok(()));
}

/// The samples of a chain, and of one that is saved after its first step.
fn chain(file: &AlignedBytes, local: &[i8]) -> [Vec<f32>; 2] {
    let model = Model::parse(file.bytes()).unwrap();
    let plan = model.plans().next().unwrap();
    let (mut here, mut there) = (ChainMemory::new(&model), ChainMemory::new(&model));
    let (arena, state) = here.split();
    // What memory held before does not matter.
    arena.fill(0x55);
    let mut sampler = Sampler::builder(&model, plan).seed(3).local(local).start(arena, state).unwrap();
    let mut parts = vec![];
    while sampler.steps_done() == 0 {
        parts.push(sampler.advance());
    }
    assert_eq!(parts, [Progress::Quantized, Progress::Op(2), Progress::Op(3), Progress::Stepped]);
    let mut snapshot = vec![0; model.snapshot_len()];
    let len = sampler.save(&mut snapshot).unwrap();
    sampler.step();
    let (arena, state) = there.split();
    arena.fill(0xaa);
    let resume = || Sampler::resume(&model, &snapshot[..len]).unwrap();
    let mut resumed = resume().local(local).start(arena, state).unwrap();
    resumed.step();
    let samples = [sampler.x().to_vec(), resumed.x().to_vec()];
    let (arena, state) = there.split();
    let other: Vec<i8> = local.iter().map(|v| v ^ 1).collect();
    assert_eq!(resume().local(&other).start(arena, state).unwrap_err(), SnapshotError::Known);
    let (arena, state) = there.split();
    let none = SnapshotError::Sampler(SamplerError::LocalLength { needed: 2, found: 0 });
    assert_eq!(resume().start(arena, state).unwrap_err(), none);
    samples
}

#[test]
fn chains_follow_their_condition_in_every_step() {
    let file = parts().bytes();
    for local in [[0, 0], [100, -27], [127, -128]] {
        let [whole, resumed] = chain(&file, &local);
        assert_eq!(whole, resumed);
        // x of the first step is below half, which rounds to 0: what is left is the turned condition.
        if local[0].unsigned_abs() < 60 {
            assert_eq!(whole, local.map(|v| -f32::from(v) / 128.0));
        }
    }
    let [whole, _] = chain(&file, &[40, -27]);
    assert_eq!(whole, [-40.0 / 128.0, 27.0 / 128.0]);
}

#[test]
fn conditions_of_other_lengths_are_refused_before_work_begins() {
    let with = parts().bytes();
    let model = Model::parse(with.bytes()).unwrap();
    assert_eq!((model.local_shape(), model.prelude()), (Some([1, 1, 2]), 2));
    let start = |model: &Model, local: &[i8]| {
        let mut memory = ChainMemory::new(model);
        let plan = model.plans().next().unwrap();
        memory.start::<f32>(Sampler::builder(model, plan).local(local)).map(|_| ()).unwrap_err()
    };
    for (found, words) in [(0, "and none is given"), (3, "has 3 values, that of the model 2")] {
        let error = start(&model, &vec![0; found]);
        assert_eq!(error, SamplerError::LocalLength { needed: 2, found: found as u32 });
        assert!(std::format!("{error}").contains(words), "{error}");
    }
    let mut memory = ChainMemory::new(&model);
    let found = probe(&model, Condition::NONE, &[1], 0, &[0.0; 2], memory.split().0, |_, _| ());
    assert_eq!(found, Err(SamplerError::LocalLength { needed: 2, found: 1 }));
    let without = Parts::new().bytes();
    let model = Model::parse(without.bytes()).unwrap();
    assert_eq!((model.local_shape(), model.prelude()), (None, 0));
    let error = start(&model, &[0; 3]);
    assert_eq!(error, SamplerError::LocalLength { needed: 0, found: 3 });
    assert!(std::format!("{error}").contains("follows no local condition"), "{error}");
}

/// Every byte of the file's header, changed in every bit, gives a model or an error.
#[test]
fn damaged_files_are_refused_or_right() {
    let file = parts().bytes();
    let len = file.bytes().len();
    for bit in 0..8 * (len - 4) {
        let mut bytes = file.bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let crc = crate::format::CRC.checksum(&bytes[..len - 4]);
        bytes[len - 4..].copy_from_slice(&crc.to_le_bytes());
        let bytes = AlignedBytes::from(&bytes[..]);
        let Ok(model) = Model::parse(bytes.bytes()) else { continue };
        let local = vec![1; model.local_shape().map_or(0, |shape| shape.iter().product())];
        let mut memory = ChainMemory::new(&model);
        let plan = model.plans().next().unwrap();
        if let Ok(mut sampler) = memory.start::<f32>(Sampler::builder(&model, plan).local(&local)) {
            while sampler.step() {}
        }
    }
}
