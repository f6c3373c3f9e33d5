//! What a model file holds and what it needs on a chip, as text and as JSON.

use super::boards::Board;
use super::live::arena_lower_bound;
use crate::axis::Axis;
use crate::format::{Tensor, VERSION};
use crate::model::Model;
use crate::ops::Op;
use crate::process::StateKind;
use core::fmt;
use serde::Serialize;
use std::borrow::ToOwned;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

/// The report.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Name of the model.
    pub name: String,
    /// Version of the format.
    pub format_version: u16,
    /// Height, width, channels of a sample.
    pub shape: [usize; 3],
    /// The axes of the labels; empty for a model that is not conditioned.
    pub axes: Vec<AxisReport>,
    /// Height, width and channels of the local condition that chains follow, if they follow one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<[usize; 3]>,
    /// Ops, from the first on, that a chain computes once.
    #[serde(skip_serializing_if = "is_zero")]
    pub prelude: u16,
    /// Bytes of flash for the file: weights, tables, header.
    pub flash: usize,
    /// Bytes of weights and biases in it.
    pub weights: usize,
    /// Bytes of arena.
    pub arena: usize,
    /// The least that any placement of the same buffers could need, in bytes.
    pub arena_lower_bound: u32,
    /// Bytes of state.
    pub state: usize,
    /// `gaussian` or `binomial`.
    pub process: &'static str,
    /// What x_t is kept in: `f32`, `f16` or `bits`.
    pub state_element: &'static str,
    /// Multiply-accumulates of one evaluation, without the ops that a chain computes once.
    pub macs_per_step: u64,
    /// The ops.
    pub ops: Vec<OpReport>,
    /// The plans.
    pub plans: Vec<PlanReport>,
    /// How it fits a board, where one is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<BoardReport>,
    /// TOML.
    pub provenance: String,
}

fn is_zero(count: &u16) -> bool {
    *count == 0
}

/// How a model fits a board.
#[derive(Debug, Serialize)]
pub struct BoardReport {
    /// The board.
    pub title: &'static str,
    /// Its core.
    pub core: &'static str,
    /// Its clock.
    pub mhz: u32,
    /// Bytes of flash that the model needs, and those that the board has for it.
    pub flash: [usize; 2],
    /// Bytes of RAM that the model needs for arena and state, and those that the board has for it.
    pub ram: [usize; 2],
    /// What is too large, and by how much.
    pub excess: Option<String>,
    /// Estimated seconds of an evaluation.
    pub seconds_per_step: f64,
    /// Estimated seconds of each plan, by its name.
    pub seconds: Vec<(String, f64)>,
}

impl BoardReport {
    /// Of a parsed model whose file has `flash` bytes.
    pub fn new(board: &Board, model: &Model, flash: usize) -> Self {
        let fit = board.fit(model, flash);
        Self {
            title: board.title,
            core: board.core.name,
            mhz: board.mhz,
            flash: fit.flash,
            ram: fit.ram,
            excess: fit.excess(),
            seconds_per_step: fit.seconds,
            seconds: model.plans().map(|plan| (plan.name().into(), plan.len() as f64 * fit.seconds)).collect(),
        }
    }
}

impl fmt::Display for BoardReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {} at {} MHz", self.title, self.core, self.mhz)?;
        for (what, [needed, found]) in [("flash", self.flash), ("RAM", self.ram)] {
            let verdict = if needed <= found { "fits" } else { "too much" };
            writeln!(f, "{what:<6} {needed:>8} of {found:>8} bytes for a model: {verdict}")?;
        }
        write!(f, "about {:.2} s a step (estimated; waits for flash come besides)", self.seconds_per_step)?;
        self.seconds.iter().try_for_each(|(plan, seconds)| write!(f, "\nplan {plan}: about {seconds:.1} s"))
    }
}

/// One axis of labels.
#[derive(Debug, Serialize)]
pub struct AxisReport {
    /// Its name.
    pub name: String,
    /// The names of its classes, by number.
    pub classes: Vec<String>,
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
    /// Standard deviation of x_T.
    pub start_deviation: f32,
    /// Whether noise is added on the way.
    pub stochastic: bool,
}

impl Report {
    /// Describes a parsed model whose file has `flash` bytes.
    pub fn new(model: &Model, flash: usize) -> Self {
        let ops: Vec<OpReport> = model.ops().map(|op| op_report(&op)).collect();
        let bits = model.state_kind() == StateKind::Bits;
        let plans = model.plans().map(|plan| PlanReport {
            name: plan.name().into(),
            steps: plan.len(),
            first_timestep: plan.timestep(0).unwrap_or(0),
            clip: plan.clip(),
            start_deviation: if bits { 1.0 } else { plan.start().deviation(plan.level(0)) },
            stochastic: bits || plan.steps().any(|s| s.sigma != 0.0),
        });
        Self {
            name: model.header().name.into(),
            format_version: VERSION,
            shape: model.shape(),
            axes: model.axes().map(axis_report).collect(),
            local: model.local_shape(),
            prelude: model.prelude(),
            flash,
            weights: ops.iter().map(|op| op.weights).sum(),
            arena: model.arena_len(),
            arena_lower_bound: arena_lower_bound(model),
            state: model.state_len() * model.state_element_len(),
            process: if bits { "binomial" } else { "gaussian" },
            state_element: model.state_kind().name(),
            macs_per_step: ops.iter().skip(model.prelude().into()).map(|op| op.macs).sum(),
            plans: plans.collect(),
            ops,
            board: None,
            provenance: model.header().provenance.into(),
        }
    }

    /// How many classes there are.
    fn labels(&self) -> String {
        match &self.axes[..] {
            [] => "no classes".into(),
            [axis] => format!("{} classes", axis.classes.len()),
            axes => {
                let counts: Vec<String> = axes.iter().map(|axis| axis.classes.len().to_string()).collect();
                format!("{} label axes of {} classes", axes.len(), counts.join(", "))
            }
        }
    }

    /// The lines that matter for choosing a chip.
    pub fn needs(&self) -> String {
        format!(
            "on a chip: {} of flash ({} of them weights), {} of arena, {} of state ({}), {:.2} M MACs a step",
            bytes(self.flash),
            bytes(self.weights),
            bytes(self.arena),
            bytes(self.state),
            self.state_element,
            self.macs_per_step as f64 / 1e6
        )
    }
}

fn axis_report(axis: Axis) -> AxisReport {
    AxisReport { name: axis.name().into(), classes: axis.classes().map(str::to_owned).collect() }
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
        writeln!(f, "{} (format {}): samples of {h}x{w}x{c}, {}", self.name, self.format_version, self.labels())?;
        for axis in &self.axes {
            writeln!(f, "label axis {}: {}", axis.name, axis.classes.join(", "))?;
        }
        if let Some([height, width, channels]) = self.local {
            let ops = self.prelude;
            writeln!(f, "follows a local condition of {height}x{width}x{channels}: ops 0 to {} once a chain", ops - 1)?;
        }
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
            let clip = match (self.process, plan.clip) {
                ("binomial", _) => "over bits",
                (_, true) => "clipped",
                _ => "not clipped",
            };
            let start = match plan.start_deviation {
                1.0 => String::new(),
                deviation => format!(" and noise of {deviation:.3}"),
            };
            let (name, steps, first) = (&plan.name, plan.steps, plan.first_timestep);
            writeln!(f, "plan {name}: {steps} steps from t = {first}{start}, {noise}, {clip}")?;
        }
        write!(f, "\n{}", self.provenance.trim_end())
    }
}
