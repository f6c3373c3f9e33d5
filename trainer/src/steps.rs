//! The steps of a plan, of whichever process, as chains on the host follow them.
use brownian::plan::{BitStep, Step};
use brownian::process::binomial::{self, mean_of, next_probability, Bits};
use brownian::process::gaussian::{update, x0_hat};
use brownian::random::Stream;
use brownian::{Model, Plan, StateKind};

/// Units of a logit in 1.
const LOGIT: f32 = 65_536.0;

/// The steps of a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Steps {
    /// Of the Gaussian process.
    Gaussian(Vec<Step>),
    /// Of the binomial one.
    Binomial(Vec<BitStep>),
}

impl Steps {
    /// Those of a model's plan.
    pub fn of(model: &Model, plan: &Plan) -> Self {
        match model.state_kind() {
            StateKind::Bits => Self::Binomial((0..plan.len()).filter_map(|i| plan.bit_step(i)).collect()),
            _ => Self::Gaussian(plan.steps().collect()),
        }
    }

    /// Number of steps.
    pub fn len(&self) -> usize {
        match self {
            Self::Gaussian(steps) => steps.len(),
            Self::Binomial(steps) => steps.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether they are over bits.
    pub fn is_binomial(&self) -> bool {
        matches!(self, Self::Binomial(_))
    }

    /// Those of the Gaussian process; none of the other.
    pub fn gaussian(&self) -> &[Step] {
        match self {
            Self::Gaussian(steps) => steps,
            Self::Binomial(_) => &[],
        }
    }

    /// The timestep of each, and its row of time biases in the model file.
    pub fn rows(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let (gaussian, binomial) = match self {
            Self::Gaussian(steps) => (&steps[..], &[][..]),
            Self::Binomial(steps) => (&[][..], &steps[..]),
        };
        let gaussian = gaussian.iter().map(|step| (step.timestep, step.time_row));
        gaussian.chain(binomial.iter().map(|step| (step.timestep, step.time_row)))
    }

    /// The timestep of each.
    pub fn timesteps(&self) -> impl Iterator<Item = u32> + '_ {
        self.rows().map(|(timestep, _)| timestep)
    }

    /// Sets the row of time biases of each.
    pub fn set_time_rows(&mut self, rows: impl Iterator<Item = u32>) {
        match self {
            Self::Gaussian(steps) => steps.iter_mut().zip(rows).for_each(|(step, row)| step.time_row = row),
            Self::Binomial(steps) => steps.iter_mut().zip(rows).for_each(|(step, row)| step.time_row = row),
        }
    }

    /// As a model file holds them.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Gaussian(steps) => steps.iter().flat_map(Step::encode).collect(),
            Self::Binomial(steps) => steps.iter().flat_map(BitStep::encode).collect(),
        }
    }

    /// Whether a step needs x0_hat of the step before.
    pub fn use_previous(&self) -> bool {
        self.gaussian().iter().any(|step| step.c != 0.0)
    }

    /// How much the square of an error of F in step `index` weighs, by what it does to the state: (b·k_eps)², or of bits
    /// the mean of v².
    pub fn weight(&self, index: usize) -> f64 {
        match self {
            Self::Gaussian(steps) => f64::from(steps[index].b * steps[index].k_eps).powi(2),
            Self::Binomial(steps) => {
                steps[index].v.map(|v| (f64::from(v) / 2_147_483_648.0).powi(2)).iter().sum::<f64>() / 2.0
            }
        }
    }

    /// Sets the values of an image to x_T of this draw.
    pub fn begin(&self, x: &mut [f32], stream: Stream) {
        match self {
            Self::Gaussian(_) => {
                for (pair, values) in x.chunks_mut(2).enumerate() {
                    let z = stream.normals(pair as u32);
                    values.iter_mut().zip(z).for_each(|(slot, z)| *slot = z);
                }
            }
            Self::Binomial(steps) => redraw(x, stream, |_, _| mean_of(steps[0].level)),
        }
    }

    /// Makes step `index` on the values of an image with the noise of this draw, where the network said `output`;
    /// `x0_prev` is x0_hat of the step before, and becomes that of this one.
    pub fn advance(
        &self,
        index: usize,
        clip: bool,
        (x, x0_prev): (&mut [f32], &mut [f32]),
        output: &[f32],
        stream: Stream,
    ) {
        match self {
            Self::Gaussian(steps) => {
                let step = &steps[index];
                let x0_hat = |k: usize, x: f32| x0_hat(step, clip, x, output[k]);
                update(step, x, x0_prev, x0_hat, |pair| stream.normals(pair));
            }
            Self::Binomial(steps) => {
                redraw(x, stream, |k, bit| next_probability(&steps[index], bit, (output[k] * LOGIT).round() as i32));
            }
        }
    }
}

/// Draws bits, of values -1 and 1, anew as the runtime does.
fn redraw(x: &mut [f32], stream: Stream, p: impl Fn(usize, bool) -> u32) {
    let mut state = vec![Bits::default(); x.len().div_ceil(Bits::LEN)];
    x.iter().enumerate().for_each(|(i, value)| Bits::set(&mut state, i, *value > 0.0));
    binomial::draw(&mut state, x.len(), stream, p);
    x.iter_mut().enumerate().for_each(|(i, slot)| *slot = if Bits::of(&state, i) { 1.0 } else { -1.0 });
}
