//! Plans as they are asked for on the command line: `[NAME=]METHOD:STEPS[:OPTION…]`.

use crate::format::MAX_PLAN_NAME;
use crate::parse::MAX_PLANS;
use crate::plan::{self, BitStep, Method, Prediction, Spacing, Start, Step, Values, FAST6, METHODS};
use core::fmt;
use core::str::FromStr;
use std::borrow::ToOwned;
use std::format;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

type Result<T> = core::result::Result<T, PlanSpecError>;

/// Why a plan could not be read or built: a line for whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanSpecError(String);

impl fmt::Display for PlanSpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for PlanSpecError {}

/// A plan to build.
///
/// ```
/// use brownian::host::PlanSpec;
/// use brownian::plan::{schedule::Schedule, Prediction};
///
/// let mut alpha_bar = [0.0; 1000];
/// Schedule::COSINE.alpha_bars(&mut alpha_bar);
/// let spec: PlanSpec = "fast=dpm:5:first=0.93".parse()?;
/// let steps = spec.steps(Prediction::V, &alpha_bar, &[])?;
/// assert_eq!((&spec.name[..], steps.len(), steps[0].timestep), ("fast", 5, 930));
/// assert!("dpm".parse::<PlanSpec>().unwrap_err().to_string().contains("the number of steps is missing"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PlanSpec {
    /// Its name in the model.
    pub name: String,
    /// Its method; `None` for the one of the binomial process.
    pub method: Option<Method>,
    /// Number of steps; of a method that repeats its timesteps, steps a level.
    pub steps: usize,
    /// A schedule of its own: β of every step, from the last to the first, as in DiffWave's fast sampling. Levels then lie
    /// between the timesteps of training, where [`plan::aligned`] says.
    pub betas: Option<Vec<f64>>,
    /// Where it starts, as a share of T.
    pub first: First,
    /// The lowest timestep that it visits, where it is not that of its spacing.
    pub last: First,
    /// How its timesteps are spaced from there; `None`: as is usual with the method.
    pub spacing: Option<Spacing>,
    /// Of a method with several steps a level, the number of levels; `None`: every timestep is one.
    pub levels: Option<usize>,
    /// Langevin steps behind each step but the last.
    pub corrector: usize,
    /// Whether x0_hat is clipped to [-1, 1].
    pub clip: bool,
    /// What x_T is drawn from.
    pub start: Start,
}

/// Signal-to-noise ratio of a corrector's steps, of those of Song et al. 2021.
const USUAL_SNR: f64 = 0.16;
/// Most levels that are taken without being asked for.
const MOST_LEVELS: usize = 100;
/// Most steps of a plan.
const MOST_STEPS: usize = u16::MAX as usize;

/// Name of [`FAST6`].
const FAST: &str = "fast6";

/// The method of the binomial process: q(x_s | x_t, x0) with p̂ for x0, from timestep to timestep.
const BITS: &str = "bits";

/// The first timestep of a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum First {
    /// A timestep.
    Timestep(u32),
    /// A share of T, at most 1.
    Share(f64),
}

/// How specs are written, for help texts and errors: the methods and options are those of [`plan::METHODS`].
fn grammar() -> String {
    let methods: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
    let spacings: Vec<&str> = Spacing::ALL.iter().map(|spacing| spacing.name()).collect();
    let own = METHODS.iter().flat_map(|method| {
        method.options.iter().map(|option| match option.values {
            Values::Flag => format!("{} ({})", option.name, method.name),
            values => format!("{}={values} ({})", option.name, method.name),
        })
    });
    format!(
        "[NAME=]METHOD:STEPS[:OPTION...] with METHOD one of {} or, of a binomial process, {BITS}, STEPS a number, {FAST} (DiffWave's fast schedule) or the betas of a schedule of its own, as in 1e-4,0.01,0.2, and \
         OPTION one of {}, start=noise (x_T has the noise of the first level, not a standard deviation of 1), first=T (a timestep, or a share of T \
         such as 0.96), last=T, spacing=one of {}, noclip, levels=N (langevin, whose STEPS are those of a level), corrector=K (so \
         many Langevin steps behind each step of another method) and snr=R (their signal-to-noise ratio)",
        methods.join(", "),
        own.collect::<Vec<_>>().join(", "),
        spacings.join(", ")
    )
}

