//! `trainer export` as a user runs it: what it says first, several label axes, halves, few timesteps.
use crate::commands::{command, rejects, says, succeeds};
use crate::eval_command::write_images;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;

/// Pictures of 8×8 whose shade and side are labelled in a table.
fn write_pictures(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    let mut table = String::from("file,shade,side\n");
    for i in 0..24u8 {
        let (bright, right) = (i % 2 == 1, i / 2 % 2 == 1);
        let value = i * 2 + if bright { 200 } else { 80 };
        let pixel = |x: u32, _| image::Luma([if (x >= 4) == right { value } else { 0 }]);
        image::GrayImage::from_fn(8, 8, pixel).save(folder.join(format!("{i}.png"))).unwrap();
        let [shade, side] = [["dark", "bright"][usize::from(bright)], ["left", "right"][usize::from(right)]];
        table += &format!("{i}.png,{shade},{side}\n");
    }
    std::fs::write(folder.join("labels.csv"), table).unwrap();
}

/// From a table of two columns to names that a chip is asked for, with the state in halves.
#[test]
fn names_of_two_axes_reach_the_samples() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_pictures(&at.join("pictures"));
    let train = ["train", "--preset", "tiny", "--data", "pictures", "--out", "run", "--steps", "3", "--batch", "8"];
    says(at, &train);
    let export = ["export", "run", "--plan", "a=dpm:4", "--out"];
    says(at, &[&export[..], &["whole.brn"]].concat());
    says(at, &[&export[..], &["halves.brn", "--state", "f16"]].concat());
    for (file, state) in [("whole.brn", 8 * 8 * (4 + 2)), ("halves.brn", 8 * 8 * (2 + 2))] {
        let (text, _) = says(at, &["inspect", file]);
        for name in ["shade", "dark", "bright", "side", "left", "right"] {
            assert!(text.contains(name), "{name}: {text}");
        }
        let report: serde_json::Value = serde_json::from_str(&says(at, &["inspect", file, "--json"]).0).unwrap();
        assert_eq!(report["state"], state, "{file}: {report}");
    }
    let draw = |file: &str, class: &str| {
        says(at, &["sample", file, "--count", "2", "--seed", "5", "--class", class, "--npy", "x.npy"]);
        let bytes = std::fs::read(at.join("x.npy")).unwrap();
        npyz::NpyFile::new(&bytes[..]).unwrap().into_vec::<f32>().unwrap()
    };
    let both = draw("whole.brn", "bright+left");
    assert_eq!(both, draw("whole.brn", "side=left+shade=bright"));
    assert!(both != draw("whole.brn", "bright") && both != draw("whole.brn", "bright+right"));
    let halves = draw("halves.brn", "bright+left");
    let furthest = both.iter().zip(&halves).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(furthest > 0.0 && furthest < 0.1, "halves of the state change a pixel by {furthest}");
    rejects(at, &["sample", "whole.brn", "--print", "--class", "bright+dark"], 2, "shade");
    rejects(at, &["sample", "whole.brn", "--print", "--class", "green"], 2, "green");
    rejects(at, &["export", "run", "--out", "m.brn", "--state", "f8"], 2, "f8");
}

#[test]
fn a_run_without_a_step_is_doubtful() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_pictures(&at.join("pictures"));
    let long =
        ["train", "--preset", "tiny", "--data", "pictures", "--out", "run", "--steps", "1000000", "--batch", "8"];
    let mut child = command(at, &long).stderr(Stdio::null()).spawn().unwrap();
    while !at.join("run/step-000000000").exists() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let (_, said) = says(at, &["export", "run", "--out", "m.brn", "--plan", "ddim:2"]);
    assert!(said.starts_with("warning: run has made no step, so the model draws noise\n"), "{said}");
}

#[test]
fn plans_of_few_timesteps_are_those_that_fit() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_pictures(&at.join("pictures"));
    let train = ["train", "--preset", "tiny", "--data", "pictures", "--out", "run", "--steps", "2", "--batch", "8"];
    let (_, said) = says(at, &[&train[..], &["--timesteps", "40"]].concat());
    assert!(!said.contains("error"), "{said}");
    let (_, said) = says(at, &["export", "run", "--out", "m.brn"]);
    assert!(said.starts_with("left out, as the run has 40 timesteps: ddim50=ddim:50\n"), "{said}");
    let (text, _) = says(at, &["inspect", "m.brn"]);
    assert!(!text.contains("ddim50") && text.contains("fast"), "{text}");
    rejects(at, &["export", "run", "--out", "n.brn", "--plan", "ddim:50"], 2, "40");
    assert!(!at.join("n.brn").exists());
}

/// Images of a hundred times the digits' pixels are trained on, exported and drawn like any.
#[test]
fn large_images_make_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_images(at, "large.npy", &[3, 320, 320]);
    let train = ["train", "--preset", "small", "--data", "large.npy", "--out", "run", "--steps", "2", "--batch", "1"];
    let (_, said) = says(at, &train);
    assert!(said.starts_with("large.npy: 3 images of 320x320x1"), "{said}");
    let (_, said) = says(at, &["export", "run", "--out", "m.brn", "--plan", "ddim:2"]);
    assert!(said.contains("m.brn: "), "{said}");
    succeeds(at, &["sample", "m.brn", "--count", "1", "--npy", "drawn.npy"]);
    let bytes = std::fs::read(at.join("drawn.npy")).unwrap();
    let array = npyz::NpyFile::new(&bytes[..]).unwrap();
    assert_eq!(array.shape(), [1, 320, 320, 1]);
    let values = array.into_vec::<f32>().unwrap();
    assert!(values.iter().all(|value| value.abs() <= 1.0) && values.iter().any(|value| *value != values[0]));
}

