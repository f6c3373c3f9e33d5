//! Which classes the images of a batch are of, and the words in which that is asked for.

use crate::axis::Axis;
use crate::conditioning::{Condition, Guidance};
use crate::model::Model;
use std::format;
use std::string::String;
use std::vec::Vec;

/// Names that an error lists of an axis, at most.
const LISTED: usize = 20;

/// What to draw: image i of the batch gets `condition(first + i)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Classes {
    /// No class.
    None,
    /// Always these.
    One(Condition),
    /// Image i gets class i mod (number of classes); on several axes the combinations take turns, the first axis
    /// changing first.
    Cycle,
}

impl Classes {
    /// What a text asks of a model: `cycle`, a class by its name or number, or several joined by `+`; `axis=class` says
    /// which axis is meant. Axes that are not named stay without a class.
    ///
    /// ```
    /// use brownian::host::{Classes, OwnedModel};
    /// use brownian::Condition;
    ///
    /// let file = OwnedModel::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"))?;
    /// let model = file.model();
    /// assert_eq!(Classes::named("7", &model)?, Classes::One(Condition::class(7)));
    /// assert_eq!(Classes::named("cycle", &model)?, Classes::Cycle);
    /// assert!(Classes::named("ten", &model).unwrap_err().contains("there is no class \"ten\""));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A class or axis that the model does not have, a name that is found on two axes, two classes of one axis: a line
    /// that says which there are.
    pub fn named(text: &str, model: &Model) -> Result<Self, String> {
        named(text, model)
    }

    /// The condition of image `image` for a model with so many classes an axis.
    pub fn condition(self, image: u32, counts: &[u16], guidance: Guidance) -> Condition {
        let condition = match self {
            Self::None => Condition::NONE,
            Self::One(condition) => condition,
            Self::Cycle => combination(image.into(), counts),
        };
        if condition.is_none() {
            condition
        } else {
            condition.under(guidance)
        }
    }
}

/// Combination number `number`, modulo their count, of a class an axis.
fn combination(number: u64, counts: &[u16]) -> Condition {
    let mut rest = number;
    let mut condition = Condition::NONE;
    for (axis, count) in counts.iter().enumerate() {
        if let Some(class) = rest.checked_rem(u64::from(*count)) {
            condition = condition.with(axis, class as u16);
        }
        rest /= u64::from(*count).max(1);
    }
    condition
}

/// What a text asks of a model; see [`Classes::named`].
fn named(text: &str, model: &Model) -> Result<Classes, String> {
    let axes: Vec<Axis> = model.axes().collect();
    if axes.is_empty() {
        return Err("the model is not conditioned on classes".into());
    }
    if text == "cycle" {
        return match axes.iter().find(|axis| axis.class(text).is_some()).map(Axis::name) {
            Some(way) => {
                Err(format!("is a class and the word for all classes in turn: write {way}=cycle for the class"))
            }
            None => Ok(Classes::Cycle),
        };
    }
    // A name may hold a plus sign.
    if let Ok((axis, class)) = find(text, &axes) {
        return Ok(Classes::One(Condition::NONE.with(axis, class)));
    }
    let mut condition = Condition::NONE;
    for word in text.split('+') {
        let (axis, class) = find(word, &axes)?;
        if condition.class_on(axis).is_some() {
            return Err(format!("two classes of {}, of which an image has one", axes[axis].name()));
        }
        condition = condition.with(axis, class);
    }
    Ok(Classes::One(condition))
}

/// The axis and the class that a word names.
fn find(word: &str, axes: &[Axis]) -> Result<(usize, u16), String> {
    let found: Vec<(usize, u16)> = axes.iter().filter_map(|axis| Some((axis.index(), axis.class(word)?))).collect();
    match found[..] {
        [one] => return Ok(one),
        [] => {}
        _ => {
            let ways = found.iter().map(|(axis, _)| format!("{}={word}", axes[*axis].name()));
            return Err(format!("{word:?} is a class on {} axes: write {}", found.len(), or(ways.collect())));
        }
    }
    if let Some((name, class)) = word.split_once('=') {
        if let Some(axis) = axes.iter().find(|axis| axis.name() == name) {
            let number = axis.class(class).or_else(|| numbered(class, axis));
            let unknown = || format!("{name} has no class {class:?}; {}", listed(axis));
            return Ok((axis.index(), number.ok_or_else(unknown)?));
        }
    }
    if let [axis] = axes {
        if let Some(class) = numbered(word, axis) {
            return Ok((0, class));
        }
        return Err(format!("there is no class {word:?}; {}", listed(axis)));
    }
    let all: Vec<String> = axes.iter().map(|axis| format!("{}: {}", axis.name(), listed(axis))).collect();
    Err(format!("there is no class {word:?}; {}", all.join("; ")))
}

/// The class of this number; numbers name no class where classes have numbers for names that mean others.
fn numbered(word: &str, axis: &Axis) -> Option<u16> {
    let number: u16 = word.parse().ok()?;
    let named_by_numbers = axis.classes().any(|name| name.parse::<u64>().is_ok());
    (usize::from(number) < axis.len() && !named_by_numbers).then_some(number)
}

/// The names of an axis's classes, as many as can be read at a glance.
fn listed(axis: &Axis) -> String {
    let names: Vec<&str> = axis.classes().take(LISTED).collect();
    let more = axis.len() - names.len();
    match more {
        0 => format!("it has {}", names.join(", ")),
        _ => format!("it has {} and {more} more (see `trainer inspect`)", names.join(", ")),
    }
}

fn or(mut ways: Vec<String>) -> String {
    let last = ways.pop().unwrap_or_default();
    format!("{} or {last}", ways.join(", "))
}
