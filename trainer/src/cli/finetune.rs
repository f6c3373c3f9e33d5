//! `trainer finetune`.
use super::options::{name_of, set, usual};
use super::run_data::{check_apart, data_of, describe};
use crate::data::{recorded, Dataset, Opened};
use crate::export::usual_plans;
use crate::finetune::{Figures, FineTuner};
use crate::plans::NamedPlan;
use crate::recognition::Lesson;
use crate::report::note::note;
use crate::report::{plot, progress::image_bar, progress::TrainingBar};
use crate::run::{checkpoint, difference, Checkpoint, Distance, FineTuning, Lock};
use crate::train::Progress;
use crate::{memory, Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Arguments of `trainer finetune`; what is not given is as in [`FineTuning::USUAL`].
#[derive(Debug, Args)]
pub struct FineTune {
    /// Folder of the trained run; need not be given again with `--resume`.
    #[arg(value_name = "RUN", required_unless_present = "resume")]
    run: Option<PathBuf>,
    /// Folder of the fine-tuned run.
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// A plan whose chains are matched, as in `trainer export`; may be given several times. Plans of few steps, please:
    /// a step of training runs whole chains. [default: the exported plans of at most 10 steps]
    #[arg(long = "plan", value_name = "PLAN")]
    plans: Vec<String>,
    /// Start from the weights of another fine-tuning of the same run, for the same plans. What is learned from is RUN.
    #[arg(long, value_name = "TUNED")]
    from: Option<PathBuf>,
    #[arg(long, help = usual("Number of steps", FineTuning::USUAL.steps))]
    steps: Option<u64>,
    #[arg(long, help = usual("Images of a step's distillation", FineTuning::USUAL.batch))]
    batch: Option<usize>,
    #[arg(long, help = usual("Network evaluations of a step's chains", FineTuning::USUAL.evaluations))]
    evaluations: Option<usize>,
    #[arg(long, help = usual("Highest learning rate", FineTuning::USUAL.lr))]
    lr: Option<f64>,
    #[arg(long, help = usual(
        "Weight of matching the samples with the data; 0 only makes the integer network follow the float one",
        FineTuning::USUAL.matching
    ))]
    matching: Option<f64>,
    #[arg(long, value_enum, help = usual(
        "What of the critics' Fréchet distances is brought down",
        name_of(FineTuning::USUAL.distance)
    ))]
    distance: Option<Distance>,
    #[arg(long, help = usual(
        "Weight of the class loss within the matching: the cross-entropy of the classes that were asked for, or without \
         these the divergence of the drawn classes' shares from the data's",
        FineTuning::USUAL.class_weight
    ))]
    class_weight: Option<f64>,
    #[arg(long, help = usual(
        "A draw whose class a critic tells with at least this probability is pushed no further towards it",
        FineTuning::USUAL.class_confidence
    ))]
    class_confidence: Option<f64>,
    #[arg(long, help = usual("Passes over the data that each network among the critics is trained for",
        FineTuning::USUAL.critic_epochs))]
    critic_epochs: Option<usize>,
    #[arg(long, alias = "balance-rounds", help = usual(
        "Rounds of class-prior calibration at the end: draws without a class get the classes' shares in the data; only \
         the null class moves",
        FineTuning::USUAL.class_prior_rounds
    ))]
    class_prior_rounds: Option<usize>,
    #[arg(long, help = usual("Images of each plan that such a round draws", FineTuning::USUAL.class_prior_images))]
    class_prior_images: Option<usize>,
    /// Fine-tune the float network, without rounding.
    #[arg(long)]
    float: bool,
    #[arg(long, help = usual("Decay of the averaged weights a step", FineTuning::USUAL.ema))]
    ema: Option<f64>,
    #[arg(long, help = usual("Seed of everything random", FineTuning::USUAL.seed))]
    seed: Option<u64>,
    /// Where the run's data lie now, if not where they lay when it was trained.
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Continue the fine-tuning in `--out` from its last checkpoint.
    #[arg(long)]
    resume: bool,
}

/// Part of a new figure in the shown means.
const SMOOTHING: f64 = 0.1;
/// Steps between two lines of figures.
const NOTE_STEPS: u64 = 200;
/// Steps between two checkpoints.
const CHECKPOINT_STEPS: u64 = 300;

impl FineTune {
    /// Fine-tunes and leaves a checkpoint in the new run's folder, which `export` and `eval` take like any run.
    ///
    /// # Errors
    /// Bad arguments, runs or data, or training that fails.
    pub fn run(self) -> Result<()> {
        let started = if self.resume { self.resumed()? } else { Some(self.fresh()?) };
        if let Some((mut tuner, data, _lock)) = started {
            self.tune(&mut tuner, &data)?;
            let rounds = tuner.calibration_rounds();
            if rounds > 0 {
                note(format_args!("class-prior calibration, {rounds} rounds"));
            }
            while let Some(round) = tuner.calibrate_class_prior()? {
                let variation = round.total_variation;
                let number = tuner.calibrated();
                note(format_args!("round {number}: total variation of draws without a class {variation:.4}"));
                checkpoint::save(&self.out, &tuner.checkpoint()?)?;
            }
        }
        plot::loss(&self.out.join("loss.png"), &checkpoint::load(&self.out)?.losses)
    }

