//! Convolution by Winograd's F(4, 3) along rows, and by F(2, 3) down columns where tiles have two rows, exactly. A
//! backend supplies the transforms and products by [`Transforms`].
//!
//! ```text
//!   window of 6 columns  --inputs-->   6 values a channel    (all rows, all lanes of a chunk)
//!   3 taps of a row      --weights-->  6 values a channel    (two output channels at a time)
//!   products: six dot products over channels and rows of taps, for 4 lanes × 2 output channels
//!   outputs:  six sums --> four outputs next to each other, requantized and stored
//! ```
//!
//! Transformed values are pairs of i16, in the order in which [`Transforms`] unpacks four bytes:
//!
//! ```text
//!   inputs   [group][6][rows + kernel_rows − 1][channels / 2][4 lanes]
//!   weights  [6][kernel_rows][channels / 2][2 output channels]
//! ```
//!
//! With tiles of two rows, `inputs_down` makes four values of the four rows of inputs that lie in a tile's four places, and
//! `weights_tile` as many of three rows of taps:
//!
//! ```text
//!   inputs   [group][rows / 2][6][4][channels / 2][4 lanes]          d1 + d2, d2 − d1, d0 − d2, d3 − d1
//!   weights  [6][4][channels / 2][2 output channels]                 g0 + g1 + g2, g0 − g1 + g2, 2·g0, 2·g2
//! ```
//!
//! With the products m0 to m3 of these, twice the first row of outputs is m0 + m1 + m2, twice the second m0 − m1 + m3.

use super::store::align;
#[cfg(feature = "two-cores")]
use super::winograd_halves;
use super::winograd_scalar;
use crate::cores::Cores;
use crate::kernels::conv::Conv;
use crate::kernels::epilogue::Output;
use crate::kernels::scratch::row_stride;
use crate::kernels::source::Source;
use crate::kernels::winograd::Winograd;
use core::ops::Range;

/// The transforms and products. A set of instructions defines those that it does better than [`winograd_scalar`].
pub trait Transforms {
    /// What `outputs` keeps from one call to the next.
    type Job;

    /// The job of a convolution.
    ///
    /// # Safety
    /// Epilogue and output are whole.
    unsafe fn job(conv: &Conv, out: &mut Output) -> Self::Job;

    /// Transforms six columns, `stride` bytes apart, of `channels` values each, to one lane: words 16 bytes apart, the
    /// six values `plane` bytes apart.
    ///
    /// # Safety
    /// All that is readable and writable; everything is aligned to 4; `channels` is a positive multiple of 4.
    #[inline(always)]
    unsafe fn inputs(columns: *const i8, stride: usize, channels: usize, to: *mut u32, plane: usize) {
        // SAFETY: the caller's promise.
        unsafe { winograd_scalar::inputs(columns, stride, channels, to, plane) }
    }

    /// Transforms `rows` ≥ 1 rows of three taps of `channels` weights each to one output channel, one row after the other:
    /// words 8 bytes apart, the six values `plane` bytes apart.
    ///
    /// # Safety
    /// Like `inputs`.
    #[inline(always)]
    unsafe fn weights(taps: *const i8, rows: usize, channels: usize, to: *mut u32, plane: usize) {
        // SAFETY: the caller's promise.
        unsafe { winograd_scalar::weights(taps, rows, channels, to, plane) }
    }

    /// Adds `words` products of pairs to the sums of four lanes for the first output channel, then for the second.
    ///
    /// # Safety
    /// All that is readable; there are four words of inputs and two of weights a word; `words` is positive and even.
    #[inline(always)]
    unsafe fn dot(sums: &mut [i32; 8], inputs: *const u32, weights: *const u32, words: usize) {
        // SAFETY: the caller's promise.
        unsafe { winograd_scalar::dot(sums, inputs, weights, words) }
    }

    /// Six times eight sums of `words` products of pairs, `sums[value][output channel][lane]`. The inputs of the six
    /// values are `plane` bytes apart.
    ///
    /// # Safety
    /// All that is readable and writable; `words` is positive and even.
    #[inline(always)]
    unsafe fn products(inputs: *const u32, plane: usize, weights: *const u32, words: usize, sums: *mut i32) {
        // SAFETY: the caller's promise.
        unsafe { winograd_scalar::products(Self::dot, inputs, plane, weights, words, sums) }
    }

