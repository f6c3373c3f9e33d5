//! No command writes over what it reads, or among it.
use crate::commands::{command, refuses, succeeds};
use crate::eval_command::{judge, train, write_images, write_labelled};
use std::fs;

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
