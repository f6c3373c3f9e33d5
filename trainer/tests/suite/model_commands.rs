//! `trainer export`, `sample` and `inspect` as a user runs them, well and badly.

use crate::commands::{refuses, says, succeeds, trainer};
use std::path::Path;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits28-nano.brn");

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
    let plans: Vec<_> =
        report["plans"].as_array().unwrap().iter().map(|p| (p["name"].clone(), p["steps"].clone())).collect();
    let expected = [("ddim50", 50), ("fast10", 10), ("fast5", 5)].map(|(name, steps)| (name.into(), steps.into()));
    assert_eq!(plans, expected);
    let macs: u64 = report["ops"].as_array().unwrap().iter().map(|op| op["macs"].as_u64().unwrap()).sum();
    assert_eq!(report["macs_per_step"], macs);
    assert!(succeeds(folder.path(), &["inspect", MODEL]).contains("arena lower bound"));
}

/// A board's name brings what it has for the model and a time for each plan, as text and as JSON.
#[test]
fn inspect_tells_whether_a_board_has_room() {
    let folder = tempfile::tempdir().unwrap();
    let text = succeeds(folder.path(), &["inspect", "--board", "pico2", MODEL]);
    assert!(text.contains("Cortex-M33 at 150 MHz") && text.matches(": fits").count() == 2, "{text}");
    assert!(text.contains("plan fast5: about "), "{text}");
    let json = succeeds(folder.path(), &["inspect", "--board", "pico2", MODEL, "--json"]);
    let board = serde_json::from_str::<serde_json::Value>(&json).unwrap()["board"].take();
    assert_eq!(board["flash"][0].as_u64().unwrap(), std::fs::metadata(MODEL).unwrap().len());
    assert!(board["excess"].is_null() && board["seconds"][0][1].as_f64().unwrap() > 0.1, "{board}");
    let refused = trainer(folder.path(), &["inspect", "--board", "pica", MODEL]);
    assert_eq!(refused.status.code(), Some(2));
    let reason = String::from_utf8(refused.stderr).unwrap();
    assert!(reason.contains("there are pico, pico2, pico2-colour, pico2-two-cores, nrf52840-dk"), "{reason}");
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
        (&["--print", "--class", "1", "--guidance", "17"], "--guidance 17"),
        (&["--print", "--class", "1", "--guidance", "NaN"], "--guidance NaN"),
        (&["--print", "--guidance", "1.5"], "--guidance: a draw without a class"),
        (&["--print", "--two-evaluations"], "--two-evaluations: a draw without a class"),
        (&["--print", "--class", "10"], "there is no class \"10\"; it has 0, 1,"),
        (&["--npy", "x.npy", "--count", "4000000000"], "x.npy: needs 12544.0 GB, of which"),
        (&["--png", "x.png", "--count", "4000000000"], "--count 4000000000: holding all images needs about"),
        (&["--print", "--plan", "fast5", "--from", "digits", "--start", "5"], "numbered from 0"),
        (&["--snapshot", "s", "--save-after", "51"], "from 0 to 50"),
        (&["--snapshot", "s", "--save-after", "2", "--count", "2"], "--count 1"),
        (&[], "nothing would be written: give --png, --npy, --preview, --print, or of sound --wav"),
    ] {
        refuses(at, &[&["sample", MODEL][..], arguments].concat(), 2, reason);
    }
    // Known before anything is drawn or trained, so before other things are found wrong.
    for option in ["--png", "--npy", "--preview"] {
        refuses(at, &["sample", MODEL, "--count", "4000000000", option, "no/such/file"], 1, "no/such/file: cannot be");
    }
    refuses(at, &["judge", "--data", "digits", "--out", "no/such/file"], 1, "no/such/file: cannot be written");
    for arguments in [
        &["sample"][..],
        &["sample", MODEL, "--class", "seven"],
        &["sample", MODEL, "--print", "--from", "digits"],
        &["sample", MODEL, "--print", "--from", "digits", "--start", "1.0"],
        &["sample", MODEL, "--print", "--inpaint", "mask.png"],
        &["sample", MODEL, "--snapshot", "s"],
        &["sample", MODEL, "--snapshot", "s", "--save-after", "2", "--print"],
        &["sample", MODEL, "--resume", "s", "--seed", "2", "--print"],
        &["paint"],
        &["inspect"],
    ] {
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
    succeeds(at, &[&train[..], &["--timesteps", "100"]].concat());
    for (plan, reason) in [("euler:3", "euler"), ("ddim:2000", "2000"), ("a=ddim:0", "number of steps")] {
        refuses(at, &["export", "run", "--out", "m.brn", "--plan", plan], 2, reason);
    }
    refuses(at, &["export", "run", "--out", "m.brn", "--plan", "ddim:2", "--plan", "ddim:2:noclip"], 2, "ddim2");
    assert!(!at.join("m.brn").exists());
    succeeds(at, &["export", "run", "--out", "m.brn", "--plan", "slow=ddpm:100", "--plan", "ddim:5"]);
    let before = std::fs::read(at.join("m.brn")).unwrap();
    refuses(at, &["export", "run", "--out", "no/such/m.brn", "--plan", "ddim:2000"], 1, "no/such/m.brn");
    refuses(at, &["export", "run", "--out", "m.brn", "--plan", "ddim:5:eta=7"], 2, "eta");
    assert_eq!(std::fs::read(at.join("m.brn")).unwrap(), before);
    succeeds(at, &["export", "run", "--out", "again.brn", "--plan", "slow=ddpm:100", "--plan", "ddim:5"]);
    assert_eq!(std::fs::read(at.join("again.brn")).unwrap(), before, "exporting twice gives the same bytes");
    refuses(at, &["sample", "m.brn", "--print", "--class", "1"], 2, "not conditioned");
    succeeds(at, &["sample", "m.brn", "--plan", "slow", "--count", "2", "--print"]);
}

