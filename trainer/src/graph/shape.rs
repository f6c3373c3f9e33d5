//! The shape of one image or activation.
use serde::Serialize;

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

    fn from_str(text: &str) -> Result<Self, String> {
        let sizes: Vec<u16> = text.split('x').map(str::parse).collect::<Result<_, _>>().unwrap_or_default();
        match sizes[..] {
            [height, width, channels] if !sizes.contains(&0) => {
                Ok(Self::new(height.into(), width.into(), channels.into()))
            }
            _ => Err("give HEIGHTxWIDTHxCHANNELS, for example 16x16x3, each from 1 to 65535".into()),
        }
    }
}
