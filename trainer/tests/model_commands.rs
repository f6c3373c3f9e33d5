//! `trainer export`, `sample` and `inspect` as a user runs them, well and badly.

use std::path::Path;
use std::process::{Command, Output};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits28-nano.brn");

fn trainer(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trainer")).current_dir(folder).args(arguments).output().unwrap()
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = trainer(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Checks the exit code and that standard error is one line that holds `reason`.
fn refuses(folder: &Path, arguments: &[&str], code: i32, reason: &str) {
    let output = trainer(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert!(text.contains(reason) && text.trim_end().lines().count() == 1, "{arguments:?}: {text}");
}

#[test]
fn samples_do_not_depend_on_threads_or_count() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let sample = ["sample", MODEL, "--plan", "fast5", "--seed", "9", "--class", "cycle"];
    succeeds(at, &[&sample[..], &["--count", "12", "--npy", "a.npy", "--threads", "1"]].concat());
    succeeds(at, &[&sample[..], &["--count", "5", "--npy", "b.npy", "--png", "b.png", "--threads", "3"]].concat());
    let read = |name: &str| {
        let bytes = std::fs::read(at.join(name)).unwrap();
        let array = npyz::NpyFile::new(&bytes[..]).unwrap();
        (array.shape().to_vec(), array.into_vec::<f32>().unwrap())
    };
    let (all, some) = (read("a.npy"), read("b.npy"));
    assert_eq!((all.0, some.0), (vec![12, 28, 28, 1], vec![5, 28, 28, 1]));
    assert_eq!(all.1[..5 * 784], some.1[..]);
    assert!(some.1.iter().all(|v| v.abs() <= 1.0), "clipped plans end in [-1, 1]");
    let image = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(at.join("b.png")).unwrap()));
    let info = image.read_info().unwrap();
    assert_eq!((info.info().width, info.info().height), (2 * (5 * 29 + 1), 2 * 30));
    let drawn = succeeds(at, &[&sample[..], &["--count", "1", "--print"]].concat());
    assert!((8..=14).contains(&drawn.lines().count()) && drawn.contains('@'), "{drawn}");
}

#[test]
fn inspect_tells_what_a_chip_needs() {
    let folder = tempfile::tempdir().unwrap();
    let report: serde_json::Value =
        serde_json::from_str(&succeeds(folder.path(), &["inspect", MODEL, "--json"])).unwrap();
    assert_eq!(report["flash"].as_u64().unwrap(), std::fs::metadata(MODEL).unwrap().len());
    assert!(report["arena"].as_f64().unwrap() <= 1.1 * report["arena_lower_bound"].as_f64().unwrap());
    assert_eq!(report["plans"][1]["steps"], 10);
    let macs: u64 = report["ops"].as_array().unwrap().iter().map(|op| op["macs"].as_u64().unwrap()).sum();
    assert_eq!(report["macs_per_step"], macs);
    assert!(succeeds(folder.path(), &["inspect", MODEL]).contains("arena lower bound"));
}

#[test]
fn bad_models_are_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let good = std::fs::read(MODEL).unwrap();
    let write = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        std::fs::write(at.join(name), bytes).unwrap();
    };
    write("cut.brn", &|b| b.truncate(3000));
    write("flipped.brn", &|b| b[9000] ^= 4);
    write("newer.brn", &|b| b[4] = 9);
    write("other.brn", &|b| b[..4].copy_from_slice(b"\x89PNG"));
    std::fs::write(at.join("empty.brn"), []).unwrap();
    for (file, reason) in [
        ("cut.brn", "cut off"),
        ("flipped.brn", "damaged"),
        ("newer.brn", "version 9"),
        ("other.brn", "not a Brownian model"),
        ("empty.brn", "empty.brn"),
        ("missing.brn", "cannot be read"),
        (".", "cannot be read"),
    ] {
        refuses(at, &["inspect", file], 1, reason);
        refuses(at, &["sample", file, "--print"], 1, file);
    }
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (arguments, reason) in [
        (&["--print", "--plan", "nope"][..], "ddim50, fast10, fast5"),
        (&["--print", "--count", "0"], "--count 0"),
        (&["--print", "--threads", "0"], "--threads 0"),
        (&["--print", "--guidance", "17"], "--guidance"),
        (&["--print", "--guidance", "NaN"], "--guidance"),
        (&["--print", "--class", "10"], "below 10"),
        (&["--npy", "x.npy", "--count", "4000000000"], "memory"),
        (&[], "--png, --npy or --print"),
    ] {
        refuses(at, &[&["sample", MODEL][..], arguments].concat(), 2, reason);
    }
    for arguments in [&["sample"][..], &["sample", MODEL, "--class", "seven"], &["paint"], &["inspect"]] {
        assert_eq!(trainer(at, arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn export_writes_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    refuses(at, &["export", "nowhere", "--out", "m.brn"], 1, "nowhere");
    std::fs::create_dir(at.join("images")).unwrap();
    for i in 0..4u8 {
        let path = at.join(format!("images/{i}.png"));
        let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), 8, 8);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&[i * 60; 64]).unwrap();
    }
    let train = ["train", "--preset", "tiny", "--data", "images", "--out", "run", "--steps", "2", "--batch", "2"];
    succeeds(at, &train);
    for (plan, reason) in [("euler:3", "euler"), ("ddim:2000", "2000"), ("a=ddim:0", "number of steps")] {
        refuses(at, &["export", "run", "--out", "m.brn", "--plan", plan], 2, reason);
    }
    refuses(at, &["export", "run", "--out", "m.brn", "--plan", "ddim:2", "--plan", "ddim:2:noclip"], 2, "ddim2");
    assert!(!at.join("m.brn").exists());
    succeeds(at, &["export", "run", "--out", "m.brn", "--plan", "slow=ddpm:1000", "--plan", "ddim:5"]);
    let before = std::fs::read(at.join("m.brn")).unwrap();
    refuses(at, &["export", "run", "--out", "no/such/m.brn", "--plan", "ddim:5"], 1, "no/such/m.brn");
    refuses(at, &["export", "run", "--out", "m.brn", "--plan", "ddim:5:eta=7"], 2, "eta");
    assert_eq!(std::fs::read(at.join("m.brn")).unwrap(), before);
    succeeds(at, &["export", "run", "--out", "again.brn", "--plan", "slow=ddpm:1000", "--plan", "ddim:5"]);
    assert_eq!(std::fs::read(at.join("again.brn")).unwrap(), before, "exporting twice gives the same bytes");
    refuses(at, &["sample", "m.brn", "--print", "--class", "1"], 2, "not conditioned");
    succeeds(at, &["sample", "m.brn", "--plan", "slow", "--count", "2", "--print"]);
}
