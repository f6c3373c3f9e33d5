//! The binary heartbeat of Sohl-Dickstein et al. 2015 (section 3.1.2): sequences of 20 bits with a one at every fifth,
//! in one of five phases.
use super::dataset::Dataset;
use super::pixels::Pixels;
use crate::graph::Shape;
use crate::Result;

/// Bits of a sequence.
pub const BITS: usize = 20;
/// Bits from one pulse to the next, and so the number of phases.
pub const PERIOD: usize = 5;
/// The entropy of the sequences in bits, log2 5: no bound can be below it.
pub const ENTROPY: f64 = 2.321_928_094_887_362;

/// 1000 sequences, each phase as often.
///
/// # Errors
/// None.
pub fn train() -> Result<Dataset> {
    Ok(sequences("heartbeat", 1000))
}

/// 500 of the same, for evaluation.
///
/// # Errors
/// None.
pub fn test() -> Result<Dataset> {
    Ok(sequences("heartbeat (test)", 500))
}

fn sequences(name: &str, count: usize) -> Dataset {
    let bit = |i: usize| if i % BITS % PERIOD == i / BITS % PERIOD { u8::MAX } else { 0 };
    let images = Pixels::Bytes((0..count * BITS).map(bit).collect());
    Dataset { source: name.into(), shape: Shape::new(1, 1, BITS), images, labels: None, sound: None }
}

/// The phase of a sequence, the number of its first pulse; `None` where it is no heartbeat.
pub fn phase(sequence: &[f32]) -> Option<usize> {
    let phase = sequence.iter().position(|value| *value > 0.0)?;
    let is_pulse = |i: usize| i % PERIOD == phase;
    let whole = sequence.iter().enumerate().all(|(i, value)| (*value > 0.0) == is_pulse(i));
    (whole && phase < PERIOD && sequence.len() == BITS).then_some(phase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_is_as_frequent_and_known_again() {
        let set = train().unwrap();
        let mut counts = [0; PERIOD];
        (0..set.len()).for_each(|i| counts[phase(&set.image(i)).unwrap()] += 1);
        assert_eq!(counts, [200; PERIOD]);
        assert!((ENTROPY - 5f64.log2()).abs() < 1e-15 && (set.activity() - 0.2).abs() < 1e-12);
        let mut broken = set.image(3).into_owned();
        for i in 0..BITS {
            broken[i] = -broken[i];
            assert_eq!(phase(&broken), None, "bit {i}");
            broken[i] = -broken[i];
        }
        assert_eq!([phase(&[-1.0; BITS]), phase(&[1.0; BITS]), phase(&broken[..15])], [None; 3]);
    }
}
