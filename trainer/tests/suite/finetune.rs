//! Fine-tuning: the float network rounds as the integer network does, chains come closer to the data, and the result is
//! a run.
use crate::commands::says;
use crate::commands::{command, refuses, succeeds};
use brownian::host::{ChainMemory, OwnedModel};
use brownian::plan::{Level, Step};
use brownian::{Model, Sampler};
use brownian_trainer::autograd::{Parameters, Tape};
use brownian_trainer::chain::{self, Batch as Chains, Classes};
use brownian_trainer::data::{digits, Axis, Dataset, Labels};
use brownian_trainer::export;
use brownian_trainer::finetune::FineTuner;
use brownian_trainer::graph::Shape;
use brownian_trainer::lower::{
    self,
    calibrate::{calibrate, RangeChoice},
    rounding::Rounding,
    Export, Range,
};
use brownian_trainer::plans::NamedPlan;
use brownian_trainer::run::{checkpoint, Checkpoint, Config, Distance, FineTuning};
use brownian_trainer::steps::Steps;
use brownian_trainer::train::{forward, Batch, Trainer};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// A short training of a preset on the first digits.
fn run(preset: &str, steps: u64) -> (Checkpoint, Dataset) {
    let mut data = digits::train().unwrap();
    data.images.truncate(640 * data.shape.len());
    data.labels.as_mut().unwrap().values.truncate(640);
    let mut config = Config::new(preset, &data);
    (config.steps, config.batch) = (steps, 16);
    let mut trainer = Trainer::new(config).unwrap();
    while trainer.step() < steps {
        trainer.train_step(&data, trainer.step() as f64 / steps as f64).unwrap();
    }
    (trainer.checkpoint().unwrap(), data)
}

fn tuning(plans: &[&str], steps: u64, matching: f64) -> FineTuning {
    FineTuning {
        run_digest: None,
        from: None,
        plans: plans.iter().map(|p| (*p).to_owned()).collect(),
        steps,
        batch: 8,
        evaluations: 96,
        lr: 2e-3,
        matching,
        class_weight: 0.02,
        distance: Distance::Squared,
        class_confidence: 0.9,
        critic_epochs: 5,
        class_prior_rounds: 1,
        class_prior_images: 200,
        quantize: true,
        ema: 0.9,
        seed: 3,
    }
}

/// A step that leaves the network's output in x.
const OUTPUT: Step =
    Step { timestep: 300, time_row: 0, k_x: 0.0, k_eps: 1.0, a: 0.0, b: 1.0, c: 0.0, sigma: 0.0, level: Level::CLEAN };

fn relative_error(exact: &[f32], other: &[f32]) -> f64 {
    let square = |v: f32| f64::from(v) * f64::from(v);
    let difference: f64 = exact.iter().zip(other).map(|(a, b)| square(a - b)).sum();
    (difference / exact.iter().map(|&v| square(v)).sum::<f64>()).sqrt()
}

