//! A run that is stopped and resumed equals one that was never stopped, and a kill at any moment leaves a run that can
//! be resumed.
use brownian_trainer::data::{Dataset, Labels};
use brownian_trainer::graph::Shape;
use brownian_trainer::nets::{Choice, NormName, Variation};
use brownian_trainer::run::{checkpoint, Config};
use brownian_trainer::train::{run, Trainer};
use std::fs;
use std::path::Path;

fn blobs() -> Dataset {
    let images = (0..60 * 64).map(|i| if (i / 64 + i % 8) % 5 < 2 { 0.8 } else { -0.9 }).collect();
    let labels = Some(Labels::numbered((0..60).map(|i| i % 3).collect()));
    Dataset { source: "blobs".into(), shape: Shape::new(8, 8, 1), images, labels, sound: None }
}

fn config(steps: u64) -> Config {
    Config { steps, batch: 12, seed: 5, ..Config::new("tiny", &blobs()) }
}

fn train(trainer: &mut Trainer, folder: Option<&Path>) {
    run(trainer, &blobs(), folder, None, |_| ()).unwrap();
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut whole = Trainer::new(config(30)).unwrap();
    train(&mut whole, None);

    let mut first = Trainer::new(config(30)).unwrap();
    for _ in 0..11 {
        let progress = first.step() as f64 / 30.0;
        first.train_step(&blobs(), progress).unwrap();
    }
    checkpoint::save(folder.path(), &first.checkpoint().unwrap()).unwrap();
    drop(first);

    let mut second = Trainer::from_checkpoint(checkpoint::load(folder.path()).unwrap()).unwrap();
    assert_eq!(second.step(), 11);
    train(&mut second, Some(folder.path()));
    let (whole, second) = (whole.checkpoint().unwrap(), second.checkpoint().unwrap());
    assert_eq!(whole.step(), 30);
    assert!(whole == second, "the resumed run differs");
    assert!(checkpoint::load(folder.path()).unwrap() == second, "the last checkpoint is the end of the run");
    assert!(whole.losses[29] < whole.losses[0], "it learned something");
}

#[test]
fn other_data_is_refused() {
    let other = Dataset { shape: Shape::new(4, 16, 1), ..blobs() };
    let error = run(&mut Trainer::new(config(3)).unwrap(), &other, None, None, |_| ()).unwrap_err().to_string();
    assert!(error.contains("the run learns images of 8x8x1 in 3 classes"), "{error}");
}

#[test]
fn threads_do_not_change_a_run() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut trainer = Trainer::new(config(6)).unwrap();
            train(&mut trainer, None);
            trainer.checkpoint().unwrap()
        })
    };
    assert!(with(1) == with(3));
}

/// A step in parts is the same step, but for the order of sums, where no norm looks at a part as a whole.
#[test]
fn parts_of_a_step_add_up() {
    let losses = |accumulate: usize| {
        let network = Choice::Preset(Variation { norm: Some(NormName::None), ..Variation::default() });
        let mut trainer = Trainer::new(Config { accumulate, network, ..config(20) }).unwrap();
        train(&mut trainer, None);
        trainer.losses().to_vec()
    };
    let (whole, parts) = (losses(1), losses(4));
    assert_ne!(whole, parts);
    for (step, (a, b)) in whole.iter().zip(&parts).enumerate() {
        assert!((a - b).abs() < 1e-3 * a, "step {step}: {a} and {b}");
    }
}

/// What a kill can leave: a checkpoint that is being written, one that is being removed, or two that are whole.
#[test]
fn every_interruption_leaves_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut trainer = Trainer::new(config(30)).unwrap();
    trainer.train_step(&blobs(), 0.0).unwrap();
    let early = trainer.checkpoint().unwrap();
    checkpoint::save(path, &early).unwrap();

    fs::create_dir(path.join("unfinished.tmp")).unwrap();
    fs::write(path.join("unfinished.tmp/state.safetensors"), "half of it").unwrap();
    assert!(checkpoint::load(path).unwrap() == early);

    trainer.train_step(&blobs(), 0.0).unwrap();
    let late = trainer.checkpoint().unwrap();
    checkpoint::save(path, &late).unwrap();
    assert!(checkpoint::load(path).unwrap() == late);
    assert_eq!(fs::read_dir(path).unwrap().count(), 1, "older and unfinished checkpoints are gone");

    let elsewhere = tempfile::tempdir().unwrap();
    checkpoint::save(elsewhere.path(), &early).unwrap();
    fs::rename(elsewhere.path().join("step-000000001"), path.join("step-000000001")).unwrap();
    assert!(checkpoint::load(path).unwrap() == late, "the newest checkpoint counts");
}

