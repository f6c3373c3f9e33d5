//! An ONNX file as a checked list of nodes.
use super::node::Node;
use super::proto::{self, element, Size};
use super::tensor::Tensor;
use crate::graph::shape::{values_of, MOST_SIDE};
use crate::{Error, Result};
use prost::Message;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The versions of ONNX's operators whose meaning the importer knows.
const OPSETS: std::ops::RangeInclusive<i64> = 13..=28;
/// The name of the input x_t.
const X: &str = "x";
/// The name of the input with the timestep.
const T: &str = "t";

/// A network of an ONNX file.
#[derive(Debug)]
pub struct Model {
    /// Nodes in an order in which they can be computed.
    pub nodes: Vec<Node>,
    /// Weights and constants by name.
    pub constants: HashMap<String, Tensor>,
    /// Sizes of the input `x`, the first of one image.
    pub image: Vec<usize>,
    /// The input `t`, where there is one.
    pub timestep: Option<Label>,
    /// The other inputs: classes, one an axis of labels.
    pub classes: Vec<Label>,
    /// The name of the output.
    pub output: String,
}

/// An input with one number an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// Its sizes, all of them 1.
    dims: Vec<usize>,
    is_float: bool,
}

impl Label {
    /// The input for one image.
    ///
    /// # Errors
    /// None: its sizes are those of one number.
    pub fn value(&self, number: usize) -> Result<Tensor> {
        match self.is_float {
            true => Tensor::float(&self.dims, vec![number as f32]),
            false => Tensor::int(&self.dims, vec![number as i64]),
        }
    }
}

impl Model {
    /// Reads a file and checks what can be checked before its nodes are understood.
    ///
    /// # Errors
    /// A file that cannot be read or is no ONNX, operators of an unknown version or of another domain, tensors that
    /// cannot be read, inputs that are not `x`, `t` and classes, sizes that are not fixed. Each names what is wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&bytes, folder).map_err(|e| Error::file(path, e))
    }

    fn parse(bytes: &[u8], folder: &Path) -> Result<Self> {
        let file = proto::Model::decode(bytes)
            .map_err(|e| Error::Invalid(format!("is no whole ONNX file ({e}); export it again")))?;
        check_operators(&file)?;
        let Some(graph) = file.graph.filter(|graph| !graph.node.is_empty()) else {
            return Err(Error::Invalid("is no ONNX file of a network: it holds no nodes".into()));
        };
        let mut constants = HashMap::new();
        for tensor in &graph.initializer {
            constants.insert(tensor.name.clone(), Tensor::read(tensor, folder)?);
        }
        let no_image = || {
            let found: Vec<&str> = graph.input.iter().map(|input| &*input.name).collect();
            Error::Invalid(format!(
                "has no input called x, but {found:?}; export with input_names=[\"x\", \"t\"], then one name an \
                 axis of classes"
            ))
        };
        if !graph.input.iter().any(|input| input.name == X) {
            return Err(no_image());
        }
        let (mut image, mut timestep, mut classes) = (None, None, vec![]);
        for input in graph.input.iter().filter(|input| !constants.contains_key(&input.name)) {
            match &*input.name {
                X => image = Some(image_dims(input)?),
                T => timestep = Some(label(input)?),
                _ => classes.push(label(input)?),
            }
        }
        let Some(image) = image else { return Err(no_image()) };
        let [output] = &graph.output[..] else {
            return Err(Error::Invalid(format!("has {} outputs; export one, shaped like x", graph.output.len())));
        };
        let output = output.name.clone();
        let nodes = nodes(graph.node, &mut constants, folder)?;
        let model = Self { nodes, constants, image, timestep, classes, output };
        model.check_names()?;
        Ok(model)
    }

    /// Checks that every value that is read has been made before, and is made once.
    fn check_names(&self) -> Result<()> {
        let mut known: HashSet<&str> = self.constants.keys().map(String::as_str).collect();
        known.extend(self.timestep.iter().chain(&self.classes).map(|label| &*label.name));
        known.insert(X);
        for node in &self.nodes {
            if let Some(missing) = node.inputs.iter().find(|name| !name.is_empty() && !known.contains(&***name)) {
                return Err(node.error(format!("reads {missing}, which nothing before it makes")));
            }
            for made in node.outputs.iter().filter(|name| !name.is_empty()) {
                if !known.insert(made) {
                    return Err(node.error(format!("makes {made}, which is there already")));
                }
            }
        }
        match known.contains(&*self.output) {
            true => Ok(()),
            false => Err(Error::Invalid(format!("answers {}, which no node makes", self.output))),
        }
    }
}

