//! Classes: folders, tables and arrays of labels.
use super::{gray, gzip, idx, npy, npz, open, refuses, save};
use std::fs;
use std::path::Path;

#[test]
fn class_folders_name_the_classes() {
    let folder = tempfile::tempdir().unwrap();
    for (class, count) in [("dog", 3), ("cat", 2), ("10", 1)] {
        (0..count).for_each(|i| save(folder.path().join(format!("{class}/{i}.png")), &gray(4, 4, 90 + i as u8)));
    }
    fs::create_dir(folder.path().join("bird")).unwrap();
    let set = open(folder.path(), &[]);
    let labels = set.data.labels.as_ref().unwrap();
    assert_eq!(labels.axes[0].classes, ["10", "bird", "cat", "dog"]);
    assert_eq!(labels.values, [0, 2, 2, 3, 3, 3]);
    assert!(
        set.lines().contains(&"labels from folder names: class, 4 classes: 10 1, cat 2, dog 3; 1 empty: bird".into()),
        "{:?}",
        set.lines()
    );
    assert_eq!(open(folder.path(), &["--labels", "none"]).data.labels, None);
    save(folder.path().join("stray.png"), &gray(4, 4, 0));
    refuses(folder.path(), &[], "holds pictures, stray.png, beside folders, 10");
    let deeper = tempfile::tempdir().unwrap();
    save(deeper.path().join("train/cat/1.png"), &gray(4, 4, 0));
    refuses(deeper.path(), &[], "holds folders of folders; give one of them");
    assert_eq!(open(&deeper.path().join("train"), &[]).data.axes()[0].classes, ["cat"]);
}

#[test]
fn a_table_gives_several_axes() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "b.png", "c.png"] {
        save(folder.path().join(name), &gray(4, 4, name.as_bytes()[0]));
    }
    let table = "file,hair,glasses\nc.png,long,no\na.png,short,yes\nb.png,long,yes\n";
    fs::write(folder.path().join("labels.csv"), table).unwrap();
    let set = open(folder.path(), &[]);
    let labels = set.data.labels.as_ref().unwrap();
    let names: Vec<&str> = labels.axes.iter().map(|axis| &axis.name[..]).collect();
    assert_eq!((names, &labels.values[..]), (vec!["hair", "glasses"], &[0, 0, 1, 1, 0, 1][..]));
    assert_eq!(set.data.image(0)[5], f32::from(b'c') / 127.5 - 1.0, "rows and pictures belong together");
    let lines = set.lines().join("\n");
    assert!(lines.contains("labels from labels.csv: glasses, 2 classes: no 1, yes 2"), "{lines}");
    assert_eq!(open(folder.path(), &["--axes", "glasses"]).data.labels.unwrap().values, [0, 1, 1]);
    refuses(folder.path(), &["--axes", "mood"], "--axes mood");
    save(folder.path().join("d.png"), &gray(4, 4, 7));
    refuses(folder.path(), &[], "d.png: is not in labels.csv (--skip-broken leaves them out)");
    fs::remove_file(folder.path().join("d.png")).unwrap();
    fs::remove_file(folder.path().join("b.png")).unwrap();
    refuses(folder.path(), &[], "b.png: is in labels.csv, but not in the folder");
    let fewer = open(folder.path(), &["--skip-broken"]);
    assert_eq!(fewer.data.labels.as_ref().unwrap().values, [0, 0, 1, 1]);
    assert!(fewer.lines().join("\n").contains("left out: b.png (is in labels.csv, but not in the folder)"));
}

/// A table that is no file, too large or in another encoding is refused before it is read.
#[cfg(unix)]
#[test]
fn tables_are_files_of_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    save(path.join("a.png"), &gray(4, 4, 9));
    let table = path.join("labels.csv");
    assert!(std::process::Command::new("mkfifo").arg(&table).status().unwrap().success());
    refuses(path, &[], "labels.csv: is no file");
    fs::remove_file(&table).unwrap();
    fs::File::create(&table).unwrap().set_len(3 << 30).unwrap();
    refuses(path, &[], "labels.csv: has 3221225472 bytes; a table may have");
    fs::write(&table, b"\xff\xfef\0i\0l\0e\0").unwrap();
    refuses(path, &[], "labels.csv: is not UTF-8; save it as CSV in UTF-8");
    fs::write(&table, "file,class\na.png,x\n").unwrap();
    open(path, &[]);
    // A pipe among the pictures is none.
    assert!(std::process::Command::new("mkfifo").arg(path.join("b.png")).status().unwrap().success());
    fs::write(&table, "file,class\na.png,x\nb.png,y\n").unwrap();
    refuses(path, &[], "b.png: is no file");
}

