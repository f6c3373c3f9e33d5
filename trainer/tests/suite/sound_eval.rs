//! Sounds are judged, evaluated and compared, from recordings made afresh.
use crate::commands::{refuses, says, succeeds};
use crate::sound::{burst, write};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Recordings of two classes: bursts of a tone that is low or high, of slightly other pitches.
fn recordings(folder: &Path, count: usize, rate: u32) {
    for (class, hertz) in [("high", 1500.0), ("low", 300.0)] {
        for i in 0..count {
            let samples: Vec<f32> = burst(1200 * rate as usize / 8000, rate, 0.5)
                .iter()
                .enumerate()
                .map(|(at, v)| {
                    let pitch = hertz + 7.0 * i as f32;
                    0.3 * v + 0.5 * v.abs() * (std::f32::consts::TAU * pitch * at as f32 / rate as f32).sin()
                })
                .collect();
            write(&folder.join(class).join(format!("{i}.wav")), &samples, rate, 1, 16);
        }
    }
}

const READ: [&str; 2] = ["--length", "1024"];

#[test]
fn sounds_have_a_judge_and_a_report_that_plays_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    recordings(&at.join("bursts"), 40, 8000);
    let judge = ["judge", "--data", "bursts", "--out", "judge.safetensors", "--epochs", "12", "--held-out", "0.2"];
    let (figures, said) = says(at, &[&judge[..], &READ].concat());
    assert!(said.contains("the evaluator learns class (2 classes), of 64 images; 16 others are held out"), "{said}");
    for name in ["as they are", "noise30", "noise10", "mulaw8", "mulaw4", "late", "white"] {
        assert!(figures.contains(&format!("  {name}")), "{figures}");
    }
    let train = ["train", "--data", "bursts", "--preset", "tiny", "--steps", "4", "--batch", "8", "--timesteps", "30"];
    succeeds(at, &[&train[..], &READ, &["--out", "run", "--schedule", "cosine"]].concat());
    let eval = ["eval", "run", "--judge", "judge.safetensors", "--count", "100", "--plan", "ddim:2"];
    let text = succeeds(at, &[&eval[..], &["--json", "--html", "page.html"]].concat());
    let report: Value = serde_json::from_str(&text).unwrap();
    assert!(report["evaluator"]["test_accuracy"].as_f64().unwrap() > 0.9, "{}", report["evaluator"]);
    let value = |figures: &Value, name: &str| figures[name]["value"].as_f64().unwrap();
    let distance = |name: &str| value(&report[name], "frechet_distance");
    assert!(distance("real") < distance("noise10") && distance("noise10") < distance("white"), "{report}");
    assert!(distance("mulaw8") <= distance("mulaw4"));
    assert_eq!(value(&report["real"], "class_accuracy"), value(&report["mulaw8"], "class_accuracy"));
    assert!(value(&report["real"], "quiet_level") < value(&report["noise10"], "quiet_level"));
    assert!((value(&report["white"], "quiet_level")) > -3.0, "white noise has no quiet frames");
    let drawn = &report["plans"][0]["figures"];
    assert!(value(drawn, "memorisation_ratio") > 0.5 && value(drawn, "quiet_level") <= 0.5, "{drawn}");
    // A network that has learned nothing needs more bits than a sample has.
    for arithmetic in ["int8", "float"] {
        let bound = &report["bound"][arithmetic];
        assert!(bound["total"].as_f64().unwrap() > 4.0 && bound["bayes"].is_null(), "{bound}");
    }
    let page = fs::read_to_string(at.join("page.html")).unwrap();
    assert!(page.contains("recordings") && page.contains("Bits a sample of test sounds"));
    // Two classes of four sounds each, of the plan and of the recordings.
    assert_eq!(page.matches("<audio controls").count(), 8);
    assert_eq!(page.matches("src=\"data:audio/wav;base64,UklGR").count(), 8);
    assert_eq!(page.matches("src=\"data:image/png;base64,").count(), 8);

    // Without labels it is taught alterations, and classes are left out.
    fs::create_dir(at.join("plain")).unwrap();
    for i in 0..40 {
        fs::copy(at.join(format!("bursts/low/{i}.wav")), at.join(format!("plain/{i}.wav"))).unwrap();
    }
    let judge = ["judge", "--data", "plain", "--out", "plain.safetensors", "--epochs", "2"];
    let (_, said) = says(at, &[&judge[..], &READ].concat());
    assert!(said.contains("without labels, how images were altered"), "{said}");

    // Sounds of any origin, with the judge and without.
    let compare = ["eval", "plain", "--reference", "bursts", "--json"];
    let text = succeeds(at, &[&compare[..], &READ, &["--judge", "judge.safetensors"]].concat());
    let compared: Value = serde_json::from_str(&text).unwrap();
    assert!(value(&compared["plans"][0]["figures"], "frechet_distance").is_finite());
    let text = succeeds(at, &[&compare[..], &READ].concat());
    assert!(serde_json::from_str::<Value>(&text).unwrap()["noise20"]["quiet_level"]["value"].is_number());

    recordings(&at.join("fast"), 40, 16_000);
    let compare = ["eval", "fast", "--reference", "bursts", "--length", "1024"];
    refuses(at, &compare, 1, "fast: holds 16000 samples a second, but bursts 8000; --rate 8000 resamples them");
    let compare = ["eval", "fast", "--reference", "fast", "--judge", "judge.safetensors", "--length", "1024"];
    refuses(at, &compare, 1, "holds sounds of 16000 samples a second, but the evaluator reads sounds of 8000");
    let train = ["train", "--data", "fast", "--preset", "tiny", "--steps", "2", "--batch", "4", "--length", "1024"];
    succeeds(at, &[&train[..], &["--out", "other"]].concat());
    refuses(at, &["eval", "other", "--judge", "judge.safetensors"], 1, "`trainer judge --data fast");
    refuses(at, &["eval", "other"], 1, "for which no evaluator is built in");
}
