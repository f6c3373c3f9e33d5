//! What the state of a chain is kept in, and so which process it runs.

/// What the state x_t is kept in between two steps, as the prefix of a model file numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "host", derive(serde::Serialize))]
#[non_exhaustive]
pub enum StateKind {
    /// f32 values of the Gaussian process; number 0.
    F32,
    /// The same in f16; number 1.
    F16,
    /// Bits of the binomial process, sixteen an element; number 2.
    Bits,
}

impl StateKind {
    /// Every kind, by number.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::Bits];

    /// The kind of this number, if this reader knows it.
    pub const fn numbered(number: u16) -> Option<Self> {
        match number {
            0 => Some(Self::F32),
            1 => Some(Self::F16),
            2 if cfg!(feature = "binomial") => Some(Self::Bits),
            _ => None,
        }
    }

    /// Its number in the prefix.
    pub const fn number(self) -> u16 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Bits => 2,
        }
    }

    /// Its name, for tables and errors.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bits => "bits",
        }
    }

    /// Bytes of an element.
    pub const fn element_len(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bits => 2,
        }
    }

    /// Elements that hold so many values of x.
    pub const fn elements(self, values: usize) -> usize {
        match self {
            Self::Bits if cfg!(feature = "binomial") => values.div_ceil(16),
            _ => values,
        }
    }

    /// Elements that hold so many values of 16 bits.
    pub const fn halves(self, values: usize) -> usize {
        match self {
            Self::F32 => values.div_ceil(2),
            Self::F16 | Self::Bits => values,
        }
    }
}