#[test]
fn rounding_follows_the_integer_network() {
    for preset in ["tiny", "digits28-nano", "digits28"] {
        let (run, _) = run(preset, 20);
        let graph = run.config.graph().unwrap();
        let folded = graph.folded(vec![]);
        let values = graph.folded_params(&folded, &run.ema, &run.stats).unwrap();
        let network = folded.fold(&values, &[]).unwrap();
        let plan = NamedPlan { clip: false, ..NamedPlan::whole("output", Steps::Gaussian(vec![OUTPUT])) };
        let ranges: Vec<Range> = calibrate(&network, std::slice::from_ref(&plan), 1, RangeChoice::MinMax).unwrap();
        let export = Export {
            name: "test",
            provenance: "",
            axes: &[],
            network: &network,
            ranges: &ranges,
            plans: std::slice::from_ref(&plan),
        };
        let file = OwnedModel::new(&lower::lower(&export, &Default::default()).unwrap().file).unwrap();
        let model = Model::parse(file.bytes()).unwrap();
        let batch =
            Chains { seed: 5, first: 0, count: 8, classes: Classes::Cycle, guidance: brownian::Guidance::PLAIN };
        let integer = chain::integer(&model, model.plan("output").unwrap(), &batch, || ()).unwrap();
        let float = chain::float(&network, &plan, &batch, |_, _, _| ()).unwrap();

        let rounding = Rounding::new(&network.graph, &ranges).unwrap();
        let mut rounded = values.clone();
        rounding.round_weights(&folded, &mut rounded).unwrap();
        assert!(rounded != values, "{preset}: rounding changes the weights");
        // The same noise as the chains start from.
        let mut memory = ChainMemory::new(&model);
        let noise = (0..8).flat_map(|image| {
            let (arena, state) = memory.split();
            let plan = model.plan("output").unwrap();
            let chain = Sampler::builder(&model, plan).seed(5).image(image.into()).class(image);
            chain.start(arena, state).unwrap().x().to_vec()
        });
        let noise: Vec<f32> = noise.collect();
        let mut tape = Tape::default();
        let x = tape.hold(noise.into(), 8, folded.input);
        let class_rows: Vec<usize> = (0..8).collect();
        let inputs = Batch {
            local: None,
            x: (x, false),
            timesteps: &[300.0; 8],
            class_rows: &class_rows,
            plan_row: 0,
            rounding: Some(&rounding),
        };
        let output = forward(&folded, &mut tape, &Parameters::new(rounded), inputs).f;
        let (of_float, of_rounded) = (relative_error(&float, &integer), relative_error(output.values(), &integer));
        println!("{preset}: integers differ by {of_float:.5} from floats, by {of_rounded:.5} from rounded floats");
        assert!(of_rounded < 0.7 * of_float, "{preset}: {of_rounded} against {of_float}");
    }
}

#[test]
fn chains_come_closer_to_the_data() {
    let (run, data) = run("tiny", 60);
    let specs = ["two=ddim:2:first=0.9", "three=ddpm:3:variance=beta-tilde"];
    let settings = FineTuning { critic_epochs: 2, evaluations: 64, ..tuning(&specs, 60, 0.5) };
    let mut tuner = FineTuner::new(&run, &data, settings, |_, _| ()).unwrap();
    let figures: Vec<_> = (0..60).map(|i| tuner.tune_step(&data, f64::from(i) / 60.0).unwrap()).collect();
    for plan in 0..2 {
        let mut of_plan = figures.iter().filter(|f| f.plan == plan && f.conditional).map(|f| f.distance);
        let first = of_plan.next().unwrap();
        let last = of_plan.next_back().unwrap();
        assert!(last < 0.7 * first, "plan {plan}: distance {first} became {last}");
    }

    // Class-prior calibration moves the null class alone, and leaves the best row that it came by.
    let before = tuner.checkpoint().unwrap();
    let mut variations = vec![];
    while let Some(round) = tuner.calibrate_class_prior().unwrap() {
        variations.push(round.total_variation);
    }
    let after = tuner.checkpoint().unwrap();
    let graph = before.config.graph().unwrap();
    let table = graph.params.blocks[graph.conditioning.class_table].range.clone();
    let null = table.end - graph.conditioning.columns..table.end;
    let moved = |i: usize| before.ema[i] != after.ema[i];
    assert!((0..before.ema.len()).all(|i| null.contains(&i) || !moved(i)), "only the null class moves");
    assert_eq!(null.clone().any(moved), variations[1] < variations[0], "to something better: {variations:?}");
    assert!(before.params == after.params && variations.len() == 2);
    assert!(before.unfinished.is_some() && after.unfinished.is_none());

    // The result is a run: it survives its folder, its plans have rows of their own, and the model file says how it was
    // made.
    let tuned = tuner.checkpoint().unwrap();
    let folder = tempfile::tempdir().unwrap();
    checkpoint::save(folder.path(), &tuned).unwrap();
    let loaded = checkpoint::load(folder.path()).unwrap();
    assert!(loaded == tuned);
    let texts: Vec<String> = specs.iter().map(|s| (*s).to_owned()).chain(["ddim:2:first=0.9".to_owned()]).collect();
    let plans = tuned.config.plans(&texts).unwrap();
    let network = loaded.network().unwrap();
    assert_eq!(plans[0].steps, plans[2].steps);
    assert_ne!(network.plan_bias(&plans[0]), network.plan_bias(&plans[2]), "only the plan that was tuned has rows");
    assert_eq!(network.plan_bias(&plans[2])[0], network.time_bias(plans[2].steps.timesteps().next().unwrap() as usize));
    let file = OwnedModel::new(&export::export(&loaded, &texts, &Default::default()).unwrap().file).unwrap();
    let model = file.model();
    assert!(model.header().provenance.contains("[run.fine_tuning]"), "{}", model.header().provenance);
    assert_eq!(model.header().conditioning.time_rows, 2 + 3 + 2);
    assert!(FineTuner::new(&loaded, &data, tuning(&specs, 5, 0.0), |_, _| ()).is_err(), "once only");
}

