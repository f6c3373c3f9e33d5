//! Networks that follow a local condition, from training to chains of a model file, and the commands that take one.
use crate::commands::{refuses, says, succeeds};
use crate::sound::write;
use brownian::host::{arena_lower_bound, ChainMemory, OwnedModel};
use brownian::ops::Op;
use brownian::{Guidance, Sampler};
use brownian_trainer::chain::{self, Batch, Classes, Edit};
use brownian_trainer::data::{Dataset, Sound};
use brownian_trainer::export::export;
use brownian_trainer::graph::Shape;
use brownian_trainer::nets::{Choice, Spec};
use brownian_trainer::recognition::local_mel;
use brownian_trainer::run::{checkpoint, Config};
use brownian_trainer::train::Trainer;
use npyz::WriterBuilder;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Samples of a signal: eight frames.
const LENGTH: usize = 512;
const NET: &str = "kind = 'diffwave'\npatch = 16\nwidth = 16\nlayers = 3\ncycle = 3\nkernel = 3\n\
                   local = { bands = 32, hop = 64 }\nnorm = 'batch'\nconditioning = { features = 16, hidden = 32 }\n";

/// Tones that are loud in one half and silent in the other.
fn tone(i: usize) -> Vec<f32> {
    let (first, pitch) = (i % 2 * LENGTH / 2, 0.2 + 0.1 * (i / 2 % 5) as f32);
    let value = |at: usize| 0.4 * (pitch * at as f32 + i as f32).sin();
    (0..LENGTH).map(|at| if (first..first + LENGTH / 2).contains(&at) { value(at) } else { 0.0 }).collect()
}

fn tones() -> Dataset {
    let images: Vec<f32> = (0..40).flat_map(tone).collect();
    let sound = Some(Sound { rate: 8000, scale: 5.0 });
    Dataset { source: "tones".into(), shape: Shape::new(1, LENGTH, 1), images: images.into(), labels: None, sound }
}

#[test]
fn networks_learn_to_follow_a_mel_spectrogram() {
    let data = tones();
    let network = Choice::Spec(Spec::parse(NET).unwrap());
    let config = Config { network, steps: 500, batch: 8, lr: 0.01, ema: 0.9, ..Config::new("vocoder", &data) };
    let mut trainer = Trainer::new(config).unwrap();
    trainer.keep_locals(&data).unwrap();
    for step in 0..500 {
        trainer.train_step(&data, f64::from(step) / 500.0).unwrap();
    }
    // What a checkpoint keeps is enough to export it, also when it is packed.
    let folder = tempfile::tempdir().unwrap();
    checkpoint::save(folder.path(), &trainer.checkpoint().unwrap().packed()).unwrap();
    let run = checkpoint::load(folder.path()).unwrap();
    let plans = ["dpm:6".to_owned()];
    let file = OwnedModel::new(&export(&run, &plans, &Default::default()).unwrap().file).unwrap();
    let model = file.model();
    assert_eq!(model.local_shape(), Some([1, 8, 32]));
    let ops: Vec<Op> = model.ops().collect();
    assert!(matches!(ops[..3], [Op::LocalCondition(_), Op::Conv2d(_) | Op::WinogradConv2d(_), Op::Conv2d(_)]));
    assert_eq!(model.prelude(), 3);
    assert!(f64::from(arena_lower_bound(&model)) * 1.1 >= model.arena_len() as f64, "{}", model.arena_len());

    // Drawn from the same noise, the first half is loud where the spectrogram says so, and the second where it does.
    let local = run.config.local_mel().unwrap().unwrap();
    let asked = local_mel::bytes(&local.of(&[tone(0), tone(1)].concat()));
    let batch = Batch { seed: 3, first: 0, count: 12, classes: Classes::None, guidance: Guidance::PLAIN };
    let edit = Edit { locals: &asked, ..Edit::default() };
    let plan = model.plans().next().unwrap();
    let integer = chain::edited(&model, plan, &batch, &edit, || ()).unwrap();
    let power = |part: &[f32]| part.iter().map(|v| v * v).sum::<f32>();
    let mut sums = [0.0; 2];
    for (i, signal) in integer.chunks_exact(LENGTH).enumerate() {
        let [loud, quiet] = [i % 2, 1 - i % 2].map(|half| power(&signal[half * LENGTH / 2..][..LENGTH / 2]));
        assert!(loud > quiet, "{i}: {loud} {quiet}");
        sums = [sums[0] + loud, sums[1] + quiet];
    }
    println!("power of loud halves and of quiet ones: {sums:?}");
    assert!(sums[0] > 2.0 * sums[1], "{sums:?}");
    let mut network = run.network().unwrap();
    network.locals = local.of(&[tone(0), tone(1)].concat());
    let float = chain::float(&network, &run.config.plans(&plans).unwrap()[0], &batch, |_, _, _| ()).unwrap();
    let apart = power(&float.iter().zip(&integer).map(|(a, b)| a - b).collect::<Vec<_>>()) / power(&float);
    println!("share of the power that differs between floats and integers: {apart}");
    assert!(apart < 0.05, "{apart}");

    // Previews and chains that are taken up again follow it, too.
    let first = &integer[LENGTH..2 * LENGTH];
    let mut memory = ChainMemory::new(&model);
    let own = chain::local_of(&asked, 1, [1, 8, 32]);
    let (arena, state) = memory.split();
    let mut sampler = Sampler::builder(&model, plan).seed(3).image(1).local(own).start(arena, state).unwrap();
    sampler.step();
    sampler.evaluate().unwrap();
    let mut snapshot = vec![0; model.snapshot_len()];
    let len = sampler.save(&mut snapshot).unwrap();
    while sampler.step() {}
    assert_eq!(sampler.x(), first);
    let (arena, state) = memory.split();
    arena.fill(0x55);
    let mut resumed = Sampler::resume(&model, &snapshot[..len]).unwrap().local(own).start(arena, state).unwrap();
    while resumed.step() {}
    assert_eq!(resumed.x(), first);
}