impl FromStr for PlanSpec {
    type Err = PlanSpecError;

    fn from_str(text: &str) -> Result<Self> {
        let fail = |what: String| PlanSpecError(format!("plan {text:?}: {what}; a plan is {}", grammar()));
        let (name, spec) = match text.split_once('=') {
            Some((name, spec)) if !name.contains(':') => (Some(name), spec),
            _ => (None, text),
        };
        let mut parts = spec.split(':');
        let method_name = parts.next().unwrap_or_default();
        let mut method = match method_name {
            BITS => None,
            name => Some(Method::named(name).ok_or_else(|| fail(format!("there is no method {name:?}")))?),
        };
        let repeats = method.is_some_and(|method| method.spec().repeats);
        let count = parts.next().ok_or_else(|| fail("the number of steps is missing".into()))?;
        let betas = betas(count).map_err(&fail)?;
        let steps = match &betas {
            Some(betas) => Some(betas.len()),
            None => count.parse::<u16>().ok().filter(|&n| n > 0).map(usize::from),
        };
        let steps = steps.ok_or_else(|| {
            fail(format!(
                "{count:?} is not a number of steps from 1 to 65535, nor {FAST}, nor betas with commas between them"
            ))
        })?;
        if betas.is_some() && (repeats || method.is_none()) {
            return Err(fail(format!("{method_name} takes a number of steps, no betas of its own")));
        }
        let (mut first, mut last, mut spacing, mut clip) = (First::Share(1.0), First::Timestep(1), None, true);
        let (mut levels, mut corrector, mut snr, mut start) = (None, 0, None, Start::Normal);
        let number = |option: &str, value: &str| -> Result<usize> {
            let number = value.parse::<u16>().ok().filter(|&n| n > 0);
            number.map(usize::from).ok_or_else(|| fail(format!("{option:?}: give a number from 1 to 65535")))
        };
        for option in parts {
            match option.split_once('=').unwrap_or((option, "")) {
                ("noclip", "") if method.is_some() => clip = false,
                ("clip", "") if method.is_some() => clip = true,
                ("start", "normal") if method.is_some() => start = Start::Normal,
                ("start", "noise") if method.is_some() => start = Start::Noise,
                ("start", _) if method.is_some() => return Err(fail(format!("{option:?}: start is normal or noise"))),
                (name @ ("first" | "last" | "spacing" | "corrector" | "snr"), _) if betas.is_some() => {
                    return Err(fail(format!("{option:?}: its betas say where its levels lie; leave {name} out")));
                }
                ("first" | "last", value) => {
                    let timestep = match (value.parse::<u32>(), value.parse::<f64>()) {
                        (Ok(t), _) if t > 0 => First::Timestep(t),
                        (_, Ok(share)) if share > 0.0 && share <= 1.0 => First::Share(share),
                        _ => return Err(fail(format!("{value:?} is neither a timestep nor a share of T"))),
                    };
                    *if option.starts_with("first") { &mut first } else { &mut last } = timestep;
                }
                ("spacing", value) => {
                    let named = Spacing::named(value);
                    spacing = Some(named.ok_or_else(|| fail(format!("there is no spacing {value:?}")))?);
                }
                ("levels", value) if repeats => levels = Some(number(option, value)?),
                ("corrector", value) if method.is_some() && !repeats => corrector = number(option, value)?,
                ("snr", value) if method.is_some() && !repeats => {
                    let ratio = value.parse().ok().filter(|ratio| (0.0..=0.7).contains(ratio));
                    snr = Some(ratio.ok_or_else(|| fail(format!("{option:?}: give a number from 0 to 0.7")))?);
                }
                (name, value) => {
                    let Some(method) = &mut method else {
                        return Err(fail(format!("{option:?}: {BITS} takes first=, last= and spacing= alone")));
                    };
                    *method = method.with(name, value).map_err(|e| fail(format!("{option:?}: {e}")))?;
                }
            }
        }
        let usual = match count {
            FAST => format!("{method_name}:{FAST}"),
            _ => format!("{method_name}{steps}"),
        };
        let name = name.map_or(usual, str::to_owned);
        if !(1..=MAX_PLAN_NAME).contains(&name.len()) {
            return Err(fail(format!("a name has 1 to {MAX_PLAN_NAME} bytes")));
        }
        if corrector > 0 {
            method = method.map(|method| method.corrected(snr.unwrap_or(USUAL_SNR)));
        } else if snr.is_some() {
            return Err(fail("snr= is of a corrector's steps: give corrector=K too".into()));
        }
        Ok(Self { name, method, steps, betas, first, last, spacing, levels, corrector, clip, start })
    }
}

