//! What a chain draws, and the channel biases that this makes of a step's: a time row plus, for conditioned models, a
//! class row under guidance.

use crate::error::SamplerError;
use crate::model::Model;
use crate::ops::step_bias::StepBiases;
use crate::quant::round;

/// How strongly a class bends a draw (classifier-free guidance, Ho & Salimans 2022).
///
/// At scale 0 the draw is that without a class, at 1 the plain class; more bends it further towards the class. The
/// scale is kept in steps of 1/256.
///
/// ```
/// use brownian::{Condition, Guidance};
///
/// let seven = Condition::guided(7, Guidance::new(1.5)?);
/// assert_eq!((seven.class_number(), seven.guidance().scale()), (Some(7), 1.5));
/// assert!(Guidance::new(-1.0).is_err() && Guidance::new(f32::NAN).is_err());
/// # Ok::<(), brownian::SamplerError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Guidance {
    /// In 1/256.
    scale: u16,
    two_evaluations: bool,
}

impl Guidance {
    /// Scale 1: the plain class.
    pub const PLAIN: Self = Self { scale: 256, two_evaluations: false };
    /// The largest scale.
    pub const MAX_SCALE: f32 = 16.0;

    /// Guidance on the channel biases, time + none + s·(class − none), which takes one evaluation of the network a
    /// step. The scale s is rounded to the nearest multiple of 1/256, ties to even.
    ///
    /// # Errors
    /// A scale that is not from 0 to 16.
    pub fn new(scale: f32) -> Result<Self, SamplerError> {
        if (0.0..=Self::MAX_SCALE).contains(&scale) {
            return Ok(Self { scale: round(scale * 256.0, 4096.0) as u16, two_evaluations: false });
        }
        Err(SamplerError::Guidance)
    }

    /// The same scale on the network's output, F = F_u + s·(F_c − F_u) with F_u without a class and F_c with it: two
    /// evaluations a step, and a state of [`Model::state_len_two_evaluations`] values, whose end keeps F_u. At scales
    /// 0 and 1 the draw is the same as from one evaluation.
    pub const fn two_evaluations(self) -> Self {
        Self { two_evaluations: true, ..self }
    }

    /// The scale.
    pub fn scale(self) -> f32 {
        f32::from(self.scale) * (1.0 / 256.0)
    }

    /// Whether a step evaluates the network twice.
    pub const fn evaluates_twice(self) -> bool {
        self.two_evaluations
    }

    /// The scale in 1/256.
    pub(crate) fn in_256ths(self) -> u16 {
        self.scale
    }

    /// The inverse of [`in_256ths`](Self::in_256ths).
    pub(crate) fn from_256ths(scale: u16) -> Result<Self, SamplerError> {
        if scale > 16 * 256 {
            return Err(SamplerError::Guidance);
        }
        Ok(Self { scale, two_evaluations: false })
    }
}

/// What a chain is asked to draw: no class, or a class under guidance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Condition {
    class: Option<u16>,
    /// Plain where there is no class.
    guidance: Guidance,
}

impl Condition {
    /// An unconditional draw.
    pub const NONE: Self = Self { class: None, guidance: Guidance::PLAIN };

    /// A draw of one class with guidance scale 1.
    pub const fn class(class: u16) -> Self {
        Self::guided(class, Guidance::PLAIN)
    }

    /// A draw of one class under guidance.
    pub const fn guided(class: u16, guidance: Guidance) -> Self {
        Self { class: Some(class), guidance }
    }

    /// The class, or `None` for an unconditional draw.
    pub const fn class_number(self) -> Option<u16> {
        self.class
    }

    /// How strongly the class bends the draw; [`Guidance::PLAIN`] where there is none.
    pub const fn guidance(self) -> Guidance {
        self.guidance
    }

    /// Whether `model` knows the class.
    pub(crate) fn check(self, model: &Model) -> Result<(), SamplerError> {
        let classes = model.classes();
        if self.class.is_some_and(|class| class >= classes) {
            return Err(SamplerError::Class { classes });
        }
        Ok(())
    }
}

/// The channel biases of an evaluation with the class and the guidance scale of `condition`.
pub(crate) fn step_biases<'a>(model: &Model<'a>, condition: Condition, time_row: u32) -> StepBiases<'a> {
    let tables = model.header().conditioning;
    let columns = tables.columns as usize;
    let row = |table: u32, row: usize| {
        let start = table as usize + row * columns * 2;
        let bytes = model.blob().get(start..start + columns * 2).unwrap_or(&[]);
        bytemuck::try_cast_slice(bytes).unwrap_or(&[])
    };
    let class_row = |index: u16| if tables.classes > 0 { row(tables.class_table, index as usize) } else { &[] };
    let none = tables.classes;
    StepBiases {
        time: row(tables.time_table, time_row as usize),
        none: class_row(none),
        class: class_row(condition.class.unwrap_or(none)),
        guidance_scale: condition.guidance.scale.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_rounded_to_256ths_and_kept_within_0_to_16() {
        let steps = |scale| Guidance::new(scale).map(Guidance::in_256ths);
        assert_eq!([0.0, 1.0, 1.5, 16.0].map(steps), [Ok(0), Ok(256), Ok(384), Ok(4096)]);
        // Ties to even: 0.5/256 and 1.5/256.
        assert_eq!([0.5, 1.5, 1.49].map(|k| steps(k / 256.0)), [Ok(0), Ok(2), Ok(1)]);
        for wrong in [-1e-3, 16.01, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(Guidance::new(wrong), Err(SamplerError::Guidance), "{wrong}");
        }
        assert_eq!(steps(-0.0), Ok(0));
        assert_eq!(Guidance::from_256ths(4097), Err(SamplerError::Guidance));
    }
}
