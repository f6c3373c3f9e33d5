//! `trainer finetune`.
use crate::data::Dataset;
use crate::finetune::FineTuner;
use crate::plans::NamedPlan;
use crate::report::{plot, progress::image_bar, progress::TrainingBar};
use crate::run::{checkpoint, FineTuning};
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `trainer finetune`.
#[derive(Debug, Args)]
pub struct FineTune {
    /// Folder of the trained run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Folder of the fine-tuned run.
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// A plan whose chains are matched, as in `trainer export`; may be given several times. Plans of few steps, please: a step of
    /// training runs whole chains. [default: the exported plans of at most 10 steps]
    #[arg(long = "plan", value_name = "PLAN")]
    plans: Vec<String>,
    /// Number of steps.
    #[arg(long, default_value_t = FineTuning::USUAL.steps)]
    steps: u64,
    /// Images of a step's distillation.
    #[arg(long, default_value_t = FineTuning::USUAL.batch)]
    batch: usize,
    /// Network evaluations of a step's chains.
    #[arg(long, default_value_t = FineTuning::USUAL.evaluations)]
    evaluations: usize,
    /// Highest learning rate.
    #[arg(long, default_value_t = FineTuning::USUAL.lr)]
    lr: f64,
    /// Weight of matching the samples with the data; 0 only makes the integer network follow the float one.
    #[arg(long, default_value_t = FineTuning::USUAL.matching)]
    matching: f64,
    /// Weight of the class loss within the matching: the cross-entropy of the classes that were asked for, or without these the
    /// divergence of the drawn classes' shares from the data's.
    #[arg(long, default_value_t = FineTuning::USUAL.class_weight)]
    class_weight: f64,
    /// Passes over the data that each classifier among the critics is trained for.
    #[arg(long, default_value_t = FineTuning::USUAL.critic_epochs)]
    critic_epochs: usize,
    /// Rounds at the end that even out the classes of draws without a class; only the null class moves.
    #[arg(long, default_value_t = FineTuning::USUAL.balance_rounds)]
    balance_rounds: usize,
    /// Fine-tune the float network, without rounding.
    #[arg(long)]
    float: bool,
    /// Decay of the averaged weights a step.
    #[arg(long, default_value_t = FineTuning::USUAL.ema)]
    ema: f64,
    /// Seed of everything random.
    #[arg(long, default_value_t = FineTuning::USUAL.seed)]
    seed: u64,
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
        if checkpoint::exists(&self.out) {
            return Err(Error::file(&self.out, "already holds a run; choose another folder"));
        }
        let run = checkpoint::load(&self.run)?;
        let data = Dataset::open(&run.config.data)?;
        if data.digest() != run.config.data_digest {
            return Err(Error::file(&run.config.data, format!("is not the data of the run in {}", self.run.display())));
        }
        // What the run held out stays unseen.
        let held_out = run.config.validation;
        let data = if held_out > 0.0 {
            let [kept, _] = data.hold_out(held_out);
            kept
        } else {
            data
        };
        let plans = match self.plans.is_empty() {
            true => crate::export::DEFAULT_PLANS[1..].iter().map(|p| (*p).to_owned()).collect(),
            false => self.plans,
        };
        let tuning = FineTuning {
            plans,
            steps: self.steps,
            batch: self.batch,
            evaluations: self.evaluations,
            lr: self.lr,
            matching: self.matching,
            class_weight: self.class_weight,
            critic_epochs: self.critic_epochs,
            balance_rounds: self.balance_rounds,
            quantize: !self.float,
            ema: self.ema,
            seed: self.seed,
        };
        let critics = image_bar(0);
        let mut tuner = FineTuner::new(&run, &data, tuning, |step, steps| {
            critics.set_length(steps);
            critics.set_position(step);
        })?;
        critics.finish_and_clear();
        let mut bar = TrainingBar::new(0, 0.0, self.batch);
        let mut means = vec![None; tuner.plans().len()];
        while tuner.step() < self.steps {
            let figures = tuner.tune_step(&data, tuner.step() as f64 / self.steps as f64)?;
            let mean: &mut [f64; 3] = means[figures.plan].get_or_insert([figures.distance, 0.0, 0.0]);
            mean[0] += SMOOTHING * (figures.distance - mean[0]);
            let class_loss = &mut mean[if figures.conditional { 1 } else { 2 }];
            *class_loss += SMOOTHING * (figures.class_loss - *class_loss);
            if self.matching > 0.0 && (figures.step.is_multiple_of(NOTE_STEPS) || figures.step == self.steps) {
                let plan = |(plan, mean): (&NamedPlan, &Option<[f64; 3]>)| {
                    mean.map(|[distance, of, among]| format!("  {} {distance:.4} ({of:.3}, {among:.3})", plan.name))
                };
                let plans: String = tuner.plans().iter().zip(&means).filter_map(plan).collect();
                bar.note(&format!("step {}: distance (class losses){plans}", figures.step));
            }
            if figures.step.is_multiple_of(CHECKPOINT_STEPS) {
                checkpoint::save(&self.out, &tuner.checkpoint()?)?;
            }
            bar.show(&crate::train::Progress {
                step: figures.step,
                loss: figures.distillation as f32,
                done: figures.step as f64 / self.steps as f64,
            });
        }
        bar.finish();
        tuner.balance(|round| {
            eprintln!("classes of draws without a class: total variation {:.4}", round.total_variation);
        })?;
        let checkpoint = tuner.checkpoint()?;
        checkpoint::save(&self.out, &checkpoint)?;
        plot::loss(&self.out.join("loss.png"), &checkpoint.losses)
    }
}