    fn fresh(&self) -> Result<(FineTuner, Dataset, Lock)> {
        if checkpoint::exists(&self.out) {
            return Err(Error::file(
                &self.out,
                "already holds a run; continue a fine-tuning with --resume or choose another folder",
            ));
        }
        let folder = self.run.as_deref().unwrap_or(&self.out);
        let mut run = checkpoint::load(folder)?;
        FineTuner::check(&run)?;
        set(&mut run.config.data, &self.data);
        let opened = training_data(&run, folder)?;
        // The first usual plan is of many steps.
        let plans = usual_plans(&run.config).split_off(1);
        let mut tuning = FineTuning { plans, ..FineTuner::usual(&run) };
        self.apply(&mut tuning);
        run.config.plans(&tuning.plans)?;
        let from = self.from.as_deref().map(|folder| start(folder, &run, &tuning)).transpose()?;
        check_memory(&run, &tuning)?;
        check_apart(&recorded(&run.config.data), &self.out)?;
        checkpoint::check_writable(&self.out)?;
        if let (Some(tuned), Some(folder)) = (&from, &self.from) {
            note(format_args!("starts from step {} of {}", tuned.step(), folder.display()));
            note_unknown(folder, tuned);
        }
        describe(&opened);
        let data = opened.data;
        let lock = Lock::take(&self.out)?;
        if tuning.matching > 0.0 {
            note(format!("the critics learn {}", Lesson::of(&data).summary()));
        }
        let bar = image_bar(0);
        let mut tuner = FineTuner::new(&run, &data, tuning, |step, steps| {
            bar.set_length(steps);
            bar.set_position(step);
        })?;
        bar.finish_and_clear();
        if let Some(tuned) = &from {
            tuner.start_from(tuned);
        }
        // So that the critics are not trained again.
        checkpoint::save(&self.out, &tuner.checkpoint()?)?;
        Ok((tuner, data, lock))
    }

    /// Nothing of a fine-tuning that is finished.
    fn resumed(&self) -> Result<Option<(FineTuner, Dataset, Lock)>> {
        // A folder without a run gets no lock.
        if !checkpoint::exists(&self.out) {
            let what = "holds no checkpoint to go on from; give the command again without --resume";
            return Err(Error::file(&self.out, what));
        }
        let lock = Lock::take(&self.out)?;
        let mut found = checkpoint::load(&self.out)?;
        let Some(tuning) = &found.config.fine_tuning else {
            return Err(Error::file(&self.out, "is not a fine-tuned run; `trainer train --resume` continues it"));
        };
        if found.unfinished.is_none() && found.step() < tuning.steps {
            let what = "was left by an earlier version, which kept too little to go on; fine-tune into another folder";
            return Err(Error::file(&self.out, what));
        }
        let mut asked = tuning.clone();
        self.apply(&mut asked);
        // The same plans by other words are no difference.
        if found.config.plans(&asked.plans)? == found.config.plans(&tuning.plans)? {
            asked.plans.clone_from(&tuning.plans);
        }
        let names = [("plans", "plan"), ("quantize", "float")];
        if let Some(option) = difference(&asked, tuning, &names) {
            return Err(Error::Usage(format!(
                "{option} differs from the fine-tuning in {}; a resumed one keeps its own",
                self.out.display()
            )));
        }
        let not_its_run = |folder: &Path, what: &str| {
            let of = format!("is not the run that the fine-tuning in {} started from", self.out.display());
            Error::file(folder, format!("{of}: {what}"))
        };
        let run = self.run.as_deref().map(|folder| Ok::<_, Error>((folder, checkpoint::load(folder)?))).transpose()?;
        if let Some((folder, run)) = &run {
            FineTuner::check_run(run, &found).map_err(|what| not_its_run(folder, &what.to_string()))?;
        }
        if found.unfinished.is_none() {
            if run.is_some() {
                note_unknown(&self.out, &found);
            }
            note(format_args!("{}: {} steps, all done before", self.out.display(), found.step()));
            return Ok(None);
        }
        check_memory(&found, &asked)?;
        set(&mut found.config.data, &self.data);
        let opened = training_data(&found, &self.out)?;
        let data = &opened.data;
        note(format_args!("{}: goes on from step {} of {}", self.out.display(), found.step(), asked.steps));
        let tuner = FineTuner::from_checkpoint(found, data).map_err(|e| Error::file(&self.out, e))?;
        if let Some((folder, _)) = run.filter(|(_, run)| !tuner.came_from(run)) {
            return Err(not_its_run(folder, "its weights are others"));
        }
        describe(&opened);
        Ok(Some((tuner, opened.data, lock)))
    }

