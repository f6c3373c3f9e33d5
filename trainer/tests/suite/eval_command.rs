//! `trainer eval` and `trainer judge` as a user runs them.
use crate::commands::{refuses, says, succeeds, trainer};
use std::path::Path;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits28.brn");

/// The pixels of `count` images, all different; those of each class look alike.
fn pixels(count: u64, len: u64) -> impl Iterator<Item = u8> {
    (0..count * len).map(move |i| (i % len * (i / len % 3 + 1) * 7 + ((i * 2_654_435_761) >> 13) % 64) as u8)
}

/// Writes an array of images without classes.
pub fn write_images(folder: &Path, name: &str, shape: &[u64]) {
    use npyz::WriterBuilder;
    let file = std::fs::File::create(folder.join(name)).unwrap();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(file).begin_nd().unwrap();
    pixels(shape[0], shape[1..].iter().product()).for_each(|value| writer.push(&value).unwrap());
    writer.finish().unwrap();
}

/// Writes 90 gray images of 12×12 in three classes.
pub fn write_labelled(folder: &Path) -> &'static str {
    let idx = |name: &str, sizes: &[u8], values: Vec<u8>| {
        let sizes = sizes.iter().flat_map(|size| [0, 0, 0, *size]);
        let bytes: Vec<u8> =
            [0, 0, 8, sizes.clone().count() as u8 / 4].into_iter().chain(sizes).chain(values).collect();
        std::fs::write(folder.join(name), bytes).unwrap();
    };
    idx("a-images-idx3-ubyte", &[90, 12, 12], pixels(90, 144).collect());
    idx("a-labels-idx1-ubyte", &[90], (0..90).map(|i| i % 3).collect());
    "a-images-idx3-ubyte"
}

/// Makes an evaluator with little training, and returns what the program prints.
pub fn judge(folder: &Path, data: &str, out: &str) -> String {
    succeeds(folder, &["judge", "--data", data, "--out", out, "--epochs", "2"])
}

/// Makes a run with one step of training and 100 timesteps.
pub fn train(folder: &Path, data: &str, run: &str) {
    let train = ["train", "--preset", "tiny", "--data", data, "--out", run, "--steps", "1", "--batch", "2"];
    succeeds(folder, &[&train[..], &["--timesteps", "100"]].concat());
}

/// A page holds all these parts, no number that is none, and nothing that would have to be fetched.
fn check_page(path: &Path, parts: &[&str], plots: usize) {
    let whole = std::fs::read_to_string(path).unwrap();
    // Without the pixels, whose letters may spell anything.
    let (first, images) = whole.split_once("data:image/png;base64,").unwrap();
    let behind = images.split("data:image/png;base64,").map(|image| image.split_once('"').unwrap().1);
    let page: String = std::iter::once(first).chain(behind).collect();
    for part in parts {
        assert!(page.contains(part), "{part} is missing");
    }
    assert_eq!(page.matches("<svg").count(), plots);
    for bad in ["NaN", "inf ", ">inf", "<script", "<link", "url("] {
        assert!(!page.contains(bad), "{bad}");
    }
    // Only names of SVG, no address that is opened.
    assert!(!page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "").contains("http"));
    assert!(page.trim_end().ends_with("</html>"));
}

#[test]
fn a_shipped_model_is_compared_with_real_digits() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["eval", MODEL, "--plan", "fast5", "--count", "100", "--seed", "3", "--guidance", "1.5", "--json"];
    let text = succeeds(folder.path(), &[&arguments[..], &["--html", "page.html"]].concat());
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["count"], &report["arithmetic"]), (&100.into(), &"int8".into()));
    assert!(report["evaluator"]["test_accuracy"].as_f64().unwrap() >= 0.985);
    assert_eq!((&report["data"], &report["images"]), (&"digits".into(), &serde_json::json!([10000, 10000])));
    let plan = &report["plans"][0];
    assert_eq!((&plan["name"], &plan["steps"]), (&"fast5".into(), &5.into()));
    assert!(plan["float"].is_null() && plan["frechet_change"].is_null());
    for figures in [&plan["figures"], &report["real"], &report["noise"], &report["blur"]] {
        let value = |name: &str| figures[name]["value"].as_f64().unwrap();
        assert!(value("class_accuracy") > 0.8, "{figures}");
        assert!(value("precision") > 0.3 && value("memorisation_ratio") > 0.5, "{figures}");
        for name in ["frechet_distance", "class_total_variation", "recall", "sliced_wasserstein", "pyramid_wasserstein"]
        {
            assert!(figures[name]["low"].as_f64().unwrap() <= value(name), "{name} of {figures}");
        }
    }
    let distance = |figures: &str| report[figures]["frechet_distance"]["value"].as_f64().unwrap();
    assert!(distance("uniform") > 5.0 * distance("blur"), "nothing but noise is far away");
    let note = report["bound"]["note"].as_str().unwrap();
    assert!(report["bound"]["int8"].is_null() && note.contains("--plan full=ddpm:1000"), "{note}");
    for what in ["evaluator", "frechet_distance", "precision_recall", "pyramid_wasserstein", "memorisation_ratio"] {
        assert!(report["seconds"][what].as_f64().unwrap() > 0.0, "{what}");
    }
    let parts =
        ["Plan fast5: 5 steps", "Fréchet distance against steps", "Class accuracy against steps", "real images"];
    check_page(&folder.path().join("page.html"), &parts, 2);
    let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert_eq!(page.matches("src=\"data:image/png;base64,").count(), 2, "samples and real images");
}