#[test]
fn broken_checkpoints_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let error = |path: &Path| checkpoint::load(path).unwrap_err().to_string();
    assert!(error(path).contains("holds no checkpoint"));
    assert!(error(&path.join("none")).contains("holds no checkpoint"));

    let mut trainer = Trainer::new(config(30)).unwrap();
    trainer.train_step(&blobs(), 0.0).unwrap();
    checkpoint::save(path, &trainer.checkpoint().unwrap()).unwrap();
    let inside = path.join("step-000000001");
    let breaking = |name: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let file = inside.join(name);
        let good = fs::read(&file).unwrap();
        fs::write(&file, change(good.clone())).unwrap();
        let message = error(path);
        fs::write(&file, good).unwrap();
        assert!(message.contains(name) && !message.contains('\n'), "{message}");
        message
    };
    breaking("state.safetensors", &|bytes| bytes[..bytes.len() / 2].to_vec());
    breaking("state.safetensors", &|_| vec![]);
    breaking("run.toml", &|_| b"steps = ]".to_vec());
    breaking("run.toml", &|bytes| String::from_utf8(bytes).unwrap().replace("batch = 12", "batch = 0").into());
    let edited = |from: &'static str, to: &'static str| {
        move |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains(from), "{text}");
            text.replace(from, to).into_bytes()
        }
    };
    // The network: a kind that is none, a shape that is none, and no network but the name of an unknown preset.
    breaking("run.toml", &edited("kind = \"unet\"", "kind = \"huge\""));
    breaking("run.toml", &edited("kernel = 3", "kernel = 0"));
    breaking("run.toml", &|bytes| {
        let text = String::from_utf8(edited("preset = \"tiny\"", "preset = \"huge\"")(bytes)).unwrap();
        let (before, network) = text.split_once("[config.network]").unwrap();
        let (_, after) = network.split_once("[config.augment").unwrap_or(("", ""));
        assert!(after.is_empty() && !before.contains("kind"), "{text}");
        before.into()
    });
    let message = breaking("loss.csv", &|_| b"step,loss\n".to_vec());
    assert!(message.contains("0 losses, but the run is at step 1"), "{message}");
    assert!(checkpoint::load(path).is_ok());
}

#[test]
fn a_loss_that_is_not_a_number_stops_the_run_and_keeps_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = Trainer::new(config(30)).unwrap();
    trainer.train_step(&blobs(), 0.0).unwrap();
    let mut saved = trainer.checkpoint().unwrap();
    checkpoint::save(folder.path(), &saved).unwrap();
    saved.params.fill(f32::MAX);
    let mut broken = Trainer::from_checkpoint(saved).unwrap();
    let error = run(&mut broken, &blobs(), Some(folder.path()), None, |_| ()).unwrap_err();
    assert!(error.to_string().contains("training stopped at step 2"), "{error}");
    assert_eq!(error.exit_code(), 1);
    assert_eq!(checkpoint::load(folder.path()).unwrap().step(), 1);
}

/// Earlier versions wrote the position of the random generator, which follows from seed and step.
#[test]
fn run_files_of_earlier_versions_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = Trainer::new(config(30)).unwrap();
    trainer.train_step(&blobs(), 0.0).unwrap();
    let saved = trainer.checkpoint().unwrap();
    checkpoint::save(folder.path(), &saved).unwrap();
    let file = folder.path().join("step-000000001/run.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("random_position"), "{text}");
    let older = text.replace("[config]", "[random_position]\nseed = 5\nnext_step = 1\n\n[config]");
    assert_ne!(older, text);
    fs::write(&file, older).unwrap();
    assert!(checkpoint::load(folder.path()).unwrap() == saved);
    checkpoint::save(folder.path(), &saved).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    // Killed while one checkpoint takes another's place.
    fs::rename(folder.path().join("step-000000001"), folder.path().join("replaced.tmp")).unwrap();
    assert!(checkpoint::load(folder.path()).unwrap() == saved);
}
