//! A fine-tuning that starts from the weights of another.
use super::tuner::FineTuner;
use crate::autograd::Parameters;
use crate::run::{Checkpoint, Config, FineTuning};
use crate::{Error, Result};

impl FineTuner {
    /// Whether a fine-tuning of `run` can start from the weights of `tuned`: another one of the same run, for the same
    /// plans.
    ///
    /// # Errors
    /// What differs.
    pub fn check_start(run: &Checkpoint, tuned: &Checkpoint, tuning: &FineTuning) -> Result<()> {
        let Some(before) = &tuned.config.fine_tuning else {
            return Err(Error::Invalid("is not fine-tuned; --from takes a fine-tuning of the same run".into()));
        };
        if tuned.unfinished.is_some() {
            return Err(Error::Invalid("is not finished; `trainer finetune --resume` goes on".into()));
        }
        let original = Config { fine_tuning: None, data: run.config.data.clone(), ..tuned.config.clone() };
        if original != run.config {
            return Err(Error::Invalid("is not a fine-tuning of the run that is given; settings differ".into()));
        }
        if before.plans != tuning.plans {
            let plans = before.plans.join(", ");
            return Err(Error::Invalid(format!("is tuned for other plans; give the same, in this order: {plans}")));
        }
        Ok(())
    }

    /// Starts from the averaged weights of `tuned`, for which [`Self::check_start`] holds; what is learned from, the
    /// run, stays.
    pub fn start_from(&mut self, tuned: &Checkpoint) {
        self.params = Parameters::new(tuned.ema.clone());
        self.ema.clone_from(&tuned.ema);
    }
}
