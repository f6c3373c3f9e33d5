//! The training pass of a graph: every node as a recorded operation.
use crate::autograd::{
    activation::activation, add::add, batch_norm::batch_norm, channel_bias::channel_bias, concat::concat, conv::conv,
    conv::Conv, embedding::embedding, fake_quantize::fake_quantize, space::space, space::Direction, upsample::upsample,
    Act, Parameters, Tape,
};
use crate::graph::{Activation, BlockId, Graph, Norm, Op, Shape};
use crate::lower::rounding::Rounding;

/// The inputs of a training pass.
#[derive(Debug)]
pub struct Batch<'a> {
    /// x_t of every image, and whether it has a gradient itself.
    pub x: (Act, bool),
    /// The timestep of every image.
    pub timesteps: &'a [usize],
    /// The row of the class table of every image.
    pub class_rows: &'a [usize],
    /// The row of the plan table, where the network has one.
    pub plan_row: usize,
    /// Rounds results as the integer network does.
    pub rounding: Option<&'a Rounding>,
}

/// The output F of a training pass, and the batch's statistics in the layout of [`Graph::stats`].
#[derive(Debug)]
pub struct Output {
    /// F for every image.
    pub f: Act,
    /// Means and variances of the norms.
    pub stats: Vec<f32>,
}

/// Runs `graph` on a batch and records it.
pub fn forward(graph: &Graph, tape: &mut Tape, params: &Parameters, batch: Batch) -> Output {
    let range = |id: BlockId| graph.params.blocks[id].range.clone();
    let columns = conditioning(graph, tape, params, &batch);
    let rounding = batch.rounding;
    let mut stats = vec![0.0; graph.stats.len()];
    let (x, x_learns) = batch.x;
    let mut acts: Vec<Act> = Vec::with_capacity(graph.nodes.len());
    // Whether anything up to a node has a gradient.
    let mut learns: Vec<bool> = Vec::with_capacity(graph.nodes.len());
    for (id, node) in graph.nodes.iter().enumerate() {
        let input = |i: usize| &acts[node.inputs[i]];
        let inputs_learn = node.inputs.iter().any(|i| learns[*i]);
        let has_params = matches!(node.op, Op::Conv { .. } | Op::Linear { .. } | Op::ChannelBias { .. });
        learns.push(inputs_learn || has_params || (node.op == Op::Input && x_learns));
        let act = match &node.op {
            Op::Input => x.clone(),
            Op::SpaceToDepth { block } => space(tape, input(0), *block, Direction::ToDepth),
            Op::DepthToSpace { block } => space(tape, input(0), *block, Direction::ToSpace),
            Op::Conv { geometry, weight, bias, norm } => {
                let shapes = Conv { geometry: *geometry, input: input(0).shape(), output: node.shape };
                let y = conv(tape, input(0), shapes, params, range(*weight), bias.map(range), inputs_learn);
                match norm {
                    None => y,
                    Some(norm) => {
                        let (y, batch_stats) = batch_norm(tape, &y, params, range(norm.gamma), range(norm.beta));
                        put_stats(graph, &mut stats, norm, &batch_stats.mean, &batch_stats.variance);
                        y
                    }
                }
            }
            Op::Linear { weight, bias } => {
                let x = input(0).flat();
                let shapes = Conv::linear(x.shape().channels, node.shape.channels);
                conv(tape, &x, shapes, params, range(*weight), Some(range(*bias)), inputs_learn)
            }
            Op::ChannelBias { first } => channel_bias(tape, input(0), &columns, *first),
            Op::Activation(kind) => activation(tape, *kind, input(0)),
            Op::Add => add(tape, input(0), input(1)),
            Op::Concat => concat(tape, input(0), input(1)),
            Op::Upsample => upsample(tape, input(0)),
        };
        acts.push(match rounding.and_then(|r| r.grids[id].as_ref()) {
            Some(grids) => fake_quantize(tape, &act, grids),
            None => act,
        });
    }
    Output { f: acts.swap_remove(graph.output()), stats }
}

fn put_stats(graph: &Graph, stats: &mut [f32], norm: &Norm, mean: &[f32], variance: &[f32]) {
    stats[graph.stats.blocks[norm.mean].range.clone()].copy_from_slice(mean);
    stats[graph.stats.blocks[norm.variance].range.clone()].copy_from_slice(variance);
}

/// The bias columns of every image, as in [`crate::graph::Conditioning`].
fn conditioning(graph: &Graph, tape: &mut Tape, params: &Parameters, batch: &Batch) -> Act {
    let spec = &graph.conditioning;
    let features: Vec<f32> = batch.timesteps.iter().flat_map(|t| spec.time_features(*t)).collect();
    let mut x = tape.hold(features.into(), batch.timesteps.len(), Shape::new(1, 1, spec.features));
    for (i, (weight, bias)) in spec.layers.into_iter().enumerate() {
        if i > 0 {
            x = activation(tape, Activation::Silu, &x);
        }
        let [weight, bias] = [weight, bias].map(|id| &graph.params.blocks[id]);
        let shapes = Conv::linear(weight.shape[1], weight.shape[0]);
        x = conv(tape, &x, shapes, params, weight.range.clone(), Some(bias.range.clone()), i > 0);
    }
    let table = |id: BlockId| graph.params.blocks[id].range.clone();
    let x = embedding(tape, &x, params, table(spec.class_table), batch.class_rows.to_vec());
    match spec.plan_table {
        Some(id) => embedding(tape, &x, params, table(id), vec![batch.plan_row; batch.timesteps.len()]),
        None => x,
    }
}
