//! The options that say what a network learns to reverse, and what its output stands for.
use super::options::{name_of, set, usual};
use crate::process::{Prediction, ProcessName, ScheduleName, BIT_TIMESTEPS, PROCESSES, SCHEDULES};
use crate::run::Config;
use clap::Args;

/// The process and the prediction; what is not given is as in [`Config::usual`].
#[derive(Debug, Args)]
pub struct ProcessArgs {
    #[arg(long, help = usual(&format!(
        "Forward process: {PROCESSES}. The binomial one is over bits, which are the values above the middle (of pixels \
         those above 127); it takes neither a schedule nor a prediction"
    ), Config::usual().process))]
    process: Option<ProcessName>,
    /// Factor on the values before noise is added; 1 over their standard deviation gives the process the variance it is
    /// made for [default: that of sound, 1 of anything else]
    #[arg(long, value_name = "FACTOR")]
    data_scale: Option<f64>,
    #[arg(long, help = usual(
        "What the network predicts: the noise ε, the image x0, or v = α·ε − σ·x0",
        name_of(Config::usual().prediction)
    ))]
    prediction: Option<Prediction>,
    #[arg(long, help = usual(&format!(
        "Noise schedule: {SCHEDULES}. Levels of a geometric one, from SIGMA_MAX down, are the timesteps (Song & Ermon 2019); \
         a learned one starts with log-SNRs at equal distances, of which all but the first are learned on the bound, with \
         a variance for every step (Sohl-Dickstein et al. 2015)"
    ), Config::usual().schedule))]
    schedule: Option<ScheduleName>,
    /// Rescale the schedule so that the last timestep is pure noise; not with `--prediction epsilon`.
    #[arg(long)]
    zero_terminal_snr: bool,
    #[arg(long, value_name = "T", help = usual(
        &format!("Number of timesteps T; of the binomial process {BIT_TIMESTEPS} where nothing is said"),
        Config::usual().timesteps
    ))]
    pub timesteps: Option<usize>,
}

impl ProcessArgs {
    /// Puts what was asked for into a configuration.
    pub fn apply(&self, config: &mut Config) {
        set(&mut config.data_scale, &self.data_scale);
        set(&mut config.prediction, &self.prediction);
        set(&mut config.process, &self.process);
        set(&mut config.schedule, &self.schedule);
        set(&mut config.timesteps, &self.schedule.and_then(ScheduleName::levels));
        config.zero_terminal_snr |= self.zero_terminal_snr;
        set(&mut config.timesteps, &self.timesteps);
    }

    /// Whether it is said what the network predicts; over bits there is one prediction alone.
    pub fn says_prediction(&self) -> bool {
        self.prediction.is_some() || self.process.is_some_and(|process| process.is_binomial())
    }

    /// The first option that is given, as it is called on the command line.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (self.process.is_some(), "--process"),
            (self.data_scale.is_some(), "--data-scale"),
            (self.prediction.is_some(), "--prediction"),
            (self.schedule.is_some(), "--schedule"),
            (self.zero_terminal_snr, "--zero-terminal-snr"),
            (self.timesteps.is_some(), "--timesteps"),
        ];
        given.iter().find(|(is_given, _)| *is_given).map(|(_, name)| *name)
    }
}
