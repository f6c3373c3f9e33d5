//! The part of a network that reads no image: constants that are derived from others, and what becomes biases of the
//! timestep and the classes. It is computed here and never on the chip.
use super::arithmetic::evaluate;
use super::model::{Label, Model};
use super::movement::MOVEMENTS;
use super::node::Node;
use super::tensor::Tensor;
use crate::data::labels::{MAX_AXES, MAX_CLASSES};
use crate::{Error, Result};
use std::collections::HashMap;

/// What a value depends on, as bits: [`TIME`] and one an axis of classes.
type Depends = u32;
/// The bit of the timestep.
const TIME: Depends = 1;

/// Values that depend on no image.
#[derive(Debug)]
pub struct Host<'a> {
    constants: HashMap<String, Tensor>,
    timestep: Option<&'a Label>,
    classes: &'a [Label],
    /// Nodes whose results depend on the timestep or a class.
    nodes: Vec<&'a Node>,
    /// Values at timestep 0 and classes 0, for their sizes.
    samples: HashMap<String, Tensor>,
    depends: HashMap<String, Depends>,
    /// Rows of the tables that the classes of each axis choose from, the smallest.
    rows: Vec<Option<usize>>,
}

impl<'a> Host<'a> {
    /// The constants of a network, and its inputs `t` and classes.
    ///
    /// # Errors
    /// More axes of classes than there are bits.
    pub fn new(model: &'a Model) -> Result<Self> {
        if model.classes.len() > MAX_AXES {
            let names: Vec<&str> = model.classes.iter().map(|label| &*label.name).collect();
            return Err(Error::Invalid(format!("has the inputs {names:?}; only x, t and a few of classes are known")));
        }
        let mut host = Self {
            constants: model.constants.clone(),
            timestep: model.timestep.as_ref(),
            classes: &model.classes,
            nodes: vec![],
            samples: HashMap::new(),
            depends: HashMap::new(),
            rows: vec![None; model.classes.len()],
        };
        for (bit, label) in host.labels() {
            host.samples.insert(label.name.clone(), label.value(0)?);
            host.depends.insert(label.name.clone(), 1 << bit);
        }
        Ok(host)
    }

    /// The inputs with the numbers of their bits.
    fn labels(&self) -> Vec<(usize, &'a Label)> {
        let classes = self.classes.iter().enumerate().map(|(axis, label)| (axis + 1, label));
        self.timestep.into_iter().map(|label| (0, label)).chain(classes).collect()
    }

    /// Whether a value depends on no image.
    pub fn has(&self, name: &str) -> bool {
        self.constants.contains_key(name) || self.samples.contains_key(name)
    }

    /// A constant.
    pub fn constant(&self, name: &str) -> Option<&Tensor> {
        self.constants.get(name)
    }

    /// Adds a constant.
    pub fn insert(&mut self, name: &str, value: Tensor) {
        self.constants.insert(name.into(), value);
    }

    /// A value at timestep 0 and classes 0: its sizes are those of every other.
    pub fn sample(&self, name: &str) -> Option<&Tensor> {
        self.constants.get(name).or_else(|| self.samples.get(name))
    }

    /// Takes a node, all of whose inputs depend on no image.
    ///
    /// # Errors
    /// An operator that is not known, inputs that do not fit, or a product or function of the timestep and a class, or
    /// of two classes, which is no sum of a row each.
    pub fn add(&mut self, node: &'a Node) -> Result<()> {
        let of = |name: &String| self.depends.get(name).copied().unwrap_or(0);
        let each: Vec<Depends> = node.inputs.iter().map(of).collect();
        let all = each.iter().fold(0, |all, bits| all | bits);
        if all.count_ones() > 1 && !is_linear(node, &each) {
            return Err(node.error(format!(
                "computes with {} together, which no sum of a bias each equals; add what the class gives behind the \
                 last non-linearity: bias = W·act(mlp(t)) + embedding(class)",
                self.names(all)
            )));
        }
        self.note_rows(node, &each);
        let inputs: Vec<Option<&Tensor>> = node.inputs.iter().map(|name| self.sample(name)).collect();
        let results = evaluate(node, &inputs)?;
        for (name, result) in node.outputs.iter().zip(results).filter(|(name, _)| !name.is_empty()) {
            match all {
                0 => self.constants.insert(name.clone(), result),
                _ => {
                    self.depends.insert(name.clone(), all);
                    self.samples.insert(name.clone(), result)
                }
            };
        }
        if all != 0 {
            self.nodes.push(node);
        }
        Ok(())
    }

