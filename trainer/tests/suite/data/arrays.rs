//! Arrays of every type and order, alone, in archives and through pipes.
use super::{gray, gzip, npy, npz, open, refuses, save, try_open};
use brownian_trainer::data::Dataset;
use brownian_trainer::graph::Shape;
use std::fs;

#[test]
fn arrays_of_every_type_and_order_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let read = |bytes: &[u8], arguments: &[&str]| {
        fs::write(&path, bytes).unwrap();
        open(&path, arguments).data
    };
    let levels = [0u8, 51, 102, 153, 204, 255];
    let expected: Vec<f32> = levels.iter().map(|v| f32::from(*v) / 127.5 - 1.0).collect();
    let close = |set: &Dataset| set.images.to_vec().iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6);
    let sizes = [2, 1, 3];
    let bytes = |f: &dyn Fn(u8) -> Vec<u8>| levels.iter().flat_map(|v| f(*v)).collect::<Vec<u8>>();
    for (descr, values) in [
        ("|u1", levels.to_vec()),
        ("<i8", bytes(&|v| i64::from(v).to_le_bytes().into())),
        (">i4", bytes(&|v| i32::from(v).to_be_bytes().into())),
        (">u2", bytes(&|v| u16::from(v).to_be_bytes().into())),
        ("<f4", bytes(&|v| (f32::from(v) / 127.5 - 1.0).to_le_bytes().into())),
        (">f8", bytes(&|v| (f64::from(v) / 127.5 - 1.0).to_be_bytes().into())),
    ] {
        for file in [npy(descr, false, &sizes, &values), gzip(&npy(descr, false, &sizes, &values))] {
            let set = read(&file, &[]);
            assert_eq!((set.shape, set.len()), (Shape::new(1, 3, 1), 2), "{descr}");
            assert!(close(&set), "{descr}: {:?}", set.images);
        }
    }
    let set = read(&npy("|u1", true, &sizes, &[0, 153, 51, 204, 102, 255]), &[]);
    assert!(close(&set), "Fortran's order: {:?}", set.images);
    let set = read(&npy("|b1", false, &sizes, &[0, 1, 1, 0, 0, 1]), &[]);
    assert_eq!(set.images.to_vec(), [-1.0, 1.0, 1.0, -1.0, -1.0, 1.0]);
    // Channels first.
    let first: Vec<u8> = (0..2 * 3 * 8 * 8).map(|i| i as u8).collect();
    let set = read(&npy("|u1", false, &[2, 3, 8, 8], &first), &[]);
    assert_eq!(set.shape, Shape::new(8, 8, 3));
    assert_eq!(set.image(0)[..3], [0, 64, 128].map(|v| v as f32 / 127.5 - 1.0));
    // Through the axes' order that is asked for.
    let last = read(&npy("|u1", false, &[8, 8, 6], &first), &["--layout", "hwn"]);
    assert_eq!((last.len(), last.image(1)[1]), (6, 7.0 / 127.5 - 1.0));
    refuses(&path, &[], "6 of 8x8x1 (--layout hwn)");
    let scaled = read(&npy("|u1", false, &[2, 8, 8, 3], &first), &["--size", "4", "--colour", "gray"]);
    assert_eq!(scaled.shape, Shape::new(4, 4, 1));
}

