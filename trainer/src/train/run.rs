//! The loop of a training, which saves it and says what happens.
use super::record::Record;
use super::trainer::Trainer;
use crate::data::{labels, Dataset};
use crate::run::checkpoint;
use crate::{Error, Result};
use std::path::Path;
use std::time::{Duration, Instant};

/// Steps between two checkpoints.
const CHECKPOINT_STEPS: u64 = 500;

/// What happens in a training.
#[derive(Clone, Debug)]
pub enum Event {
    /// A step is made.
    Step(Progress),
    /// Something looks wrong; in words.
    Warning(String),
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// The loss of the last step.
    pub loss: f32,
    /// Part of the run that is done, in [0, 1].
    pub done: f64,
}

/// Trains until the configured steps are done or, if `time` is given or configured, that much time is over, whichever
/// comes first; the learning rate falls to zero at that moment either way. Images that the configuration holds out are
/// not trained on; the loss on them is measured, and a checkpoint with a row of metrics and now and then a sheet of
/// samples saved in `folder` (where given), every 500 steps and at the end. Calls `on_event` after every step and with
/// every warning.
///
/// # Errors
/// Other data than the run was made for, a loss that is not a number (the last checkpoint stays), or a checkpoint that
/// cannot be written.
pub fn run(
    trainer: &mut Trainer,
    data: &Dataset,
    folder: Option<&Path>,
    time: Option<Duration>,
    mut on_event: impl FnMut(Event),
) -> Result<()> {
    let (shape, classes) = (trainer.config().shape(), trainer.config().classes());
    if let Some(labels) = data.labels.as_ref().filter(|labels| !labels.fit(&trainer.config().axes)) {
        let [data_axes, run_axes] = [&labels.axes, &trainer.config().axes].map(|axes| labels::described(axes));
        return Err(Error::Invalid(format!(
            "the run learns labels with {run_axes}; those of {} have {data_axes}",
            data.source
        )));
    }
    if data.shape != shape || data.classes() > classes {
        return Err(Error::Invalid(format!(
            "the run learns images of {shape} in {classes} classes; {} holds images of {} in {}",
            data.source,
            data.shape,
            data.classes()
        )));
    }
    let parts = (trainer.config().validation > 0.0).then(|| data.hold_out(trainer.config().validation));
    let (data, held_out) = parts.as_ref().map_or((data, None), |[kept, held_out]| (kept, Some(held_out)));
    if data.is_empty() {
        return Err(Error::Usage("--validation leaves no image to train on".into()));
    }
    trainer.keep_locals(data)?;
    let mut start = Instant::now();
    let mut record = folder.map(|folder| Record::open(folder.to_path_buf(), trainer.step()));
    let mut saved = trainer.step();
    loop {
        let progress = trainer.progress(start, time);
        let done = progress >= 1.0;
        let due = trainer.step() >= saved + CHECKPOINT_STEPS || done || trainer.step() == 0;
        if due && (trainer.step() != saved || saved == 0) {
            if let Some(held_out) = held_out.filter(|_| trainer.step() > 0) {
                trainer.validate(data, held_out)?;
            }
            trainer.spend(&mut start);
            if let (Some(folder), Some(record)) = (folder, &mut record) {
                checkpoint::save(folder, &trainer.checkpoint()?)?;
                record.add(trainer, progress, done)?.into_iter().for_each(|words| on_event(Event::Warning(words)));
            }
            saved = trainer.step();
        }
        if done {
            return Ok(());
        }
        let loss = trainer.train_step(data, progress)?;
        on_event(Event::Step(Progress { step: trainer.step(), loss, done: progress }));
    }
}
