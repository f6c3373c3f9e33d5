//! One draw.

use brownian::host::{ChainMemory, Classes, OwnedModel};
use brownian::{with_state_element, Guidance, Sampler, StateElement};
use serde::Deserialize;

#[link(wasm_import_module = "page")]
unsafe extern "C" {
    /// Told after every step: its number from 1, its timestep, the digest of x_t, and where the `len` values of x0_hat lie
    /// that the step believed in, f32 until the call returns.
    safe fn step(number: u32, timestep: u32, digest: u32, values: *const f32, len: usize);
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Name of a plan of the model.
    plan: String,
    /// The seed. A text, since JavaScript's numbers do not hold 64 bits.
    seed: String,
    /// Number of the image within the seed.
    image: u32,
    /// Classes as the command line has them, such as `7`, `glasses+hair=long` or `cycle`; empty for none.
    class: String,
    /// Guidance scale; none for the plain network.
    guidance: Option<f32>,
    /// Whether guidance evaluates the network twice a step.
    two_evaluations: bool,
}

/// Draws and returns the sample, HWC.
///
/// # Errors
/// A plan, seed or class that there is not, or guidance that the model refuses, in one line.
pub fn draw(owned: &OwnedModel, request: &Request) -> Result<Vec<f32>, String> {
    with_state_element!(owned.model(), Element => draw_as::<Element>(owned, request))
}

fn draw_as<E: StateElement>(owned: &OwnedModel, request: &Request) -> Result<Vec<f32>, String> {
    let model = owned.model();
    let plan = owned.plan(&request.plan).map_err(|error| error.to_string())?;
    let seed = request
        .seed
        .parse()
        .map_err(|_| format!("there is no seed {:?}: give a whole number from 0 to {}", request.seed, u64::MAX))?;
    let classes = match request.class.as_str() {
        "" => Classes::None,
        words => Classes::named(words, &model)?,
    };
    let condition = classes.condition(request.image, model.class_counts(), Guidance::PLAIN);
    let mut chain = Sampler::<E>::builder(&model, plan).seed(seed).image(request.image).condition(condition);
    if let Some(scale) = request.guidance {
        chain = chain.guidance(scale);
    }
    if request.two_evaluations {
        chain = chain.two_evaluations();
    }
    let mut memory = ChainMemory::new(&model);
    let mut sampler = memory.start(chain).map_err(|error| error.to_string())?;
    let mut believed = vec![0.0; model.sample_len()];
    while let Some(preview) = sampler.evaluate() {
        believed.iter_mut().zip(preview.x0_hat()).for_each(|(slot, value)| *slot = value);
        let timestep = sampler.next_timestep().unwrap_or(0);
        sampler.step();
        step(sampler.steps_done() as u32, timestep, sampler.digest(), believed.as_ptr(), believed.len());
    }
    Ok(sampler.values().collect())
}
