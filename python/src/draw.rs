//! The chains of a draw, on several threads.

use crate::error::refuse;
use crate::request::Request;
use brownian::host::ChainMemory;
use brownian::{with_state_element, Model, SamplerError, StateElement};
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// The samples, `[count][height][width][channels]`.
pub fn samples(py: Python, model: &Model, request: &Request) -> PyResult<Vec<f32>> {
    with_state_element!(model, Element => each(py, model, request, model.sample_len(), |index, memory, out| {
        let mut sampler = request.start::<Element>(model, index, memory)?;
        while sampler.step() {}
        fill(out, sampler.values());
        Ok(())
    }))
}

/// x0_hat of every step, `[count][steps][height][width][channels]`.
pub fn previews(py: Python, model: &Model, request: &Request) -> PyResult<Vec<f32>> {
    let values = model.sample_len();
    let len = values * request.steps();
    with_state_element!(model, Element => each(py, model, request, len, |index, memory, out| {
        let mut sampler = request.start::<Element>(model, index, memory)?;
        for out in out.chunks_mut(values) {
            if let Some(preview) = sampler.evaluate() {
                fill(out, preview.x0_hat());
            }
            sampler.step();
        }
        Ok(())
    }))
}

/// The digest of x_t after every step, `[count][steps]`.
pub fn digests(py: Python, model: &Model, request: &Request) -> PyResult<Vec<u32>> {
    with_state_element!(model, Element => each(py, model, request, request.steps(), |index, memory, out| {
        let mut sampler = request.start::<Element>(model, index, memory)?;
        for slot in out {
            sampler.step();
            *slot = sampler.digest();
        }
        Ok(())
    }))
}

fn fill(out: &mut [f32], values: impl Iterator<Item = f32>) {
    out.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
}

/// What a thread ended with.
enum Stop {
    Refused(SamplerError),
    Signal(PyErr),
}

/// Calls `run` for every image of a request with its number and its `len` values of the result. The interpreter is free
/// meanwhile; a signal, such as that of Ctrl-C, is met after the image that this thread is at.
fn each<T: Copy + Default + Send>(
    py: Python,
    model: &Model,
    request: &Request,
    len: usize,
    run: impl Fn(usize, &mut ChainMemory, &mut [T]) -> Result<(), SamplerError> + Sync,
) -> PyResult<Vec<T>> {
    // A chain that cannot start is refused before there is memory for all.
    with_state_element!(model, Element => check::<Element>(model, request)).map_err(refuse)?;
    let mut results: Vec<T> = Vec::new();
    let all = len.saturating_mul(request.count);
    let too_many = |_| refuse(format!("{} images do not fit in memory", request.count));
    results.try_reserve_exact(all).map_err(too_many)?;
    results.resize(all, T::default());
    let images = Mutex::new(results.chunks_mut(len).enumerate());
    let (stopped, stop) = (AtomicBool::new(false), Mutex::new(None));
    let work = |after: &dyn Fn() -> Result<(), Stop>| {
        let mut memory = ChainMemory::new(model);
        while !stopped.load(Ordering::Relaxed) {
            let next = images.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, out)) = next else { break };
            if let Err(reason) = run(index, &mut memory, out).map_err(Stop::Refused).and_then(|()| after()) {
                stop.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
                stopped.store(true, Ordering::Relaxed);
            }
        }
    };
    py.detach(|| {
        thread::scope(|scope| {
            for _ in 1..request.threads {
                scope.spawn(|| work(&|| Ok(())));
            }
            work(&|| Python::attach(|py| py.check_signals()).map_err(Stop::Signal));
        });
    });
    match stop.into_inner().unwrap_or_else(PoisonError::into_inner) {
        None => Ok(results),
        Some(Stop::Refused(error)) => Err(refuse(error)),
        Some(Stop::Signal(error)) => Err(error),
    }
}

fn check<E: StateElement>(model: &Model, request: &Request) -> Result<(), SamplerError> {
    let mut memory = ChainMemory::new(model);
    request.start::<E>(model, 0, &mut memory).map(drop)
}