#[test]
fn what_cannot_be_tuned_is_refused() {
    let (run, mut data) = run("tiny", 2);
    let error = |data: &Dataset, tuning| FineTuner::new(&run, data, tuning, |_, _| ()).unwrap_err();
    let plan = ["ddim:2"];
    for (tuning, word) in [
        (FineTuning { steps: 0, ..tuning(&plan, 1, 0.0) }, "--steps"),
        (FineTuning { batch: 0, ..tuning(&plan, 1, 0.0) }, "--batch"),
        (FineTuning { lr: f64::NAN, ..tuning(&plan, 1, 0.0) }, "--lr"),
        (FineTuning { ema: 1.0, ..tuning(&plan, 1, 0.0) }, "--ema 1"),
        (FineTuning { evaluations: 0, ..tuning(&plan, 1, 0.0) }, "--evaluations 0"),
        (FineTuning { evaluations: (1 << 20) + 1, ..tuning(&plan, 1, 0.0) }, "--evaluations 1048577"),
        (FineTuning { class_weight: -1.0, ..tuning(&plan, 1, 0.0) }, "--class-weight -1"),
        (FineTuning { class_confidence: 0.0, ..tuning(&plan, 1, 0.0) }, "--class-confidence 0"),
        (FineTuning { class_prior_rounds: 101, ..tuning(&plan, 1, 0.1) }, "--class-prior-rounds"),
        (FineTuning { class_prior_images: 0, ..tuning(&plan, 1, 0.1) }, "--class-prior-images"),
        (FineTuning { critic_epochs: 0, ..tuning(&plan, 1, 0.1) }, "--critic-epochs"),
        (tuning(&[], 1, 0.0), "--plan"),
        (tuning(&["euler:2"], 1, 0.0), "method"),
        (tuning(&["ddim:2000"], 1, 0.0), "timesteps"),
    ] {
        let error = error(&data, tuning);
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(error.exit_code(), 2, "{error}");
    }
    data.images = vec![0.25; data.images.len()].into();
    assert!(error(&data, tuning(&plan, 1, 0.1)).to_string().contains("all images are equal"));
}

/// Blobs of 8×8 pixels with labels on two axes, or without.
fn blobs(labelled: bool) -> Dataset {
    let images = (0..60 * 64).map(|i| if (i / 64 + i % 8) % 5 < 2 { 0.8 } else { -0.9 }).collect();
    let axes = vec![Axis::numbered(3), Axis { name: "other".into(), ..Axis::numbered(2) }];
    let labels = labelled.then(|| Labels { axes, values: (0..60).flat_map(|i| [i % 3, i / 5 % 2]).collect() });
    Dataset { source: "blobs".into(), shape: Shape::new(8, 8, 1), images, labels, sound: None }
}