    /// Remembers how many rows a table has that a class chooses from.
    fn note_rows(&mut self, node: &Node, each: &[Depends]) {
        if let ("Gather", [0, bits]) = (&*node.op, each) {
            let axis = (0..self.classes.len()).find(|axis| *bits == 1 << (axis + 1));
            let table = self.constant(&node.inputs[0]);
            let rows = table.and_then(|table| table.dims().get(usize::try_from(node.int("axis", 0)).ok()?).copied());
            if let (Some(axis), Some(rows)) = (axis, rows) {
                self.rows[axis] = Some(self.rows[axis].map_or(rows, |before| before.min(rows)));
            }
        }
    }

    fn names(&self, bits: Depends) -> String {
        let names = self.labels().into_iter().filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, label)| &*label.name);
        names.collect::<Vec<_>>().join(" and ")
    }

    /// The number of classes of each axis: one less than the rows of its tables, the last of which is the null class.
    ///
    /// # Errors
    /// An input that chooses no row of a table, or a table of fewer than two rows.
    pub fn class_counts(&self) -> Result<Vec<usize>> {
        let count = |(label, rows): (&Label, &Option<usize>)| match rows {
            None => Err(Error::Invalid(format!(
                "input {}: chooses no row of a table; a class must go through nn.Embedding (Gather)",
                label.name
            ))),
            Some(0 | 1) => Err(Error::Invalid(format!(
                "input {}: chooses from one row; a table needs a row a class and a last one for no class",
                label.name
            ))),
            Some(rows) if rows - 1 > MAX_CLASSES => Err(Error::Invalid(format!(
                "input {}: chooses from {rows} rows; an axis has at most {MAX_CLASSES} classes",
                label.name
            ))),
            Some(rows) => Ok(rows - 1),
        };
        self.classes.iter().zip(&self.rows).map(count).collect()
    }

    /// All values at a timestep, as the network counts it, and one class an axis.
    ///
    /// # Errors
    /// A class that a table does not have, or a value that is not finite; both name the node.
    pub fn at(&self, timestep: usize, classes: &[usize]) -> Result<HashMap<&str, Tensor>> {
        let mut values: HashMap<&str, Tensor> = HashMap::new();
        for (bit, label) in self.labels() {
            let number = if bit == 0 { timestep } else { classes[bit - 1] };
            values.insert(&label.name, label.value(number)?);
        }
        for node in &self.nodes {
            let of = |name: &String| values.get(&**name).or_else(|| self.constants.get(name));
            let results = evaluate(node, &node.inputs.iter().map(of).collect::<Vec<_>>())?;
            for (name, result) in node.outputs.iter().zip(results) {
                if matches!(&result, Tensor::Float(values) if !values.iter().all(|value| value.is_finite())) {
                    return Err(node.error(format!(
                        "gives a value that is NaN or infinite at timestep {timestep} and classes {classes:?}"
                    )));
                }
                values.insert(name, result);
            }
        }
        Ok(values)
    }

    /// Whether a value depends on the timestep.
    pub fn depends_on_time(&self, name: &str) -> bool {
        self.depends.get(name).is_some_and(|bits| bits & TIME != 0)
    }
}

/// Whether the results are sums over what the inputs depend on, if these are such sums.
fn is_linear(node: &Node, each: &[Depends]) -> bool {
    let constant = |i: usize| each.get(i).is_none_or(|bits| *bits == 0);
    match &*node.op {
        "Add" | "Sub" | "Neg" | "Concat" => true,
        "Mul" | "MatMul" | "Gemm" => constant(0) || constant(1),
        "Div" => constant(1),
        // A sum of whole numbers is one of floats; a float loses what is behind its point.
        "Cast" => node.int("to", 0) == 1,
        op => MOVEMENTS.contains(&op) && (1..each.len()).all(constant),
    }
}
