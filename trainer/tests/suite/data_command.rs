//! `trainer data`, and training with data of people, as a user runs them.
use crate::commands::{refuses, says, trainer};
use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};
use std::fs;
use std::path::Path;

/// All that it prints.
fn prints(folder: &Path, arguments: &[&str]) -> String {
    let (out, said) = says(folder, arguments);
    out + &said
}

/// JPEGs of mixed sizes in two class folders.
fn write_classes(folder: &Path) {
    for (class, tint) in [("cats", 0u8), ("dogs", 120)] {
        fs::create_dir_all(folder.join(class)).unwrap();
        for i in 0..8u8 {
            let pixel = |x: u32, y: u32| Rgb([tint + 5 * i, (x * 6) as u8, (y * 6) as u8]);
            let picture = RgbImage::from_fn(20 + u32::from(i), 24, pixel);
            DynamicImage::ImageRgb8(picture).save(folder.join(format!("{class}/{i}.jpg"))).unwrap();
        }
    }
}

#[test]
fn data_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_classes(&path.join("pets"));
    fs::copy(path.join("pets/cats/0.jpg"), path.join("pets/cats/copy.jpg")).unwrap();
    let text = prints(path, &["data", "pets", "--png", "sheet.png"]);
    for part in [
        "pictures of 8 sizes (width x height):",
        "pets: 17 images of 32x32x3 (17 JPEG)",
        "labels from folder names: class, 2 classes: cats 9, dogs 8",
        "scaled from 8 sizes, 20x24 to 27x24 to 32x32 (--fit crop)",
        "mean ",
        "17 images are few",
        "1 images are copies of others, such as number 8 of 0",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains("sheet.png: some of the images; rows: cats, dogs"), "{text}");
    let sheet = image::open(path.join("sheet.png")).unwrap();
    assert_eq!((sheet.width(), sheet.height()), ((12 * 33 + 1) * 2, (2 * 33 + 1) * 2), "a row for each class");
    let faces = prints(path, &["data", "faces16"]);
    assert!(faces.contains("glasses, 2 classes: no-glasses 5000, glasses 5000"), "{faces}");
    refuses(path, &["data", "pets", "--png", "no/such/sheet.png"], 1, "cannot be written");
    let wrong = trainer(path, &["data", "pets", "--size", "0"]);
    assert_eq!(wrong.status.code(), Some(2));
}

/// A run whose data lie elsewhere says so, goes on with them where they are, and keeps that.
#[test]
fn data_may_move() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_classes(&path.join("pets"));
    let train = ["train", "--preset", "tiny", "--steps", "2", "--batch", "4", "--data", "pets", "--size", "8"];
    says(path, &[&train[..], &["--out", "run"]].concat());
    fs::rename(path.join("pets"), path.join("animals")).unwrap();
    let tune = ["finetune", "run", "--out", "tuned", "--steps", "1", "--matching", "0", "--plan", "ddim:2"];
    refuses(path, &tune, 1, "if the data of the run in run lie elsewhere now, say where");
    assert!(!path.join("tuned").exists());
    says(path, &[&tune[..], &["--data", "animals"]].concat());
    let tuned = fs::read_to_string(path.join("tuned/step-000000001/run.toml")).unwrap();
    assert!(tuned.contains("data = \"animals\""), "{tuned}");
    fs::remove_file(path.join("animals/cats/0.jpg")).unwrap();
    refuses(
        path,
        &["train", "--out", "run", "--resume", "--steps", "3", "--data", "animals"],
        1,
        "started with: of its 15 images some, their order or labels are other ones",
    );
    // What an evaluator has to be made with is said as it is typed.
    says(path, &["export", "run", "--out", "a.brn", "--plan", "ddim:2"]);
    refuses(
        path,
        &["eval", "a.brn", "--count", "100"],
        1,
        "`trainer judge --data pets --size 8x8 --out judge.safetensors`",
    );
}

#[test]
fn a_run_reads_its_data_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_classes(&path.join("pets"));
    let train = ["train", "--preset", "tiny", "--steps", "2", "--batch", "4", "--data", "pets"];
    let with = |more: &[&'static str]| [&train[..], more].concat();
    refuses(path, &with(&["--out", "run"]), 1, "--size 32");
    refuses(path, &with(&["--out", "pets", "--size", "8"]), 2, "lies in the folder of the data");
    refuses(path, &with(&["--out", "pets/run", "--size", "8"]), 2, "lies in the folder of the data");
    let text = prints(path, &with(&["--out", "run", "--size", "8", "--colour", "gray"]));
    for part in
        ["pets: 16 images of 8x8x1 (16 JPEG), values", "labels from folder names: class, 2 classes: cats 8, dogs 8"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let kept = fs::read_to_string(path.join("run/step-000000002/run.toml")).unwrap();
    assert!(kept.contains("[config.data_options]\nsize = \"8x8\"\ncolour = \"gray\""), "{kept}");
    assert!(kept.contains("classes = [\n    \"cats\",\n    \"dogs\",\n]"), "{kept}");
    prints(path, &["train", "--out", "run", "--resume"]);
    refuses(path, &["train", "--out", "run", "--resume", "--size", "16"], 2, "--size differs from the run");
    fs::remove_file(path.join("pets/cats/3.jpg")).unwrap();
    refuses(path, &["train", "--out", "run", "--resume"], 1, "is not the data that the run in run was started with");
}

#[test]
fn images_that_are_all_equal_teach_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let train = ["train", "--preset", "tiny", "--steps", "2", "--data", "same", "--out", "run"];
    for (class, count) in [("0", 1), ("1", 1), ("1", 59)] {
        fs::create_dir_all(path.join("same").join(class)).unwrap();
        for i in 0..count {
            let picture = GrayImage::from_fn(8, 8, |x, y| Luma([(x * y * 4) as u8]));
            picture.save(path.join(format!("same/{class}/{i}.png"))).unwrap();
        }
        if class == "1" {
            let reason = format!("all {} images are equal: there is nothing to learn", count + 1);
            refuses(path, &train, 1, &reason);
        }
    }
    assert!(prints(path, &["data", "same"]).contains("warning: all 60 images are equal"));
}

/// A folder that is called like a built-in set.
#[test]
fn a_name_is_one_thing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_classes(&path.join("digits"));
    refuses(path, &["data", "digits"], 2, "write builtin:digits or ./digits");
    assert!(prints(path, &["data", "./digits", "--size", "8"]).contains("./digits: 16 images of 8x8x3"));
    assert!(prints(path, &["data", "builtin:digits"]).contains("10000 images of 28x28x1 (built in)"));
    // A run of the built-in set goes on with it.
    let train = ["train", "--preset", "tiny", "--steps", "1", "--batch", "2", "--out", "run", "--data"];
    fs::rename(path.join("digits"), path.join("elsewhere")).unwrap();
    prints(path, &[&train[..], &["digits"]].concat());
    fs::rename(path.join("elsewhere"), path.join("digits")).unwrap();
    assert!(prints(path, &["train", "--out", "run", "--resume"]).contains("10000 images"));
}
