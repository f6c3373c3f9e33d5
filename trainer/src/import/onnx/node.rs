//! An operation of an ONNX network, with its settings by name.
use super::proto::{setting, Attribute, Node as Message};
use super::tensor::Tensor;
use crate::{Error, Result};
use std::path::Path;

/// A node, with as many inputs as its operator takes and settings of the right kinds.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its operator.
    pub op: String,
    /// Its own name, or that of its first result.
    pub name: String,
    /// Names of the values that it reads; empty where one is left out.
    pub inputs: Vec<String>,
    /// Names of the values that it makes.
    pub outputs: Vec<String>,
    attributes: Vec<Attribute>,
}

/// Inputs that a known operator takes: at least, at most.
fn inputs_of(op: &str) -> Option<[usize; 2]> {
    Some(match op {
        "Constant" => [0, 0],
        "Relu" | "Sigmoid" | "Tanh" | "Neg" | "Swish" | "Softplus" | "LeakyRelu" | "Gelu" | "Erf" | "Sin" | "Cos"
        | "Exp" | "Log" | "Sqrt" | "Reciprocal" | "Abs" | "Cast" | "Shape" | "ConstantOfShape" | "Flatten"
        | "Transpose" | "Identity" | "DepthToSpace" | "SpaceToDepth" | "AveragePool" => [1, 1],
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max" | "CastLike" | "MatMul" | "Reshape" | "Unsqueeze"
        | "Expand" | "Gather" => [2, 2],
        "Conv" | "ConvTranspose" | "Gemm" => [2, 3],
        "BatchNormalization" => [5, 5],
        "Squeeze" | "Split" => [1, 2],
        "Dropout" => [1, 3],
        "Resize" => [1, 4],
        "Pad" => [2, 4],
        "Slice" => [3, 5],
        "Concat" => [1, usize::MAX],
        _ => return None,
    })
}

/// The kind of a setting that the importer reads, with its name in words.
fn kind_of(name: &str) -> Option<(i32, &'static str)> {
    Some(match name {
        "strides" | "dilations" | "pads" | "kernel_shape" | "output_padding" | "output_shape" | "perm" | "axes"
        | "value_ints" => (setting::INTS, "whole numbers"),
        "group" | "axis" | "to" | "ceil_mode" | "count_include_pad" | "transA" | "transB" | "training_mode"
        | "blocksize" | "allowzero" | "start" | "end" | "num_outputs" | "value_int" => {
            (setting::INT, "one whole number")
        }
        "alpha" | "beta" | "epsilon" | "value_float" => (setting::FLOAT, "one float"),
        "value_floats" => (setting::FLOATS, "floats"),
        "value" => (setting::TENSOR, "a tensor"),
        "auto_pad"
        | "mode"
        | "nearest_mode"
        | "coordinate_transformation_mode"
        | "keep_aspect_ratio_policy"
        | "approximate" => (setting::STRING, "a text"),
        _ => return None,
    })
}

/// Whether nothing of a setting is of another kind than `kind`.
fn is_of(attribute: &Attribute, kind: i32) -> bool {
    let held = [
        (setting::FLOAT, attribute.f != 0.0),
        (setting::INT, attribute.i != 0),
        (setting::STRING, !attribute.s.is_empty()),
        (setting::TENSOR, attribute.t.is_some()),
        (setting::FLOATS, !attribute.floats.is_empty()),
        (setting::INTS, !attribute.ints.is_empty()),
        // Lists of texts are read nowhere.
        (0, !attribute.strings.is_empty()),
    ];
    [0, kind].contains(&attribute.r#type) && held.iter().all(|(of, held)| !held || *of == kind)
}

impl Node {
    /// The node of a file.
    ///
    /// # Errors
    /// Fewer or more inputs than a known operator takes, a setting that is given twice or of another kind than it is
    /// read as, a float that is not finite; the error names the node.
    pub fn new(message: Message) -> Result<Self> {
        let name = match message.name.is_empty() {
            true => message.output.first().cloned().unwrap_or_default(),
            false => message.name,
        };
        let node = Self {
            op: message.op_type,
            name,
            inputs: message.input,
            outputs: message.output,
            attributes: message.attribute,
        };
        node.check_inputs()?;
        node.check_attributes()?;
        Ok(node)
    }

    fn check_inputs(&self) -> Result<()> {
        let Some([least, most]) = inputs_of(&self.op) else { return Ok(()) };
        if self.inputs.len() > most {
            return Err(self.error(format!("has {} inputs; it takes at most {most}", self.inputs.len())));
        }
        match (0..least).find(|i| self.inputs.get(*i).is_none_or(String::is_empty)) {
            None => Ok(()),
            Some(i) => Err(self.error(format!("lacks its input number {} of at least {least}", i + 1))),
        }
    }

    fn check_attributes(&self) -> Result<()> {
        for (i, attribute) in self.attributes.iter().enumerate() {
            let name = &attribute.name;
            if self.attributes[..i].iter().any(|other| other.name == *name) {
                return Err(self.error(format!("has the setting {name} twice")));
            }
            let Some((kind, words)) = kind_of(name) else { continue };
            if !is_of(attribute, kind) || (kind == setting::STRING && std::str::from_utf8(&attribute.s).is_err()) {
                return Err(self.error(format!("has the setting {name} of another kind than {words}; export it again")));
            }
            if !attribute.floats.iter().chain([&attribute.f]).all(|value| value.is_finite()) {
                return Err(self.error(format!("has the setting {name}, which is NaN or infinite")));
            }
        }
        Ok(())
    }

    /// An error of this node: its operator, its name and what is wrong.
    pub fn error(&self, what: impl std::fmt::Display) -> Error {
        Error::Invalid(format!("{} node {}: {what}", self.op, self.name))
    }

    fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// Whether a setting is given.
    pub fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// A whole number, or what ONNX takes where it is left out.
    pub fn int(&self, name: &str, usual: i64) -> i64 {
        self.attribute(name).map_or(usual, |attribute| attribute.i)
    }

    /// A number, or what ONNX takes where it is left out.
    pub fn float(&self, name: &str, usual: f32) -> f32 {
        self.attribute(name).map_or(usual, |attribute| attribute.f)
    }

    /// Whole numbers, none where they are left out.
    pub fn ints(&self, name: &str) -> &[i64] {
        self.attribute(name).map_or(&[], |attribute| &attribute.ints)
    }

    /// A text, or what ONNX takes where it is left out.
    pub fn text<'a>(&'a self, name: &str, usual: &'a str) -> &'a str {
        self.attribute(name).and_then(|attribute| std::str::from_utf8(&attribute.s).ok()).unwrap_or(usual)
    }

    /// The value of a `Constant`.
    ///
    /// # Errors
    /// A tensor that cannot be read, or a value of a kind that is no tensor.
    pub fn constant(&self, folder: &Path) -> Result<Tensor> {
        let Some(attribute) = self.attributes.first() else {
            return Err(self.error("holds no value"));
        };
        match (&*attribute.name, &attribute.t) {
            ("value", Some(tensor)) => Tensor::read(tensor, folder),
            ("value_float", _) => Tensor::float(&[], vec![attribute.f]),
            ("value_floats", _) => Tensor::float(&[attribute.floats.len()], attribute.floats.clone()),
            ("value_int", _) => Tensor::int(&[], vec![attribute.i]),
            ("value_ints", _) => Tensor::int(&[attribute.ints.len()], attribute.ints.clone()),
            (kind, _) => Err(Error::Invalid(format!("holds a {kind}, which is no tensor of numbers"))),
        }
        .map_err(|e| self.error(e))
    }
}
