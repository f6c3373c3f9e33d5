//! The network in the making: nodes with their weights, in Brownian's layouts.
use crate::graph::shape::values_of;
use crate::graph::{ConvGeometry, Shape};
use crate::nets::{ListedNode, ListedOp};
use crate::{Error, Result};
use std::collections::HashSet;

/// A node with its weights.
#[derive(Clone, Debug)]
pub struct NetNode {
    /// Unique name.
    pub name: String,
    /// What it computes.
    pub op: ListedOp,
    /// The nodes that it reads.
    pub inputs: Vec<usize>,
    /// Shape of its result.
    pub shape: Shape,
    /// `[O][KH][KW][I]` or `[O][H·W·I]`; empty where the op has none.
    pub weight: Vec<f32>,
    /// A bias an output channel; empty where the op has none.
    pub bias: Vec<f32>,
    /// Where the bias of each channel comes from; empty where the op is no [`ListedOp::Bias`].
    pub columns: Vec<Column>,
}

/// Where a bias column comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// The same for every timestep and class.
    Fixed(f32),
    /// A place of a value that depends on timestep and class, times a factor.
    Of {
        /// The name of the value.
        name: String,
        /// The place in it, row-major.
        place: usize,
        /// The factor: 1 or −1.
        factor: f32,
    },
}

/// A result of the network as ONNX sees it: sizes with channels in front, and where each of them is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// The node that computes it.
    pub node: usize,
    /// Sizes: `[1, C, H, W]`, `[1, C, L]` or `[1, F]`.
    pub dims: Vec<usize>,
    /// The stored channel of each channel; of `[1, F]` the place of each value among all of the node's.
    pub order: Vec<usize>,
    /// Whether nothing else reads it, so that the node may be changed.
    pub sole: bool,
}

/// Nodes in an order in which they can be computed; node 0 is the input.
#[derive(Debug)]
pub struct Net {
    /// The nodes.
    pub nodes: Vec<NetNode>,
    names: HashSet<String>,
}

/// `[O][KH][KW][I]` weights with their biases, and how they are applied.
#[derive(Clone, Debug)]
pub struct Filters {
    /// Kernel, stride, padding, dilation, groups.
    pub geometry: ConvGeometry,
    /// Output channels.
    pub channels: usize,
    /// Weights.
    pub weight: Vec<f32>,
    /// A bias an output channel.
    pub bias: Vec<f32>,
}

impl Net {
    /// A network that is its input yet.
    pub fn new(input: Shape) -> Self {
        let node = NetNode {
            name: "input".into(),
            // Never listed.
            op: ListedOp::Bias,
            inputs: vec![],
            shape: input,
            weight: vec![],
            bias: vec![],
            columns: vec![],
        };
        Self { nodes: vec![node], names: HashSet::from(["input".into(), "conditioning".into()]) }
    }

    /// The shape of a node.
    pub fn shape(&self, node: usize) -> Shape {
        self.nodes[node].shape
    }

    /// Adds a node without weights.
    ///
    /// # Errors
    /// A result of more values than can be held.
    pub fn push(&mut self, name: &str, op: ListedOp, inputs: &[usize], shape: Shape) -> Result<usize> {
        values_of(&[shape.height, shape.width, shape.channels])?;
        let name = self.unique(name);
        let (weight, bias, columns) = Default::default();
        self.nodes.push(NetNode { name, op, inputs: inputs.to_vec(), shape, weight, bias, columns });
        Ok(self.nodes.len() - 1)
    }

    /// A name that no node has: that of ONNX without slashes, and a number where it is taken.
    fn unique(&mut self, name: &str) -> String {
        let cleaned = name.trim_matches('/').replace('/', ".");
        let mut found = cleaned.clone();
        let mut number = 1;
        while found.is_empty() || !self.names.insert(found.clone()) {
            number += 1;
            found = format!("{cleaned}_{number}");
        }
        found
    }

    /// Adds a convolution of `input` whose result has the shape `shape`.
    ///
    /// # Errors
    /// A result of more values than can be held.
    pub fn convolve(&mut self, name: &str, input: usize, filters: Filters, shape: Shape) -> Result<usize> {
        let ConvGeometry { kernel, stride, pad, dilation, depthwise } = filters.geometry;
        let op = ListedOp::Conv { channels: filters.channels, kernel, stride, pad, dilation, depthwise };
        let node = self.push(name, op, &[input], shape)?;
        (self.nodes[node].weight, self.nodes[node].bias) = (filters.weight, filters.bias);
        Ok(node)
    }

    /// Adds biases a stored channel.
    ///
    /// # Errors
    /// None: the input was held too.
    pub fn add_columns(&mut self, name: &str, input: usize, columns: Vec<Column>) -> Result<usize> {
        let node = self.push(name, ListedOp::Bias, &[input], self.shape(input))?;
        self.nodes[node].columns = columns;
        Ok(node)
    }

    /// Whether a node computes every output channel from a row of weights of its own, over all input channels.
    fn has_rows(&self, node: usize) -> bool {
        matches!(self.nodes[node].op, ListedOp::Conv { depthwise: false, .. } | ListedOp::Linear { .. })
    }