/// An evaluator is what was written, of images that can be told apart, and says which of those it measures with it has
/// seen.
#[test]
fn evaluators_are_whole_and_learn_something() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let data = write_labelled(at);
    judge(at, data, "judge");
    train(at, data, "run");
    let mut bytes = std::fs::read(at.join("judge")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(at.join("flipped"), &bytes).unwrap();
    let eval = ["eval", "run", "--count", "100", "--plan", "dpm:2", "--judge", "flipped"];
    refuses(at, &eval, 1, "its weights are not those that were written");
    std::fs::create_dir(at.join("equal")).unwrap();
    image::GrayImage::from_pixel(8, 8, image::Luma([77])).save(at.join("equal/0.png")).unwrap();
    for i in 1..40 {
        std::fs::copy(at.join("equal/0.png"), at.join(format!("equal/{i}.png"))).unwrap();
    }
    refuses(at, &["judge", "--data", "equal", "--out", "none"], 1, "images are equal: there is nothing to learn");
    assert!(!at.join("none").exists());
    let (_, said) = says(at, &["judge", "--data", data, "--test", data, "--out", "both", "--epochs", "1"]);
    assert!(said.contains("warning: 90 of the 90 images to measure with are among the others, too"), "{said}");
}

#[test]
fn a_run_is_compared_with_its_integers() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let data = write_labelled(at);
    train(at, data, "run");
    let printed = judge(at, data, "judge");
    assert!(
        printed.contains("9 images that it was not trained on: read right") && printed.contains("uniform"),
        "{printed}"
    );
    let plans = ["--plan", "a=ddim:4", "--plan", "b=dpm:2", "--count", "100", "--json", "--judge", "judge"];
    let text = succeeds(at, &[&["eval", "run", "--html", "run.html"][..], &plans].concat());
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    for plan in report["plans"].as_array().unwrap() {
        let distance = |figures: &serde_json::Value| figures["frechet_distance"]["value"].as_f64().unwrap();
        let change = distance(&plan["figures"]) / distance(&plan["float"]["figures"]) - 1.0;
        assert!((plan["frechet_change"].as_f64().unwrap() - change).abs() < 1e-9);
    }
    let total = |arithmetic: &str| report["bound"][arithmetic]["total"].as_f64().unwrap();
    let terms = |arithmetic: &str| {
        let bound = &report["bound"][arithmetic];
        let sum = ["prior", "steps", "reconstruction"].iter().map(|term| bound[term].as_f64().unwrap()).sum::<f64>();
        (sum, bound["per_timestep"].as_array().unwrap().len(), bound["squared_error"].as_array().unwrap().len())
    };
    for arithmetic in ["int8", "float"] {
        let (sum, steps, errors) = terms(arithmetic);
        assert!((sum - total(arithmetic)).abs() < 1e-9);
        assert_eq!((steps, errors), (99, 100));
    }
    assert!((total("int8") / total("float") - 1.0).abs() < 0.1, "{} and {}", total("int8"), total("float"));
    let errors = &report["quantization"];
    assert_eq!((errors[0]["steps"].as_array().unwrap().len(), errors[1]["plan"].as_str().unwrap()), (4, "b"));
    let layers = errors[0]["layers"].as_array().unwrap();
    assert!(layers.len() > 3);
    for layer in layers {
        assert!(layer["signal_to_noise"].as_f64().unwrap() > 15.0, "8 bits keep the signal: {layer}");
    }
    for step in errors[0]["steps"].as_array().unwrap() {
        let value = |name: &str| step[name].as_f64().unwrap();
        assert!(value("eps_hat") > 0.0 && value("eps_hat") < 0.2 && value("x") < 0.2, "{step}");
    }
    let titles = [
        "Loss at each timestep",
        "Error of the network at each timestep",
        "Quantization error per layer",
        "Quantization error of eps_hat per step",
        "Drift of x per step",
        "Fréchet distance against steps",
    ];
    check_page(&at.join("run.html"), &titles, 7);
    assert_eq!((&report["data"], &report["images"]), (&data.into(), &serde_json::json!([81, 9])));

    // The file that the run is exported to has the same figures, and the same errors where it is compared with the run.
    succeeds(at, &["export", "run", "--out", "run.brn", "--plan", "a=ddim:4", "--plan", "b=dpm:2"]);
    let beside = succeeds(at, &["eval", "run.brn", "--float", "run", "--count", "100", "--json", "--judge", "judge"]);
    let beside: serde_json::Value = serde_json::from_str(&beside).unwrap();
    for i in 0..2 {
        for part in ["figures", "frechet_change"] {
            assert_eq!(beside["plans"][i][part], report["plans"][i][part]);
        }
        assert_eq!(beside["quantization"][i]["steps"], report["quantization"][i]["steps"]);
    }
    assert_eq!(beside["bound"]["float"], report["bound"]["float"]);
}

