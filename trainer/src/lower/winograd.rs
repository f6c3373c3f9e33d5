//! Which convolutions get scratch for Winograd's algorithm, within a budget of RAM.
//!
//! It works on a finished file: tensors stay where they are, and a convolution's scratch goes to the lowest place that is
//! free while it runs. So a model that was exported long ago can be given more or less scratch, too.

use crate::{Error, Result};
use brownian::format::Header;
use brownian::host::{self, live_ranges, OwnedModel};
use brownian::kernels::{pixel_tile, row_stride, Winograd};
use brownian::ops::{Conv2d, Op, WinogradConv2d};
use std::fmt;
use std::ops::Range;

/// One step of the budgets in a [`Choice`].
const STEP: u32 = 8 * 1024;
/// Budgets that are looked at beyond the one asked for.
const MOST_STEPS: u32 = 16;

/// A model file in which convolutions have been given scratch.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The file.
    pub file: Vec<u8>,
    /// Bytes of arena.
    pub arena: u32,
    /// The convolutions that were chosen.
    pub convolutions: Vec<Chosen>,
    /// Estimated instructions of all dense convolutions on a core with DSP instructions (M4, M33).
    pub instructions: u64,
}

/// A convolution by Winograd's algorithm.
#[derive(Clone, Copy, Debug)]
pub struct Chosen {
    /// Number of its op.
    pub op: usize,
    /// The op.
    pub conv: WinogradConv2d,
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WinogradConv2d { layer, rows, groups, tile_rows } = &self.conv;
        let [h, w, outputs] = layer.output.shape;
        write!(
            f,
            "op {}, {h}×{w}×{}→{outputs}: by Winograd, tiles of {tile_rows}×4, bands of {rows} rows, {groups} groups of tiles at \
             a time, {} bytes of scratch",
            self.op,
            layer.input_channels(),
            self.conv.scratch_len()
        )
    }
}

/// Gives convolutions the scratch that saves the most, where the arena grows by no more than `extra` bytes; all are
/// computed directly before, so that a file can be chosen for again.
///
/// # Errors
/// A file that cannot be written or read again, which would be a fault of this program.
pub fn choose(file: &[u8], extra: u32) -> Result<Choice> {
    let fault = |e: &dyn fmt::Display| Error::Invalid(format!("scratch for convolutions: {e}"));
    let owned = OwnedModel::new(file).map_err(|e| fault(&e))?;
    let model = owned.model();
    let mut ops: Vec<Op> = model.ops().map(directly).collect();
    let header = *model.header();
    let occupied: Vec<_> = (0..ops.len()).map(|at| live_ranges(&ops, &header, at)).collect();
    let end = |ops: &[Op]| {
        let scratch = ops.iter().filter_map(Op::scratch).map(|(start, len)| start as usize + len);
        let tensors = ops.iter().flat_map(|op| op.inputs().chain([op.output()]).map(|t| t.range().end));
        scratch.chain(tensors).max().unwrap_or(0).next_multiple_of(16)
    };
    // Scratch that an earlier choice made longer is given back.
    let limit = end(&ops) + extra as usize;
    let (mut convolutions, mut instructions) = (Vec::new(), 0);
    for (at, op) in ops.iter_mut().enumerate() {
        let Op::Conv2d(layer) = *op else { continue };
        let cost = direct(&layer);
        let best = candidates(&layer).into_iter().filter(|c| c.0 < cost).find_map(|(cost, conv)| {
            let scratch = gap(&occupied[at], conv.scratch_len(), limit)?;
            Some((cost, WinogradConv2d { layer: Conv2d { scratch, ..layer }, ..conv }))
        });
        instructions += best.map_or(cost, |best| best.0);
        if let Some((_, conv)) = best {
            *op = Op::WinogradConv2d(conv);
            convolutions.push(Chosen { op: at, conv });
        }
    }
    let mut list = Vec::new();
    ops.iter().try_for_each(|op| host::encode_item(op, &mut list)).map_err(|e| fault(&e))?;
    let arena = end(&ops) as u32;
    let header = Header { ops: &list, ..header };
    let file = host::encode(&header, model.blob(), arena, (model.state_len() as u32, model.state_kind()))
        .map_err(|e| fault(&e))?;
    OwnedModel::new(&file).map_err(|e| fault(&e))?;
    Ok(Choice { file, arena, convolutions, instructions })
}

