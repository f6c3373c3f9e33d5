//! What to sample, as words on a command line: `plan=ddim50 seeds=1..9 class=3 guidance=384 steps=10`;
//! `class=seed` draws class seed mod classes, `class=long+happy` classes by their names. Firmware that edits also takes `evaluations=2`, `from=STEP`
//! (image-to-image), `inpaint=1`, `multiply=1`, `save=STEPS` and `resume=BYTES`; see [`edit`](crate::edit).

use brownian::{Builder, Condition, Model, Plan, Sampler, StateElement};
use core::fmt;

/// What to sample. Absent words keep the [`Default`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request<'a> {
    /// The plan's name; `None` is the model's first.
    pub plan: Option<&'a str>,
    /// First seed, see [`seeds`](Self::seeds).
    first_seed: u64,
    /// How many seeds.
    seeds: u64,
    /// Which class to draw.
    class: Class<'a>,
    /// Guidance scale in 1/256.
    guidance: Option<u16>,
    /// Whether it acts on two evaluations.
    pub two_evaluations: bool,
    /// Image-to-image: the first step.
    pub from: Option<u16>,
    /// Whether to inpaint.
    pub inpaint: bool,
    /// Whether to do so by multiplying distributions.
    pub multiply: bool,
    /// Prints a snapshot when so many steps of the plan are made.
    pub save: Option<u32>,
    /// Takes up a snapshot of so many bytes.
    pub resume: Option<u32>,
    /// Stops a chain after so many steps.
    pub steps: u32,
}

impl Default for Request<'_> {
    fn default() -> Self {
        Self {
            plan: None,
            first_seed: 1,
            seeds: 1,
            class: Class::None,
            guidance: None,
            two_evaluations: false,
            from: None,
            inpaint: false,
            multiply: false,
            save: None,
            resume: None,
            steps: u32::MAX,
        }
    }
}

/// The combination of a class an axis that has the number `seed`, modulo their count, the first axis changing first; no
/// class where the model knows none.
pub fn of_seed(model: &Model, seed: u64) -> Condition {
    let (mut condition, mut rest) = (Condition::NONE, seed);
    for (axis, &count) in model.class_counts().iter().enumerate() {
        if let (Some(class), Some(left)) = (rest.checked_rem(count.into()), rest.checked_div(count.into())) {
            condition = condition.with(axis, class as u16);
            rest = left;
        }
    }
    condition
}

/// The classes of these names, joined by `+`.
///
/// # Errors
/// A name that is not found, or on two axes.
pub fn named(model: &Model, names: &str) -> Result<Condition, UnknownClass> {
    let mut condition = Condition::NONE;
    for name in names.split('+') {
        let mut found = model.axes().filter_map(|axis| axis.class(name).map(|class| (axis.index(), class)));
        let (Some((axis, class)), None) = (found.next(), found.next()) else { return Err(UnknownClass) };
        condition = condition.with(axis, class);
    }
    Ok(condition)
}

/// The model has no class of a name that was asked for, or has it on two axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownClass;

impl fmt::Display for UnknownClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the model has no class of that name, or has it on two axes")
    }
}

/// Which class to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Class<'a> {
    /// An unconditional draw.
    None,
    /// This one of the only axis.
    One(u16),
    /// Those of these names, joined by `+`.
    Named(&'a str),
    /// That of the seed, see [`of_seed`].
    Seed,
}

/// A word that is no `key=value` of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadWord<'a>(pub &'a str);

impl fmt::Display for BadWord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot read '{}': use plan=NAME seeds=A..B class=C guidance=G steps=N evaluations=2 from=STEP inpaint=1 multiply=1 \
             save=STEPS resume=BYTES",
            self.0
        )
    }
}

