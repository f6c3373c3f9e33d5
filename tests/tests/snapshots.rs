//! Chains saved and taken up again, and snapshots that are refused.

use brownian::{mask_len, Condition, Guidance, Image, Known, Model, Sampler, SamplerError, SnapshotError};
use brownian_tests::{cases, shipped_model, HostModel};

/// Memory of one chain, of any guidance.
struct Memory {
    arena: Vec<u128>,
    state: Vec<f32>,
}

impl Memory {
    fn new(model: &Model) -> Self {
        let state = vec![f32::NAN; model.state_len_two_evaluations()];
        Self { arena: vec![0x77; model.arena_len().div_ceil(16)], state }
    }

    fn start<'a>(&'a mut self, model: &'a Model<'a>, plan: &str, condition: Condition) -> Sampler<'a> {
        let arena = bytemuck::cast_slice_mut(&mut self.arena);
        Sampler::new(model, model.plan(plan).unwrap(), condition, (u64::MAX, 9), arena, &mut self.state).unwrap()
    }

    fn resume<'a>(
        &'a mut self,
        model: &'a Model<'a>,
        snapshot: &[u8],
        known: Option<Known<'a>>,
    ) -> Result<Sampler<'a>, SnapshotError> {
        Sampler::resume(model, snapshot, known, bytemuck::cast_slice_mut(&mut self.arena), &mut self.state)
    }
}

fn host(name: &str) -> HostModel {
    HostModel::read(&shipped_model(name)).unwrap()
}

fn save(sampler: &Sampler) -> Vec<u8> {
    let mut bytes = vec![0x55; sampler.model().snapshot_len()];
    let len = sampler.save(&mut bytes).unwrap();
    assert!(bytes[len..].iter().all(|&b| b == 0x55), "nothing is written behind the snapshot");
    bytes.truncate(len);
    bytes
}

/// Saved after every step and taken up in other memory, every chain ends in the bytes of an uninterrupted one.
#[test]
fn resuming_anywhere_gives_the_same_bytes() {
    for name in ["digits28", "digits28-nano"] {
        let host = host(name);
        let model = host.parse().unwrap();
        let (mut here, mut there) = (Memory::new(&model), Memory::new(&model));
        let twice = Condition::guided(6, 700, Guidance::TwoEvaluations);
        for condition in [Condition::NONE, Condition::guided(6, 300, Guidance::Bias), twice] {
            let mut sampler = here.start(&model, "fast5", condition);
            let mut snapshots = vec![save(&sampler)];
            while sampler.step() {
                snapshots.push(save(&sampler));
            }
            assert_eq!(snapshots.len(), 6);
            for (done, snapshot) in snapshots.iter().enumerate() {
                assert!(snapshot.len() <= brownian::snapshot_len(host.bytes()));
                let mut resumed = there.resume(&model, snapshot, None).unwrap();
                assert_eq!((resumed.steps_done(), resumed.plan().name(), resumed.steps()), (done, "fast5", 5));
                assert_eq!((resumed.condition(), resumed.seed()), (condition, (u64::MAX, 9)));
                while resumed.step() {}
                assert_eq!((resumed.digest(), save(&resumed)), (sampler.digest(), snapshots[5].clone()));
            }
        }
    }
}

/// The cases of the emulated cores: what is saved there is what an uninterrupted run goes through.
#[test]
fn saved_cases_end_like_uninterrupted_ones() {
    for name in ["digits28", "digits28-nano"] {
        let host = host(name);
        let cases = cases::cases(&host).unwrap();
        let saving: Vec<_> = cases.iter().filter(|case| case.words.contains("save=")).collect();
        assert_eq!(saving.len(), 1);
        let outcome = saving[0].run(&host).unwrap();
        saving[0].check_resumed(&host, &outcome, &outcome.saved).unwrap();
        let mut other = outcome.clone();
        other.digests.iter_mut().for_each(|digest| *digest ^= 1);
        assert!(saving[0].check_resumed(&host, &other, &outcome.saved).is_err());
    }
}

#[test]
fn every_truncation_and_every_changed_byte_is_refused() {
    let host = host("digits28-nano");
    let model = host.parse().unwrap();
    let mut memory = Memory::new(&model);
    let mut sampler = memory.start(&model, "fast5", Condition::class(1));
    sampler.step();
    let good = save(&sampler);
    for len in 0..good.len() {
        let error = memory.resume(&model, &good[..len], None).unwrap_err();
        assert_eq!(error, if len < 4 { SnapshotError::Magic } else { SnapshotError::Damaged }, "cut to {len} bytes");
    }
    assert_eq!(memory.resume(&model, &[&good[..], &[0]].concat(), None).unwrap_err(), SnapshotError::Damaged);
    let mut bytes = good.clone();
    for at in 0..good.len() {
        for change in if at < 100 { 1..=255 } else { 1u8..=2 } {
            bytes[at] ^= change;
            let error = memory.resume(&model, &bytes, None).unwrap_err();
            let expected = match at {
                0..4 => matches!(error, SnapshotError::Magic),
                4 => matches!(error, SnapshotError::Version { .. } | SnapshotError::Damaged),
                _ => error == SnapshotError::Damaged,
            };
            assert!(expected, "byte {at} changed by {change:#x}: {error:?}");
            bytes[at] ^= change;
        }
    }
    assert!(memory.resume(&model, &bytes, None).is_ok());
}

