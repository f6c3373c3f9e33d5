//! Schedules, and the steps of plans.

use crate::error::refuse;
use brownian::host::PlanSpec;
use brownian::plan::schedule::{self, Schedule};
use brownian::plan::{evenly_kept as kept_evenly, BitStep, Prediction, Step};
use pyo3::prelude::*;
use std::borrow::Cow;

/// The most timesteps of a schedule.
const MOST_TIMESTEPS: usize = 1_000_000;

/// A plan: its name, whether x0_hat is clipped, the standard deviation of x_T, its steps as a model file holds them.
type Built = (String, bool, f32, Cow<'static, [u8]>);

fn table(timesteps: usize, fill: impl FnOnce(&mut [f64])) -> PyResult<Vec<f64>> {
    if !(1..=MOST_TIMESTEPS).contains(&timesteps) {
        return Err(refuse(format!("{timesteps} timesteps: give 1 to {MOST_TIMESTEPS}")));
    }
    let mut table = vec![0.0; timesteps];
    fill(&mut table);
    Ok(table)
}

fn alpha_bars(schedule: Schedule, timesteps: usize) -> PyResult<Vec<f64>> {
    table(timesteps, |alpha_bar| schedule.alpha_bars(alpha_bar))
}

#[pyfunction]
pub fn linear(timesteps: usize, beta_first: f64, beta_last: f64) -> PyResult<Vec<f64>> {
    alpha_bars(Schedule::Linear { beta_first, beta_last }, timesteps)
}

#[pyfunction]
pub fn cosine(timesteps: usize, s: f64, max_beta: f64) -> PyResult<Vec<f64>> {
    alpha_bars(Schedule::Cosine { s, max_beta }, timesteps)
}

#[pyfunction]
pub fn sigmoid(timesteps: usize, start: f64, end: f64, tau: f64, max_beta: f64) -> PyResult<Vec<f64>> {
    alpha_bars(Schedule::Sigmoid { start, end, tau, max_beta }, timesteps)
}

#[pyfunction]
pub fn geometric(timesteps: usize, lowest: f64, highest: f64) -> PyResult<Vec<f64>> {
    alpha_bars(Schedule::Geometric { lowest, highest }, timesteps)
}

#[pyfunction]
pub fn rescale_to_zero_terminal_snr(mut alpha_bar: Vec<f64>) -> Vec<f64> {
    schedule::rescale_to_zero_terminal_snr(&mut alpha_bar);
    alpha_bar
}

#[pyfunction]
pub fn evenly_kept(timesteps: usize) -> PyResult<Vec<f64>> {
    table(timesteps, kept_evenly)
}

fn predicted(name: &str) -> PyResult<Prediction> {
    match name {
        "epsilon" => Ok(Prediction::Epsilon),
        "v" => Ok(Prediction::V),
        "x0" => Ok(Prediction::X0),
        _ => Err(refuse(format!("there is no prediction {name:?}: give epsilon, v or x0"))),
    }
}

#[pyfunction]
pub fn build(spec: &str, prediction: &str, alpha_bar: Vec<f64>, errors: Vec<f64>) -> PyResult<Built> {
    let spec: PlanSpec = spec.parse().map_err(refuse)?;
    let steps = spec.steps(predicted(prediction)?, &alpha_bar, &errors).map_err(refuse)?;
    let deviation = steps.first().map_or(1.0, |step| spec.start.deviation(step.level));
    Ok((spec.name, spec.clip, deviation, steps.iter().flat_map(Step::encode).collect()))
}

#[pyfunction]
pub fn times(spec: &str, alpha_bar: Vec<f64>) -> PyResult<Vec<f64>> {
    let spec: PlanSpec = spec.parse().map_err(refuse)?;
    spec.times(&alpha_bar).map_err(refuse)
}

#[pyfunction]
pub fn build_bits(spec: &str, kept: Vec<f64>, mean: f64) -> PyResult<Built> {
    let spec: PlanSpec = spec.parse().map_err(refuse)?;
    let steps = spec.bit_steps(&kept, mean).map_err(refuse)?;
    Ok((spec.name, false, 1.0, steps.iter().flat_map(BitStep::encode).collect()))
}
