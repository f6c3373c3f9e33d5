//! `trainer eval` and `trainer classifier` as a user runs them.
use std::path::Path;
use std::process::{Command, Output};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits28.brn");

fn trainer(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trainer")).current_dir(folder).args(arguments).output().unwrap()
}

/// Checks the exit code and that standard error is one line that holds `reason`.
fn refuses(folder: &Path, arguments: &[&str], code: i32, reason: &str) {
    let output = trainer(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert!(text.contains(reason) && text.trim_end().lines().count() == 1, "{arguments:?}: {text}");
}

/// A run of 8×8 images without classes, with one step of training.
fn train_other_images(folder: &Path) {
    use npyz::WriterBuilder;
    let file = std::fs::File::create(folder.join("a.npy")).unwrap();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&[50, 8, 8]).writer(file).begin_nd().unwrap();
    (0..50 * 64u32).for_each(|i| writer.push(&((i * 37 / 64) as u8)).unwrap());
    writer.finish().unwrap();
    let train = ["train", "--preset", "tiny", "--data", "a.npy", "--out", "run", "--steps", "1", "--batch", "2"];
    assert!(trainer(folder, &train).status.success());
    assert!(trainer(folder, &["export", "run", "--out", "other.brn", "--plan", "ddim:2"]).status.success());
}

#[test]
fn a_shipped_model_is_compared_with_real_digits() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["eval", MODEL, "--plan", "fast5", "--count", "200", "--seed", "3", "--guidance", "1.5", "--json"];
    let output = trainer(folder.path(), &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["count"], &report["arithmetic"]), (&200.into(), &"int8".into()));
    assert!(report["classifier"]["test_accuracy"].as_f64().unwrap() >= 0.985);
    let plan = &report["plans"][0];
    assert_eq!((&plan["name"], &plan["steps"]), (&"fast5".into(), &5.into()));
    for figures in [&plan["figures"], &report["real"], &report["noise"], &report["blur"]] {
        let value = |name: &str| figures[name]["value"].as_f64().unwrap();
        assert!(value("class_accuracy") > 0.8, "{figures}");
        assert!(value("precision") > 0.3 && value("memorisation_ratio") > 0.5, "{figures}");
        for name in ["frechet_distance", "class_total_variation", "recall", "sliced_wasserstein"] {
            assert!(figures[name]["low"].as_f64().unwrap() <= value(name), "{name} of {figures}");
        }
    }
}

#[test]
fn says_no_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    train_other_images(path);
    refuses(path, &["eval", "other.brn"], 1, "other.brn: makes images of 8x8x1 in 0 classes; only digits of 28x28x1");
    refuses(path, &["eval", "run"], 1, "run: makes images of 8x8x1");
    refuses(path, &["eval", "none.brn"], 1, "none.brn: cannot be read");
    refuses(path, &["eval", "a.npy"], 1, "a.npy");
    refuses(path, &["eval", MODEL, "--plan", "slow"], 2, "no plan \"slow\"; it has ");
    refuses(path, &["eval", MODEL, "--count", "99"], 2, "--count 99: give at least 100");
    refuses(path, &["eval", MODEL, "--guidance", "17"], 2, "--guidance 17");
    refuses(path, &["classifier", "--out", "c", "--epochs", "0"], 2, "--epochs 0");
    assert!(!path.join("c").exists());
}
