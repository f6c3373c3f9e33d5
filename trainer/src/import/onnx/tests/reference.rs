//! What operators mean, by the definitions of ONNX's specification, on arrays with channels in front: slow, and nothing
//! of the importer is used.
use crate::import::onnx::proto::{Model, Node, Tensor};
use std::collections::HashMap;

/// Sizes, and values in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
}

/// The result `out` of a network for an image, a timestep and classes.
pub fn run(model: &Model, x: &[f32], t: usize, classes: &[usize]) -> Vec<f32> {
    let graph = model.graph.as_ref().unwrap();
    let mut known: HashMap<String, Array> = HashMap::new();
    for tensor in &graph.initializer {
        known.insert(tensor.name.clone(), array(tensor));
    }
    for input in &graph.input {
        let shape = input.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap().shape.as_ref().unwrap();
        let dims = shape.dim.iter().map(|dim| match dim.size {
            Some(crate::import::onnx::proto::Size::Fixed(size)) => size as usize,
            _ => 1,
        });
        let values = match &*input.name {
            "x" => x.to_vec(),
            "t" => vec![t as f32],
            class => vec![classes[class.trim_start_matches("class").parse::<usize>().unwrap()] as f32],
        };
        known.insert(input.name.clone(), Array { dims: dims.collect(), values });
    }
    for node in &graph.node {
        let inputs: Vec<Option<&Array>> = node.input.iter().map(|name| known.get(name)).collect();
        let made = compute(node, &inputs);
        node.output.iter().zip(made).for_each(|(name, array)| drop(known.insert(name.clone(), array)));
    }
    known["out"].values.clone()
}

fn array(tensor: &Tensor) -> Array {
    let values = match tensor.raw_data.is_empty() {
        false => tensor.raw_data.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        true => tensor.int64_data.iter().map(|value| *value as f32).collect(),
    };
    Array { dims: tensor.dims.iter().map(|size| *size as usize).collect(), values }
}

impl Array {
    /// Row-major indices of every value.
    fn indices(dims: &[usize]) -> Vec<Vec<usize>> {
        let count: usize = dims.iter().product();
        (0..count)
            .map(|i| {
                let mut rest = i;
                let mut index: Vec<usize> = dims.iter().rev().map(|size| (rest % size, rest /= size).0).collect();
                index.reverse();
                index
            })
            .collect()
    }

    fn at(&self, index: &[usize]) -> f32 {
        self.values[index.iter().zip(&self.dims).fold(0, |at, (i, size)| at * size + i)]
    }

    /// A pixel, 0 outside.
    fn pixel(&self, c: usize, y: i64, x: i64) -> f32 {
        let inside = |at: i64, size: usize| (0..size as i64).contains(&at);
        match inside(y, self.dims[2]) && inside(x, self.dims[3]) {
            true => self.at(&[0, c, y as usize, x as usize]),
            false => 0.0,
        }
    }

    /// A new array from the values at indices.
    fn of(dims: &[usize], value: impl FnMut(Vec<usize>) -> f32) -> Self {
        Self { dims: dims.to_vec(), values: Self::indices(dims).into_iter().map(value).collect() }
    }
}

/// Signals as images of one row.
fn image(x: &Array) -> Array {
    let mut dims = x.dims.clone();
    if dims.len() == 3 {
        dims.insert(2, 1);
    }
    Array { dims, values: x.values.clone() }
}

fn setting<'a>(node: &'a Node, name: &str) -> Option<&'a crate::import::onnx::proto::Attribute> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

fn list(node: &Node, name: &str, usual: &[usize]) -> Vec<usize> {
    match setting(node, name) {
        Some(attribute) => attribute.ints.iter().map(|value| *value as usize).collect(),
        None => usual.to_vec(),
    }
}

fn pointwise(x: &Array, f: impl Fn(f32) -> f32) -> Vec<Array> {
    vec![Array { dims: x.dims.clone(), values: x.values.iter().map(|x| f(*x)).collect() }]
}

