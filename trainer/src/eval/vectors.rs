//! The evaluation of a model of vectors: data that are no pictures, and have no evaluator.
use super::bit_bound;
use super::bound;
use super::denoiser::Denoiser;
use super::evaluation::{whole, Request, Whole};
use super::source::{Arithmetic, Origin, Run, Source};
use super::subject::Subject;
use crate::chain::{Batch, Classes};
use crate::data::{heartbeat, recorded, swiss_roll};
use crate::process::Process;
use crate::{Error, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::f64::consts::LN_2;
use std::fmt;

/// What was measured of a model of vectors.
#[derive(Clone, Debug, Serialize)]
pub struct VectorReport {
    /// The file or folder.
    pub model: String,
    /// The data that it was trained on.
    pub data: String,
    /// Vectors of each draw.
    pub count: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// The variational bound in bits a vector, by the arithmetic.
    pub bound: BTreeMap<&'static str, VectorBound>,
    /// Why there is none of the integers.
    pub note: Option<String>,
    /// What is known of the data, in bits a vector: the entropy, which no bound is below.
    pub entropy: Option<f64>,
    /// Bits to add to have the data in unit variance, where they are real numbers.
    pub bits_to_unit_variance: Option<f64>,
    /// The draws of each plan.
    pub plans: Vec<VectorDraw>,
}

/// The bound on −log p(x0) and its terms, in bits a vector; of real numbers that of a density.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct VectorBound {
    /// L_T.
    pub prior: f64,
    /// Σ L_{t−1}.
    pub steps: f64,
    /// L_0.
    pub reconstruction: f64,
    /// The sum.
    pub total: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// Figures of a draw.
#[derive(Clone, Debug, Serialize)]
pub struct VectorDraw {
    /// The plan.
    pub plan: String,
    /// Its steps.
    pub steps: usize,
    /// The arithmetic.
    pub arithmetic: Arithmetic,
    /// What the data say of the draw, by name; nothing for data of one's own.
    pub figures: Vec<(&'static str, f64)>,
}

/// Whether images of this shape are vectors.
pub fn is_vector([height, width, _]: [usize; 3]) -> bool {
    height * width == 1
}

/// Measures a model against the data that it says it was trained on.
///
/// # Errors
/// A model that does not say it, data that cannot be read, or draws that fail.
pub fn evaluate(source: &Source, request: &Request) -> Result<VectorReport> {
    let Some(config) = &source.config else {
        return Err(Error::file(
            &request.model,
            "does not say how it was trained, so there is nothing to compare with",
        ));
    };
    let data = Subject::open(&recorded(&config.data), &config.data_options, None, None)?;
    if data.digest != config.data_digest {
        return Err(Error::file(&request.model, format!("was trained on other data than {} holds now", config.data)));
    }
    let wanted = |arithmetic| request.only.is_none_or(|only| only == arithmetic);
    let (mut bounds, mut note) = (BTreeMap::new(), None);
    if wanted(Arithmetic::Int8) {
        match whole(source, config)? {
            Whole::Plan(file, plan) => {
                _ = bounds.insert("int8", bound_of(&Denoiser::integer(&file, &plan)?, source, &data, request.seed)?);
            }
            Whole::Missing(why) => note = Some(why),
        }
    }
    if let Some(Run { network, .. }) = source.run.as_ref().filter(|_| wanted(Arithmetic::Float)) {
        bounds.insert("float", bound_of(&Denoiser::Float(network), source, &data, request.seed)?);
    }
    let name = &data.train.source[..];
    let test = data.test.images.to_vec();
    let roll = name == "swissroll";
    let mut plans = Vec::new();
    let batch = Batch {
        seed: request.seed,
        first: 0,
        count: request.count,
        classes: Classes::None,
        guidance: brownian::Guidance::PLAIN,
    };
    let arithmetics = [Arithmetic::Int8, Arithmetic::Float];
    let drawn = arithmetics.into_iter().filter(|a| wanted(*a) && (*a == Arithmetic::Int8 || source.run.is_some()));
    for arithmetic in drawn {
        for plan in &source.plans {
            let samples = source.draw(arithmetic, plan, &batch, |_| ())?;
            let figures = figures(name, &samples);
            plans.push(VectorDraw { plan: plan.name.clone(), steps: plan.steps.len(), arithmetic, figures });
        }
    }
    Ok(VectorReport {
        model: request.model.clone(),
        data: name.to_owned(),
        count: request.count,
        seed: request.seed,
        bound: bounds,
        note,
        entropy: match name {
            "heartbeat" => Some(heartbeat::ENTROPY),
            "swissroll" => Some(mean(&swiss_roll::surprise(&test))),
            _ => None,
        },
        bits_to_unit_variance: roll.then(|| swiss_roll::bits_to_unit_variance(&test)),
        plans,
    })
}

fn bound_of(denoiser: &Denoiser, source: &Source, data: &Subject, seed: u64) -> Result<VectorBound> {
    let config = source.config.as_ref().ok_or_else(|| Error::Invalid("a model of unknown training".into()))?;
    if let Process::Binomial(process) = config.process() {
        let test = data.test.binarised();
        let found = bit_bound::bound(denoiser, &process, &test, None, seed, |_| ())?;
        let [prior, steps, reconstruction, total, standard_error] =
            [found.prior, found.steps, found.reconstruction, found.total, found.standard_error].map(|nats| nats / LN_2);
        return Ok(VectorBound { prior, steps, reconstruction, total, standard_error });
    }
    let found = bound::density_bound(denoiser, config, &data.test, seed)?;
    let len = data.test.shape.len() as f64;
    let [prior, steps, reconstruction, total, standard_error] =
        [found.prior, found.steps, found.reconstruction, found.total, found.standard_error].map(|bits| bits * len);
    Ok(VectorBound { prior, steps, reconstruction, total, standard_error })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// What a built-in data set says of samples.
fn figures(data: &str, samples: &[f32]) -> Vec<(&'static str, f64)> {
    match data {
        "heartbeat" => {
            let mut counts = [0.0; heartbeat::PERIOD];
            let sequences = samples.chunks_exact(heartbeat::BITS);
            let total = sequences.len() as f64;
            sequences.filter_map(heartbeat::phase).for_each(|phase| counts[phase] += 1.0);
            let valid = counts.iter().sum::<f64>();
            let shares = counts.map(|count| 100.0 * count / valid.max(1.0));
            let [least, most] =
                [shares.iter().copied().fold(100.0, f64::min), shares.iter().copied().fold(0.0, f64::max)];
            vec![("valid, %", 100.0 * valid / total), ("least phase, %", least), ("most phase, %", most)]
        }
        "swissroll" => {
            let surprise = swiss_roll::surprise(samples);
            // Beyond 4 deviations of the noise the density is that of no point.
            let near = surprise.iter().filter(|bits| **bits < swiss_roll::FAR).count();
            let finite: Vec<f64> = surprise.iter().map(|bits| bits.min(swiss_roll::FAR)).collect();
            vec![("on the roll, %", 100.0 * near as f64 / surprise.len() as f64), ("surprise, bits", mean(&finite))]
        }
        _ => vec![],
    }
}

impl fmt::Display for VectorReport {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "{}, trained on {}; {} draws, seed {}", self.model, self.data, self.count, self.seed)?;
        for (arithmetic, bound) in &self.bound {
            writeln!(
                f,
                "bound, {arithmetic}: {:.3} ± {:.3} bits a vector = L_T {:.4} + ΣL {:.3} + L_0 {:.3}",
                bound.total, bound.standard_error, bound.prior, bound.steps, bound.reconstruction
            )?;
            if let Some(bits) = self.bits_to_unit_variance {
                writeln!(f, "  in unit variance: log p >= {:.3} bits", -(bound.total + bits))?;
            }
        }
        if let Some(note) = &self.note {
            writeln!(f, "{note}")?;
        }
        if let Some(entropy) = self.entropy {
            write!(f, "entropy of the data: {entropy:.3} bits a vector")?;
            match self.bits_to_unit_variance {
                Some(bits) => writeln!(f, "; in unit variance log p = {:.3} bits", -(entropy + bits))?,
                None => writeln!(f)?,
            }
        }
        for draw in &self.plans {
            let figures: Vec<String> = draw.figures.iter().map(|(name, value)| format!("{name} {value:.2}")).collect();
            writeln!(f, "{} ({} steps, {}): {}", draw.plan, draw.steps, draw.arithmetic, figures.join("; "))?;
        }
        Ok(())
    }
}

/// The model of a file or a run, where it is of vectors.
///
/// # Errors
/// Files that cannot be used.
pub fn of_vectors(model: &std::path::Path) -> Result<bool> {
    Ok(is_vector(Origin::of(model)?.shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_tell_true_draws_from_others() {
        let set = heartbeat::train().unwrap().images.to_vec();
        assert_eq!(
            figures("heartbeat", &set),
            [("valid, %", 100.0), ("least phase, %", 20.0), ("most phase, %", 20.0)]
        );
        let noise: Vec<f32> = (0..2000).map(|i| if i * i % 7 < 3 { 1.0 } else { -1.0 }).collect();
        assert_eq!(figures("heartbeat", &noise)[0].1, 0.0);
        let roll = swiss_roll::test().unwrap().images.to_vec();
        let found = figures("swissroll", &roll);
        assert!(found[0].1 > 99.9, "{found:?}");
        let off: Vec<f32> = roll.iter().map(|v| 0.9 * v).collect();
        assert!(figures("swissroll", &off)[0].1 < 30.0);
        assert!(figures("mine", &roll).is_empty());
    }
}
