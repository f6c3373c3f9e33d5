//! The training pass of a graph: every node as a recorded operation.
use crate::autograd::{
    conv::conv, conv::Conv, embedding::embedding, fake_quantize::fake_quantize, Act, Buffer, Parameters, Tape,
};
use crate::graph::conditioning::{table_rows, time_features};
use crate::graph::{BlockId, Graph, Shape, TimeColumns};
use crate::lower::rounding::Rounding;
use crate::ops::passes::Recording;
use crate::ops::Activation;

/// The inputs of a training pass.
#[derive(Debug)]
pub struct Batch<'a> {
    /// x_t of every image, and whether it has a gradient itself.
    pub x: (Act, bool),
    /// The local condition of every image, where the network follows one.
    pub local: Option<Act>,
    /// The timestep of every image, with a fraction.
    pub timesteps: &'a [f64],
    /// The rows of the class tables of every image, `[images][axes]`.
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
    let columns = conditioning(graph, tape, params, &batch);
    let rounding = batch.rounding;
    let mut stats = vec![0.0; graph.stats.len()];
    let (x, x_learns) = batch.x;
    let local = batch.local.as_ref().unwrap_or(&x);
    let mut acts: Vec<Act> = Vec::with_capacity(graph.nodes.len());
    // Whether anything up to a node has a gradient.
    let mut learns: Vec<bool> = Vec::with_capacity(graph.nodes.len());
    for (id, node) in graph.nodes.iter().enumerate() {
        let (inputs, inputs_learn): (Vec<&Act>, bool) = match node.inputs[..] {
            [] if id == 0 => (vec![&x], x_learns),
            [] => (vec![local], false),
            _ => (node.inputs.iter().map(|i| &acts[*i]).collect(), node.inputs.iter().any(|i| learns[*i])),
        };
        let mut recording = Recording {
            inputs: &inputs,
            inputs_learn,
            output: node.shape,
            layout: &graph.params,
            params,
            columns: &columns,
            stats: (&graph.stats, &mut stats),
        };
        let act = node.op.record(tape, &mut recording);
        learns.push(inputs_learn || node.op.learns());
        acts.push(match rounding.and_then(|r| r.grids[id].as_ref()) {
            Some(grids) => fake_quantize(tape, &act, grids),
            None => act,
        });
    }
    Output { f: acts.swap_remove(graph.output()), stats }
}

/// The bias columns of every image, as in [`crate::graph::Conditioning`].
fn conditioning(graph: &Graph, tape: &mut Tape, params: &Parameters, batch: &Batch) -> Act {
    let spec = &graph.conditioning;
    let table = |id: BlockId| graph.params.blocks[id].range.clone();
    let images = batch.timesteps.len();
    let mut x = match spec.time {
        TimeColumns::Network { features: count, layers, .. } => {
            let features: Vec<f32> = batch.timesteps.iter().flat_map(|t| time_features(count, *t)).collect();
            let mut x = tape.hold(features.into(), images, Shape::new(1, 1, count));
            for (i, (weight, bias)) in layers.into_iter().enumerate() {
                if i > 0 {
                    x = Activation::Silu.of(tape, &x);
                }
                let [weight, bias] = [weight, bias].map(|id| &graph.params.blocks[id]);
                let shapes = Conv::linear(weight.shape[1], weight.shape[0]);
                x = conv(tape, &x, shapes, params, weight.range.clone(), Some(bias.range.clone()), i > 0);
            }
            x
        }
        TimeColumns::Table { time_table } => {
            let zeros = tape.hold(Buffer::zeros(images * spec.columns), images, Shape::new(1, 1, spec.columns));
            let rows = graph.params.blocks[time_table].shape[0];
            let [low, high] =
                [0, 1].map(|i| batch.timesteps.iter().map(|t| table_rows(*t, rows)[i]).collect::<Vec<_>>());
            let x = embedding(tape, &zeros, params, table(time_table), low);
            match high.iter().any(|(_, share)| *share != 0.0) {
                true => embedding(tape, &x, params, table(time_table), high),
                false => x,
            }
        }
    };
    for axis in 0..spec.axes() {
        let rows = batch.class_rows.iter().skip(axis).step_by(spec.axes()).map(|row| (*row, 1.0)).collect();
        x = embedding(tape, &x, params, table(spec.class_table), rows);
    }
    match spec.plan_table {
        Some(id) => embedding(tape, &x, params, table(id), vec![(batch.plan_row, 1.0); images]),
        None => x,
    }
}
