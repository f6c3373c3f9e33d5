//! Convolutions of an ONNX node as ours.
use super::net::Filters;
use super::node::Node;
use super::tensor::Tensor;
use crate::graph::shape::values_of;
use crate::graph::{ConvGeometry, Shape};
use crate::Result;

/// A convolution as a node asks for it, each as [vertical, horizontal]; a signal's vertical is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Step between outputs, or of a transposed convolution between what inputs reach.
    pub stride: [usize; 2],
    /// Distance between kernel taps.
    pub dilation: [usize; 2],
    /// Zeros above and to the left.
    pub before: [usize; 2],
    /// Zeros below and to the right.
    pub after: [usize; 2],
}

impl Window {
    /// The window of a node over `axes` spatial axes (1 or 2) of an image of `input`.
    ///
    /// # Errors
    /// Settings of another number of axes, or below what they may be.
    pub fn of(node: &Node, kernel: &[usize], input: Shape) -> Result<Self> {
        let axes = kernel.len();
        let pair = |name: &str, values: &[i64], usual: usize, least: i64| {
            if !node.has(name) {
                return Ok([usual; 2]);
            }
            if values.len() != axes || values.iter().any(|value| *value < least || *value > 1 << 16) {
                return Err(node.error(format!("has the {name} {values:?}")));
            }
            let all: Vec<usize> = values.iter().map(|value| *value as usize).collect();
            Ok(if axes == 1 { [usual, all[0]] } else { [all[0], all[1]] })
        };
        let stride = pair("strides", node.ints("strides"), 1, 1)?;
        let dilation = pair("dilations", node.ints("dilations"), 1, 1)?;
        let kernel = if axes == 1 { [1, kernel[0]] } else { [kernel[0], kernel[1]] };
        let pads = node.ints("pads");
        if !pads.is_empty() && pads.len() != 2 * axes {
            return Err(node.error(format!("has the pads {pads:?}")));
        }
        let (first, last) = pads.split_at(pads.len() / 2);
        let (mut before, mut after) = (pair("pads", first, 0, 0)?, pair("pads", last, 0, 0)?);
        match node.text("auto_pad", "NOTSET") {
            "NOTSET" => {}
            "VALID" => (before, after) = ([0; 2], [0; 2]),
            same @ ("SAME_UPPER" | "SAME_LOWER") => {
                for (axis, size) in [input.height, input.width].into_iter().enumerate() {
                    let reach = dilation[axis] * (kernel[axis] - 1) + 1;
                    let total = ((size.div_ceil(stride[axis]) - 1) * stride[axis] + reach).saturating_sub(size);
                    let (less, more) = (total / 2, total - total / 2);
                    (before[axis], after[axis]) = if same == "SAME_UPPER" { (less, more) } else { (more, less) };
                }
            }
            other => return Err(node.error(format!("has the unknown auto_pad {other}"))),
        }
        Ok(Self { kernel, stride, dilation, before, after })
    }

    /// The same with one padding on both sides, which taps of zero in front or behind make up for.
    ///
    /// # Errors
    /// A difference that is no multiple of the distance between taps.
    fn symmetric(&self, node: &Node, weight: Vec<f32>, channels: usize) -> Result<(ConvGeometry, Vec<f32>)> {
        let (mut kernel, mut front, mut pad) = (self.kernel, [0; 2], [0; 2]);
        for axis in 0..2 {
            let (before, after, dilation) = (self.before[axis], self.after[axis], self.dilation[axis]);
            pad[axis] = before.max(after);
            let missing = [pad[axis] - before, pad[axis] - after];
            if missing.iter().any(|zeros| !zeros.is_multiple_of(dilation)) {
                return Err(node.error(format!(
                    "pads {before} before and {after} behind, with a dilation of {dilation}; pad as much on both sides"
                )));
            }
            front[axis] = missing[0] / dilation;
            kernel[axis] += (missing[0] + missing[1]) / dilation;
        }
        let geometry = ConvGeometry { kernel, stride: self.stride, pad, dilation: self.dilation, depthwise: false };
        if kernel == self.kernel {
            return Ok((geometry, weight));
        }
        let inner = weight.len() / (channels * self.kernel[0] * self.kernel[1]);
        let count = values_of(&[channels, kernel[0], kernel[1], inner]);
        let mut wider = vec![0.0; count.map_err(|e| node.error(format!("has pads that take wider kernels: {e}")))?];
        for (i, taps) in weight.chunks_exact(inner).enumerate() {
            let (o, ky, kx) =
                (i / self.kernel[1] / self.kernel[0], i / self.kernel[1] % self.kernel[0], i % self.kernel[1]);
            let to = (o * kernel[0] + ky + front[0]) * kernel[1] + kx + front[1];
            wider[to * inner..(to + 1) * inner].copy_from_slice(taps);
        }
        Ok((geometry, wider))
    }

