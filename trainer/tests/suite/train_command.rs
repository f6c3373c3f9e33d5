//! `trainer train` as a user runs it: what it leaves behind, and how it says no.
use crate::commands::{command, refuses, trainer};
use std::path::Path;

/// A small array of 8x8 bytes with a pattern.
fn write_images(path: &Path) {
    use npyz::WriterBuilder;
    let file = std::fs::File::create(path).unwrap();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&[50, 8, 8]).writer(file).begin_nd().unwrap();
    (0..50 * 64u32).for_each(|i| writer.push(&((i * 37 / 64) as u8)).unwrap());
    writer.finish().unwrap();
}

#[test]
fn trains_and_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_images(&path.join("a.npy"));
    let arguments = [
        "train", "--preset", "tiny", "--data", "a.npy", "--out", "run", "--steps", "20", "--batch", "8", "--seed", "3",
    ];
    let output = trainer(path, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in ["step-000000020/state.safetensors", "step-000000020/run.toml", "step-000000020/loss.csv", "loss.png"] {
        assert!(path.join("run").join(name).is_file(), "{name} is missing");
    }
    refuses(path, &arguments, 1, "run: already holds a run");
    assert!(trainer(path, &["train", "--out", "run", "--resume"]).status.success());
    let others = [
        ["--preset", "digits28"],
        ["--steps", "19"],
        ["--minutes", "1"],
        ["--accumulate", "2"],
        ["--batch", "9"],
        ["--lr", "0.5"],
        ["--seed", "4"],
        ["--prediction", "x0"],
        ["--weighting", "simple"],
        ["--snr-gamma", "4"],
        ["--schedule", "cosine"],
        ["--timesteps", "500"],
        ["--label-dropout", "0"],
        ["--ema", "0.9"],
        ["--norm", "none"],
        ["--width", "2"],
        ["--blocks", "2"],
        ["--validation", "0.1"],
        ["--augment", "shift"],
        ["--augment-share", "1"],
    ];
    for [flag, value] in others {
        refuses(path, &["train", "--out", "run", "--resume", flag, value], 2, &format!("{flag} differs"));
    }
    refuses(path, &["train", "--out", "run", "--resume", "--zero-terminal-snr"], 2, "--zero-terminal-snr differs");
    let same = ["--preset", "tiny", "--data", "a.npy", "--steps", "20", "--prediction", "v", "--augment", "none"];
    let output = trainer(path, &[&["train", "--out", "run", "--resume"], &same[..]].concat());
    assert!(output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("run: 20 steps, all done before"));
    // Metrics and a sheet of samples lie beside the checkpoint.
    let metrics = std::fs::read_to_string(path.join("run/metrics.csv")).unwrap();
    assert_eq!(metrics.lines().map(|row| row.split(',').next().unwrap()).collect::<Vec<_>>(), ["step", "20"]);
    assert!(path.join("run/samples/step-000000020.png").is_file());

    // Data are known by what they hold, wherever they lie; a run can be made longer, by steps.
    refuses(path, &["train", "--out", "run", "--resume", "--data", "digits"], 1, "images are of 28x28x1, not of 8x8x1");
    std::fs::rename(path.join("a.npy"), path.join("b.npy")).unwrap();
    refuses(path, &["train", "--out", "run", "--resume"], 1, "a.npy");
    let longer = ["train", "--out", "run", "--resume", "--data", "./b.npy", "--steps", "25"];
    let output = trainer(path, &longer);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.lines().next().unwrap().contains("goes on from step 20 to 25 with a learning rate of"), "{text}");
    assert!(path.join("run/step-000000025").is_dir(), "{text}");
    assert!(trainer(path, &["train", "--out", "run", "--resume"]).status.success(), "the new place is kept");
    std::fs::write(path.join("b.npy"), "changed").unwrap();
    refuses(path, &["train", "--out", "run", "--resume"], 1, "b.npy: is named .npy, but does not begin");
}

