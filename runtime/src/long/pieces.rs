//! Where a long signal is cut.

use super::error::LongError;
use super::reach;
use crate::format::state_len_of;
use crate::model::Model;
use core::ops::Range;

/// How a signal longer than a model's own is evaluated: in windows of the model's length that overlap, of each of which
/// only what no border has touched is kept. The joints are exact: every value is that of a network as long as the signal.
///
/// A network looks so many samples to the left and to the right of an output: its receptive field. Windows overlap by
/// both, rounded up to a multiple of [`step`](Self::step); the first and the last keep the signal's own ends.
///
/// ```
/// use brownian::{host::OwnedModel, Pieces};
///
/// let file = OwnedModel::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/signal.brn"))?;
/// let model = file.model();
/// let pieces = Pieces::new(&model, 1024)?;
/// assert_eq!((model.sample_len(), pieces.overlap(), pieces.count()), (256, [56, 48], 7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    window: u32,
    length: u32,
    step: u32,
    left: u32,
    right: u32,
    arena_len: usize,
    state_len: usize,
    /// Columns of the signal that one of the local condition stands for, and its values; 1 and 0 without one.
    local: (u32, usize),
}

/// One piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// First column of its window.
    pub start: u32,
    /// First column that is kept.
    pub from: u32,
    /// The column behind the last one that is kept.
    pub to: u32,
}

impl Piece {
    /// What is kept, in values of so many channels.
    pub fn kept(&self, channels: usize) -> Range<usize> {
        self.from as usize * channels..self.to as usize * channels
    }
}

impl Pieces {
    /// The pieces of a signal of `length` columns: a multiple of the step, at least the model's own length, at most 2^24
    /// values.
    ///
    /// # Errors
    /// A model that is not of signals, or whose columns are not the same everywhere; one that looks too far for windows of
    /// its length; another length.
    pub fn new(model: &Model, length: u32) -> Result<Self, LongError> {
        let field = reach::of(model).ok_or(LongError::Model)?;
        let [_, window, channels] = model.shape();
        let window = window as u32;
        let round = |columns: u32| columns.checked_next_multiple_of(field.step);
        let reach = LongError::Reach { left: field.reach.left, right: field.reach.right, window };
        let (Some(left), Some(right)) = (round(field.reach.left), round(field.reach.right)) else { return Err(reach) };
        if left.saturating_add(right) >= window && length > window {
            return Err(reach);
        }
        let values = u64::from(length) * channels as u64;
        if length < window || !length.is_multiple_of(field.step) || !window.is_multiple_of(field.step) || values > MOST
        {
            return Err(LongError::Length {
                least: window,
                step: field.step,
                most: (MOST as u32).checked_div(channels as u32).unwrap_or(0),
            });
        }
        let kind = model.state_kind();
        let uses_previous = model.state_len() > kind.elements(model.sample_len());
        let overlap = if length > window { (window - right) as usize * channels } else { 0 };
        Ok(Self {
            window,
            length,
            step: field.step,
            left,
            right,
            arena_len: model.arena_len() + overlap,
            state_len: state_len_of(values as usize, uses_previous, kind),
            local: local_of(model, window),
        })
    }

    /// Columns of the signal.
    pub fn length(&self) -> usize {
        self.length as usize
    }

    /// What lengths, windows and overlaps are multiples of.
    pub fn step(&self) -> usize {
        self.step as usize
    }

    /// Columns at the left and at the right of a window that are evaluated and not kept, but at the signal's ends.
    pub fn overlap(&self) -> [usize; 2] {
        [self.left as usize, self.right as usize]
    }

    /// Pieces, each of which costs one evaluation of the network a step.
    pub fn count(&self) -> usize {
        core::iter::successors(Some(self.first()), |piece| self.behind(piece)).count()
    }

    /// Bytes of arena: those of the model, and what the next window sees of a piece that is updated already.
    pub fn arena_len(&self) -> usize {
        self.arena_len
    }

    /// Elements of state, of the model's kind.
    pub fn state_len(&self) -> usize {
        self.state_len
    }

    /// Values of the local condition of the whole signal, 0 of a model without.
    pub fn local_len(&self) -> usize {
        (self.length as usize).checked_div(self.local.0 as usize).unwrap_or(0) * self.local.1
    }

    /// Those of a piece's window.
    #[cfg(feature = "local")]
    pub(super) fn local_of(&self, piece: &Piece) -> Range<usize> {
        let at = |column: u32| column.checked_div(self.local.0).unwrap_or(0) as usize * self.local.1;
        at(piece.start)..at(piece.start + self.window)
    }

    pub(super) fn first(&self) -> Piece {
        self.piece(0, 0)
    }

    /// The piece behind one; `None` behind the last.
    pub(super) fn behind(&self, piece: &Piece) -> Option<Piece> {
        let last = self.length - self.window;
        (piece.to < self.length).then(|| self.piece(piece.to.saturating_sub(self.left).min(last), piece.to))
    }

    fn piece(&self, start: u32, from: u32) -> Piece {
        let end = start + self.window;
        Piece { start, from, to: if end < self.length { end.saturating_sub(self.right) } else { self.length } }
    }
}

/// Columns of a signal that one of the model's local condition stands for, and its values.
fn local_of(_model: &Model, _window: u32) -> (u32, usize) {
    #[cfg(feature = "local")]
    if let Some([_, columns, values]) = _model.local_shape() {
        return (_window.checked_div(columns as u32).unwrap_or(1).max(1), values);
    }
    (1, 0)
}

/// Most values of a signal.
const MOST: u64 = 1 << 24;

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn pieces(length: u32, left: u32, right: u32) -> Pieces {
        Pieces { window: 64, length, step: 4, left, right, arena_len: 0, state_len: 0, local: (1, 0) }
    }

    /// Every column is kept once, in order, and where nothing cuts what it looks at.
    #[test]
    fn pieces_cover_the_signal() {
        for (length, left, right) in
            [(64, 60, 60), (68, 4, 8), (128, 16, 12), (200, 28, 32), (2000, 0, 0), (444, 0, 60)]
        {
            let pieces = pieces(length, left, right);
            let all: Vec<Piece> = core::iter::successors(Some(pieces.first()), |piece| pieces.behind(piece)).collect();
            assert_eq!(all.len(), pieces.count());
            let mut done = 0;
            for piece in &all {
                let end = piece.start + 64;
                assert!(piece.from == done && piece.to > done && end <= length, "{length}: {piece:?}");
                assert!(piece.start == 0 || piece.from >= piece.start + left, "{length}: {piece:?}");
                assert!(end == length || piece.to + right <= end, "{length}: {piece:?}");
                // What the next window sees of what was kept fits behind the arena.
                assert!(piece.from - piece.start <= 64 - right, "{length}: {piece:?}");
                done = piece.to;
            }
            assert_eq!(done, length);
        }
        assert_eq!(pieces(64, 60, 60).count(), 1);
        assert_eq!(pieces(2000, 0, 0).count(), 32);
    }
}