    /// scale·x + shift a channel (in the map's order). It joins the weights that the channels come from where nothing
    /// else reads them, else it becomes biases or a depthwise convolution of one tap.
    ///
    /// # Errors
    /// None: the input was held too.
    pub fn affine(&mut self, name: &str, map: &Map, scale: &[f64], shift: &[f64]) -> Result<Map> {
        let node = &mut self.nodes[map.node];
        let owns = matches!(node.op, ListedOp::Conv { .. } | ListedOp::Linear { .. });
        if map.sole && owns && node.bias.len() == scale.len() {
            let row = node.weight.len() / node.bias.len();
            for ((at, scale), shift) in map.order.iter().zip(scale).zip(shift) {
                node.weight[at * row..(at + 1) * row].iter_mut().for_each(|w| *w = (f64::from(*w) * scale) as f32);
                node.bias[*at] = (f64::from(node.bias[*at]) * scale + shift) as f32;
            }
            return Ok(map.clone());
        }
        let shape = node.shape;
        let stored = |values: &[f64]| {
            let mut stored = vec![0.0; shape.channels];
            map.order.iter().zip(values).for_each(|(at, value)| stored[at % shape.channels] = *value as f32);
            stored
        };
        let (weight, bias) = (stored(scale), stored(shift));
        let made = match weight.iter().all(|scale| *scale == 1.0) {
            true => self.add_columns(name, map.node, bias.into_iter().map(Column::Fixed).collect())?,
            false => {
                let geometry = ConvGeometry::square(1, 1).depthwise();
                self.convolve(name, map.node, Filters { geometry, channels: shape.channels, weight, bias }, shape)?
            }
        };
        Ok(Map { node: made, sole: true, ..map.clone() })
    }

    /// The same values stored in another order.
    ///
    /// # Errors
    /// A flattened image in another order.
    pub fn reordered(&mut self, map: Map, order: &[usize]) -> Result<Map> {
        if map.order == order {
            return Ok(map);
        }
        if order.len() != self.shape(map.node).channels || map.order.len() != order.len() {
            return Err(Error::Invalid("needs a flattened image's values in another order; flatten it later".into()));
        }
        if !(map.sole && self.has_rows(map.node)) {
            let mut from = vec![0; order.len()];
            map.order.iter().zip(order).for_each(|(old, new)| from[*new] = *old);
            let node = self.chosen(map.node, &from)?;
            return Ok(Map { node, order: order.to_vec(), sole: true, ..map });
        }
        let node = &mut self.nodes[map.node];
        let (weight, bias) = (node.weight.clone(), node.bias.clone());
        let row = weight.len() / bias.len();
        for (old, new) in map.order.iter().zip(order) {
            node.weight[new * row..(new + 1) * row].copy_from_slice(&weight[old * row..(old + 1) * row]);
            node.bias[*new] = bias[*old];
        }
        Ok(Map { order: order.to_vec(), ..map })
    }

    /// A node with the stored channels `from` of another, in this order.
    ///
    /// # Errors
    /// More channels than a convolution can choose from.
    pub fn chosen(&mut self, node: usize, from: &[usize]) -> Result<usize> {
        let shape = self.shape(node);
        let count = values_of(&[from.len(), shape.channels]).map_err(|_| {
            let (wanted, found) = (from.len(), shape.channels);
            Error::Invalid(format!(
                "puts {found} channels into another order, or {wanted} of them, which takes a dense \
                convolution with a weight for each pair: too many"
            ))
        })?;
        let mut weight = vec![0.0; count];
        from.iter().enumerate().for_each(|(to, from)| weight[to * shape.channels + from] = 1.0);
        let name = format!("{}.channels", self.nodes[node].name);
        let (geometry, channels) = (ConvGeometry::square(1, 1), from.len());
        let filters = Filters { geometry, channels, weight, bias: vec![0.0; channels] };
        self.convolve(&name, node, filters, Shape { channels, ..shape })
    }

    /// As [`Self::chosen`], where whoever else reads the node takes channels of it too: by rows of its weights.
    ///
    /// # Errors
    /// As [`Self::chosen`].
    pub fn chosen_rows(&mut self, node: usize, from: &[usize]) -> Result<usize> {
        let old = self.nodes[node].clone();
        let shape = Shape { channels: from.len(), ..old.shape };
        if old.op == ListedOp::Bias && node > 0 {
            let input = self.chosen_rows(old.inputs[0], from)?;
            let columns = from.iter().map(|at| old.columns[*at].clone()).collect();
            return self.add_columns(&old.name, input, columns);
        }
        if !self.has_rows(node) {
            return self.chosen(node, from);
        }
        let row = old.weight.len() / old.bias.len();
        let op = match old.op {
            ListedOp::Conv { kernel, stride, pad, dilation, depthwise, .. } => {
                ListedOp::Conv { channels: from.len(), kernel, stride, pad, dilation, depthwise }
            }
            _ => ListedOp::Linear { outputs: from.len() },
        };
        let made = self.push(&old.name, op, &old.inputs, shape)?;
        self.nodes[made].weight = from.iter().flat_map(|at| &old.weight[at * row..(at + 1) * row]).copied().collect();
        self.nodes[made].bias = from.iter().map(|at| old.bias[*at]).collect();
        Ok(made)
    }

    /// The nodes that `output` needs, and their list.
    pub fn finish(self, output: usize) -> (Vec<NetNode>, Vec<ListedNode>) {
        let mut needed = vec![false; self.nodes.len()];
        needed[output] = true;
        for (id, node) in self.nodes.iter().enumerate().rev().filter(|(id, _)| *id > 0) {
            if needed[id] {
                node.inputs.iter().for_each(|input| needed[*input] = true);
            }
        }
        let names: Vec<String> = self.nodes.iter().map(|node| node.name.clone()).collect();
        let kept = self.nodes.into_iter().zip(needed).skip(1).filter(|(_, needed)| *needed).map(|(node, _)| node);
        let kept: Vec<NetNode> = kept.collect();
        let listed = |node: &NetNode| ListedNode {
            name: node.name.clone(),
            inputs: node.inputs.iter().map(|input| names[*input].clone()).collect(),
            op: node.op.clone(),
        };
        let list = kept.iter().map(listed).collect();
        (kept, list)
    }
}
