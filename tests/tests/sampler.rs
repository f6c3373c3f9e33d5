//! Memory and conditions that a sampler refuses, and what it guarantees with the rest.

use brownian::{Condition, Guidance, Model, Sampler, SamplerError};
use brownian_tests::{shipped_model, HostModel};

/// Aligned memory with room to spare.
struct Memory {
    arena: Vec<u128>,
    state: Vec<f32>,
}

fn with_model(test: impl Fn(&Model, Memory)) {
    let host = HostModel::read(&shipped_model("digits28")).unwrap();
    let model = host.parse().unwrap();
    let arena = vec![0x5a5a_5a5a; model.arena_len() / 16 + 4];
    test(&model, Memory { arena, state: vec![f32::NAN; model.state_len_two_evaluations() + 3] });
}

fn start<'a>(
    model: &'a Model<'a>,
    condition: Condition,
    arena: &'a mut [u8],
    state: &'a mut [f32],
) -> Result<Sampler<'a>, SamplerError> {
    Sampler::new(model, model.plan("fast5").unwrap(), condition, (3, 1), arena, state)
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
    with_model(|model, mut memory| {
        let arena: &mut [u8] = bytemuck::cast_slice_mut(&mut memory.arena);
        let error = start(model, Condition::class(10), arena, &mut memory.state).unwrap_err();
        assert_eq!(error, SamplerError::Class { classes: 10 });
        let strong = Condition::guided(1, Condition::MAX_GUIDANCE + 1, Guidance::Bias);
        assert_eq!(start(model, strong, arena, &mut memory.state).unwrap_err(), SamplerError::Guidance);
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
            assert_eq!((sampler.steps_done(), sampler.steps(), sampler.next_step()), (5, 5, None));
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
        for guidance in [Guidance::Bias, Guidance::TwoEvaluations] {
            let scaled = |guidance_scale| Condition::guided(2, guidance_scale, guidance);
            assert_eq!(draw(Condition::NONE), draw(scaled(0)));
            assert_eq!(draw(Condition::class(2)), draw(scaled(256)));
            assert_ne!(draw(Condition::class(2)), draw(scaled(512)));
            assert_ne!(draw(Condition::class(2)), draw(Condition::class(3)));
            assert_eq!(draw(Condition::NONE), draw(Condition { class: None, ..scaled(512) }));
        }
        let twice = draw(Condition::guided(2, 512, Guidance::TwoEvaluations));
        assert_ne!(twice, draw(Condition::guided(2, 512, Guidance::Bias)));
    });
}

/// Two evaluations need room for the first one's output; a draw without a class and bias guidance do not.
#[test]
fn two_evaluations_need_a_longer_state() {
    with_model(|model, mut memory| {
        let arena: &mut [u8] = bytemuck::cast_slice_mut(&mut memory.arena);
        let twice = Condition::guided(1, 512, Guidance::TwoEvaluations);
        let needed = model.state_len() + model.sample_len() / 2;
        assert_eq!(model.state_len_two_evaluations(), needed);
        let error = start(model, twice, arena, &mut memory.state[..needed - 1]).unwrap_err();
        assert_eq!(error, SamplerError::StateLength { needed: needed as u32, found: needed as u32 - 1 });
        for condition in [Condition { class: None, ..twice }, Condition::class(1)] {
            assert!(start(model, condition, arena, &mut memory.state[..model.state_len()]).is_ok());
        }
        assert!(start(model, twice, arena, &mut memory.state[..needed]).is_ok());
    });
}
