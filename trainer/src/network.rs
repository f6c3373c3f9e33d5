//! The folded float network: no norms left, every layer with its own weights. It is the reference that quantization starts from and
//! is compared with.
use crate::autograd::{activation, add, channel_bias, concat, conv::Conv, space, upsample, Buffer};
use crate::graph::{Activation, Conditioning, ConvGeometry, Graph, NodeId, Op, Shape, NORM_TINY};
use crate::plans::NamedPlan;
use crate::{Error, Result};
use brownian::plan::Step;

/// What a layer computes; as [`Op`], with the numbers in place.
#[derive(Clone, Debug, PartialEq)]
pub enum LayerOp {
    /// The state x_t.
    Input,
    /// As [`Op::SpaceToDepth`].
    SpaceToDepth {
        /// Side of the square.
        block: usize,
    },
    /// As [`Op::DepthToSpace`].
    DepthToSpace {
        /// Side of the square.
        block: usize,
    },
    /// Convolution plus bias.
    Conv {
        /// Kernel, stride, padding, dilation, groups.
        geometry: ConvGeometry,
        /// `[O][KH][KW][I]`; depthwise `[C][KH][KW][1]`.
        weights: Vec<f32>,
        /// One value an output channel.
        bias: Vec<f32>,
    },
    /// Dense layer over all values of the input.
    Linear {
        /// `[O][H·W·I]`.
        weights: Vec<f32>,
        /// One value an output.
        bias: Vec<f32>,
    },
    /// Adds the image's bias columns from `first` on to every pixel.
    ChannelBias {
        /// The first column.
        first: usize,
    },
    /// Non-linearity.
    Activation(Activation),
    /// Sum of two equal shapes.
    Add,
    /// Channels of the first input, then those of the second.
    Concat,
    /// Nearest neighbour, as [`Op::Upsample`].
    Upsample,
}

/// One layer. Its id is its place in [`Network::layers`] and equals the id of the graph's node.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The node's name.
    pub name: String,
    /// What is computed.
    pub op: LayerOp,
    /// From which layers, all with smaller ids.
    pub inputs: Vec<NodeId>,
    /// Shape of the result for one image.
    pub shape: Shape,
}

/// A dense layer of the conditioning network.
#[derive(Clone, Debug, PartialEq)]
struct Dense {
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Dense {
    fn apply(&self, x: &[f32], silu: bool) -> Vec<f32> {
        let rows = self.weights.chunks_exact(x.len()).zip(&self.bias);
        rows.map(|(row, bias)| {
            let y = f64::from(*bias) + row.iter().zip(x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum::<f64>();
            (if silu { y / (1.0 + (-y).exp()) } else { y }) as f32
        })
        .collect()
    }
}

/// A network for float inference.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Shape of x_t and of the output F.
    pub input: Shape,
    /// The layers in an order in which they can be computed; layer 0 is the input, the last one the output.
    pub layers: Vec<Layer>,
    conditioning: Conditioning,
    dense: [Dense; 3],
    class_table: Vec<f32>,
    /// As [`Conditioning::plan_table`]; empty where there is none.
    plan_table: Vec<f32>,
}

impl Graph {
    /// Folds every norm into its convolution: w' = w·γ/√(v + tiny), bias' = β − μ·γ/√(v + tiny).
    ///
    /// # Errors
    /// Parameters or statistics of another length than the graph's layouts.
    pub fn fold(&self, params: &[f32], stats: &[f32]) -> Result<Network> {
        if params.len() != self.params.len() || stats.len() != self.stats.len() {
            return Err(Error::Invalid(format!(
                "the network has {} parameters and {} statistics, but {} and {} were given",
                self.params.len(),
                self.stats.len(),
                params.len(),
                stats.len()
            )));
        }
        let param = |id: usize| self.params.slice(id, params).to_vec();
        let op = |op: &Op| match op {
            Op::Input => LayerOp::Input,
            Op::SpaceToDepth { block } => LayerOp::SpaceToDepth { block: *block },
            Op::DepthToSpace { block } => LayerOp::DepthToSpace { block: *block },
            Op::Linear { weight, bias } => LayerOp::Linear { weights: param(*weight), bias: param(*bias) },
            Op::ChannelBias { first } => LayerOp::ChannelBias { first: *first },
            Op::Activation(kind) => LayerOp::Activation(*kind),
            Op::Add => LayerOp::Add,
            Op::Concat => LayerOp::Concat,
            Op::Upsample => LayerOp::Upsample,
            Op::Conv { geometry, weight, bias, norm } => {
                let mut weights = param(*weight);
                let channels = self.params.blocks[*weight].shape[0];
                let mut folded = bias.map_or_else(|| vec![0.0; channels], param);
                if let Some(norm) = norm {
                    let (gamma, beta) = (param(norm.gamma), param(norm.beta));
                    let (mean, variance) = (self.stats.slice(norm.mean, stats), self.stats.slice(norm.variance, stats));
                    let filter = weights.len() / channels;
                    for c in 0..channels {
                        let scale = f64::from(gamma[c]) / (f64::from(variance[c]) + f64::from(NORM_TINY)).sqrt();
                        weights[c * filter..(c + 1) * filter]
                            .iter_mut()
                            .for_each(|w| *w = (f64::from(*w) * scale) as f32);
                        folded[c] = (f64::from(beta[c]) + (f64::from(folded[c]) - f64::from(mean[c])) * scale) as f32;
                    }
                }
                LayerOp::Conv { geometry: *geometry, weights, bias: folded }
            }
        };
        let layers = self.nodes.iter().map(|n| Layer {
            name: n.name.clone(),
            op: op(&n.op),
            inputs: n.inputs.clone(),
            shape: n.shape,
        });
        Ok(Network {
            input: self.input,
            layers: layers.collect(),
            conditioning: self.conditioning.clone(),
            dense: self.conditioning.layers.map(|(weight, bias)| Dense { weights: param(weight), bias: param(bias) }),
            class_table: param(self.conditioning.class_table),
            plan_table: self.conditioning.plan_table.map_or_else(Vec::new, param),
        })
    }
}

impl Network {
    /// Number of bias columns: the length of [`Self::time_bias`] and [`Self::class_bias`].
    pub fn bias_columns(&self) -> usize {
        self.conditioning.columns
    }

