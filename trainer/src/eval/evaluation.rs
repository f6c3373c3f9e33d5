//! A whole evaluation: every plan, in every arithmetic that was asked for.
use super::bit_bound::{self, BitBound};
use super::bound::{self, Bound};
use super::denoiser::{visits_all, Denoiser};
use super::following::Following;
use super::report::{Bounds, Corrupted, Draw, EvaluatorReport, PlanReport};
use super::ruler::{Images, Ruler};
use super::source::{Arithmetic, Run, Source};
use super::subject::Subject;
use super::{corruption, quantization, sound_corruption, Evaluator, Report};
use crate::chain::{Batch, Classes};
use crate::data::{labels, Axis, Sound};
use crate::graph::Shape;
use crate::plans::NamedPlan;
use crate::process::{Binomial, Process};
use crate::report::progress;
use crate::run::Config;
use crate::{export, Error, Result};
use brownian::host::OwnedModel;
use brownian::{Guidance, StateKind};
use std::borrow::Cow;
use std::time::Instant;

/// Chains that quantization errors are measured on.
const QUANTIZATION_IMAGES: usize = 40;
/// Images of each plan that are kept for a page: this many a row.
pub const COLUMNS: usize = 16;
/// The same of sounds, each of which takes more room.
pub const SOUND_COLUMNS: usize = 2;
/// Rows of images on a page, at most.
const ROWS: usize = 16;
/// Rows of a page where there are no classes.
const ROWS_WITHOUT_CLASSES: usize = 8;

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
    /// Shape of an image.
    pub shape: Shape,
    /// What the data are as sound, if they are sound.
    pub sound: Option<Sound>,
    /// Samples of each plan, [`COLUMNS`] a row, of sounds [`SOUND_COLUMNS`]; with classes a row each.
    pub samples: Vec<Vec<f32>>,
    /// Real images in the same order.
    pub real: Vec<f32>,
}

/// The report of what `ruler` says of the data alone, with no plans yet.
///
/// # Errors
/// Figures of too few images.
pub(super) fn references(ruler: &Ruler, data: &Subject, model: String, count: usize, seed: u64) -> Result<Report> {
    Ok(Report {
        model,
        arithmetic: None,
        count,
        seed,
        guidance: 1.0,
        axes: vec![],
        data: data.train.source.clone(),
        images: [data.train.len(), data.test.len()],
        evaluator: ruler.evaluator().map(|evaluator| EvaluatorReport {
            sha256: evaluator.sha256().to_owned(),
            data: evaluator.about().data.clone(),
            test_accuracy: ruler.test_accuracy(),
            axis_test_accuracy: ruler.axis_test_accuracy(),
        }),
        plans: vec![],
        bound: Bounds::default(),
        quantization: vec![],
        real: ruler.real()?,
        griffin_lim: None,
        corrupted: Corrupted(
            corruption::all(ruler.sound())
                .into_iter()
                .map(|corruption| Ok((corruption, ruler.corrupted(&corruption)?)))
                .collect::<Result<_>>()?,
        ),
        seconds: Default::default(),
    })
}

