//! Commands where there is little memory: they say what they need before they begin, or need little.
#![cfg(target_os = "linux")]

use super::commands::succeeds;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

/// Side of the gray images.
const SIDE: usize = 64;
/// Images that need more than [`LITTLE`] in floats.
const MANY: usize = 16_000;
/// Kilobytes of address space.
const LITTLE: usize = 200_000;

/// The program with so much memory.
fn with_little(folder: &Path, arguments: &[&str]) -> Output {
    let script = format!("ulimit -v {LITTLE}; exec \"$@\"");
    let mut shell = Command::new("sh");
    shell.current_dir(folder).env("XDG_CACHE_HOME", folder.join("cache")).env("RAYON_NUM_THREADS", "1");
    shell.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_trainer")]).args(arguments).output().unwrap()
}

/// It ends with this code, and the last line is an error with this reason.
fn refuses(folder: &Path, arguments: &[&str], code: i32, reason: &str) {
    let output = with_little(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    let last = text.trim_end().lines().last().unwrap_or_default();
    assert!(last.starts_with("error: ") && last.contains(reason), "{arguments:?}: {text}");
}

/// Images of 64x64, a network that has learned nothing of them, and its model file.
fn write_model(folder: &Path) {
    let mut array = Vec::new();
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': (4, {SIDE}, {SIDE}), }}\n");
    array.extend(b"\x93NUMPY\x01\x00");
    array.extend((header.len() as u16).to_le_bytes());
    array.extend(header.as_bytes());
    array.extend((0..4 * SIDE * SIDE).map(|i| (i * i % 251) as u8));
    fs::write(folder.join("a.npy"), array).unwrap();
    let network = succeeds(folder, &["net", "tiny"]).replace("channels = [4, 8]", "channels = [2]");
    fs::write(folder.join("net.toml"), network.replace("blocks = [1, 1]", "blocks = [1]")).unwrap();
    let train = ["train", "--net", "net.toml", "--data", "a.npy", "--out", "run", "--steps", "1", "--batch", "1"];
    succeeds(folder, &train);
    succeeds(folder, &["export", "run", "--out", "m.brn", "--plan", "ddim:1"]);
}

#[test]
fn what_does_not_fit_is_refused_before_work_begins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_model(path);
    let many = MANY.to_string();
    // The file alone holds all images.
    let output = with_little(path, &["sample", "m.brn", "--count", &many, "--npy", "many.npy"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fs::metadata(path.join("many.npy")).unwrap().len() > (LITTLE as u64) << 10);

    let held = format!("--count {many}: holding all images needs about 0.3 GB");
    refuses(path, &["sample", "m.brn", "--count", &many, "--png", "many.png"], 2, &held);
    let batch = ["train", "--net", "net.toml", "--data", "a.npy", "--out", "other", "--steps", "1", "--batch", "65536"];
    refuses(path, &batch, 1, "a step of --batch 65536 with --accumulate 1 needs about");
    let tuned = ["finetune", "run", "--out", "other", "--steps", "1", "--plan", "ddim:1"];
    refuses(
        path,
        &[&tuned[..], &["--evaluations", "65536"]].concat(),
        1,
        "a step of --evaluations 65536 and --batch 32",
    );
    assert!(!path.join("other").exists(), "a run that did not begin leaves a folder");
}

/// A small file that unpacks to 2 GB behind a header of four images.
#[test]
fn packed_files_are_not_unpacked_beyond_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let file = fs::File::create(path.join("bomb-images-idx3-ubyte.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packed.write_all(&[0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 8, 0, 0, 0, 8]).unwrap();
    (0..2000).for_each(|_| packed.write_all(&[0; 1 << 20]).unwrap());
    packed.finish().unwrap();
    refuses(path, &["data", "bomb-images-idx3-ubyte.gz"], 1, "bomb-images-idx3-ubyte.gz");
}