fn binary(a: &Array, b: &Array, f: impl Fn(f32, f32) -> f32) -> Vec<Array> {
    let count = a.dims.len().max(b.dims.len());
    let padded = |dims: &[usize]| [vec![1; count - dims.len()], dims.to_vec()].concat();
    let [a, b] = [a, b].map(|x| Array { dims: padded(&x.dims), values: x.values.clone() });
    let dims: Vec<usize> = a.dims.iter().zip(&b.dims).map(|(a, b)| *a.max(b)).collect();
    let of = |x: &Array, index: &[usize]| {
        let index: Vec<usize> = index.iter().zip(&x.dims).map(|(i, size)| if *size == 1 { 0 } else { *i }).collect();
        x.at(&index)
    };
    vec![Array::of(&dims, |index| f(of(&a, &index), of(&b, &index)))]
}

fn compute(node: &Node, inputs: &[Option<&Array>]) -> Vec<Array> {
    let input = |i: usize| inputs[i].unwrap();
    let int = |name: &str, usual: i64| setting(node, name).map_or(usual, |attribute| attribute.i);
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    match &*node.op_type {
        "Cast" | "Identity" => vec![input(0).clone()],
        "Sin" => pointwise(input(0), f32::sin),
        "Sigmoid" => pointwise(input(0), sigmoid),
        "Tanh" => pointwise(input(0), f32::tanh),
        "Relu" => pointwise(input(0), |x| x.max(0.0)),
        "Neg" => pointwise(input(0), |x| -x),
        "Swish" => pointwise(input(0), |x| x * sigmoid(x)),
        "Add" => binary(input(0), input(1), |a, b| a + b),
        "Sub" => binary(input(0), input(1), |a, b| a - b),
        "Mul" => binary(input(0), input(1), |a, b| a * b),
        "Div" => binary(input(0), input(1), |a, b| a / b),
        "Unsqueeze" => {
            let axes: Vec<usize> = input(1).values.iter().map(|axis| *axis as usize).collect();
            let mut dims = input(0).dims.clone();
            axes.iter().for_each(|axis| dims.insert(*axis, 1));
            vec![Array { dims, values: input(0).values.clone() }]
        }
        "Reshape" => {
            let dims = input(1).values.iter().map(|size| *size as usize).collect();
            vec![Array { dims, values: input(0).values.clone() }]
        }
        "Flatten" => {
            let dims = vec![input(0).dims[0], input(0).dims[1..].iter().product()];
            vec![Array { dims, values: input(0).values.clone() }]
        }
        "Transpose" => {
            let perm = list(node, "perm", &[]);
            let dims: Vec<usize> = perm.iter().map(|axis| input(0).dims[*axis]).collect();
            vec![Array::of(&dims, |index| {
                let mut from = vec![0; perm.len()];
                perm.iter().zip(index).for_each(|(axis, i)| from[*axis] = i);
                input(0).at(&from)
            })]
        }
        "Gather" => {
            let row = input(1).values[0] as usize;
            let width = input(0).dims[1];
            vec![Array { dims: vec![1, width], values: input(0).values[row * width..(row + 1) * width].to_vec() }]
        }
        "Gemm" | "MatMul" => dense(node, inputs),
        "BatchNormalization" => {
            let tiny = setting(node, "epsilon").map_or(1e-5, |attribute| attribute.f);
            vec![Array::of(&input(0).dims, |index| {
                let part = |i: usize| input(i).values[index[1]];
                (input(0).at(&index) - part(3)) / (part(4) + tiny).sqrt() * part(1) + part(2)
            })]
        }
        "Concat" => {
            let mut dims = input(0).dims.clone();
            dims[1] = inputs.iter().map(|part| part.unwrap().dims[1]).sum();
            vec![Array::of(&dims, |mut index| {
                let mut part = 0;
                while index[1] >= input(part).dims[1] {
                    index[1] -= input(part).dims[1];
                    part += 1;
                }
                input(part).at(&index)
            })]
        }
        "Slice" => {
            let [start, end] = [1, 2].map(|i| input(i).values[0] as usize);
            let mut dims = input(0).dims.clone();
            dims[1] = end - start;
            vec![Array::of(&dims, |mut index| {
                index[1] += start;
                input(0).at(&index)
            })]
        }
        "Split" => {
            let part = input(0).dims[1] / node.output.len();
            let one = |i: usize| {
                let mut dims = input(0).dims.clone();
                dims[1] = part;
                Array::of(&dims, |mut index| {
                    index[1] += i * part;
                    input(0).at(&index)
                })
            };
            (0..node.output.len()).map(one).collect()
        }
        "Resize" => {
            let factors: Vec<usize> = input(2).values.iter().map(|scale| *scale as usize).collect();
            let dims: Vec<usize> = input(0).dims.iter().zip(&factors).map(|(size, by)| size * by).collect();
            vec![Array::of(&dims, |index| {
                input(0).at(&index.iter().zip(&factors).map(|(i, by)| i / by).collect::<Vec<_>>())
            })]
        }
        "DepthToSpace" => {
            let (side, dims) = (int("blocksize", 0) as usize, &input(0).dims);
            let channels = dims[1] / side / side;
            let crd = setting(node, "mode").is_some_and(|attribute| attribute.s == b"CRD");
            vec![Array::of(&[1, channels, dims[2] * side, dims[3] * side], |i| {
                let within = i[2] % side * side + i[3] % side;
                let channel = if crd { i[1] * side * side + within } else { within * channels + i[1] };
                input(0).at(&[0, channel, i[2] / side, i[3] / side])
            })]
        }
        "SpaceToDepth" => {
            let (side, dims) = (int("blocksize", 0) as usize, &input(0).dims);
            vec![Array::of(&[1, dims[1] * side * side, dims[2] / side, dims[3] / side], |i| {
                let (within, channel) = (i[1] / dims[1], i[1] % dims[1]);
                input(0).at(&[0, channel, i[2] * side + within / side, i[3] * side + within % side])
            })]
        }
        "Pad" => {
            let pads: Vec<usize> = input(1).values.iter().map(|pad| *pad as usize).collect();
            let dims = &input(0).dims;
            let dims = [1, dims[1], dims[2] + pads[2] + pads[6], dims[3] + pads[3] + pads[7]];
            vec![Array::of(&dims, |i| input(0).pixel(i[1], i[2] as i64 - pads[2] as i64, i[3] as i64 - pads[3] as i64))]
        }
        "AveragePool" => {
            let (kernel, stride) = (list(node, "kernel_shape", &[]), list(node, "strides", &[1, 1]));
            let dims = &input(0).dims;
            let size = |axis: usize| (dims[axis + 2] - kernel[axis]) / stride[axis] + 1;
            vec![Array::of(&[1, dims[1], size(0), size(1)], |i| {
                let taps = (0..kernel[0] * kernel[1]).map(|tap| (tap / kernel[1], tap % kernel[1]));
                let sum: f32 =
                    taps.map(|(y, x)| input(0).at(&[0, i[1], i[2] * stride[0] + y, i[3] * stride[1] + x])).sum();
                sum / (kernel[0] * kernel[1]) as f32
            })]
        }
        "Conv" => vec![conv(node, inputs)],
        "ConvTranspose" => vec![conv_transpose(node, inputs)],
        other => panic!("no reference for {other}"),
    }
}

