//! The folded float network: a graph without norms and its parameters. It is the reference that quantization starts
//! from and is compared with.
use crate::autograd::Buffer;
use crate::graph::conditioning::{table_rows, time_features};
use crate::graph::{Graph, Node, NodeId, Shape, TimeColumns};
use crate::ops::passes::Inference;
use crate::plans::NamedPlan;
use crate::{Error, Result};

/// A network for float inference.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// The folded graph.
    pub graph: Graph,
    /// Its parameters.
    pub params: Vec<f32>,
    /// Local conditions for chains of a network that follows one, one after the other: image i gets number i modulo their
    /// count.
    pub locals: Vec<f32>,
}

impl Graph {
    /// Folds every norm into its convolution.
    ///
    /// # Errors
    /// Parameters or statistics of another length than the graph's layouts.
    pub fn fold(&self, params: &[f32], stats: &[f32]) -> Result<Network> {
        let (graph, params) = self.folded_with(params, stats)?;
        Ok(Network { graph, params, locals: vec![] })
    }
}

/// `[outputs]`: a dense layer of the conditioning network, and SiLU where asked.
fn dense(weights: &[f32], bias: &[f32], x: &[f32], silu: bool) -> Vec<f32> {
    let rows = weights.chunks_exact(x.len()).zip(bias);
    rows.map(|(row, bias)| {
        let y = f64::from(*bias) + row.iter().zip(x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum::<f64>();
        (if silu { y / (1.0 + (-y).exp()) } else { y }) as f32
    })
    .collect()
}

impl Network {
    /// The nodes in an order in which they can be computed; node 0 is the input, the last one the output.
    pub fn nodes(&self) -> &[Node] {
        &self.graph.nodes
    }

    /// Number of bias columns: the length of [`Self::time_bias`] and [`Self::class_bias`].
    pub fn bias_columns(&self) -> usize {
        self.graph.conditioning.columns
    }

    /// Number of classes of each axis, without the null class; one axis without classes for unlabelled data.
    pub fn classes(&self) -> &[usize] {
        &self.graph.conditioning.classes
    }

    /// Whether it knows any class.
    pub fn is_conditioned(&self) -> bool {
        self.classes().iter().any(|classes| *classes > 0)
    }

    /// The bias columns of timestep `t` (1..=T) outside the plans that the network was tuned for; the total is this
    /// plus a [`Self::class_bias`].
    pub fn time_bias(&self, t: usize) -> Vec<f32> {
        self.row_bias(t as f64, 0)
    }

    /// The bias columns of a plan's steps, one row a step; as [`Self::time_bias`] of their timesteps unless the network
    /// was tuned for a plan of this name and these timesteps.
    pub fn plan_bias(&self, plan: &NamedPlan) -> Vec<Vec<f32>> {
        let row = |(i, (timestep, time)): (usize, (u32, &f64))| {
            self.row_bias(*time, self.graph.conditioning.plan_row(&plan.name, i, timestep))
        };
        plan.steps.timesteps().zip(&plan.times).enumerate().map(row).collect()
    }

    /// The values of a block of parameters.
    fn param(&self, id: usize) -> &[f32] {
        self.graph.params.slice(id, &self.params)
    }

    fn row_bias(&self, t: f64, plan_row: usize) -> Vec<f32> {
        let spec = &self.graph.conditioning;
        let mut bias = match spec.time {
            TimeColumns::Network { features, layers, .. } => {
                let last = layers.len() - 1;
                layers.into_iter().enumerate().fold(time_features(features, t), |x, (i, (weight, offset))| {
                    dense(self.param(weight), self.param(offset), &x, i < last)
                })
            }
            TimeColumns::Table { time_table } => {
                let table = self.param(time_table);
                let [low, high] = table_rows(t, table.len() / spec.columns);
                let row = |at: usize| &table[at * spec.columns..][..spec.columns];
                let mixed = row(low.0).iter().zip(row(high.0)).map(|(a, b)| low.1 * a + high.1 * b);
                mixed.collect()
            }
        };
        let table = spec.plan_table.map_or(&[][..], |id| self.param(id));
        let row = table.chunks_exact(self.bias_columns()).nth(plan_row).unwrap_or_default();
        bias.iter_mut().zip(row).for_each(|(b, r)| *b += r);
        bias
    }

    /// The bias columns of a condition, see [`Conditioning`](crate::graph::Conditioning): the sum of one row an axis.
    ///
    /// # Errors
    /// A class that the network does not know.
    pub fn class_bias(&self, condition: &[Option<usize>]) -> Result<Vec<f32>> {
        let rows = self.graph.conditioning.rows(condition)?;
        let mut bias = self.class_row(rows[0]).to_vec();
        for row in &rows[1..] {
            bias.iter_mut().zip(self.class_row(*row)).for_each(|(b, r)| *b += r);
        }
        Ok(bias)
    }

    /// A row of the class tables.
    pub fn class_row(&self, row: usize) -> &[f32] {
        &self.param(self.graph.conditioning.class_table)[row * self.bias_columns()..][..self.bias_columns()]
    }

    /// The sum of a timestep's and a condition's bias columns.
    ///
    /// # Errors
    /// A class that the network does not know.
    pub fn bias(&self, t: usize, condition: &[Option<usize>]) -> Result<Vec<f32>> {
        Ok(self.time_bias(t).iter().zip(self.class_bias(condition)?).map(|(a, b)| a + b).collect())
    }

    /// Values of a local condition, 0 for a network that follows none.
    pub fn local_len(&self) -> usize {
        self.graph.local().map_or(0, Shape::len)
    }

    /// The local conditions of `count` images from number `first` on, one after the other.
    ///
    /// # Errors
    /// A network that follows one and has none.
    pub fn locals_of(&self, first: usize, count: usize) -> Result<Vec<f32>> {
        let len = self.local_len();
        if len == 0 {
            return Ok(vec![]);
        }
        let known: Vec<&[f32]> = self.locals.chunks_exact(len).collect();
        if known.is_empty() {
            let what = "the network follows a local condition, and its run has kept none; train it longer";
            return Err(Error::Invalid(what.into()));
        }
        Ok((first..first + count).flat_map(|image| known[image % known.len()]).copied().collect())
    }

    /// The output F for a batch of images `x` (NHWC) with one row of bias columns an image, and one local condition where
    /// the network follows one. `visit` sees the result of every layer for the whole batch, in order.
    ///
    /// # Errors
    /// Lengths that are not whole numbers of images, rows and local conditions.
    pub fn forward(
        &self,
        x: &[f32],
        columns: &[f32],
        locals: &[f32],
        mut visit: impl FnMut(NodeId, &[f32]),
    ) -> Result<Vec<f32>> {
        let input = self.graph.input;
        let batch = x.len() / input.len();
        if x.len() != batch * input.len() || columns.len() != batch * self.bias_columns() {
            return Err(Error::Invalid(format!(
                "{} values and {} bias columns do not make images of {input} with {} columns each",
                x.len(),
                columns.len(),
                self.bias_columns()
            )));
        }
        if locals.len() != batch * self.local_len() {
            let (found, needed) = (locals.len(), self.local_len());
            return Err(Error::Invalid(format!(
                "{found} values make no local conditions of {needed} values for {batch} images"
            )));
        }
        let nodes = self.nodes();
        let mut last_use = vec![0; nodes.len()];
        for (id, node) in nodes.iter().enumerate() {
            node.inputs.iter().for_each(|input| last_use[*input] = id);
        }
        let mut results: Vec<Buffer> = Vec::with_capacity(nodes.len());
        for (id, node) in nodes.iter().enumerate() {
            let values: Vec<&[f32]> = match node.inputs[..] {
                [] if id == 0 => vec![x],
                [] => vec![locals],
                _ => node.inputs.iter().map(|id| &results[*id][..]).collect(),
            };
            let shapes: Vec<Shape> = self.graph.input_shapes(node);
            let result = node.op.forward(&Inference {
                values: &values,
                shapes: &shapes,
                output: node.shape,
                params: (&self.graph.params, &self.params),
                columns: (columns, self.bias_columns()),
            });
            visit(id, &result);
            results.push(result);
            for input in &node.inputs {
                if last_use[*input] == id {
                    results[*input] = Buffer::default();
                }
            }
        }
        Ok(results.pop().map(Buffer::into_vec).unwrap_or_default())
    }
}
