//! The losses of a run as text: one line a step, or a moment at which images that are held out were measured.
use crate::{Error, Result};

/// The losses of the averaged network at one moment, without augmentation and label dropout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Validation {
    /// Steps done.
    pub step: u64,
    /// On training images.
    pub training: f32,
    /// On the images that were held out.
    pub validation: f32,
}

/// `step,loss` of every step.
pub fn encode_losses(losses: &[f32]) -> String {
    let mut csv = String::from("step,loss\n");
    losses.iter().enumerate().for_each(|(i, loss)| csv.push_str(&format!("{},{loss}\n", i + 1)));
    csv
}

/// `step,training,validation` of every moment.
pub fn encode_validation(validation: &[Validation]) -> String {
    let mut csv = String::from("step,training,validation\n");
    for Validation { step, training, validation } in validation {
        csv.push_str(&format!("{step},{training},{validation}\n"));
    }
    csv
}

/// What [`encode_losses`] wrote.
///
/// # Errors
/// A line that is none, by its number.
pub fn decode_losses(bytes: &[u8]) -> Result<Vec<f32>> {
    let rows = text(bytes)?.lines().skip(1).enumerate().map(|(i, line)| {
        let loss =
            line.split_once(',').filter(|(step, _)| step.parse() == Ok(i + 1)).and_then(|(_, loss)| finite(loss));
        loss.ok_or_else(|| Error::Invalid(format!("line {} is not \"{},loss\"", i + 2, i + 1)))
    });
    rows.collect()
}

/// What [`encode_validation`] wrote, of steps up to `last`.
///
/// # Errors
/// A line that is none, by its number.
pub fn decode_validation(bytes: &[u8], last: u64) -> Result<Vec<Validation>> {
    let mut before = 0;
    let rows = text(bytes)?.lines().skip(1).enumerate().map(|(i, line)| {
        let mut fields = line.split(',');
        let step = fields.next().and_then(|step| step.parse().ok()).filter(|step| (before + 1..=last).contains(step));
        let mut loss = || fields.next().and_then(finite);
        let (Some(step), Some(training), Some(validation), None) = (step, loss(), loss(), fields.next()) else {
            let what = format!("line {} is not \"step,loss,loss\" of a later step up to {last}", i + 2);
            return Err(Error::Invalid(what));
        };
        before = step;
        Ok(Validation { step, training, validation })
    });
    rows.collect()
}

/// A loss as it was written, which is a number.
fn finite(text: &str) -> Option<f32> {
    text.parse().ok().filter(|loss: &f32| loss.is_finite())
}

fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Error::Invalid("is not text".into()))
}