fn check_operators(file: &proto::Model) -> Result<()> {
    let fail = |what: String| Err(Error::Invalid(what));
    let (first, last) = (OPSETS.start(), OPSETS.end());
    let mut versions = file.opset_import.iter().filter(|set| is_own(&set.domain)).map(|set| set.version);
    let version = versions.next();
    match version {
        Some(one) if versions.any(|other| other != one) => {
            return fail("names two versions of ONNX's operators; export it again".into());
        }
        None => return fail("names no version of ONNX's operators: it is no whole ONNX file; export it again".into()),
        Some(version) if !OPSETS.contains(&version) => {
            return fail(format!(
                "uses version {version} of ONNX's operators; {first} to {last} are known: export with opset_version=20"
            ))
        }
        Some(_) => {}
    }
    match file.functions.first() {
        Some(function) => fail(format!(
            "defines an operator of its own, {}; inline it (onnx.inliner.inline_local_functions)",
            function.name
        )),
        None => Ok(()),
    }
}

/// Whether a domain is ONNX's own.
fn is_own(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// The nodes without `Constant`s, whose values join the others.
fn nodes(messages: Vec<proto::Node>, constants: &mut HashMap<String, Tensor>, folder: &Path) -> Result<Vec<Node>> {
    let mut nodes = Vec::with_capacity(messages.len());
    for message in messages {
        let domain = message.domain.clone();
        if !is_own(&domain) {
            return Err(Error::Invalid(format!(
                "{} node {}: is of the domain {domain}; only ONNX's own operators are known",
                message.op_type, message.name
            )));
        }
        let node = Node::new(message)?;
        let Some(made) = node.outputs.first() else {
            return Err(node.error("makes nothing"));
        };
        match &*node.op {
            "Constant" => {
                constants.insert(made.clone(), node.constant(folder)?);
            }
            _ => nodes.push(node),
        }
    }
    Ok(nodes)
}

/// The sizes of an input, 1 for a batch of any size.
fn dims(input: &proto::ValueInfo, wanted: &str) -> Result<(Vec<usize>, i32)> {
    let fail = |what: String| Err(Error::Invalid(format!("input {}: {what}", input.name)));
    let Some(kind) = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref()) else {
        return fail(format!("is no tensor; it must be {wanted}"));
    };
    let Some(shape) = &kind.shape else {
        return fail(format!("has no fixed number of axes; it must be {wanted}"));
    };
    let mut dims = vec![];
    for (axis, dimension) in shape.dim.iter().enumerate() {
        dims.push(match (&dimension.size, axis) {
            (Some(Size::Fixed(1)), 0) => 1,
            (Some(Size::Fixed(size)), 0) => {
                return fail(format!("holds a fixed batch of {size}; export with a batch of 1, or of any size"))
            }
            (_, 0) => 1,
            (Some(Size::Fixed(size)), _) if *size > 0 => *size as usize,
            (Some(Size::Named(name)), _) => {
                return fail(format!("has the dynamic size {name} on axis {axis}; export with every size fixed"))
            }
            _ => return fail(format!("has no fixed size on axis {axis}; export with every size fixed")),
        });
    }
    Ok((dims, kind.elem_type))
}

fn image_dims(input: &proto::ValueInfo) -> Result<Vec<usize>> {
    let (dims, kind) = dims(input, "[N, C, H, W], [N, C, L] or [N, F]")?;
    let is_float = [element::FLOAT, element::FLOAT16, element::BFLOAT16, element::DOUBLE].contains(&kind);
    match (is_float, dims.len()) {
        (true, 2..=4) => {
            values_of(&dims).map_err(|e| Error::Invalid(format!("input {X}: {e}")))?;
            match dims.iter().all(|size| *size <= MOST_SIDE) {
                true => Ok(dims),
                false => Err(Error::Invalid(format!(
                    "input {X}: has the sizes {dims:?}, of which each may be at most {MOST_SIDE}"
                ))),
            }
        }
        (false, _) => Err(Error::Invalid(format!("input {X}: holds no floats"))),
        _ => Err(Error::Invalid(format!(
            "input {X}: has the sizes {dims:?}; it must be [N, C, H, W], [N, C, L] or [N, F]"
        ))),
    }
}

fn label(input: &proto::ValueInfo) -> Result<Label> {
    let (dims, kind) = dims(input, "[N], one number an image")?;
    if dims.iter().any(|size| *size != 1) {
        return Err(Error::Invalid(format!(
            "input {}: has the sizes {dims:?}; it must be [N], one number an image",
            input.name
        )));
    }
    let is_float = match kind {
        element::INT64 | element::INT32 => false,
        element::FLOAT | element::FLOAT16 | element::BFLOAT16 | element::DOUBLE => true,
        _ => return Err(Error::Invalid(format!("input {}: holds neither whole numbers nor floats", input.name))),
    };
    Ok(Label { name: input.name.clone(), dims, is_float })
}
