//! What a sampling method is: a name, options, and a function from one transition to its coefficients.

use super::corrector::corrector;
use core::fmt;

/// Where a step goes: from ᾱ = `now` to ᾱ = `then`, which is at least `now`, and 1 at the end of the chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transition {
    /// ᾱ where the step before began; `None` for the first step.
    pub before: Option<f64>,
    /// ᾱ where the step begins.
    pub now: f64,
    /// ᾱ where it ends.
    pub then: f64,
    /// Mean squared error of x0_hat where it begins, for methods that [need it](Method::needs_errors); 0 for others.
    pub error: f64,
}

/// What a step does: x = a·x_t + b·x0_hat + c·x0_hat_prev + sigma·z.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Coefficients {
    /// Weight of x_t.
    pub a: f64,
    /// Weight of x0_hat.
    pub b: f64,
    /// Weight of the x0_hat of the step before.
    pub c: f64,
    /// Standard deviation of the noise.
    pub sigma: f64,
}

/// The most options of a method.
pub(crate) const MAX_OPTIONS: usize = 3;

/// A sampling method, as the list [`METHODS`](super::METHODS) names it.
#[derive(Debug)]
#[non_exhaustive]
pub struct MethodSpec {
    /// Its name on a command line.
    pub name: &'static str,
    /// What it is and where it comes from, in a line.
    pub about: &'static str,
    /// Its options, three at most.
    pub options: &'static [OptionSpec],
    /// Whether a step may stay at its timestep without a [corrector](Method::corrected).
    pub repeats: bool,
    /// Whether the last step, which leads to the image, adds noise too.
    pub ends_with_noise: bool,
    /// Whether, with these options, a step needs the mean squared error of x0_hat.
    pub(crate) needs_errors: fn(&[f64; MAX_OPTIONS]) -> bool,
    pub(crate) coefficients: fn(Transition, &[f64; MAX_OPTIONS]) -> Coefficients,
}

/// An option of a method.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct OptionSpec {
    /// Its name on a command line.
    pub name: &'static str,
    /// What it may be.
    pub values: Values,
    /// What it is where nothing is said: a number, or the index of a word.
    pub default: f64,
}

/// What an option may be.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// One of these words; as a number its index.
    Words(&'static [&'static str]),
    /// A number from the first to the second.
    Range(f64, f64),
    /// Nothing: its name alone switches it on.
    Flag,
}

impl fmt::Display for Values {
    /// For error messages: `from 0 to 1`, `one of beta, beta-tilde`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(low, high) => write!(f, "from {low} to {high}"),
            Self::Flag => f.write_str("a word without a value"),
            Self::Words(words) => words
                .iter()
                .enumerate()
                .try_for_each(|(i, word)| write!(f, "{}{word}", if i == 0 { "one of " } else { ", " })),
        }
    }
}

/// The sampling method of a plan, with its options.
///
/// ```
/// use brownian::plan::Method;
///
/// let method = Method::named("ddim").unwrap().with("eta", "0.5").unwrap();
/// assert_eq!(method, Method::ddim(0.5));
/// assert!(method.with("eta", "2").unwrap_err().to_string().contains("from 0 to 1"));
/// ```
#[derive(Clone, Copy)]
pub struct Method {
    spec: &'static MethodSpec,
    options: [f64; MAX_OPTIONS],
    /// Signal-to-noise ratio of the steps where a timestep repeats.
    pub(super) corrector: Option<f64>,
}

impl Method {
    /// The method of a list entry, every option at its default.
    pub const fn new(spec: &'static MethodSpec) -> Self {
        let mut options = [0.0; MAX_OPTIONS];
        let mut index = 0;
        while index < spec.options.len() && index < MAX_OPTIONS {
            options[index] = spec.options[index].default;
            index += 1;
        }
        Self { spec, options, corrector: None }
    }

    /// With option number `index` at `value`, which the caller has checked.
    pub(crate) const fn set(mut self, index: usize, value: f64) -> Self {
        if index < MAX_OPTIONS {
            self.options[index] = value;
        }
        self
    }

    /// With option number `index` at `value`, kept within the option's range.
    pub(crate) const fn set_within(self, index: usize, value: f64) -> Self {
        let Values::Range(low, high) = self.spec.options[index].values else { return self };
        // NaN becomes the lower end.
        let value = if value > low { value } else { low };
        self.set(index, if value < high { value } else { high })
    }

    /// With the option of this name at this value.
    ///
    /// # Errors
    /// A name that the method does not have, or a value that is not among [`OptionSpec::values`].
    pub fn with(self, name: &str, value: &str) -> Result<Self, OptionError> {
        let unknown = OptionError::Unknown { method: self.spec };
        let index = self.spec.options.iter().position(|option| option.name == name).ok_or(unknown)?;
        let option = self.spec.options.get(index).ok_or(unknown)?;
        let number = match option.values {
            Values::Words(words) => words.iter().position(|&word| word == value).map(|word| word as f64),
            Values::Range(low, high) => value.parse().ok().filter(|number| (low..=high).contains(number)),
            Values::Flag => value.is_empty().then_some(1.0),
        };
        Ok(self.set(index, number.ok_or(OptionError::Value { option })?))
    }

    /// The value of the option of this name: a number, the index of a word, or 1 of a flag that is on.
    pub fn value(&self, name: &str) -> Option<f64> {
        let index = self.spec.options.iter().position(|option| option.name == name)?;
        self.options.get(index).copied()
    }

    /// Its entry in the list.
    pub fn spec(&self) -> &'static MethodSpec {
        self.spec
    }

    /// Whether a step needs the mean squared error of x0_hat, which is learned: plans are then built
    /// [with a table](super::build_with_errors) of it.
    pub fn needs_errors(&self) -> bool {
        (self.spec.needs_errors)(&self.options)
    }

    /// What a step over `transition` does; `None` where it stays at its timestep and the method makes nothing of that.
    pub fn coefficients(&self, transition: Transition) -> Option<Coefficients> {
        match self.corrector {
            Some(r) if transition.then == transition.now => Some(corrector(transition.now, r)),
            None if transition.then == transition.now && !self.spec.repeats => None,
            _ => Some((self.spec.coefficients)(transition, &self.options)),
        }
    }
}

impl PartialEq for Method {
    fn eq(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name && self.options == other.options && self.corrector == other.corrector
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.spec.name)?;
        self.spec.options.iter().zip(self.options).try_for_each(|(option, value)| write!(f, ":{}={value}", option.name))
    }
}

/// Why an option was refused.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum OptionError {
    /// The method has no option of that name.
    Unknown {
        /// The method.
        method: &'static MethodSpec,
    },
    /// The value is not one that the option may have.
    Value {
        /// The option.
        option: &'static OptionSpec,
    },
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { method } => write!(f, "it is not an option of {}", method.name),
            Self::Value { option } => write!(f, "{} is {}", option.name, option.values),
        }
    }
}

impl core::error::Error for OptionError {}
