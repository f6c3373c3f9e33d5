//! What a configuration can get wrong.
use super::Config;
use crate::data::augment::Augment;
use crate::graph::shape::{values_of, MOST_SIDE, MOST_VALUES};
use crate::process::{Prediction, Weighting};
use crate::{Error, Result};

/// A year.
const MOST_MINUTES: f64 = 525_600.0;
/// Samples a second: as few as `--rate` gives, as many as a recording has.
const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 1000..=192_000;
/// Most steps of a run.
pub const MOST_STEPS: u64 = i32::MAX as u64;

/// Checks the step of a run that was not made here.
///
/// # Errors
/// More than a run has.
pub fn check_step(step: u64) -> Result<()> {
    match step > MOST_STEPS {
        true => Err(Error::Invalid(format!("is at step {step}; a run has at most {MOST_STEPS}"))),
        false => Ok(()),
    }
}

impl Config {
    /// Checks what a command line or an edited file can get wrong.
    ///
    /// # Errors
    /// A count of zero, a rate outside its range (usage errors).
    pub fn check(&self) -> Result<()> {
        let fail = |what: String| Err(Error::Usage(what));
        let positive = |v: f64| v.is_finite() && v > 0.0;
        let rate = |v: f64| (0.0..1.0).contains(&v);
        if self.preset.chars().any(char::is_control) {
            return fail(format!("--preset {:?}: a network's name is one line of text; rename it", self.preset));
        }
        if self.steps == 0 || self.steps > MOST_STEPS {
            return fail(format!("--steps {}: give at least 1 and at most {MOST_STEPS}", self.steps));
        }
        if self.batch == 0 || self.batch > 1 << 16 {
            return fail(format!("--batch {}: give at least 1 and at most {}", self.batch, 1 << 16));
        }
        if self.accumulate == 0 || !self.batch.is_multiple_of(self.accumulate) {
            let batch = self.batch;
            return fail(format!("--accumulate {}: give a divisor of the {batch} images a step", self.accumulate));
        }
        if let Some(minutes) = self.minutes.filter(|minutes| !positive(*minutes) || *minutes > MOST_MINUTES) {
            return fail(format!("--minutes {minutes}: give a time above 0 and at most {MOST_MINUTES}"));
        }
        let [height, width, channels] = self.image;
        if self.image.contains(&0) {
            return fail(format!("images of {} hold no values; give sizes of at least 1", self.shape()));
        }
        if self.image.iter().any(|size| *size > MOST_SIDE) || values_of(&self.image).is_err() {
            return fail(format!(
                "images of {} are more than the {MOST_VALUES} values that a chain can hold; scale them down",
                self.shape()
            ));
        }
        if let Some(rate) = self.sample_rate.filter(|rate| !SAMPLE_RATES.contains(rate)) {
            let (least, most) = (SAMPLE_RATES.start(), SAMPLE_RATES.end());
            return fail(format!("sample_rate {rate}: a sound has {least} to {most} samples a second"));
        }
        if !positive(self.lr) || self.lr > 1.0 {
            return fail(format!("--lr {}: give a learning rate above 0 and at most 1", self.lr));
        }
        if self.timesteps < 2 || self.timesteps > 100_000 {
            return fail(format!("--timesteps {}: give 2 to 100000", self.timesteps));
        }
        if let Some(levels) = self.schedule.levels().filter(|levels| *levels != self.timesteps) {
            return fail(format!(
                "--timesteps {}: the schedule {} has {levels} levels, which are the timesteps; leave it out",
                self.timesteps, self.schedule
            ));
        }
        self.check_process()?;
        if !(1e-3..=1e3).contains(&self.data_scale) {
            return fail(format!("--data-scale {}: give a factor from 0.001 to 1000", self.data_scale));
        }
        if !positive(self.snr_gamma) {
            return fail(format!("--snr-gamma {}: give a number above 0", self.snr_gamma));
        }
        if !rate(self.label_dropout) {
            return fail(format!("--label-dropout {}: give a share of at least 0 and below 1", self.label_dropout));
        }
        if !rate(self.ema) {
            return fail(format!("--ema {}: give a decay of at least 0 and below 1", self.ema));
        }
        if !(0.0..=0.5).contains(&self.validation) {
            return fail(format!("--validation {}: give a share from 0 to 0.5", self.validation));
        }
        if !(0.0..=1.0).contains(&self.augment_share) {
            return fail(format!("--augment-share {}: give a share from 0 to 1", self.augment_share));
        }
        if self.augment != Augment::None && height * width == 1 {
            return fail(format!(
                "--augment: it moves pictures, but the data are vectors of {channels} values; leave it out"
            ));
        }
        if !self.betas.into_iter().all(rate) || !positive(self.clip) {
            return fail("Adam's decays must lie in [0, 1), the clip norm above 0".into());
        }
        if self.local_mel()?.is_some() {
            // The factor on their values is that of the spectrograms, too.
            let other = [("--process", self.process.is_binomial()), ("--schedule", self.schedule.learned().is_some())];
            if let Some((option, _)) = other.into_iter().find(|(_, other)| *other) {
                return fail(format!(
                    "{option}: a network that follows a local condition is of the Gaussian process, with a schedule that is \
                     not learned"
                ));
            }
            if !self.axes.is_empty() {
                let what = "a network that follows a local condition learns no classes beside it; leave the labels out";
                return fail(what.into());
            }
        }
        match self.spec()?.timesteps() {
            Some(timesteps) if timesteps != self.timesteps => fail(format!(
                "--timesteps {}: the network has a table of {timesteps} timesteps; give as many",
                self.timesteps
            )),
            _ => Ok(()),
        }
    }