/// CRC-32/ISO-HDLC, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// Snapshots that are wrong inside a right checksum are refused or run; nothing panics, hangs or leaves its memory.
#[test]
fn sealed_mutations_never_panic() {
    let host = host("digits28-nano");
    let model = host.parse().unwrap();
    let mut memory = Memory::new(&model);
    let mut sampler = memory.start(&model, "fast5", Condition::guided(1, 400, Guidance::TwoEvaluations));
    sampler.step();
    let good = save(&sampler);
    let mut random = 1u32;
    let mut next = |below: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % below
    };
    let (mut accepted, mut refused) = (0, std::collections::BTreeMap::<String, u32>::new());
    for _ in 0..3000 {
        let mut bytes = good.clone();
        let end = bytes.len() - 4;
        for _ in 0..1 + next(2) {
            // Mostly the head, sometimes the state.
            let at = 5 + if next(8) == 0 { next(end - 5) } else { next(50) };
            bytes[at] = [0, 1, 2, 0x7f, 0x80, 0xff, next(256) as u8][next(7)];
        }
        let sum = crc(&bytes[..end]);
        bytes[end..].copy_from_slice(&sum.to_le_bytes());
        match memory.resume(&model, &bytes, None) {
            Ok(mut sampler) => {
                accepted += 1;
                if accepted % 50 == 0 {
                    sampler.step();
                }
            }
            Err(error) => {
                *refused.entry(format!("{error:?}").split([' ', '(']).next().unwrap().into()).or_default() += 1
            }
        }
    }
    println!("{accepted} accepted, refused {refused:?}");
    assert!(accepted > 50);
    for kind in ["Malformed", "Model", "Sampler"] {
        assert!(refused.contains_key(kind), "{kind} was never met: {refused:?}");
    }
}

#[test]
fn foreign_snapshots_say_what_they_are() {
    let (digits, nano) = (host("digits28"), host("digits28-nano"));
    let (digits, nano) = (digits.parse().unwrap(), nano.parse().unwrap());
    let mut memory = Memory::new(&digits);
    let snapshot = save(&memory.start(&digits, "fast5", Condition::class(1)));
    let error = Memory::new(&nano).resume(&nano, &snapshot, None).map(|_| ()).unwrap_err();
    assert_eq!(error, SnapshotError::Model { expected: digits.checksum(), found: nano.checksum() });
    assert!(error.to_string().contains("another model") || error.to_string().contains("belongs to the model"));
    let mut newer = snapshot.clone();
    newer[4] = 99;
    let error = memory.resume(&digits, &newer, None).map(|_| ()).unwrap_err();
    assert_eq!(error, SnapshotError::Version { found: 99 });
    assert!(error.to_string().contains("version 99"));
    assert_eq!(memory.resume(&digits, b"PNG", None).unwrap_err(), SnapshotError::Magic);
    assert_eq!(memory.resume(&digits, &[], None).unwrap_err(), SnapshotError::Magic);
}

#[test]
fn memory_that_does_not_fit_is_refused() {
    let host = host("digits28");
    let model = host.parse().unwrap();
    let mut memory = Memory::new(&model);
    let snapshot = {
        let sampler = memory.start(&model, "fast5", Condition::guided(1, 512, Guidance::TwoEvaluations));
        let needed = save(&sampler).len();
        let mut short = vec![0; needed - 1];
        let error = sampler.save(&mut short).unwrap_err();
        assert_eq!(error, SnapshotError::BufferTooShort { needed: needed as u32, found: needed as u32 - 1 });
        let mut pieces = Vec::new();
        sampler.save_to(|piece| pieces.extend_from_slice(piece));
        assert_eq!(pieces, save(&sampler));
        pieces
    };
    let arena = bytemuck::cast_slice_mut(&mut memory.arena);
    let error = Sampler::resume(&model, &snapshot, None, arena, &mut memory.state[..model.state_len()]).unwrap_err();
    assert!(matches!(error, SnapshotError::Sampler(SamplerError::StateLength { .. })), "{error:?}");
    let error = Sampler::resume(&model, &snapshot, None, &mut arena[..16], &mut memory.state).unwrap_err();
    assert!(matches!(error, SnapshotError::Sampler(SamplerError::ArenaLength { .. })), "{error:?}");
}

/// A chain that inpaints goes on only with the same image and mask, in whatever form.
#[test]
fn what_is_kept_must_be_given_again() {
    let host = host("digits28-nano");
    let model = host.parse().unwrap();
    let (mut memory, mut other) = (Memory::new(&model), Memory::new(&model));
    let bytes: Vec<u8> = (0..784).map(|i| (i * 3) as u8).collect();
    let values: Vec<f32> = bytes.iter().map(|&b| f32::from(b) / 127.5 - 1.0).collect();
    let mut mask = vec![0u8; mask_len(784)];
    mask[..40].fill(0x5a);
    let known = Known { image: Image::Bytes(&bytes), mask: &mask };
    let mut sampler = memory.start(&model, "fast5", Condition::class(8)).inpaint(known).unwrap();
    let plain = save(&other.start(&model, "fast5", Condition::class(8)));
    sampler.step();
    let snapshot = save(&sampler);
    while sampler.step() {}
    let same = Known { image: Image::Values(&values), ..known };
    let mut resumed = other.resume(&model, &snapshot, Some(same)).unwrap();
    while resumed.step() {}
    assert_eq!(resumed.digest(), sampler.digest());
    let mut other_mask = mask.clone();
    other_mask[90] = 1;
    let mut other_values = values.clone();
    other_values[1] += 0.01;
    let other_image = Known { image: Image::Values(&other_values), mask: &mask };
    for wrong in [None, Some(Known { mask: &other_mask, ..known }), Some(other_image)] {
        assert_eq!(other.resume(&model, &snapshot, wrong).unwrap_err(), SnapshotError::Known);
    }
    assert_eq!(other.resume(&model, &plain, Some(known)).unwrap_err(), SnapshotError::Known);
}
