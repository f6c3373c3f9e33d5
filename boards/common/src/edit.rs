//! Chains that start from an image, keep parts of one, or go on from a snapshot, as a [`Request`] asks.

use crate::report::{Line, Piece};
use crate::request::{Request, UnknownClass};
use brownian::{mask_len, Image, Keeping, KnownPixels, Model, Sampler, SamplerError, SnapshotError, StateElement};
use core::fmt;

/// What lies ready for a chain, one behind the other: an image of a byte a value, a mask of a bit a pixel, and a
/// snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    image: &'a [u8],
    mask: &'a [u8],
    snapshot: &'a [u8],
}

impl<'a> Inputs<'a> {
    /// Divides `bytes`; what is missing is empty, and refused where it is needed.
    pub fn new(bytes: &'a [u8], model: &Model) -> Self {
        let [height, width, _] = model.shape();
        let (image, rest) = bytes.split_at(model.sample_len().min(bytes.len()));
        let (mask, snapshot) = rest.split_at(mask_len(height * width).min(rest.len()));
        Self { image, mask, snapshot }
    }
}

/// Why a request cannot be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The model has no plan of that name.
    Plan,
    /// The model has no such class.
    Class(UnknownClass),
    /// The sampler refuses.
    Sampler(SamplerError),
    /// The snapshot is refused.
    Snapshot(SnapshotError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan => f.write_str("the model has no plan of that name"),
            Self::Class(error) => error.fmt(f),
            Self::Sampler(error) => error.fmt(f),
            Self::Snapshot(error) => error.fmt(f),
        }
    }
}

impl From<SamplerError> for Refusal {
    fn from(error: SamplerError) -> Self {
        Self::Sampler(error)
    }
}

/// Starts the chain that a request asks for, for one seed. A snapshot knows its own plan, seed and condition.
pub fn start<'a, E: StateElement>(
    request: &Request,
    model: &'a Model<'a>,
    seed: u64,
    inputs: Inputs<'a>,
    arena: &'a mut [u8],
    state: &'a mut [E],
) -> Result<Sampler<'a, E>, Refusal> {
    let image = Image::Bytes(inputs.image);
    let keeping = if request.multiply { Keeping::Multiply(0.0) } else { Keeping::Replace };
    let known = request.inpaint.then_some(KnownPixels { image, mask: inputs.mask });
    if let Some(len) = request.resume {
        let snapshot = inputs.snapshot.get(..len as usize).unwrap_or(inputs.snapshot);
        let mut chain = Sampler::resume(model, snapshot).map_err(Refusal::Snapshot)?.two_evaluations();
        if let Some(known) = known {
            chain = chain.keep(known, keeping);
        }
        return chain.start(arena, state).map_err(Refusal::Snapshot);
    }
    let plan = request.choose(model).ok_or(Refusal::Plan)?;
    let mut chain = request.ask(model, plan, seed).map_err(Refusal::Class)?;
    if request.two_evaluations {
        chain = chain.two_evaluations();
    }
    if let Some(step) = request.from {
        chain = chain.from_image(image, step.into());
    }
    if let Some(known) = known {
        chain = chain.keep(known, keeping);
    }
    Ok(chain.start(arena, state)?)
}

/// Tells a snapshot of the chain, as [`Line::Saved`]s.
pub fn tell_snapshot<E: StateElement>(sampler: &Sampler<E>, mut tell: impl FnMut(Line)) {
    sampler.save_to(|bytes| {
        for chunk in bytes.chunks(Piece::LEN) {
            tell(Line::Saved(Piece::new(chunk)));
        }
    });
}
