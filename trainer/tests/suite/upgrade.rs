//! Model files of earlier format versions, upgraded. `data/digits28-nano-v3.brn` was written by a version 3 exporter.

use crate::commands::trainer;
use brownian::format::VERSION;
use brownian::host::{ChainMemory, OwnedModel};
use brownian::{Model, ParseError, Sampler};
use brownian_trainer::upgrade::{upgrade, UpgradeError};

const OLD: &[u8] = include_bytes!("data/digits28-nano-v3.brn");
const OLD_PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/data/digits28-nano-v3.brn");
/// What the chain of `fast10` with seed 1 and class 1 gave when the file was written: [`Sampler::digest`] of every step.
const DIGESTS: [u32; 10] = [
    0xe290_3ef4,
    0x37a3_57b3,
    0x93ae_36af,
    0x3abc_a7b6,
    0xb939_c1f3,
    0x9a75_4410,
    0x2f06_e608,
    0x53c3_f707,
    0xb48c_93f8,
    0x677b_c48e,
];

/// Writes the checksum anew.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 4;
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[..end]);
    bytes[end..].copy_from_slice(&crc.sum().to_le_bytes());
    bytes
}

#[test]
fn version_3_becomes_todays_with_the_same_weights() {
    assert_eq!(OLD[4], 3);
    assert_eq!(OwnedModel::new(OLD).unwrap_err(), ParseError::Version { found: 3 });
    assert!(ParseError::Version { found: 3 }.to_string().contains("trainer upgrade"));
    let (found, file) = upgrade(OLD).unwrap();
    assert_eq!(found, 3);
    let owned = OwnedModel::new(&file).unwrap();
    let model = owned.model();
    // The blob is the old one, and the header's text too.
    let blob_start = (32 + length(OLD, 8)).next_multiple_of(16);
    assert_eq!(*model.blob(), OLD[blob_start..OLD.len() - 4]);
    let texts = [model.header().name, model.header().provenance];
    assert!(texts.iter().all(|text| OLD.windows(text.len()).any(|window| window == text.as_bytes())));
    let axes: Vec<(&str, Vec<&str>)> = model.axes().map(|axis| (axis.name(), axis.classes().collect())).collect();
    assert_eq!(axes, [("class", (0..10).map(|i| &"0123456789"[i..=i]).collect())]);
    assert_eq!(file[16..28], OLD[16..28], "arena, state and sample");
    assert_eq!(model.plans().map(|plan| plan.name()).collect::<Vec<_>>(), ["ddim50", "fast10", "fast5"]);
    let mut memory = ChainMemory::new(&model);
    let (arena, state) = memory.split();
    let plan = model.plan("fast10").unwrap();
    let mut chain = Sampler::builder(&model, plan).seed(1).class(1).start(arena, state).unwrap();
    let mut digests = vec![];
    while chain.step() {
        digests.push(chain.digest());
    }
    assert_eq!(digests, DIGESTS);
}

fn length(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// The header of version 4 is that of version 3 behind the process's number.
#[test]
fn version_4_becomes_the_same() {
    let header_end = 32 + length(OLD, 8);
    let mut file = OLD[..32].to_vec();
    file[4] = 4;
    file[8..12].copy_from_slice(&(length(OLD, 8) as u32 + 1).to_le_bytes());
    file.push(0);
    file.extend(&OLD[32..header_end]);
    file.resize(file.len().next_multiple_of(16), 0);
    file.extend(&OLD[header_end.next_multiple_of(16)..]);
    assert_eq!(upgrade(&sealed(file)).unwrap(), (4, upgrade(OLD).unwrap().1));
}

#[test]
fn todays_version_stays_as_it_is() {
    let (_, file) = upgrade(OLD).unwrap();
    assert_eq!(upgrade(&file), Ok((VERSION, file.clone())));
    let mut damaged = file;
    damaged[100] ^= 1;
    assert!(matches!(upgrade(&damaged), Err(UpgradeError::Crc { .. })));
}

#[test]
fn what_is_no_whole_file_of_a_known_version_is_refused() {
    let changed = |at: usize, to: u8| {
        let mut bytes = OLD.to_vec();
        bytes[at] = to;
        bytes
    };
    assert_eq!(upgrade(&[]), Err(UpgradeError::Magic));
    assert_eq!(upgrade(&changed(0, b'X')), Err(UpgradeError::Magic));
    assert_eq!(upgrade(&changed(4, 2)), Err(UpgradeError::TooOld(2)));
    assert_eq!(upgrade(&changed(4, 99)), Err(UpgradeError::TooNew(99)));
    for len in [4, 5, 31, 32, 1000, OLD.len() - 1] {
        let error = upgrade(&OLD[..len]).unwrap_err();
        assert!(matches!(error, UpgradeError::Length { .. } | UpgradeError::TooOld(0)), "{len}: {error}");
    }
    assert!(matches!(upgrade(&[OLD, &[0]].concat()), Err(UpgradeError::Length { .. })));
    // Every byte behind the lengths is covered by the checksum.
    for at in (16..OLD.len()).step_by(97) {
        assert!(matches!(upgrade(&changed(at, !OLD[at])), Err(UpgradeError::Crc { .. })), "byte {at}");
    }
    // Whole, but not a model: the arena is one byte long.
    let broken = sealed(changed(17, 0));
    assert!(matches!(upgrade(&broken), Err(UpgradeError::Refused(ParseError::Input(_) | ParseError::Op { .. }))));
    // Lengths that do not fit 32 bits together.
    let mut huge = OLD.to_vec();
    huge[8..16].fill(0xff);
    assert!(matches!(upgrade(&huge), Err(UpgradeError::Length { expected: 0x2_0000_0000.., .. })));
}

#[test]
fn the_command_writes_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], code: i32, reason: &str| {
        let output = trainer(folder.path(), arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(reason) && text.trim_end().lines().count() == 1, "{arguments:?}: {text}");
    };
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    std::fs::write(folder.path().join("old.brn"), OLD).unwrap();
    run(&["upgrade", "old.brn", "--out", "new.brn"], 0, "new.brn: format version 5, from version 3");
    assert_eq!(read("new.brn"), upgrade(OLD).unwrap().1);
    assert!(Model::parse(OwnedModel::read(folder.path().join("new.brn")).unwrap().bytes()).is_ok());
    run(&["upgrade", "new.brn", "--out", "copy.brn"], 0, "new.brn has format version 5 already: copy.brn is a copy");
    assert_eq!(read("copy.brn"), read("new.brn"));
    for out in ["old.brn", "./old.brn"] {
        run(&["upgrade", "old.brn", "--out", out], 2, "give another file");
    }
    assert_eq!(read("old.brn"), OLD, "the old file stays as it is");
    run(&["upgrade", "missing.brn", "--out", "x.brn"], 1, "missing.brn: cannot be read");
    std::fs::write(folder.path().join("cut.brn"), &OLD[..500]).unwrap();
    run(&["upgrade", "cut.brn", "--out", "x.brn"], 1, "cut.brn: the model should have 49516 bytes but has 500");
    assert!(!folder.path().join("x.brn").exists(), "nothing is written of what is refused");
    run(&["inspect", OLD_PATH], 1, "`trainer upgrade` brings it up to date");
}