#[test]
fn a_file_with_all_timesteps_has_a_bound_and_colours_without_labels_have_an_evaluator() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_images(at, "a.npy", &[60, 12, 8, 3]);
    train(at, "a.npy", "run");
    let printed = judge(at, "a.npy", "judge");
    assert!(!printed.contains("read right") && printed.contains("6 images that it was not trained on"), "{printed}");
    succeeds(at, &["export", "run", "--out", "a.brn", "--plan", "full=ddpm:100", "--plan", "ddim:2"]);
    let eval = ["eval", "a.brn", "--judge", "judge", "--plan", "ddim2", "--count", "100"];
    let text = succeeds(at, &[&eval[..], &["--json", "--html", "a.html"]].concat());
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["axes"], serde_json::json!([]));
    assert!(report["evaluator"]["test_accuracy"].is_null());
    let figures = &report["plans"][0]["figures"];
    assert!(figures["class_accuracy"].is_null() && figures["class_total_variation"].is_null());
    for figure in ["frechet_distance", "precision", "recall", "pyramid_wasserstein", "memorisation_ratio"] {
        assert!(figures[figure]["value"].as_f64().unwrap() >= 0.0, "{figure}");
    }
    assert!(report["bound"]["int8"]["total"].as_f64().unwrap() > 1.0 && report["bound"]["note"].is_null());
    check_page(
        &at.join("a.html"),
        &["Loss at each timestep", "Variational bound", "figures of classes are left out"],
        3,
    );
    refuses(at, &["eval", "a.brn", "--judge", "judge", "--guidance", "1.5"], 2, "not conditioned on classes");

    // The data may move, but be no other.
    std::fs::rename(at.join("a.npy"), at.join("b.npy")).unwrap();
    refuses(at, &eval, 1, "a.npy");
    let moved = succeeds(at, &[&eval[..], &["--json", "--data", "b.npy"]].concat());
    let moved: serde_json::Value = serde_json::from_str(&moved).unwrap();
    assert_eq!(moved["real"], report["real"]);
    write_images(at, "a.npy", &[61, 12, 8, 3]);
    let other =
        "a.npy: holds 61 images of 12x8x3; these or their labels are not those that the evaluator was made of, \
                 \"a.npy\" of 12x8x3; say with --data where those lie now";
    refuses(at, &eval, 1, other);
    let other =
        "digits: holds 10000 images of 28x28x1; these or their labels are not those that the evaluator was made \
                 of, \"a.npy\" of 12x8x3; leave --data out";
    refuses(at, &[&eval[..], &["--data", "digits"]].concat(), 1, other);
}