/// The schedule that stands for a number of steps; `None` where a number does.
fn betas(text: &str) -> core::result::Result<Option<Vec<f64>>, String> {
    if text == FAST {
        return Ok(Some(FAST6.to_vec()));
    }
    if !text.contains(['.', ',', '-']) {
        return Ok(None);
    }
    let beta = |text: &str| {
        let beta = text.parse().ok().filter(|beta| *beta > 0.0 && *beta < 1.0);
        beta.ok_or_else(|| format!("{text:?} is no beta: give numbers between 0 and 1 with commas between them"))
    };
    let betas = text.split(',').map(beta).collect::<core::result::Result<Vec<f64>, _>>()?;
    match betas.len() <= MOST_STEPS {
        true => Ok(Some(betas)),
        false => Err(format!("{} betas; a plan has at most {MOST_STEPS} steps", betas.len())),
    }
}

impl PlanSpec {
    /// Parses specs and refuses two plans of one name.
    ///
    /// # Errors
    /// More plans than a model file holds, a spec that does not parse, or a name that is taken.
    pub fn parse_all(texts: &[String]) -> Result<Vec<Self>> {
        if texts.len() > usize::from(MAX_PLANS) {
            return Err(PlanSpecError(format!("{} plans; a model file holds at most {MAX_PLANS}", texts.len())));
        }
        let mut specs: Vec<Self> = Vec::new();
        for text in texts {
            let spec: Self = text.parse()?;
            if specs.iter().any(|s| s.name == spec.name) {
                return Err(PlanSpecError(format!("two plans are called {}; name them NAME=SPEC", spec.name)));
            }
            specs.push(spec);
        }
        Ok(specs)
    }

    fn fail(&self, what: impl fmt::Display) -> PlanSpecError {
        PlanSpecError(format!("plan {}: {what}", self.name))
    }

    /// Builds the steps for a network with this prediction on this schedule; `alpha_bar[t − 1]` is ᾱ_t, and `errors[t − 1]`
    /// the mean squared error of x0_hat where that is learned (else there are none).
    ///
    /// # Errors
    /// More steps than timesteps, a start beyond T, ε-prediction from ᾱ = 0, or a plan over bits.
    pub fn steps(&self, prediction: Prediction, alpha_bar: &[f64], errors: &[f64]) -> Result<Vec<Step>> {
        let Some(method) = self.method else {
            return Err(self.fail(format!("{BITS} is of the binomial process, and the run of the Gaussian one")));
        };
        let built = |alpha_bar: &[f64], errors: &[f64], timesteps: &[u32]| {
            let mut steps = vec![Step::default(); timesteps.len()];
            plan::build_with_errors(method, prediction, alpha_bar, errors, timesteps, &mut steps)
                .map_err(|e| self.fail(e))?;
            Ok(steps)
        };
        let Some(levels) = self.own_levels() else {
            return built(alpha_bar, errors, &self.visited(alpha_bar)?);
        };
        if method.needs_errors() {
            return Err(self.fail("variance=learned is of the timesteps of training, and its betas lie between them"));
        }
        let numbers: Vec<u32> = (1..=levels.len() as u32).rev().collect();
        let mut steps = built(&levels, &[], &numbers)?;
        for (step, time) in steps.iter_mut().zip(self.times(alpha_bar)?) {
            step.timestep = (time.round() as u32).max(1);
        }
        Ok(steps)
    }

