//! A whole evaluation: every plan, in every arithmetic that was asked for.
use super::bound::{self, Bound};
use super::classifier::{CLASSES, IMAGE};
use super::denoiser::{visits_all, Denoiser};
use super::evaluator::{Evaluator, Images};
use super::report::{Bounds, ClassifierReport, Draw, PlanReport};
use super::source::{Arithmetic, Run, Source};
use super::{corruption, quantization, Report};
use crate::chain::{Batch, Classes};
use crate::plans::NamedPlan;
use crate::report::progress;
use crate::{export, Error, Result};
use brownian::host::OwnedModel;
use brownian::Guidance;
use std::borrow::Cow;
use std::time::Instant;

/// Chains that quantization errors are measured on.
const QUANTIZATION_IMAGES: usize = 40;
/// Images of each plan that are kept for a page: this many a class.
pub const COLUMNS: usize = 16;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the report calls the model.
    pub model: String,
    /// Images of each draw.
    pub count: usize,
    /// Seed of the draws and of the bootstrap.
    pub seed: u64,
    /// Guidance of the draw with classes.
    pub guidance: Guidance,
    /// The arithmetic of the draws, or both where the source has both.
    pub only: Option<Arithmetic>,
}

/// A report with some of the samples.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The figures.
    pub report: Report,
    /// Samples of each plan, [`COLUMNS`] a class and class after class.
    pub samples: Vec<Vec<f32>>,
    /// Real digits in the same order.
    pub real: Vec<f32>,
}

/// Draws and measures.
///
/// # Errors
/// Draws that fail, or figures that are not numbers.
pub fn evaluate(source: &Source, request: &Request) -> Result<Evaluation> {
    let classes = source.classes();
    let evaluator = Evaluator::new(request.count, request.seed)?;
    let arithmetic = request.only.unwrap_or(Arithmetic::Int8);
    let both = request.only.is_none() && source.run.is_some();
    let mut evaluation = Evaluation {
        samples: vec![],
        real: by_class(evaluator.some_test_digits(1000)),
        report: Report {
            model: request.model.clone(),
            arithmetic,
            count: request.count,
            seed: request.seed,
            guidance: request.guidance.scale().into(),
            classes,
            classifier: ClassifierReport {
                sha256: evaluator.classifier().sha256().to_owned(),
                test_accuracy: evaluator.test_accuracy(),
            },
            plans: vec![],
            bound: Bounds::default(),
            quantization: vec![],
            real: evaluator.real()?,
            noise: evaluator.corrupted(corruption::noise)?,
            blur: evaluator.corrupted(corruption::blur)?,
            uniform: evaluator.corrupted(corruption::uniform)?,
            seconds: Default::default(),
        },
    };
    let report = &mut evaluation.report;
    let drawing = Drawing { source, request, evaluator: &evaluator, classes };
    for plan in &source.plans {
        let (draw, images) = drawing.draw(arithmetic, plan)?;
        let asked: Vec<u8> = (0..request.count).map(|i| (i % CLASSES) as u8).collect();
        evaluation.samples.push(by_class((&images, &asked)));
        let float = if both { Some(drawing.draw(Arithmetic::Float, plan)?.0) } else { None };
        let distance = |draw: &Draw| draw.figures.frechet_distance.value;
        report.plans.push(PlanReport {
            name: plan.name.clone(),
            steps: plan.steps.len(),
            frechet_change: float.as_ref().map(|float| distance(&draw) / distance(float) - 1.0),
            seconds: draw.seconds,
            figures: draw.figures,
            float,
        });
    }
    let start = Instant::now();
    report.bound = bounds(source, request)?;
    report.seconds.insert("bound", start.elapsed().as_secs_f64());
    let start = Instant::now();
    if both {
        let batch = drawing.batch(QUANTIZATION_IMAGES, Classes::Cycle);
        report.quantization = quantization::measure(source, &batch)?;
    }
    report.seconds.insert("quantization", start.elapsed().as_secs_f64());
    report.seconds.extend(evaluator.seconds());
    Ok(evaluation)
}

/// What every draw needs.
struct Drawing<'a> {
    source: &'a Source,
    request: &'a Request,
    evaluator: &'a Evaluator,
    classes: usize,
}

