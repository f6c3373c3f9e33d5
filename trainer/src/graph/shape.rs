//! The shape of one image or activation.
use crate::{Error, Result};
use serde::Serialize;

/// Most values of an image, of what a node computes from one, or of a constant in an imported network: as many as the
/// largest arena has bytes.
pub const MOST_VALUES: usize = 1 << 24;
/// Largest size of an axis of an image, as a model file counts it.
pub const MOST_SIDE: usize = 65_535;

/// The number of values of something with these sizes.
///
/// # Errors
/// More than [`MOST_VALUES`].
pub fn values_of(sizes: &[usize]) -> Result<usize> {
    let count = sizes.iter().try_fold(1usize, |count, size| count.checked_mul(*size));
    count.filter(|count| *count <= MOST_VALUES).ok_or_else(|| {
        Error::Invalid(format!(
            "the sizes {sizes:?} make more than {MOST_VALUES} values, the most that a chip can hold"
        ))
    })
}

/// The index of a node in [`Graph::nodes`](crate::graph::Graph::nodes); inputs always have smaller ids than their users.
pub type NodeId = usize;

/// Height, width and channels of one image or activation. 1-D signals have height 1, vectors height and width 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels, the innermost axis.
    pub channels: usize,
}

impl Shape {
    /// A shape of `height` × `width` × `channels`.
    pub const fn new(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// Number of values.
    pub const fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether there is no value at all.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Number of positions: height × width.
    pub const fn pixels(self) -> usize {
        self.height * self.width
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}

impl std::str::FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let sizes: std::result::Result<Vec<u16>, _> = text.split('x').map(str::parse).collect();
        let sizes = sizes.unwrap_or_default();
        match sizes[..] {
            [height, width, channels] if !sizes.contains(&0) => {
                Ok(Self::new(height.into(), width.into(), channels.into()))
            }
            _ => Err("give HEIGHTxWIDTHxCHANNELS, for example 16x16x3, each from 1 to 65535".into()),
        }
    }
}
