//! A network as the list of its nodes: of any shape, as an import writes it.
use super::parts::within;
use crate::graph::shape::{MOST_SIDE, MOST_VALUES};
use crate::graph::{Builder, ConvGeometry, Graph, NodeId, Shape};
use crate::ops::{
    Activation, Add, ChannelBiasLayer, Concat, ConvLayer, DepthToSpace, Gate, LinearLayer, SpaceToDepth, Upsample,
};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// A network node by node, with a row of biases for each timestep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Number of timesteps T, as many as the run's.
    pub timesteps: usize,
    /// The nodes in an order in which they can be computed; the last one is the output.
    pub nodes: Vec<ListedNode>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedNode {
    /// Unique name.
    pub name: String,
    /// Names of the nodes that it reads; `input` is x_t.
    pub inputs: Vec<String>,
    /// What it computes.
    pub op: ListedOp,
}

/// What a node computes: an op of [`crate::ops`] without its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ListedOp {
    /// A convolution with a bias.
    Conv {
        /// Output channels; of a depthwise one as many as the input's.
        channels: usize,
        /// Rows and columns of the kernel.
        kernel: [usize; 2],
        /// Step between outputs.
        stride: [usize; 2],
        /// Zeros added on either side.
        pad: [usize; 2],
        /// Distance between kernel taps.
        dilation: [usize; 2],
        /// One filter a channel.
        #[serde(default)]
        depthwise: bool,
    },
    /// A dense layer over all values.
    Linear {
        /// Number of outputs.
        outputs: usize,
    },
    /// Biases of the timestep and the class.
    Bias,
    /// x·sigmoid(x).
    Silu,
    /// max(x, 0).
    Relu,
    /// tanh(a)·sigmoid(b).
    Gate,
    /// a + b.
    Add,
    /// Channels of a, then those of b.
    Concat,
    /// Nearest-neighbour enlargement.
    Upsample {
        /// Rows and columns that one pixel becomes.
        factor: [usize; 2],
    },
    /// Blocks of pixels into channels.
    SpaceToDepth {
        /// Rows and columns of a block.
        block: [usize; 2],
    },
    /// Channels into blocks of pixels.
    DepthToSpace {
        /// Rows and columns of a block.
        block: [usize; 2],
        /// Rows below and columns to the right that are left out.
        #[serde(default)]
        crop: [usize; 2],
    },
}

