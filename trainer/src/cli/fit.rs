//! `train --fit-ram --fit-flash`: the largest preset that a chip has room for.
use crate::export::usual_plans;
use crate::lower;
use crate::nets::{Choice, Spec, Variation, PRESETS};
use crate::report::note::note;
use crate::run::Config;
use crate::{Error, Result};
use brownian::host::{OwnedModel, Report};
use clap::Args;
use std::str::FromStr;

/// Factors on the channels of every preset that are considered.
const WIDTHS: [f64; 3] = [1.0, 0.75, 0.5];

/// The chip that a network is to fit.
#[derive(Debug, Args)]
pub struct FitArgs {
    /// Take the largest preset whose arena and state fit this much memory, such as `64K`; the firmware's stack and
    /// variables, 2 to 4 KB, come besides.
    #[arg(long, value_name = "SIZE", conflicts_with_all = ["preset", "net", "width", "from", "resume"])]
    fit_ram: Option<Size>,
    /// Take the largest preset whose model file fits this much flash, such as `256K`; the code, 20 to 27 KB, comes
    /// besides.
    #[arg(long, value_name = "SIZE", conflicts_with_all = ["preset", "net", "width", "from", "resume"])]
    fit_flash: Option<Size>,
}

/// A number of bytes: `65536`, `64K` or `1M`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Size(usize);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (number, unit) = match text.to_ascii_uppercase().trim_end_matches('B') {
            text if text.ends_with('K') => (text[..text.len() - 1].to_owned(), 1 << 10),
            text if text.ends_with('M') => (text[..text.len() - 1].to_owned(), 1 << 20),
            text => (text.to_owned(), 1),
        };
        let bytes = number.parse::<usize>().ok().and_then(|number| number.checked_mul(unit));
        bytes.map(Self).ok_or_else(|| "give bytes, as 65536, 64K or 1M".into())
    }
}

/// A network that is considered.
struct Candidate {
    name: &'static str,
    width: f64,
    spec: Spec,
    weights: usize,
    report: Report,
}

impl FitArgs {
    /// The largest preset that fits, of a run that is like `config` otherwise; none where nothing is asked. Says what
    /// was considered.
    ///
    /// # Errors
    /// Images that no preset takes, or that none fits the chip with.
    pub fn choose(&self, config: &Config) -> Result<Option<(String, Spec)>> {
        let [ram, flash] = [self.fit_ram, self.fit_flash].map(|size| size.map_or(usize::MAX, |size| size.0));
        if ram == usize::MAX && flash == usize::MAX {
            return Ok(None);
        }
        let mut candidates = candidates(config)?;
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.weights));
        let fits = |c: &Candidate| c.report.arena + c.report.state <= ram && c.report.flash <= flash;
        let chosen = candidates.iter().position(fits);
        note(format_args!("{:<14} {:>8} {:>9} {:>9} {:>9} {:>9}", "", "weights", "arena", "state", "RAM", "flash"));
        for (i, candidate) in candidates.iter().enumerate() {
            let Candidate { name, width, weights, report, .. } = candidate;
            let name = if *width == 1.0 { (*name).to_owned() } else { format!("{name} x {width}") };
            let [arena, state, both, flash] = [report.arena, report.state, report.arena + report.state, report.flash]
                .map(|bytes| format!("{:.1} KB", bytes as f64 / 1024.0));
            let verdict = match chosen {
                Some(chosen) if chosen == i => "chosen",
                _ if fits(candidate) => "fits",
                _ => "too large",
            };
            note(format_args!("{name:<14} {weights:>8} {arena:>9} {state:>9} {both:>9} {flash:>9}  {verdict}"));
        }
        let Some(chosen) = chosen else {
            return Err(Error::Invalid(
                "no preset fits; take smaller images, or describe a smaller network with --net".into(),
            ));
        };
        let Candidate { name, spec, .. } = candidates.swap_remove(chosen);
        Ok(Some((name.into(), spec)))
    }
}

/// Every preset in every width, lowered with the plans that an export has if none are asked.
fn candidates(config: &Config) -> Result<Vec<Candidate>> {
    let plans = usual_plans(config).into_iter().filter_map(|plan| config.plans(&[plan]).ok()).flatten();
    let plans: Vec<_> = plans.collect();
    let mut found: Vec<Candidate> = vec![];
    for preset in &PRESETS {
        let full = preset.fit(config.shape())?;
        for width in WIDTHS {
            let spec = Variation { width, ..Variation::default() }.of(&full)?;
            let graph = Config { network: Choice::Spec(spec.clone()), ..config.clone() }.graph()?;
            // What no model file holds fits nowhere.
            let Ok(file) = lower::trial(&graph, &plans) else { continue };
            let report = Report::new(&OwnedModel::new(&file)?.model(), file.len());
            found.push(Candidate { name: preset.name, width, spec, weights: graph.weight_count(), report });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::graph::Shape;

    #[test]
    fn sizes_are_read() {
        let read = |text: &str| text.parse::<Size>().ok();
        assert_eq!(["65536", "64K", "64kb", "2M"].map(read), [65536, 65536, 65536, 2 << 20].map(|n| Some(Size(n))));
        assert_eq!(["", "K", "-1", "1.5K", "99999999999999999999M"].map(read), [None; 5]);
    }

    /// A larger chip gets a larger network, and each fits.
    #[test]
    fn the_largest_that_fits_is_chosen() {
        let images = vec![0.0; 768].into();
        let data = Dataset { source: "t".into(), shape: Shape::new(16, 16, 3), images, labels: None, sound: None };
        let config = Config::new("small", &data);
        let choose = |ram: usize, flash: usize| {
            FitArgs { fit_ram: Some(Size(ram << 10)), fit_flash: Some(Size(flash << 10)) }.choose(&config)
        };
        let weights = [(12, 64), (24, 256), (64, 1024)].map(|(ram, flash)| {
            let (_, spec) = choose(ram, flash).unwrap().unwrap();
            spec.build(data.shape, &[]).unwrap().weight_count()
        });
        assert!(weights.is_sorted() && weights[0] < 30_000 && weights[2] > 300_000, "{weights:?}");
        assert!(choose(2, 64).unwrap_err().to_string().contains("no preset fits"));
        assert!(FitArgs { fit_ram: None, fit_flash: None }.choose(&config).unwrap().is_none());
    }
}
