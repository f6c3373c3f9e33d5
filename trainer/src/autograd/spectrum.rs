//! Powers of complex values, and their levels in decibels.
use super::pool::Buffer;
use super::tape::{Act, Tape};
use crate::graph::shape::Shape;

/// re² + im², where a pixel's channels are all real parts, then all imaginary ones.
pub fn powers(values: &[f32], channels: usize) -> Buffer {
    let half = channels / 2;
    let pixel = |pixel: &[f32]| (0..half).map(|k| pixel[k].powi(2) + pixel[half + k].powi(2)).collect::<Vec<f32>>();
    values.chunks_exact(channels).flat_map(pixel).collect::<Vec<f32>>().into()
}

/// Records [`powers`].
pub fn power(tape: &mut Tape, x: &Act) -> Act {
    let Shape { height, width, channels } = x.shape();
    let half = channels / 2;
    let y = tape.hold(powers(x.values(), channels), x.batch(), Shape::new(height, width, half));
    let (x, out) = (x.clone(), y.clone());
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        let mut dx = Buffer::copy_of(x.values());
        for (dx, dy) in dx.chunks_exact_mut(channels).zip(dy.chunks_exact(half)) {
            dx.iter_mut().zip(dy.iter().cycle()).for_each(|(dx, dy)| *dx *= 2.0 * dy);
        }
        x.give_grad(grads, dx)
    });
    y
}

/// A level above a floor, as a value of a picture: `low` at no power, and `slope` more for each natural logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// What is added to every power.
    pub floor: f32,
    /// The value of no power.
    pub low: f32,
    /// The value of one unit of the natural logarithm.
    pub slope: f32,
}

impl Level {
    /// low + slope·ln((power + floor)/floor).
    pub fn of(self, power: f32) -> f32 {
        self.low + self.slope * ((power + self.floor) / self.floor).ln()
    }

    /// The power that has this level; none below 0.
    pub fn power(self, level: f32) -> f32 {
        (self.floor * ((level - self.low) / self.slope).exp_m1()).max(0.0)
    }
}

/// Records [`Level::of`] every value.
pub fn level(tape: &mut Tape, x: &Act, level: Level) -> Act {
    let values: Vec<f32> = x.values().iter().map(|power| level.of(*power)).collect();
    let y = tape.hold(values.into(), x.batch(), x.shape());
    let (x, out) = (x.clone(), y.clone());
    tape.record(move |grads| {
        let mut d = out.take_grad(grads)?;
        d.iter_mut().zip(x.values()).for_each(|(d, power)| *d *= level.slope / (power + level.floor));
        x.give_grad(grads, d)
    });
    y
}

#[cfg(test)]
mod tests {
    use super::super::testing::check_gradients;
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        let shape = Shape::new(2, 3, 4);
        check_gradients("power", 3, &[shape], 1, |tape: &mut Tape, acts: &[Act], _: &_| power(tape, &acts[0]));
        let of = Level { floor: 0.5, low: -1.0, slope: 0.3 };
        check_gradients("level", 3, &[shape], 1, |tape: &mut Tape, acts: &[Act], _: &_| {
            let powers = power(tape, &acts[0]);
            level(tape, &powers, of)
        });
        assert_eq!(of.of(0.0), -1.0);
        assert!([0.0, 0.2, 7.0].iter().all(|power| (of.power(of.of(*power)) - power).abs() < 1e-5));
        assert!((of.of(0.5) - (0.3 * 2f32.ln() - 1.0)).abs() < 1e-6);
    }
}