/// What decides a run's memory is looked at before it begins, whoever wrote it.
#[test]
fn what_does_not_fit_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_images(&path.join("a.npy"));
    let tiny = |out: &'static str| ["train", "--preset", "tiny", "--data", "a.npy", "--out", out, "--steps", "1"];
    refuses(path, &[&tiny("r")[..], &["--accumulate", "5"]].concat(), 2, "--accumulate 5: give a divisor of the 32");
    refuses(path, &[&tiny("r")[..], &["--minutes", "0"]].concat(), 2, "--minutes 0: give a time above 0");
    refuses(path, &["train", "--preset", "tiny", "--data", "a.npy", "--out", ".", "--from", "none"], 1, "none");
    assert!(trainer(path, &tiny("run")).status.success());
    let edit = |name: &str, from: &str, to: &str| {
        let file = path.join("run/step-000000001").join(name);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
        for command in [&["train", "--resume", "--out", "run"][..], &["export", "run", "--out", "m.brn"]] {
            let output = trainer(path, command);
            assert_eq!(output.status.code(), Some(1), "{name} {to}: {}", String::from_utf8_lossy(&output.stderr));
        }
        std::fs::write(&file, text).unwrap();
    };
    edit("run.toml", "image = [\n    8,\n    8,", "image = [\n    1000000,\n    1000000,");
    let losses = std::fs::read_to_string(path.join("run/step-000000001/loss.csv")).unwrap();
    let loss = losses.trim().rsplit(',').next().unwrap().to_owned();
    ["inf", "NaN", "-inf"].iter().for_each(|wrong| edit("loss.csv", &loss, wrong));
}

/// A process that is at work in a run keeps others out; one that was killed does not. Nobody needs to read what is said.
#[test]
fn a_run_has_one_process_and_needs_no_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_images(&path.join("a.npy"));
    let long = ["train", "--preset", "tiny", "--data", "a.npy", "--out", "run", "--steps", "1000000", "--batch", "4"];
    let spawn = |stderr| command(path, &long).stderr(stderr).spawn();
    // Its standard error is closed at once.
    let mut child = spawn(std::process::Stdio::piped()).unwrap();
    drop(child.stderr.take());
    while !path.join("run/samples/step-000000500.png").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended without a reader");
        std::thread::yield_now();
    }
    for arguments in
        [&["train", "--out", "run", "--resume"][..], &["train", "--out", "run", "--resume", "--steps", "9"]]
    {
        refuses(path, arguments, 1, "another process is at work in this run");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // Free again: what it says now is of its own.
    refuses(path, &["train", "--out", "run", "--resume", "--seed", "9"], 2, "--seed differs");
}

/// Another run's weights: with the same classes everything comes along, other images or layers are refused.
#[test]
fn a_run_starts_from_anothers_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_images(&path.join("a.npy"));
    let arguments = |out: &'static str| ["train", "--data", "a.npy", "--out", out, "--steps", "40", "--batch", "8"];
    assert!(trainer(path, &[&arguments("one")[..], &["--preset", "tiny"]].concat()).status.success());
    let output = trainer(path, &[&arguments("two")[..], &["--from", "one"]].concat());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && text.starts_with("starts from step 40 of one, with its classes"), "{text}");
    let first = |run: &str| -> f32 {
        let losses = std::fs::read_to_string(path.join(run).join("step-000000040/loss.csv")).unwrap();
        losses.lines().nth(1).unwrap().split(',').nth(1).unwrap().parse().unwrap()
    };
    // The same images and noise.
    assert!(first("two") < first("one"), "{} after {}", first("two"), first("one"));
    let config = std::fs::read_to_string(path.join("two/step-000000040/run.toml")).unwrap();
    assert!(config.contains("from = \"one\""), "{config}");
    let wider = [&arguments("three")[..], &["--from", "one", "--preset", "tiny", "--width", "2"]].concat();
    refuses(path, &wider, 1, "one: its network is another: stem.weight is [4, 3, 3, 4] there and [8, 3, 3, 4] here");
    let digits = ["train", "--data", "digits", "--out", "four", "--from", "one"];
    refuses(path, &digits, 1, "one: learned images of 8x8x1; these are 28x28x1");
}