/// What was chosen, and what more scratch would bring, for people: one line each.
///
/// # Errors
/// As [`choose`].
pub fn describe(file: &[u8], extra: u32, choice: &Choice) -> Result<Vec<String>> {
    let mut lines: Vec<String> = choice.convolutions.iter().map(Chosen::to_string).collect();
    let millions = |n: u64| n as f64 / 1e6;
    lines.push(format!(
        "{} convolutions by Winograd's algorithm; all dense convolutions take about {:.2} M instructions an evaluation \
         (Cortex-M4, M33)",
        choice.convolutions.len(),
        millions(choice.instructions)
    ));
    let mut last = choice.instructions;
    for step in 1..=MOST_STEPS {
        let more = choose(file, extra.saturating_add(step * STEP))?;
        if more.instructions < last {
            last = more.instructions;
            lines.push(format!(
                "--scratch {}: an arena of {} bytes, about {:.2} M instructions",
                extra + step * STEP,
                more.arena,
                millions(more.instructions)
            ));
        }
    }
    Ok(lines)
}

/// A convolution as it is without scratch for Winograd's algorithm.
fn directly(op: Op) -> Op {
    match op {
        Op::WinogradConv2d(conv) => Op::Conv2d(conv.layer),
        other => other,
    }
}

/// The lowest place for `len` bytes that end at `limit` at most and meet none of the ranges.
fn gap(occupied: &[Range<usize>], len: usize, limit: usize) -> Option<u32> {
    let starts = std::iter::once(0).chain(occupied.iter().map(|range| range.end.next_multiple_of(4)));
    let free = |start: &usize| occupied.iter().all(|range| range.end <= *start || range.start >= start + len);
    starts.filter(|start| start + len <= limit).filter(free).min().map(|start| start as u32)
}

/// All ways to cut a convolution that may be worth it, the fastest first, with their estimated instructions.
fn candidates(layer: &Conv2d) -> Vec<(u64, WinogradConv2d)> {
    let mut found: Vec<_> = [1, 2].into_iter().flat_map(|tile_rows| cuts(layer, tile_rows)).collect();
    found.sort_by_key(|(cost, conv)| (*cost, conv.scratch_len()));
    found
}

/// All bands, and all groups at a time that make a difference, for tiles of so many rows.
fn cuts(layer: &Conv2d, tile_rows: u8) -> Vec<(u64, WinogradConv2d)> {
    if !WinogradConv2d::applies(layer, tile_rows) {
        return Vec::new();
    }
    let [height, width, _] = layer.output.shape.map(usize::from);
    let mut found = Vec::new();
    let mut last = 0;
    for bands in 1..=height {
        let rows = height.div_ceil(bands).next_multiple_of(tile_rows.into()).min(height);
        if rows == last {
            continue;
        }
        last = rows;
        let cut = Winograd { rows, groups: 1, tile_rows: tile_rows.into() };
        let all = cut.lanes([height, width], layer.window.dilation[1].into()).div_ceil(4);
        let mut groups = all;
        loop {
            let conv = WinogradConv2d { layer: *layer, rows: rows as u16, groups: groups as u16, tile_rows };
            if groups <= usize::from(u16::MAX) {
                found.push((winograd(&conv), conv));
            }
            if groups == 1 {
                break;
            }
            // As many chunks more as make a difference.
            groups = all.div_ceil(all.div_ceil(groups) + 1).min(groups - 1);
        }
    }
    found
}

/// Estimated instructions of the direct algorithm: 14 for 16 products, or 18 where only two patches fit, 49 for a tile's
/// outputs of a channel, 6 to copy four taps.
fn direct(layer: &Conv2d) -> u64 {
    let [height, width, outputs] = layer.output.shape.map(u64::from);
    let taps = layer.window.taps() * layer.input_channels() / usize::from(layer.groups);
    let blocks = row_stride(taps) as u64 / 4;
    let (pixels, tile) = (height * width, pixel_tile(taps) as u64);
    let block = if tile == 4 { 14 } else { 9 };
    pixels.div_ceil(tile) * outputs * (blocks * block + 49) + pixels * blocks * 6
}

