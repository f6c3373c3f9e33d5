//! Memory and conditions that a sampler refuses, and what it guarantees with the rest.

use brownian::host::probe;
use brownian::host::{ChainMemory, OwnedModel};
use brownian::{Builder, Condition, Guidance, Model, Progress, Sampler, SamplerError};
use brownian_tests::shipped_model;

/// Aligned memory with room to spare.
struct Memory {
    arena: Vec<u128>,
    state: Vec<f32>,
}

fn with_model(test: impl Fn(&Model, Memory)) {
    let host = OwnedModel::read(shipped_model("digits28")).unwrap();
    let model = host.model();
    let arena = vec![0x5a5a_5a5a; model.arena_len() / 16 + 4];
    test(&model, Memory { arena, state: vec![f32::NAN; model.state_len_two_evaluations() + 3] });
}

fn start<'a>(
    model: &'a Model<'a>,
    condition: Condition,
    arena: &'a mut [u8],
    state: &'a mut [f32],
) -> Result<Sampler<'a>, SamplerError> {
    chain(model).condition(condition).start(arena, state)
}

fn chain<'a>(model: &'a Model<'a>) -> Builder<'a> {
    Sampler::builder(model, model.plan("fast5").unwrap()).seed(3).image(1)
}

fn refused(model: &Model, chain: Builder) -> SamplerError {
    ChainMemory::new(model).start(chain).map(|_| ()).unwrap_err()
}

#[test]
fn memory_that_does_not_fit_is_refused() {
    with_model(|model, mut memory| {
        let needed = model.arena_len();
        let arena: &mut [u8] = bytemuck::cast_slice_mut(&mut memory.arena);
        let error = start(model, Condition::NONE, &mut arena[..needed - 1], &mut memory.state).unwrap_err();
        assert_eq!(error, SamplerError::ArenaLength { needed: needed as u32, found: needed as u32 - 1 });
        assert!(error.to_string().contains(&needed.to_string()));
        let error = start(model, Condition::NONE, &mut arena[1..], &mut memory.state).unwrap_err();
        assert_eq!(error, SamplerError::ArenaMisaligned);
        let values = model.state_len();
        let error = start(model, Condition::NONE, arena, &mut memory.state[..values - 1]).unwrap_err();
        assert_eq!(error, SamplerError::StateLength { needed: values as u32, found: values as u32 - 1 });
        assert!(start(model, Condition::NONE, &mut [], &mut []).is_err());
    });
}

#[test]
fn conditions_out_of_range_are_refused() {
    with_model(|model, _| {
        assert_eq!(refused(model, chain(model).class(10)), SamplerError::Class { classes: 10 });
        for scale in [-0.5, 16.1, f32::NAN] {
            assert_eq!(refused(model, chain(model).class(1).guidance(scale)), SamplerError::Guidance);
        }
    });
}

/// Guidance that nothing could come of is not ignored.
#[test]
fn guidance_without_a_class_is_refused() {
    with_model(|model, _| {
        for chain in [chain(model).guidance(1.5), chain(model).guidance(1.0), chain(model).two_evaluations()] {
            let error = refused(model, chain);
            assert_eq!(error, SamplerError::GuidanceWithoutClass);
            assert!(error.to_string().contains("name one"), "{error}");
        }
    });
}

/// Time rows of another model would be silently wrong.
#[test]
fn plans_of_other_models_are_refused() {
    with_model(|model, _| {
        let other = OwnedModel::read(shipped_model("digits28-nano")).unwrap();
        let plan = other.plan("fast5").unwrap();
        assert_eq!(refused(model, Sampler::builder(model, plan)), SamplerError::ForeignPlan);
        // The same file at another place is another model, too: plans are not compared, but where they lie.
        let copy = OwnedModel::read(shipped_model("digits28")).unwrap();
        assert_eq!(refused(model, Sampler::builder(model, copy.plan("fast5").unwrap())), SamplerError::ForeignPlan);
    });
}

/// The plan outlives a step, as firmware that shows what comes next needs it.
#[test]
fn a_plan_can_be_held_across_steps() {
    with_model(|model, _| {
        let mut memory = ChainMemory::new(model);
        let mut sampler = memory.start(chain(model)).unwrap();
        let plan = sampler.plan();
        let mut timesteps = Vec::new();
        while sampler.step() {
            timesteps.push(plan.step(sampler.steps_done() - 1).unwrap().timestep);
        }
        assert!(timesteps.len() == plan.len() && timesteps.is_sorted_by(|a, b| a > b));
    });
}

/// Op by op, with previews read and snapshots saved in between, a chain has the bits of one made step by step.
#[test]
fn advancing_gives_the_bits_of_stepping() {
    with_model(|model, _| {
        let (mut here, mut there) = (ChainMemory::new(model), ChainMemory::new(model));
        let ops = model.ops().count();
        for (chain, evaluations) in
            [(chain(model).class(3), 1), (chain(model).class(3).guidance(2.0).two_evaluations(), 2)]
        {
            let mut stepped = here.start(chain).unwrap();
            let mut advanced = there.start(chain).unwrap();
            let mut snapshot = vec![0; model.snapshot_len()];
            let mut begin = vec![0; model.snapshot_len()];
            loop {
                let len = advanced.save(&mut begin).unwrap();
                let mut parts = Vec::new();
                let last = loop {
                    match advanced.advance() {
                        last @ (Progress::Stepped | Progress::Done) => break last,
                        part => parts.push(part),
                    }
                    let evaluated = parts.len() == evaluations * (ops + 1);
                    assert_eq!(advanced.preview().is_some(), evaluated);
                    // A snapshot within a step is that of its beginning.
                    assert_eq!(advanced.save(&mut snapshot).unwrap(), len);
                    assert_eq!(snapshot[..len], begin[..len]);
                };
                assert_eq!(last == Progress::Stepped, stepped.step());
                assert_eq!((advanced.digest(), advanced.steps_done()), (stepped.digest(), stepped.steps_done()));
                if last == Progress::Done {
                    assert!(parts.is_empty());
                    break;
                }
                let once = || std::iter::once(Progress::Quantized).chain((0..ops as u16).map(Progress::Op));
                assert_eq!(parts, (0..evaluations).flat_map(|_| once()).collect::<Vec<_>>());
            }
        }
    });
}

