//! The data sets that are part of the program.
use super::found::{Found, Opened};
use super::options::Options;
use super::sound::spoken;
use super::{digits, faces16, heartbeat, swiss_roll, Dataset};
use crate::{Error, Result};
use std::path::Path;

/// Before the name of a built-in data set, where a file or folder has that name too.
const PREFIX: &str = "builtin:";

/// A data set that is part of the program.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// The images to train with; recordings are read with the options of sound.
    pub train: fn(&Options) -> Result<Opened>,
    /// Others to measure with.
    pub test: fn(&Options) -> Result<Opened>,
    /// Whether it is sound.
    pub sound: bool,
}

fn images(data: Result<Dataset>) -> Result<Opened> {
    data.map(|data| Opened { data, found: Found { form: "built in".into(), ..Found::default() } })
}

/// All of them.
pub const BUILT_IN: [BuiltIn; 5] = [
    BuiltIn { name: "digits", train: |_| images(digits::train()), test: |_| images(digits::test()), sound: false },
    BuiltIn { name: "faces16", train: |_| images(faces16::train()), test: |_| images(faces16::test()), sound: false },
    BuiltIn {
        name: spoken::SPOKEN,
        train: |options| spoken::train(&options.sound),
        test: |options| spoken::test(&options.sound),
        sound: true,
    },
    BuiltIn {
        name: "heartbeat",
        train: |_| images(heartbeat::train()),
        test: |_| images(heartbeat::test()),
        sound: false,
    },
    BuiltIn {
        name: "swissroll",
        train: |_| images(swiss_roll::train()),
        test: |_| images(swiss_roll::test()),
        sound: false,
    },
];

/// The built-in data set that `source` names, as `digits` or `builtin:digits`; `None` for the path of a file or folder.
///
/// # Errors
/// A name that a file or folder of the working directory has too, and `builtin:` before a name that is none.
pub fn named(source: &str) -> Result<Option<BuiltIn>> {
    let of_name = |name: &str| BUILT_IN.into_iter().find(|set| set.name == name);
    if let Some(name) = source.strip_prefix(PREFIX) {
        let names = BUILT_IN.map(|set| set.name).join(", ");
        let unknown = || Error::Usage(format!("{source}: there is no such built-in data set; there are {names}"));
        return of_name(name).map(Some).ok_or_else(unknown);
    }
    let found = of_name(source);
    if found.is_some() && Path::new(source).exists() {
        return Err(Error::Usage(format!(
            "--data {source}: there is a built-in data set and a file or folder of that name; write {PREFIX}{source} or \
             ./{source}"
        )));
    }
    Ok(found)
}

/// What a run or an evaluator keeps as the source of its data, so that it means the same in every folder: the name of a
/// built-in data set is that set, although a file or folder has it too.
pub fn recorded(source: &str) -> String {
    match BUILT_IN.iter().any(|set| set.name == source) {
        true => format!("{PREFIX}{source}"),
        false => source.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_list() {
        for set in BUILT_IN {
            for source in [set.name.to_owned(), format!("builtin:{}", set.name)] {
                assert_eq!(named(&source).unwrap().unwrap().name, set.name);
                assert_eq!(recorded(&source), format!("builtin:{}", set.name));
            }
            assert_eq!((set.train)(&Options::default()).unwrap().data.source, set.name);
        }
        for path in ["./digits", "digit", "Digits", "folder/digits"] {
            assert!(named(path).unwrap().is_none(), "{path}");
            assert_eq!(recorded(path), path);
        }
        assert!(named("builtin:cats")
            .unwrap_err()
            .to_string()
            .contains("there are digits, faces16, spoken, heartbeat, swissroll"));
    }
}