/// Abandoned at its start, among its steps, at their end and between two rounds of class-prior calibration, a
/// fine-tuning goes on to the same bits. Without labels there is nothing to calibrate.
#[test]
fn a_resumed_fine_tuning_equals_an_uninterrupted_one() {
    for (labelled, distance) in [(true, Distance::Squared), (true, Distance::Root), (false, Distance::Squared)] {
        let data = blobs(labelled);
        let mut trainer = Trainer::new(Config { steps: 20, batch: 12, ..Config::new("tiny", &data) }).unwrap();
        for i in 0..20 {
            trainer.train_step(&data, f64::from(i) / 20.0).unwrap();
        }
        let run = trainer.checkpoint().unwrap();
        let settings = FineTuning {
            critic_epochs: 2,
            evaluations: 64,
            distance,
            ..tuning(&["ddim:2:first=0.9", "ddpm:3"], 12, 0.5)
        };
        let advance = |tuner: &mut FineTuner| match tuner.step() < 12 {
            true => {
                let figures = tuner.tune_step(&data, tuner.step() as f64 / 12.0).unwrap();
                assert!(figures.distance > 0.0 && (labelled || !figures.conditional && figures.class_loss == 0.0));
            }
            false => drop(tuner.calibrate_class_prior().unwrap()),
        };
        let mut whole = FineTuner::new(&run, &data, settings.clone(), |_, _| ()).unwrap();
        let again = FineTuner::new(&run, &data, settings, |_, _| ()).unwrap().checkpoint().unwrap();
        assert!(again == whole.checkpoint().unwrap(), "the seed decides everything");
        let moments: &[u64] = if labelled { &[0, 1, 7, 12, 13] } else { &[0, 1, 7] };
        let mut left = vec![];
        for moment in 0..14 {
            if moments.contains(&moment) {
                let folder = tempfile::tempdir().unwrap();
                checkpoint::save(folder.path(), &whole.checkpoint().unwrap()).unwrap();
                left.push(folder);
            }
            assert_eq!(whole.is_finished(), !labelled && moment >= 12);
            advance(&mut whole);
        }
        let end = whole.checkpoint().unwrap();
        assert!(whole.is_finished() && end.unfinished.is_none());
        for folder in left {
            let found = checkpoint::load(folder.path()).unwrap();
            let step = found.step();
            let mut tuner = FineTuner::from_checkpoint(found, &data).unwrap();
            assert!(tuner.came_from(&run));
            if step == 7 {
                let (at, out) = (folder.path().display().to_string(), tempfile::tempdir().unwrap());
                let (_, said) = says(out.path(), &["export", &at, "--out", "early.brn", "--plan", "ddim:2:first=0.9"]);
                assert!(said.contains("is not finished; `trainer finetune --resume` goes on"), "{said}");
            }
            while !tuner.is_finished() {
                advance(&mut tuner);
            }
            let found = tuner.checkpoint().unwrap();
            assert!(found == end, "a fine-tuning that was left at step {step} differs");
            checkpoint::save(folder.path(), &found).unwrap();
            let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
            assert_eq!(names, ["step-000000012"], "what is not finished is gone");
            assert!(checkpoint::load(folder.path()).unwrap() == end);
        }
        let refused = FineTuner::from_checkpoint(end.clone(), &data).unwrap_err().to_string();
        assert!(refused.contains("finished"), "{refused}");
        assert!(Trainer::from_checkpoint(end).unwrap_err().to_string().contains("fine-tuned"));
    }
}

