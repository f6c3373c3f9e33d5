//! Pictures of any origin in the place of samples, compared with others by the same figures.
use super::evaluation::{references, Evaluation, Page};
use super::report::PlanReport;
use super::ruler::{Images, Ruler};
use super::subject::Subject;
use super::Evaluator;
use crate::data::Dataset;
use crate::{Error, Result};

/// Checks that pictures can be compared with a reference.
///
/// # Errors
/// Pictures of another shape than the reference's or than the evaluator is made for.
pub fn check(pictures: &Dataset, evaluator: Option<&Evaluator>, reference: &Subject) -> Result<()> {
    let shape = reference.train.shape;
    if pictures.shape != shape {
        let what = format!("holds images of {}, but {} such of {shape}", pictures.shape, reference.train.source);
        return Err(Error::file(&pictures.source, what));
    }
    let rates = [&pictures.sound, &reference.train.sound].map(|sound| sound.map(|sound| sound.rate));
    if let [Some(rate), Some(wanted)] = rates {
        if rate != wanted {
            let what = format!(
                "holds {rate} samples a second, but {} {wanted}; --rate {wanted} resamples them",
                reference.train.source
            );
            return Err(Error::file(&pictures.source, what));
        }
    }
    if let Some(evaluator) = evaluator.filter(|evaluator| evaluator.about().shape() != shape) {
        let what = format!("holds images of {shape}, but the evaluator reads such of {}", evaluator.about().shape());
        return Err(Error::file(&reference.train.source, what));
    }
    let hears = evaluator.and_then(|evaluator| evaluator.about().sound).map(|sound| sound.rate);
    if evaluator.is_some() && hears != rates[1] {
        let of = |rate: Option<u32>| match rate {
            Some(rate) => format!("sounds of {rate} samples a second"),
            None => "pictures".to_owned(),
        };
        let what = format!("holds {}, but the evaluator reads {}", of(rates[1]), of(hears));
        return Err(Error::file(&reference.train.source, what));
    }
    Ok(())
}

/// Compares `pictures` with `reference`; without an evaluator by the figures that need none.
///
/// # Errors
/// As [`check`], and too few pictures.
pub fn compare(pictures: &Dataset, evaluator: Option<Evaluator>, reference: &Subject, seed: u64) -> Result<Evaluation> {
    check(pictures, evaluator.as_ref(), reference)?;
    let shape = reference.train.shape;
    let count = pictures.len();
    let ruler = Ruler::new(evaluator, [&reference.train, &reference.test], count, seed)?;
    let mut report = references(&ruler, reference, pictures.source.clone(), count, seed)?;
    let images = pictures.images.to_vec();
    let asked = pictures.labels.as_ref().filter(|labels| Some(&labels.axes) == ruler.train_labels().map(|l| &l.axes));
    let asked = asked.map(|labels| &labels.values[..]);
    let set = Images { images: &images, asked, unconditional: &images, memorised: &images, followed: None };
    let figures = ruler.figures(&set)?;
    let plan = PlanReport { name: String::new(), steps: 0, seconds: 0.0, figures, float: None, frechet_change: None };
    report.plans.push(plan);
    report.seconds.extend(ruler.seconds());
    let (real, _) = ruler.some_test_images(1000);
    let some = |images: &[f32]| Page::of(shape, ruler.sound().is_some()).by_class(&[], images, None);
    Ok(Evaluation { shape, sound: ruler.sound(), samples: vec![some(&images)], real: some(real), report })
}