    /// The timestep of every step, with a fraction where the plan has a schedule of its own: what the network's time
    /// biases are made of. [`Step::timestep`] is the nearest timestep.
    ///
    /// # Errors
    /// As [`steps`](Self::steps), and betas that lead beyond the schedule's noise.
    pub fn times(&self, alpha_bar: &[f64]) -> Result<Vec<f64>> {
        let Some(levels) = self.own_levels() else {
            return Ok(self.visited(alpha_bar)?.into_iter().map(f64::from).collect());
        };
        let time = |level: &f64| {
            plan::aligned(alpha_bar, *level).ok_or_else(|| {
                let last = alpha_bar.last().copied().unwrap_or(1.0);
                self.fail(format!(
                    "its betas lead to alpha_bar {level:.3e}, and the schedule ends at {last:.3e}: give smaller betas, or \
                     train with a schedule of more noise"
                ))
            })
        };
        levels.iter().rev().map(time).collect()
    }

    /// ᾱ of the levels of a schedule of its own, the least noise first.
    fn own_levels(&self) -> Option<Vec<f64>> {
        let mut level = 1.0;
        let fall = |beta: &f64| {
            level *= 1.0 - beta;
            level
        };
        Some(self.betas.as_ref()?.iter().map(fall).collect())
    }

    /// Builds the steps for a network over bits; `kept[t − 1]` is ḡ_t, `mean` is π.
    ///
    /// # Errors
    /// More steps than timesteps, a start beyond T, a spacing by a signal-to-noise ratio, or a method of the Gaussian
    /// process.
    pub fn bit_steps(&self, kept: &[f64], mean: f64) -> Result<Vec<BitStep>> {
        if let Some(method) = self.method {
            let name = method.spec().name;
            return Err(self.fail(format!(
                "{name} is of the Gaussian process, and the run of the binomial one: give {BITS}:STEPS"
            )));
        }
        if let Some(spacing @ (Spacing::LogSnr | Spacing::Karras)) = self.spacing {
            let name = spacing.name();
            return Err(
                self.fail(format!("spacing={name}: bits have no signal-to-noise ratio; give uniform or quadratic"))
            );
        }
        let timesteps = self.visited(kept)?;
        let mut steps = vec![BitStep::default(); timesteps.len()];
        plan::build_bits(kept, mean, &timesteps, &mut steps).map_err(|e| self.fail(e))?;
        Ok(steps)
    }

    /// The timestep of every step.
    fn visited(&self, alpha_bar: &[f64]) -> Result<Vec<u32>> {
        let last = alpha_bar.len() as u32;
        let [first, lowest] = [self.first, self.last].map(|timestep| match timestep {
            First::Timestep(t) => t,
            First::Share(share) => ((share * f64::from(last)).round() as u32).max(1),
        });
        if first > last {
            return Err(self.fail(format!("it starts at timestep {first}, but the schedule ends at {last}")));
        }
        if lowest > first {
            return Err(self.fail(format!("its last timestep, {lowest}, lies above its first, {first}")));
        }
        // Spaced as if the schedule began at the lowest.
        let below = lowest - 1;
        let above = self.timesteps(first - below, &alpha_bar[below as usize..]).map_err(|e| self.fail(e))?;
        let timesteps: Vec<u32> = above.into_iter().map(|t| t + below).collect();
        if timesteps.len() > MOST_STEPS {
            return Err(self.fail(format!("{} steps; a plan has at most {MOST_STEPS}", timesteps.len())));
        }
        Ok(timesteps)
    }

