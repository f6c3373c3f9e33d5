//! Where samples come from: a model file, through the runtime, or a run, through the float network.
use super::classifier::{CLASSES, IMAGE};
use crate::chain::{self, Batch};
use crate::lower::{plans, NamedPlan};
use crate::model_file::ModelFile;
use crate::network::Network;
use crate::train::Config;
use crate::{checkpoint, export, Error, Result};
use std::path::Path;

/// Images that the float network computes together.
const FLOAT_BATCH: usize = 100;

/// A model that can be evaluated: digits of 28×28×1 in ten classes.
#[derive(Debug)]
pub enum Source {
    /// A model file: integers.
    File(ModelFile),
    /// A run's averaged network: floats.
    Run {
        /// The folded network.
        network: Box<Network>,
        /// Every plan that may be asked for.
        plans: Vec<NamedPlan>,
        /// What the run is.
        config: Box<Config>,
    },
}

/// A plan of a [`Source`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanChoice {
    /// Its name.
    pub name: String,
    /// Number of steps.
    pub steps: usize,
}

impl Source {
    /// Opens a model file, or a run's folder with plans as `asked` writes them (the usual ones when there are none).
    ///
    /// # Errors
    /// Files that cannot be used, or a model of other images than the classifier reads.
    pub fn open(path: &Path, asked: &[String]) -> Result<Self> {
        let (source, shape, classes) = if path.is_dir() {
            let checkpoint = checkpoint::load(path)?;
            let usual = export::DEFAULT_PLANS.map(str::to_owned);
            let specs = plans::parse_all(if asked.is_empty() { &usual } else { asked })?;
            let plans = export::build_plans(&checkpoint.config, &specs)?;
            let (image, classes) = (checkpoint.config.image, checkpoint.config.classes);
            let network = Box::new(checkpoint.network()?);
            (Self::Run { network, plans, config: Box::new(checkpoint.config) }, image, classes)
        } else {
            let file = ModelFile::read(path)?;
            let model = file.model()?;
            let (shape, classes) = (model.shape(), usize::from(model.classes()));
            (Self::File(file), shape, classes)
        };
        if shape != [IMAGE.height, IMAGE.width, IMAGE.channels] || classes != CLASSES {
            let [height, width, channels] = shape;
            return Err(Error::file(
                path,
                format!(
                    "makes images of {height}x{width}x{channels} in {classes} classes; only digits of {IMAGE} in \
                     {CLASSES} classes can be evaluated"
                ),
            ));
        }
        Ok(source)
    }

    /// The plans called `asked`, in that order, or all.
    ///
    /// # Errors
    /// A name that the model does not have; the line lists those it has.
    pub fn plans(&self, asked: &[String]) -> Result<Vec<PlanChoice>> {
        let choice = |name: &str, steps: usize| PlanChoice { name: name.to_owned(), steps };
        let known: Vec<PlanChoice> = match self {
            // What was asked for is what was built.
            Self::Run { plans, .. } => return Ok(plans.iter().map(|p| choice(&p.name, p.steps.len())).collect()),
            Self::File(file) => file.model()?.plans().map(|plan| choice(plan.name(), plan.len())).collect(),
        };
        if asked.is_empty() {
            return Ok(known);
        }
        let find = |name: &String| known.iter().find(|plan| plan.name == *name).cloned();
        let missing = |name: &String| {
            let names: Vec<&str> = known.iter().map(|plan| plan.name.as_str()).collect();
            Error::Usage(format!("the model has no plan {name:?}; it has {}", names.join(", ")))
        };
        asked.iter().map(|name| find(name).ok_or_else(|| missing(name))).collect()
    }

    /// Draws a batch with a plan, values clipped to [-1, 1]. `done` is told how many more images there are.
    ///
    /// # Errors
    /// A plan that [`Self::plans`] did not give, or a batch that does not fit in memory.
    pub fn draw(&self, plan: &PlanChoice, batch: &Batch, done: impl Fn(u64) + Sync) -> Result<Vec<f32>> {
        let unknown = || Error::Usage(format!("the model has no plan {:?}", plan.name));
        let mut images = match self {
            Self::File(file) => {
                let model = file.model()?;
                let plan = model.plan(&plan.name).ok_or_else(unknown)?;
                chain::integer(&model, plan, batch, || done(1))?
            }
            Self::Run { network, plans, .. } => {
                let plan = plans.iter().find(|p| p.name == plan.name).ok_or_else(unknown)?;
                let mut images = Vec::new();
                for first in (0..batch.count).step_by(FLOAT_BATCH) {
                    let count = FLOAT_BATCH.min(batch.count - first);
                    let part = Batch { first: batch.first + first as u32, count, ..*batch };
                    images.extend(chain::float(network, plan, &part, |_, _, _| ())?);
                    done(count as u64);
                }
                images
            }
        };
        images.iter_mut().for_each(|v| *v = v.clamp(-1.0, 1.0));
        Ok(images)
    }
}