    /// Checks what belongs to the process.
    fn check_process(&self) -> Result<()> {
        let fail = |what: String| Err(Error::Usage(what));
        if self.process.is_binomial() {
            let usual = Self::usual();
            let (channels, pixels) = (self.image[2], self.image[0] * self.image[1]);
            return match () {
                () if self.schedule != usual.schedule => fail(format!(
                    "--schedule {}: it is of the Gaussian process; --process binomial keeps a bit with probability \
                     1 - 1/(T - t + 1) in step t",
                    self.schedule
                )),
                () if self.zero_terminal_snr => fail(
                    "--zero-terminal-snr: it is of the Gaussian process; --process binomial ends without signal".into(),
                ),
                () if self.prediction != usual.prediction => fail(
                    "--prediction: it is of the Gaussian process; over bits the network predicts logits of x0".into(),
                ),
                () if self.weighting == Weighting::MinSnr => {
                    fail("--weighting min-snr: it is of the Gaussian process; give simple or variational".into())
                }
                () if self.data_scale != usual.data_scale => {
                    fail(format!("--data-scale {}: it is of the Gaussian process; bits have no size", self.data_scale))
                }
                () if self.snr_gamma != usual.snr_gamma => fail(format!(
                    "--snr-gamma {}: it is of --weighting min-snr, which the Gaussian process has",
                    self.snr_gamma
                )),
                () if channels != 1 && pixels != 1 => fail(format!(
                    "--process binomial: a bit a pixel, but the images have {channels} channels; give gray ones, or \
                     vectors"
                )),
                () => Ok(()),
            };
        }
        self.check_learned()?;
        // Linear β of few timesteps pass 1, and ᾱ of very many may vanish.
        let alpha_bars = self.alpha_bars();
        let end = if self.zero_terminal_snr { alpha_bars.len() - 1 } else { alpha_bars.len() };
        if !alpha_bars.windows(2).all(|w| w[1] < w[0])
            || !alpha_bars[..end].iter().all(|a| (f64::MIN_POSITIVE..1.0).contains(a))
        {
            return fail(match self.schedule.levels() {
                _ if self.learned.is_some() => {
                    "the learned table alpha_bars is not between 0 and 1 or not falling in 64 bits".into()
                }
                Some(_) => format!(
                    "--schedule {}: 1/(1 + σ²) of its levels is not between 0 and 1 or not falling in 64 bits; give \
                     levels from 1e-7 to 1e150, further apart",
                    self.schedule
                ),
                None => format!(
                    "--timesteps {}: the schedule needs more steps (linear: at least 21), or another --schedule",
                    self.timesteps
                ),
            });
        }
        if self.zero_terminal_snr && self.schedule.levels().is_some() {
            return fail(format!(
                "--zero-terminal-snr: the highest level of {} is what its chains start from; leave it out",
                self.schedule
            ));
        }
        if self.zero_terminal_snr && self.prediction == Prediction::Epsilon {
            return fail(
                "--zero-terminal-snr: ε says nothing of the image at ᾱ = 0; choose --prediction v or x0 with it".into(),
            );
        }
        Ok(())
    }
}