fn dense(node: &Node, inputs: &[Option<&Array>]) -> Vec<Array> {
    let (x, w) = (inputs[0].unwrap(), inputs[1].unwrap());
    let turned = setting(node, "transB").is_some_and(|attribute| attribute.i != 0);
    let [alpha, beta] = ["alpha", "beta"].map(|name| setting(node, name).map_or(1.0, |attribute| attribute.f));
    let outputs = if turned { w.dims[0] } else { w.dims[1] };
    vec![Array::of(&[1, outputs], |index| {
        let o = index[1];
        let at = |i: usize| if turned { w.at(&[o, i]) } else { w.at(&[i, o]) };
        let sum: f32 = (0..x.dims[1]).map(|i| x.values[i] * at(i)).sum();
        alpha * sum + inputs.get(2).copied().flatten().map_or(0.0, |bias| beta * bias.values[o])
    })]
}

/// Settings of a convolution over rows and columns; those of a signal are of the columns.
fn window(node: &Node, name: &str, usual: usize) -> Vec<usize> {
    let mut values = list(node, name, &[usual; 2]);
    if name == "pads" {
        if values.len() == 2 {
            values = if setting(node, name).is_some() { vec![0, values[0], 0, values[1]] } else { vec![0; 4] };
        }
    } else if values.len() == 1 {
        values.insert(0, usual);
    }
    values
}

