//! The option in which two configurations differ: what a continued run may not change.
use serde::Serialize;

/// The option in which two configurations differ, as it is called on the command line; fields that have another name
/// there are given with it.
pub fn difference<T: Serialize>(a: &T, b: &T, names: &[(&str, &str)]) -> Option<String> {
    let table = |config| toml::Table::try_from(config).unwrap_or_default();
    let field = differing_field(&table(a), &table(b))?;
    let name = names.iter().find(|(name, _)| *name == field).map_or(&field[..], |(_, name)| name);
    Some(format!("--{}", name.replace('_', "-")))
}

fn differing_field(a: &toml::Table, b: &toml::Table) -> Option<String> {
    let differing = |key: &String| match (a.get(key), b.get(key)) {
        (Some(toml::Value::Table(a)), Some(toml::Value::Table(b))) => differing_field(a, b),
        (a, b) => (a != b).then(|| key.clone()),
    };
    a.keys().chain(b.keys()).find_map(differing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::{Choice, Variation};
    use crate::run::{Config, FineTuning};

    #[test]
    fn a_difference_has_the_name_of_its_option() {
        let one = Config::usual();
        assert_eq!(difference(&one, &one, &[]), None);
        let other = Config { snr_gamma: 4.0, ..one.clone() };
        assert_eq!(difference(&one, &other, &[]).unwrap(), "--snr-gamma");
        let network = Choice::Preset(Variation { blocks: Some(3), ..Variation::default() });
        let other = Config { network, ..one.clone() };
        assert_eq!(difference(&one, &other, &[]).unwrap(), "--blocks");
        let tuned = FineTuning { quantize: false, ..FineTuning::USUAL };
        assert_eq!(difference(&FineTuning::USUAL, &tuned, &[("quantize", "float")]).unwrap(), "--float");
    }
}
