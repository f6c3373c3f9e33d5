//! Signals longer than a model's own: their pieces give the values of a network as long as the signal, bit for bit.

use brownian::format::Header;
use brownian::host::{encode, encode_item, AlignedBytes, ChainMemory, OwnedModel, Threads};
use brownian::{with_state_element, LongError, LongSampler, Model, Pieces, Plan, Progress, SamplerError};
use brownian::{Condition, Sampler, SecondCore, StateElement};
use brownian_tests::{root, shipped_model};

/// A U-Net with strides, enlargements and a concatenation, state f32; DiffWave's gates and dilations, state f16; and one
/// that follows a mel spectrogram.
fn files() -> [OwnedModel; 3] {
    let read = |path: &str| OwnedModel::read(root().join(path)).unwrap();
    [read("runtime/examples/data/signal.brn"), read("tests/models/gates.brn"), read("runtime/examples/data/mel.brn")]
}

/// The same network with signals `factor` times as long, all of it in one arena.
fn lengthened(model: &Model, factor: u16) -> OwnedModel {
    let (mut header, mut ops): (Header, _) = (*model.header(), vec![]);
    for mut op in model.ops() {
        let wider = |offset: u32| offset * u32::from(factor);
        for tensor in op.tensors_mut() {
            (tensor.offset, tensor.shape[1]) = (wider(tensor.offset), tensor.shape[1] * factor);
        }
        if let Some(scratch) = op.scratch_mut() {
            *scratch = wider(*scratch);
        }
        encode_item(&op, &mut ops).unwrap();
    }
    header.ops = &ops;
    for tensor in [&mut header.input, &mut header.output] {
        (tensor.offset, tensor.shape[1]) = (tensor.offset * u32::from(factor), tensor.shape[1] * factor);
    }
    let state_len = (model.state_len() * usize::from(factor)) as u32;
    let arena_len = (model.arena_len() * usize::from(factor)) as u32;
    let bytes = encode(&header, model.blob(), arena_len, (state_len, model.state_kind())).unwrap();
    OwnedModel::new(&bytes).unwrap()
}

/// A chain of a signal of so many samples.
fn chain<'a, E: StateElement>(model: &'a Model<'a>, plan: Plan<'a>, local: &'a [i8]) -> brownian::Builder<'a, E> {
    let chain = Sampler::builder(model, plan).seed(5).image(3).local(local);
    match model.class_counts().is_empty() {
        true => chain,
        false => chain.condition(Condition::NONE.with(0, 7).with(1, 2)).guidance(1.5),
    }
}

/// A local condition for a signal of so many pieces' length; empty for a model that follows none.
fn local(pieces: Pieces) -> Vec<i8> {
    (0..pieces.local_len()).map(|i| (i * i % 251) as u8 as i8).map(|value| value.max(-127)).collect()
}

/// The digest after every step of the long network.
fn whole(model: &Model, plan: Plan, local: &[i8]) -> Vec<u32> {
    let mut memory = ChainMemory::new(model);
    with_state_element!(model, Element => {
        let mut sampler = memory.start::<Element>(chain(model, plan, local)).unwrap();
        std::iter::from_fn(|| sampler.step().then(|| sampler.digest())).collect()
    })
}

/// The memory of a long chain.
struct Memory(AlignedBytes, Vec<f32>, Vec<i8>);

impl Memory {
    /// Not zeroed: what it held does not matter.
    fn new(pieces: Pieces) -> Self {
        let mut arena = AlignedBytes::zeroed(pieces.arena_len());
        arena.bytes_mut().fill(0x5a);
        Self(arena, vec![3.5; pieces.state_len()], local(pieces))
    }

    fn start<'a, E: StateElement>(
        &'a mut self,
        model: &'a Model<'a>,
        plan: Plan<'a>,
        pieces: Pieces,
    ) -> Result<LongSampler<'a, E>, LongError> {
        let state: &mut [E] = bytemuck::cast_slice_mut(&mut self.1);
        chain(model, plan, &self.2).start_long(pieces, self.0.bytes_mut(), state)
    }
}

#[test]
fn pieces_are_the_long_network_bit_for_bit() {
    for file in files() {
        let model = file.model();
        for factor in [1, 2, 5, 12] {
            let long = lengthened(&model, factor);
            let long = long.model();
            let pieces = Pieces::new(&model, u32::from(factor) * model.sample_len() as u32).unwrap();
            assert_eq!(pieces.count() == 1, factor == 1);
            for plan in model.plans() {
                let expected = whole(&long, long.plan(plan.name()).unwrap(), &local(pieces));
                assert_eq!(expected.len(), plan.len());
                with_state_element!(&model, Element => {
                    let mut memory = Memory::new(pieces);
                    let mut chain = memory.start::<Element>(&model, plan, pieces).unwrap();
                    let found: Vec<u32> = std::iter::from_fn(|| chain.step().then(|| chain.digest())).collect();
                    assert_eq!(found, expected, "{} times {factor}, {}", model.header().name, plan.name());
                });
            }
        }
    }
}

