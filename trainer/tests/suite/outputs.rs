//! No command writes over what it reads, or among it.
use crate::commands::{command, refuses, succeeds};
use crate::eval_command::{judge, train, write_images, write_labelled};
use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

#[test]
fn what_is_read_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let data = write_labelled(path);
    write_images(path, "others.npy", &[30, 12, 12]);
    train(path, data, "run");
    judge(path, data, "judge");
    succeeds(path, &["export", "run", "--out", "model.brn", "--plan", "dpm:2"]);
    succeeds(path, &["sample", "model.brn", "--count", "1", "--png", "one.png"]);
    fs::create_dir(path.join("pictures")).unwrap();
    for i in 0..4 {
        fs::copy(path.join("one.png"), path.join(format!("pictures/{i}.png"))).unwrap();
    }
    let link = format!("./{data}");
    let overwrites = "would overwrite what is read";
    for (line, reason) in [
        (&["judge", "--data", data, "--out", data][..], overwrites),
        (&["judge", "--data", data, "--test", "others.npy", "--out", "others.npy"], overwrites),
        (&["data", data, "--png", &link], overwrites),
        (&["data", "pictures", "--png", "pictures/0.png"], "lies in pictures, which is read"),
        (&["data", "pictures", "--png", "pictures/sheet.png"], "lies in pictures, which is read"),
        (&["eval", "model.brn", "--judge", "judge", "--html", data], overwrites),
        (&["eval", "model.brn", "--judge", "judge", "--html", "judge"], overwrites),
        (&["eval", "model.brn", "--judge", "judge", "--html", "model.brn"], overwrites),
        (&["eval", "others.npy", "--reference", data, "--html", data], overwrites),
        (&["eval", "others.npy", "--reference", data, "--html", "others.npy"], overwrites),
        (&["export", "run", "--out", data], overwrites),
        (&["export", "run", "--out", "run/step-000000001/run.toml"], "which is read"),
        (&["sample", "model.brn", "--png", "model.brn"], overwrites),
        (&["sample", "model.brn", "--from", "one.png", "--start", "1", "--png", "one.png"], overwrites),
        (&["sample", "model.brn", "--from", "others.npy", "--start", "1", "--npy", "others.npy"], overwrites),
        (&["sample", "model.brn", "--inpaint", "one.png", "--image", data, "--png", "one.png"], overwrites),
        (&["sample", "model.brn", "--inpaint", "one.png", "--image", data, "--npy", data], overwrites),
    ] {
        let read =
            ["judge", "model.brn", "one.png", "others.npy", "pictures/0.png", "run/step-000000001/run.toml", data];
        let before = read.map(|name| fs::read(path.join(name)).unwrap());
        refuses(path, line, 2, reason);
        assert!(read.map(|name| fs::read(path.join(name)).unwrap()) == before, "{line:?}");
    }
    assert!(!path.join("pictures/sheet.png").exists());
    // A page may lie in the folder of its run.
    let page = ["eval", "run", "--judge", "judge", "--count", "100", "--plan", "dpm:2", "--html", "run/report.html"];
    assert!(command(path, &page).output().unwrap().status.success());
}

/// A command that is ended while it writes leaves nothing, however it is ended.
#[cfg(target_os = "linux")]
#[test]
fn what_is_ended_leaves_nothing() {
    use rustix::fs::{Mode, OFlags};
    let folder = tempfile::tempdir().unwrap();
    let at = fs::canonicalize(folder.path()).unwrap();
    if rustix::fs::open(&at, OFlags::TMPFILE | OFlags::WRONLY, Mode::RUSR).is_err() {
        // This file system has no files without names.
        return;
    }
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits28-nano.brn");
    let line = ["sample", model, "--count", "100000", "--npy", "images.npy", "--threads", "1"];
    let mut program = command(&at, &line).stderr(Stdio::null()).spawn().unwrap();
    let open_files = format!("/proc/{}/fd", program.id());
    let writes = || {
        let files = fs::read_dir(&open_files).unwrap().flatten().filter_map(|file| fs::read_link(file.path()).ok());
        files.filter(|file| file.starts_with(&at)).any(|file| file.to_string_lossy().ends_with("(deleted)"))
    };
    while !writes() {
        assert!(program.try_wait().unwrap().is_none(), "it draws 100,000 images");
        thread::sleep(Duration::from_millis(1));
    }
    program.kill().unwrap();
    program.wait().unwrap();
    assert_eq!(fs::read_dir(&at).unwrap().count(), 0);
}
