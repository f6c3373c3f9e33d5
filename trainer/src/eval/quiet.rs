//! How loud a sound is where it is quiet: there hiss is heard.
use crate::data::Sound;

/// Frames a second.
const FRAMES: u32 = 100;
/// Share of the frames that are the quiet ones.
const QUIET: usize = 5;
/// Decibels below the data's level that are silence.
const FLOOR: f64 = -30.0;

/// For every signal of `length` samples the mean level of the quietest fifth of its frames of 10 ms, in decibels above
/// the level of the data; frames below −30 dB count as −30 dB.
pub fn levels(signals: &[f32], length: usize, sound: Sound) -> Vec<f64> {
    let frame = (sound.rate / FRAMES).max(1) as usize;
    let level = |part: &[f32]| {
        let power = part.iter().map(|v| (sound.scale * f64::from(*v)).powi(2)).sum::<f64>() / part.len() as f64;
        (10.0 * power.max(f64::MIN_POSITIVE).log10()).max(FLOOR)
    };
    let quiet = |signal: &[f32]| {
        let mut levels: Vec<f64> = signal.chunks(frame).map(level).collect();
        levels.sort_by(f64::total_cmp);
        levels.truncate(levels.len().div_ceil(QUIET));
        levels.iter().sum::<f64>() / levels.len().max(1) as f64
    };
    signals.chunks_exact(length.max(1)).map(quiet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quietest_fifth_counts() {
        let sound = Sound { rate: 8000, scale: 5.0 };
        // Ten frames: one of 0 dB, seven of −6 dB, two of −20 dB.
        let levels_of_frames = [[0.2; 80], [0.02; 80], [0.02; 80]];
        let rest = [0.1f32; 560];
        let signal = [&levels_of_frames.concat()[..], &rest].concat();
        let found = levels(&signal, 800, sound);
        assert!((found[0] + 20.0).abs() < 1e-5, "{found:?}");
        assert_eq!(levels(&[0.0; 1600], 800, sound), [FLOOR; 2]);
        assert_eq!(levels(&[0.2; 10], 10, sound).len(), 1);
    }
}