    /// The filters of a dense convolution: weights `[O, I, …]` of a file over channels stored as `order`.
    ///
    /// # Errors
    /// Padding that cannot be made the same on both sides.
    pub fn dense(&self, node: &Node, weight: &Tensor, bias: Vec<f32>, order: &[usize]) -> Result<Filters> {
        let (values, channels) = (weight.float_values()?, bias.len());
        let (inputs, taps) = (order.len(), self.kernel[0] * self.kernel[1]);
        let mut ours = vec![0.0; values.len()];
        for (i, value) in values.iter().enumerate() {
            let (o, input, tap) = (i / taps / inputs, i / taps % inputs, i % taps);
            ours[(o * taps + tap) * inputs + order[input]] = *value;
        }
        let (geometry, weight) = self.symmetric(node, ours, channels)?;
        Ok(Filters { geometry, channels, weight, bias })
    }

    /// The filters of a convolution with one filter a channel: weights `[C, 1, …]`, and channels stored as `order`.
    ///
    /// # Errors
    /// As [`Self::dense`].
    pub fn depthwise(&self, node: &Node, weight: &[f32], bias: &[f32], order: &[usize]) -> Result<Filters> {
        let (channels, taps) = (order.len(), self.kernel[0] * self.kernel[1]);
        let (mut ours, mut biases) = (vec![0.0; weight.len()], vec![0.0; channels]);
        for (c, at) in order.iter().enumerate() {
            ours[at * taps..(at + 1) * taps].copy_from_slice(&weight[c * taps..(c + 1) * taps]);
            biases[*at] = bias[c];
        }
        let (geometry, weight) = self.symmetric(node, ours, channels)?;
        Ok(Filters { geometry: geometry.depthwise(), channels, weight, bias: biases })
    }

    /// A transposed convolution, weights `[I, O, …]`, as a convolution whose channels are blocks of pixels: the
    /// filters, the block, and the rows and columns that are left out of what the blocks make (Shi et al. 2016, arXiv
    /// 1609.07009). Output row s·m + a takes input row m + q by kernel row a + before − s·q.
    ///
    /// # Errors
    /// Dilation, or an output much smaller than the input times the stride.
    pub fn transposed(
        &self,
        node: &Node,
        weight: &Tensor,
        bias: &[f32],
        order: &[usize],
        (input, output): (Shape, Shape),
    ) -> Result<(Filters, [usize; 2], [usize; 2])> {
        let block @ [rows, columns] = self.stride;
        let mut window = Self { stride: [1; 2], ..*self };
        let (mut first, mut crop) = ([0; 2], [0; 2]);
        let sizes = [(input.height, output.height), (input.width, output.width)];
        for (axis, (from, to)) in sizes.into_iter().enumerate() {
            let [stride, before, kernel] = [block[axis], self.before[axis], self.kernel[axis]].map(|size| size as i64);
            let least = (before - kernel + 1).div_euclid(stride).min(0);
            let most = ((stride - 1 + before).div_euclid(stride)).max(0);
            let blocks = to.div_ceil(block[axis]);
            let after = blocks as i64 - from as i64 + most;
            if self.dilation[axis] != 1 || after < 0 {
                return Err(node.error("has a dilation or padding that no convolution and DepthToSpace make"));
            }
            (window.before[axis], window.after[axis]) = (least.unsigned_abs() as usize, after as usize);
            window.kernel[axis] = (most - least + 1) as usize;
            first[axis] = least;
            crop[axis] = blocks * block[axis] - to;
        }
        let (values, outputs, taps) = (weight.float_values()?, bias.len(), self.kernel[0] * self.kernel[1]);
        let [height, width] = window.kernel;
        let count = values_of(&[rows, columns, outputs, height, width, order.len()]);
        let mut ours = vec![0.0; count.map_err(|e| node.error(format!("takes many weights as a convolution: {e}")))?];
        let (inputs, channels) = (order.len(), rows * columns * outputs);
        for a in 0..rows * columns {
            for q in 0..height * width {
                let tap = |phase: usize, q: usize, axis: usize| {
                    let at = phase as i64 + self.before[axis] as i64 - block[axis] as i64 * (q as i64 + first[axis]);
                    usize::try_from(at).ok().filter(|at| *at < self.kernel[axis])
                };
                let (Some(ky), Some(kx)) = (tap(a / columns, q / width, 0), tap(a % columns, q % width, 1)) else {
                    continue;
                };
                for (o, i) in (0..outputs).flat_map(|o| (0..inputs).map(move |i| (o, i))) {
                    ours[((a * outputs + o) * height * width + q) * inputs + order[i]] =
                        values[(i * outputs + o) * taps + ky * self.kernel[1] + kx];
                }
            }
        }
        let (geometry, weight) = window.symmetric(node, ours, channels)?;
        let bias = (0..channels).map(|c| bias[c % outputs]).collect();
        Ok((Filters { geometry, channels, weight, bias }, block, crop))
    }
}