/// A chain that is left within an evaluation goes on by `step` and by `evaluate`.
#[test]
fn what_is_left_of_a_step_can_be_made_at_once() {
    with_model(|model, _| {
        let (mut here, mut there) = (ChainMemory::new(model), ChainMemory::new(model));
        let mut whole = here.start(chain(model)).unwrap();
        let mut parts = there.start(chain(model)).unwrap();
        whole.step();
        (0..7).for_each(|_| _ = parts.advance());
        assert!(parts.step());
        assert_eq!(parts.digest(), whole.digest());
        whole.step();
        (0..7).for_each(|_| _ = parts.advance());
        let preview: Vec<f32> = parts.evaluate().unwrap().x0_hat().collect();
        assert!(preview.iter().any(|&value| value != 0.0));
        assert_eq!(parts.advance(), Progress::Stepped);
        assert_eq!(parts.digest(), whole.digest());
    });
}

#[test]
fn probing_needs_a_whole_state() {
    with_model(|model, _| {
        let mut memory = ChainMemory::new(model);
        for len in [0, 1, model.sample_len() - 1, model.sample_len() + 1] {
            let error =
                probe(model, Condition::NONE, &[], 0, &vec![0.0; len], memory.split().0, |_, _| ()).unwrap_err();
            assert_eq!(error, SamplerError::ImageLength { needed: model.sample_len() as u32, found: len as u32 });
        }
        let mut ops = 0;
        let x = vec![0.0; model.sample_len()];
        probe(model, Condition::NONE, &[], 0, &x, memory.split().0, |_, _| ops += 1).unwrap();
        assert_eq!(ops, model.ops().count());
    });
}

/// What lay in memory before, and memory beyond what is needed, do not matter.
#[test]
fn old_memory_does_not_matter() {
    with_model(|model, mut memory| {
        let mut samples = Vec::new();
        for fill in [0u128, u128::MAX] {
            memory.arena.fill(fill);
            memory.state.fill(fill as u32 as f32);
            let arena: &mut [u8] = bytemuck::cast_slice_mut(&mut memory.arena);
            let mut sampler = start(model, Condition::class(4), arena, &mut memory.state).unwrap();
            let mut digests = vec![sampler.digest()];
            while sampler.step() {
                digests.push(sampler.digest());
            }
            assert_eq!((sampler.steps_done(), sampler.steps(), sampler.next_timestep()), (5, 5, None));
            assert!(!sampler.step(), "a finished chain stays as it is");
            assert_eq!(digests.last(), Some(&sampler.digest()));
            samples.push((digests, sampler.x().to_vec()));
        }
        assert_eq!(samples[0], samples[1]);
    });
}

/// Guidance scale 0 is the draw without a class, 1 the plain class.
#[test]
fn guidance_scales_between_no_class_and_class() {
    with_model(|model, mut memory| {
        let arena: &mut [u8] = bytemuck::cast_slice_mut(&mut memory.arena);
        let mut draw = |condition| {
            let mut sampler = start(model, condition, arena, &mut memory.state).unwrap();
            while sampler.step() {}
            sampler.digest()
        };
        let bias = |scale| Guidance::new(scale).unwrap();
        let twice = |scale| bias(scale).two_evaluations();
        for guidance in [&bias as &dyn Fn(f32) -> Guidance, &twice] {
            let scaled = |scale| Condition::guided(2, guidance(scale));
            assert_eq!(draw(Condition::NONE), draw(scaled(0.0)));
            assert_eq!(draw(Condition::class(2)), draw(scaled(1.0)));
            assert_ne!(draw(Condition::class(2)), draw(scaled(2.0)));
            assert_ne!(draw(Condition::class(2)), draw(Condition::class(3)));
        }
        assert_ne!(draw(Condition::guided(2, twice(2.0))), draw(Condition::guided(2, bias(2.0))));
    });
}

/// Two evaluations need room for the first one's output; a draw without a class and bias guidance do not.
#[test]
fn two_evaluations_need_a_longer_state() {
    with_model(|model, mut memory| {
        let arena: &mut [u8] = bytemuck::cast_slice_mut(&mut memory.arena);
        let twice = Condition::guided(1, Guidance::new(2.0).unwrap().two_evaluations());
        let needed = model.state_len() + model.sample_len() / 2;
        assert_eq!(model.state_len_two_evaluations(), needed);
        let error = start(model, twice, arena, &mut memory.state[..needed - 1]).unwrap_err();
        assert_eq!(error, SamplerError::StateLength { needed: needed as u32, found: needed as u32 - 1 });
        for condition in [Condition::NONE, Condition::class(1)] {
            assert!(start(model, condition, arena, &mut memory.state[..model.state_len()]).is_ok());
        }
        assert!(start(model, twice, arena, &mut memory.state[..needed]).is_ok());
    });
}
