//! The nodes of an ONNX network, one after the other, as nodes of ours.
use super::hints::instead;
use super::host::Host;
use super::model::Model;
use super::movement::{moved, place, MOVEMENTS};
use super::net::{Map, Net};
use super::node::Node;
use super::tensor::Tensor;
use super::views::{shape_of, View};
use crate::graph::Shape;
use crate::nets::ListedOp;
use crate::{Error, Result};
use std::collections::HashMap;

/// Zeros before and behind an image, each [vertical, horizontal].
pub type Zeros = [[usize; 2]; 2];

/// A value that depends on the image.
#[derive(Clone, Debug)]
pub enum Value {
    /// A result of the network.
    Map(Map),
    /// One whose values were moved.
    View(View),
    /// A function of a result that means something only in a product.
    Half(Half, Map, String),
    /// A result with zeros around it, which only a convolution takes.
    Padded(Map, Zeros, String),
}

/// A function that is half of an op of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Of x·sigmoid(x) and tanh(a)·sigmoid(b).
    Sigmoid,
    /// Of tanh(a)·sigmoid(b).
    Tanh,
}

/// Whether a node takes parts of its first input.
fn is_taking(node: &Node) -> bool {
    matches!(&*node.op, "Slice" | "Gather" | "Split")
}

/// A network being converted.
#[derive(Debug)]
pub struct Converter<'a> {
    /// What reads no image.
    pub host: Host<'a>,
    /// Our nodes.
    pub net: Net,
    pub(super) values: HashMap<&'a str, Value>,
    /// How often each value is read; taking channels of it counts once.
    uses: HashMap<&'a str, usize>,
}

impl<'a> Converter<'a> {
    /// A network of which nothing is converted yet.
    ///
    /// # Errors
    /// Sizes of the input that are no image's.
    pub fn new(model: &'a Model) -> Result<Self> {
        let shape = shape_of(&model.image)?;
        let mut uses: HashMap<&str, usize> = HashMap::from([(&*model.output, 1)]);
        let mut sliced: Vec<&str> = vec![];
        for node in &model.nodes {
            for (i, name) in node.inputs.iter().enumerate() {
                let again = i == 0 && is_taking(node) && {
                    let again = sliced.contains(&&**name);
                    sliced.push(name);
                    again
                };
                *uses.entry(name).or_default() += usize::from(!again);
            }
        }
        let map = Map { node: 0, dims: model.image.clone(), order: (0..shape.channels).collect(), sole: false };
        let values = HashMap::from([("x", Value::Map(map))]);
        Ok(Self { host: Host::new(model)?, net: Net::new(shape), values, uses })
    }

    /// Converts a node.
    ///
    /// # Errors
    /// What no op of ours computes; the error names the node and what to use instead.
    pub fn add(&mut self, node: &'a Node) -> Result<()> {
        if node.inputs.iter().all(|name| name.is_empty() || self.host.has(name)) {
            return self.host.add(node);
        }
        if node.op == "Shape" {
            let dims = self.dims(&node.inputs[0]).map_err(|e| node.error(e))?;
            let sizes = super::arithmetic::shape(node, dims.iter().map(|size| *size as i64).collect())?;
            self.host.insert(&node.outputs[0], sizes);
            return Ok(());
        }
        let made = self.results(node)?;
        for (name, mut value) in node.outputs.iter().zip(made).filter(|(name, _)| !name.is_empty()) {
            if let Value::Map(Map { sole, .. }) | Value::View(View { sole, .. }) = &mut value {
                *sole &= self.is_read_once(name);
            }
            self.values.insert(name, value);
        }
        match node
            .outputs
            .iter()
            .skip(1)
            .find(|name| !self.values.contains_key(&***name) && self.uses.contains_key(&***name))
        {
            Some(missing) => Err(node.error(format!("makes {missing}, which is not known"))),
            None => Ok(()),
        }
    }

    fn is_read_once(&self, name: &str) -> bool {
        self.uses.get(name).is_none_or(|uses| *uses == 1)
    }

    fn results(&mut self, node: &'a Node) -> Result<Vec<Value>> {
        if MOVEMENTS.contains(&&*node.op) {
            return self.moved(node);
        }
        let map = match &*node.op {
            "Conv" | "ConvTranspose" | "AveragePool" | "Gemm" | "MatMul" => self.weighted(node)?,
            "BatchNormalization" => self.batch_norm(node)?,
            "Add" | "Sub" | "Mul" | "Div" | "Neg" => self.arithmetic(node)?,
            "Relu" => self.pointwise(node, ListedOp::Relu)?,
            "Swish" if node.float("alpha", 1.0) == 1.0 => self.pointwise(node, ListedOp::Silu)?,
            "Sigmoid" | "Tanh" => {
                let half = if node.op == "Tanh" { Half::Tanh } else { Half::Sigmoid };
                return Ok(vec![Value::Half(half, self.map(node, 0)?, node.name.clone())]);
            }
            "Concat" => self.concat(node)?,
            "Resize" => self.resize(node)?,
            "DepthToSpace" | "SpaceToDepth" => self.blocks(node)?,
            "Pad" => return self.pad(node).map(|padded| vec![padded]),
            "Cast" => match node.int("to", 0) {
                1 | 10 | 11 | 16 => self.map(node, 0)?,
                _ => return Err(node.error("makes whole numbers of the image's values; leave it out")),
            },
            _ => return Err(node.error(instead(&node.op))),
        };
        Ok(vec![Value::Map(map)])
    }