#[test]
fn labels_are_found_beside_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let images = idx(8, &[3, 1, 2], &[0, 255, 9, 8, 7, 6]);
    fs::write(at("t-images-idx3-ubyte.gz"), gzip(&images)).unwrap();
    let of = |arguments: &[&str]| open(&at("t-images-idx3-ubyte.gz"), arguments);
    assert_eq!(of(&[]).data.labels, None);
    assert!(of(&[]).lines().contains(&"no labels".into()));
    // Under another name, as whole numbers of 4 bytes; classes begin at 1.
    fs::write(at("t.lbl"), idx(0x0c, &[3], &[0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2])).unwrap();
    let set = of(&[]);
    assert_eq!(set.data.labels.as_ref().unwrap().values, [2, 1, 2]);
    assert!(
        set.lines().join("\n").contains("labels from t.lbl: class, 3 classes: 1 1, 2 2; 1 empty: 0"),
        "{:?}",
        set.lines()
    );
    // Of two that may be meant, none is taken, and both are named.
    fs::write(at("u.npy"), npy("|u1", false, &[3], &[0, 1, 1])).unwrap();
    let set = of(&[]);
    assert!(
        set.data.labels.is_none() && set.lines().join("\n").contains("t.lbl, u.npy may be labels"),
        "{:?}",
        set.lines()
    );
    assert_eq!(of(&["--labels", "u.npy"]).data.labels.unwrap().values, [0, 1, 1]);
    assert_eq!(of(&["--labels", at("t.lbl").to_str().unwrap()]).data.labels.unwrap().values, [2, 1, 2]);
    // The usual name goes before.
    fs::write(at("t-labels-idx1-ubyte"), idx(8, &[3], &[0, 0, 3])).unwrap();
    assert_eq!(of(&[]).data.labels.unwrap().values, [0, 0, 3]);
    assert_eq!(of(&["--labels", "none"]).data.labels, None);
    fs::write(at("t-labels-idx1-ubyte"), idx(8, &[4], &[0, 0, 3, 1])).unwrap();
    refuses(&at("t-images-idx3-ubyte.gz"), &[], "3 images, but 4 labels");
    for (bytes, reason) in [
        (&images[..images.len() - 1], "promises 3x1x2 values of 1 bytes, but 5 follow"),
        (&[0, 0, 8, 3, 0], "the IDX header is cut off"),
        (&idx(8, &[u32::MAX; 5], &[]), "more than 8 GB"),
    ] {
        fs::write(at("broken.idx"), bytes).unwrap();
        refuses(&at("broken.idx"), &["--labels", "none"], reason);
    }
}

/// Labels that lie there and are not taken are named, and those that cannot be meant are refused.
#[test]
fn no_labels_are_dropped_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let says = |path: &Path, part: &str| {
        let set = open(path, &[]);
        assert!(set.lines().join("\n").contains(part), "{part}: {:?}", set.lines());
        set.data.labels.map(|labels| labels.values)
    };
    let images = at("t-images-idx3-ubyte");
    fs::write(&images, idx(8, &[3, 1, 2], &[0, 255, 9, 8, 7, 6])).unwrap();
    fs::write(at("t-labels-idx2-int"), idx(0x0c, &[3, 2], &[0, 0, 0, 1, 0, 0, 0, 5].repeat(3))).unwrap();
    assert_eq!(says(&images, "t-labels-idx2-int may be labels: --labels t-labels-idx2-int takes them"), None);
    assert_eq!(open(&images, &["--labels", "t-labels-idx2-int"]).data.labels.unwrap().values, [1, 5, 1, 5, 1, 5]);
    fs::write(at("t-labels-idx2-int"), idx(0x0c, &[3, 1], &[0, 0, 0, 1].repeat(3))).unwrap();
    assert_eq!(says(&images, "labels from t-labels-idx2-int"), Some(vec![1, 1, 1]));
    fs::write(at("labels.csv"), "file,class\n0,a\n").unwrap();
    says(&images, "labels.csv beside is not read: it is for folders of pictures and recordings");

    let path = at("a.npz");
    let x = ("x.npy", npy("|u1", false, &[4, 2, 2], &(0..16).map(|i| i * 16).collect::<Vec<u8>>()));
    let bytes = |name, count: u8| (name, npy("|u1", false, &[count.into()], &(0..count).collect::<Vec<u8>>()));
    npz(&path, &[x.clone(), bytes("y.npy", 3)], false);
    refuses(&path, &[], "4 images, but 3 labels in the array y; --labels none leaves them out");
    assert_eq!(open(&path, &["--labels", "none"]).data.labels, None);
    npz(&path, &[x.clone(), bytes("y.npy", 4), bytes("z.npy", 4)], false);
    assert_eq!(says(&path, "labels are the array y, not z; --labels chooses"), Some(vec![0, 1, 2, 3]));
    npz(&path, &[x.clone(), ("y.npy", npy("|O", false, &[4], b"pickled"))], false);
    assert_eq!(says(&path, "array y holds values of type '|O'; use numbers"), None);
    let large: Vec<u8> = (0..4).flat_map(|i| ((1u64 << 53) + i).to_le_bytes()).collect();
    npz(&path, &[x, ("y.npy", npy("<u8", false, &[4], &large))], false);
    refuses(&path, &[], "holds the label 9007199254740992; numbers so large are not exact");
}
