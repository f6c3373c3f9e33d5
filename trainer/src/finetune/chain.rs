//! A whole reverse chain on the tape.
use crate::autograd::affine::{clip, weighted_sum};
use crate::autograd::{Act, Buffer, Parameters, Tape};
use crate::graph::Graph;
use crate::lower::rounding::Rounding;
use crate::plans::NamedPlan;
use crate::train::{forward, Batch};
use brownian::plan::Start;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Steps at the end of a chain that are recorded; the gradient does not reach earlier ones. Through more it is mostly
/// noise.
pub(super) const RECORDED: usize = 8;

/// What chains draw.
#[derive(Clone, Copy, Debug)]
pub struct Drawn<'a> {
    /// The plan that they follow.
    pub plan: &'a NamedPlan,
    /// Rows of the class tables, one an axis and image.
    pub class_rows: &'a [usize],
    /// The local condition of each image, where the network follows one.
    pub local: Option<&'a Act>,
}

/// Runs the chain of a plan from fresh noise, one image a row of class rows (one an axis), records its last steps, and returns the samples
/// clipped to [-1, 1]. The update of a step is that of [`brownian::process::gaussian::update`]; of the plans of another
/// process nothing is recorded, and fine-tuning refuses them.
pub fn record(
    tape: &mut Tape,
    graph: &Graph,
    params: &Parameters,
    rounding: Option<&Rounding>,
    Drawn { plan, class_rows, local }: Drawn,
    rng: &mut ChaCha8Rng,
) -> Act {
    let batch = class_rows.len() / graph.conditioning.axes();
    let mut noise = |tape: &Tape| {
        let mut values = Buffer::stale(batch * graph.input.len());
        values.iter_mut().for_each(|v| *v = rng.sample(rand_distr::StandardNormal));
        tape.hold(values, batch, graph.input)
    };
    let mut x = noise(tape);
    if plan.start != Start::Normal {
        x = weighted_sum(tape, &[(plan.start_deviation(), &x)]);
    }
    let mut x0_prev: Option<Act> = None;
    let unrecorded = plan.steps.len().saturating_sub(RECORDED);
    let mut dropped;
    let recorded = tape;
    for (i, step) in plan.steps.gaussian().iter().enumerate() {
        dropped = Tape::default();
        let tape = if i < unrecorded { &mut dropped } else { &mut *recorded };
        let timesteps = vec![plan.times[i]; batch];
        let plan_row = graph.conditioning.plan_row(&plan.name, i, step.timestep);
        let x_learns = i > unrecorded;
        let (x_in, local) = ((x.clone(), x_learns), local.cloned());
        let inputs = Batch { x: x_in, local, timesteps: &timesteps, class_rows, plan_row, rounding };
        let f = forward(graph, tape, params, inputs).f;
        let mut x0_hat = weighted_sum(tape, &[(step.k_x, &x), (step.k_eps, &f)]);
        if plan.clip {
            x0_hat = clip(tape, &x0_hat);
        }
        let z = (step.sigma != 0.0).then(|| noise(tape));
        let mut terms = vec![(step.a, &x), (step.b, &x0_hat)];
        terms.extend(x0_prev.as_ref().filter(|_| step.c != 0.0).map(|p| (step.c, p)));
        terms.extend(z.as_ref().map(|z| (step.sigma, z)));
        x = weighted_sum(tape, &terms);
        x0_prev = Some(x0_hat);
        if i < unrecorded {
            // Without a record the values go on as new inputs.
            x = recorded.hold(Buffer::copy_of(x.values()), batch, graph.input);
            x0_prev = x0_prev.map(|p| recorded.hold(Buffer::copy_of(p.values()), batch, graph.input));
        }
    }
    clip(recorded, &x)
}
