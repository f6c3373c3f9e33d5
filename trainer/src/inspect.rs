//! What a model file holds and what it needs on a chip, as text and as JSON.
use crate::lower::arena_lower_bound;
use brownian::format::Tensor;
use brownian::ops::Op;
use brownian::Model;
use serde::Serialize;
use std::fmt;

/// The report.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Name of the model.
    pub name: String,
    /// Version of the format.
    pub format_version: u16,
    /// Height, width, channels of a sample.
    pub shape: [usize; 3],
    /// Number of classes, 0 for none.
    pub classes: u16,
    /// Bytes of flash for the file: weights, tables, header.
    pub flash: usize,
    /// Bytes of weights and biases in it.
    pub weights: usize,
    /// Bytes of arena.
    pub arena: usize,
    /// The least that any placement of the same buffers could need, in bytes.
    pub arena_lower_bound: u32,
    /// Bytes of f32 state.
    pub state: usize,
    /// Multiply-accumulates of one evaluation.
    pub macs_per_step: u64,
    /// The ops.
    pub ops: Vec<OpReport>,
    /// The plans.
    pub plans: Vec<PlanReport>,
    /// TOML.
    pub provenance: String,
}

/// One op.
#[derive(Debug, Serialize)]
pub struct OpReport {
    /// Kind and what is fused with it.
    pub kind: String,
    /// Shapes of the inputs.
    pub inputs: Vec<[u16; 3]>,
    /// Shape of the result.
    pub output: [u16; 3],
    /// Bits of an element of the result.
    pub bits: usize,
    /// Multiply-accumulates.
    pub macs: u64,
    /// Bytes of weights and biases.
    pub weights: usize,
    /// Start of the result in the arena.
    pub offset: u32,
    /// Bytes of scratch.
    pub scratch: usize,
}

/// One plan.
#[derive(Debug, Serialize)]
pub struct PlanReport {
    /// Name.
    pub name: String,
    /// Number of steps.
    pub steps: usize,
    /// First timestep.
    pub first_timestep: u32,
    /// Whether x0_hat is clipped.
    pub clip: bool,
    /// Whether noise is added on the way.
    pub stochastic: bool,
}

impl Report {
    /// Describes a parsed model whose file has `flash` bytes.
    pub fn new(model: &Model, flash: usize) -> Self {
        let ops: Vec<OpReport> = model.ops().map(|op| op_report(&op)).collect();
        let plans = model.plans().map(|plan| PlanReport {
            name: plan.name().into(),
            steps: plan.len(),
            first_timestep: plan.step(0).map_or(0, |s| s.timestep),
            clip: plan.clip(),
            stochastic: plan.steps().any(|s| s.sigma != 0.0),
        });
        Self {
            name: model.header().name.into(),
            format_version: brownian::format::VERSION,
            shape: model.shape(),
            classes: model.classes(),
            flash,
            weights: ops.iter().map(|op| op.weights).sum(),
            arena: model.arena_len(),
            arena_lower_bound: arena_lower_bound(model),
            state: model.state_len() * 4,
            macs_per_step: ops.iter().map(|op| op.macs).sum(),
            plans: plans.collect(),
            ops,
            provenance: model.header().provenance.into(),
        }
    }

    /// The lines that matter for choosing a chip.
    pub fn needs(&self) -> String {
        format!(
            "on a chip: {} of flash ({} of them weights), {} of arena, {} of state, {:.2} M MACs a step",
            bytes(self.flash),
            bytes(self.weights),
            bytes(self.arena),
            bytes(self.state),
            self.macs_per_step as f64 / 1e6
        )
    }
}

fn bytes(n: usize) -> String {
    format!("{:.1} KB", n as f64 / 1024.0)
}

fn op_report(op: &Op) -> OpReport {
    OpReport {
        kind: op.label(),
        inputs: op.inputs().map(|t: &Tensor| t.shape).collect(),
        output: op.output().shape,
        bits: 8 * op.output().element.size(),
        macs: op.macs(),
        weights: op.weight_bytes(),
        offset: op.output().offset,
        scratch: op.scratch().map_or(0, |(_, len)| len),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [h, w, c] = self.shape;
        let shape = |s: &[u16; 3]| format!("{}x{}x{}", s[0], s[1], s[2]);
        writeln!(
            f,
            "{} (format {}): samples of {h}x{w}x{c}, {} classes",
            self.name, self.format_version, self.classes
        )?;
        writeln!(f, "{}", self.needs())?;
        writeln!(f, "arena lower bound {} bytes, planned {} bytes\n", self.arena_lower_bound, self.arena)?;
        writeln!(
            f,
            "  op  {:<38} {:<26} {:<10} {:>9} {:>8} {:>7}",
            "kind", "inputs", "output", "MACs", "weights", "offset"
        )?;
        for (i, op) in self.ops.iter().enumerate() {
            let inputs: Vec<String> = op.inputs.iter().map(shape).collect();
            writeln!(
                f,
                "{i:>4}  {:<38} {:<26} {:<10} {:>9} {:>8} {:>7}",
                op.kind,
                inputs.join(" "),
                shape(&op.output),
                op.macs,
                op.weights,
                op.offset
            )?;
        }
        writeln!(f)?;
        for plan in &self.plans {
            let noise = if plan.stochastic { "stochastic" } else { "deterministic" };
            let clip = if plan.clip { "clipped" } else { "not clipped" };
            writeln!(f, "plan {}: {} steps from t = {}, {noise}, {clip}", plan.name, plan.steps, plan.first_timestep)?;
        }
        write!(f, "\n{}", self.provenance.trim_end())
    }
}
