//! The list of sampling methods.

use super::method::{Method, MethodSpec};
use super::{ddim, ddpm, diffwave, dpm_solver, langevin};

/// Every sampling method.
pub static METHODS: &[&MethodSpec] = &[&ddpm::SPEC, &ddim::SPEC, &dpm_solver::SPEC, &langevin::SPEC, &diffwave::SPEC];

impl Method {
    /// The method of this name, every option at its default; `None` where [`METHODS`] has no such name.
    pub fn named(name: &str) -> Option<Self> {
        METHODS.iter().find(|spec| spec.name == name).map(|spec| Self::new(spec))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::super::method::{Values, MAX_OPTIONS};
    use super::*;
    use std::string::ToString;

    #[test]
    fn names_are_words_and_defaults_are_allowed() {
        for (i, spec) in METHODS.iter().enumerate() {
            assert!(!spec.name.is_empty() && spec.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
            assert!(METHODS[..i].iter().all(|other| other.name != spec.name), "{} is listed twice", spec.name);
            assert!(spec.options.len() <= MAX_OPTIONS);
            for option in spec.options {
                assert!(match option.values {
                    Values::Words(words) => option.default >= 0.0 && option.default < words.len() as f64,
                    Values::Range(low, high) => (low..=high).contains(&option.default),
                    Values::Flag => option.default == 0.0,
                });
            }
        }
        assert!(Method::named("euler").is_none());
    }

    #[test]
    fn options_are_read_by_name() {
        let ddpm = Method::named("ddpm").unwrap();
        assert_eq!(ddpm, Method::ddpm(super::super::Variance::Beta));
        assert_eq!(ddpm.with("variance", "beta-tilde").unwrap(), Method::ddpm(super::super::Variance::BetaTilde));
        let error = ddpm.with("variance", "gamma").unwrap_err().to_string();
        assert!(error.contains("one of beta, beta-tilde"), "{error}");
        let error = ddpm.with("eta", "1").unwrap_err().to_string();
        assert!(error.contains("not an option of ddpm"), "{error}");
        for wrong in ["-0.1", "1.1", "NaN", "", "x"] {
            assert!(Method::ddim(0.0).with("eta", wrong).is_err(), "{wrong}");
        }
    }
}