/// Draws and measures against `data`, of which a model over bits is compared with the bits. A model that follows mel
/// spectrograms draws what those of the test recordings say.
///
/// # Errors
/// Draws that fail, or figures that are not numbers.
pub fn evaluate(source: &mut Source, evaluator: Evaluator, data: &Subject, request: &Request) -> Result<Evaluation> {
    let bits = source.integer.model().state_kind() == StateKind::Bits;
    let binarised = bits.then(|| data.binarised());
    let data = binarised.as_ref().unwrap_or(data);
    let axes = match source.classes() {
        0 => vec![],
        _ => evaluator.about().axes.clone(),
    };
    let heads: Vec<usize> = axes.iter().map(|axis| axis.classes.len()).collect();
    let ruler = Ruler::new(Some(evaluator), [&data.train, &data.test], request.count, request.seed)?;
    let following = Following::of(source, &ruler)?;
    if let Some(following) = &following {
        source.follow(following.mels());
    }
    let source = &*source;
    let arithmetic = request.only.unwrap_or(Arithmetic::Int8);
    let both = request.only.is_none() && source.run.is_some();
    let mut report = references(&ruler, data, request.model.clone(), request.count, request.seed)?;
    (report.arithmetic, report.guidance) = (Some(arithmetic), request.guidance.scale().into());
    let (real, labels) = ruler.some_test_images(1000);
    let shape = ruler.shape();
    let labels = labels.filter(|labels| !axes.is_empty() && labels.axes.len() == axes.len());
    let sound = ruler.sound();
    let page = Page::of(shape, sound.is_some());
    let real = page.by_class(&heads, real, labels.as_ref().map(|labels| &labels.values[..]));
    report.axes = axes;
    let mut evaluation = Evaluation { report, shape, sound, samples: vec![], real };
    let report = &mut evaluation.report;
    if let Some(following) = &following {
        report.griffin_lim = Some(following.griffin_lim(&ruler)?);
        let (real, _) = ruler.some_test_images(usize::MAX);
        report.real.log_mel_distance = following.figures(&ruler, real)?.log_mel_distance;
    }
    // A spectrogram says how loud it is to be.
    let level = data.level().filter(|_| following.is_none());
    let following = following.as_ref();
    let drawing = Drawing { source, request, ruler: &ruler, heads: &heads, level, following };
    for plan in &source.plans {
        let (draw, images) = drawing.draw(arithmetic, plan)?;
        evaluation.samples.push(page.by_class(&heads, &images, Some(&drawing.asked())));
        let float = if both { Some(drawing.draw(Arithmetic::Float, plan)?.0) } else { None };
        let distance = |draw: &Draw| draw.figures.frechet_distance.map_or(f64::NAN, |e| e.value);
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
    report.bound = bounds(source, data, request)?;
    report.seconds.insert("bound", start.elapsed().as_secs_f64());
    let start = Instant::now();
    if both {
        let batch = drawing.batch(QUANTIZATION_IMAGES, Classes::Cycle);
        report.quantization = quantization::measure(source, &batch)?;
    }
    report.seconds.insert("quantization", start.elapsed().as_secs_f64());
    report.seconds.extend(ruler.seconds());
    Ok(evaluation)
}

/// What every draw needs.
struct Drawing<'a> {
    source: &'a Source,
    request: &'a Request,
    ruler: &'a Ruler,
    /// The number of classes of each axis; none of a model that draws without.
    heads: &'a [usize],
    /// What the root mean square of a sound is brought to.
    level: Option<f32>,
    /// What the chains follow, if they follow something.
    following: Option<&'a Following>,
}

impl Drawing<'_> {
    fn batch(&self, count: usize, classes: Classes) -> Batch {
        let guidance = if classes == Classes::Cycle { self.request.guidance } else { Guidance::PLAIN };
        Batch { seed: self.request.seed, first: 0, count, classes, guidance }
    }

    /// The classes of the images of a draw with classes, one for each image and axis.
    fn asked(&self) -> Vec<u8> {
        (0..self.request.count).flat_map(|i| cycle(self.heads, i)).collect()
    }

    /// The figures of a plan, and its images with classes.
    fn draw(&self, arithmetic: Arithmetic, plan: &NamedPlan) -> Result<(Draw, Vec<f32>)> {
        let (count, conditioned) = (self.request.count, !self.heads.is_empty());
        let start = Instant::now();
        let bar = progress::image_bar(if conditioned { 2 * count } else { count });
        let images = |classes| -> Result<Vec<f32>> {
            let batch = self.batch(count, classes);
            let mut images = self.source.draw(arithmetic, plan, &batch, |images| bar.inc(images))?;
            if let Some(level) = self.level {
                images.chunks_mut(self.ruler.shape().len()).for_each(|signal| brought_to(level, signal));
            }
            Ok(images)
        };
        let unconditional = images(Classes::None)?;
        let with_classes = if conditioned { images(Classes::Cycle)? } else { unconditional.clone() };
        bar.finish_and_clear();
        let seconds = start.elapsed().as_secs_f64();
        if with_classes.iter().chain(&unconditional).any(|v| !v.is_finite()) {
            return Err(Error::Invalid(format!("plan {} draws values that are not numbers ({arithmetic})", plan.name)));
        }
        let asked = self.asked();
        let set = Images {
            images: &with_classes,
            asked: conditioned.then_some(&asked),
            unconditional: &unconditional,
            memorised: &with_classes,
            followed: None,
        };
        let figures = match self.following {
            Some(following) => following.figures(self.ruler, &with_classes)?,
            None => self.ruler.figures(&set)?,
        };
        Ok((Draw { seconds, figures }, with_classes))
    }
}

