//! Where samples come from: a model file, through the runtime, and the float network of a run.
use crate::chain::{self, Batch, Edit};
use crate::network::Network;
use crate::plans::NamedPlan;
use crate::recognition::local_mel::bytes;
use crate::run::{checkpoint, Checkpoint, Config};
use crate::steps::Steps;
use crate::{export, Error, Result};
use brownian::host::OwnedModel;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Images that the float network computes together.
const FLOAT_BATCH: usize = 100;

/// The arithmetic of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Arithmetic {
    /// Integers, through the runtime.
    Int8,
    /// Floats.
    Float,
}

impl std::fmt::Display for Arithmetic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Int8 => "int8",
            Self::Float => "float",
        })
    }
}

/// The float network of a run.
#[derive(Debug)]
pub struct Run {
    /// The averaged network, folded.
    pub network: Network,
    /// The run it is from.
    pub checkpoint: Checkpoint,
}

impl Run {
    fn open(path: &Path) -> Result<Self> {
        let checkpoint = checkpoint::load(path)?;
        Ok(Self { network: checkpoint.network()?, checkpoint })
    }
}

/// A model that is evaluated.
#[derive(Debug)]
pub struct Source {
    /// The integers: a model file, or a run as it would be exported.
    pub integer: OwnedModel,
    /// The float network, where there is one.
    pub run: Option<Run>,
    /// How the network was trained, if the model file says it in a way that is known.
    pub config: Option<Config>,
    /// The plans to evaluate.
    pub plans: Vec<NamedPlan>,
    /// The local conditions that chains follow, of a model that follows one; see [`Source::follow`].
    pub locals: Vec<i8>,
    /// The plans as they were asked for, when the model file was made here, from the run.
    pub exported: Option<Vec<String>>,
}

/// The part of a model file's provenance that tells how the network was trained.
#[derive(Deserialize)]
struct Provenance {
    run: Config,
}

/// What a model is before it is opened: enough to refuse one that the data or the evaluator do not fit.
#[derive(Debug)]
pub struct Origin {
    /// Height, width and channels of its images.
    pub shape: [usize; 3],
    /// Number of classes on all axes together, 0 if it draws without.
    pub classes: usize,
    /// How it was trained, if that is known.
    pub config: Option<Config>,
}

impl Origin {
    /// That of a model file or of the run in a folder.
    ///
    /// # Errors
    /// Files that cannot be used.
    pub fn of(path: &Path) -> Result<Self> {
        if path.is_dir() {
            let config = checkpoint::load(path)?.config;
            return Ok(Self { shape: config.image, classes: config.classes(), config: Some(config) });
        }
        let file = OwnedModel::read(path)?;
        let model = file.model();
        Ok(Self { shape: model.shape(), classes: classes(&model), config: config_of(&model) })
    }
}

/// How a model was trained, if its file says it in a way that is known.
pub fn config_of(model: &brownian::Model) -> Option<Config> {
    toml::from_str(model.header().provenance).ok().map(|provenance: Provenance| provenance.run)
}

impl Source {
    /// Opens a model file with the plans called `asked` (all when there are none), or a run's folder with plans as
    /// `asked` writes them (the usual ones when there are none). With a model file, `float` may name the run whose
    /// float network it is compared with.
    ///
    /// # Errors
    /// Files that cannot be used, a plan that does not exist, or a run that differs from the file in images, classes,
    /// schedule or prediction.
    pub fn open(path: &Path, asked: &[String], float: Option<&Path>) -> Result<Self> {
        let source = if path.is_dir() {
            if float.is_some() {
                return Err(Error::Usage(format!(
                    "--float: {} is a run and brings its own float network",
                    path.display()
                )));
            }
            let run = Run::open(path)?;
            let usual = export::usual_plans(&run.checkpoint.config);
            let texts = if asked.is_empty() { &usual[..] } else { asked };
            let plans = run.checkpoint.config.plans(texts)?;
            let integer = OwnedModel::new(&export::export(&run.checkpoint, texts, &Default::default())?.file)?;
            let config = Some(run.checkpoint.config.clone());
            Self { integer, run: Some(run), config, plans, exported: Some(texts.to_vec()), locals: vec![] }
        } else {
            let integer = OwnedModel::read(path)?;
            let model = integer.model();
            let plans = chosen(&model, asked)?;
            let config = config_of(&model);
            let run = float.map(Run::open).transpose()?;
            if let (Some(run), Some(folder)) = (&run, float) {
                check_run(folder, &run.checkpoint.config, &model, config.as_ref())?;
            }
            Self { integer, run, config, plans, exported: None, locals: vec![] }
        };
        Ok(source)
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        classes(&self.integer.model())
    }

