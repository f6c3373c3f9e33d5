//! What the page must draw, from this host's runtime.

use anyhow::Result;
use brownian::host::{ChainMemory, OwnedModel};
use brownian::{Axis, Condition, Model, Sampler};
use brownian_board::demo::dither::{Dots, SIDE};
use brownian_tests::{condition, draw, golden, shipped_model};
use serde::Serialize;

/// Shipped models that lie beside the page; `web/main.js` offers them.
pub const MODELS: [&str; 7] =
    ["digits28", "digits28-nano", "digits28-bits", "digits28-ncsn", "faces16", "heartbeat", "swissroll"];

/// The model that boards have built in.
const BUILT_IN: &str = "digits28";
/// What the Pico draws in the test: after power-up, after a press, and as the form asks.
const PICO: [(u64, u16, &str); 3] = [(1, 0, "fast5"), (2, 0, "fast5"), (7, 3, "fast3")];

/// All that is compared.
#[derive(Debug, Serialize)]
pub struct Expected {
    /// Draws of every shipped model.
    models: Vec<Drawn>,
    /// Draws of the Pico.
    pico: Vec<Drawn>,
    /// A draw with guidance by two evaluations.
    guided: Drawn,
}

/// One draw.
#[derive(Debug, Serialize)]
struct Drawn {
    model: &'static str,
    plan: String,
    seed: u64,
    /// Classes as the command line has them; empty for none.
    class: String,
    guidance: Option<f32>,
    /// Eight hexadecimal digits a step.
    digests: Vec<String>,
    /// The sample's values as bytes of light; empty where they are not compared.
    light: Vec<u8>,
    /// The square that a display shows, a text a row, `#` where it is lit; empty where it is not compared.
    dots: Vec<String>,
}

/// The draws, and what they give here.
pub fn draws() -> Result<Expected> {
    let mut models = Vec::new();
    for name in MODELS {
        let host = OwnedModel::read(shipped_model(name))?;
        for chain in golden::read(name)?.chains {
            models.push(Drawn {
                model: name,
                class: words(&host.model(), condition(&host.model(), chain.seed)),
                guidance: None,
                digests: chain.digests.split(' ').map(str::to_owned).collect(),
                plan: chain.plan,
                seed: chain.seed,
                light: Vec::new(),
                dots: Vec::new(),
            });
        }
    }
    let host = OwnedModel::read(shipped_model(BUILT_IN))?;
    let model = host.model();
    let pico = PICO.iter().map(|&(seed, class, plan)| {
        let chain = draw(&model, plan, Condition::class(class), seed)?;
        Ok(drawn((seed, class, plan), None, &model, &chain.digests, &chain.sample))
    });
    Ok(Expected { models, pico: pico.collect::<Result<_>>()?, guided: guided(&host)? })
}

/// The classes of a condition as the command line has them.
fn words(model: &Model, condition: Condition) -> String {
    let word = |axis: Axis| {
        let class = condition.class_on(axis.index())?;
        Some(format!("{}={}", axis.name(), axis.classes().nth(class.into())?))
    };
    model.axes().filter_map(word).collect::<Vec<_>>().join("+")
}

fn guided(host: &OwnedModel) -> Result<Drawn> {
    let (seed, class, name, scale) = (5, 8, "fast5", 1.5);
    let model = host.model();
    let mut memory = ChainMemory::new(&model);
    let chain = Sampler::builder(&model, host.plan(name)?).seed(seed).class(class).guidance(scale).two_evaluations();
    let mut sampler: Sampler = memory.start(chain)?;
    let mut digests = Vec::new();
    while sampler.step() {
        digests.push(sampler.digest());
    }
    Ok(drawn((seed, class, name), Some(scale), &model, &digests, sampler.x()))
}

fn drawn(
    (seed, class, plan): (u64, u16, &str),
    guidance: Option<f32>,
    model: &Model,
    digests: &[u32],
    sample: &[f32],
) -> Drawn {
    let dots = Dots::of_image(sample.iter().copied(), model.shape());
    let corner = [dots.width(), dots.height()].map(|side| (SIDE - side) / 2);
    let is_light = |x: usize, y: usize| {
        x.checked_sub(corner[0]).zip(y.checked_sub(corner[1])).is_some_and(|(x, y)| dots.is_light(x, y))
    };
    let row = |y| (0..SIDE).map(|x| if is_light(x, y) { '#' } else { '.' }).collect();
    Drawn {
        model: BUILT_IN,
        plan: plan.into(),
        seed,
        class: class.to_string(),
        guidance,
        digests: digests.iter().map(|digest| format!("{digest:08x}")).collect(),
        light: sample.iter().map(|value| ((f64::from(*value) + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8).collect(),
        dots: (0..SIDE).map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firmware::root;
    use brownian::host::Classes;

    /// A class a label axis, by its name.
    #[test]
    fn a_condition_is_said_as_the_command_line_takes_it() {
        for (name, seed, expected) in [("digits28", 13, "class=3"), ("swissroll", 1, "")] {
            let host = OwnedModel::read(shipped_model(name)).unwrap();
            assert_eq!(words(&host.model(), condition(&host.model(), seed)), expected);
        }
        let faces = OwnedModel::read(shipped_model("faces16")).unwrap();
        let model = faces.model();
        let wanted = condition(&model, 5);
        assert_eq!(Classes::named(&words(&model, wanted), &model), Ok(Classes::One(wanted)));
        assert_eq!(model.axes().count(), 3);
    }

    /// The page offers what is copied beside it.
    #[test]
    fn the_page_offers_these_models() {
        let main = std::fs::read_to_string(root().join("tools/page/web/main.js")).unwrap();
        let list = MODELS.map(|name| format!("'{name}'")).join(", ");
        assert!(main.contains(&format!("const SHIPPED = [{list}];")), "{list}");
    }
}
