//! Classes in the names of files: `{class}_{speaker}_*`.
use super::labels::MAX_AXES;
use std::fmt::{self, Display};
use std::path::Path;
use std::str::FromStr;

/// A pattern of file names without their ends: `{axis}` is a class on an axis of that name, `*` is anything, and other
/// characters are themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassPattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// These characters.
    Literal(String),
    /// At least one character: a class on this axis.
    Axis(String),
    /// Any characters, or none.
    Any,
}

impl FromStr for ClassPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let (part, len) = match next {
                '{' => {
                    let end = rest.find('}').ok_or("has a { without its }")?;
                    (Part::Axis(rest[1..end].to_owned()), end + 1)
                }
                '*' => (Part::Any, 1),
                _ => {
                    let end = rest.find(['{', '*']).unwrap_or(rest.len());
                    (Part::Literal(rest[..end].to_owned()), end)
                }
            };
            if !matches!(part, Part::Literal(_)) && parts.last().is_some_and(|last| !matches!(last, Part::Literal(_))) {
                return Err("needs characters between two of {axis} and *".into());
            }
            parts.push(part);
            rest = &rest[len..];
        }
        let pattern = Self { text: text.into(), parts };
        let axes = pattern.axes();
        if axes.is_empty() || axes.len() > MAX_AXES || axes.iter().any(String::is_empty) {
            return Err(format!("give 1 to {MAX_AXES} axes in braces, such as {{class}}_*"));
        }
        if (1..axes.len()).any(|i| axes[..i].contains(&axes[i])) {
            return Err("names an axis twice".into());
        }
        Ok(pattern)
    }
}

impl Display for ClassPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl ClassPattern {
    /// The names of the axes, in their order.
    pub fn axes(&self) -> Vec<String> {
        let names = self.parts.iter().filter_map(|part| match part {
            Part::Axis(name) => Some(name.clone()),
            _ => None,
        });
        names.collect()
    }

    /// The classes in a file's name, one an axis; `None` where it does not fit.
    pub fn classes(&self, file: &Path) -> Option<Vec<String>> {
        let mut classes = Vec::new();
        fitted(&self.parts, file.file_stem()?.to_str()?, &mut classes).then_some(classes)
    }
}

/// Whether `text` fits `parts`, each of which takes as little as it can; `classes` receives those of the axes.
fn fitted(parts: &[Part], text: &str, classes: &mut Vec<String>) -> bool {
    let Some((part, rest)) = parts.split_first() else { return text.is_empty() };
    if let Part::Literal(literal) = part {
        return text.strip_prefix(&literal[..]).is_some_and(|text| fitted(rest, text, classes));
    }
    let least = usize::from(matches!(part, Part::Axis(_)));
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]).skip(least);
    for end in ends {
        let before = classes.len();
        if matches!(part, Part::Axis(_)) {
            classes.push(text[..end].to_owned());
        }
        if fitted(rest, &text[end..], classes) {
            return true;
        }
        classes.truncate(before);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_their_classes() {
        let classes = |pattern: &str, name: &str| pattern.parse::<ClassPattern>().unwrap().classes(Path::new(name));
        let found = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(classes("{class}_{speaker}_*", "7_jackson_32.wav"), found(&["7", "jackson"]));
        assert_eq!(classes("{class}_{speaker}_*", "sub/7_a_b_32.wav"), found(&["7", "a"]));
        assert_eq!(classes("take*-{mood}", "take12-a-b.wav"), found(&["a-b"]));
        assert_eq!(classes("{mood}", "häppy.wav"), found(&["häppy"]));
        for (pattern, name) in [("{class}_*", "7.wav"), ("{class}_*", "_7.wav"), ("a{class}", "b1.wav")] {
            assert_eq!(classes(pattern, name), None, "{pattern} {name}");
        }
    }

    #[test]
    fn wrong_patterns_say_what_is_wrong() {
        for (text, word) in [
            ("", "axes in braces"),
            ("*_*", "axes in braces"),
            ("{}_*", "axes in braces"),
            ("{a_*", "without its }"),
            ("{a}{b}", "characters between"),
            ("{a}*", "characters between"),
            ("{a}_{a}", "twice"),
        ] {
            let error = text.parse::<ClassPattern>().unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        assert_eq!("{a}_*".parse::<ClassPattern>().unwrap().to_string(), "{a}_*");
    }
}