#[test]
fn a_fine_tuning_starts_from_another_of_the_same_run() {
    let (run, data) = run("tiny", 3);
    let settings = tuning(&["ddim:2"], 2, 0.0);
    let mut first = FineTuner::new(&run, &data, settings.clone(), |_, _| ()).unwrap();
    let refused = |run: &Checkpoint, from: &Checkpoint, tuning: &FineTuning, word: &str| {
        let reason = FineTuner::check_start(run, from, tuning).unwrap_err().to_string();
        assert!(reason.contains(word), "{reason}");
    };
    first.tune_step(&data, 0.2).unwrap();
    refused(&run, &first.checkpoint().unwrap(), &settings, "is not finished");
    first.tune_step(&data, 0.5).unwrap();
    let tuned = first.checkpoint().unwrap();
    FineTuner::check_start(&run, &tuned, &settings).unwrap();
    refused(&run, &run, &settings, "is not fine-tuned");
    refused(&run, &tuned, &tuning(&["ddim:3"], 2, 0.0), "other plans; give the same, in this order: ddim:2");
    let other = Checkpoint { config: Config { seed: 9, ..run.config.clone() }, ..run.clone() };
    refused(&other, &tuned, &settings, "not a fine-tuning of the run that is given: --seed differs");
    // The same plan by other words.
    FineTuner::check_start(&run, &tuned, &tuning(&["ddim2=ddim:2:first=1.0:clip"], 2, 0.0)).unwrap();

    // Another training with the same settings is known by its weights, also of a packed run; what does not say which they
    // were is taken.
    let mut other = run.clone();
    other.ema[0] += 0.5;
    FineTuner::check_start(&other, &tuned, &settings).unwrap();
    let known = FineTuning { run_digest: FineTuner::usual(&run).run_digest, ..settings.clone() };
    let says = Checkpoint { config: Config { fine_tuning: Some(known), ..tuned.config.clone() }, ..tuned.clone() };
    for says in [says.clone(), says.packed()] {
        FineTuner::check_start(&run, &says, &settings).unwrap();
        FineTuner::check_start(&run.clone().packed(), &says, &settings).unwrap();
        refused(&other, &says, &settings, "the settings are the same, but the weights are others");
    }

    let mut second = FineTuner::new(&run, &data, settings, |_, _| ()).unwrap();
    assert_ne!(second.checkpoint().unwrap().ema, tuned.ema);
    second.start_from(&tuned);
    let start = second.checkpoint().unwrap();
    assert!(start.ema == tuned.ema && start.params == tuned.ema && start.step() == 0 && second.came_from(&run));
    second.tune_step(&data, 0.5).unwrap();
    assert_ne!(second.checkpoint().unwrap().params, tuned.ema);
}

/// All files below a folder with their bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push((path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

