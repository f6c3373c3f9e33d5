//! How plans are written: `[NAME=]METHOD:STEPS[:OPTION…]`.

use super::{First, PlanSpec, PlanSpecError, Result, BITS, MOST_STEPS};
use crate::format::MAX_PLAN_NAME;
use crate::plan::{Method, MethodSpec, OptionError, Spacing, Start, Values, FAST6, METHODS};
use core::str::FromStr;
use std::borrow::ToOwned;
use std::format;
use std::string::String;
use std::vec::Vec;

/// Signal-to-noise ratio of a corrector's steps, of those of Song et al. 2021.
const USUAL_SNR: f64 = 0.16;

/// Name of [`FAST6`].
const FAST: &str = "fast6";

/// How specs are written, behind every error.
const USAGE: &str = "a plan is [NAME=]METHOD:STEPS[:OPTION...], as in fast5=dpm:5:first=0.93";

/// The names of all methods.
fn methods() -> String {
    let names: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
    format!("{} or, of a binomial process, {BITS}", names.join(", "))
}

/// The options that a method takes.
fn options(method: &MethodSpec) -> String {
    let own = method.options.iter().map(|option| match option.values {
        Values::Flag => option.name.to_owned(),
        values => format!("{}={values}", option.name),
    });
    let levels = match method.repeats {
        true => "levels=N",
        false => "corrector=K, snr=R",
    };
    own.chain([format!("first=T, last=T, spacing={}, {levels}, start=noise, noclip", spacings())])
        .collect::<Vec<_>>()
        .join(", ")
}

fn spacings() -> String {
    Spacing::ALL.map(|spacing| spacing.name()).join(" or ")
}

impl FromStr for PlanSpec {
    type Err = PlanSpecError;

    fn from_str(text: &str) -> Result<Self> {
        let fail = |what: String| PlanSpecError(format!("plan {text:?}: {what}; {USAGE}"));
        let (name, spec) = match text.split_once('=') {
            Some((name, spec)) if !name.contains(':') => (Some(name), spec),
            _ => (None, text),
        };
        let mut parts = spec.split(':');
        let method_name = parts.next().unwrap_or_default();
        let mut method = match method_name {
            BITS => None,
            name => Some(
                Method::named(name)
                    .ok_or_else(|| fail(format!("there is no method {name:?}; METHOD is one of {}", methods())))?,
            ),
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
                    spacing = Some(
                        named.ok_or_else(|| fail(format!("there is no spacing {value:?}; it is {}", spacings())))?,
                    );
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
                    *method = method.with(name, value).map_err(|e| match e {
                        OptionError::Unknown { method } => {
                            fail(format!("{option:?}: {e}, which takes {}", options(method)))
                        }
                        OptionError::Value { .. } => fail(format!("{option:?}: {e}")),
                    })?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

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
    }

    #[test]
    fn wrong_specs_say_what_is_wrong() {
        for (text, word) in [
            ("euler:10", "METHOD is one of ddpm, ddim, dpm"),
            ("ddim", "missing"),
            ("ddim:0", "number of steps"),
            ("ddim:10:eta=2", "eta"),
            ("ddpm:10:eta=1", "not an option of ddpm, which takes variance=one of beta"),
            ("dpm:5:first=1.5", "neither"),
            ("dpm:5:spacing=cubic", "it is uniform or quadratic"),
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
            let error = error.to_string();
            assert!(error.contains(word) && error.ends_with(USAGE) && error.len() < 400, "{text}: {error}");
        }
        assert!(PlanSpec::parse_all(&["ddim:5".into(), "ddim:5:noclip".into()]).is_err());
        let many: Vec<String> = (1..=65).map(|steps| format!("ddim:{steps}")).collect();
        assert_eq!(PlanSpec::parse_all(&many[..64]).unwrap().len(), 64);
        assert!(PlanSpec::parse_all(&many).unwrap_err().to_string().contains("at most 64"));
    }
}