/// Standard error on a full disk takes nothing, and the work is done all the same.
#[cfg(target_os = "linux")]
#[test]
fn nothing_is_lost_where_standard_error_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_pictures(&at.join("pictures"));
    let train = ["train", "--preset", "tiny", "--data", "pictures", "--out", "run", "--steps", "5", "--batch", "8"];
    let tune = ["finetune", "run", "--out", "tuned", "--plan", "ddim:2", "--steps", "2", "--matching", "0"];
    for arguments in [&train[..], &tune, &["export", "tuned", "--out", "m.brn", "--plan", "ddim:2"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let status = command(at, arguments).stderr(full).status().unwrap();
        assert!(status.success(), "{arguments:?}: {status}");
    }
    assert!(at.join("m.brn").exists());
}

/// A packed run is exported and fine-tuned to the same bytes, and starts another training, but does not go on.
#[test]
fn a_packed_run_is_enough_for_all_but_going_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_pictures(&at.join("pictures"));
    let train = ["train", "--preset", "tiny", "--data", "pictures", "--steps", "4", "--batch", "8", "--out"];
    says(at, &[&train[..], &["run", "--validation", "0.25"]].concat());
    let (_, said) = says(at, &["pack", "run", "--out", "packed/run"]);
    assert_eq!(said, "packed/run: the averaged weights of step 4\n");
    let size = |run: &str| std::fs::metadata(at.join(run).join("step-000000004/state.safetensors")).unwrap().len();
    assert!(2 * size("packed/run") < size("run"));
    assert!(!at.join("packed/run/step-000000004/loss.csv").exists());
    let tune = ["--plan", "ddim:2", "--steps", "2", "--matching", "0"];
    for (run, tuned) in [("run", "tuned"), ("packed/run", "packed/tuned")] {
        says(at, &["export", run, "--out", &format!("{run}.brn"), "--plan", "ddim:2"]);
        says(at, &[&["finetune", run, "--out", tuned][..], &tune].concat());
        says(at, &["pack", tuned, "--out", &format!("{tuned}-again")]);
        says(at, &["export", &format!("{tuned}-again"), "--out", &format!("{tuned}.brn"), "--plan", "ddim:2"]);
    }
    let read = |name: &str| std::fs::read(at.join(name)).unwrap();
    assert_eq!(read("run.brn"), read("packed/run.brn"));
    assert_eq!(read("tuned.brn"), read("packed/tuned.brn"));
    says(at, &[&train[..], &["further", "--from", "packed/run"]].concat());
    rejects(at, &["train", "--out", "packed/run", "--resume"], 1, "packed/run: is a packed run");
    rejects(at, &["pack", "run", "--out", "packed/run"], 1, "packed/run: already holds a run");
    rejects(at, &["pack", "nowhere", "--out", "x"], 1, "nowhere: holds no checkpoint");
    assert!(!at.join("x").exists());
    rejects(at, &["pack", "run", "--out", "run.brn/x"], 1, "cannot be written");
}

/// Score matching at levels of noise: trained, exported with annealed Langevin dynamics, drawn, taken up again.
#[test]
fn levels_of_noise_become_plans() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_pictures(&at.join("pictures"));
    let train = ["train", "--preset", "tiny", "--data", "pictures", "--steps", "3", "--batch", "8", "--out", "run"];
    let levels = ["--schedule", "geometric:2:0.02:10", "--prediction", "epsilon", "--weighting", "simple"];
    rejects(at, &[&train[..], &levels, &["--timesteps", "50"]].concat(), 2, "has 10 levels, which are the timesteps");
    rejects(at, &[&train[..], &["--schedule", "geometric:2:3:10"]].concat(), 2, "not above the last");
    says(at, &[&train[..], &levels].concat());
    let kept = std::fs::read_to_string(at.join("run/step-000000003/run.toml")).unwrap();
    assert!(kept.contains("schedule = \"geometric:2:0.02:10\"\ntimesteps = 10\n"), "{kept}");
    says(at, &["train", "--out", "run", "--resume", "--schedule", "geometric:2:0.02:10"]);
    rejects(at, &["train", "--out", "run", "--resume", "--schedule", "linear"], 2, "--schedule differs");
    says(at, &["export", "run", "--out", "m.brn"]);
    let plans = ["--plan", "paper=langevin:3:step=0.2:noclip", "--plan", "pc=ddim:5:corrector=2"];
    says(at, &[&["export", "run", "--out", "n.brn"][..], &plans].concat());
    let (text, _) = says(at, &["inspect", "m.brn"]);
    assert!(text.contains("plan langevin50: 51 steps from t = 10, stochastic, clipped"), "{text}");
    assert!(text.contains("plan fast10: 10 steps from t = 10, deterministic, clipped"), "{text}");
    let (text, _) = says(at, &["inspect", "n.brn"]);
    assert!(text.contains("plan paper: 30 steps from t = 10, stochastic, not clipped"), "{text}");
    assert!(text.contains("plan pc: 13 steps from t = 10, stochastic, clipped"), "{text}");
    says(at, &["sample", "m.brn", "--count", "1", "--class", "left", "--npy", "whole.npy"]);
    says(at, &["sample", "m.brn", "--class", "left", "--save-after", "17", "--snapshot", "s"]);
    says(at, &["sample", "m.brn", "--resume", "s", "--npy", "resumed.npy"]);
    assert_eq!(std::fs::read(at.join("whole.npy")).unwrap(), std::fs::read(at.join("resumed.npy")).unwrap());
    says(at, &["sample", "n.brn", "--plan", "paper", "--count", "2", "--npy", "x.npy"]);
}