/// Lengths between the multiples of the model's own, whose last windows overlap more, start as the longer signal does.
#[test]
fn every_length_of_whole_steps_can_be_drawn() {
    for file in files() {
        let model = file.model();
        let window = model.sample_len() as u32;
        let step = Pieces::new(&model, window).unwrap().step() as u32;
        let plan = model.plans().next().unwrap();
        for length in (0..40).map(|i| window + i * step) {
            let pieces = Pieces::new(&model, length).unwrap();
            with_state_element!(&model, Element => {
                let mut memory = Memory::new(pieces);
                let mut chain = memory.start::<Element>(&model, plan, pieces).unwrap();
                let mut evaluations = 0;
                loop {
                    match chain.advance() {
                        Progress::Quantized => evaluations += 1,
                        Progress::Done => break,
                        _ => {}
                    }
                }
                assert_eq!(evaluations, pieces.count() * plan.len());
                assert!(chain.values().all(|value| value.is_finite() && value.abs() <= 1.5));
            });
        }
        for length in [0, window - step, window + 1, window * 2 + step / 2, u32::MAX] {
            let error = Pieces::new(&model, length).unwrap_err();
            assert_eq!(error, LongError::Length { least: window, step, most: 1 << 24 }, "{length}");
        }
    }
}

#[test]
fn two_cores_draw_the_same_long_signals() {
    for file in files() {
        let model = file.model();
        let pieces = Pieces::new(&model, 4 * model.sample_len() as u32).unwrap();
        let plan = model.plans().next().unwrap();
        let mut scratch = vec![0; model.second_scratch_len()];
        let second = SecondCore::new(&Threads, &mut scratch);
        with_state_element!(&model, Element => {
            let (mut one, mut two) = (Memory::new(pieces), Memory::new(pieces));
            let mut one = one.start::<Element>(&model, plan, pieces).unwrap();
            let mut two = two.start::<Element>(&model, plan, pieces).unwrap().with_second_core(&second);
            while one.step() && two.step() {
                assert_eq!(one.digest(), two.digest());
            }
        });
    }
}

#[test]
fn what_cannot_be_drawn_long_is_refused() {
    let read = |name: &str| OwnedModel::read(shipped_model(name)).unwrap();
    for name in ["digits28", "faces16", "digits28-bits", "heartbeat", "swissroll"] {
        let file = read(name);
        let model = file.model();
        assert_eq!(Pieces::new(&model, 4096), Err(LongError::Model), "{name}");
    }
    let [file, other, following] = files();
    let (model, other, following) = (file.model(), other.model(), following.model());
    let plan = model.plans().next().unwrap();
    let pieces = Pieces::new(&model, 4 * model.sample_len() as u32).unwrap();
    let mut memory = Memory::new(pieces);
    let foreign = memory.start::<f32>(&model, other.plans().next().unwrap(), pieces).map(|_| ());
    assert_eq!(foreign.unwrap_err(), LongError::Sampler(SamplerError::ForeignPlan));
    let element = memory.start::<brownian::f16>(&model, plan, pieces).map(|_| ()).unwrap_err();
    assert_eq!(element, LongError::Sampler(SamplerError::StateElement { kind: model.state_kind() }));
    let others = Pieces::new(&other, 4 * other.sample_len() as u32).unwrap();
    assert_eq!(memory.start::<f32>(&model, plan, others).map(|_| ()).unwrap_err(), LongError::Model);
    let (needed, state) = (pieces.arena_len(), pieces.state_len());
    let chain = || Sampler::builder(&model, plan);
    let short = chain().start_long(pieces, &mut memory.0.bytes_mut()[..needed - 1], &mut memory.1).map(|_| ());
    let length = SamplerError::ArenaLength { needed: needed as u32, found: needed as u32 - 1 };
    assert_eq!(short.unwrap_err(), LongError::Sampler(length));
    let short = chain().start_long(pieces, memory.0.bytes_mut(), &mut memory.1[..state - 1]).map(|_| ());
    let length = SamplerError::StateLength { needed: state as u32, found: state as u32 - 1 };
    assert_eq!(short.unwrap_err(), LongError::Sampler(length));
    let whole = Pieces::new(&following, 4096).unwrap();
    let unheard = Sampler::<f32>::builder(&following, following.plans().next().unwrap());
    let unheard = unheard.start_long(whole, memory.0.bytes_mut(), &mut memory.1).map(|_| ()).unwrap_err();
    assert_eq!(unheard, LongError::Sampler(SamplerError::LocalLength { needed: 64 * 32, found: 0 }));
    let twice = chain().class_on(0, 1).two_evaluations().start_long(pieces, memory.0.bytes_mut(), &mut memory.1);
    assert_eq!(twice.map(|_| ()).unwrap_err(), LongError::Plain);
}
