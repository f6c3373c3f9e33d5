//! Chains saved between two steps, and taken up again, on the same target or on another.
//!
//! ```text
//! postcard of Head · x (postcard byte string, f32 or f16 little endian) · x0_hat_prev (the same, i16) · CRC-32
//! ```
//!
//! `docs/reference/format.md` is the specification.

use crate::conditioning::{Condition, Guidance};
use crate::error::{SamplerError, SnapshotError};
use crate::format::{Reader, CRC, CRC_LEN, SNAPSHOT_HEAD_LEN};
use crate::inpaint::{Inpainting, Keeping, KnownPixels};
use crate::model::{Model, Plan};
use crate::parse::MAX_AXES;
use crate::process::element::StateElement;
use crate::sampler::Sampler;
use crate::two_evaluations;
use serde::Serialize;

/// First bytes of every snapshot.
const MAGIC: [u8; 4] = *b"BRNS";
/// The version of snapshots that this crate writes and reads.
pub const SNAPSHOT_VERSION: u16 = 3;

/// The most bytes of a length.
const LENGTH_LEN: usize = 5;

/// Everything of a chain but its state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Head<'a> {
    magic: [u8; 4],
    version: u16,
    /// Checksum of the model file.
    model: u32,
    plan: &'a str,
    seed: u64,
    image: u32,
    /// One an axis: the class plus one, 0 for none.
    classes: [u16; MAX_AXES],
    guidance_scale: u16,
    two_evaluations: bool,
    start: u16,
    steps_done: u16,
    /// Checksum of what inpainting keeps, and of the local condition.
    known: Option<u32>,
}

impl<'a> Head<'a> {
    fn of<E: StateElement>(sampler: &'a Sampler<E>) -> Self {
        let guidance = sampler.condition.guidance();
        Self {
            magic: MAGIC,
            version: SNAPSHOT_VERSION,
            model: sampler.model.checksum(),
            plan: sampler.plan.name(),
            seed: sampler.seed,
            image: sampler.image,
            classes: sampler.condition.codes(),
            guidance_scale: guidance.in_256ths(),
            two_evaluations: guidance.evaluates_twice(),
            start: sampler.start as u16,
            steps_done: sampler.steps_done as u16,
            known: sampler.known(),
        }
    }

    /// What follows magic and version.
    fn read(from: &mut Reader<'a>) -> Self {
        Self {
            magic: MAGIC,
            version: SNAPSHOT_VERSION,
            model: from.value(),
            plan: from.value(),
            seed: from.value(),
            image: from.value(),
            classes: from.value(),
            guidance_scale: from.value(),
            two_evaluations: from.value(),
            start: from.value(),
            steps_done: from.value(),
            known: from.value(),
        }
    }

    fn condition(&self) -> Result<Condition, SamplerError> {
        let guidance = Guidance::from_256ths(self.guidance_scale)?;
        let guidance = if self.two_evaluations { guidance.two_evaluations() } else { guidance };
        let condition = Condition::of_codes(self.classes, guidance);
        if condition.is_none() && guidance != Guidance::PLAIN {
            return Err(SamplerError::GuidanceWithoutClass);
        }
        Ok(condition)
    }
}

impl<'a, E: StateElement> Sampler<'a, E> {
    /// Checksum of what the chain was given and a snapshot does not hold: what inpainting keeps, which is none of a chain
    /// that does not inpaint, followed by the local condition.
    fn known(&self) -> Option<u32> {
        let kept = self.inpainting.map(|inpainting| inpainting.checksum(self.model));
        #[cfg(feature = "local")]
        if !self.local.is_empty() {
            let mut digest = CRC.digest();
            digest.update(&kept.unwrap_or(0).to_le_bytes());
            digest.update(bytemuck::cast_slice(self.local));
            return Some(digest.finalize());
        }
        kept
    }

    /// Writes a snapshot of the chain to `out` and returns its length, at most
    /// [`Model::snapshot_len`].
    ///
    /// # Errors
    /// A buffer that is too short.
    pub fn save(&self, out: &mut [u8]) -> Result<usize, SnapshotError> {
        let mut len = 0;
        self.save_to(|piece| {
            let room = out.get_mut(len..).and_then(|rest| rest.get_mut(..piece.len())).unwrap_or(&mut []);
            room.iter_mut().zip(piece).for_each(|(slot, &byte)| *slot = byte);
            len += piece.len();
        });
        if len > out.len() {
            return Err(SnapshotError::BufferTooShort { needed: len as u32, found: out.len() as u32 });
        }
        Ok(len)
    }

    /// Gives the bytes of a snapshot to `write` piece by piece, so that they need no buffer.
    pub fn save_to(&self, mut write: impl FnMut(&[u8])) {
        let mut digest = CRC.digest();
        let mut piece = |bytes: &[u8]| {
            digest.update(bytes);
            write(bytes);
        };
        let mut buffer = [0; SNAPSHOT_HEAD_LEN];
        piece(postcard::to_slice(&Head::of(self), &mut buffer).map_or(&[], |used| &*used));
        for bytes in [bytemuck::cast_slice(&*self.state.x), bytemuck::cast_slice(&*self.state.x0_prev)] {
            let bytes: &[u8] = bytes;
            let mut length = [0; LENGTH_LEN];
            piece(postcard::to_slice(&(bytes.len() as u32), &mut length).map_or(&[], |used| &*used));
            piece(bytes);
        }
        write(&digest.finalize().to_le_bytes());
    }

