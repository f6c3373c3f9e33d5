//! Edits of a spec.
use super::parts::NormName;
use super::spec::Spec;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What is changed of a spec.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variation {
    /// Normalisation, where it is not the spec's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub norm: Option<NormName>,
    /// Factor on all channels, which are then rounded to multiples of 4.
    pub width: f64,
    /// Residual blocks at the lowest level, where they are not the spec's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<usize>,
}

impl Default for Variation {
    fn default() -> Self {
        Self { norm: None, width: 1.0, blocks: None }
    }
}

impl Variation {
    /// Checks what a command line or an edited file can get wrong.
    ///
    /// # Errors
    /// A width or a number of blocks out of range (usage errors).
    pub fn check(&self) -> Result<()> {
        if !(0.1..=16.0).contains(&self.width) {
            return Err(Error::Usage(format!("--width {}: give a factor from 0.1 to 16", self.width)));
        }
        match self.blocks {
            Some(blocks) if !(1..=64).contains(&blocks) => {
                Err(Error::Usage(format!("--blocks {blocks}: give 1 to 64")))
            }
            _ => Ok(()),
        }
    }

    /// The spec with these changes.
    ///
    /// # Errors
    /// Changes out of range, or of something that the spec's kind does not have (usage errors).
    pub fn of(&self, spec: &Spec) -> Result<Spec> {
        self.check()?;
        let mut spec = spec.clone();
        match &mut spec {
            Spec::UNet(net) => {
                net.channels.iter_mut().for_each(|channels| *channels = self.channels(*channels));
                net.norm = self.norm.unwrap_or(net.norm);
                if let (Some(blocks), Some(lowest)) = (self.blocks, net.blocks.last_mut()) {
                    *lowest = blocks;
                }
            }
            Spec::Perceptron(net) => {
                net.width = self.channels(net.width);
                net.blocks = self.blocks.unwrap_or(net.blocks);
                if self.norm.is_some_and(|norm| norm != NormName::None) {
                    return Err(Error::Usage("--norm batch: a network of kind \"mlp\" has no norms".into()));
                }
            }
            Spec::DiffWave(net) => {
                net.width = self.channels(net.width);
                net.norm = self.norm.unwrap_or(net.norm);
                if self.blocks.is_some() {
                    return Err(Error::Usage("--blocks: a network of kind \"diffwave\" has layers, not blocks".into()));
                }
            }
            Spec::Listed(_) if *self == Self::default() => {}
            Spec::Listed(_) => {
                return Err(Error::Usage(
                    "--width, --blocks, --norm: a network of kind \"graph\" is what its nodes are; edit these".into(),
                ))
            }
        }
        spec.check()?;
        Ok(spec)
    }

    fn channels(&self, channels: usize) -> usize {
        if self.width == 1.0 {
            return channels;
        }
        ((channels as f64 * self.width / 4.0).round() as usize).max(1) * 4
    }
}
