//! From a checkpoint to the bytes of a model file.
use crate::lower::{self, Choices, Lowered, Title};
use crate::plans::NamedPlan;
use crate::run::{Checkpoint, Config};
use crate::{Error, Result};
use serde::Serialize;

/// Plans of a model for which none are asked.
pub const DEFAULT_PLANS: [&str; 4] =
    ["ddim50=ddim:50", "fast10=dpm:10:first=0.96", "fast5=dpm:5:first=0.93", "fast3=dpm:3:first=0.93"];
/// Those of a model over bits.
pub const BIT_PLANS: [&str; 3] = ["bits50=bits:50", "bits20=bits:20", "bits10=bits:10"];
/// The same for sound: between the levels where noise drowns nearly all and nearly nothing, evenly in log-SNR.
const SOUND_PLANS: [&str; 3] = [
    "fast6=dpm:6:first=0.975:last=0.09:spacing=logsnr",
    "fast4=dpm:4:first=0.975:last=0.09:spacing=logsnr",
    "ddim20=ddim:20:first=0.975",
];
/// Those of a run whose schedule leaves much of the data in x_T, such as DiffWave's: its own, and better ones of as many
/// steps and fewer.
const SIGNAL_PLANS: [&str; 3] =
    ["diffwave:fast6", "fast6=dpm:6:spacing=logsnr:start=noise", "fast4=dpm:4:spacing=logsnr:start=noise"];
/// ᾱ_T above which that is much.
const MUCH: f64 = 0.05;
/// Most levels and steps of such plans for a geometric schedule.
const USUAL_LEVELS: usize = 10;

/// The plans of a run's model for which none are asked; some may not fit the run's schedule.
pub fn usual_plans(config: &Config) -> Vec<String> {
    if config.process.is_binomial() {
        return BIT_PLANS.map(str::to_owned).into();
    }
    if config.schedule.learned().is_some() {
        let all = config.timesteps;
        return vec![format!("ddpm{all}=ddpm:{all}:variance=learned")];
    }
    match config.schedule.levels() {
        None if config.alpha_bars().last().is_some_and(|left| *left > MUCH) => SIGNAL_PLANS.map(str::to_owned).into(),
        None if config.sample_rate.is_some() => SOUND_PLANS.map(str::to_owned).into(),
        None => DEFAULT_PLANS.map(str::to_owned).into(),
        Some(levels) => {
            let levels = levels.min(USUAL_LEVELS);
            vec![
                format!("langevin{}=langevin:5:step=0.5:noise=exact:denoise:levels={levels}", 5 * levels),
                format!("fast{levels}=dpm:{levels}:spacing=logsnr"),
            ]
        }
    }
}

/// What the model file says of its origin.
#[derive(Serialize)]
struct Provenance<'a> {
    generator: String,
    steps_done: u64,
    calibration_seed: u64,
    /// Of sound that was brought to one level: it.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<f64>,
    plans: Vec<String>,
    quantization: &'a Choices,
    run: &'a Config,
}

/// Folds, calibrates on the plans' own trajectories, quantizes and encodes. `plan_texts` are the plans as
/// they were written, for the provenance.
///
/// # Errors
/// Plans that do not parse or fit, or a network that the format cannot hold.
pub fn export(checkpoint: &Checkpoint, plan_texts: &[String], choices: &Choices) -> Result<Lowered> {
    let (plans, provenance) = prepared(checkpoint, plan_texts, choices)?;
    let config = &checkpoint.config;
    lower::quantize(title(config, &provenance), &checkpoint.network()?, &plans, config.seed, choices)
}

/// The same network with every activation as an op of its own.
///
/// # Errors
/// As [`export`].
pub fn export_apart(checkpoint: &Checkpoint, plan_texts: &[String], choices: &Choices) -> Result<Lowered> {
    let (plans, provenance) = prepared(checkpoint, plan_texts, choices)?;
    let config = &checkpoint.config;
    lower::quantize_apart(title(config, &provenance), &checkpoint.network()?, &plans, config.seed, choices)
}

fn title<'a>(config: &'a Config, provenance: &'a str) -> Title<'a> {
    Title { name: &config.preset, provenance, axes: &config.axes }
}

/// The plans, and what the file says of its origin.
fn prepared(checkpoint: &Checkpoint, plan_texts: &[String], choices: &Choices) -> Result<(Vec<NamedPlan>, String)> {
    let config = &checkpoint.config;
    let plans = config.plans(plan_texts)?;
    let provenance = Provenance {
        generator: format!("brownian-trainer {}", env!("CARGO_PKG_VERSION")),
        steps_done: checkpoint.step(),
        calibration_seed: config.seed,
        level: config.sample_rate.and_then(|_| config.data_options.sound.level()),
        plans: plan_texts.to_vec(),
        quantization: choices,
        run: config,
    };
    let provenance =
        toml::to_string(&provenance).map_err(|e| Error::Invalid(format!("the provenance cannot be written: {e}")))?;
    Ok((plans, provenance))
}