fn signal_or_image(like: &Array, made: Array) -> Array {
    let mut dims = made.dims;
    if like.dims.len() == 3 {
        dims.remove(2);
    }
    Array { dims, values: made.values }
}

fn conv(node: &Node, inputs: &[Option<&Array>]) -> Array {
    let (x, w) = (image(inputs[0].unwrap()), image(inputs[1].unwrap()));
    let mut pads = window(node, "pads", 0);
    if setting(node, "auto_pad").is_some_and(|attribute| attribute.s == b"SAME_UPPER") {
        // Of stride 1: as many outputs as inputs, the odd zero behind.
        let [rows, columns] = [w.dims[2] - 1, w.dims[3] - 1];
        pads = vec![rows / 2, columns / 2, rows - rows / 2, columns - columns / 2];
    }
    let groups = setting(node, "group").map_or(1, |attribute| attribute.i as usize);
    let [stride, dilation] = ["strides", "dilations"].map(|name| window(node, name, 1));
    let size = |axis: usize| {
        let reach = dilation[axis] * (w.dims[axis + 2] - 1) + 1;
        (x.dims[axis + 2] + pads[axis] + pads[axis + 2] - reach) / stride[axis] + 1
    };
    let made = Array::of(&[1, w.dims[0], size(0), size(1)], |index| {
        let (o, y0, x0) = (index[1], index[2], index[3]);
        let first = o / (w.dims[0] / groups) * w.dims[1];
        let bias = inputs.get(2).copied().flatten().map_or(0.0, |bias| bias.values[o]);
        let taps = Array::indices(&w.dims[1..]);
        taps.into_iter().fold(bias, |sum, tap| {
            let y = (y0 * stride[0] + tap[1] * dilation[0]) as i64 - pads[0] as i64;
            let column = (x0 * stride[1] + tap[2] * dilation[1]) as i64 - pads[1] as i64;
            sum + w.at(&[o, tap[0], tap[1], tap[2]]) * x.pixel(first + tap[0], y, column)
        })
    });
    signal_or_image(inputs[0].unwrap(), made)
}

/// Every input pixel spreads the kernel over the outputs.
fn conv_transpose(node: &Node, inputs: &[Option<&Array>]) -> Array {
    let (x, w) = (image(inputs[0].unwrap()), image(inputs[1].unwrap()));
    let [stride, pads, extra] =
        [("strides", 1), ("pads", 0), ("output_padding", 0)].map(|(name, usual)| window(node, name, usual));
    let size = |axis: usize| {
        (x.dims[axis + 2] - 1) * stride[axis] + w.dims[axis + 2] + extra[axis] - pads[axis] - pads[axis + 2]
    };
    let dims = vec![1, w.dims[1], size(0), size(1)];
    let bias = inputs.get(2).copied().flatten();
    let mut made = Array::of(&dims, |index| bias.map_or(0.0, |bias| bias.values[index[1]]));
    for from in Array::indices(&x.dims) {
        for tap in Array::indices(&w.dims[1..]) {
            let y = (from[2] * stride[0] + tap[1]).wrapping_sub(pads[0]);
            let column = (from[3] * stride[1] + tap[2]).wrapping_sub(pads[1]);
            if y < dims[2] && column < dims[3] {
                made.values[(tap[0] * dims[2] + y) * dims[3] + column] +=
                    x.at(&from) * w.at(&[from[1], tap[0], tap[1], tap[2]]);
            }
        }
    }
    signal_or_image(inputs[0].unwrap(), made)
}
