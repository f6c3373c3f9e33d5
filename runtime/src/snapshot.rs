//! Chains saved between two steps, and taken up again, on the same target or on another.
//!
//! ```text
//! postcard of Head · x (postcard byte string, f32 little endian) · x0_hat_prev (the same, i16) · CRC-32
//! ```
//!
//! `docs/reference/format.md` is the specification.

use crate::conditioning::{self, Condition, Guidance};
use crate::error::SnapshotError;
use crate::format::{Reader, CRC, CRC_LEN, MAX_PLAN_NAME};
use crate::given::Known;
use crate::model::Model;
use crate::sampler::{Sampler, State};
use serde::Serialize;

/// First bytes of every snapshot.
const MAGIC: [u8; 4] = *b"BRNS";
/// The version of snapshots that this crate writes and reads.
pub const SNAPSHOT_VERSION: u16 = 2;

/// The most bytes of a head: magic, then the largest varints of u16 (3), u32 (5), the name, u64 (10), u32 (5),
/// Option<u16> (4), u16 (3), bool, two u16 (6), Option<u32> (6).
const HEAD_LEN: usize = 4 + 3 + 5 + (1 + MAX_PLAN_NAME) + 10 + 5 + 4 + 3 + 1 + 6 + 6;
/// The most bytes of a length.
const LENGTH_LEN: usize = 5;
/// The most bytes of a snapshot beside the state's values.
pub(crate) const FRAME_LEN: usize = HEAD_LEN + 2 * LENGTH_LEN + CRC_LEN;

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
    class: Option<u16>,
    guidance_scale: u16,
    two_evaluations: bool,
    start: u16,
    steps_done: u16,
    /// Checksum of what inpainting keeps.
    known: Option<u32>,
}

impl<'a> Head<'a> {
    fn of(sampler: &'a Sampler) -> Self {
        let Condition { class, guidance_scale, guidance } = sampler.condition;
        Self {
            magic: MAGIC,
            version: SNAPSHOT_VERSION,
            model: sampler.model.checksum(),
            plan: sampler.plan.name(),
            seed: sampler.seed,
            image: sampler.image,
            class,
            guidance_scale,
            two_evaluations: guidance == Guidance::TwoEvaluations,
            start: sampler.start as u16,
            steps_done: sampler.steps_done as u16,
            known: sampler.known.map(|known| known.checksum(sampler.model)),
        }
    }

    /// What follows magic and version.
    fn read(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            magic: MAGIC,
            version: SNAPSHOT_VERSION,
            model: from.next()?,
            plan: from.next()?,
            seed: from.next()?,
            image: from.next()?,
            class: from.next()?,
            guidance_scale: from.next()?,
            two_evaluations: from.next()?,
            start: from.next()?,
            steps_done: from.next()?,
            known: from.next()?,
        })
    }

    fn condition(&self) -> Condition {
        let guidance = if self.two_evaluations { Guidance::TwoEvaluations } else { Guidance::Bias };
        Condition { class: self.class, guidance_scale: self.guidance_scale, guidance }
    }
}

impl<'a> Sampler<'a> {
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
        let mut buffer = [0; HEAD_LEN];
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
    /// run. `known` is what the chain was inpainting with; memory as for [`new`](Self::new).
    ///
    /// # Errors
    /// Bytes that are no whole snapshot of this version and this model, another `known`, or memory that does not fit.
    /// Nothing is read from damaged bytes but the version.
    pub fn resume(
        model: &'a Model<'a>,
        snapshot: &[u8],
        known: Option<Known<'a>>,
        arena: &'a mut [u8],
        state: &'a mut [f32],
    ) -> Result<Self, SnapshotError> {
        let rest = snapshot.strip_prefix(&MAGIC).ok_or(SnapshotError::Magic)?;
        let (rest, crc) = rest.split_last_chunk::<CRC_LEN>().ok_or(SnapshotError::Damaged)?;
        let mut reader = Reader::new(rest);
        let version: u16 = reader.next().ok_or(SnapshotError::Damaged)?;
        if version != SNAPSHOT_VERSION {
            return Err(SnapshotError::Version { found: version });
        }
        let body = snapshot.get(..MAGIC.len() + rest.len()).unwrap_or(&[]);
        if CRC.checksum(body) != u32::from_le_bytes(*crc) {
            return Err(SnapshotError::Damaged);
        }
        let head = Head::read(&mut reader).ok_or(SnapshotError::Malformed)?;
        if head.model != model.checksum() {
            return Err(SnapshotError::Model { expected: head.model, found: model.checksum() });
        }
        let [x, x0_prev]: [Option<&[u8]>; 2] = [reader.next(), reader.next()];
        let (Some(x), Some(x0_prev), Some([])) = (x, x0_prev, reader.rest()) else {
            return Err(SnapshotError::Malformed);
        };
        let plan = model.plan(head.plan).ok_or(SnapshotError::Malformed)?;
        let (start, steps_done) = (usize::from(head.start), usize::from(head.steps_done));
        conditioning::check(model, head.condition())?;
        if let Some(known) = &known {
            known.check(model)?;
        }
        if known.map(|known| known.checksum(model)) != head.known {
            return Err(SnapshotError::Known);
        }
        let state = State::divide(model, head.condition(), state)?;
        let lengths = [state.x.len() * 4, state.x0_prev.len() * 2];
        if steps_done > plan.len() || start > steps_done || [x.len(), x0_prev.len()] != lengths {
            return Err(SnapshotError::Malformed);
        }
        for (value, bytes) in state.x.iter_mut().zip(x.as_chunks().0) {
            *value = f32::from_le_bytes(*bytes);
        }
        for (value, bytes) in state.x0_prev.iter_mut().zip(x0_prev.as_chunks().0) {
            *value = i16::from_le_bytes(*bytes);
        }
        let mut sampler = Self::at(model, plan, head.condition(), (head.seed, head.image), arena, state)?;
        (sampler.known, sampler.start, sampler.steps_done) = (known, start, steps_done);
        Ok(sampler)
    }
}
