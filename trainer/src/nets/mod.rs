//! Networks by shape: a [`Spec`] is data in a run's TOML, presets are named specs, and a spec with images' shape makes
//! a graph.
mod choice;
mod diffwave;
mod listed;
mod parts;
mod patches;
mod perceptron;
mod presets;
mod spec;
mod text;
mod unet;
mod variation;

pub use choice::Choice;
pub use diffwave::{DiffWave, Local};
pub use listed::{Listed, ListedNode, ListedOp};
pub use parts::{ConditioningSpec, NormName};
pub use perceptron::Perceptron;
pub use presets::{build, check_name, preset, Preset, NAMES, PRESETS};
pub use spec::Spec;
pub use unet::{Join, UNet};
pub use variation::Variation;