/// Pictures of any origin are compared with others, by an evaluator or without.
#[test]
fn pictures_are_compared_with_a_reference() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_images(at, "real.npy", &[60, 12, 8, 3]);
    write_images(at, "other.npy", &[40, 12, 8, 3]);
    write_images(at, "gray.npy", &[40, 12, 8]);
    let compare = |extra: &[&str]| -> serde_json::Value {
        let arguments = [&["eval", "other.npy", "--reference", "real.npy", "--json"][..], extra].concat();
        serde_json::from_str(&succeeds(at, &arguments)).unwrap()
    };
    let plain = compare(&["--html", "page.html"]);
    let figures = &plain["plans"][0]["figures"];
    assert!(figures["frechet_distance"].is_null() && figures["pyramid_wasserstein"]["value"].as_f64().unwrap() >= 0.0);
    assert_eq!((&plain["count"], &plain["images"]), (&40.into(), &serde_json::json!([54, 6])));
    assert!(plain["arithmetic"].is_null() && plain["evaluator"].is_null());
    check_page(&at.join("page.html"), &["Without an evaluator", "real images", "pictures"], 0);
    judge(at, "real.npy", "judge");
    let judged = compare(&["--judge", "judge"]);
    assert!(judged["plans"][0]["figures"]["frechet_distance"]["value"].as_f64().unwrap() >= 0.0);
    for figure in ["sliced_wasserstein", "pyramid_wasserstein", "memorisation_ratio"] {
        assert_eq!(judged["plans"][0]["figures"][figure], plain["plans"][0]["figures"][figure], "{figure}");
    }
    let output = trainer(at, &["eval", "other.npy", "--reference", "real.npy"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("other.npy: 40 images of 12x8x3") && said.contains("\nreal.npy: 60 images"), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("no evaluator: figures that need one are left out") && text.contains("the same, pyramid"));
    refuses(at, &["eval", "gray.npy", "--reference", "real.npy"], 1, "gray.npy: holds images of 12x8x1");
    refuses(
        at,
        &["eval", "gray.npy", "--reference", "gray.npy", "--judge", "judge"],
        1,
        "the evaluator reads such of 12x8x3",
    );
    refuses(at, &["eval", "none", "--reference", "real.npy"], 1, "none: ");
}

#[test]
fn says_no_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_images(path, "a.npy", &[50, 8, 8]);
    write_images(path, "b.npy", &[51, 8, 8]);
    train(path, "a.npy", "run");
    succeeds(path, &["export", "run", "--out", "other.brn", "--plan", "ddim:2"]);
    judge(path, "b.npy", "judge");
    let none = "other.brn: was trained on \"a.npy\", for which no evaluator is built in; `trainer judge --data a.npy";
    refuses(path, &["eval", "other.brn"], 1, none);
    refuses(path, &["eval", "run"], 1, "run: was trained on \"a.npy\"");
    let both =
        "was trained on \"a.npy\" and not on --data \"digits\"; for its data no evaluator is built in; `trainer judge \
                --data a.npy --out judge.safetensors` makes one for it, `--judge` takes it";
    refuses(path, &["eval", "other.brn", "--data", "digits"], 1, both);
    refuses(path, &["eval", "run", "--data", "digits"], 1, both);
    let other = "was trained on \"a.npy\", but the evaluator judge was made of \"b.npy\"";
    refuses(path, &["eval", "run", "--judge", "judge"], 1, other);
    refuses(path, &["eval", MODEL, "--judge", "judge"], 1, "the evaluator judge was made of \"b.npy\"");
    refuses(path, &["eval", "run", "--judge", "a.npy"], 1, "a.npy: is not a file that `trainer judge` wrote");
    refuses(path, &["eval", "run", "--judge", "nothing"], 1, "nothing: cannot be read");
    refuses(path, &["eval", "none.brn"], 1, "none.brn: cannot be read");
    refuses(path, &["eval", "a.npy"], 1, "a.npy");
    refuses(path, &["eval", MODEL, "--plan", "slow"], 2, "no plan \"slow\"; it has ");
    refuses(path, &["eval", MODEL, "--plan", "fast5", "--plan", "fast5"], 2, "--plan fast5 is given twice");
    refuses(path, &["eval", MODEL, "--count", "99"], 2, "--count 99: give 100 to 100000");
    refuses(path, &["eval", MODEL, "--count", "100001"], 2, "--count 100001: give 100 to 100000");
    refuses(path, &["eval", MODEL, "--guidance", "17"], 2, "--guidance 17");
    refuses(path, &["eval", MODEL, "--only", "float"], 2, "--only float");
    refuses(path, &["eval", MODEL, "--float", "run"], 1, "run: has other images or classes than the model file");
    refuses(path, &["eval", MODEL, "--float", "none"], 1, "none: ");
    let page = ["eval", MODEL, "--plan", "fast3", "--count", "100", "--html", "no/such/page.html"];
    refuses(path, &page, 1, "page.html: cannot be written");
    refuses(path, &["judge", "--data", "a.npy", "--out", "c", "--epochs", "0"], 2, "--epochs 0");
    refuses(path, &["judge", "--data", "a.npy", "--out", "c", "--held-out", "0.6"], 2, "--held-out 0.6: give");
    write_images(path, "few.npy", &[9, 8, 8]);
    refuses(path, &["judge", "--data", "few.npy", "--out", "c"], 1, "few.npy: 9 images are too few");
    assert!(!path.join("c").exists());
}