    /// ONNX's sizes of a value that depends on the image.
    fn dims(&self, name: &str) -> Result<Vec<usize>> {
        match self.values.get(name) {
            Some(Value::Map(map) | Value::Half(_, map, _)) => Ok(map.dims.clone()),
            Some(Value::View(view)) => Ok(view.at.shape().to_vec()),
            Some(Value::Padded(..)) => Err(Error::Invalid("takes the sizes of a padded image; pad in the Conv".into())),
            None => Err(Error::Invalid(format!("reads {name}, which is not known"))),
        }
    }

    /// Whether an input depends on the image.
    pub fn is_image(&self, node: &Node, i: usize) -> bool {
        node.inputs.get(i).is_some_and(|name| self.values.contains_key(&**name))
    }

    /// An input that depends on the image.
    ///
    /// # Errors
    /// One that does not, or is half of something.
    pub fn map(&mut self, node: &Node, i: usize) -> Result<Map> {
        let value = node.inputs.get(i).and_then(|name| self.values.get(&**name));
        match value {
            Some(Value::Map(map)) => Ok(map.clone()),
            Some(Value::View(view)) => {
                let mut map = view.clone().map(&mut self.net)?;
                map.sole &= node.inputs.get(i).is_some_and(|name| self.is_read_once(name));
                self.values.extend(node.inputs.get(i).and_then(|name| {
                    self.values.get_key_value(&**name).map(|(key, _)| (*key, Value::Map(map.clone())))
                }));
                Ok(map)
            }
            Some(Value::Half(half, _, name)) => Err(Error::Invalid(format!(
                "{half:?} node {name}: {half:?} stands alone before {} node {}; only x*sigmoid(x) (SiLU) and \
                 tanh(a)*sigmoid(b) are known: use SiLU or ReLU",
                node.op, node.name
            ))),
            Some(Value::Padded(_, _, name)) => Err(Error::Invalid(format!(
                "Pad node {name}: pads what {} node {} reads; only zeros before a Conv are known",
                node.op, node.name
            ))),
            None => Err(node.error(format!(
                "reads {}, which depends on no image, where an image is expected",
                node.inputs.get(i).map_or("nothing", |name| name)
            ))),
        }
    }

    /// An input with zeros around it, as [`Value::Padded`] says.
    pub fn padded(&mut self, node: &Node) -> Result<(Map, Zeros)> {
        match self.values.get(&*node.inputs[0]) {
            Some(Value::Padded(map, zeros, _)) => Ok((map.clone(), *zeros)),
            _ => Ok((self.map(node, 0)?, [[0; 2]; 2])),
        }
    }