/// Time as a budget, in parts that a resumed run adds up.
#[test]
fn minutes_end_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_images(&path.join("a.npy"));
    let arguments = ["train", "--preset", "tiny", "--data", "a.npy", "--out", "run", "--minutes", "0.005"];
    assert!(trainer(path, &arguments).status.success());
    let output = trainer(path, &["train", "--out", "run", "--resume"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("all done before"));
    let output = trainer(path, &["train", "--out", "run", "--resume", "--minutes", "0.01"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("to 0.01 minutes with a learning rate of") && !text.contains("all done"), "{text}");
}

/// Every choice reaches the stored configuration, and trains.
#[test]
fn choices_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_images(&path.join("a.npy"));
    let cases: [(&[&str], &[&str]); 6] = [
        (
            &["--prediction", "epsilon", "--weighting", "variational"],
            &["prediction = \"epsilon\"", "weighting = \"variational\""],
        ),
        (
            &["--prediction", "x0", "--snr-gamma", "3"],
            &["prediction = \"x0\"", "weighting = \"min-snr\"", "snr_gamma = 3.0"],
        ),
        (&["--schedule", "sigmoid", "--zero-terminal-snr"], &["schedule = \"sigmoid\"", "zero_terminal_snr = true"]),
        (&["--schedule", "cosine", "--timesteps", "100"], &["schedule = \"cosine\"", "timesteps = 100"]),
        (
            &["--norm", "none", "--width", "2", "--blocks", "2"],
            &["norm = \"none\"", "channels = [\n    8,\n    16,\n]", "blocks = [\n    1,\n    2,\n]"],
        ),
        (
            &["--augment", "affine", "--augment-share", "1", "--ema", "0.5"],
            &["augment = \"affine\"", "augment_share = 1.0", "ema = 0.5"],
        ),
    ];
    for (i, (flags, stored)) in cases.into_iter().enumerate() {
        let run = format!("run{i}");
        let arguments = ["train", "--preset", "tiny", "--data", "a.npy", "--out", &run, "--steps", "3", "--batch", "4"];
        let output = trainer(path, &[&arguments, flags].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(path.join(run).join("step-000000003/run.toml")).unwrap();
        assert!(stored.iter().all(|line| text.contains(line)), "{flags:?}: {text}");
    }
}

#[test]
fn held_out_images_get_a_loss() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_images(&path.join("a.npy"));
    let arguments = ["train", "--preset", "tiny", "--data", "a.npy", "--out", "run", "--steps", "510", "--batch", "4"];
    let output = trainer(path, &[&arguments[..], &["--validation", "0.2"]].concat());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && text.contains("on held-out ones"), "{text}");
    let rows = std::fs::read_to_string(path.join("run/step-000000510/validation.csv")).unwrap();
    let rows: Vec<Vec<f64>> =
        rows.lines().skip(1).map(|row| row.split(',').map(|field| field.parse().unwrap()).collect()).collect();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), [500.0, 510.0]);
    assert!(rows.iter().flatten().all(|v| *v > 0.0) && rows[0][1] != rows[0][2]);
    std::fs::write(path.join("run/step-000000510/validation.csv"), "step,training,validation\n9,x,1\n").unwrap();
    refuses(path, &["train", "--out", "run", "--resume"], 1, "validation.csv: line 2");
}

#[test]
fn a_killed_run_resumes_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_images(&path.join("a.npy"));
    let arguments = |out: &'static str| {
        let more = ["--validation", "0.2", "--augment", "affine"];
        let all = [
            "train", "--preset", "tiny", "--data", "a.npy", "--out", out, "--steps", "1200", "--batch", "4", "--seed",
            "3",
        ];
        [&all[..], &more].concat()
    };
    assert!(trainer(path, &arguments("whole")).status.success());

    let mut child = command(path, &arguments("killed")).stderr(std::process::Stdio::null()).spawn().unwrap();
    // Killed once the first real checkpoint is there, wherever the run is then.
    let limit = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !path.join("killed/step-000000500").exists() && std::time::Instant::now() < limit {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!path.join("killed/step-000001200").exists(), "the run was killed before its end");
    let resumed = trainer(path, &["train", "--out", "killed", "--resume"]);
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    for name in ["state.safetensors", "run.toml", "loss.csv", "validation.csv"] {
        let read = |run: &str| std::fs::read(path.join(run).join("step-000001200").join(name)).unwrap();
        assert!(read("whole") == read("killed"), "{name} differs");
    }
}