    /// Puts what was asked for into the settings.
    fn apply(&self, tuning: &mut FineTuning) {
        if !self.plans.is_empty() {
            tuning.plans.clone_from(&self.plans);
        }
        if let Some(from) = &self.from {
            tuning.from = Some(from.display().to_string());
        }
        set(&mut tuning.steps, &self.steps);
        set(&mut tuning.batch, &self.batch);
        set(&mut tuning.evaluations, &self.evaluations);
        set(&mut tuning.lr, &self.lr);
        set(&mut tuning.matching, &self.matching);
        set(&mut tuning.distance, &self.distance);
        set(&mut tuning.class_weight, &self.class_weight);
        set(&mut tuning.class_confidence, &self.class_confidence);
        set(&mut tuning.critic_epochs, &self.critic_epochs);
        set(&mut tuning.class_prior_rounds, &self.class_prior_rounds);
        set(&mut tuning.class_prior_images, &self.class_prior_images);
        tuning.quantize &= !self.float;
        set(&mut tuning.ema, &self.ema);
        set(&mut tuning.seed, &self.seed);
    }

    /// Makes the steps that are left, saving now and then and at the end.
    fn tune(&self, tuner: &mut FineTuner, data: &Dataset) -> Result<()> {
        let (steps, matching) = (tuner.tuning().steps, tuner.tuning().matching > 0.0);
        let done = |step: u64| step as f64 / steps as f64;
        let mut bar = TrainingBar::new(tuner.step(), done(tuner.step()), tuner.tuning().batch);
        let mut means = Means { of_plans: vec![None; tuner.plans().len()] };
        while tuner.step() < steps {
            let figures = tuner.tune_step(data, done(tuner.step()))?;
            means.add(&figures);
            let (step, last) = (figures.step, figures.step == steps);
            if matching && (step.is_multiple_of(NOTE_STEPS) || last) {
                bar.note(&format!("step {step}: distance (class losses){}", means.text(tuner.plans())));
            }
            if step.is_multiple_of(CHECKPOINT_STEPS) || last {
                checkpoint::save(&self.out, &tuner.checkpoint()?)?;
            }
            bar.show(&Progress { step, loss: figures.distillation as f32, done: done(step) });
        }
        bar.finish();
        Ok(())
    }
}

/// The fine-tuning of `run` in a folder, whose weights another one starts from.
fn start(folder: &Path, run: &Checkpoint, tuning: &FineTuning) -> Result<Checkpoint> {
    if !checkpoint::exists(folder) {
        return Err(Error::file(folder, "holds no run; --from takes the folder of another fine-tuning"));
    }
    let tuned = checkpoint::load(folder)?;
    FineTuner::check_start(run, &tuned, tuning).map_err(|e| Error::file(folder, e))?;
    Ok(tuned)
}

/// Says so where it is not known that a fine-tuned run in a folder is of a given one.
fn note_unknown(folder: &Path, tuned: &Checkpoint) {
    if tuned.config.fine_tuning.as_ref().is_some_and(|tuning| tuning.run_digest.is_none()) {
        note(format_args!(
            "{}: does not say which weights it started from, as runs of earlier versions do not; its settings are \
             those of the run that is given",
            folder.display()
        ));
    }
}

/// Checks that a step of a fine-tuning of `run` fits the memory.
fn check_memory(run: &Checkpoint, tuning: &FineTuning) -> Result<()> {
    let (chains, batch) = (tuning.evaluations, tuning.batch);
    let what = format!("a step of --evaluations {chains} and --batch {batch}");
    memory::check(FineTuner::step_bytes(run, tuning)?, &what)
}

/// The images that a run trains on: what it holds out stays unseen.
fn training_data(run: &Checkpoint, folder: &Path) -> Result<Opened> {
    let mut opened = data_of(&run.config, folder)?;
    let held_out = run.config.validation;
    if held_out > 0.0 {
        [opened.data, _] = opened.data.hold_out(held_out);
    }
    Ok(opened)
}

/// Smoothed figures of every plan: distance, and the class loss with classes and without.
struct Means {
    of_plans: Vec<Option<[f64; 3]>>,
}

impl Means {
    fn add(&mut self, figures: &Figures) {
        let mean = self.of_plans[figures.plan].get_or_insert([figures.distance, 0.0, 0.0]);
        mean[0] += SMOOTHING * (figures.distance - mean[0]);
        let class_loss = &mut mean[if figures.conditional { 1 } else { 2 }];
        *class_loss += SMOOTHING * (figures.class_loss - *class_loss);
    }

    fn text(&self, plans: &[NamedPlan]) -> String {
        let plan = |(plan, mean): (&NamedPlan, &Option<[f64; 3]>)| {
            mean.map(|[distance, of, among]| format!("  {} {distance:.4} ({of:.3}, {among:.3})", plan.name))
        };
        plans.iter().zip(&self.of_plans).filter_map(plan).collect()
    }
}