/// Estimated instructions of Winograd's algorithm, part by part: weights, inputs, products, outputs. Within 1.2 % of what M33
/// takes of the 3×3 convolutions in `cargo xtask bench`, 3 % of the 1×3.
fn winograd(conv: &WinogradConv2d) -> u64 {
    let layer = &conv.layer;
    let [height, width, outputs] = layer.output.shape.map(u64::from);
    let (kernel_rows, channels) = (u64::from(layer.window.kernel[0]), layer.input_channels() as u64);
    let lanes = conv.cut().lanes([height as usize, width as usize], layer.window.dilation[1].into()) as u64;
    let (band, tile_rows, groups) = (u64::from(conv.rows), u64::from(conv.tile_rows), lanes.div_ceil(4));
    let chunks = groups.div_ceil(u64::from(conv.groups));
    let pairs = outputs.div_ceil(2);
    let down = conv.tile_rows == 2;
    let mut weights = 2 * kernel_rows * (channels / 4 * 41 + 30);
    let line = channels / 4 * 95 + 60;
    let (mut tile_inputs, mut products) = (0, 6 * (kernel_rows * channels / 2 * 23 / 2 + 24) + 90);
    if down {
        weights += 6 * (channels / 2 * 19 + 8);
        tile_inputs = 6 * (channels / 2 * 16 + 5);
        products = 24 * (channels / 2 * 23 / 2 + 13) + 210;
    }
    // Of the last band not all rows may exist.
    let bands = height.div_ceil(band);
    let across = lanes / bands;
    let rows_of = |lane: u64| band.min(height - lane / across * band);
    let tiles_of = |lane: u64| rows_of(lane).div_ceil(tile_rows);
    let inputs = |lane| (tiles_of(lane) * tile_rows + kernel_rows - 1) * line + tiles_of(lane) * tile_inputs;
    let each = |cost: &dyn Fn(u64) -> u64| (0..lanes).map(cost).sum::<u64>();
    // A group has as many rows as its first lane, whose band is the highest up.
    let group_tiles: u64 = (0..groups).map(|group| tiles_of(4 * group)).sum();
    chunks * pairs * weights + each(&inputs) + group_tiles * pairs * products + each(&rows_of) * outputs * 76
}

#[cfg(test)]
mod tests {
    use super::*;
    use brownian::format::{Element, Tensor};
    use brownian::ops::{ConvInput, Requantization, WindowSpec};

    fn layer(size: [u16; 2], channels: [u16; 2], kernel: [u16; 2], dilation: u16) -> Conv2d {
        let tensor =
            |channels| Tensor { offset: 0, shape: [size[0], size[1], channels], element: Element::I8, zero_point: 0 };
        let (offset, shift) = (0, 1);
        let (step_bias, residual, lut) = (None, None, None);
        Conv2d {
            a: ConvInput { tensor: tensor(channels[0]), upsample: false },
            b: None,
            output: tensor(channels[1]),
            window: WindowSpec { kernel, stride: [1; 2], pad: [kernel[0] / 2, dilation], dilation: [1, dilation] },
            groups: 1,
            weights: 0,
            requantization: Requantization { bias: 0, multipliers: 0, offset, shift, step_bias, residual, lut },
            scratch: 0,
        }
    }

    /// What `cargo xtask bench` counts on M33, within 1.5 %, or 4 % for the one with 1×3.
    #[test]
    fn estimates_are_near_what_is_counted() {
        let square = |size, channels| layer([size; 2], [channels; 2], [3; 2], 1);
        let line = layer([1, 1024], [16, 32], [1, 3], 4);
        for (layer, [rows, groups, tile_rows], counted, percent) in [
            (square(14, 32), [14, 1, 1], 1_005_980, 1.5),
            (square(14, 32), [7, 1, 1], 1_047_002, 1.5),
            (square(7, 64), [4, 1, 1], 1_105_395, 1.5),
            (square(28, 16), [14, 4, 1], 1_179_843, 1.5),
            (square(28, 16), [14, 1, 1], 1_206_279, 1.5),
            (square(14, 32), [14, 1, 2], 847_035, 1.5),
            (square(14, 32), [8, 1, 2], 918_285, 1.5),
            (square(14, 32), [4, 1, 2], 1_060_721, 1.5),
            (square(7, 64), [4, 1, 2], 978_984, 1.5),
            (square(28, 16), [4, 7, 2], 1_055_086, 1.5),
            (line, [1, 16, 1], 1_615_234, 4.0),
        ] {
            let estimate = winograd(&WinogradConv2d { layer, rows, groups, tile_rows: tile_rows as u8 }) as f64;
            let off = 100.0 * (estimate / f64::from(counted) - 1.0);
            assert!(off.abs() < percent, "{:?} by {rows}, {groups}, {tile_rows}: {off:.1} %", layer.output.shape);
        }
    }
}
