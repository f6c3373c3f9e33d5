//! Axes of labels, and the names on them.

use crate::format::{self, AxisHeader};

/// An axis of labels: hair, with the classes short and long. See [`Model::axes`](crate::Model::axes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis<'a> {
    pub(crate) index: usize,
    pub(crate) header: AxisHeader<'a>,
}

impl<'a> Axis<'a> {
    /// Its number, counted from 0, as [`Builder::class_on`](crate::Builder::class_on) takes it.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        self.header.name
    }

    /// Number of classes.
    pub fn len(&self) -> usize {
        self.header.classes.into()
    }

    /// Never true for a parsed model.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of its classes, by number.
    pub fn classes(&self) -> impl Iterator<Item = &'a str> + 'a {
        format::items::<&'a str>(self.header.class_names)
    }

    /// The number of the class of this name.
    pub fn class(&self, name: &str) -> Option<u16> {
        self.classes().position(|class| class == name).map(|class| class as u16)
    }
}
