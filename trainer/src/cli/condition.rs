//! What `--class` says: classes by number or by name, on one axis of labels or on several.
use crate::chain::Classes;
use crate::{Error, Result};
use brownian::{Axis, Condition, Model};

/// Names that an error lists of an axis, at most.
const LISTED: usize = 20;

/// What a text asks of a model: `cycle`, a class by its name or number, or several joined by `+`; `axis=class` says which
/// axis is meant. Axes that are not named stay without a class.
///
/// # Errors
/// A class or axis that the model does not have, a name that is found on two axes, two classes of one axis (usage).
pub fn classes(text: &str, model: &Model) -> Result<Classes> {
    let axes: Vec<Axis> = model.axes().collect();
    if axes.is_empty() {
        return Err(Error::Usage(format!("--class {text}: the model is not conditioned on classes")));
    }
    let fail = |reason: String| Error::Usage(format!("--class {text}: {reason}"));
    // A name may hold a plus sign.
    if let Ok((axis, class)) = find(text, &axes) {
        return Ok(Classes::One(Condition::NONE.with(axis, class)));
    }
    if text == "cycle" {
        return Ok(Classes::Cycle);
    }
    let mut condition = Condition::NONE;
    for word in text.split('+') {
        let (axis, class) = find(word, &axes).map_err(fail)?;
        if condition.class_on(axis).is_some() {
            return Err(fail(format!("two classes of {}, of which an image has one", axes[axis].name())));
        }
        condition = condition.with(axis, class);
    }
    Ok(Classes::One(condition))
}

/// The axis and the class that a word names.
fn find(word: &str, axes: &[Axis]) -> std::result::Result<(usize, u16), String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;
    use crate::graph::Shape;
    use crate::lower::{self, Choices, Title};
    use crate::nets;
    use crate::run::Config;
    use brownian::host::OwnedModel;

    /// An untrained model with these axes.
    fn model(axes: &[(&str, &[&str])]) -> OwnedModel {
        let axis = |(name, classes): &(&str, &[&str])| data::Axis {
            name: (*name).into(),
            classes: classes.iter().map(|class| (*class).into()).collect(),
        };
        let axes: Vec<data::Axis> = axes.iter().map(axis).collect();
        let counts: Vec<usize> = axes.iter().map(|axis| axis.classes.len()).collect();
        let graph = nets::build("tiny", Shape::new(8, 8, 1), &counts).unwrap();
        let network = graph.fold(&graph.params.init(1), &graph.stats.init(1)).unwrap();
        let plans = Config { timesteps: 100, ..Config::usual() }.plans(&["dpm:2".into()]).unwrap();
        let title = Title { name: "t", provenance: "", axes: &axes };
        let file = lower::quantize(title, &network, &plans, 1, &Choices::default()).unwrap().file;
        OwnedModel::new(&file).unwrap()
    }

    #[test]
    fn classes_have_names_on_axes() {
        let file = model(&[
            ("glasses", &["none", "glasses"]),
            ("hair", &["none", "short", "long"]),
            ("mood", &["1", "happy"]),
        ]);
        let model = file.model();
        let found = |text: &str| match classes(text, &model) {
            Ok(Classes::One(condition)) => [0, 1, 2].map(|axis| condition.class_on(axis)),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(found("glasses+long+happy"), [Some(1), Some(2), Some(1)]);
        assert_eq!(found("happy+hair=none"), [None, Some(0), Some(1)]);
        assert_eq!(found("hair=2"), [None, Some(2), None], "a number where no name is one");
        assert_eq!(found("1"), [None, None, Some(0)], "a name that is a number");
        assert_eq!(classes("cycle", &model).unwrap(), Classes::Cycle);
        for (text, reason) in [
            ("none", "is a class on 2 axes: write glasses=none or hair=none"),
            ("short+long", "two classes of hair"),
            (
                "curly",
                "there is no class \"curly\"; glasses: it has none, glasses; hair: it has none, short, long; mood:",
            ),
            ("hair=curly", "hair has no class \"curly\"; it has none, short, long"),
            ("hair=3", "hair has no class \"3\""),
            ("mood=0", "mood has no class \"0\"; it has 1, happy"),
            ("beard=long", "there is no class \"beard=long\""),
            ("2", "there is no class \"2\""),
            ("long+", "there is no class \"\""),
        ] {
            let error = classes(text, &model).unwrap_err();
            assert!(error.to_string().contains(reason) && error.exit_code() == 2, "{text}: {error}");
        }
    }

    #[test]
    fn one_axis_takes_numbers_and_names_with_any_sign() {
        let file = model(&[("language", &["c++", "rust", "a=b"])]);
        let model = file.model();
        let found = |text: &str| match classes(text, &model) {
            Ok(Classes::One(condition)) => condition.class_number(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(["c++", "rust", "a=b", "2", "language=rust"].map(found), [0, 1, 2, 2, 1].map(Some));
        assert!(classes("3", &model).is_err());
        let file = self::model(&[]);
        let error = classes("0", &file.model()).unwrap_err().to_string();
        assert!(error.contains("not conditioned on classes"), "{error}");
    }
}