    /// Four rows of one lane's transformed inputs, `channels` bytes of 8 apart, as the values of a tile of two rows, six times
    /// over. Rows 2 and 3 are copied to rows 0 and 1 of the tile at `next` first, which may be the same.
    ///
    /// # Safety
    /// Like `inputs`.
    #[inline(always)]
    unsafe fn inputs_down(tile: *mut u32, next: *mut u32, channels: usize) {
        // SAFETY: the caller's promise.
        unsafe { winograd_scalar::inputs_down(tile, next, channels) }
    }

    /// Transforms three rows of three taps of two output channels to the values of a tile of two rows.
    ///
    /// # Safety
    /// Like `weights`.
    #[inline(always)]
    unsafe fn weights_tile(rows: [*const i8; 2], channels: usize, to: *mut u32) {
        // SAFETY: the caller's promise.
        unsafe { winograd_scalar::weights_tile(rows, channels, to) }
    }

    /// Like `products` for a tile of two rows: `sums[row][value][output channel][lane]`, twice what they are. `words` is
    /// half the input channels.
    ///
    /// # Safety
    /// Like `products`.
    #[inline(always)]
    unsafe fn products_down(inputs: *const u32, weights: *const u32, words: usize, sums: *mut i32) {
        // SAFETY: the caller's promise.
        unsafe { winograd_scalar::products_down(Self::dot, inputs, weights, words, sums) }
    }

    /// The four outputs of each lane in row `row` of its band, for output channels `o` and, if `both`, `o + 1`.
    ///
    /// # Safety
    /// Lanes, epilogue and output are whole.
    unsafe fn outputs(job: &mut Self::Job, at: &Place, out: &mut Output, sums: *const i32, lanes: *const Lane);
}

/// Which outputs four lanes have.
pub struct Place<'c, 'd> {
    pub conv: &'c Conv<'d>,
    /// The first of up to two output channels.
    pub o: usize,
    /// How many these are.
    pub channels: usize,
    /// Row within the band.
    pub row: usize,
    /// Whether the sums are twice what they are.
    pub doubled: bool,
}

/// A lane: a column of tiles.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Lane {
    /// Index of the first output's channel 0.
    pub first: u32,
    /// Columns of a tile that exist, up to 4, at the window's dilation; 0 for a lane beyond the last.
    pub columns: u16,
    /// Rows of the band that exist.
    pub rows: u16,
}

/// `conv` as `cut`; returns false without a change where slices are not aligned.
#[inline(never)]
pub fn conv<T: Transforms>(cores: Cores, conv: &Conv, cut: &Winograd, out: &mut Output, scratch: &mut [i8]) -> bool {
    let [out_h, out_w, out_c] = conv.output;
    let (a, b) = conv.sources;
    let channels = a.channels + b.map_or(0, |s| s.channels);
    let kernel_rows = conv.window.kernel[0];
    let aligned = |data: &[i8]| (data.as_ptr() as usize).is_multiple_of(4);
    let fits = aligned(a.data)
        && b.is_none_or(|b| aligned(b.data))
        && aligned(conv.weights)
        && conv.groups == 1
        && Winograd::applies(cut.tile_rows, &conv.window, [a.channels, channels - a.channels])
        && a.is_whole()
        && b.is_none_or(|s| s.is_whole())
        && cut.rows > 0
        && cut.groups > 0
        && conv.weights.len() >= out_c * row_stride(3 * kernel_rows * channels)
        && scratch.len() >= cut.scratch(kernel_rows, channels)
        && conv.epilogue.is_whole(out_c, out_h * out_w * out_c, out);
    if !fits {
        return false;
    }
    let down = cut.tile_rows == 2;
    // A row of a lane's channels is a word of four lanes for two channels.
    let row = 8 * channels;
    let (plane, step) = if down { (4 * row, 24 * row) } else { (row * (cut.rows + kernel_rows - 1), row) };
    let group = cut.group_len(kernel_rows, channels) / 4;
    let groups = cut.lanes([out_h, out_w], conv.window.dilation[1]).div_ceil(4);
    // SAFETY: the pieces follow one another and are as long as `Winograd::scratch` says.
    let chunk = unsafe {
        let weights = align(scratch);
        let sums = weights.add(cut.values(kernel_rows) * channels).cast::<i32>();
        let lanes = sums.add(48 * cut.tile_rows).cast::<Lane>();
        let inputs = lanes.add(4 * cut.groups).cast::<u32>();
        let window = inputs.add(cut.groups * group).cast::<i8>();
        Chunk { conv, cut, down, channels, plane, step, group, weights, sums, lanes, inputs, window }
    };
    #[cfg(feature = "two-cores")]
    if cores.with_second(
        || cut.second_scratch(kernel_rows, channels),
        // SAFETY: as just checked; the scratch is as long as it says.
        |other, own| unsafe { winograd_halves::run::<T>(&chunk, groups, *out, other, own) },
    ) {
        return true;
    }
    #[cfg(not(feature = "two-cores"))]
    let Cores { .. } = cores;
    // SAFETY: as just checked.
    let mut job = unsafe { T::job(conv, out) };
    let mut cursor = Cursor::default();
    let mut first = 0;
    while first < groups {
        let count = if groups - first < cut.groups { groups - first } else { cut.groups };
        // SAFETY: as just checked.
        unsafe {
            chunk.note_lanes(count, &mut cursor);
            chunk.run::<T>(&mut job, out, count);
        }
        first += count;
    }
    true
}

