//! A model in memory of its own.

use super::AlignedBytes;
use crate::model::{Model, Plan};
use crate::parse::ParseError;
use core::fmt;
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;

/// A checked model file in memory of its own, aligned as the runtime demands. It is parsed once, when it is made.
///
/// ```
/// use brownian::host::{ChainMemory, OwnedModel};
/// use brownian::Sampler;
///
/// let owned = OwnedModel::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"))?;
/// let model = owned.model();
/// let plan = owned.plan("fast5")?;
/// let mut memory = ChainMemory::new(&model);
/// let mut sampler: Sampler = memory.start(Sampler::builder(&model, plan).seed(1).class(7))?;
/// while sampler.step() {}
/// assert_eq!(sampler.x().len(), 784);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedModel {
    bytes: AlignedBytes,
}

impl OwnedModel {
    /// Copies `bytes` to aligned memory and checks all of them.
    ///
    /// # Errors
    /// Whatever [`Model::parse`] refuses.
    pub fn new(bytes: &[u8]) -> Result<Self, ParseError> {
        Self::from_aligned(AlignedBytes::from(bytes))
    }

    /// Takes `bytes` without a copy and checks all of them.
    ///
    /// # Errors
    /// Whatever [`Model::parse`] refuses.
    pub fn from_aligned(bytes: AlignedBytes) -> Result<Self, ParseError> {
        Model::parse(bytes.bytes())?;
        Ok(Self { bytes })
    }

    /// Reads a model file and checks all of it.
    ///
    /// # Errors
    /// A file that cannot be read, or that [`Model::parse`] refuses; the message begins with the path.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let error = |cause| ReadError { path: path.into(), cause };
        let bytes = std::fs::read(path).map_err(|e| error(ReadCause::File(e)))?;
        Self::new(&bytes).map_err(|e| error(ReadCause::Model(e)))
    }

    /// The model; nothing is checked again.
    pub fn model(&self) -> Model<'_> {
        Model::of_checked(self.bytes()).expect("the bytes were parsed and cannot be changed")
    }

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.bytes()
    }

    /// The plan of this name.
    ///
    /// # Errors
    /// A name that no plan has; the message lists those there are.
    pub fn plan(&self, name: &str) -> Result<Plan<'_>, NoPlan> {
        let model = self.model();
        model
            .plan(name)
            .ok_or_else(|| NoPlan { name: name.into(), plans: model.plans().map(|plan| plan.name().into()).collect() })
    }
}

/// A model file that could not be read.
#[derive(Debug)]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub cause: ReadCause,
}

/// What is wrong with a model file.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadCause {
    /// The file system refused.
    File(std::io::Error),
    /// The bytes are not a model.
    Model(ParseError),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.cause {
            ReadCause::File(e) => write!(f, "{path}: cannot be read: {e}"),
            ReadCause::Model(e) => write!(f, "{path}: {e}"),
        }
    }
}

// Its message has the cause's, so it has no source: who prints the chain of sources would print it twice.
impl core::error::Error for ReadError {}

/// A plan was asked for that the model does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPlan {
    /// The name asked for.
    pub name: String,
    /// The names of the model's plans.
    pub plans: Vec<String>,
}

impl fmt::Display for NoPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the model has no plan '{}'; it has {}", self.name, self.plans.join(", "))
    }
}

impl core::error::Error for NoPlan {}
