//! What networks that read data see of them.
use super::log_mel::LogMel;
use crate::autograd::{Act, Tape};
use crate::data::{Dataset, Sound};
use crate::graph::Shape;
use std::borrow::Cow;

/// What networks that read data see of them, as pictures of one shape.
#[derive(Clone, Debug)]
pub enum View {
    /// Pictures, as they are.
    Pictures(Shape),
    /// Signals of sound, as log-mel spectrograms.
    Sounds(Box<LogMel>),
}

impl View {
    /// That of data of `shape`, which are sound or not.
    pub fn new(shape: Shape, sound: Option<Sound>) -> Self {
        match sound {
            Some(sound) if shape.height == 1 && shape.channels == 1 => {
                Self::Sounds(LogMel::new(shape.width, sound).into())
            }
            _ => Self::Pictures(shape),
        }
    }

    /// That of a data set.
    pub fn of_data(data: &Dataset) -> Self {
        Self::new(data.shape, data.sound)
    }

    /// Shape of a picture.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Pictures(shape) => *shape,
            Self::Sounds(mel) => mel.shape(),
        }
    }

    /// The pictures of `values`, one after the other.
    pub fn of<'a>(&self, values: &'a [f32]) -> Cow<'a, [f32]> {
        match self {
            Self::Pictures(_) => Cow::Borrowed(values),
            Self::Sounds(mel) => Cow::Owned(mel.of(values)),
        }
    }

    /// Records the pictures of a batch.
    pub fn record(&self, tape: &mut Tape, values: &Act) -> Act {
        match self {
            Self::Pictures(_) => values.clone(),
            Self::Sounds(mel) => mel.record(tape, values),
        }
    }
}