    /// Takes up a chain where [`save`](Self::save) left it: the steps that follow give the bytes of an uninterrupted
    /// run. What is in the snapshot is checked; [`Resume::start`] needs memory.
    ///
    /// # Errors
    /// Bytes that are no whole snapshot of this version and this model. Nothing is read from damaged bytes but the
    /// version.
    pub fn resume<'s>(model: &'a Model<'a>, snapshot: &'s [u8]) -> Result<Resume<'a, 's, E>, SnapshotError> {
        let rest = snapshot.strip_prefix(&MAGIC).ok_or(SnapshotError::Magic)?;
        let (rest, crc) = rest.split_last_chunk::<CRC_LEN>().ok_or(SnapshotError::Damaged)?;
        let mut reader = Reader::new(rest);
        let version: u16 = reader.value();
        if reader.failed() {
            return Err(SnapshotError::Damaged);
        }
        if version != SNAPSHOT_VERSION {
            return Err(SnapshotError::Version { found: version });
        }
        let body = snapshot.get(..MAGIC.len() + rest.len()).unwrap_or(&[]);
        if CRC.checksum(body) != u32::from_le_bytes(*crc) {
            return Err(SnapshotError::Damaged);
        }
        let head = Head::read(&mut reader);
        if reader.failed() {
            return Err(SnapshotError::Malformed);
        }
        if head.model != model.checksum() {
            return Err(SnapshotError::Model { expected: head.model, found: model.checksum() });
        }
        let [x, x0_prev]: [&[u8]; 2] = reader.value();
        let Some([]) = reader.finish() else { return Err(SnapshotError::Malformed) };
        let plan = model.plan(head.plan).ok_or(SnapshotError::Malformed)?;
        if usize::from(head.steps_done) > plan.len() || head.start > head.steps_done {
            return Err(SnapshotError::Malformed);
        }
        Ok(Resume {
            model,
            plan,
            condition: head.condition()?,
            head,
            x,
            x0_prev,
            two_evaluations: None,
            inpainting: None,
            #[cfg(feature = "local")]
            local: &[],
        })
    }
}

/// A chain that is taken up; see [`Sampler::resume`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a chain goes on when it is started"]
pub struct Resume<'a, 's, E: StateElement = f32> {
    model: &'a Model<'a>,
    plan: Plan<'a>,
    condition: Condition,
    head: Head<'s>,
    x: &'s [u8],
    x0_prev: &'s [u8],
    two_evaluations: Option<&'static two_evaluations::Functions<E>>,
    inpainting: Option<Inpainting<'a, E>>,
    #[cfg(feature = "local")]
    local: &'a [i8],
}

impl<'a, E: StateElement> Resume<'a, '_, E> {
    /// What the chain was inpainting with; it must be given again.
    pub fn inpaint(self, known: KnownPixels<'a>) -> Self {
        Self { inpainting: Some(Inpainting::replacing(known)), ..self }
    }

    /// What the chain was keeping, and how; it must be given again.
    pub fn keep(self, known: KnownPixels<'a>, keeping: Keeping) -> Self {
        Self { inpainting: Some(Inpainting::by(known, keeping)), ..self }
    }

    /// The local condition that the chain was following; it must be given again.
    #[cfg(feature = "local")]
    pub fn local(self, local: &'a [i8]) -> Self {
        Self { local, ..self }
    }

    /// Admits chains that evaluate twice a step. Code that does so is only linked where this is called; other chains
    /// do not change.
    pub fn two_evaluations(self) -> Self {
        Self { two_evaluations: Some(two_evaluations::Functions::ALL), ..self }
    }

    /// Continues where the chain was saved; memory as for [`Builder::start`](crate::Builder::start).
    ///
    /// # Errors
    /// A class that the model does not know, a chain that evaluates twice where that is not admitted, other known
    /// pixels or another local condition than the chain had, or memory that does not fit.
    pub fn start(self, arena: &'a mut [u8], state: &'a mut [E]) -> Result<Sampler<'a, E>, SnapshotError> {
        let Self { model, plan, condition, head, inpainting, .. } = self;
        let two_evaluations = match (head.two_evaluations, self.two_evaluations) {
            (false, _) => None,
            (true, None) => return Err(SnapshotError::TwoEvaluations),
            (true, functions) => functions,
        };
        if let Some(inpainting) = &inpainting {
            inpainting.check(model, &plan)?;
        }
        let mut sampler = Sampler::at(model, plan, condition, two_evaluations, inpainting, arena, state)?;
        #[cfg(feature = "local")]
        sampler.follow(self.local)?;
        if sampler.known() != head.known {
            return Err(SnapshotError::Known);
        }
        let state = &mut sampler.state;
        let x: &mut [u8] = bytemuck::cast_slice_mut(state.x);
        let x0_prev: &mut [u8] = bytemuck::cast_slice_mut(state.x0_prev);
        if [self.x.len(), self.x0_prev.len()] != [x.len(), x0_prev.len()] {
            return Err(SnapshotError::Malformed);
        }
        x.iter_mut().zip(self.x).for_each(|(slot, &byte)| *slot = byte);
        x0_prev.iter_mut().zip(self.x0_prev).for_each(|(slot, &byte)| *slot = byte);
        (sampler.seed, sampler.image) = (head.seed, head.image);
        (sampler.start, sampler.steps_done) = (head.start.into(), head.steps_done.into());
        Ok(sampler)
    }
}
