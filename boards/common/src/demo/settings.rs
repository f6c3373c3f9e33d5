//! What is to be drawn.

use super::command::Sample;
use brownian::{Model, Plan};
use core::fmt;

/// Seed, class and plan of a draw.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings<'m> {
    pub seed: u64,
    /// `None` draws without a class.
    pub class: Option<u16>,
    pub plan: Plan<'m>,
}

/// Why a `sample` cannot be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal<'a> {
    /// The model has no such plan.
    Plan(&'a str),
    /// The model has no such class.
    Class { word: &'a str, classes: u16 },
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Plan(name) => write!(f, "the model has no plan '{name}': plans names what it has"),
            Self::Class { word, classes: 0 } => {
                write!(f, "no class '{word}': the model has no classes, use class=none")
            }
            Self::Class { word, classes } => {
                write!(f, "the model has no class '{word}': use class=0 to class={} or class=none", classes - 1)
            }
        }
    }
}

/// A class as the serial line and the display name it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClassName(pub Option<u16>);

impl fmt::Display for ClassName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(class) => write!(f, "{class}"),
            None => f.write_str("none"),
        }
    }
}

impl fmt::Display for Settings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed={} class={} plan={}", self.seed, ClassName(self.class), self.plan.name())
    }
}

impl<'m> Settings<'m> {
    /// Seed 1, the first class if there is one, the plan of the fewest steps from five on; `None` for a model without
    /// plans, which none is that has been parsed.
    pub fn first(model: &Model<'m>) -> Option<Self> {
        let plan = model.plans().min_by_key(|plan| (plan.len() < 5, plan.len()))?;
        Some(Self { seed: 1, class: (model.classes() > 0).then_some(0), plan })
    }

    /// The next seed.
    pub fn next_seed(&mut self) {
        self.seed = self.seed.wrapping_add(1);
    }

    /// The next class; after the last comes the first. A model without classes has none.
    pub fn next_class(&mut self, model: &Model) {
        let next = self.class.map_or(0, |class| class.saturating_add(1));
        self.class = next.checked_rem(model.classes());
    }

    /// Takes what is said, all or nothing.
    pub fn sample<'a>(&mut self, sample: &Sample<'a>, model: &Model<'m>) -> Result<(), Refusal<'a>> {
        let mut new = *self;
        if let Some(name) = sample.plan {
            new.plan = model.plan(name).ok_or(Refusal::Plan(name))?;
        }
        if let Some(word) = sample.class {
            let classes = model.classes();
            let refusal = Refusal::Class { word, classes };
            new.class = match word {
                "none" => None,
                _ => Some(word.parse().ok().filter(|&class| class < classes).ok_or(refusal)?),
            };
        }
        new.seed = sample.seed.unwrap_or(new.seed);
        *self = new;
        Ok(())
    }
}
