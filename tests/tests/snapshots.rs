//! Chains saved and taken up again, and snapshots that are refused.

use brownian::host::{ChainMemory, OwnedModel};
use brownian::{mask_len, Builder, Image, KnownPixels, Model, Sampler, SamplerError, SnapshotError};
use brownian_tests::{cases, shipped_model};

/// The chain of every test.
fn chain<'a>(model: &'a Model<'a>) -> Builder<'a> {
    Sampler::builder(model, model.plan("fast5").unwrap()).seed(u64::MAX).image(9)
}

/// Takes up a chain, whatever it does.
fn resume<'a>(
    memory: &'a mut ChainMemory,
    model: &'a Model<'a>,
    snapshot: &[u8],
    known: Option<KnownPixels<'a>>,
) -> Result<Sampler<'a>, SnapshotError> {
    let mut chain = Sampler::resume(model, snapshot)?.two_evaluations();
    if let Some(known) = known {
        chain = chain.inpaint(known);
    }
    let (arena, state) = memory.split();
    chain.start(arena, state)
}

fn host(name: &str) -> OwnedModel {
    OwnedModel::read(shipped_model(name)).unwrap()
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
        let model = host.model();
        let (mut here, mut there) = (ChainMemory::new(&model), ChainMemory::new(&model));
        let guided = chain(&model).class(6).guidance(1.25);
        for chain in [chain(&model), guided, guided.guidance(2.7).two_evaluations()] {
            let mut sampler = here.start(chain).unwrap();
            let mut snapshots = vec![save(&sampler)];
            while sampler.step() {
                snapshots.push(save(&sampler));
            }
            assert_eq!(snapshots.len(), 6);
            for (done, snapshot) in snapshots.iter().enumerate() {
                assert!(snapshot.len() <= brownian::snapshot_len(host.bytes()));
                let mut resumed = resume(&mut there, &model, snapshot, None).unwrap();
                assert_eq!((resumed.steps_done(), resumed.plan().name(), resumed.steps()), (done, "fast5", 5));
                assert_eq!((resumed.seed(), resumed.image()), (u64::MAX, 9));
                assert_eq!(resumed.condition(), sampler.condition());
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
    let model = host.model();
    let mut memory = ChainMemory::new(&model);
    let mut sampler = memory.start(chain(&model).class(1)).unwrap();
    sampler.step();
    let good = save(&sampler);
    for len in 0..good.len() {
        let error = resume(&mut memory, &model, &good[..len], None).unwrap_err();
        assert_eq!(error, if len < 4 { SnapshotError::Magic } else { SnapshotError::Damaged }, "cut to {len} bytes");
    }
    assert_eq!(resume(&mut memory, &model, &[&good[..], &[0]].concat(), None).unwrap_err(), SnapshotError::Damaged);
    let mut bytes = good.clone();
    for at in 0..good.len() {
        for change in if at < 100 { 1..=255 } else { 1u8..=2 } {
            bytes[at] ^= change;
            let error = resume(&mut memory, &model, &bytes, None).unwrap_err();
            let expected = match at {
                0..4 => matches!(error, SnapshotError::Magic),
                4 => matches!(error, SnapshotError::Version { .. } | SnapshotError::Damaged),
                _ => error == SnapshotError::Damaged,
            };
            assert!(expected, "byte {at} changed by {change:#x}: {error:?}");
            bytes[at] ^= change;
        }
    }
    assert!(resume(&mut memory, &model, &bytes, None).is_ok());
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
    let model = host.model();
    let mut memory = ChainMemory::new(&model);
    let mut sampler = memory.start(chain(&model).class(1).guidance(1.6).two_evaluations()).unwrap();
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
        match resume(&mut memory, &model, &bytes, None) {
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
    let (digits, nano) = (digits.model(), nano.model());
    let mut memory = ChainMemory::new(&digits);
    let snapshot = save(&memory.start(chain(&digits).class(1)).unwrap());
    let error = resume(&mut ChainMemory::new(&nano), &nano, &snapshot, None).map(|_| ()).unwrap_err();
    assert_eq!(error, SnapshotError::Model { expected: digits.checksum(), found: nano.checksum() });
    assert!(error.to_string().contains("another model") || error.to_string().contains("belongs to the model"));
    let mut newer = snapshot.clone();
    newer[4] = 99;
    let error = resume(&mut memory, &digits, &newer, None).map(|_| ()).unwrap_err();
    assert_eq!(error, SnapshotError::Version { found: 99 });
    assert!(error.to_string().contains("version 99"));
    assert_eq!(resume(&mut memory, &digits, b"PNG", None).unwrap_err(), SnapshotError::Magic);
    assert_eq!(resume(&mut memory, &digits, &[], None).unwrap_err(), SnapshotError::Magic);
}

#[test]
fn memory_that_does_not_fit_is_refused() {
    let host = host("digits28");
    let model = host.model();
    let mut memory = ChainMemory::new(&model);
    let snapshot = {
        let sampler = memory.start(chain(&model).class(1).guidance(2.0).two_evaluations()).unwrap();
        let needed = save(&sampler).len();
        let mut short = vec![0; needed - 1];
        let error = sampler.save(&mut short).unwrap_err();
        assert_eq!(error, SnapshotError::BufferTooShort { needed: needed as u32, found: needed as u32 - 1 });
        let mut pieces = Vec::new();
        sampler.save_to(|piece| pieces.extend_from_slice(piece));
        assert_eq!(pieces, save(&sampler));
        pieces
    };
    let (arena, state) = memory.split();
    let resumed = Sampler::resume(&model, &snapshot).unwrap();
    let error = resumed.start(arena, state).unwrap_err();
    assert_eq!(error, SnapshotError::TwoEvaluations);
    assert!(error.to_string().contains("two_evaluations()"), "{error}");
    let error = resumed.two_evaluations().start(arena, &mut state[..model.state_len()]).unwrap_err();
    assert!(matches!(error, SnapshotError::Sampler(SamplerError::StateLength { .. })), "{error:?}");
    let error = resumed.two_evaluations().start(&mut arena[..16], state).unwrap_err();
    assert!(matches!(error, SnapshotError::Sampler(SamplerError::ArenaLength { .. })), "{error:?}");
}

/// A chain that inpaints goes on only with the same image and mask, in whatever form.
#[test]
fn what_is_kept_must_be_given_again() {
    let host = host("digits28-nano");
    let model = host.model();
    let (mut memory, mut other) = (ChainMemory::new(&model), ChainMemory::new(&model));
    let bytes: Vec<u8> = (0..784).map(|i| (i * 3) as u8).collect();
    let values: Vec<f32> = bytes.iter().map(|&b| f32::from(b) / 127.5 - 1.0).collect();
    let mut mask = vec![0u8; mask_len(784)];
    mask[..40].fill(0x5a);
    let known = KnownPixels { image: Image::Bytes(&bytes), mask: &mask };
    let mut sampler = memory.start(chain(&model).class(8).inpaint(known)).unwrap();
    let plain = save(&other.start(chain(&model).class(8)).unwrap());
    sampler.step();
    let snapshot = save(&sampler);
    while sampler.step() {}
    let same = KnownPixels { image: Image::Values(&values), ..known };
    let mut resumed = resume(&mut other, &model, &snapshot, Some(same)).unwrap();
    while resumed.step() {}
    assert_eq!(resumed.digest(), sampler.digest());
    let mut other_mask = mask.clone();
    other_mask[90] = 1;
    let mut other_values = values.clone();
    other_values[1] += 0.01;
    let other_image = KnownPixels { image: Image::Values(&other_values), mask: &mask };
    for wrong in [None, Some(KnownPixels { mask: &other_mask, ..known }), Some(other_image)] {
        assert_eq!(resume(&mut other, &model, &snapshot, wrong).unwrap_err(), SnapshotError::Known);
    }
    assert_eq!(resume(&mut other, &model, &plain, Some(known)).unwrap_err(), SnapshotError::Known);
}