/// A network by its shape: printed, edited, trained; the run holds it, and resumes without the file.
#[test]
fn a_network_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_images(&path.join("a.npy"));
    let printed = trainer(path, &["net", "tiny"]);
    assert!(printed.status.success());
    let text = String::from_utf8(printed.stdout).unwrap();
    let own =
        text.replace("channels = [4, 8]", "channels = [4, 8, 8]").replace("blocks = [1, 1]", "blocks = [1, 1, 2]");
    std::fs::write(path.join("own.toml"), &own).unwrap();
    let net = ["train", "--net", "own.toml", "--data", "a.npy", "--out", "run", "--steps", "2", "--batch", "2"];
    let output = trainer(path, &net);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = std::fs::read_to_string(path.join("run/step-000000002/run.toml")).unwrap();
    assert!(run.contains("preset = \"own\"") && run.contains("kind = \"unet\""), "{run}");
    std::fs::write(path.join("wrong.toml"), own.replace("kernel", "kernal")).unwrap();
    std::fs::write(path.join("odd.toml"), own.replace("patch = [2, 2]", "patch = [8, 8]")).unwrap();
    for (file, code, words) in [
        ("wrong.toml", 1, "wrong.toml: unknown field `kernal`"),
        ("none.toml", 1, "none.toml: cannot be read"),
        ("odd.toml", 1, "a single position before the last"),
    ] {
        refuses(path, &["train", "--net", file, "--data", "a.npy", "--out", "other"], code, words);
    }
    refuses(path, &["train", "--net", "odd.toml", "--out", "run", "--resume"], 2, "--net differs from the run");
    refuses(path, &["train", "--width", "2", "--out", "run", "--resume"], 2, "--width differs from the run");
    refuses(path, &["net", "huge"], 2, "there is no preset \"huge\"");
    std::fs::remove_file(path.join("own.toml")).unwrap();
    assert!(trainer(path, &["train", "--out", "run", "--resume"]).status.success());
    assert!(!path.join("other").exists(), "nothing is left behind");
}

#[test]
fn says_no_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_images(&path.join("a.npy"));
    let tiny = ["train", "--preset", "tiny", "--data", "a.npy", "--out", "run"];
    let with = |more: &[&'static str]| [&tiny[..], more].concat();
    refuses(path, &["train", "--preset", "huge", "--out", "run"], 2, "there is no preset \"huge\"");
    refuses(path, &with(&["--steps", "0"]), 2, "--steps 0");
    refuses(path, &with(&["--batch", "0"]), 2, "--batch 0");
    refuses(path, &with(&["--lr", "0"]), 2, "--lr 0");
    refuses(path, &with(&["--lr", "NaN"]), 2, "--lr NaN");
    refuses(path, &with(&["--timesteps", "1"]), 2, "--timesteps 1:");
    refuses(path, &with(&["--timesteps", "9"]), 2, "linear: at least 21");
    refuses(path, &with(&["--prediction", "epsilon", "--zero-terminal-snr"]), 2, "choose --prediction v or x0");
    refuses(path, &with(&["--snr-gamma", "0"]), 2, "--snr-gamma 0");
    refuses(path, &with(&["--label-dropout", "1"]), 2, "--label-dropout 1");
    refuses(path, &with(&["--ema", "1"]), 2, "--ema 1");
    refuses(path, &with(&["--width", "0"]), 2, "--width 0");
    refuses(path, &with(&["--blocks", "0"]), 2, "--blocks 0");
    refuses(path, &with(&["--validation", "1"]), 2, "--validation 1");
    refuses(path, &with(&["--augment-share", "2"]), 2, "--augment-share 2");
    refuses(path, &["train", "--data", "none.gz", "--out", "run"], 1, "none.gz: cannot be read");
    let inside = ["train", "--preset", "tiny", "--data", "a.npy", "--out", "a.npy/run"];
    refuses(path, &inside, 1, "a.npy/run: cannot be written");
    refuses(path, &["train", "--out", "none", "--resume"], 1, "none: holds no checkpoint");
    std::fs::create_dir(path.join("empty")).unwrap();
    refuses(path, &["train", "--data", "empty", "--out", "run"], 1, "holds no pictures");
    refuses(path, &["train", "--data", ".", "--out", "run"], 2, "lies in the folder of the data");
    assert_eq!(trainer(path, &["train"]).status.code(), Some(2));
    for [flag, value] in [
        ["--steps", "many"],
        ["--schedule", "slow"],
        ["--prediction", "w"],
        ["--weighting", "all"],
        ["--augment", "much"],
        ["--norm", "group"],
    ] {
        assert_eq!(trainer(path, &["train", "--out", "run", flag, value]).status.code(), Some(2), "{flag} {value}");
    }
    assert!(!path.join("run").exists(), "nothing is left behind");
}

/// Writing fails where a file stands in the place of the folder, as it does on a full disk.
#[test]
fn a_checkpoint_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_images(&path.join("a.npy"));
    std::fs::write(path.join("file"), "x").unwrap();
    let arguments = ["train", "--preset", "tiny", "--data", "a.npy", "--out", "file/run", "--steps", "5"];
    let output = trainer(path, &arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("file/run") && text.contains("error:"), "{text}");
    assert_eq!(std::fs::read(path.join("file")).unwrap(), b"x");
}