    /// The timestep of every step, from `first` on.
    fn timesteps(&self, first: u32, alpha_bar: &[f64]) -> Result<Vec<u32>> {
        let repeats = self.method.is_some_and(|method| method.spec().repeats);
        let count = match self.levels {
            _ if !repeats => self.steps,
            Some(levels) => levels,
            None if first as usize <= MOST_LEVELS => first as usize,
            None => {
                let what =
                    format!("the schedule has {first} timesteps down from its start; say with levels=N how many");
                return Err(PlanSpecError(format!("{what} of them are levels")));
            }
        };
        // The lowest level is the last timestep's.
        let usual = if repeats { Spacing::LogSnr } else { Spacing::Uniform };
        let mut visited = vec![0; count];
        self.spacing
            .unwrap_or(usual)
            .timesteps(first, alpha_bar, &mut visited)
            .map_err(|e| PlanSpecError(e.to_string()))?;
        let times = |i: usize| match (repeats, i) {
            (true, _) => self.steps,
            (false, 0) => 1,
            (false, _) => 1 + self.corrector,
        };
        let mut timesteps: Vec<u32> =
            visited.iter().enumerate().flat_map(|(i, t)| core::iter::repeat_n(*t, times(i))).collect();
        if self.method.and_then(|method| method.value("denoise")) == Some(1.0) {
            timesteps.extend(visited.last());
        }
        Ok(timesteps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timesteps(steps: &[Step]) -> Vec<u32> {
        steps.iter().map(|step| step.timestep).collect()
    }

    #[test]
    fn specs_parse() {
        let spec: PlanSpec = "fast=ddim:10:eta=0.5:first=0.96:noclip".parse().unwrap();
        assert_eq!((spec.name.as_str(), spec.steps, spec.clip), ("fast", 10, false));
        assert_eq!(spec.method, Some(Method::ddim(0.5)));
        assert_eq!(spec.first, First::Share(0.96));
        assert_eq!("ddpm:1000:variance=beta-tilde".parse::<PlanSpec>().unwrap().name, "ddpm1000");
        let spaced = |text: &str| text.parse::<PlanSpec>().unwrap().spacing;
        assert_eq!(spaced("ddim:10"), None);
        assert_eq!(spaced("ddim:10:spacing=quadratic:noclip"), Some(Spacing::Quadratic));
        assert_eq!(spaced("k=dpm:10:spacing=karras"), Some(Spacing::Karras));
        assert_eq!(spaced("dpm:10:first=0.9:spacing=logsnr"), Some(Spacing::LogSnr));
        let langevin: PlanSpec = "langevin:5:step=0.3:noise=exact:denoise:levels=4".parse().unwrap();
        let method = Method::langevin(0.3).with("noise", "exact").unwrap().with("denoise", "").unwrap();
        assert_eq!((langevin.method, langevin.levels, langevin.steps), (Some(method), Some(4), 5));
        let corrected: PlanSpec = "ddim:4:corrector=2:snr=0.1".parse().unwrap();
        assert_eq!((corrected.method, corrected.corrector), (Some(Method::ddim(0.0).corrected(0.1)), 2));
        assert_eq!("ddpm:10:first=500".parse::<PlanSpec>().unwrap().first, First::Timestep(500));
        let bars: Vec<f64> = (1..=100).map(|t| 1.0 - f64::from(t) / 101.0).collect();
        let visited = |text: &str| -> Result<Vec<u32>> {
            Ok(timesteps(&text.parse::<PlanSpec>()?.steps(Prediction::V, &bars, &[])?))
        };
        let spaced = visited("dpm:5:spacing=logsnr:first=0.9:last=0.1").unwrap();
        assert_eq!((spaced[0], spaced[4]), (90, 10));
        assert_eq!(visited("ddim:2:first=9:last=6").unwrap(), [9, 7]);
        assert!(visited("ddim:2:first=9:last=10").unwrap_err().to_string().contains("lies above its first"));
    }

    #[test]
    fn wrong_specs_say_what_is_wrong() {
        for (text, word) in [
            ("euler:10", "method"),
            ("ddim", "missing"),
            ("ddim:0", "number of steps"),
            ("ddim:10:eta=2", "eta"),
            ("ddpm:10:eta=1", "not an option"),
            ("dpm:5:first=1.5", "neither"),
            ("dpm:5:spacing=cubic", "no spacing"),
            ("=ddim:5", "name"),
            ("ddim:5:levels=3", "not an option of ddim"),
            ("langevin:5:corrector=3", "not an option of langevin"),
            ("langevin:5:levels=0", "from 1 to 65535"),
            ("langevin:5:denoise=yes", "denoise is a word without a value"),
            ("dpm:5:corrector=x", "from 1 to 65535"),
            ("dpm:5:corrector=1:snr=2", "from 0 to 0.7"),
            ("dpm:5:snr=0.1", "give corrector=K too"),
            ("bits:5:noclip", "bits takes first=, last= and spacing= alone"),
            ("bits:5:corrector=1", "bits takes first=, last= and spacing= alone"),
        ] {
            let error = text.parse::<PlanSpec>().unwrap_err();
            assert!(error.to_string().contains(word), "{text}: {error}");
        }
        assert!(PlanSpec::parse_all(&["ddim:5".into(), "ddim:5:noclip".into()]).is_err());
        let many: Vec<String> = (1..=65).map(|steps| format!("ddim:{steps}")).collect();
        assert_eq!(PlanSpec::parse_all(&many[..64]).unwrap().len(), 64);
        assert!(PlanSpec::parse_all(&many).unwrap_err().to_string().contains("at most 64"));
    }

    #[test]
    fn levels_and_correctors_repeat_timesteps() {
        let bars: Vec<f64> = (1..=1000).map(|t| 1.0 / (1.0 + (f64::from(t) * 0.01).powi(2))).collect();
        let build = |text: &str, bars: &[f64]| text.parse::<PlanSpec>().unwrap().steps(Prediction::V, bars, &[]);
        let timesteps = |text: &str, bars: &[f64]| timesteps(&build(text, bars).unwrap());
        assert_eq!(timesteps("langevin:2", &bars[..3]), [3, 3, 2, 2, 1, 1]);
        assert_eq!(timesteps("langevin:2:denoise:levels=2", &bars[..3]), [3, 3, 1, 1, 1]);
        assert_eq!(timesteps("langevin:1:levels=3:first=10", &bars), [10, 3, 1]);
        assert_eq!(timesteps("ddim:3:corrector=2", &bars[..9]), [9, 6, 6, 6, 3, 3, 3]);
        let many = build("langevin:2", &bars).unwrap_err();
        assert!(many.to_string().contains("1000 timesteps") && many.to_string().contains("levels=N"), "{many}");
        let long = build("langevin:10000:levels=10", &bars).unwrap_err();
        assert!(long.to_string().contains("100000 steps; a plan has at most 65535"), "{long}");
    }

    #[test]
    fn too_many_steps_are_refused() {
        let bars: Vec<f64> = (1..=10).map(|t| 1.0 - f64::from(t) / 10.0).collect();
        let error = |text: &str, prediction| {
            text.parse::<PlanSpec>().unwrap().steps(prediction, &bars, &[]).unwrap_err().to_string()
        };
        assert!(error("ddim:11", Prediction::V).contains("11 steps do not fit 10 timesteps"));
        assert!(error("ddim:6:first=0.5:spacing=logsnr", Prediction::V).contains("6 steps do not fit 5 timesteps"));
        assert!(error("ddim:5:first=11", Prediction::V).contains("ends at 10"));
        assert!(error("ddim:5", Prediction::Epsilon).contains("epsilon-prediction cannot start at timestep 10"));
        for spec in ["ddim:5:first=9", "dpm:10:spacing=quadratic:first=9"] {
            let built = spec.parse::<PlanSpec>().unwrap().steps(Prediction::Epsilon, &bars, &[]);
            assert_eq!(built.is_ok(), spec.starts_with("ddim"));
        }
        let collide: PlanSpec = "dpm:9:spacing=quadratic:first=9".parse().unwrap();
        let steps = collide.steps(Prediction::Epsilon, &bars, &[]).unwrap();
        assert_eq!(timesteps(&steps), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    }

    /// DiffWave's fast sampling, and any method on a schedule of its own.
    #[test]
    fn plans_have_schedules_of_their_own() {
        let mut bars = vec![0.0; 50];
        plan::schedule::Schedule::Linear { beta_first: 1e-4, beta_last: 0.05 }.alpha_bars(&mut bars);
        let fast: PlanSpec = "diffwave:fast6".parse().unwrap();
        assert_eq!((&fast.name[..], fast.steps, fast.start), ("diffwave:fast6", 6, Start::Normal));
        let (steps, times) = (fast.steps(Prediction::Epsilon, &bars, &[]).unwrap(), fast.times(&bars).unwrap());
        assert_eq!(timesteps(&steps), [44, 24, 11, 5, 2, 1]);
        assert!((times[2] - 11.45).abs() < 0.01 && (times[5] - 1.0).abs() < 1e-9, "{times:?}");
        // Algorithm 2 of the paper: x = (x − β/√(1 − ᾱ)·ε̂)/√(1 − β) + σ̃·z.
        let mut level = 1.0;
        for (s, (beta, step)) in FAST6.into_iter().zip(steps.iter().rev()).enumerate() {
            let before: f64 = level;
            level *= 1.0 - beta;
            let noise = (1.0 - level).sqrt();
            let of_x = f64::from(step.a + step.b * step.k_x);
            let of_eps = f64::from(step.b * step.k_eps);
            assert!((of_x - 1.0 / (1.0 - beta).sqrt()).abs() < 1e-5, "{s}");
            assert!((of_eps + beta / noise / (1.0 - beta).sqrt()).abs() < 1e-5, "{s}");
            let sigma = if s == 0 { 0.0 } else { ((1.0 - before) / (1.0 - level) * beta).sqrt() };
            assert!((f64::from(step.sigma) - sigma).abs() < 1e-6, "{s}");
            assert!((f64::from(step.level.noise) - noise).abs() < 1e-6);
        }
        // Over all timesteps it is ancestral sampling.
        let whole = |text: &str| text.parse::<PlanSpec>().unwrap().steps(Prediction::Epsilon, &bars, &[]).unwrap();
        assert_eq!(whole("diffwave:50"), whole("ddpm:50:variance=beta-tilde"));
        let own: PlanSpec = "quick=dpm:1e-3,0.1,0.5:start=noise:noclip".parse().unwrap();
        assert_eq!((&own.name[..], own.steps, own.start, own.clip), ("quick", 3, Start::Noise, false));
        assert_eq!("ddim:0.1".parse::<PlanSpec>().unwrap().name, "ddim1");
        assert_eq!(own.betas, Some(vec![1e-3, 0.1, 0.5]));
        // Whole timesteps have no fractions.
        assert_eq!("ddim:5".parse::<PlanSpec>().unwrap().times(&bars).unwrap(), [50.0, 40.0, 30.0, 20.0, 10.0]);
        for (text, word) in [
            ("dpm:fast7", "nor fast6, nor betas"),
            ("dpm:0.1,2", "\"2\" is no beta"),
            ("dpm:0.1,,0.2", "\"\" is no beta"),
            ("dpm:-0.1", "is no beta"),
            ("langevin:fast6", "takes a number of steps, no betas"),
            ("bits:fast6", "takes a number of steps, no betas"),
            ("dpm:fast6:first=0.9", "leave first out"),
            ("dpm:fast6:spacing=logsnr", "leave spacing out"),
            ("dpm:fast6:corrector=1", "leave corrector out"),
            ("dpm:5:start=loud", "start is normal or noise"),
            ("bits:5:start=noise", "bits takes first=, last= and spacing= alone"),
        ] {
            let error = text.parse::<PlanSpec>().unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
        let far = "dpm:0.5,0.9".parse::<PlanSpec>().unwrap().steps(Prediction::Epsilon, &bars, &[]).unwrap_err();
        assert!(far.to_string().contains("lead to alpha_bar 5.000e-2, and the schedule ends at 2.797e-1"), "{far}");
        let learned = "ddpm:fast6:variance=learned".parse::<PlanSpec>().unwrap();
        let learned = learned.steps(Prediction::Epsilon, &bars, &[0.0; 50]).unwrap_err();
        assert!(learned.to_string().contains("between them"), "{learned}");
    }

    #[test]
    fn plans_over_bits_are_of_their_process() {
        let kept: Vec<f64> = (1..=10).map(|t| 1.0 - f64::from(t) / 10.0).collect();
        let build = |text: &str| text.parse::<PlanSpec>().unwrap().bit_steps(&kept, 0.5);
        let visited = |text: &str| build(text).unwrap().iter().map(|step| step.timestep).collect::<Vec<_>>();
        assert_eq!(visited("bits:3"), [10, 7, 4]);
        assert_eq!(visited("bits:2:first=5:spacing=quadratic"), [5, 1]);
        for (text, reason) in [
            ("ddim:5", "plan ddim5: ddim is of the Gaussian process"),
            ("bits:11", "11 steps do not fit 10 timesteps"),
            ("bits:5:spacing=logsnr", "give uniform or quadratic"),
            ("bits:5:first=11", "ends at 10"),
        ] {
            let error = build(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        let gaussian = "bits:3".parse::<PlanSpec>().unwrap().steps(Prediction::V, &kept[..9], &[]).unwrap_err();
        assert!(gaussian.to_string().contains("bits is of the binomial process"), "{gaussian}");
    }
}
