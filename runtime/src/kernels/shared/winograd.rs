//! Convolution by Winograd's F(4, 3) along rows, exactly. A backend supplies the transforms and products by
//! [`Transforms`].
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

use super::store::align;
use crate::kernels::conv::Conv;
use crate::kernels::epilogue::Output;
use crate::kernels::scratch::row_stride;
use crate::kernels::source::Source;
use crate::kernels::winograd::Winograd;

/// The transforms and products.
pub trait Transforms {
    /// Transforms six columns, `stride` bytes apart, of `channels` values each, to one lane: words 16 bytes apart, the
    /// six values `plane` bytes apart.
    ///
    /// # Safety
    /// All that is readable and writable; everything is aligned to 4; `channels` is a positive multiple of 4.
    unsafe fn inputs(columns: *const i8, stride: usize, channels: usize, to: *mut u32, plane: usize);

    /// Transforms a row of three taps of `channels` weights each to one output channel: words 8 bytes apart, the six
    /// values `plane` bytes apart.
    ///
    /// # Safety
    /// Like `inputs`.
    unsafe fn weights(taps: *const i8, channels: usize, to: *mut u32, plane: usize);

    /// Six times eight sums of `words` products of pairs, `sums[value][output channel][lane]`. The inputs of the six
    /// values are `plane` bytes apart.
    ///
    /// # Safety
    /// All that is readable and writable; `words` is positive and even.
    unsafe fn products(inputs: *const u32, plane: usize, weights: *const u32, words: usize, sums: *mut i32);

    /// The four outputs of each lane in row `row` of its band, for output channels `o` and, if `both`, `o + 1`.
    ///
    /// # Safety
    /// Lanes, epilogue and output are whole.
    unsafe fn outputs(at: &Place, out: &mut Output, sums: *const i32, lanes: *const Lane);
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
pub fn conv<T: Transforms>(conv: &Conv, cut: &Winograd, out: &mut Output, scratch: &mut [i8]) -> bool {
    let [out_h, out_w, out_c] = conv.output;
    let (a, b) = conv.sources;
    let channels = a.channels + b.map_or(0, |s| s.channels);
    let kernel_rows = conv.window.kernel[0];
    let aligned = |data: &[i8]| (data.as_ptr() as usize).is_multiple_of(4);
    let fits = aligned(a.data)
        && b.is_none_or(|b| aligned(b.data))
        && aligned(conv.weights)
        && conv.groups == 1
        && Winograd::applies(&conv.window, [a.channels, channels - a.channels])
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
    let lines = cut.rows + kernel_rows - 1;
    let plane = 8 * channels * lines;
    let groups = cut.lanes([out_h, out_w], conv.window.dilation[1]).div_ceil(4);
    // SAFETY: the pieces follow one another and are as long as `Winograd::scratch` says.
    let chunk = unsafe {
        let weights = align(scratch);
        let sums = weights.add(6 * kernel_rows * channels).cast::<i32>();
        let lanes = sums.add(48).cast::<Lane>();
        let inputs = lanes.add(4 * cut.groups).cast::<u32>();
        let window = inputs.add(cut.groups * 6 * plane / 4).cast::<i8>();
        Chunk { conv, cut, channels, plane, weights, sums, lanes, inputs, window }
    };
    let mut cursor = Cursor::default();
    let mut first = 0;
    while first < groups {
        let count = if groups - first < cut.groups { groups - first } else { cut.groups };
        // SAFETY: as just checked.
        unsafe {
            for group in 0..count {
                for lane in 0..4 {
                    chunk.lane(group, lane, &mut cursor);
                }
            }
            chunk.run::<T>(out, count);
        }
        first += count;
    }
    true
}

/// Goes from lane to lane: tiles, then phases, then bands.
#[derive(Default)]
struct Cursor {
    tile: usize,
    phase: usize,
    band: usize,
}

/// Where the parts of a chunk lie.
struct Chunk<'c, 'd> {
    conv: &'c Conv<'d>,
    cut: &'c Winograd,
    channels: usize,
    /// Bytes of one of the six values of a group's inputs.
    plane: usize,
    weights: *mut u32,
    sums: *mut i32,
    lanes: *mut Lane,
    inputs: *mut u32,
    window: *mut i8,
}

impl Chunk<'_, '_> {
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
    unsafe fn run<T: Transforms>(&self, out: &mut Output, groups: usize) {
        let out_c = self.conv.output[2];
        let kernel_rows = self.conv.window.kernel[0];
        let (words, row_len) = (kernel_rows * self.channels / 2, row_stride(3 * kernel_rows * self.channels));
        // SAFETY: the caller's promise.
        unsafe {
            for lane in 0..4 * groups {
                self.transform::<T>(lane);
            }
            for o in (0..out_c).step_by(2) {
                let channels = if out_c - o < 2 { 1 } else { 2 };
                for second in 0..2 {
                    // An odd last channel is computed twice and stored once.
                    let row = self.conv.weights.as_ptr().add((o + second * (channels - 1)) * row_len);
                    for ky in 0..kernel_rows {
                        let to = self.weights.add(ky * self.channels + second);
                        T::weights(row.add(ky * 3 * self.channels), self.channels, to, 8 * words);
                    }
                }
                for group in 0..groups {
                    let lanes = self.lanes.add(4 * group);
                    let mut rows = 0;
                    for lane in 0..4 {
                        let here = (*lanes.add(lane)).rows as usize;
                        rows = if here > rows { here } else { rows };
                    }
                    for row in 0..rows {
                        let inputs = self.inputs.add((group * 6 * self.plane + 8 * row * self.channels) / 4);
                        T::products(inputs, self.plane, self.weights, words, self.sums);
                        T::outputs(&Place { conv: self.conv, o, channels, row }, out, self.sums, lanes);
                    }
                }
            }
        }
    }

    /// Transforms the inputs of a lane.
    unsafe fn transform<T: Transforms>(&self, lane: usize) {
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
            let mut to = self.inputs.add((lane / 4) * 6 * self.plane / 4 + lane % 4);
            for line in 0..rows as usize + window.kernel[0] - 1 {
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
                to = to.add(2 * self.channels);
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
            while to != end {
                to.write(*from);
                (from, to) = (from.add(1), to.add(1));
            }
        }
    }
}