/// The classes of image `image` of a draw that cycles through all combinations, as [`Classes::Cycle`] does.
fn cycle(heads: &[usize], image: usize) -> Vec<u8> {
    let counts: Vec<u16> = heads.iter().map(|count| *count as u16).collect();
    let condition = Classes::Cycle.condition(image as u32, &counts, Guidance::PLAIN);
    (0..heads.len()).map(|axis| condition.class_on(axis).unwrap_or(0) as u8).collect()
}

/// Brings a signal to a root mean square, unless it is silent; what is then beyond full scale is clipped.
fn brought_to(level: f32, signal: &mut [f32]) {
    let rms = sound_corruption::rms(signal);
    if rms > 0.0 {
        signal.iter_mut().for_each(|value| *value = (*value * (level / rms)).clamp(-1.0, 1.0));
    }
}

/// How images lie on a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// Values of an image.
    len: usize,
    /// Images of a row.
    columns: usize,
    /// The value of an image that is missing.
    empty: f32,
}

impl Page {
    /// That of pictures of a shape, or of sounds.
    pub(super) fn of(shape: Shape, sound: bool) -> Self {
        let (columns, empty) = if sound { (SOUND_COLUMNS, 0.0) } else { (COLUMNS, -1.0) };
        Self { len: shape.len(), columns, empty }
    }

    /// The images of a page: a row for each combination of classes, the first [`ROWS`], fewer images where there are not
    /// so many; without classes the first images.
    pub(super) fn by_class(self, heads: &[usize], images: &[f32], classes: Option<&[u8]>) -> Vec<f32> {
        let Self { len, columns, empty } = self;
        let Some(classes) = classes.filter(|_| !heads.is_empty()) else {
            return images[..images.len().min(ROWS_WITHOUT_CLASSES * columns * len)].to_vec();
        };
        let mut all = Vec::new();
        for row in (0..heads.iter().product::<usize>().min(ROWS)).map(|row| cycle(heads, row)) {
            let of_class = images.chunks_exact(len).zip(classes.chunks_exact(heads.len())).filter(|(_, k)| **k == row);
            let mut some: Vec<f32> = of_class.take(columns).flat_map(|(image, _)| image).copied().collect();
            some.resize(columns * len, empty);
            all.extend(some);
        }
        all
    }
}

/// What the rows of [`Page::by_class`] show, in words; nothing without classes.
pub(super) fn row_names(axes: &[Axis]) -> Vec<String> {
    if axes.is_empty() {
        return vec![];
    }
    let heads: Vec<usize> = axes.iter().map(|axis| axis.classes.len()).collect();
    let name = |row: usize| labels::named(axes, &cycle(&heads, row));
    (0..heads.iter().product::<usize>().min(ROWS)).map(name).collect()
}

