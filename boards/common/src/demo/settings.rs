//! What is to be drawn.

use super::command::Sample;
use brownian::{Axis, Condition, Model, Plan};
use core::fmt;

/// Seed, classes and plan of a draw.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings<'m> {
    pub seed: u64,
    /// A class or none on every axis of the model's labels.
    pub condition: Condition,
    pub plan: Plan<'m>,
    model: &'m Model<'m>,
}

/// Why a `sample` cannot be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal<'a> {
    /// The model has no such plan.
    Plan(&'a str),
    /// The model has no classes.
    NoClasses(&'a str),
    /// No axis has such a class.
    Class(&'a str),
    /// Two axes have it.
    TwoAxes(&'a str),
    /// The word before has named a class of that axis already.
    Twice(&'a str),
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Plan(name) => write!(f, "the model has no plan '{name}': plans names what it has"),
            Self::NoClasses(word) => write!(f, "no class '{word}': the model has no classes, use class=none"),
            Self::Class(word) => {
                write!(f, "the model has no class '{word}': classes names what it has, none is no class")
            }
            Self::TwoAxes(word) => write!(f, "two axes have a class '{word}': use class=AXIS={word}"),
            Self::Twice(word) => write!(f, "class '{word}' is the second of its axis: use one class an axis"),
        }
    }
}

/// The classes of a condition by their names, as `class=` takes them: `none`, `3`, `glasses+long`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Classes<'m> {
    model: &'m Model<'m>,
    condition: Condition,
}

impl fmt::Display for Classes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut found = false;
        for axis in self.model.axes() {
            let Some(number) = self.condition.class_on(axis.index()) else { continue };
            let name = axis.classes().nth(number.into()).unwrap_or("?");
            if found {
                f.write_str("+")?;
            }
            found = true;
            if self.model.axes().filter(|other| other.class(name).is_some()).count() > 1 {
                write!(f, "{}=", axis.name())?;
            }
            f.write_str(name)?;
        }
        if found {
            Ok(())
        } else {
            f.write_str("none")
        }
    }
}

impl fmt::Display for Settings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed={} class={} plan={}", self.seed, self.classes(), self.plan.name())
    }
}

impl<'m> Settings<'m> {
    /// Seed 1, the first class of every axis, the plan of the fewest steps from five on; `None` for a model without
    /// plans, which none is that has been parsed.
    pub fn first(model: &'m Model<'m>) -> Option<Self> {
        let plan = model.plans().min_by_key(|plan| (plan.len() < 5, plan.len()))?;
        let condition = model.axes().fold(Condition::NONE, |condition, axis| condition.with(axis.index(), 0));
        Some(Self { seed: 1, condition, plan, model })
    }

    /// The names of the classes.
    pub fn classes(&self) -> Classes<'m> {
        Classes { model: self.model, condition: self.condition }
    }

    /// The next seed.
    pub fn next_seed(&mut self) {
        self.seed = self.seed.wrapping_add(1);
    }

    /// The next class: of several axes the first turns fastest, as the digits of a counter do. After the last
    /// combination comes the first; an axis without a class gets its first one.
    pub fn next_class(&mut self) {
        for (axis, &count) in self.model.class_counts().iter().enumerate() {
            let next = self.condition.class_on(axis).map_or(0, |class| class.saturating_add(1));
            self.condition = self.condition.with(axis, if next < count { next } else { 0 });
            if next < count {
                return;
            }
        }
    }

    /// Takes what is said, all or nothing.
    pub fn sample<'a>(&mut self, sample: &Sample<'a>) -> Result<(), Refusal<'a>> {
        let mut new = *self;
        if let Some(name) = sample.plan {
            new.plan = self.model.plan(name).ok_or(Refusal::Plan(name))?;
        }
        match sample.class {
            None => {}
            Some("none") => new.condition = Condition::NONE,
            Some(words) => new.condition = self.named(words)?,
        }
        new.seed = sample.seed.unwrap_or(new.seed);
        *self = new;
        Ok(())
    }

    /// The condition of words that `+` joins; axes that are not named stay without a class.
    fn named<'a>(&self, words: &'a str) -> Result<Condition, Refusal<'a>> {
        if self.model.classes() == 0 {
            return Err(Refusal::NoClasses(words));
        }
        let mut condition = Condition::NONE;
        for word in words.split('+') {
            let mut found = self.model.axes().filter_map(|axis| Some((axis.index(), class_of(axis, word)?)));
            let (axis, class) = found.next().ok_or(Refusal::Class(word))?;
            if found.next().is_some() {
                return Err(Refusal::TwoAxes(word));
            }
            if condition.class_on(axis).is_some() {
                return Err(Refusal::Twice(word));
            }
            condition = condition.with(axis, class);
        }
        Ok(condition)
    }
}

