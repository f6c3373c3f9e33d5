//! `trainer import` and `run-to-torch` as a user runs them: what files say of themselves, and where files go.
use crate::commands::{refuses, rejects, says, succeeds};
use safetensors::tensor::TensorView;
use safetensors::SafeTensors;
use serde_json::{json, Value};
use std::collections::HashMap;
use std::path::Path;

/// A run at its start of pictures in two classes, and its file.
fn start(at: &Path, options: &[&str]) {
    for (i, class) in (0..8u8).map(|i| (i, ["dark", "bright"][usize::from(i % 2)])) {
        let folder = at.join("pictures").join(class);
        std::fs::create_dir_all(&folder).unwrap();
        image::GrayImage::from_pixel(8, 8, image::Luma([i * 30])).save(folder.join(format!("{i}.png"))).unwrap();
    }
    let train = ["train", "--only-start", "--preset", "tiny", "--data", "pictures", "--steps", "9", "--out", "run"];
    succeeds(at, &[&train[..], options].concat());
    succeeds(at, &["run-to-torch", "run", "--out", "start.safetensors"]);
}

/// Writes `to`, which is start.safetensors with other metadata and tensors.
fn changed(at: &Path, to: &str, metadata: impl Fn(&mut Value), tensors: impl Fn(&str, &mut Vec<u8>)) {
    let bytes = std::fs::read(at.join("start.safetensors")).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut value: Value = serde_json::from_str(&header.metadata().as_ref().unwrap()["brownian"]).unwrap();
    metadata(&mut value);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut all: Vec<(String, Vec<usize>, Vec<u8>)> = vec![];
    for (name, view) in file.tensors() {
        let mut data = view.data().to_vec();
        tensors(&name, &mut data);
        all.push((name, view.shape().to_vec(), data));
    }
    let view = |shape: &[usize], data| TensorView::new(safetensors::Dtype::F32, shape.to_vec(), data).unwrap();
    let views: Vec<(&str, TensorView)> = all.iter().map(|(name, shape, data)| (&**name, view(shape, data))).collect();
    let header = HashMap::from([("brownian".to_owned(), value.to_string())]);
    std::fs::write(at.join(to), safetensors::serialize(views, Some(header)).unwrap()).unwrap();
}

fn unchanged(_: &str, _: &mut Vec<u8>) {}

#[test]
fn a_file_that_says_wrong_things_of_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    start(at, &[]);
    let own = "bad.safetensors: its configuration is wrong, as options of `trainer train`: ";
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 9] = [
        (|file| file["config"]["timesteps"] = json!(0), "--timesteps 0: give 2 to 100000"),
        (|file| file["config"]["lr"] = json!(0.0), "--lr 0: give a learning rate"),
        (|file| file["config"]["steps"] = json!(1u64 << 40), "--steps 1099511627776: give at least 1"),
        (|file| file["config"]["sample_rate"] = json!(0), "sample_rate 0: a sound has 1000 to 192000"),
        (|file| file["config"]["image"] = json!([0, 8, 1]), "images of 0x8x1 hold no values"),
        (|file| file["config"]["image"] = json!([8, 0, 1]), "images of 8x0x1 hold no values"),
        (|file| file["config"]["image"] = json!([8, 8, 0]), "images of 8x8x0 hold no values"),
        (|file| file["config"]["image"] = json!([1u64 << 62, 4, 1]), "images of 4611686018427387904x4x1 are more"),
        (|file| file["config"]["preset"] = json!("a\u{1b}[2J\nb"), r#"--preset "a\u{1b}[2J\nb": a network's name"#),
    ];
    for (change, words) in cases {
        changed(at, "bad.safetensors", change, unchanged);
        refuses(at, &["import", "bad.safetensors", "--out", "back"], 1, &format!("{own}{words}"));
    }
    for step in [1u64 << 31, u64::MAX] {
        changed(at, "bad.safetensors", |file| file["step"] = json!(step), unchanged);
        refuses(
            at,
            &["import", "bad.safetensors", "--out", "back"],
            1,
            &format!("bad.safetensors: is at step {step}; a run"),
        );
    }
    assert!(!at.join("back").exists());
    // A step of more digits than usual is found again.
    changed(at, "late.safetensors", |file| file["step"] = json!(1_000_000_000), unchanged);
    succeeds(at, &["import", "late.safetensors", "--out", "late"]);
    let (_, said) = says(at, &["run-to-torch", "late", "--out", "again.safetensors"]);
    assert_eq!(said, "again.safetensors: the averaged weights of step 1000000000\n");
    for option in [
        &["--data", "pictures"][..],
        &["--prediction", "v"],
        &["--labels", "none"],
        &["--size", "8"],
        &["--layout", "nhw"],
        &["--rate", "8000"],
        &["--skip-broken"],
        &["--no-cache"],
    ] {
        let words = format!("{}: the file says itself what it was trained on", option[0]);
        refuses(at, &[&["import", "start.safetensors", "--out", "back"], option].concat(), 2, &words);
    }
    let first = ["import", "start.safetensors", "--out", "back", "--first-timestep", "0"];
    refuses(at, &first, 2, "--first-timestep: it is of an ONNX file");
    assert!(!at.join("back").exists());
}

#[test]
fn a_learned_schedule_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    start(at, &["--schedule", "learned", "--timesteps", "50"]);
    for (tensor, value) in
        [("process.falls", 100f32), ("process.falls", -100.0), ("process.errors", 100.0), ("process.errors", -100.0)]
    {
        let change = |name: &str, data: &mut Vec<u8>| {
            if name == tensor {
                data[8..12].copy_from_slice(&value.to_le_bytes());
            }
        };
        changed(at, "bad.safetensors", |_| (), change);
        let words = format!("bad.safetensors: the tensor {tensor} holds {value} at 2, ");
        refuses(at, &["import", "bad.safetensors", "--out", "back"], 1, &words);
    }
    succeeds(at, &["import", "start.safetensors", "--out", "back"]);
}