/// The bound of everything that it can be measured of.
fn bounds(source: &Source, data: &Subject, request: &Request) -> Result<Bounds> {
    let mut bounds = Bounds::default();
    let Some(config) = &source.config else {
        bounds.note = Some("no variational bound: the model file does not say how it was trained".into());
        return Ok(bounds);
    };
    if source.integer.model().local_shape().is_some() {
        bounds.note = Some("no variational bound: of a model that follows a local condition it is not measured".into());
        return Ok(bounds);
    }
    let timesteps = config.timesteps;
    let wanted = |arithmetic| request.only.is_none_or(|only| only == arithmetic);
    if let Process::Binomial(process) = config.process() {
        return bit_bounds(source, &process, data, request, config);
    }
    let measure = |denoiser: Denoiser| -> Result<Bound> {
        let sound = data.train.sound.is_some();
        let evaluations = if sound { bound::sound_evaluations(timesteps) } else { bound::evaluations(timesteps) };
        let bar = progress::image_bar(evaluations as usize);
        let bound = match sound {
            true => bound::sound_bound(&denoiser, config, &data.test, request.seed, |sounds| bar.inc(sounds))?,
            false => bound::bound(&denoiser, config, data, request.seed, |images| bar.inc(images))?,
        };
        bar.finish_and_clear();
        Ok(bound)
    };
    if wanted(Arithmetic::Int8) {
        match whole(source, config)? {
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
pub(super) enum Whole<'a> {
    Plan(Cow<'a, OwnedModel>, String),
    Missing(String),
}

pub(super) fn whole<'a>(source: &'a Source, config: &Config) -> Result<Whole<'a>> {
    let timesteps = config.timesteps;
    if let (Some(_), Some(run)) = (&source.exported, &source.run) {
        if timesteps > usize::from(u16::MAX) {
            return Ok(Whole::Missing(format!(
                "no variational bound in int8: a plan cannot visit all {timesteps} timesteps"
            )));
        }
        let file = export::export(&run.checkpoint, &[full_plan(config)], &Default::default())?.file;
        return Ok(Whole::Plan(Cow::Owned(OwnedModel::new(&file)?), FULL.into()));
    }
    let model = source.integer.model();
    let whole = model.plans().find(|plan| visits_all(plan, timesteps)).map(|plan| plan.name().to_owned());
    Ok(match whole {
        Some(plan) => Whole::Plan(Cow::Borrowed(&source.integer), plan),
        None => Whole::Missing(format!(
            "no variational bound in int8: no plan of the file visits all {timesteps} timesteps; evaluate the run's folder, or \
             export with --plan {}",
            full_plan(config)
        )),
    })
}

/// Name of the plan that visits every timestep.
const FULL: &str = "full";

/// That plan.
fn full_plan(config: &Config) -> String {
    let method = if config.process.is_binomial() { "bits" } else { "ddpm" };
    format!("{FULL}={method}:{}", config.timesteps)
}

/// The bound over bits of everything that it can be measured of.
fn bit_bounds(
    source: &Source,
    process: &Binomial,
    data: &Subject,
    request: &Request,
    config: &Config,
) -> Result<Bounds> {
    let mut bounds = Bounds::default();
    let wanted = |arithmetic| request.only.is_none_or(|only| only == arithmetic);
    let labels = data.test.labels.as_ref().filter(|labels| labels.axes == config.axes);
    let measure = |denoiser: Denoiser| -> Result<BitBound> {
        let bar = progress::image_bar(bit_bound::evaluations(process.timesteps(), data.test.shape.len()));
        let bound = bit_bound::bound(&denoiser, process, &data.test, labels, request.seed, |images| bar.inc(images))?;
        bar.finish_and_clear();
        Ok(bound)
    };
    if wanted(Arithmetic::Int8) {
        match whole(source, config)? {
            Whole::Plan(file, plan) => _ = bounds.bits.insert("int8", measure(Denoiser::integer(&file, &plan)?)?),
            Whole::Missing(note) => bounds.note = Some(note),
        }
    }
    if let Some(Run { network, .. }) = source.run.as_ref().filter(|_| wanted(Arithmetic::Float)) {
        bounds.bits.insert("float", measure(Denoiser::Float(network))?);
    }
    Ok(bounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sounds_are_brought_to_their_level() {
        let mut signal = [0.1, -0.1, 0.1, -0.1];
        brought_to(0.15, &mut signal);
        assert!(signal.iter().all(|v| (v.abs() - 0.15).abs() < 1e-6));
        let mut silent = [0.0; 4];
        brought_to(0.15, &mut silent);
        assert_eq!(silent, [0.0; 4]);
    }

    #[test]
    fn rows_are_combinations_of_classes() {
        let axis = |name: &str, classes: &[&str]| Axis {
            name: name.into(),
            classes: classes.iter().map(|class| (*class).to_owned()).collect(),
        };
        let axes = [axis("hair", &["short", "long"]), axis("mouth", &["plain", "happy", "sad"])];
        let names = row_names(&axes);
        assert_eq!(
            (names.len(), &names[0][..], &names[1][..], &names[5][..]),
            (6, "short+plain", "long+plain", "long+sad")
        );
        assert!(row_names(&[]).is_empty());
        let shape = Shape::new(1, 1, 1);
        let images: Vec<f32> = (0..12).map(|i| i as f32 / 12.0).collect();
        let classes: Vec<u8> = (0..12).flat_map(|i| cycle(&[2, 3], i)).collect();
        let page = Page::of(shape, false);
        let found = page.by_class(&[2, 3], &images, Some(&classes));
        assert_eq!(found.len(), 6 * COLUMNS);
        assert_eq!(found[5 * COLUMNS..][..3], [5.0 / 12.0, 11.0 / 12.0, -1.0]);
        assert_eq!(page.by_class(&[], &images, None), images);
        let sounds = Page::of(shape, true).by_class(&[2, 3], &images, Some(&classes));
        assert_eq!(sounds[5 * SOUND_COLUMNS..], [5.0 / 12.0, 11.0 / 12.0]);
        assert_eq!((0..11).map(|i| cycle(&[10], i)[0]).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
    }
}
