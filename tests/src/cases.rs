//! Chains beyond the plain draw: every short plan, both guidances, image-to-image, inpainting, saved and resumed.
//!
//! A case is the words that firmware gets and what lies in its [`inputs`](Inputs); the host runs the same words.

use crate::{condition, draw};
use anyhow::{anyhow, ensure, Context, Result};
use brownian::host::{ChainMemory, OwnedModel};
use brownian::{mask_len, with_state_element, Model, Plan, StateElement, StateKind};
use brownian_board::edit::{self, Inputs};
use brownian_board::report::Line;
use brownian_board::request::Request;

/// A plan with more steps than this is no case, so that the tests stay short.
const SHORT: usize = 10;
/// The seed of every case.
pub const SEED: u64 = 3;

/// One chain, as words and inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What [`Request`] reads.
    pub words: String,
    /// Image, mask and snapshot.
    pub inputs: Vec<u8>,
}

/// What a case gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Digest after each step that it makes.
    pub digests: Vec<u32>,
    /// The snapshot that it saves; empty where it saves none.
    pub saved: Vec<u8>,
}

impl Case {
    /// Runs it on the host.
    pub fn run(&self, host: &OwnedModel) -> Result<Outcome> {
        let model = host.model();
        with_state_element!(&model, Element => self.run_as::<Element>(&model))
    }

    fn run_as<E: StateElement>(&self, model: &Model) -> Result<Outcome> {
        let words = self.words.split(' ');
        let request = words.clone().try_fold(Request::default(), Request::word).map_err(|bad| anyhow!("{bad}"))?;
        let mut memory = ChainMemory::new(model);
        let inputs = Inputs::new(&self.inputs, model);
        let (arena, state) = memory.split_as::<E>();
        let sampler = edit::start(&request, model, SEED, inputs, arena, state);
        let mut sampler = sampler.map_err(|refusal| anyhow!("{}: {refusal}", self.words))?;
        let mut outcome = Outcome::default();
        loop {
            if request.save == Some(sampler.steps_done() as u32) {
                edit::tell_snapshot(&sampler, |line| {
                    if let Line::Saved(piece) = line {
                        outcome.saved.extend_from_slice(piece.bytes());
                    }
                });
            }
            if !sampler.step() {
                return Ok(outcome);
            }
            outcome.digests.push(sampler.digest());
        }
    }

    /// The same chain taken up from a snapshot.
    fn resumed(&self, model: &Model, snapshot: &[u8]) -> Self {
        let kept: Vec<&str> = self.words.split(' ').filter(|word| *word == "inpaint=1").collect();
        let mut inputs = self.inputs.clone();
        let [height, width, _] = model.shape();
        inputs.resize(model.sample_len() + mask_len(height * width), 0);
        inputs.extend_from_slice(snapshot);
        let words = [&[format!("resume={}", snapshot.len()).as_str()], &kept[..]].concat().join(" ");
        Self { words, inputs }
    }

    /// Checks that a chain taken up from `snapshot`, which this case saved on some target, ends as this case did.
    pub fn check_resumed(&self, host: &OwnedModel, whole: &Outcome, snapshot: &[u8]) -> Result<()> {
        let tail = self.resumed(&host.model(), snapshot).run(host)?.digests;
        ensure!(!tail.is_empty() && whole.digests.ends_with(&tail), "{}: taken up, it gives other steps", self.words);
        Ok(())
    }
}

/// The cases of a model: the last one takes up what the one before it saved.
pub fn cases(host: &OwnedModel) -> Result<Vec<Case>> {
    let model = host.model();
    let plans: Vec<_> = model.plans().filter(|plan| plan.len() <= SHORT).collect();
    let several = || plans.iter().filter(|plan| plan.len() > 3);
    // One that needs the previous x0_hat, if there is one.
    let bits = model.state_kind() == StateKind::Bits;
    let uses_previous = |plan: &&Plan| !bits && plan.steps().any(|step| step.c != 0.0);
    let multistep = several().filter(|plan| uses_previous(plan)).min_by_key(|plan| plan.len());
    let short = several().min_by_key(|plan| plan.len());
    let Some(plan) = multistep.or(short).map(|plan| plan.name()) else { return Ok(Vec::new()) };
    let inputs = image_and_mask(&model, plan)?;
    let case =
        |words: &str| Case { words: format!("{words} class=seed seeds={SEED}..{}", SEED + 1), inputs: inputs.clone() };
    let mut cases: Vec<Case> = plans.iter().map(|plan| case(&format!("plan={}", plan.name()))).collect();
    // Without classes there is nothing to guide to.
    let guided = model.class_counts().iter().any(|classes| *classes > 0);
    let guidance: &[&str] = if guided { &["guidance=384", "guidance=512 evaluations=2"] } else { &[] };
    for words in guidance.iter().chain(&["from=1", "inpaint=1"]) {
        cases.push(case(&format!("plan={plan} {words}")));
    }
    let noisy = |plan: &&Plan| !bits && plan.steps().take(plan.len() - 1).all(|step| step.sigma != 0.0);
    if let Some(plan) = several().find(noisy) {
        cases.push(case(&format!("plan={} multiply=1", plan.name())));
    }
    let twice = if guided { " guidance=512 evaluations=2" } else { "" };
    let saved = case(&format!("plan={plan}{twice} from=1 inpaint=1 save=2"));
    let snapshot = saved.run(host)?.saved;
    let resumed = saved.resumed(&model, &snapshot);
    cases.extend([saved, resumed]);
    Ok(cases)
}

/// A drawn digit as bytes, and a mask that keeps its upper half.
fn image_and_mask(model: &Model, plan: &str) -> Result<Vec<u8>> {
    let seed = SEED + 1;
    let sample = draw(model, plan, condition(model, seed), seed).context("the image of the cases")?.sample;
    let byte = |value: &f32| ((value + 1.0) * 127.5).round() as u8;
    let [height, width, _] = model.shape();
    let mut mask = vec![0u8; mask_len(height * width)];
    (0..height / 2 * width).for_each(|pixel| mask[pixel / 8] |= 1 << (pixel % 8));
    Ok(sample.iter().map(byte).chain(mask).collect())
}