#[test]
fn an_onnx_file_is_told_what_it_does_not_say() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("net.ONNX"), b"none").unwrap();
    let import = ["import", "net.ONNX", "--out", "run"];
    let all =
        "--prediction: an ONNX file does not say what its network predicts; give one of epsilon, v, x0. Most networks";
    refuses(at, &[&import[..], &["--data", "digits"]].concat(), 2, all);
    refuses(at, &[&import[..], &["--prediction", "v", "--net", "x.toml"]].concat(), 1, "x.toml: cannot be read");
    refuses(at, &[&import[..], &["--prediction", "v", "--preset", "tiny"]].concat(), 2, "holds its network");
    let text = rejects(at, &[&import[..], &["--prediction", "v"]].concat(), 1, "net.ONNX: does not say");
    assert!(text.contains("give --data and what else") && !text.contains("--net"), "{text}");
    refuses(at, &[&import[..], &["--process", "binomial", "--data", "digits"]].concat(), 1, "is no whole ONNX file");
    assert!(!at.join("run").exists());
}

/// An export says of a run only what it knows.
#[test]
fn imported_weights_are_not_called_noise() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    start(at, &[]);
    for (step, words) in [
        (0, "warning: run0 holds weights of step 0; unless they were trained elsewhere, the model draws noise\n"),
        (4, "warning: run4 holds the weights of step 4 of 9; `trainer train --from` starts another training from them\n"),
        (9, ""),
    ] {
        let (file, run) = (format!("{step}.safetensors"), format!("run{step}"));
        changed(at, &file, |file| file["step"] = json!(step), unchanged);
        succeeds(at, &["import", &file, "--out", &run]);
        let (_, said) = says(at, &["export", &run, "--out", "m.brn", "--plan", "ddim:2"]);
        assert!(said.starts_with(words) && said.contains("warning") != words.is_empty(), "{said}");
    }
}

#[test]
fn images_that_are_varied_are_said_to_be_varied_here_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    start(at, &[]);
    let train = ["train", "--only-start", "--preset", "tiny", "--data", "pictures", "--augment", "shift", "--out", "b"];
    let (_, said) = says(at, &train);
    assert!(said.contains("warning: --augment shift is done by `trainer train --resume`; brownian.torch"), "{said}");
}

/// All files or none, and none among those of the run and its data.
#[test]
fn weights_and_arrays_go_where_they_harm_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    start(at, &[]);
    std::fs::write(at.join("file"), b"mine").unwrap();
    std::fs::create_dir(at.join("other")).unwrap();
    std::fs::write(at.join("other/images-0001.npy"), b"mine").unwrap();
    let there = || {
        let mut names: Vec<_> = walkdir(at).into_iter().filter(|name| !name.starts_with("cache")).collect();
        names.sort();
        names
    };
    let before = there();
    for (out, data, code, words) in [
        ("x", "x", 2, "--out x: lies in the folder of --data"),
        ("x/y", "x", 2, "--out x/y: lies in the folder of --data"),
        ("x", "x/y", 2, "--data x/y: lies below the file of --out"),
        ("x", "run", 2, "--data run: lies in the folder of the run"),
        ("x", "run/arrays", 2, "--data run/arrays: lies in the folder of the run"),
        ("run/x", "arrays", 2, "--out run/x: lies in the folder of the run"),
        ("x", "pictures", 2, "--data pictures: lies in the folder of the run's own data"),
        ("x", "pictures/arrays", 2, "--data pictures/arrays: lies in the folder of the run's own data"),
        ("x", "file", 1, "file: is no folder; choose one for the arrays"),
        ("x", "file/arrays", 1, "file/arrays: cannot be written"),
        ("x", "other", 1, "other/images-0001.npy: lies there and would be read with the new arrays"),
        ("no/such", "arrays", 1, "no/such: cannot be written"),
    ] {
        refuses(at, &["run-to-torch", "run", "--out", out, "--data", data], code, words);
        assert_eq!(there(), before, "{out} {data}");
    }
    #[cfg(target_os = "linux")]
    {
        rejects(
            at,
            &["run-to-torch", "run", "--out", "/dev/full", "--data", "deep/arrays"],
            1,
            "/dev/full: cannot be written",
        );
        assert_eq!(there(), before);
    }
    succeeds(at, &["run-to-torch", "run", "--out", "x", "--data", "deep/arrays"]);
    succeeds(at, &["run-to-torch", "run", "--out", "x", "--data", "deep/arrays"]);
    for name in ["x", "deep/arrays/images.npy", "deep/arrays/labels.npy"] {
        assert!(at.join(name).is_file(), "{name}");
    }
    // A run of the arrays does not write over them.
    let train = ["train", "--only-start", "--preset", "tiny", "--data", "deep/arrays/images.npy", "--out", "again"];
    succeeds(at, &[&train[..], &["--layout", "nhwc"]].concat());
    let over = ["run-to-torch", "again", "--out", "y", "--data", "deep/arrays"];
    refuses(at, &over, 2, "--data deep/arrays/images.npy: would overwrite what is read");
}

/// The files and folders below `at`, by their names from there.
fn walkdir(at: &Path) -> Vec<String> {
    let mut found = vec![];
    let mut folders = vec![at.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            found.push(path.strip_prefix(at).unwrap().display().to_string());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}
