//! What a chain draws, and the channel biases that this makes of a step's: a time row plus, for conditioned models, a
//! class row an axis under guidance.

use crate::error::SamplerError;
use crate::model::Model;
use crate::ops::step_bias::StepBiases;
use crate::parse::MAX_AXES;
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

    /// Guidance on the channel biases, time + none + s·(class − none) with the sums of a row an axis, which takes one evaluation of the network a
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

/// No class on an axis.
const NONE: u16 = u16::MAX;

/// What a chain is asked to draw: on every axis of the model's labels a class or none, under guidance.
///
/// ```
/// use brownian::Condition;
///
/// let long_hair = Condition::NONE.with(1, 2);
/// let with_glasses = long_hair.with(0, 1);
/// assert_eq!((with_glasses.class_on(0), with_glasses.class_on(1), with_glasses.class_on(2)), (Some(1), Some(2), None));
/// assert_eq!(with_glasses.without(0), long_hair);
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Condition {
    /// One an axis, or [`NONE`].
    classes: [u16; MAX_AXES],
    /// Plain where there is no class.
    guidance: Guidance,
    /// Whether the class was named without its axis, which only a model with one axis takes.
    only: bool,
}

impl Condition {
    /// An unconditional draw.
    pub const NONE: Self = Self { classes: [NONE; MAX_AXES], guidance: Guidance::PLAIN, only: false };

    /// A draw of one class with guidance scale 1, of a model with one axis; see [`with`](Self::with) for several.
    pub const fn class(class: u16) -> Self {
        Self { only: true, ..Self::NONE.with(0, class) }
    }

    /// A draw of one class under guidance, of a model with one axis.
    pub const fn guided(class: u16, guidance: Guidance) -> Self {
        Self { guidance, ..Self::class(class) }
    }

    /// The same with this class on axis number `axis` of [`Model::axes`]; the others stay. An axis or a class that the
    /// model does not have is refused when a chain is started.
    pub const fn with(self, axis: usize, class: u16) -> Self {
        let last = MAX_AXES - 1;
        // No model has so many classes on the last axis.
        let (axis, class) = if axis > last { (last, NONE - 1) } else { (axis, class) };
        self.set(axis, if class == NONE { NONE - 1 } else { class })
    }

    /// The same without a class on axis number `axis`.
    pub const fn without(self, axis: usize) -> Self {
        self.set(axis, NONE)
    }

    /// The same under this guidance.
    pub const fn under(self, guidance: Guidance) -> Self {
        Self { guidance, ..self }
    }

    const fn set(mut self, axis: usize, class: u16) -> Self {
        if axis < MAX_AXES {
            self.classes[axis] = class;
        }
        self.only = false;
        self
    }

    /// The class on axis number `axis`, or `None` where there is none.
    pub const fn class_on(self, axis: usize) -> Option<u16> {
        if axis >= MAX_AXES || self.classes[axis] == NONE {
            return None;
        }
        Some(self.classes[axis])
    }

    /// The class on the first axis, the only one of most models; `None` where there is none.
    pub const fn class_number(self) -> Option<u16> {
        self.class_on(0)
    }

    /// Whether there is no class on any axis.
    pub fn is_none(self) -> bool {
        self.classes.iter().all(|&class| class == NONE)
    }

    /// How strongly the classes bend the draw; [`Guidance::PLAIN`] where there are none.
    pub const fn guidance(self) -> Guidance {
        self.guidance
    }

    /// The classes plus one, 0 for none.
    pub(crate) fn codes(self) -> [u16; MAX_AXES] {
        self.classes.map(|class| class.wrapping_add(1))
    }

    /// The inverse of [`codes`](Self::codes), with guidance.
    pub(crate) fn of_codes(codes: [u16; MAX_AXES], guidance: Guidance) -> Self {
        Self { classes: codes.map(|code| code.wrapping_sub(1)), guidance, only: false }
    }

    /// Whether `model` knows the classes.
    pub(crate) fn check(self, model: &Model) -> Result<(), SamplerError> {
        let counts = model.class_counts();
        let several = counts.len() > 1;
        if several && self.only {
            return Err(SamplerError::SeveralAxes { axes: counts.len() as u16 });
        }
        for (axis, &class) in self.classes.iter().enumerate() {
            let classes = counts.get(axis).copied().unwrap_or(0);
            if class != NONE && class >= classes {
                return Err(match axis {
                    0 if !several => SamplerError::Class { classes },
                    _ => SamplerError::ClassOnAxis { axis: axis as u16, classes },
                });
            }
        }
        Ok(())
    }
}

/// Two are equal that draw the same.
impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        (self.classes, self.guidance) == (other.classes, other.guidance)
    }
}

impl Eq for Condition {}

/// The channel biases of an evaluation with the classes and the guidance scale of `condition`.
pub(crate) fn step_biases<'a>(model: &'a Model, condition: &'a Condition, time_row: u32) -> StepBiases<'a> {
    let tables = &model.header().conditioning;
    let columns = tables.columns as usize;
    let from = |start: usize| model.blob().get(start..).unwrap_or(&[]);
    StepBiases {
        time: from(tables.time_table as usize + time_row as usize * columns * 2),
        classes: from(tables.class_table as usize),
        columns,
        counts: model.class_counts(),
        asked: &condition.classes,
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

    #[test]
    fn a_condition_holds_a_class_or_none_an_axis() {
        let condition = Condition::NONE.with(7, 3).with(0, 9);
        assert_eq!([0, 1, 7, 8].map(|axis| condition.class_on(axis)), [Some(9), None, Some(3), None]);
        assert_eq!(Condition::of_codes(condition.codes(), Guidance::PLAIN), condition);
        assert_eq!(condition.codes(), [10, 0, 0, 0, 0, 0, 0, 4]);
        assert!(!condition.is_none() && condition.without(0).without(7).is_none());
        assert_eq!(Condition::class(4), Condition::NONE.with(0, 4));
        // What no model has is kept as what no model has.
        assert_eq!(Condition::NONE.with(8, 1).class_on(7), Some(NONE - 1));
        assert_eq!(Condition::class(NONE).class_number(), Some(NONE - 1));
    }
}
