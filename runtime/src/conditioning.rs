//! Channel biases of a step: a time row plus, for conditioned models, a class row under guidance.

use crate::error::SamplerError;
use crate::model::Model;

/// What a chain is asked to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Condition {
    /// The class, or `None` for an unconditional draw.
    pub class: Option<u16>,
    /// Guidance scale in 1/256: 0 draws as without a class, 256 the plain class, more bends the draw further towards it.
    pub guidance_scale: u16,
    /// What the scale acts on.
    pub guidance: Guidance,
}

/// How classifier-free guidance (Ho & Salimans 2022) is computed. Both are the same draw at scales 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Guidance {
    /// On the channel biases: time + none + s·(class − none). One evaluation of the network a step.
    #[default]
    Bias,
    /// On the network's output: F = F_u + s·(F_c − F_u), F_u without a class and F_c with it. Two evaluations a
    /// step, and a state of [`Model::state_len_two_evaluations`] values, whose end keeps F_u.
    TwoEvaluations,
}

impl Condition {
    /// An unconditional draw.
    pub const NONE: Self = Self { class: None, guidance_scale: Self::PLAIN, guidance: Guidance::Bias };
    /// Guidance scale 1.
    pub const PLAIN: u16 = 256;
    /// The largest guidance scale, 16.
    pub const MAX_GUIDANCE: u16 = 16 * 256;

    /// A draw of one class with guidance scale 1.
    pub const fn class(class: u16) -> Self {
        Self { class: Some(class), guidance_scale: Self::PLAIN, guidance: Guidance::Bias }
    }

    /// A draw of one class under guidance, the scale in 1/256.
    pub const fn guided(class: u16, guidance_scale: u16, guidance: Guidance) -> Self {
        Self { class: Some(class), guidance_scale, guidance }
    }

    /// Whether the chain keeps the output of a first evaluation.
    pub(crate) fn evaluates_twice(&self) -> bool {
        self.guidance == Guidance::TwoEvaluations && self.class.is_some()
    }
}

/// The rows that make up a step's channel biases.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepBiases<'a> {
    pub(crate) time: &'a [i16],
    pub(crate) none: &'a [i16],
    pub(crate) class: &'a [i16],
    pub(crate) guidance_scale: i32,
}

/// Checks a condition against a model.
pub(crate) fn check(model: &Model, condition: Condition) -> Result<(), SamplerError> {
    let classes = model.classes();
    if condition.class.is_some_and(|class| class >= classes) {
        return Err(SamplerError::Class { classes });
    }
    if condition.guidance_scale > Condition::MAX_GUIDANCE {
        return Err(SamplerError::Guidance);
    }
    Ok(())
}

impl<'a> StepBiases<'a> {
    /// Those of one evaluation, whatever [`Guidance`] it belongs to.
    pub(crate) fn new(model: &Model<'a>, class: Option<u16>, guidance_scale: u16, time_row: u32) -> Self {
        let tables = model.header().conditioning;
        let columns = tables.columns as usize;
        let row = |table: u32, row: usize| {
            let start = table as usize + row * columns * 2;
            let bytes = model.blob().get(start..start + columns * 2).unwrap_or(&[]);
            bytemuck::try_cast_slice(bytes).unwrap_or(&[])
        };
        let class_row = |index: u16| if tables.classes > 0 { row(tables.class_table, index as usize) } else { &[] };
        let none = tables.classes;
        Self {
            time: row(tables.time_table, time_row as usize),
            none: class_row(none),
            class: class_row(class.unwrap_or(none)),
            guidance_scale: guidance_scale as i32,
        }
    }

    /// `time + none + ⌊guidance·(class − none)/256 + 1/2⌋` of one column.
    #[inline]
    pub(crate) fn value(&self, column: usize) -> i32 {
        let at = |row: &[i16]| row.get(column).map_or(0, |&v| v as i32);
        let none = at(self.none);
        at(self.time) + none + ((self.guidance_scale * (at(self.class) - none) + 128) >> 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_time_plus_class_under_guidance() {
        let (time, none, class) = ([100i16, -7], [10i16, 3], [14i16, -30000]);
        let value = |guidance_scale, column| {
            StepBiases { time: &time, none: &none, class: &class, guidance_scale }.value(column)
        };
        assert_eq!([0, 256, 512, 384].map(|g| value(g, 0)), [110, 114, 118, 116]);
        assert_eq!(value(4096, 1), -7 + 3 + 16 * -30003);
        // Rounded half up: 4·97/256 = 1.516 and 4·96/256 = 1.5.
        assert_eq!([95, 96, 97].map(|g| value(g, 0)), [111, 112, 112]);
        assert_eq!(value(256, 2), 0, "beyond the columns");
    }
}