/// Writes an array.
fn array(path: &Path, sizes: &[u64], values: &[f32]) {
    let file = fs::File::create(path).unwrap();
    let mut array = npyz::WriteOptions::new().default_dtype().shape(sizes).writer(file).begin_nd().unwrap();
    array.extend(values.iter().copied()).unwrap();
    array.finish().unwrap();
}

#[test]
fn commands_take_a_mel_spectrogram_and_say_what_is_wrong_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for i in 0..30 {
        write(&at.join(format!("tones/{}/{i}.wav", ["first", "second"][i % 2])), &tone(i), 8000, 1, 16);
    }
    fs::write(at.join("net.toml"), NET).unwrap();
    let read = ["--length", "512", "--align", "start", "--trim", "none"];
    let train = ["train", "--data", "tones", "--net", "net.toml", "--steps", "3", "--batch", "4", "--out", "run"];
    let (_, said) = says(at, &[&train[..], &read].concat());
    assert!(said.contains("follows the log-mel spectrograms of the recordings; their labels are left out"), "{said}");
    succeeds(at, &["train", "--resume", "--out", "run", "--steps", "4"]);
    succeeds(at, &["export", "run", "--out", "v.brn", "--plan", "fast=dpm:2"]);
    assert!(
        succeeds(at, &["inspect", "v.brn"]).contains("follows a local condition of 1x8x32: ops 0 to 2 once a chain")
    );

    let sample = |given: &[&str]| succeeds(at, &[&["sample", "v.brn", "--npy", "out.npy"], given].concat());
    sample(&["--mel", "tones/first/0.wav"]);
    let one = fs::read(at.join("out.npy")).unwrap();
    sample(&["--mel", "tones/first/0.wav", "--mel", "tones/second/1.wav"]);
    let two = fs::read(at.join("out.npy")).unwrap();
    let values = |bytes: &[u8]| npyz::NpyFile::new(bytes).unwrap().into_vec::<f32>().unwrap();
    assert_eq!(values(&one), values(&two)[..LENGTH]);
    assert_eq!(values(&two).len(), 2 * LENGTH);
    // The same spectrogram as an array, of one or of several.
    let config = checkpoint::load(&at.join("run")).unwrap().config;
    let wav =
        brownian_trainer::data::one_recording(&at.join("tones/first/0.wav"), 8000, LENGTH, &config.data_options.sound);
    let mel = config.local_mel().unwrap().unwrap().of(&wav.unwrap());
    array(&at.join("one.npy"), &[8, 32], &mel);
    array(&at.join("several.npy"), &[3, 8, 32], &mel.repeat(3));
    sample(&["--mel", "one.npy"]);
    assert_eq!(fs::read(at.join("out.npy")).unwrap(), one);
    sample(&["--mel", "several.npy", "--count", "1"]);
    assert_eq!(fs::read(at.join("out.npy")).unwrap(), one);
    // Saved and taken up again with it.
    let save = ["sample", "v.brn", "--mel", "one.npy", "--save-after", "1", "--snapshot", "saved"];
    succeeds(at, &save);
    let resume = ["sample", "v.brn", "--resume", "saved", "--npy", "out.npy"];
    succeeds(at, &[&resume[..], &["--mel", "one.npy"]].concat());
    assert_eq!(fs::read(at.join("out.npy")).unwrap(), one);

    // Fine-tuned by critics and by the distance from what was asked for, and evaluated beside Griffin and Lim.
    let tune = ["finetune", "run", "--out", "tuned", "--plan", "fast=dpm:2", "--steps", "2", "--critic-epochs", "1"];
    succeeds(at, &[&tune[..], &["--batch", "4", "--evaluations", "4"]].concat());
    succeeds(at, &["export", "tuned", "--out", "tuned.brn", "--plan", "fast=dpm:2"]);
    succeeds(at, &["sample", "tuned.brn", "--mel", "one.npy", "--npy", "out.npy"]);
    let judge = ["judge", "--data", "tones", "--out", "judge.safetensors", "--epochs", "3", "--held-out", "0.3"];
    succeeds(at, &[&judge[..], &read].concat());
    let eval = ["eval", "run", "--judge", "judge.safetensors", "--count", "100", "--plan", "dpm:2"];
    let text = succeeds(at, &[&eval[..], &["--json", "--html", "page.html"]].concat());
    let report: Value = serde_json::from_str(&text).unwrap();
    let value = |figures: &Value, name: &str| figures[name]["value"].as_f64().unwrap();
    let distance = |figures: &Value| value(figures, "log_mel_distance");
    let (plan, real, made) = (&report["plans"][0], &report["real"], &report["griffin_lim"]);
    assert!(distance(real) < 0.2 && distance(real) < distance(made), "{real} {made}");
    assert!(distance(made) < distance(&plan["figures"]), "a network that has learned nothing: {plan}");
    assert!((distance(&plan["figures"]) / distance(&plan["float"]["figures"]) - 1.0).abs() < 0.2, "{plan}");
    assert!(value(made, "class_accuracy") >= 0.0 && report["bound"]["note"].is_string(), "{report}");
    assert!(report["quantization"][0]["layers"].as_array().unwrap().len() > 10, "{report}");
    let text = succeeds(at, &[&["eval", "v.brn"], &eval[2..6]].concat());
    assert!(text.contains("log-mel distance, dB") && text.contains("Gr.-Lim"), "{text}");

    array(&at.join("long.npy"), &[9, 32], &[0.0; 9 * 32]);
    array(&at.join("turned.npy"), &[32, 8], &mel);
    array(&at.join("none.npy"), &[0, 8, 32], &[]);
    array(&at.join("hot.npy"), &[8, 32], &[-40.0; 8 * 32]);
    array(&at.join("nan.npy"), &[8, 32], &[f32::NAN; 8 * 32]);
    fs::write(at.join("text.npy"), "mel").unwrap();
    fs::write(at.join("text.wav"), "mel").unwrap();
    array(&at.join("silent.npy"), &[8, 32], &[-1.0; 8 * 32]);
    // Files are at fault, or what was asked for.
    let code = |words: &str| if words.contains(".npy: ") || words.ends_with(".wav") { 1 } else { 2 };
    for (given, words) in [
        (&[][..], "v.brn draws the sound that a mel spectrogram says: give --mel FILE.wav, or FILE.npy of 8x32 values"),
        (&["--mel", "long.npy"], "long.npy: holds an array of 9x32; the model follows 8x32, frames by bands"),
        (&["--mel", "turned.npy"], "turned.npy: holds an array of 32x8; the model follows 8x32"),
        (&["--mel", "none.npy"], "none.npy: holds an array of 0x8x32"),
        (&["--mel", "hot.npy"], "hot.npy: holds the value -40; -1 is silence"),
        (&["--mel", "nan.npy"], "nan.npy: holds the value NaN"),
        (&["--mel", "text.npy"], "text.npy: is not a readable .npy array"),
        (&["--mel", "text.wav"], "text.wav"),
        (&["--mel", "missing.wav"], "missing.wav"),
        (&["--mel", "one.npy", "--class", "0"], "class"),
    ] {
        refuses(at, &[&["sample", "v.brn", "--npy", "out.npy"], given].concat(), code(words), words);
    }
    refuses(at, &[&resume[..], &["--mel", "silent.npy"]].concat(), 2, "or the local condition, are not those");
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits28-nano.brn");
    refuses(
        at,
        &["sample", digits, "--npy", "out.npy", "--mel", "one.npy"],
        2,
        "follows no mel spectrogram; leave --mel out",
    );
    let pictures = ["train", "--data", "digits", "--net", "net.toml", "--steps", "3", "--out", "other"];
    refuses(at, &pictures, 1, "do not fit a kind = \"diffwave\"");
    let slow = [&train[..9], &["--out", "other", "--length", "512", "--rate", "2000"]].concat();
    refuses(at, &slow, 2, "at 2000 samples a second a log-mel spectrogram has 32 bands in frames of 16");
    for (given, option) in [(["--process", "binomial"], "--process"), (["--schedule", "learned"], "--schedule")] {
        let words = format!("{option}: a network that follows a local condition is of the Gaussian process");
        refuses(at, &[&train[..9], &["--out", "other"], &read, &given].concat(), 2, &words);
    }
    let short = [&train[..9], &["--out", "other", "--length", "500"]].concat();
    refuses(at, &short, 1, "signals of 500 samples are no whole frames of 64; give --length 512");
    refuses(at, &["run-to-torch", "run", "--out", "run.safetensors"], 1, "follows a local condition");
}