fn write_png(path: &Path, [width, height]: [u32; 2], pixel: impl Fn(u32, u32) -> u8) {
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let pixels: Vec<u8> = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
}

fn write_npy(path: &Path, sizes: [u64; 4], value: impl Fn(u64) -> f32) {
    use npyz::WriterBuilder;
    let file = std::fs::File::create(path).unwrap();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&sizes).writer(file).begin_nd().unwrap();
    writer.extend((0..sizes.iter().product()).map(value)).unwrap();
    writer.finish().unwrap();
}

fn read_npy(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    npyz::NpyFile::new(&bytes[..]).unwrap().into_vec::<f32>().unwrap()
}

#[test]
fn inpainting_and_image_to_image_keep_what_they_should() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let sample = ["sample", MODEL, "--plan", "fast5", "--seed", "3", "--count", "3", "--class", "cycle"];
    let draw = |more: &[&str]| {
        succeeds(at, &[&sample[..], more, &["--npy", "out.npy"]].concat());
        read_npy(&at.join("out.npy"))
    };
    write_png(&at.join("mask.png"), [28, 28], |_, y| if y < 14 { 0 } else { 255 });
    write_png(&at.join("black.png"), [28, 28], |_, _| 0);
    write_png(&at.join("narrow.png"), [27, 28], |_, _| 255);
    write_png(&at.join("image.png"), [28, 28], |x, y| (8 * x + y) as u8);
    let plain = draw(&[]);
    let image: Vec<f32> = (0..784).map(|i| f32::from((8 * (i % 28) + i / 28) as u8) / 127.5 - 1.0).collect();
    let inpainted = draw(&["--inpaint", "mask.png", "--image", "image.png"]);
    for drawn in inpainted.chunks(784) {
        assert_eq!(drawn[..392], image[..392], "the black half of the mask is kept");
        assert_ne!(drawn[392..], image[392..]);
    }
    // Image i starts from image i of the array, and late starts keep much of it.
    succeeds(at, &[&sample[..], &["--npy", "plain.npy"]].concat());
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    let near = draw(&["--from", "plain.npy", "--start", "4"]);
    let far = draw(&["--from", "plain.npy", "--start", "0.2"]);
    assert!(distance(&near, &plain) < 0.5 * distance(&far, &plain));
    // An array is taken as it is, beyond ±1 too: with noise, to be taken off.
    write_npy(&at.join("noisy.npy"), [1, 28, 28, 1], |i| if i % 2 == 0 { -2.5 } else { 2.0 });
    let kept = draw(&["--inpaint", "mask.png", "--image", "noisy.npy"]);
    assert!(kept.chunks(784).all(|drawn| drawn[..2] == [-2.5, 2.0]));
    write_npy(&at.join("light.npy"), [1, 28, 28, 1], |_| 0.5);
    let (_, said) = says(at, &[&sample[..], &["--from", "light.npy", "--start", "1", "--npy", "out.npy"]].concat());
    assert!(said.contains("light.npy: no value is below 0"), "{said}");
    write_npy(&at.join("wild.npy"), [1, 28, 28, 1], |i| if i == 9 { f32::NAN } else { 0.5 });
    let wild = [&sample[..], &["--from", "wild.npy", "--start", "1", "--npy", "out.npy"]].concat();
    refuses(at, &wild, 1, "wild.npy: holds NaN; black is -1 and white is 1");
    // Of vectors the order of the axes is known.
    let heartbeat = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/heartbeat.brn");
    let beats = ["sample", heartbeat, "--plan", "bits10", "--count", "5", "--npy"];
    succeeds(at, &[&beats[..], &["beats.npy"]].concat());
    succeeds(at, &[&beats[..], &["out.npy", "--from", "beats.npy", "--start", "5"]].concat());
    assert_eq!(read_npy(&at.join("out.npy")).len(), 100);
    assert_ne!(draw(&["--two-evaluations", "--guidance", "2"]), draw(&["--guidance", "2"]));
    // A picture is known by its bytes, whatever its name and format.
    std::fs::copy(at.join("image.png"), at.join("picture")).unwrap();
    image::open(at.join("image.png")).unwrap().save(at.join("image.bmp")).unwrap();
    let from = draw(&["--from", "image.png", "--start", "2"]);
    for name in ["picture", "image.bmp"] {
        assert_eq!(draw(&["--from", name, "--start", "2"]), from, "{name}");
    }
    for (arguments, reason) in [
        (&["--from", "narrow.png", "--start", "1"][..], "narrow.png: is 28x27x1, the model draws 28x28x1"),
        (&["--from", "none.png", "--start", "1"], "none.png: cannot be read"),
        (&["--inpaint", "narrow.png", "--image", "image.png"], "narrow.png: is 28x27x1"),
        (&["--inpaint", "black.png", "--image", "image.png"], "nothing would be drawn"),
        (&["--inpaint", "mask.png", "--image", "narrow.png"], "narrow.png: is 28x27x1"),
    ] {
        refuses(at, &[&sample[..], &["--print"], arguments].concat(), 1, reason);
    }
}

