//! What of the critics' Fréchet distances is brought down.
use super::moments::Memory;
use crate::run::Distance;

/// How fast older batches fade from long memories.
const LONG: f64 = 0.97;
/// The root of smaller distances is taken for a straight line.
const SMALLEST_DISTANCE: f64 = 0.01;

/// What of a Fréchet distance is brought down, and of how many batches it is.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    distance: Distance,
    /// How long batches are remembered.
    pub memory: Memory,
    /// How fast older batches fade from the mean probabilities of classes.
    pub shares: f64,
}

impl From<Distance> for Measure {
    fn from(distance: Distance) -> Self {
        let memory = match distance {
            Distance::Squared => Memory::Long(LONG),
            Distance::Root => Memory::Short,
        };
        Self { distance, memory, shares: LONG }
    }
}

impl Measure {
    /// What is brought down of a distance over the data's variance, and its derivative with respect to that.
    pub fn of(&self, distance: f64) -> [f64; 2] {
        match self.distance {
            Distance::Squared => [distance, 1.0],
            // Of smaller ones, which are chance, the tangent.
            Distance::Root => {
                let root = distance.max(SMALLEST_DISTANCE).sqrt();
                [0.5 * (root + distance / root), 0.5 / root]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The slope is that of the value, also where the root goes over into its tangent.
    #[test]
    fn a_root_grows_by_its_slope() {
        let root = Measure::from(Distance::Root);
        assert_eq!(Measure::from(Distance::Squared).of(0.3), [0.3, 1.0]);
        assert_eq!(root.of(0.09), [0.3, 0.5 / 0.3]);
        for distance in [-0.001, 0.0, 0.004, SMALLEST_DISTANCE, 0.02, 4.0] {
            let expected = (root.of(distance + 1e-6)[0] - root.of(distance - 1e-6)[0]) / 2e-6;
            assert!((root.of(distance)[1] - expected).abs() < 1e-3, "{distance}");
        }
    }
}