/// The class that `NAME` or `AXIS=NAME` is on this axis.
fn class_of(axis: Axis<'_>, word: &str) -> Option<u16> {
    match word.split_once('=') {
        Some((name, class)) => (name == axis.name()).then(|| axis.class(class)).flatten(),
        None => axis.class(word),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use brownian::format::{AxisHeader, Conditioning, Header};
    use brownian::host::{encode, encode_item, OwnedModel};
    use std::string::ToString;
    use std::vec;
    use std::vec::Vec;

    /// The digits of the nano model, labelled anew: rows of its class table serve two axes.
    fn two_axes() -> OwnedModel {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/digits28-nano.brn");
        let model = OwnedModel::read(file).unwrap();
        let mut axes = vec![];
        for (name, classes) in [("hair", &["short", "long"][..]), ("extra", &["hat", "long", "glasses"])] {
            let mut class_names = vec![];
            classes.iter().for_each(|class| encode_item(class, &mut class_names).unwrap());
            let header = AxisHeader { name, classes: classes.len() as u16, class_names: &class_names };
            encode_item(&header, &mut axes).unwrap();
        }
        let model = model.model();
        let conditioning = Conditioning { axis_count: 2, axes: &axes, ..model.header().conditioning };
        let header = Header { conditioning, ..*model.header() };
        let bytes = encode(
            &header,
            model.blob(),
            model.arena_len() as u32,
            (model.state_len() as u32, brownian::StateKind::F32),
        )
        .unwrap();
        OwnedModel::new(&bytes).unwrap()
    }

    fn after(words: &str, settings: &Settings) -> std::string::String {
        let mut new = *settings;
        match new.sample(&Sample { class: Some(words), ..Sample::default() }) {
            Ok(()) => new.classes().to_string(),
            Err(refusal) => refusal.to_string(),
        }
    }

    /// Long presses go through all combinations, the first axis turning fastest, and come back.
    #[test]
    fn long_presses_go_through_every_axis() {
        let file = two_axes();
        let model = file.model();
        let mut settings = Settings::first(&model).unwrap();
        let seen: Vec<_> = core::iter::repeat_with(|| {
            let name = settings.classes().to_string();
            settings.next_class();
            name
        })
        .take(7)
        .collect();
        let expected = [
            "short+hat",
            "hair=long+hat",
            "short+extra=long",
            "hair=long+extra=long",
            "short+glasses",
            "hair=long+glasses",
            "short+hat",
        ];
        assert_eq!(seen, expected);
        settings.condition = Condition::NONE.with(1, 2);
        settings.next_class();
        assert_eq!(settings.classes().to_string(), "short+glasses");
    }

    /// Names are read back as they are written; what is wrong with them is said.
    #[test]
    fn classes_are_named() {
        let file = two_axes();
        let model = file.model();
        let settings = Settings::first(&model).unwrap();
        for words in ["none", "glasses", "short", "short+glasses", "hair=long+extra=long"] {
            assert_eq!(after(words, &settings), words);
        }
        assert_eq!(after("hat+short", &settings), "short+hat");
        for (words, said) in [
            ("long", "two axes have a class 'long': use class=AXIS=long"),
            ("hat+glasses", "'glasses' is the second of its axis"),
            ("bald", "no class 'bald': classes names"),
            ("hair=hat", "no class 'hair=hat'"),
            ("hat+", "no class ''"),
            ("1", "no class '1'"),
        ] {
            assert!(after(words, &settings).contains(said), "{words}: {}", after(words, &settings));
        }
    }
}
