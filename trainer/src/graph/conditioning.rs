//! The network that turns a timestep and a class into bias columns.
use super::layout::BlockId;

/// The network on the host that turns a timestep and a class into bias columns:
/// columns(t, class) = W·silu(W₂·silu(W₁·features(t) + b₁) + b₂) + b + E\[class\].
#[derive(Clone, Debug, PartialEq)]
pub struct Conditioning {
    /// Number of sinusoidal features of t.
    pub features: usize,
    /// Width of the two hidden layers.
    pub hidden: usize,
    /// Number of classes; the table has one row more, the null class, for no class.
    pub classes: usize,
    /// Number of bias columns.
    pub columns: usize,
    /// Weight and bias of the three dense layers.
    pub layers: [(BlockId, BlockId); 3],
    /// The class table E, `[classes + 1][columns]`.
    pub class_table: BlockId,
    /// Plans whose steps have rows of their own.
    pub plans: Vec<TunedPlan>,
    /// Rows added for the steps of [`Self::plans`], `[1 + steps of all plans][columns]`; row 0 is for every other
    /// timestep.
    pub plan_table: Option<BlockId>,
}

/// A plan that a network was fine-tuned for.
#[derive(Clone, Debug, PartialEq)]
pub struct TunedPlan {
    /// Its name.
    pub name: String,
    /// The timestep of every step.
    pub timesteps: Vec<u32>,
}

impl Conditioning {
    /// The row of the plan table for a step of the plan called `name` at timestep `t`: 0 unless the network was tuned
    /// for it.
    pub fn plan_row(&self, name: &str, step: usize, t: u32) -> usize {
        let mut first = 1;
        for plan in &self.plans {
            if plan.name == name && plan.timesteps.get(step) == Some(&t) {
                return first + step;
            }
            first += plan.timesteps.len();
        }
        0
    }

    /// The sinusoidal features of timestep `t` (Vaswani et al. 2017, section 3.5): sines, then cosines.
    pub fn time_features(&self, t: usize) -> Vec<f32> {
        let half = self.features / 2;
        let angle = |i: usize| t as f64 * (-(i as f64) / half as f64 * 10_000f64.ln()).exp();
        let sines = (0..half).map(|i| angle(i).sin() as f32);
        sines.chain((0..half).map(|i| angle(i).cos() as f32)).collect()
    }
}