impl Drawing<'_> {
    fn batch(&self, count: usize, classes: Classes) -> Batch {
        let guidance = if classes == Classes::Cycle { self.request.guidance } else { Guidance::PLAIN };
        Batch { seed: self.request.seed, first: 0, count, classes, guidance }
    }

    /// The figures of a plan, and its images with classes.
    fn draw(&self, arithmetic: Arithmetic, plan: &NamedPlan) -> Result<(Draw, Vec<f32>)> {
        let (count, conditioned) = (self.request.count, self.classes > 0);
        let start = Instant::now();
        let bar = progress::image_bar(if conditioned { 2 * count } else { count });
        let images =
            |classes| self.source.draw(arithmetic, plan, &self.batch(count, classes), |images| bar.inc(images));
        let unconditional = images(Classes::None)?;
        let with_classes = if conditioned { images(Classes::Cycle)? } else { unconditional.clone() };
        bar.finish_and_clear();
        let seconds = start.elapsed().as_secs_f64();
        if with_classes.iter().chain(&unconditional).any(|v| !v.is_finite()) {
            return Err(Error::Invalid(format!("plan {} draws values that are not numbers ({arithmetic})", plan.name)));
        }
        let asked: Vec<u8> = (0..count).map(|i| (i % CLASSES) as u8).collect();
        let set = Images {
            images: &with_classes,
            asked: conditioned.then_some(&asked),
            unconditional: &unconditional,
            memorised: &with_classes,
        };
        let figures = self.evaluator.figures(&set)?;
        Ok((Draw { seconds, figures }, with_classes))
    }
}

/// [`COLUMNS`] images of each class, class after class, of images with their classes; fewer where there are not so
/// many.
fn by_class((images, classes): (&[f32], &[u8])) -> Vec<f32> {
    let mut all = Vec::new();
    for class in 0..CLASSES as u8 {
        let of_class = images.chunks_exact(IMAGE.len()).zip(classes).filter(|(_, k)| **k == class);
        let mut some: Vec<f32> = of_class.take(COLUMNS).flat_map(|(image, _)| image).copied().collect();
        some.resize(COLUMNS * IMAGE.len(), -1.0);
        all.extend(some);
    }
    all
}

/// The bound of everything that it can be measured of.
fn bounds(source: &Source, request: &Request) -> Result<Bounds> {
    let mut bounds = Bounds::default();
    let Some(config) = &source.config else {
        bounds.note = Some("no variational bound: the model file does not say how it was trained".into());
        return Ok(bounds);
    };
    let timesteps = config.timesteps;
    let wanted = |arithmetic| request.only.is_none_or(|only| only == arithmetic);
    let measure = |denoiser: Denoiser| -> Result<Bound> {
        let bar = progress::image_bar(bound::evaluations(timesteps) as usize);
        let bound = bound::bound(&denoiser, config, request.seed, |images| bar.inc(images))?;
        bar.finish_and_clear();
        Ok(bound)
    };
    if wanted(Arithmetic::Int8) {
        match whole(source, timesteps)? {
            Whole::Plan(file, plan) => bounds.int8 = Some(measure(Denoiser::integer(&file, &plan)?)?),
            Whole::Missing(note) => bounds.note = Some(note),
        }
    }
    if let Some(Run { network, .. }) = source.run.as_ref().filter(|_| wanted(Arithmetic::Float)) {
        bounds.float = Some(measure(Denoiser::Float(network))?);
    }
    Ok(bounds)
}

/// A model and the name of its plan that visits every timestep, or why there is none.
enum Whole<'a> {
    Plan(Cow<'a, OwnedModel>, String),
    Missing(String),
}

fn whole(source: &Source, timesteps: usize) -> Result<Whole<'_>> {
    if let (Some(_), Some(run)) = (&source.exported, &source.run) {
        if timesteps > usize::from(u16::MAX) {
            return Ok(Whole::Missing(format!(
                "no variational bound in int8: a plan cannot visit all {timesteps} timesteps"
            )));
        }
        let file = export::export(&run.checkpoint, &[full_plan(timesteps)], &Default::default())?.file;
        return Ok(Whole::Plan(Cow::Owned(OwnedModel::new(&file)?), FULL.into()));
    }
    let model = source.integer.model();
    let whole = model.plans().find(|plan| visits_all(plan, timesteps)).map(|plan| plan.name().to_owned());
    Ok(match whole {
        Some(plan) => Whole::Plan(Cow::Borrowed(&source.integer), plan),
        None => Whole::Missing(format!(
            "no variational bound in int8: no plan of the file visits all {timesteps} timesteps; evaluate the run's folder, or \
             export with --plan {}",
            full_plan(timesteps)
        )),
    })
}

/// Name of the plan that visits every timestep.
const FULL: &str = "full";

/// That plan.
fn full_plan(timesteps: usize) -> String {
    format!("{FULL}=ddpm:{timesteps}")
}