    /// Number of classes, without the null class.
    pub fn classes(&self) -> usize {
        self.conditioning.classes
    }

    /// The bias columns of timestep `t` (1..=T) outside the plans that the network was tuned for; the total is this plus a
    /// [`Self::class_bias`].
    pub fn time_bias(&self, t: usize) -> Vec<f32> {
        self.row_bias(t, 0)
    }

    /// The bias columns of a plan's steps, one row a step; as [`Self::time_bias`] of their timesteps unless the network was tuned
    /// for a plan of this name and these timesteps.
    pub fn plan_bias(&self, plan: &NamedPlan) -> Vec<Vec<f32>> {
        let row = |(i, step): (usize, &Step)| {
            self.row_bias(step.timestep as usize, self.conditioning.plan_row(&plan.name, i, step.timestep))
        };
        plan.steps.iter().enumerate().map(row).collect()
    }

    fn row_bias(&self, t: usize, plan_row: usize) -> Vec<f32> {
        let [first, second, columns] = &self.dense;
        let mut bias =
            columns.apply(&second.apply(&first.apply(&self.conditioning.time_features(t), true), true), false);
        let row = self.plan_table.chunks_exact(self.bias_columns()).nth(plan_row).unwrap_or_default();
        bias.iter_mut().zip(row).for_each(|(b, r)| *b += r);
        bias
    }

    /// The bias columns of a class, or of the null class for `None`.
    ///
    /// # Errors
    /// A class that the network does not know.
    pub fn class_bias(&self, class: Option<usize>) -> Result<Vec<f32>> {
        let row = class.unwrap_or(self.classes());
        if row > self.classes() || class == Some(self.classes()) {
            return Err(Error::Usage(format!("there is no class {row}; the model knows {} classes", self.classes())));
        }
        Ok(self.class_table[row * self.bias_columns()..][..self.bias_columns()].to_vec())
    }

    /// The sum of a timestep's and a class's bias columns.
    ///
    /// # Errors
    /// A class that the network does not know.
    pub fn bias(&self, t: usize, class: Option<usize>) -> Result<Vec<f32>> {
        Ok(self.time_bias(t).iter().zip(self.class_bias(class)?).map(|(a, b)| a + b).collect())
    }

    /// The output F for a batch of images `x` (NHWC) with one row of bias columns an image. `visit` sees the result of every layer
    /// for the whole batch, in order.
    ///
    /// # Errors
    /// Lengths that are not whole numbers of images and rows.
    pub fn forward(&self, x: &[f32], columns: &[f32], mut visit: impl FnMut(NodeId, &[f32])) -> Result<Vec<f32>> {
        let batch = x.len() / self.input.len();
        if x.len() != batch * self.input.len() || columns.len() != batch * self.bias_columns() {
            return Err(Error::Invalid(format!(
                "{} values and {} bias columns do not make images of {} with {} columns each",
                x.len(),
                columns.len(),
                self.input,
                self.bias_columns()
            )));
        }
        let mut last_use = vec![0; self.layers.len()];
        for (id, layer) in self.layers.iter().enumerate() {
            layer.inputs.iter().for_each(|input| last_use[*input] = id);
        }
        let mut results: Vec<Buffer> = Vec::with_capacity(self.layers.len());
        for (id, layer) in self.layers.iter().enumerate() {
            let result = self.compute(layer, &results, x, columns);
            visit(id, &result);
            results.push(result);
            for input in &layer.inputs {
                if last_use[*input] == id {
                    results[*input] = Buffer::default();
                }
            }
        }
        Ok(results.pop().map(Buffer::into_vec).unwrap_or_default())
    }

    fn compute(&self, layer: &Layer, results: &[Buffer], x: &[f32], columns: &[f32]) -> Buffer {
        let value = |i: usize| -> &[f32] { &results[layer.inputs[i]] };
        let shape = |i: usize| self.layers[layer.inputs[i]].shape;
        match &layer.op {
            LayerOp::Input => Buffer::copy_of(x),
            LayerOp::SpaceToDepth { block } => space::forward(value(0), layer.shape, *block, space::Direction::ToDepth),
            LayerOp::DepthToSpace { block } => space::forward(value(0), shape(0), *block, space::Direction::ToSpace),
            LayerOp::Conv { geometry, weights, bias } => {
                Conv { geometry: *geometry, input: shape(0), output: layer.shape }.forward(
                    value(0),
                    weights,
                    Some(bias),
                )
            }
            LayerOp::Linear { weights, bias } => {
                Conv::linear(shape(0).len(), layer.shape.len()).forward(value(0), weights, Some(bias))
            }
            LayerOp::ChannelBias { first } => {
                channel_bias::forward(value(0), layer.shape, columns, self.bias_columns(), *first)
            }
            LayerOp::Activation(kind) => activation::forward(*kind, value(0)),
            LayerOp::Add => add::forward(value(0), value(1)),
            LayerOp::Concat => concat::forward(value(0), shape(0).channels, value(1), shape(1).channels),
            LayerOp::Upsample => upsample::forward(value(0), shape(0)),
        }
    }
}