#[test]
fn arrays_that_are_wrong_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let whole = npy("|u1", false, &[2, 2, 2], &[0, 90, 0, 255, 3, 4, 5, 6]);
    for (bytes, reason) in [
        (whole[..whole.len() - 1].to_vec(), "is cut off: the header promises 2x2x2 values of 1 bytes, but 7 follow"),
        ([&whole[..], &[0]].concat(), "but more follow"),
        (npy("|u1", false, &[4], &[9; 4]), "has 1 axes"),
        (npy("|u1", false, &[0, 2, 2], &[]), "holds no images"),
        (npy("|u1", false, &[2, 2, 2], &[0, 1, 1, 0, 1, 0, 0, 1]), "did you mean --range 0..1?"),
        (npy("<c8", false, &[1, 2, 2], &[0; 32]), "holds values of type"),
        (npy("|u1", false, &[1 << 20, 1 << 10, 1 << 10], &[0; 8]), "more than 8 GB"),
        (gzip(&npy("|u1", false, &[1 << 20, 1 << 10, 1 << 10], &[0; 8])), "more than 8 GB"),
        (gzip(&npy("|u1", false, &[1, 1000, 1000], &[0; 8])), "but 8 follow"),
        (gzip(&whole)[..20].to_vec(), "broken or cut off"),
        (b"nonsense".to_vec(), "is named .npy, but does not begin as such a file does"),
        (vec![], "is empty"),
    ] {
        fs::write(&path, bytes).unwrap();
        refuses(&path, &[], reason);
    }
    fs::write(&path, npy("<f4", false, &[1, 1, 2], &[0; 8])).unwrap();
    refuses(&path, &["--colour", "rgb"], "holds floats, which --size and --colour do not change");
    let missing = try_open(&folder.path().join("no/such.npy"), &[]).unwrap_err();
    assert!(missing.to_string().contains("cannot be read") && missing.exit_code() == 1);
    for (name, reason) in [
        ("a.zip", "is an archive; unpack it"),
        ("a.pt", "numpy.save"),
        ("a.csv", "is a table"),
        ("a.bin", "in no form that is read"),
    ] {
        fs::write(folder.path().join(name), "something else").unwrap();
        refuses(&folder.path().join(name), &[], reason);
    }
    save(folder.path().join("p.png"), &gray(2, 2, 0));
    refuses(&folder.path().join("p.png"), &[], "is a single image; give the folder it lies in");
}

#[test]
fn archives_of_arrays_bring_their_labels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    let images = |seed: u8| npy("|u1", false, &[4, 2, 2], &(0..16).map(|i| seed ^ (i * 16)).collect::<Vec<u8>>());
    let names: Vec<u8> = "catdogcatowl".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    for compressed in [true, false] {
        npz(&path, &[("images.npy", images(0)), ("kind.npy", npy("<U3", false, &[4], &names))], compressed);
        let set = open(&path, &[]);
        assert_eq!((set.data.shape, set.data.len()), (Shape::new(2, 2, 1), 4));
        assert_eq!(set.data.axes()[0].classes, ["cat", "dog", "owl"]);
        let lines = set.lines().join("\n");
        assert!(lines.contains("array images of an .npz file") && lines.contains("labels from array kind"), "{lines}");
    }
    let both = |rest: &str, seed| {
        let labels = npy("|u1", false, &[4], &[seed, 0, 0, 1]);
        [(format!("x{rest}.npy"), images(seed)), (format!("y{rest}.npy"), labels)]
    };
    let arrays: Vec<_> = [both("_train", 2), both("_test", 3)].concat();
    npz(&path, &arrays.iter().map(|(name, bytes)| (&name[..], bytes.clone())).collect::<Vec<_>>(), true);
    refuses(&path, &[], "holds several arrays of images: x_train, x_test; choose with --array x_train");
    assert_eq!(open(&path, &["--array", "x_test"]).data.labels.unwrap().values, [3, 0, 0, 1]);
    assert_eq!(open(&path, &["--array", "x_test", "--labels", "y_train"]).data.labels.unwrap().values, [2, 0, 0, 1]);
    refuses(&path, &["--array", "z"], "holds no array \"z\"; it holds x_train (4x2x2)");
    npz(&path, &[("notes.txt", b"hello".to_vec())], true);
    refuses(&path, &[], "is a zip archive without .npy arrays");
    fs::write(&path, b"PK\x03\x04 and no more").unwrap();
    refuses(&path, &[], "is not a readable .npz file");
}

/// What a header says of itself costs no memory before it is there.
#[test]
fn headers_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    for start in [&b"\x93NUMPY\x02\0\xff\xff\xff\xff{"[..], b"\x93NUMPY\x03\0\0\0\0\x80{", b"\x93NUMPY\x01"] {
        fs::write(&path, start).unwrap();
        refuses(&path, &[], "is not a readable .npy array");
    }
}

/// What cannot be read twice, as `/dev/stdin` in a pipe.
#[cfg(unix)]
#[test]
fn arrays_come_through_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let bytes = gzip(&npy("|u1", false, &[1, 2, 2], &[0, 80, 160, 240]));
    let to = pipe.clone();
    let writer = std::thread::spawn(move || fs::write(to, bytes).unwrap());
    assert_eq!(open(&pipe, &[]).data.shape, Shape::new(2, 2, 1));
    writer.join().unwrap();
}