#[test]
fn previews_show_every_step() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeeds(at, &["sample", MODEL, "--plan", "fast5", "--count", "2", "--preview", "steps.png"]);
    let image = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(at.join("steps.png")).unwrap()));
    let info = image.read_info().unwrap();
    assert_eq!((info.info().width, info.info().height), (2 * (5 * 29 + 1), 2 * (2 * 29 + 1)));
}

#[test]
fn a_saved_chain_goes_on_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let chain =
        ["sample", MODEL, "--plan", "fast5", "--seed", "8", "--class", "2", "--two-evaluations", "--guidance", "3"];
    succeeds(at, &[&chain[..], &["--count", "1", "--npy", "whole.npy"]].concat());
    succeeds(at, &[&chain[..], &["--save-after", "2", "--snapshot", "a"]].concat());
    succeeds(at, &["sample", MODEL, "--resume", "a", "--save-after", "4", "--snapshot", "b"]);
    for snapshot in ["a", "b"] {
        succeeds(at, &["sample", MODEL, "--resume", snapshot, "--npy", "resumed.npy"]);
        let read = |name: &str| std::fs::read(at.join(name)).unwrap();
        assert_eq!(read("resumed.npy"), read("whole.npy"), "{snapshot}");
    }
    let good = std::fs::read(at.join("a")).unwrap();
    std::fs::write(at.join("cut"), &good[..1000]).unwrap();
    std::fs::write(at.join("other"), b"something else").unwrap();
    refuses(at, &["sample", MODEL, "--resume", "cut", "--print"], 1, "damaged or was cut off");
    refuses(at, &["sample", MODEL, "--resume", "other", "--print"], 1, "not a Brownian snapshot");
    refuses(at, &["sample", MODEL, "--resume", "missing", "--print"], 1, "missing: cannot be read");
    let digits28 = MODEL.replace("-nano", "");
    refuses(at, &["sample", &digits28, "--resume", "a", "--print"], 1, "belongs to the model");
    refuses(at, &["sample", MODEL, "--resume", "b", "--save-after", "3", "--snapshot", "c"], 2, "from 4 to 5");
    assert!(!at.join("c").exists());
    write_png(&at.join("mask.png"), [28, 28], |_, y| if y < 14 { 0 } else { 255 });
    let inpaint = ["--inpaint", "mask.png", "--image", "mask.png"];
    refuses(at, &[&["sample", MODEL, "--resume", "a", "--print"][..], &inpaint].concat(), 2, "--inpaint and --image");
}