/// Goes from lane to lane: tiles, then phases, then bands.
#[derive(Default)]
pub(super) struct Cursor {
    tile: usize,
    phase: usize,
    band: usize,
}

/// Where the parts of a chunk lie.
#[derive(Clone, Copy)]
pub(super) struct Chunk<'c, 'd> {
    pub(super) conv: &'c Conv<'d>,
    pub(super) cut: &'c Winograd,
    /// Whether tiles have two rows.
    pub(super) down: bool,
    pub(super) channels: usize,
    /// Bytes from one of the six values of a row of inputs to the next.
    pub(super) plane: usize,
    /// Bytes of inputs from one row of tiles to the next.
    pub(super) step: usize,
    /// Words of a group's inputs.
    pub(super) group: usize,
    pub(super) weights: *mut u32,
    pub(super) sums: *mut i32,
    pub(super) lanes: *mut Lane,
    pub(super) inputs: *mut u32,
    pub(super) window: *mut i8,
}

impl Chunk<'_, '_> {
    /// Notes where the lanes of these groups have their outputs.
    #[inline(always)]
    pub(super) unsafe fn note_lanes(&self, groups: usize, cursor: &mut Cursor) {
        for group in 0..groups {
            for lane in 0..4 {
                // SAFETY: the caller's promise.
                unsafe { self.lane(group, lane, cursor) };
            }
        }
    }

    /// Notes where a lane of a group has its outputs, and moves on to the next.
    unsafe fn lane(&self, group: usize, lane: usize, cursor: &mut Cursor) {
        let [out_h, out_w, out_c] = self.conv.output;
        let dilation = self.conv.window.dilation[1];
        let [phases, tiles] = Winograd::across(out_w, dilation);
        let (y, x) = (cursor.band * self.cut.rows, cursor.phase + 4 * cursor.tile * dilation);
        let (mut columns, mut rows) = (0, 0);
        if y < out_h {
            while columns < 4 && x + columns * dilation < out_w {
                columns += 1;
            }
            rows = if out_h - y < self.cut.rows { out_h - y } else { self.cut.rows };
        }
        let rows = if columns > 0 { rows } else { 0 };
        let note = Lane { first: ((y * out_w + x) * out_c) as u32, columns: columns as u16, rows: rows as u16 };
        // SAFETY: there is room for four lanes a group.
        unsafe { self.lanes.add(4 * group + lane).write(note) };
        cursor.tile += 1;
        if cursor.tile == tiles {
            (cursor.tile, cursor.phase) = (0, cursor.phase + 1);
        }
        if cursor.phase == phases {
            (cursor.phase, cursor.band) = (0, cursor.band + 1);
        }
    }

