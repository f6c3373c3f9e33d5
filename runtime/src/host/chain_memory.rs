//! Memory of one chain.

use super::AlignedBytes;
use crate::builder::Builder;
use crate::error::SamplerError;
use crate::model::Model;
use crate::process::element::StateElement;
use crate::sampler::Sampler;
use std::vec;
use std::vec::Vec;

/// Arena and state of one chain, sized for a model under any [`Guidance`](crate::Guidance). One after the other, many
/// chains may use it: what a chain gives does not depend on what the memory held.
#[derive(Clone, Debug)]
pub struct ChainMemory {
    arena: AlignedBytes,
    /// As many bytes as the state has, whatever its element.
    state: Vec<f32>,
    state_len: usize,
}

impl ChainMemory {
    /// Zeroed memory for chains of `model`.
    pub fn new(model: &Model) -> Self {
        let state_len = model.state_len_two_evaluations();
        let words = (state_len * model.state_element_len()).div_ceil(4);
        Self { arena: AlignedBytes::zeroed(model.arena_len()), state: vec![0.0; words], state_len }
    }

    /// Arena and state of f32.
    pub fn split(&mut self) -> (&mut [u8], &mut [f32]) {
        self.split_as()
    }

    /// Arena and state, which should be of the model's element: [`with_state_element`](crate::with_state_element) chooses.
    pub fn split_as<E: StateElement>(&mut self) -> (&mut [u8], &mut [E]) {
        let state: &mut [E] = bytemuck::cast_slice_mut(&mut self.state);
        let len = self.state_len.min(state.len());
        (self.arena.bytes_mut(), &mut state[..len])
    }

    /// Starts a chain in this memory.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub fn start<'a, E: StateElement>(&'a mut self, chain: Builder<'a, E>) -> Result<Sampler<'a, E>, SamplerError> {
        let (arena, state) = self.split_as();
        chain.start(arena, state)
    }
}

/// Evaluates an expression with a name for the element of a model's state, f32, f16 or bits. Code for all is made.
///
/// ```
/// use brownian::host::{ChainMemory, OwnedModel};
/// use brownian::{with_state_element, Sampler};
///
/// let file = OwnedModel::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"))?;
/// let (model, plan) = (file.model(), file.plan("fast5")?);
/// let mut memory = ChainMemory::new(&model);
/// let sample: Vec<f32> = with_state_element!(&model, Element => {
///     let mut sampler = memory.start::<Element>(Sampler::builder(&model, plan))?;
///     while sampler.step() {}
///     sampler.values().collect()
/// });
/// assert_eq!(sample.len(), 784);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! with_state_element {
    ($model:expr, $element:ident => $body:expr) => {
        match $model.state_kind() {
            $crate::StateKind::F16 => {
                type $element = $crate::f16;
                $body
            }
            $crate::StateKind::Bits => {
                type $element = $crate::Bits;
                $body
            }
            _ => {
                type $element = f32;
                $body
            }
        }
    };
}
