//! What `--class` says: classes by number or by name, on one axis of labels or on several.
use crate::{Error, Result};
use brownian::host::Classes;
use brownian::Model;

/// What a text asks of a model, see [`Classes::named`].
///
/// # Errors
/// What that refuses (usage).
pub fn classes(text: &str, model: &Model) -> Result<Classes> {
    Classes::named(text, model).map_err(|reason| Error::Usage(format!("--class {text}: {reason}")))
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
        let file = self::model(&[("vehicle", &["car", "cycle"])]);
        let error = classes("cycle", &file.model()).unwrap_err().to_string();
        assert!(error.contains("write vehicle=cycle for the class"), "{error}");
        let named = classes("vehicle=cycle", &file.model()).unwrap();
        assert_eq!(named, Classes::One(brownian::Condition::class(1)));
        assert!(classes("3", &model).is_err());
        let file = self::model(&[]);
        let model = file.model();
        let error = classes("0", &model).unwrap_err().to_string();
        assert!(error.contains("not conditioned on classes"), "{error}");
    }
}