    /// All outputs of the chunk's groups.
    unsafe fn run<T: Transforms>(&self, job: &mut T::Job, out: &mut Output, groups: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            for lane in 0..4 * groups {
                self.transform::<T>(lane);
            }
            self.outputs::<T>(job, out, groups, 0..self.conv.output[2]);
        }
    }

    /// The outputs of the chunk's groups in these channels, the first of which is even, from inputs that are transformed.
    #[inline(always)]
    pub(super) unsafe fn outputs<T: Transforms>(
        &self,
        job: &mut T::Job,
        out: &mut Output,
        groups: usize,
        outputs: Range<usize>,
    ) {
        let kernel_rows = self.conv.window.kernel[0];
        let row_len = row_stride(3 * kernel_rows * self.channels);
        let words = if self.down { 1 } else { kernel_rows } * self.channels / 2;
        // SAFETY: the caller's promise.
        unsafe {
            let Range { start, end } = outputs;
            for o in (start..end).step_by(2) {
                let channels = if end - o < 2 { 1 } else { 2 };
                // An odd last channel is computed twice and stored once.
                let row = |second: usize| self.conv.weights.as_ptr().add((o + second * (channels - 1)) * row_len);
                if self.down {
                    T::weights_tile([row(0), row(1)], self.channels, self.weights);
                } else {
                    for second in 0..2 {
                        let (to, plane) = (self.weights.add(second), 4 * kernel_rows * self.channels);
                        T::weights(row(second), kernel_rows, self.channels, to, plane);
                    }
                }
                for group in 0..groups {
                    let lanes = self.lanes.add(4 * group);
                    let mut rows = 0;
                    for lane in 0..4 {
                        let here = (*lanes.add(lane)).rows as usize;
                        rows = if here > rows { here } else { rows };
                    }
                    let mut inputs = self.inputs.add(group * self.group);
                    let mut row = 0;
                    while row < rows {
                        let mut sums = self.sums;
                        if self.down {
                            T::products_down(inputs, self.weights, words, sums);
                        } else {
                            T::products(inputs, self.plane, self.weights, words, sums);
                        }
                        inputs = inputs.byte_add(self.step);
                        for _ in 0..self.cut.tile_rows {
                            if row < rows {
                                let at = Place { conv: self.conv, o, channels, row, doubled: self.down };
                                T::outputs(job, &at, out, sums, lanes);
                            }
                            (row, sums) = (row + 1, sums.add(48));
                        }
                    }
                }
            }
        }
    }

    /// Transforms the inputs of a lane.
    pub(super) unsafe fn transform<T: Transforms>(&self, lane: usize) {
        let [_, out_w, out_c] = self.conv.output;
        let window = &self.conv.window;
        let (a, b) = self.conv.sources;
        let step = window.dilation[1];
        // SAFETY: the caller's promise; a lane's rows and columns are within the output.
        unsafe {
            let Lane { first, rows, .. } = *self.lanes.add(lane);
            if rows == 0 {
                return;
            }
            let pixel = (first as usize).checked_div(out_c).unwrap_or(0);
            let y = pixel.checked_div(out_w).unwrap_or(0);
            let x = (pixel - y * out_w).wrapping_sub(window.pad[1]);
            let plain = b.is_none() && a.upsample == 0 && x < a.width && x + 5 * step < a.width;
            let (first, row) = (self.inputs.add((lane / 4) * self.group + lane % 4), 2 * self.channels);
            let lines =
                if self.down { rows as usize + (rows & 1) as usize } else { rows as usize } + window.kernel[0] - 1;
            // Of a tile of two rows lines 0 and 1 are the last two of the tile above.
            let (mut to, mut tile) = (first, first);
            for line in 0..lines {
                let y = (y + line).wrapping_sub(window.pad[0]);
                if plain && y < a.height {
                    let columns = a.data.as_ptr().add((y * a.width + x) * a.channels);
                    T::inputs(columns, step * a.channels, self.channels, to, self.plane);
                } else {
                    for column in 0..6 {
                        let at = self.window.add(column * self.channels);
                        let x = x.wrapping_add(column * step);
                        copy(&a, y, x, at);
                        if let Some(b) = &b {
                            copy(b, y, x, at.add(a.channels));
                        }
                    }
                    T::inputs(self.window, self.channels, self.channels, to, self.plane);
                }
                to = to.add(row);
                if self.down && line & 1 == 1 && line > 1 {
                    let next = if line + 1 < lines { tile.byte_add(self.step) } else { tile };
                    T::inputs_down(tile, next, self.channels);
                    (tile, to) = (next, next.add(2 * row));
                }
            }
        }
    }
}

/// A pixel's channels, or zero points in the padding.
unsafe fn copy(source: &Source, y: usize, x: usize, to: *mut i8) {
    let (y, x) = (y >> (source.upsample & 1), x >> (source.upsample & 1));
    let mut to = to.cast::<u32>();
    // SAFETY: a pixel inside the source, in whole words, and room for it.
    unsafe {
        let end = to.add(source.channels / 4);
        if y >= source.height || x >= source.width {
            let zeros = source.zero_point as u8 as u32 * 0x0101_0101;
            while to != end {
                to.write(zeros);
                to = to.add(1);
            }
        } else {
            let mut from = source.data.as_ptr().add((y * source.width + x) * source.channels).cast::<u32>();
            if source.channels & 4 != 0 {
                to.write(*from);
                (from, to) = (from.add(1), to.add(1));
            }
            while to != end {
                to.write(*from);
                to.add(1).write(*from.add(1));
                (from, to) = (from.add(2), to.add(2));
            }
        }
    }
}