/// The program, killed while it makes steps and again while it calibrates the class prior; and what a fine-tuned run is
/// not.
#[test]
fn a_killed_fine_tuning_resumes_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let idx = |name: &str, sizes: &[u8], values: Vec<u8>| {
        let sizes = sizes.iter().flat_map(|size| [0, 0, 0, *size]);
        let bytes: Vec<u8> =
            [0, 0, 8, sizes.clone().count() as u8 / 4].into_iter().chain(sizes).chain(values).collect();
        std::fs::write(at.join(name), bytes).unwrap();
    };
    idx("a-images-idx3-ubyte", &[60, 8, 8], (0..60 * 64u32).map(|i| (i * 37 / 64 + i % 3 * 40) as u8).collect());
    idx("a-labels-idx1-ubyte", &[60], (0..60).map(|i| i % 3).collect());
    let data = "a-images-idx3-ubyte";
    let train = ["train", "--preset", "tiny", "--width", "0.25", "--data", data, "--out", "run"];
    succeeds(at, &[&train[..], &["--steps", "5", "--batch", "8"]].concat());
    let flags = [
        "--plan",
        "ddim:2",
        "--steps",
        "330",
        "--critic-epochs",
        "1",
        "--class-prior-rounds",
        "2",
        "--class-prior-images",
        "400",
        "--evaluations",
        "64",
        "--batch",
        "4",
    ];
    let tune = |out: &'static str| [&["finetune", "run", "--out", out][..], &flags].concat();
    succeeds(at, &tune("whole"));
    let mut arguments = tune("killed");
    for left in ["tuning-000000300-000", "tuning-000000330-001"] {
        let mut child = command(at, &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while !at.join("killed").join(left).exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!at.join("killed/step-000000330").exists(), "it was killed before its end");
        refuses(at, &["train", "--out", "killed", "--resume"], 1, "killed: is a fine-tuned run");
        arguments = vec!["finetune", "--out", "killed", "--resume"];
    }
    refuses(at, &tune("killed"), 1, "continue a fine-tuning with --resume");
    refuses(at, &[&arguments[..], &["--lr", "0.5"]].concat(), 2, "--lr differs");
    refuses(at, &[&arguments[..], &["--plan", "ddim:3"]].concat(), 2, "--plan differs");
    succeeds(at, &[&tune("killed")[..], &["--resume"]].concat());
    let of = |run: &str| -> Vec<Vec<u8>> { files(&at.join(run)).into_iter().map(|(_, bytes)| bytes).collect() };
    assert!(of("whole") == of("killed"), "the resumed run differs");

    let before = files(&at.join("whole"));
    refuses(at, &["train", "--out", "whole", "--resume"], 1, "whole: is a fine-tuned run");
    refuses(at, &["finetune", "--out", "run", "--resume"], 1, "run: is not a fine-tuned run");
    let again = ["--out", "whole", "--resume", "--plan", "ddim2=ddim:2:first=1.0:clip"];
    succeeds(at, &[&["finetune"], &again[..]].concat());
    succeeds(at, &[&["finetune", "run"], &again[..]].concat());
    // Another run is none that it started from, of whatever settings.
    let train = |out: &'static str, more: &[&str]| {
        let line = ["train", "--preset", "tiny", "--width", "0.25", "--data", data, "--out", out, "--steps", "5"];
        succeeds(at, &[&line[..], more].concat());
    };
    train("seeded", &["--batch", "8", "--seed", "1"]);
    train("further", &["--batch", "8", "--from", "run"]);
    let config = std::fs::read_to_string(at.join("further/step-000000005/run.toml")).unwrap();
    std::fs::write(at.join("further/step-000000005/run.toml"), config.replace("from = \"run\"\n", "")).unwrap();
    let (not, packed) = (" is not the run that the fine-tuning in whole started from: ", "packed");
    for (run, what) in [("seeded", "--seed differs"), ("further", "the settings are the same, but the weights")] {
        refuses(at, &[&["finetune", run], &again[..]].concat(), 1, &format!("{run}:{not}{what}"));
    }
    // What it started from stays known when it is packed.
    succeeds(at, &["pack", "whole", "--out", packed]);
    let from = ["--from", packed, "--plan", "ddim:2", "--steps", "1", "--matching", "0", "--out", "from"];
    let not = "packed: is not a fine-tuning of the run that is given: ";
    for (run, what) in [("seeded", "--seed differs"), ("further", "the settings are the same, but the weights")] {
        refuses(at, &[&["finetune", run], &from[..]].concat(), 1, &format!("{not}{what}"));
    }
    assert!(!at.join("from").exists());
    let (_, said) = says(at, &[&["finetune", "run"], &from[..]].concat());
    assert!(said.contains("starts from step 330 of packed") && !said.contains("earlier versions"), "{said}");
    // One that was packed by an earlier version says nothing of it.
    let file = at.join("packed/step-000000330/run.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let older: String = config.lines().filter(|line| !line.starts_with("run_digest")).flat_map(|l| [l, "\n"]).collect();
    assert_ne!(config, older);
    std::fs::write(file, older).unwrap();
    let from = [&from[..8], &["--out", "older"]].concat();
    let (_, said) = says(at, &[&["finetune", "further"], &from[..]].concat());
    assert!(said.contains("packed: does not say which weights it started from"), "{said}");
    std::fs::remove_dir_all(at.join("further")).unwrap();
    assert!(files(&at.join("whole")) == before, "untouched");
    // Its weights start another training.
    succeeds(at, &["train", "--data", data, "--out", "further", "--steps", "2", "--batch", "8", "--from", "whole"]);
    assert!(at.join("further/step-000000002").is_dir() && files(&at.join("whole")) == before);
}
