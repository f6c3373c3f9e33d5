//! One op to be made, and what an op lets its neighbours do.
use crate::graph::shape::NodeId;

/// A pointwise function of real values.
pub type Function = fn(f64) -> f64;

/// What lowering may do with an op of the graph beside making one runtime op of it.
#[derive(Clone, Copy, Debug)]
pub enum Role {
    /// Sums products with weights in 32 bits: may take in channel biases, a residual and an activation that follow, and
    /// may be the network's output.
    Accumulates,
    /// Adds two values: may become the residual of an op that accumulates, or take in an activation.
    Adds,
    /// Adds the bias columns from this one on: may be taken in by an op that accumulates.
    Biases(usize),
    /// A function of each value by itself: may be taken in by what computes the value.
    Activates(Function),
    /// Moves the values of one tensor, of eight or 16 bits.
    Moves,
    /// Says how values are read together or enlarged; its result need not be one tensor.
    View,
    /// Nothing of these: an op of its own with a result of eight bits.
    Alone,
}

/// One op to be made: a node and what follows it directly and alone.
#[derive(Clone, Debug)]
pub struct Step {
    /// The node that computes.
    pub node: NodeId,
    /// First bias column of a [`Role::Biases`] taken in.
    pub step_bias: Option<usize>,
    /// The other operand of a [`Role::Adds`] taken in.
    pub residual: Option<NodeId>,
    /// The last node before the activation: its range is that of the requantized value.
    pub requantized: NodeId,
    /// An activation taken in.
    pub activation: Option<Function>,
    /// The node whose result the op's result is.
    pub result: NodeId,
    /// Whether the result is the network's output, which has 16 bits.
    pub wide: bool,
}

impl Step {
    /// A node by itself.
    pub fn alone(node: NodeId) -> Self {
        Self { node, step_bias: None, residual: None, requantized: node, activation: None, result: node, wide: false }
    }

    /// The same work as steps whose requantized value is stored before its activation, where it can be seen.
    pub fn apart(self) -> impl Iterator<Item = Self> {
        let activation = self.activation.map(|_| Self::alone(self.result));
        let result = if activation.is_some() { self.requantized } else { self.result };
        std::iter::once(Self { activation: None, result, ..self }).chain(activation)
    }

    /// The node whose value is rounded, and the activation that the rounded value goes through.
    pub fn rounded(&self) -> (NodeId, Option<Function>) {
        (self.requantized, self.activation)
    }
}
