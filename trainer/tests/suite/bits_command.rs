//! A run over bits from training to figures, as a user makes one.
use crate::commands::{refuses, succeeds};
use brownian::host::OwnedModel;
use brownian::StateKind;
use std::path::Path;

fn samples(path: &Path) -> Vec<f32> {
    npyz::NpyFile::new(&std::fs::read(path).unwrap()[..]).unwrap().into_vec().unwrap()
}

#[test]
fn bits_go_from_training_to_figures() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let train = ["train", "--preset", "digits28-nano", "--width", "0.25", "--process", "binomial:data", "--out", "run"];
    succeeds(at, &[&train[..], &["--steps", "40", "--batch", "16", "--timesteps", "20", "--seed", "1"]].concat());
    // The file holds the share itself: 13 % of the pixels of digits are ones.
    let text = std::fs::read_to_string(at.join("run/step-000000040/run.toml")).unwrap();
    assert!(text.contains("process = \"binomial:0.1") && text.contains("weighting = \"simple\""), "{text}");
    refuses(at, &["train", "--resume", "--out", "run", "--process", "gaussian"], 2, "--process differs");
    let scaled = [&train[..train.len() - 1], &["scaled", "--data-scale", "3"]].concat();
    refuses(at, &scaled, 2, "--data-scale 3: it is of the Gaussian process");
    assert!(!at.join("scaled").exists());
    refuses(at, &["export", "run", "--out", "a.brn", "--plan", "ddim:5"], 2, "ddim is of the Gaussian process");
    refuses(at, &["export", "run", "--out", "a.brn", "--plan", "bits:5", "--state", "f16"], 2, "of bits");
    refuses(at, &["finetune", "run", "--out", "tuned"], 2, "cannot be fine-tuned");
    assert!(!at.join("tuned").exists());

    let plans = ["--plan", "bits:5", "--plan", "full=bits:20"];
    succeeds(at, &[&["export", "run", "--out", "a.brn"], &plans[..]].concat());
    let file = OwnedModel::read(at.join("a.brn")).unwrap();
    let model = file.model();
    assert_eq!((model.state_kind(), model.state_len() * model.state_element_len()), (StateKind::Bits, 98));
    let report: serde_json::Value = serde_json::from_str(&succeeds(at, &["inspect", "a.brn", "--json"])).unwrap();
    assert_eq!((&report["process"], &report["state_element"]), (&"binomial".into(), &"bits".into()));

    // Samples are bits, and known bits are kept.
    let sample = ["sample", "a.brn", "--plan", "bits5", "--seed", "4", "--class", "cycle", "--count", "3", "--npy"];
    succeeds(at, &[&sample[..], &["a.npy", "--png", "a.png", "--preview", "previews.png"]].concat());
    let drawn = samples(&at.join("a.npy"));
    assert!(drawn.iter().all(|v| v.abs() == 1.0) && drawn.contains(&1.0) && drawn.contains(&-1.0));
    let mask: Vec<u8> = (0..784).map(|i| if i < 392 { 0 } else { 255 }).collect();
    write_picture(&at.join("mask.png"), &mask);
    write_picture(&at.join("image.png"), &[200; 784]);
    let edit = ["--inpaint", "mask.png", "--image", "image.png"];
    succeeds(at, &[&sample[..], &["b.npy"], &edit[..]].concat());
    for image in samples(&at.join("b.npy")).chunks(784) {
        assert!(image[..392].iter().all(|v| *v == 1.0) && image[392..].contains(&-1.0));
    }
    let guided = ["--guidance", "2", "--two-evaluations", "--from", "image.png", "--start", "1"];
    succeeds(at, &[&sample[..], &["c.npy"], &guided[..]].concat());
    assert!(samples(&at.join("c.npy")).iter().all(|v| v.abs() == 1.0));

    let figures = ["eval", "a.brn", "--plan", "bits5", "--count", "100", "--json"];
    let json: serde_json::Value = serde_json::from_str(&succeeds(at, &figures)).unwrap();
    let total = json["bound"]["bits"]["int8"]["total"].as_f64().unwrap();
    // 784 bits that nothing is known of have 543, and digits more than a good network's 60.
    assert!((70.0..400.0).contains(&total), "{total}");
    let floor = json["real"]["frechet_distance"]["value"].as_f64().unwrap();
    assert!(floor < json["uniform"]["frechet_distance"]["value"].as_f64().unwrap() / 3.0, "{floor}");
}

fn write_picture(path: &Path, pixels: &[u8]) {
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), 28, 28);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
}