impl Listed {
    pub(super) fn check(&self) -> Result<()> {
        within("timesteps", self.timesteps, 2, 100_000)?;
        within("the number of nodes", self.nodes.len(), 1, 4096)?;
        for node in &self.nodes {
            let all = |key: &str, values: &[usize], least: usize, most: usize| {
                values.iter().try_for_each(|value| within(&format!("{key} of {}", node.name), *value, least, most))
            };
            match node.op {
                ListedOp::Conv { channels, kernel, stride, pad, dilation, .. } => {
                    all("channels", &[channels], 1, MOST_SIDE)?;
                    all("kernel", &kernel, 1, 255)?;
                    all("stride", &stride, 1, MOST_SIDE)?;
                    all("pad", &pad, 0, MOST_SIDE)?;
                    all("dilation", &dilation, 1, MOST_SIDE)?;
                }
                ListedOp::Linear { outputs } => all("outputs", &[outputs], 1, MOST_VALUES)?,
                ListedOp::Upsample { factor } => all("factor", &factor, 1, 255)?,
                ListedOp::SpaceToDepth { block } => all("block", &block, 1, 255)?,
                ListedOp::DepthToSpace { block, crop } => {
                    all("block", &block, 1, 255)?;
                    all("crop", &crop, 0, MOST_SIDE)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The widths of its convolutions.
    pub(super) fn channels(&self) -> Vec<usize> {
        let of = |node: &ListedNode| match node.op {
            ListedOp::Conv { channels, .. } => Some(channels),
            ListedOp::Linear { outputs } => Some(outputs),
            _ => None,
        };
        self.nodes.iter().filter_map(of).collect()
    }

    pub(super) fn build(&self, input: Shape, classes: &[usize]) -> Result<Graph> {
        let mut g = Builder::new(input)?;
        let mut ids = std::collections::HashMap::from([("input", 0)]);
        for node in &self.nodes {
            let id = |name: &String| {
                ids.get(&**name).copied().ok_or_else(|| {
                    Error::Invalid(format!("node {} reads {name}, which is no node before it", node.name))
                })
            };
            let inputs: Vec<NodeId> = node.inputs.iter().map(id).collect::<Result<_>>()?;
            ids.insert(&node.name, node.add(&mut g, &inputs)?);
        }
        g.finish_with_table(self.timesteps, classes)
    }
}

impl ListedNode {
    fn add(&self, g: &mut Builder, inputs: &[NodeId]) -> Result<NodeId> {
        let name = &self.name;
        match self.op {
            ListedOp::Conv { channels, kernel, stride, pad, dilation, depthwise } => {
                let geometry = ConvGeometry { kernel, stride, pad, dilation, depthwise };
                g.node(name, ConvLayer::new(channels, geometry), inputs)
            }
            ListedOp::Linear { outputs } => g.node(name, LinearLayer(outputs), inputs),
            ListedOp::Bias => g.node(name, ChannelBiasLayer, inputs),
            ListedOp::Silu => g.node(name, Activation::Silu, inputs),
            ListedOp::Relu => g.node(name, Activation::Relu, inputs),
            ListedOp::Gate => g.node(name, Gate, inputs),
            ListedOp::Add => g.node(name, Add, inputs),
            ListedOp::Concat => g.node(name, Concat, inputs),
            ListedOp::Upsample { factor } => g.node(name, Upsample { factor }, inputs),
            ListedOp::SpaceToDepth { block } => g.node(name, SpaceToDepth { block, pad: [0; 2] }, inputs),
            ListedOp::DepthToSpace { block, crop } => g.node(name, DepthToSpace { block, crop }, inputs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::Spec;

    const TEXT: &str = "kind = 'graph'\ntimesteps = 50\n\
        [[nodes]]\nname = 'a'\ninputs = ['input']\nop = 'bias'\n\
        [[nodes]]\nname = 'b'\ninputs = ['a']\n\
        op = { conv = { channels = 2, kernel = [3, 3], stride = [1, 1], pad = [1, 1], dilation = [1, 1] } }\n\
        [[nodes]]\nname = 'c'\ninputs = ['b', 'input']\nop = 'add'\n";

    #[test]
    fn a_list_is_a_graph_and_comes_back() {
        let spec = Spec::parse(TEXT).unwrap();
        assert_eq!(Spec::parse(&spec.to_toml().unwrap()).unwrap(), spec);
        let graph = spec.build(Shape::new(4, 4, 2), &[3]).unwrap();
        assert_eq!(graph.nodes[3].inputs, [2, 0]);
        let names: Vec<&str> = graph.params.blocks.iter().map(|block| &*block.name).collect();
        assert_eq!(names, ["b.weight", "b.bias", "conditioning.times", "conditioning.classes"]);
        assert_eq!(graph.params.blocks[2].shape, [50, 2]);
    }

    /// Every wrong list says which node is wrong.
    #[test]
    fn wrong_lists_are_refused() {
        for (from, to, word) in [
            ("timesteps = 50", "timesteps = 0", "timesteps is 0"),
            ("op = 'add'", "op = 'sum'", "sum"),
            ("kernel = [3, 3]", "kernel = [0, 3]", "kernel of b is 0"),
            ("channels = 2", "channels = 0", "channels of b is 0"),
            ("stride = [1, 1], ", "", "stride"),
            ("stride = [1, 1]", "stride = [1, 0]", "stride of b is 0"),
            (
                "channels = 2, kernel = [3, 3], stride = [1, 1], pad = [1, 1]",
                "channels = 60000, kernel = [255, 255], stride = [1, 1], pad = [127, 127]",
                "b: with it the network has 7803060000 parameters",
            ),
            (
                "['b', 'input']\nop = 'add'",
                "['b']\nop = { upsample = { factor = [255, 255] } }\n[[nodes]]\nname = 'd'\ninputs = ['c']\n\
                 op = { upsample = { factor = [255, 255] } }",
                "d: the sizes [260100, 260100, 2] make more than",
            ),
            ("pad = [1, 1]", "pad = [1, 4611686018427387904]", "pad of b is 4611686018427387904"),
            ("dilation = [1, 1]", "dilation = [65536, 1]", "dilation of b is 65536"),
            ("op = 'add'", "op = { linear = { outputs = 0 } }", "outputs of c is 0"),
            ("op = 'add'", "op = { upsample = { factor = [0, 2] } }", "factor of c is 0"),
            ("op = 'add'", "op = { space-to-depth = { block = [2, 999] } }", "block of c is 999"),
            ("op = 'add'", "op = { depth-to-space = { block = [1, 1], crop = [0, 70000] } }", "crop of c is 70000"),
            ("['b', 'input']", "['b', 'd']", "node c reads d"),
            ("['b', 'input']", "['b']", "c: takes 2 inputs"),
            ("name = 'c'", "name = 'b'", "two layers are called b"),
            ("name = 'c'", "name = 'input'", "two layers are called input"),
            ("channels = 2", "channels = 3", "c: cannot add"),
        ] {
            assert!(TEXT.contains(from), "{from}");
            let spec = Spec::parse(&TEXT.replace(from, to));
            let error = spec.and_then(|spec| spec.build(Shape::new(4, 4, 2), &[])).unwrap_err().to_string();
            assert!(error.contains(word), "{to}: {error}");
        }
    }
}
