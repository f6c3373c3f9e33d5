//! Layers with weights, enlargements and blocks of pixels: ONNX's nodes as nodes of ours.
use super::convert::{Converter, Value, Zeros};
use super::net::{Filters, Map};
use super::node::Node;
use super::views::shape_of;
use super::window::Window;
use crate::graph::shape::values_of;
use crate::graph::Shape;
use crate::nets::ListedOp;
use crate::Result;

/// Largest enlargement or block that is looked at.
const MOST_FACTOR: usize = 64;

impl Converter<'_> {
    /// Convolutions, averages over windows and dense layers.
    ///
    /// # Errors
    /// Settings that no op of ours has; each names the node.
    pub fn weighted(&mut self, node: &Node) -> Result<Map> {
        match &*node.op {
            "Conv" => self.conv(node),
            "ConvTranspose" => self.conv_transpose(node),
            "AveragePool" => self.average(node),
            _ => self.dense(node),
        }
    }

    /// The input, its shape and the sizes of the weights, whose axes must be as many as the image's.
    fn filtered(&mut self, node: &Node) -> Result<(Map, Shape, Vec<usize>, Zeros)> {
        let (map, zeros) = self.padded(node)?;
        let shape = shape_of(&map.dims).map_err(|e| node.error(e))?;
        let dims = self.constant(node, 1, "weight")?.dims().to_vec();
        let kernel = node.ints("kernel_shape");
        if node.has("kernel_shape")
            && !kernel.iter().map(|side| usize::try_from(*side).ok()).eq(dims.iter().skip(2).map(|side| Some(*side)))
        {
            return Err(node.error(format!("has the kernel_shape {kernel:?} for weights of {dims:?}")));
        }
        match dims.len() == map.dims.len() && dims.len() > 2 && !dims.contains(&0) {
            true => Ok((map, shape, dims, zeros)),
            false => Err(node.error(format!("has weights of {dims:?} for an image of {:?}", map.dims))),
        }
    }

    /// The bias of a layer with `outputs` outputs, zeros where it has none.
    fn bias(&self, node: &Node, outputs: usize) -> Result<Vec<f32>> {
        if node.inputs.get(2).is_none_or(String::is_empty) {
            return Ok(vec![0.0; outputs]);
        }
        let bias = self.constant(node, 2, "bias")?.float_values().map_err(|e| node.error(e))?;
        match bias.len() == outputs {
            true => Ok(bias),
            false => Err(node.error(format!("has {} biases for {outputs} outputs", bias.len()))),
        }
    }

    fn convolved(&mut self, node: &Node, map: Map, filters: Filters, order: Vec<usize>) -> Result<Map> {
        let input = self.net.shape(map.node);
        let [height, width] = filters.geometry.output(input.height, input.width).map_err(|e| node.error(e))?;
        let shape = Shape::new(height, width, filters.channels);
        let made = self.net.convolve(&node.name, map.node, filters, shape).map_err(|e| node.error(e))?;
        let mut dims = map.dims;
        dims[1] = shape.channels;
        let spatial = [height, width];
        let axes = dims.len() - 2;
        dims[2..].copy_from_slice(&spatial[2 - axes..]);
        Ok(Map { node: made, dims, order, sole: true })
    }

    fn conv(&mut self, node: &Node) -> Result<Map> {
        let (map, shape, dims, [above, below]) = self.filtered(node)?;
        let (groups, [outputs, per_group]) = (node.int("group", 1), [dims[0], dims[1]]);
        let mut window = Window::of(node, &dims[2..], shape)?;
        for axis in 0..2 {
            window.before[axis] += above[axis];
            window.after[axis] += below[axis];
        }
        let bias = self.bias(node, outputs)?;
        let depthwise = groups as usize == shape.channels && outputs == shape.channels && per_group == 1 && groups > 1;
        if depthwise {
            let weight = self.constant(node, 1, "weight")?.float_values().map_err(|e| node.error(e))?;
            let filters = window.depthwise(node, &weight, &bias, &map.order)?;
            let order = map.order.clone();
            return self.convolved(node, map, filters, order);
        }
        if groups != 1 {
            return Err(node.error(format!(
                "has {groups} groups for {} input and {outputs} output channels; only 1 group, or as many as both, are \
                 known",
                shape.channels
            )));
        }
        if per_group != shape.channels {
            return Err(node.error(format!("has weights for {per_group} channels, not {}", shape.channels)));
        }
        let weight = self.constant(node, 1, "weight")?;
        let filters = window.dense(node, weight, bias, &map.order).map_err(|e| node.error(e))?;
        self.convolved(node, map, filters, (0..outputs).collect())
    }

    fn conv_transpose(&mut self, node: &Node) -> Result<Map> {
        let (map, shape, dims, zeros) = self.filtered(node)?;
        if node.int("group", 1) != 1 || node.has("output_shape") || zeros != [[0; 2]; 2] {
            return Err(node.error("has groups, an output_shape or padded zeros; use Upsample (nearest) and Conv"));
        }
        if !matches!(node.text("auto_pad", "NOTSET"), "NOTSET" | "VALID") || dims[0] != shape.channels {
            return Err(node.error(format!("has an auto_pad, or weights for {} channels", dims[0])));
        }
        let window = Window::of(node, &dims[2..], shape)?;
        let extra = node.ints("output_padding");
        let spatial = dims.len() - 2;
        // Rows or columns beyond the last that a tap reaches could only be zeros of the next step.
        let fits = |(axis, extra): (usize, &i64)| {
            let axis = axis + 2 - spatial;
            usize::try_from(*extra).is_ok_and(|extra| extra < window.stride[axis].max(window.dilation[axis]))
        };
        if node.has("output_padding") && (extra.len() != spatial || !extra.iter().enumerate().all(fits)) {
            return Err(node
                .error(format!("has the output_padding {extra:?}; give {spatial} sizes from 0 to below the stride")));
        }
        let mut sizes = [shape.height, shape.width];
        for (axis, size) in sizes.iter_mut().enumerate() {
            let extra = (axis + spatial).checked_sub(2).and_then(|at| extra.get(at)).copied().unwrap_or(0);
            let reach = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
            let whole = (*size - 1) * window.stride[axis] + reach + usize::try_from(extra).unwrap_or(0);
            let padded = window.before[axis] + window.after[axis];
            *size = whole
                .checked_sub(padded)
                .filter(|size| *size > 0)
                .ok_or_else(|| node.error(format!("leaves out {padded} of {whole} rows or columns")))?;
        }
        let bias = self.bias(node, dims[1])?;
        let output = Shape::new(sizes[0], sizes[1], dims[1]);
        let weight = self.constant(node, 1, "weight")?;
        let (filters, block, crop) = window.transposed(node, weight, &bias, &map.order, (shape, output))?;
        let (order, channels) = ((0..dims[1]).collect(), (0..filters.channels).collect());
        let mut deep = self.convolved(node, map, filters, channels)?;
        if block != [1, 1] {
            let name = format!("{}.to_space", node.name);
            deep.node = self
                .net
                .push(&name, ListedOp::DepthToSpace { block, crop }, &[deep.node], output)
                .map_err(|e| node.error(e))?;
        }
        let axes = deep.dims.len() - 2;
        deep.dims[1] = output.channels;
        deep.dims[2..].copy_from_slice(&sizes[2 - axes..]);
        Ok(Map { order, ..deep })
    }

    /// A mean over windows: a convolution with one filter a channel.
    fn average(&mut self, node: &Node) -> Result<Map> {
        let map = self.map(node, 0)?;
        let shape = shape_of(&map.dims).map_err(|e| node.error(e))?;
        let sides = node.ints("kernel_shape");
        if sides.len() + 2 != map.dims.len() || sides.iter().any(|side| !(1..256).contains(side)) {
            return Err(node.error(format!("has the kernel_shape {sides:?} for an image of {:?}", map.dims)));
        }
        let kernel: Vec<usize> = sides.iter().map(|side| *side as usize).collect();
        let window = Window::of(node, &kernel, shape)?;
        let pads = window.before.iter().chain(&window.after).any(|pad| *pad > 0);
        if node.int("ceil_mode", 0) != 0 || (pads && node.int("count_include_pad", 0) == 0) {
            return Err(node.error("averages windows over the edge; use no padding and no ceil_mode, or a Conv"));
        }
        let taps = window.kernel[0] * window.kernel[1];
        let weight = vec![1.0 / taps as f32; values_of(&[taps, shape.channels]).map_err(|e| node.error(e))?];
        let filters = window.depthwise(node, &weight, &vec![0.0; shape.channels], &map.order)?;
        let order = map.order.clone();
        self.convolved(node, map, filters, order)
    }

    /// `Gemm` and `MatMul` of an image's values by weights.
    fn dense(&mut self, node: &Node) -> Result<Map> {
        if !self.is_image(node, 0) {
            return Err(node.error("multiplies weights by an image from the right; only x·W is known"));
        }
        let map = self.map(node, 0)?;
        let weight = self.constant(node, 1, "weight")?;
        let turned = node.op == "Gemm" && node.int("transB", 0) != 0;
        let (dims, values) = (weight.dims().to_vec(), weight.float_values().map_err(|e| node.error(e))?);
        let (inputs, outputs) = match (dims.len(), turned) {
            (2, false) => (dims[0], dims[1]),
            (2, true) => (dims[1], dims[0]),
            _ => (0, 0),
        };
        if map.dims != [1, inputs] || outputs == 0 || (node.op == "Gemm" && node.int("transA", 0) != 0) {
            return Err(node.error(format!("multiplies an image of {:?} by weights of {dims:?}", map.dims)));
        }
        let [alpha, beta] = match &*node.op {
            "Gemm" => ["alpha", "beta"].map(|name| node.float(name, 1.0)),
            _ => [1.0, 1.0],
        };
        let mut bias = vec![0.0; outputs];
        if node.op == "Gemm" && node.inputs.get(2).is_some_and(|name| !name.is_empty()) {
            let given = self.constant(node, 2, "bias")?.float_values().map_err(|e| node.error(e))?;
            if given.len() != 1 && given.len() != outputs {
                return Err(node.error(format!("has {} biases for {outputs} outputs", given.len())));
            }
            bias.iter_mut().enumerate().for_each(|(o, bias)| *bias = beta * given[o % given.len()]);
        }
        let mut ours = vec![0.0; values.len()];
        for (o, i) in (0..outputs).flat_map(|o| (0..inputs).map(move |i| (o, i))) {
            let value = values[if turned { o * inputs + i } else { i * outputs + o }];
            ours[o * inputs + map.order[i]] = alpha * value;
        }
        let made = self.net.push(&node.name, ListedOp::Linear { outputs }, &[map.node], Shape::new(1, 1, outputs));
        let made = made.map_err(|e| node.error(e))?;
        (self.net.nodes[made].weight, self.net.nodes[made].bias) = (ours, bias);
        Ok(Map { node: made, dims: vec![1, outputs], order: (0..outputs).collect(), sole: true })
    }

    /// Nearest-neighbour enlargement by whole factors; that every output pixel is the input pixel below it is checked.
    ///
    /// # Errors
    /// Another interpolation, or factors that are not whole.
    pub fn resize(&mut self, node: &Node) -> Result<Map> {
        let map = self.map(node, 0)?;
        let shape = shape_of(&map.dims).map_err(|e| node.error(e))?;
        let mode = node.text("mode", "nearest");
        let stretches = node.text("keep_aspect_ratio_policy", "stretch") == "stretch";
        if mode != "nearest" || map.dims.len() < 3 || node.has("axes") || !stretches {
            return Err(node.error(format!("interpolates by {mode}; use Upsample(mode=\"nearest\")")));
        }
        let given = |i: usize| node.inputs.get(i).is_some_and(|name| !name.is_empty());
        let scales: Vec<f64> = if given(3) {
            let sizes = self.constant(node, 3, "size")?.ints().map_err(|e| node.error(e))?;
            sizes.iter().zip(&map.dims).map(|(to, from)| *to as f64 / *from as f64).collect()
        } else {
            let scales = self.constant(node, 2, "scale")?.float_values().map_err(|e| node.error(e))?;
            scales.into_iter().map(f64::from).collect()
        };
        let whole = |scale: &f64| scale.fract() == 0.0 && (1.0..=MOST_FACTOR as f64).contains(scale);
        if scales.len() != map.dims.len() || !scales.iter().all(whole) || scales[..2] != [1.0, 1.0] {
            return Err(node.error(format!("enlarges {:?} by {scales:?}; only whole factors are known", map.dims)));
        }
        let factors: Vec<usize> = scales[2..].iter().map(|scale| *scale as usize).collect();
        let factor = if factors.len() == 1 { [1, factors[0]] } else { [factors[0], factors[1]] };
        let output = Shape { height: shape.height * factor[0], width: shape.width * factor[1], ..shape };
        values_of(&[output.height, output.width, output.channels]).map_err(|e| node.error(e))?;
        for (size, factor) in [shape.height, shape.width].into_iter().zip(factor) {
            if (0..size * factor).any(|to| nearest(node, to, size, factor) != Some(to / factor)) {
                return Err(node.error(
                    "takes other pixels than the nearest; use Upsample(mode=\"nearest\"), asymmetric with floor",
                ));
            }
        }
        let made =
            self.net.push(&node.name, ListedOp::Upsample { factor }, &[map.node], output).map_err(|e| node.error(e))?;
        let dims = map.dims.iter().zip(&scales).map(|(size, scale)| size * *scale as usize).collect();
        Ok(Map { node: made, dims, sole: true, ..map })
    }

    /// `DepthToSpace` in both modes and `SpaceToDepth`.
    ///
    /// # Errors
    /// Blocks that do not fit.
    pub fn blocks(&mut self, node: &Node) -> Result<Map> {
        let map = self.map(node, 0)?;
        let shape = shape_of(&map.dims).map_err(|e| node.error(e))?;
        let side = usize::try_from(node.int("blocksize", 0)).unwrap_or(0);
        let (block, pixels) = ([side; 2], side.saturating_mul(side));
        if !(1..=MOST_FACTOR).contains(&side) || map.dims.len() != 4 {
            return Err(node.error(format!("moves blocks of {side} of an image of {:?}", map.dims)));
        }
        if node.op == "SpaceToDepth" {
            if !shape.height.is_multiple_of(side) || !shape.width.is_multiple_of(side) {
                return Err(node.error(format!("cannot split {shape} into blocks of {side}")));
            }
            let channels = shape.channels * pixels;
            let output = Shape::new(shape.height / side, shape.width / side, channels);
            let made = self.net.push(&node.name, ListedOp::SpaceToDepth { block }, &[map.node], output);
            let made = made.map_err(|e| node.error(e))?;
            let order = (0..channels).map(|k| k / shape.channels * shape.channels + map.order[k % shape.channels]);
            let dims = vec![1, channels, output.height, output.width];
            return Ok(Map { node: made, dims, order: order.collect(), sole: true });
        }
        if !shape.channels.is_multiple_of(pixels) {
            return Err(node.error(format!("cannot make blocks of {side} of {} channels", shape.channels)));
        }
        let channels = shape.channels / pixels;
        let order: Vec<usize> = match node.text("mode", "DCR") {
            "CRD" => (0..shape.channels).map(|k| k % pixels * channels + k / pixels).collect(),
            _ => (0..shape.channels).collect(),
        };
        let deep = self.net.reordered(map, &order).map_err(|e| node.error(e))?;
        let output = Shape::new(shape.height * side, shape.width * side, channels);
        let op = ListedOp::DepthToSpace { block, crop: [0; 2] };
        let made = self.net.push(&node.name, op, &[deep.node], output).map_err(|e| node.error(e))?;
        let dims = vec![1, channels, output.height, output.width];
        Ok(Map { node: made, dims, order: (0..channels).collect(), sole: true })
    }

    /// Zeros around an image, which the convolution that reads it adds.
    ///
    /// # Errors
    /// Other values than zeros, or padding of other axes than height and width.
    pub fn pad(&mut self, node: &Node) -> Result<Value> {
        let map = self.map(node, 0)?;
        let given = |i: usize| node.inputs.get(i).is_some_and(|name| !name.is_empty());
        let zeros =
            !given(2) || self.constant(node, 2, "value")?.float_values().is_ok_and(|v| v.iter().all(|v| *v == 0.0));
        let pads = self.constant(node, 1, "number of zeros")?.ints().map_err(|e| node.error(e))?;
        let axes = map.dims.len();
        let outside = |(i, pad): (usize, &i64)| *pad < 0 || (i % axes < 2 && *pad != 0) || *pad > 1 << 16;
        let wrong = pads.len() != 2 * axes || axes < 3 || pads.iter().enumerate().any(outside);
        if node.text("mode", "constant") != "constant" || !zeros || wrong || given(3) {
            return Err(
                node.error(format!("pads by {pads:?}; only zeros around height and width, before a Conv, are known"))
            );
        }
        let side =
            |at: usize| if axes == 3 { [0, pads[at + 2] as usize] } else { [2, 3].map(|i| pads[at + i] as usize) };
        Ok(Value::Padded(map, [side(0), side(axes)], node.name.clone()))
    }
}

/// The input pixel that an output pixel takes on an axis, as the node's settings say.
fn nearest(node: &Node, to: usize, size: usize, factor: usize) -> Option<usize> {
    let (at, scale, size) = (to as f64, factor as f64, size as f64);
    let from = match node.text("coordinate_transformation_mode", "half_pixel") {
        "asymmetric" => at / scale,
        "half_pixel" | "half_pixel_symmetric" => (at + 0.5) / scale - 0.5,
        "pytorch_half_pixel" if size * scale > 1.0 => (at + 0.5) / scale - 0.5,
        "pytorch_half_pixel" => 0.0,
        "align_corners" if size * scale > 1.0 => at * (size - 1.0) / (size * scale - 1.0),
        _ => return None,
    };
    let rounded = match node.text("nearest_mode", "round_prefer_floor") {
        "floor" => from.floor(),
        "ceil" => from.ceil(),
        "round_prefer_floor" => (from - 0.5).ceil(),
        "round_prefer_ceil" => (from + 0.5).floor(),
        _ => return None,
    };
    Some(rounded.clamp(0.0, size - 1.0) as usize)
}
