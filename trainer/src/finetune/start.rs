//! What a fine-tuning starts from: the run that it learns from, and perhaps the weights of another fine-tuning of it.
use super::tuner::FineTuner;
use crate::autograd::Parameters;
use crate::run::{difference, Checkpoint, Config, FineTuning};
use crate::{Error, Result};

/// Options whose fields have other names.
const NAMES: [(&str, &str); 5] = [
    ("classes", "labels"),
    ("data_digest", "data"),
    ("image", "size"),
    ("learned", "schedule"),
    ("sample_rate", "rate"),
];

impl FineTuner {
    /// The usual settings for a fine-tuning of `run`, for no plan yet.
    pub fn usual(run: &Checkpoint) -> FineTuning {
        FineTuning { run_digest: Some(digest(run)), ..FineTuning::USUAL }
    }

    /// Whether `tuned` is a fine-tuning of `run`: by its settings and, where it says from which weights it started, by
    /// these.
    ///
    /// # Errors
    /// What differs.
    pub fn check_run(run: &Checkpoint, tuned: &Checkpoint) -> Result<()> {
        let differs = |what: String| Err(Error::Invalid(what));
        let Some(tuning) = &tuned.config.fine_tuning else { return differs("it is not fine-tuned".into()) };
        let original = Config { fine_tuning: None, data: run.config.data.clone(), ..tuned.config.clone() };
        if original.preset != run.config.preset {
            return differs("--preset differs".into());
        }
        if original.network != run.config.network {
            return differs("the network differs (--net, --width, --blocks, --norm)".into());
        }
        if let Some(option) = difference(&original, &run.config, &NAMES) {
            return differs(format!("{option} differs"));
        }
        match tuning.run_digest.is_some_and(|known| known != digest(run)) {
            true => differs("the settings are the same, but the weights are others".into()),
            false => Ok(()),
        }
    }

    /// Whether a fine-tuning of `run` can start from the weights of `tuned`: another one of the same run, for the same
    /// plans.
    ///
    /// # Errors
    /// What differs, or plans that `run` cannot have.
    pub fn check_start(run: &Checkpoint, tuned: &Checkpoint, tuning: &FineTuning) -> Result<()> {
        let Some(before) = &tuned.config.fine_tuning else {
            return Err(Error::Invalid("is not fine-tuned; --from takes a fine-tuning of the same run".into()));
        };
        if tuned.unfinished.is_some() {
            return Err(Error::Invalid("is not finished; `trainer finetune --resume` goes on".into()));
        }
        Self::check_run(run, tuned)
            .map_err(|what| Error::Invalid(format!("is not a fine-tuning of the run that is given: {what}")))?;
        if run.config.plans(&before.plans)? != run.config.plans(&tuning.plans)? {
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

/// CRC-32 over averaged weights and statistics, which packing keeps.
fn digest(run: &Checkpoint) -> u32 {
    let mut crc = flate2::Crc::new();
    for value in run.ema.iter().chain(&run.stats) {
        crc.update(&value.to_le_bytes());
    }
    crc.sum()
}