    /// From now on image i follows local condition i modulo their count.
    pub fn follow(&mut self, locals: &[f32]) {
        self.locals = bytes(locals);
        if let Some(run) = &mut self.run {
            run.network.locals = locals.to_vec();
        }
    }

    /// What chains are given beside noise.
    pub(super) fn edit(&self) -> Edit<'_> {
        Edit { locals: &self.locals, ..Edit::default() }
    }

    /// Draws a batch with a plan, values clipped to [-1, 1]. `done` is told how many more images there are.
    ///
    /// # Errors
    /// A plan that is not one of this source's, floats of a source without a run, or a batch that does not fit in
    /// memory.
    pub fn draw(
        &self,
        arithmetic: Arithmetic,
        plan: &NamedPlan,
        batch: &Batch,
        done: impl Fn(u64) + Sync,
    ) -> Result<Vec<f32>> {
        let mut images = match (arithmetic, &self.run) {
            (Arithmetic::Int8, _) => {
                let model = self.integer.model();
                let plan = self.integer.plan(&plan.name)?;
                chain::edited(&model, plan, batch, &self.edit(), || done(1))?
            }
            (Arithmetic::Float, Some(run)) => {
                let mut images = Vec::new();
                for first in (0..batch.count).step_by(FLOAT_BATCH) {
                    let count = FLOAT_BATCH.min(batch.count - first);
                    let part = Batch { first: batch.first + first as u32, count, ..*batch };
                    images.extend(chain::float(&run.network, plan, &part, |_, _, _| ())?);
                    done(count as u64);
                }
                images
            }
            (Arithmetic::Float, None) => return Err(Error::Usage("a model file holds no float network".into())),
        };
        images.iter_mut().for_each(|v| *v = v.clamp(-1.0, 1.0));
        Ok(images)
    }
}

/// Number of classes of all axes together.
fn classes(model: &brownian::Model) -> usize {
    model.class_counts().iter().map(|count| usize::from(*count)).sum()
}

/// The plans of a model file called `asked`, in that order, or all.
fn chosen(model: &brownian::Model, asked: &[String]) -> Result<Vec<NamedPlan>> {
    let named = |plan: brownian::Plan| NamedPlan {
        clip: plan.clip(),
        start: plan.start(),
        ..NamedPlan::whole(plan.name(), Steps::of(model, &plan))
    };
    if asked.is_empty() {
        return Ok(model.plans().map(named).collect());
    }
    let missing = |name: &String| {
        let names: Vec<&str> = model.plans().map(|plan| plan.name()).collect();
        Error::Usage(format!("the model has no plan {name:?}; it has {}", names.join(", ")))
    };
    let twice = asked.iter().enumerate().find(|(i, name)| asked[..*i].contains(name));
    if let Some((_, name)) = twice {
        return Err(Error::Usage(format!("--plan {name} is given twice")));
    }
    asked.iter().map(|name| model.plan(name).map(named).ok_or_else(|| missing(name))).collect()
}

/// Checks that a run's network can be compared with a model file.
fn check_run(folder: &Path, run: &Config, model: &brownian::Model, file: Option<&Config>) -> Result<()> {
    let other =
        |what: &str| Err(Error::file(folder, format!("has {what} than the model file; give the run it comes from")));
    if run.image != model.shape() || run.classes() != classes(model) {
        return other("other images or classes");
    }
    if file.is_some_and(|file| file.process() != run.process()) {
        return other("another process, prediction, schedule or weighting");
    }
    Ok(())
}
