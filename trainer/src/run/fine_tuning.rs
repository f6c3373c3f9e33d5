//! What decides a fine-tuning.
use super::check::MOST_STEPS;
use crate::{Error, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What of the critics' Fréchet distances is brought down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Distance {
    /// The Fréchet distances, which are squares, of moments of the last 33 batches or so
    #[default]
    Squared,
    /// Their roots, of the moments of the last few hundred images
    Root,
}

impl Distance {
    fn is_squared(&self) -> bool {
        *self == Self::Squared
    }
}

/// What decides a fine-tuning, given the run it starts from and the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FineTuning {
    /// Plans, as for an export, whose chains are matched; each gets rows of channel biases.
    pub plans: Vec<String>,
    /// CRC-32 of the weights of the run that it is of; runs of earlier versions do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_digest: Option<u32>,
    /// The fine-tuned run whose weights it started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Steps.
    pub steps: u64,
    /// Images of a step's distillation.
    pub batch: usize,
    /// Network evaluations of a step's chains, shared out to images.
    pub evaluations: usize,
    /// Highest learning rate; it rises over the first twentieth and falls to zero as a cosine.
    pub lr: f64,
    /// Weight of the matching, 0 for distillation alone.
    pub matching: f64,
    /// What of the critics' distances is brought down.
    #[serde(default, skip_serializing_if = "Distance::is_squared")]
    pub distance: Distance,
    /// Weight of the class loss within the matching.
    pub class_weight: f64,
    /// A draw whose class a critic tells with at least this probability adds nothing to the class loss's gradient.
    #[serde(default = "certainty", skip_serializing_if = "is_certainty")]
    pub class_confidence: f64,
    /// Rounds of class-prior calibration at the end, in which only the null class moves.
    #[serde(alias = "balance_rounds")]
    pub class_prior_rounds: usize,
    /// Images of each plan that a round draws.
    #[serde(default = "two_thousand")]
    pub class_prior_images: usize,
    /// Passes over the data that each classifier among the critics is trained for.
    pub critic_epochs: usize,
    /// Round weights and activations as the integer network does.
    pub quantize: bool,
    /// Decay of the averaged weights a step.
    pub ema: f64,
    /// Seed of everything random.
    pub seed: u64,
}

/// The usual [`FineTuning::class_prior_images`].
fn two_thousand() -> usize {
    FineTuning::USUAL.class_prior_images
}

/// [`FineTuning::class_confidence`] of runs that had no such choice.
fn certainty() -> f64 {
    1.0
}

fn is_certainty(confidence: &f64) -> bool {
    *confidence == certainty()
}

impl FineTuning {
    /// What `trainer finetune` does where it is told nothing else, for no plan yet.
    pub const USUAL: Self = Self {
        plans: vec![],
        run_digest: None,
        from: None,
        steps: 2400,
        batch: 32,
        evaluations: 640,
        lr: 1e-3,
        matching: 0.1,
        distance: Distance::Squared,
        class_weight: 0.05,
        class_confidence: 1.0,
        class_prior_rounds: 4,
        class_prior_images: 2000,
        critic_epochs: 10,
        quantize: true,
        ema: 0.99,
        seed: 0,
    };

    /// Checks what a command line or an edited file can get wrong.
    ///
    /// # Errors
    /// A number out of range, or no plan (usage errors).
    pub fn check(&self) -> Result<()> {
        let fail = |what: String| Err(Error::Usage(what));
        if self.steps == 0 || self.steps > MOST_STEPS {
            return fail(format!("--steps {}: give at least 1 and at most {MOST_STEPS}", self.steps));
        }
        if self.batch == 0 || self.batch > 1 << 16 {
            return fail(format!("--batch {}: give 1 to {}", self.batch, 1 << 16));
        }
        if self.evaluations == 0 || self.evaluations > 1 << 20 {
            return fail(format!("--evaluations {}: give 1 to {}", self.evaluations, 1 << 20));
        }
        if !(self.lr.is_finite() && self.lr > 0.0 && self.lr <= 1.0) {
            return fail(format!("--lr {}: give a learning rate above 0 and at most 1", self.lr));
        }
        for (flag, weight) in [("--matching", self.matching), ("--class-weight", self.class_weight)] {
            if !weight.is_finite() || weight < 0.0 {
                return fail(format!("{flag} {weight}: give a weight of at least 0"));
            }
        }
        if !(self.class_confidence > 0.0 && self.class_confidence <= 1.0) {
            let given = self.class_confidence;
            return fail(format!("--class-confidence {given}: give a probability above 0 and at most 1"));
        }
        if !(0.0..1.0).contains(&self.ema) {
            return fail(format!("--ema {}: give a decay of at least 0 and below 1", self.ema));
        }
        if self.critic_epochs == 0 || self.critic_epochs > 1000 {
            return fail(format!("--critic-epochs {}: give 1 to 1000", self.critic_epochs));
        }
        if self.class_prior_rounds > 100 {
            return fail(format!("--class-prior-rounds {}: give at most 100", self.class_prior_rounds));
        }
        if self.class_prior_images == 0 || self.class_prior_images > 1 << 20 {
            return fail(format!("--class-prior-images {}: give 1 to {}", self.class_prior_images, 1 << 20));
        }
        if self.plans.is_empty() {
            return fail("give at least one --plan".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name that runs and models of earlier versions have for the rounds of class-prior calibration; these had no
    /// choice of its images.
    #[test]
    fn older_names_are_read() {
        let text = toml::to_string(&FineTuning::USUAL).unwrap();
        let older = text.replace("class_prior_rounds", "balance_rounds").replace("class_prior_images = 2000\n", "");
        assert_ne!(older, text);
        assert_eq!(toml::from_str::<FineTuning>(&older).unwrap(), FineTuning::USUAL);
    }
}
