//! Second moments of what a layer with weights reads, over the plans' own trajectories.

use crate::chain::{self, Batch};
use crate::graph::{ConvGeometry, NodeId, Shape};
use crate::network::{LayerOp, Network};
use crate::plans::NamedPlan;
use crate::Result;

/// Windows of a layer's input that one plan contributes, about.
const WINDOWS: usize = 6000;
/// Evaluations of the network that one plan and kind of condition gets, about.
const EVALUATIONS: usize = 300;

/// Moments of the values under a layer's window, in the order of its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Weights of a row.
    len: usize,
    /// Windows seen.
    count: f64,
    /// Σ x·xᵀ, the lower triangle of a matrix with a row a weight.
    square: Vec<f64>,
}

impl Moments {
    /// Nothing seen yet of a layer with rows of `len` weights.
    pub fn new(len: usize) -> Self {
        Self { len, count: 0.0, square: vec![0.0; len * len] }
    }

    /// Adds what one window sees.
    pub fn add(&mut self, window: &[f32]) {
        self.count += 1.0;
        for (i, &x) in window.iter().enumerate() {
            if x != 0.0 {
                let row = &mut self.square[i * window.len()..][..=i];
                row.iter_mut().zip(window).for_each(|(s, y)| *s += f64::from(x * *y));
            }
        }
    }

    /// E\[x·y\] of the inputs of weights `i` and `j`.
    pub fn second(&self, i: usize, j: usize) -> f64 {
        self.square[i.max(j) * self.len + i.min(j)] / self.count.max(1.0)
    }
}

/// Runs every plan with the float network and returns the moments of the dense convolutions and dense layers that `wanted`
/// chooses, one a layer of the network.
///
/// # Errors
/// What the float chain refuses.
pub fn collect(
    network: &Network,
    plans: &[NamedPlan],
    seed: u64,
    wanted: impl Fn(NodeId) -> bool,
) -> Result<Vec<Option<Moments>>> {
    let input = |id: NodeId| network.layers[network.layers[id].inputs[0]].shape;
    let mut moments: Vec<Option<Moments>> = (0..network.layers.len())
        .map(|id| match &network.layers[id].op {
            _ if !wanted(id) => None,
            LayerOp::Conv { geometry, .. } if !geometry.depthwise => {
                Some(Moments::new(geometry.taps() * input(id).channels))
            }
            LayerOp::Linear { .. } => Some(Moments::new(input(id).len())),
            _ => None,
        })
        .collect();
    for plan in plans {
        for (classes, guidance) in super::calibrate::conditions() {
            let count = (EVALUATIONS / plan.steps.len().max(1)).clamp(10, 60);
            let batch = Batch { seed, first: 0, count, classes, guidance };
            chain::float(network, plan, &batch, |_, layer, values| {
                let shape = network.layers[layer].shape;
                for (reader, moments) in network.layers.iter().zip(&mut moments) {
                    let Some(moments) = moments.as_mut().filter(|_| reader.inputs[0] == layer) else { continue };
                    match &reader.op {
                        LayerOp::Conv { geometry, .. } => {
                            let wanted = WINDOWS / (3 * plan.steps.len().max(1));
                            windows(geometry, shape, values, reader.shape, wanted, |window| moments.add(window));
                        }
                        _ => values.chunks_exact(shape.len()).for_each(|vector| moments.add(vector)),
                    }
                }
            })?;
        }
    }
    Ok(moments)
}

/// Shows `see` about `wanted` windows over a batch of inputs of `shape`, evenly spread over the output pixels.
fn windows(
    geometry: &ConvGeometry,
    shape: Shape,
    values: &[f32],
    output: Shape,
    wanted: usize,
    mut see: impl FnMut(&[f32]),
) {
    let total = values.len() / shape.len() * output.pixels();
    let stride = (total / wanted.max(1)).max(1) | 1;
    let mut window = vec![0.0; geometry.taps() * shape.channels];
    for at in (0..total).step_by(stride) {
        let image = &values[at / output.pixels() * shape.len()..][..shape.len()];
        let pixel = at % output.pixels();
        gather(geometry, shape, image, [pixel / output.width, pixel % output.width], &mut window);
        see(&window);
    }
}

/// The values under the window at an output pixel, zeros in the padding.
fn gather(geometry: &ConvGeometry, shape: Shape, image: &[f32], [y, x]: [usize; 2], window: &mut [f32]) {
    let mut rest = window.chunks_exact_mut(shape.channels);
    for ky in 0..geometry.kernel[0] {
        for kx in 0..geometry.kernel[1] {
            let Some(values) = rest.next() else { return };
            let row = (y * geometry.stride[0] + ky * geometry.dilation[0]).wrapping_sub(geometry.pad[0]);
            let column = (x * geometry.stride[1] + kx * geometry.dilation[1]).wrapping_sub(geometry.pad[1]);
            if row < shape.height && column < shape.width {
                values.copy_from_slice(&image[(row * shape.width + column) * shape.channels..][..shape.channels]);
            } else {
                values.fill(0.0);
            }
        }
    }
}
