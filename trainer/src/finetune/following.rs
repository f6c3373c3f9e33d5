//! How closely chains follow their local condition: the mean distance of what they draw from what they were asked for.
use crate::autograd::{Act, Buffer, Tape};
use crate::recognition::LocalMel;

/// The mean |m(sample) − m|, where m is the log-mel spectrogram between −1 and 1, and its gradient with respect to
/// m(sample).
pub fn distance(tape: &mut Tape, local: &LocalMel, samples: &Act, asked: &[f32]) -> (f64, (Act, Buffer)) {
    let found = local.mel().record(tape, samples);
    let share = 1.0 / asked.len().max(1) as f32;
    let mut gradient = Buffer::zeros(asked.len());
    let mut sum = 0.0;
    for ((slot, found), asked) in gradient.iter_mut().zip(found.values()).zip(asked) {
        let difference = found.clamp(-1.0, 1.0) - asked;
        sum += f64::from(difference.abs());
        // What is louder than a condition can say is not pulled.
        if *found < 1.0 && difference != 0.0 {
            *slot = share * difference.signum();
        }
    }
    (sum * f64::from(share), (found, gradient))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::loss::Loss;
    use crate::data::Sound;
    use crate::graph::Shape;

    /// Against differences of the distance over a few samples.
    #[test]
    fn gradients_bring_samples_nearer() {
        let local = LocalMel::new(256, Sound { rate: 8000, scale: 4.0 });
        let tone = |step: f32| (0..256).map(|i| 0.3 * (i as f32 * step).sin()).collect::<Vec<f32>>();
        let (signal, asked) = (tone(0.7), local.of(&tone(0.9)));
        let at = |signal: &[f32]| {
            let mut tape = Tape::default();
            let held = tape.hold(signal.to_vec().into(), 1, Shape::new(1, 256, 1));
            let (value, gradient) = distance(&mut tape, &local, &held, &asked);
            let mut grads = Loss::of_gradients(&mut tape, value, vec![gradient]).backward(tape).unwrap();
            (value, held.take_grad(&mut grads).unwrap())
        };
        let (value, gradient) = at(&signal);
        assert!(value > 0.05, "{value}");
        let steepness: f32 = gradient.iter().map(|g| g * g).sum();
        let moved = |by: f32| -> Vec<f32> { signal.iter().zip(&gradient[..]).map(|(v, g)| v + by * g).collect() };
        let slope = (at(&moved(1e-3)).0 - at(&moved(-1e-3)).0) / 2e-3;
        assert!((slope / f64::from(steepness) - 1.0).abs() < 0.1, "{slope} {steepness}");
        assert_eq!(distance_of_itself(&local, &signal), 0.0);
    }

    fn distance_of_itself(local: &LocalMel, signal: &[f32]) -> f64 {
        let mut tape = Tape::default();
        let held = tape.hold(signal.to_vec().into(), 1, Shape::new(1, 256, 1));
        let exact: Vec<f32> = local.mel().of(signal).iter().map(|v| v.clamp(-1.0, 1.0)).collect();
        distance(&mut tape, local, &held, &exact).0
    }
}
