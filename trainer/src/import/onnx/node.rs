//! An operation of an ONNX network, with its settings by name.
use super::proto::{Attribute, Node as Message};
use super::tensor::Tensor;
use crate::{Error, Result};
use std::path::Path;

/// A node.
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

impl Node {
    /// The node of a file.
    pub fn new(message: Message) -> Self {
        let name = match message.name.is_empty() {
            true => message.output.first().cloned().unwrap_or_default(),
            false => message.name,
        };
        Self {
            op: message.op_type,
            name,
            inputs: message.input,
            outputs: message.output,
            attributes: message.attribute,
        }
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
