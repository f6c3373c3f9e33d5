//! Images a second of the integer chain and of the float chain on one thread, for the digits28 network:
//! `cargo run --release -p brownian-trainer --features examples --example host_speed`.
//!
//! The weights are random; the time does not depend on them.

use brownian::host::{OwnedModel, PlanSpec};
use brownian::plan::schedule::Schedule;
use brownian::plan::Prediction;
use brownian::{Guidance, Model};
use brownian_trainer::chain::{self, Batch, Classes};
use brownian_trainer::graph::Shape;
use brownian_trainer::lower::{
    self,
    calibrate::{calibrate, RangeChoice},
    Export,
};
use brownian_trainer::nets;
use brownian_trainer::plans::NamedPlan;
use std::time::Instant;

const IMAGES: usize = 64;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global()?;
    let graph = nets::build("digits28", Shape::new(28, 28, 1), &[10])?;
    let network = graph.fold(&graph.params.init(3), &graph.stats.init(3))?;
    let mut alpha_bar = vec![0.0; 1000];
    Schedule::COSINE.alpha_bars(&mut alpha_bar);
    let spec = PlanSpec::parse_all(&["ddim:10".to_string()])?;
    let plans =
        spec.iter().map(|s| NamedPlan::new(s, Prediction::V, &alpha_bar, &[])).collect::<Result<Vec<_>, _>>()?;
    let ranges = calibrate(&network, &plans, 1, RangeChoice::LeastError)?;
    let export =
        Export { name: "host_speed", provenance: "", axes: &[], network: &network, ranges: &ranges, plans: &plans };
    let file = OwnedModel::new(&lower::lower(&export, &lower::Measured::default())?.file)?;
    let model = Model::parse(file.bytes()).map_err(|e| format!("{e:?}"))?;
    let plan = model.plan(&plans[0].name).ok_or("the plan is there")?;
    let batch = Batch { seed: 1, first: 0, count: IMAGES, classes: Classes::Cycle, guidance: Guidance::PLAIN };
    let (mut integer, mut float) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        chain::integer(&model, plan, &batch, || ())?;
        integer = integer.min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        chain::float(&network, &plans[0], &batch, |_, _, _| ())?;
        float = float.min(start.elapsed().as_secs_f64());
    }
    let rate = |seconds: f64| IMAGES as f64 / seconds;
    println!("10-step chains, one thread, best of {ROUNDS}: {:.1} images/s in integers,", rate(integer));
    println!("{:.1} images/s in floats, {:.2} times as fast", rate(float), float / integer);
    Ok(())
}