    /// An input that is the same for every timestep and class.
    ///
    /// # Errors
    /// Another one, or none.
    pub fn constant(&self, node: &Node, i: usize, what: &str) -> Result<&Tensor> {
        let name = node.inputs.get(i).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| node.error(format!("has no {what}")))?;
        self.host.constant(name).ok_or_else(|| {
            node.error(format!("has a {what} ({name}) that depends on the input; only constants are known there"))
        })
    }

    fn moved(&mut self, node: &'a Node) -> Result<Vec<Value>> {
        if node.op == "Dropout"
            && node.inputs.len() > 2
            && self.constant(node, 2, "mode")?.ints().is_ok_and(|v| v != [0])
        {
            return Err(node.error("is in training mode; export after model.eval()"));
        }
        if matches!(&*node.op, "Identity" | "Dropout") {
            return match self.values.get(&*node.inputs[0]) {
                Some(value) => Ok(vec![value.clone()]),
                None => self.map(node, 0).map(|map| vec![Value::Map(map)]),
            };
        }
        for i in 1..node.inputs.len() {
            if !node.inputs[i].is_empty() {
                self.constant(node, i, "size or place")?;
            }
        }
        let view = match self.values.get(&*node.inputs[0]) {
            Some(Value::View(view)) => view.clone(),
            _ => self.map(node, 0)?.view(&self.net).map_err(|e| node.error(e))?,
        };
        let rest: Vec<Option<&Tensor>> = node.inputs[1..].iter().map(|name| self.host.constant(name)).collect();
        let moved = moved(node, &view.at, &rest).map_err(|e| node.error(e))?;
        if let Some(at) = moved.iter().find(|at| at.is_empty()) {
            return Err(node.error(format!("makes {:?} of an image: no values", at.shape())));
        }
        let (part, mover) = (view.part || is_taking(node), format!("{} node {}", node.op, node.name));
        Ok(moved.into_iter().map(|at| Value::View(View { at, part, mover: mover.clone(), ..view })).collect())
    }

    fn pointwise(&mut self, node: &Node, op: ListedOp) -> Result<Map> {
        let map = self.map(node, 0)?;
        self.after(node, op, map)
    }

    /// A map behind an op on each value.
    ///
    /// # Errors
    /// None: the map was held too.
    pub fn after(&mut self, node: &Node, op: ListedOp, map: Map) -> Result<Map> {
        let shape = self.net.shape(map.node);
        let made = self.net.push(&node.name, op, &[map.node], shape).map_err(|e| node.error(e))?;
        Ok(Map { node: made, sole: true, ..map })
    }

    fn batch_norm(&mut self, node: &Node) -> Result<Map> {
        let map = self.map(node, 0)?;
        if node.int("training_mode", 0) != 0 {
            return Err(node.error("is in training mode; export after model.eval()"));
        }
        let mut parts = vec![];
        for (i, what) in ["scale", "shift", "mean", "variance"].into_iter().enumerate() {
            let values = self.constant(node, i + 1, what)?.float_values().map_err(|e| node.error(e))?;
            if values.len() != map.order.len() {
                let (found, wanted) = (values.len(), map.order.len());
                return Err(node.error(format!("has {found} values of {what} for {wanted} channels")));
            }
            parts.push(values);
        }
        let tiny = f64::from(node.float("epsilon", 1e-5));
        let scale = |c: usize| f64::from(parts[0][c]) / (f64::from(parts[3][c]) + tiny).sqrt();
        let scales: Vec<f64> = (0..map.order.len()).map(scale).collect();
        if !scales.iter().all(|scale| scale.is_finite()) {
            return Err(node.error("has a variance below 0"));
        }
        let shift = |(c, scale): (usize, &f64)| f64::from(parts[1][c]) - f64::from(parts[2][c]) * scale;
        let shifts: Vec<f64> = scales.iter().enumerate().map(shift).collect();
        if self.net.shape(map.node).channels != map.order.len() {
            return Err(node.error("normalises a flattened image; do it before Flatten"));
        }
        self.net.affine(&node.name, &map, &scales, &shifts).map_err(|e| node.error(e))
    }

    fn concat(&mut self, node: &Node) -> Result<Map> {
        let maps: Vec<Map> = (0..node.inputs.len()).map(|i| self.map(node, i)).collect::<Result<_>>()?;
        let axis = place(node.int("axis", 0), maps[0].dims.len()).map_err(|e| node.error(e))?;
        let mut joined = maps[0].clone();
        for map in &maps[1..] {
            let (a, b) = (self.net.shape(joined.node), self.net.shape(map.node));
            let whole = a.channels == joined.order.len() && b.channels == map.order.len();
            if axis != 1 || !whole || (a.height, a.width) != (b.height, b.width) || joined.dims.len() != map.dims.len()
            {
                return Err(node.error(format!(
                    "joins {:?} and {:?} along axis {axis}; only channels of images of one size are known",
                    joined.dims, map.dims
                )));
            }
            let shape = Shape { channels: a.channels + b.channels, ..a };
            let made = self.net.push(&node.name, ListedOp::Concat, &[joined.node, map.node], shape);
            let made = made.map_err(|e| node.error(e))?;
            joined.order.extend(map.order.iter().map(|at| at + a.channels));
            joined.dims[1] = shape.channels;
            (joined.node, joined.sole) = (made, true);
        }
        Ok(joined)
    }

    /// The node whose result is the network's output, stored as ours are.
    ///
    /// # Errors
    /// An output that depends on no image, or is shaped otherwise than the input.
    pub fn output(&mut self, model: &Model) -> Result<usize> {
        let name = &*model.output;
        let map = match self.values.get(name) {
            Some(Value::Map(map)) => map.clone(),
            Some(Value::View(view)) => view.clone().map(&mut self.net)?,
            _ => return Err(Error::Invalid(format!("output {name}: is no result that depends on x"))),
        };
        if map.dims != model.image {
            return Err(Error::Invalid(format!("output {name}: is {:?}, but x is {:?}", map.dims, model.image)));
        }
        let order: Vec<usize> = (0..map.order.len()).collect();
        let map = self.net.reordered(map, &order).map_err(|e| Error::Invalid(format!("output {name}: {e}")))?;
        // An answer comes from a convolution or dense layer, which has more than 8 bits; pixels may move behind it.
        let mut from = map.node;
        while let ListedOp::DepthToSpace { .. } = self.net.nodes[from].op {
            from = self.net.nodes[from].inputs[0];
        }
        Ok(match self.net.nodes[from].op {
            ListedOp::Conv { .. } | ListedOp::Linear { .. } => map.node,
            _ => self.net.chosen(map.node, &order).map_err(|e| Error::Invalid(format!("output {name}: {e}")))?,
        })
    }
}
