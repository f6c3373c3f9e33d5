//! A vocoder's evaluation: chains follow the mel spectrograms of held-out recordings, beside the algorithm of Griffin and
//! Lim, which does so without a network.
use super::ruler::{Figures, Images, Ruler};
use super::source::Source;
use crate::recognition::LocalMel;
use crate::{Error, Result};

/// Rounds of Griffin and Lim's algorithm.
const ROUNDS: usize = 60;

/// What chains follow: the spectrograms of the test recordings, in the order that the ruler has them in.
#[derive(Debug)]
pub struct Following {
    /// What makes them.
    pub local: LocalMel,
    mels: Vec<f32>,
    /// The classes of the recordings, one an axis.
    classes: Option<(Vec<u8>, usize)>,
}

impl Following {
    /// For a model that follows a local condition.
    ///
    /// # Errors
    /// A file that does not say how spectrograms are made.
    pub fn of(source: &Source, ruler: &Ruler) -> Result<Option<Self>> {
        if source.integer.model().local_shape().is_none() {
            return Ok(None);
        }
        let local = source.config.as_ref().map_or(Ok(None), |config| config.local_mel())?;
        let local = local.ok_or_else(|| {
            Error::Invalid("the model file does not say what the local conditions are that it follows".into())
        })?;
        let (recordings, labels) = ruler.some_test_images(usize::MAX);
        let classes = labels.map(|labels| (labels.values.clone(), labels.axes.len()));
        Ok(Some(Self { mels: local.of(recordings), local, classes }))
    }

    /// All spectrograms: image i follows number i modulo their count.
    pub fn mels(&self) -> &[f32] {
        &self.mels
    }

    /// The spectrograms of `count` images, and their classes.
    pub fn asked(&self, count: usize) -> (Vec<f32>, Option<Vec<u8>>) {
        let classes = self.classes.as_ref().map(|(classes, axes)| repeated(classes, *axes, count));
        (repeated(&self.mels, self.local.shape().len(), count), classes)
    }

    /// The figures of sounds, number i for the spectrogram i.
    ///
    /// # Errors
    /// As [`Ruler::figures`].
    pub fn figures(&self, ruler: &Ruler, sounds: &[f32]) -> Result<Figures> {
        let (mels, classes) = self.asked(sounds.len() / ruler.shape().len());
        let followed = Some((&self.local, &mels[..]));
        let asked = classes.as_deref();
        ruler.figures(&Images { images: sounds, asked, unconditional: sounds, memorised: sounds, followed })
    }

    /// The figures of what Griffin and Lim's algorithm makes of the spectrograms.
    ///
    /// # Errors
    /// As [`Ruler::figures`].
    pub fn griffin_lim(&self, ruler: &Ruler) -> Result<Figures> {
        self.figures(ruler, &self.local.mel().griffin_lim(&self.mels, ROUNDS))
    }
}

/// `count` entries of `len` values, which begin anew at the end of `values`.
fn repeated<T: Copy>(values: &[T], len: usize, count: usize) -> Vec<T> {
    values.iter().cycle().take(count * len).copied().collect()
}