impl<'a> Request<'a> {
    /// The plan asked for, or the model's first.
    pub fn choose<'m>(&self, model: &Model<'m>) -> Option<Plan<'m>> {
        match self.plan {
            Some(name) => model.plan(name),
            None => model.plans().next(),
        }
    }

    /// The chain of this seed, but for what [`edit`](crate::edit) adds.
    ///
    /// # Errors
    /// A class by a name that the model does not have, or has on two axes.
    pub fn ask<'m, E: StateElement>(
        &self,
        model: &'m Model<'m>,
        plan: Plan<'m>,
        seed: u64,
    ) -> Result<Builder<'m, E>, UnknownClass> {
        let mut chain = Sampler::builder(model, plan).seed(seed);
        chain = match self.class {
            Class::None => chain,
            Class::One(class) => chain.class(class),
            Class::Named(names) => chain.condition(named(model, names)?),
            Class::Seed => chain.condition(of_seed(model, seed)),
        };
        if let Some(scale) = self.guidance {
            chain = chain.guidance(f32::from(scale) / 256.0);
        }
        Ok(chain)
    }

    /// The seeds, one image each.
    pub fn seeds(&self) -> core::ops::Range<u64> {
        self.first_seed..self.first_seed.saturating_add(self.seeds)
    }

    /// Takes one word into account.
    pub fn word(self, word: &'a str) -> Result<Self, BadWord<'a>> {
        let bad = BadWord(word);
        let (key, value) = word.split_once('=').ok_or(bad)?;
        Ok(match key {
            "plan" => Self { plan: Some(value), ..self },
            "seeds" => {
                let (first, end) = value.split_once("..").ok_or(bad)?;
                let first_seed = first.parse().map_err(|_| bad)?;
                let end: u64 = end.parse().map_err(|_| bad)?;
                Self { first_seed, seeds: end.checked_sub(first_seed).ok_or(bad)?, ..self }
            }
            "class" if value == "seed" => Self { class: Class::Seed, ..self },
            "class" if value.starts_with(|c: char| c.is_ascii_digit()) => {
                Self { class: Class::One(value.parse().map_err(|_| bad)?), ..self }
            }
            "class" if !value.is_empty() && !value.starts_with('-') => Self { class: Class::Named(value), ..self },
            "guidance" => Self { guidance: Some(value.parse().map_err(|_| bad)?), ..self },
            "evaluations" if value == "2" => Self { two_evaluations: true, ..self },
            "from" => Self { from: Some(value.parse().map_err(|_| bad)?), ..self },
            "inpaint" if value == "1" => Self { inpaint: true, ..self },
            "multiply" if value == "1" => Self { inpaint: true, multiply: true, ..self },
            "save" => Self { save: Some(value.parse().map_err(|_| bad)?), ..self },
            "resume" => Self { resume: Some(value.parse().map_err(|_| bad)?), ..self },
            "steps" => Self { steps: value.parse().map_err(|_| bad)?, ..self },
            _ => return Err(bad),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words override the defaults one by one.
    #[test]
    fn reads_words() {
        let request = ["plan=ddim50", "seeds=3..11", "class=7", "guidance=384", "steps=6"]
            .into_iter()
            .try_fold(Request::default(), Request::word);
        let expected = Request {
            plan: Some("ddim50"),
            first_seed: 3,
            seeds: 8,
            class: Class::One(7),
            guidance: Some(384),
            steps: 6,
            ..Request::default()
        };
        assert_eq!(request, Ok(expected));
    }

    /// Words are classes' names, numbers those of the only axis.
    #[test]
    fn reads_classes() {
        let class = |word| Request::default().word(word).map(|request| request.class);
        assert_eq!(class("class=long+happy"), Ok(Class::Named("long+happy")));
        assert_eq!(class("class=12"), Ok(Class::One(12)));
        assert_eq!(class("class=seed"), Ok(Class::Seed));
        assert!(class("class=").is_err() && class("class=3x").is_err());
    }

    /// The words of firmware that edits.
    #[test]
    fn reads_edits() {
        let words = ["evaluations=2", "from=3", "inpaint=1", "save=4", "resume=6372"];
        let request = words.into_iter().try_fold(Request::default(), Request::word).unwrap();
        let expected = Request {
            two_evaluations: true,
            from: Some(3),
            inpaint: true,
            save: Some(4),
            resume: Some(6372),
            ..Request::default()
        };
        assert_eq!(request, expected);
    }

    /// A foreign word, a bad number and a reversed range are named.
    #[test]
    fn names_bad_words() {
        for word in [
            "seed",
            "seeds=9..3",
            "class=-1",
            "speed=3",
            "steps=x",
            "seeds=4",
            "evaluations=3",
            "inpaint=0",
            "multiply=2",
            "from=",
        ] {
            assert_eq!(Request::default().word(word), Err(BadWord(word)));
        }
    }
}