impl Config {
    /// Checks what a learned schedule asks for.
    fn check_learned(&self) -> Result<()> {
        let fail = |what: String| Err(Error::Usage(what));
        let lengths = self.learned.as_ref().map(|learned| [learned.alpha_bars.len(), learned.errors.len()]);
        match self.schedule.learned() {
            None if lengths.is_some() => {
                fail(format!("the schedule {} is not learned, but there are tables", self.schedule))
            }
            None => Ok(()),
            Some(_) if self.weighting != Weighting::Variational => {
                fail("--schedule learned: it is learned on the bound; give --weighting variational, or none".into())
            }
            Some(_) if self.prediction != Prediction::V => {
                fail("--schedule learned: the terms of its bound are of --prediction v".into())
            }
            Some(_) if self.zero_terminal_snr => {
                fail("--zero-terminal-snr: a learned schedule ends where the bound is least; leave it out".into())
            }
            Some(_) if self.data_scale != Self::usual().data_scale => {
                fail(format!("--data-scale {}: a learned schedule finds its own noise; leave it out", self.data_scale))
            }
            Some(_) if lengths.is_some_and(|lengths| lengths != [self.timesteps; 2]) => {
                fail(format!("the learned tables are not of {} timesteps", self.timesteps))
            }
            Some(_)
                if self.learned.iter().flat_map(|l| &l.errors).any(|error| !(error.is_finite() && *error > 0.0)) =>
            {
                fail("the learned table of errors holds one that is no number above 0".into())
            }
            Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets;
    use crate::process::{Process, ScheduleName};
    use crate::run::config::tests::config;

    fn is_finite(config: &Config) -> bool {
        let Process::Gaussian(process) = config.process() else { return false };
        (1..=process.timesteps()).all(|t| process.weight(t).is_finite())
    }

    #[test]
    fn checks_refuse() {
        assert!(config().check().is_ok());
        fn vary(width: f64, blocks: Option<usize>) -> nets::Choice {
            nets::Choice::Preset(nets::Variation { width, blocks, norm: None })
        }
        type Change = fn(&mut Config);
        fn bits(c: &mut Config) {
            c.process = "binomial".parse().unwrap();
            (c.timesteps, c.weighting) = (100, Weighting::Simple);
        }
        let mut good = config();
        bits(&mut good);
        assert!(good.check().is_ok());
        let cases: [(&str, Change); 35] = [
            ("--schedule cosine: it is of the Gaussian process", |c| {
                bits(c);
                c.schedule = ScheduleName::Cosine;
            }),
            ("--zero-terminal-snr: it is of the Gaussian process", |c| {
                bits(c);
                c.zero_terminal_snr = true;
            }),
            ("--prediction: it is of the Gaussian process", |c| {
                bits(c);
                c.prediction = Prediction::X0;
            }),
            ("--weighting min-snr: it is of the Gaussian process", |c| {
                bits(c);
                c.weighting = Weighting::MinSnr;
            }),
            ("--data-scale 3: it is of the Gaussian process", |c| {
                bits(c);
                c.data_scale = 3.0;
            }),
            ("--snr-gamma 3: it is of --weighting min-snr", |c| {
                bits(c);
                c.snr_gamma = 3.0;
            }),
            ("the images have 3 channels; give gray ones", |c| {
                bits(c);
                c.image[2] = 3;
            }),
            ("--augment: it moves pictures, but the data are vectors of 20 values", |c| {
                c.image = [1, 1, 20];
                c.augment = Augment::Shift;
            }),
            ("--zero-terminal-snr: the highest level of geometric:2:0.02:10", |c| {
                c.schedule = "geometric:2:0.02:10".parse().unwrap();
                (c.timesteps, c.zero_terminal_snr) = (10, true);
            }),
            ("--schedule geometric:2:0", |c| {
                c.schedule = "geometric:2:1e-30:10".parse().unwrap();
                c.timesteps = 10;
            }),
            ("--steps 2147483648: give at least 1 and at most 2147483647", |c| c.steps = MOST_STEPS + 1),
            (r#"--preset "a\u{1b}[2J\nb": a network's name is one line"#, |c| c.preset = "a\u{1b}[2J\nb".into()),
            ("images of 0x28x1 hold no values", |c| c.image = [0, 28, 1]),
            ("images of 28x0x1 hold no values", |c| c.image = [28, 0, 1]),
            ("images of 28x28x0 hold no values", |c| c.image = [28, 28, 0]),
            ("images of 4096x4097x1 are more than the 16777216", |c| c.image = [4096, 4097, 1]),
            ("images of 18446744073709551615x2x1 are more", |c| c.image = [usize::MAX, 2, 1]),
            ("sample_rate 0: a sound has 1000 to 192000", |c| c.sample_rate = Some(0)),
            ("the learned table alpha_bars is not between 0 and 1", |c| {
                c.schedule = "learned".parse().unwrap();
                (c.timesteps, c.weighting) = (3, Weighting::Variational);
                c.learned = Some(crate::process::Learned { alpha_bars: vec![0.9, 0.9, 0.1], errors: vec![1.0; 3] });
            }),
            ("--data-scale 3: a learned schedule finds its own noise", |c| {
                c.schedule = "learned".parse().unwrap();
                (c.timesteps, c.weighting, c.data_scale) = (40, Weighting::Variational, 3.0);
            }),
            ("--timesteps 1:", |c| c.timesteps = 1),
            ("--timesteps 20:", |c| c.timesteps = 20),
            ("--timesteps 1000: the schedule geometric:2:0.02:10 has 10 levels", |c| {
                c.schedule = "geometric:2:0.02:10".parse().unwrap();
            }),
            ("--zero-terminal-snr: ε", |c| (c.prediction, c.zero_terminal_snr) = (Prediction::Epsilon, true)),
            ("--snr-gamma 0:", |c| c.snr_gamma = 0.0),
            ("--label-dropout 1:", |c| c.label_dropout = 1.0),
            ("--ema 1:", |c| c.ema = 1.0),
            ("--ema NaN:", |c| c.ema = f64::NAN),
            ("--validation 0.6:", |c| c.validation = 0.6),
            ("--augment-share -0.1:", |c| c.augment_share = -0.1),
            ("--width 0:", |c| c.network = vary(0.0, None)),
            ("--blocks 99:", |c| c.network = vary(1.0, Some(99))),
            ("--data-scale 0:", |c| c.data_scale = 0.0),
            ("clip norm", |c| c.clip = 0.0),
            ("--timesteps 1000: the network has a table of 60 timesteps", |c| {
                c.network = nets::Choice::Spec(nets::Spec::Listed(nets::Listed {
                    timesteps: 60,
                    nodes: vec![nets::ListedNode {
                        name: "bias".into(),
                        inputs: vec!["input".into()],
                        op: nets::ListedOp::Bias,
                    }],
                }));
            }),
        ];
        for (reason, change) in cases {
            let mut config = config();
            change(&mut config);
            let error = config.check().unwrap_err();
            assert!(error.to_string().contains(reason) && error.exit_code() == 2, "{reason} {error}");
        }
        for schedule in [ScheduleName::Linear, ScheduleName::Cosine, ScheduleName::Sigmoid] {
            for (timesteps, zero_terminal_snr) in [(21, false), (21, true), (100_000, false), (4000, true)] {
                let config = Config { schedule, timesteps, zero_terminal_snr, ..config() };
                assert!(config.check().is_ok(), "{config:?}");
                assert!(is_finite(&config));
            }
        }
    }
}
