//! The local condition of sounds: their log-mel spectrograms, rounded as a chip gets them.
use super::log_mel::LogMel;
use crate::data::Sound;
use crate::graph::Shape;
use brownian::local_value;

/// The local conditions of signals of one length and rate.
#[derive(Clone, Debug)]
pub struct LocalMel {
    mel: LogMel,
}

impl LocalMel {
    /// Those of signals of the shape 1×`length`×1.
    pub fn new(length: usize, sound: Sound) -> Self {
        Self { mel: LogMel::new(length, sound) }
    }

    /// Shape of one: 1×frames×bands.
    pub fn shape(&self) -> Shape {
        let picture = self.mel.shape();
        Shape::new(1, picture.height, picture.width)
    }

    /// The local conditions of `signals`, one after the other.
    pub fn of(&self, signals: &[f32]) -> Vec<f32> {
        self.mel.of(signals).into_iter().map(|value| real(local_value(value))).collect()
    }

    /// What computes them.
    pub fn mel(&self) -> &LogMel {
        &self.mel
    }
}

/// Values as a model file takes them.
pub fn bytes(values: &[f32]) -> Vec<i8> {
    values.iter().map(|value| local_value(*value)).collect()
}

/// The real value of a byte.
pub fn real(byte: i8) -> f32 {
    f32::from(byte) / 127.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_whole_bytes() {
        let local = LocalMel::new(1024, Sound { rate: 8000, scale: 4.0 });
        assert_eq!(local.shape(), Shape::new(1, 16, 32));
        let signals: Vec<f32> = (0..2048).map(|i| (i as f32 * 0.3).sin()).collect();
        let values = local.of(&signals);
        assert_eq!(values.len(), 2 * 16 * 32);
        assert!(values.iter().all(|v| v.abs() <= 1.0) && values.contains(&1.0) && values.iter().any(|v| *v < -0.5));
        let bytes = bytes(&values);
        assert!(bytes.iter().zip(&values).all(|(byte, value)| real(*byte) == *value));
        let exact = local.mel().of(&signals);
        assert!(exact.iter().zip(&values).all(|(a, b)| (a.clamp(-1.0, 1.0) - b).abs() < 0.5 / 127.0 + 1e-6));
    }
}
