//! The integer network follows the float network it was made from.

use brownian::host::{arena_lower_bound, ChainMemory, OwnedModel, PlanSpec, Report};
use brownian::ops::Op;
use brownian::plan::schedule::Schedule;
use brownian::plan::Prediction;
use brownian::{Condition, Guidance, Model, Sampler};
use brownian_trainer::chain::{self, Batch, Classes};
use brownian_trainer::data::{Dataset, Sound};
use brownian_trainer::graph::{Builder, ConvGeometry, Graph, Shape};
use brownian_trainer::lower::calibrate::{calibrate, RangeChoice};
use brownian_trainer::lower::{self, correct, Choices, Export, Measured, WeightBits};
use brownian_trainer::nets;
use brownian_trainer::network::Network;
use brownian_trainer::ops::{
    Activation, Add, ChannelBiasLayer, Concat, ConvLayer, DepthToSpace, Gate, LinearLayer, Upsample,
};
use brownian_trainer::plans::NamedPlan;
use brownian_trainer::run::Config;
use brownian_trainer::train::Trainer;

fn plans_of(specs: &[&str]) -> Vec<NamedPlan> {
    let mut alpha_bar = vec![0.0; 1000];
    Schedule::COSINE.alpha_bars(&mut alpha_bar);
    let specs: Vec<String> = specs.iter().map(|s| s.to_string()).collect();
    let specs = PlanSpec::parse_all(&specs).unwrap();
    specs.iter().map(|spec| NamedPlan::new(spec, Prediction::V, &alpha_bar, &[]).unwrap()).collect()
}

fn network(graph: &Graph, seed: u64) -> Network {
    graph.fold(&graph.params.init(seed), &graph.stats.init(seed)).unwrap()
}

fn export(network: &Network, plans: &[NamedPlan]) -> OwnedModel {
    let ranges = calibrate(network, plans, 1, RangeChoice::LeastError).unwrap();
    let export = Export { name: "test", provenance: "", axes: &[], network, ranges: &ranges, plans };
    OwnedModel::new(&lower::lower(&export, &Measured::default()).unwrap().file).unwrap()
}

/// Root mean square of the difference over that of `exact`.
fn relative_error(exact: &[f32], other: &[f32]) -> f64 {
    let square = |v: f32| f64::from(v) * f64::from(v);
    let difference: f64 = exact.iter().zip(other).map(|(a, b)| square(a - b)).sum();
    (difference / exact.iter().map(|&v| square(v)).sum::<f64>()).sqrt()
}

/// Error of whole chains, from the same noise.
fn chain_error(network: &Network, specs: &[&str]) -> f64 {
    guided_error(network, specs, Guidance::PLAIN)
}

fn guided_error(network: &Network, specs: &[&str], guidance: Guidance) -> f64 {
    let plans = plans_of(specs);
    let file = export(network, &plans);
    let model = Model::parse(file.bytes()).unwrap();
    let classes = if network.is_conditioned() { Classes::Cycle } else { Classes::None };
    let batch = Batch { seed: 11, first: 0, count: 12, classes, guidance };
    let plan = model.plan(&plans[0].name).unwrap();
    let integer = chain::integer(&model, plan, &batch, || ()).unwrap();
    let float = chain::float(network, &plans[0], &batch, |_, _, _| ()).unwrap();
    relative_error(&float, &integer)
}

#[test]
fn presets_follow_the_float_network() {
    for (name, size, classes, bound) in
        [("tiny", 8, 0, 0.12), ("digits28", 28, 10, 0.06), ("digits28-nano", 28, 10, 0.06)]
    {
        let graph = nets::build(name, Shape::new(size, size, 1), &[classes]).unwrap();
        let error = chain_error(&network(&graph, 3), &["ddim:4:noclip"]);
        println!("{name}: relative error of a 4-step chain {error:.4}");
        assert!(error < bound, "{name}: {error}");
    }
}

/// Two evaluations of the integer network follow two of the float network; so does the one of bias guidance, which
/// draws something else.
/// Steps between the timesteps have rows of their own, and a plan that starts from the noise of its level does so on the
/// chip as on the host.
#[test]
fn plans_with_schedules_of_their_own_follow_the_float_network() {
    let graph = nets::build("tiny", Shape::new(8, 8, 1), &[3]).unwrap();
    let network = network(&graph, 3);
    let mut bars = vec![0.0; 50];
    Schedule::Linear { beta_first: 1e-4, beta_last: 0.05 }.alpha_bars(&mut bars);
    let plan = |text: &str| NamedPlan::new(&text.parse().unwrap(), Prediction::V, &bars, &[]).unwrap();
    let plans = ["diffwave:fast6", "quick=ddim:fast6:start=noise", "ddim:5"].map(plan);
    let file = export(&network, &plans);
    let model = Model::parse(file.bytes()).unwrap();
    assert_eq!(model.header().conditioning.time_rows, 6 + 5, "two plans share their six rows");
    let rows = network.plan_bias(&plans[0]);
    assert_eq!(plans[0].times.len(), 6);
    for (row, time) in rows.iter().zip(&plans[0].times) {
        let neighbours = [time.floor(), time.ceil()].map(|t| network.time_bias(t as usize));
        let between = time.fract() > 1e-6;
        assert!(neighbours.iter().all(|neighbour| (neighbour != row) == between), "{time}");
    }
    let batch = Batch { seed: 11, first: 0, count: 12, classes: Classes::Cycle, guidance: Guidance::PLAIN };
    for named in &plans {
        let plan = model.plan(&named.name).unwrap();
        assert_eq!(plan.start(), named.start);
        let integer = chain::integer(&model, plan, &batch, || ()).unwrap();
        let float = chain::float(&network, named, &batch, |_, _, _| ()).unwrap();
        let error = relative_error(&float, &integer);
        assert!(error < 0.12, "{}: {error}", named.name);
    }
    let begun = |name: &str| -> Vec<f32> {
        let mut memory = ChainMemory::new(&model);
        let (arena, state) = memory.split();
        Sampler::builder(&model, model.plan(name).unwrap()).seed(4).start(arena, state).unwrap().x().to_vec()
    };
    let deviation = plans[1].start_deviation();
    assert!((deviation - 0.790).abs() < 1e-3, "{deviation}");
    let [normal, noise] = ["diffwave:fast6", "quick"].map(begun);
    assert!(normal.iter().zip(&noise).all(|(normal, noise)| normal * deviation == *noise));
    let inspected = Report::new(&model, file.bytes().len()).to_string();
    assert!(inspected.contains("plan quick: 6 steps from t = 44 and noise of 0.790, deterministic"), "{inspected}");
}

#[test]
fn both_guidances_follow_the_float_network() {
    let graph = nets::build("tiny", Shape::new(8, 8, 1), &[10]).unwrap();
    let network = network(&graph, 3);
    let bias = |scale| Guidance::new(scale).unwrap();
    let twice = |scale| bias(scale).two_evaluations();
    for guidance in [bias(2.0), twice(2.0)] {
        let error = guided_error(&network, &["ddim:4:noclip"], guidance);
        println!("{guidance:?}: relative error of a 4-step chain {error:.4}");
        assert!(error < 0.15, "{guidance:?}: {error}");
    }
    let plan = &plans_of(&["ddim:4:noclip"])[0];
    let draw = |guidance| {
        let batch = Batch { seed: 11, first: 0, count: 10, classes: Classes::Cycle, guidance };
        chain::float(&network, plan, &batch, |_, _, _| ()).unwrap()
    };
    for scale in [0.0, 1.0] {
        let error = relative_error(&draw(bias(scale)), &draw(twice(scale)));
        assert!(error < 1e-5, "scale {scale} is the same draw: {error}");
    }
    assert!(relative_error(&draw(bias(2.0)), &draw(twice(2.0))) > 1e-3);
}

#[test]
fn other_architectures_need_no_other_format() {
    // A multilayer perceptron.
    let mut g = Builder::new(Shape::new(1, 1, 16)).unwrap();
    let x = g.node("in", LinearLayer(32), &[0]).unwrap();
    let x = g.node("bias", ChannelBiasLayer, &[x]).unwrap();
    let x = g.node("relu", Activation::Relu, &[x]).unwrap();
    let y = g.node("middle", LinearLayer(32), &[x]).unwrap();
    let x = g.node("add", Add, &[y, x]).unwrap();
    g.node("out", LinearLayer(16), &[x]).unwrap();
    let mlp = g.finish(8, 16, &[]).unwrap();

    // A dilated one-dimensional net with enlargement and a standalone bias.
    let mut g = Builder::new(Shape::new(1, 64, 2)).unwrap();
    let stride = ConvGeometry { stride: [1, 2], ..ConvGeometry::line(3, 1) };
    let x = g.node("down", ConvLayer::new(12, stride).normed(true), &[0]).unwrap();
    let skip = g.node("silu", Activation::Silu, &[x]).unwrap();
    let x = g.node("dilated", ConvLayer::new(12, ConvGeometry::line(3, 4)).normed(true), &[skip]).unwrap();
    let x = g.node("bias", ChannelBiasLayer, &[x]).unwrap();
    let x = g.node("add", Add, &[x, skip]).unwrap();
    let x = g.node("up", Upsample { factor: [1, 2] }, &[x]).unwrap();
    let x = g.node("bias2", ChannelBiasLayer, &[x]).unwrap();
    let x = g.node("join", Concat, &[x, 0]).unwrap();
    g.node("out", ConvLayer::new(2, ConvGeometry::line(3, 1)).normed(true), &[x]).unwrap();
    let dilated = g.finish(8, 16, &[3]).unwrap();

    // A depthwise-separable net, whose blocks of pixels reach beyond the image's edge.
    let mut g = Builder::new(Shape::new(11, 11, 1)).unwrap();
    let x = g.node("in", ConvLayer::new(8, ConvGeometry::square(3, 2)).normed(true), &[0]).unwrap();
    let x = g.node("bias", ChannelBiasLayer, &[x]).unwrap();
    let x = g.node("silu", Activation::Silu, &[x]).unwrap();
    let x = g.node("depth", ConvLayer::new(8, ConvGeometry::square(3, 1).depthwise()).normed(true), &[x]).unwrap();
    let x = g.node("silu2", Activation::Silu, &[x]).unwrap();
    let x = g.node("depth5", ConvLayer::new(8, ConvGeometry::square(5, 1).depthwise()).normed(true), &[x]).unwrap();
    let x = g.node("point", ConvLayer::new(4, ConvGeometry::square(1, 1)).normed(true), &[x]).unwrap();
    g.node("unpatchify", DepthToSpace { block: [2; 2], crop: [1; 2] }, &[x]).unwrap();
    let separable = g.finish(8, 16, &[]).unwrap();

    // A block of DiffWave: a gate between dilated convolutions, and its input added back.
    let mut g = Builder::new(Shape::new(1, 64, 1)).unwrap();
    let skip = g.node("in", ConvLayer::new(8, ConvGeometry::line(3, 1)), &[0]).unwrap();
    let x = g.node("bias", ChannelBiasLayer, &[skip]).unwrap();
    let a = g.node("filter", ConvLayer::new(8, ConvGeometry::line(3, 2)), &[x]).unwrap();
    let b = g.node("gates", ConvLayer::new(8, ConvGeometry::line(3, 2)), &[x]).unwrap();
    let x = g.node("gate", Gate, &[a, b]).unwrap();
    let x = g.node("point", ConvLayer::new(8, ConvGeometry::line(1, 1)), &[x]).unwrap();
    let x = g.node("add", Add, &[x, skip]).unwrap();
    g.node("out", ConvLayer::new(1, ConvGeometry::line(3, 1)), &[x]).unwrap();
    let gated = g.finish(8, 16, &[]).unwrap();

    for (name, graph) in [("mlp", mlp), ("dilated", dilated), ("separable", separable), ("gated", gated)] {
        let error = chain_error(&network(&graph, 5), &["ddim:3:noclip"]);
        println!("{name}: relative error of a 3-step chain {error:.4}");
        assert!(error < 0.12, "{name}: {error}");
    }
}

/// A gate is one op, over its first operand where nothing reads that afterwards.
#[test]
fn a_gate_is_one_op_in_place() {
    let mut g = Builder::new(Shape::new(1, 16, 1)).unwrap();
    let a = g.node("filter", ConvLayer::new(4, ConvGeometry::line(3, 1)), &[0]).unwrap();
    let a = g.node("bias", ChannelBiasLayer, &[a]).unwrap();
    let b = g.node("gates", ConvLayer::new(4, ConvGeometry::line(3, 1)), &[0]).unwrap();
    let x = g.node("gate", Gate, &[a, b]).unwrap();
    g.node("out", ConvLayer::new(1, ConvGeometry::line(1, 1)), &[x]).unwrap();
    let graph = g.finish(4, 4, &[]).unwrap();
    let file = export(&network(&graph, 5), &plans_of(&["ddim:3:noclip"]));
    let model = Model::parse(file.bytes()).unwrap();
    let ops: Vec<_> = model.ops().collect();
    assert_eq!(ops.iter().map(|op| op.label()).filter(|label| label == "gate").count(), 1);
    assert_eq!(ops.len(), 4, "{ops:?}");
    assert_eq!(ops[2].output().range(), ops[0].output().range(), "in place");
}

#[test]
fn arena_stays_near_its_lower_bound() {
    for name in ["digits28", "digits28-nano"] {
        let graph = nets::build(name, Shape::new(28, 28, 1), &[10]).unwrap();
        let file = export(&network(&graph, 3), &plans_of(&["ddim:2"]));
        let model = Model::parse(file.bytes()).unwrap();
        let (arena, bound) = (model.arena_len() as f64, f64::from(arena_lower_bound(&model)));
        println!(
            "{name}: arena {arena}, lower bound {bound}, state {} values, file {}",
            model.state_len(),
            file.bytes().len()
        );
        assert!(arena <= 1.1 * bound && bound <= arena, "{name}: {arena} against {bound}");
    }
}

#[test]
fn an_image_does_not_depend_on_its_batch() {
    let graph = nets::build("tiny", Shape::new(8, 8, 1), &[10]).unwrap();
    let file = export(&network(&graph, 9), &plans_of(&["ddpm:5"]));
    let model = Model::parse(file.bytes()).unwrap();
    let plan = model.plan("ddpm5").unwrap();
    let guidance = Guidance::new(1.2).unwrap();
    let batch = Batch { seed: 4, first: 0, count: 9, classes: Classes::Cycle, guidance };
    let all = chain::integer(&model, plan, &batch, || ()).unwrap();
    let mut memory = ChainMemory::new(&model);
    memory.split().1.fill(f32::NAN);
    let (arena, state) = memory.split();
    arena.fill(0x5a);
    let chain = Sampler::builder(&model, plan).seed(4).image(7).class(7).guidance(1.2);
    let mut sampler = chain.start(arena, state).unwrap();
    while sampler.step() {}
    assert_eq!(sampler.x(), &all[7 * 64..8 * 64]);
    assert_ne!(&all[6 * 64..7 * 64], &all[7 * 64..8 * 64]);
}

/// Measured again after the correction, from the same states, hardly any mean error is left at any step.
#[test]
fn bias_correction_takes_back_the_mean_error() {
    let graph = nets::build("tiny", Shape::new(8, 8, 1), &[10]).unwrap();
    let (network, plans) = (network(&graph, 3), plans_of(&["ddim:3:noclip", "ddim:2"]));
    let ranges = calibrate(&network, &plans, 1, RangeChoice::LeastError).unwrap();
    let export = Export { name: "test", provenance: "", axes: &[], network: &network, ranges: &ranges, plans: &plans };
    let plain = OwnedModel::new(&lower::lower(&export, &Measured::default()).unwrap().file).unwrap();
    let before = correct::output_errors(&network, &plans, &plain, 9).unwrap();
    let measured = Measured { output_errors: before.clone(), ..Measured::default() };
    let corrected = OwnedModel::new(&lower::lower(&export, &measured).unwrap().file).unwrap();
    let after = correct::output_errors(&network, &plans, &corrected, 9).unwrap();
    let largest = |rows: &[Vec<f32>]| rows.iter().flatten().fold(0.0f32, |m, e| m.max(e.abs()));
    println!("largest mean error {:.6} becomes {:.6}", largest(&before), largest(&after));
    assert_eq!((before.len(), before[0].len()), (4, 4), "timesteps 1000, 667, 500 and 333; four channels");
    assert!(largest(&after) < 0.1 * largest(&before), "{before:?} becomes {after:?}");
    let (short, long) = (plain.bytes().len(), corrected.bytes().len());
    assert!(long - short < 256, "{short} bytes become {long}");
    let wrong = Measured { output_errors: vec![vec![0.0; 4]; 3], ..Measured::default() };
    assert!(lower::lower(&export, &wrong).is_err(), "rows that do not fit the plans");
}

#[test]
fn four_bit_weights_make_a_smaller_file_that_follows_the_float_network() {
    let graph = nets::build("digits28-nano", Shape::new(28, 28, 1), &[10]).unwrap();
    let (network, plans) = (network(&graph, 3), plans_of(&["ddim:3:noclip"]));
    let batch = Batch { seed: 11, first: 0, count: 8, classes: Classes::Cycle, guidance: Guidance::PLAIN };
    let float = chain::float(&network, &plans[0], &batch, |_, _, _| ()).unwrap();
    let [eight, four] = [WeightBits::Eight, WeightBits::Four].map(|weights| {
        let choices = Choices { weights, ..Choices::default() };
        let lowered = lower::quantize(("test", ""), &network, &plans, 1, &choices).unwrap();
        let file = OwnedModel::new(&lowered.file).unwrap();
        let model = Model::parse(file.bytes()).unwrap();
        let packed = model.ops().filter(|op| op.is_packed()).count();
        let integer = chain::integer(&model, model.plan(&plans[0].name).unwrap(), &batch, || ()).unwrap();
        println!("{weights:?}: {packed} packed ops, {} bytes, arena {}", file.bytes().len(), model.arena_len());
        (packed, file.bytes().len(), relative_error(&float, &integer))
    });
    assert_eq!((eight.0, four.0), (0, 4));
    assert!(four.1 + 10_000 < eight.1, "{} and {} bytes", four.1, eight.1);
    assert!(four.2 < 0.15 && eight.2 < four.2, "errors {} and {}", four.2, eight.2);
}

/// Two inputs of a convolution whose ranges are far apart each keep a scale of their own where they are read together.
#[test]
fn parts_of_a_concatenation_keep_their_scales() {
    let mut g = Builder::new(Shape::new(8, 8, 1)).unwrap();
    let a = g.node("a", ConvLayer::new(4, ConvGeometry::square(3, 1)).normed(true).scaled(0.01), &[0]).unwrap();
    let b = g.node("b", ConvLayer::new(4, ConvGeometry::square(3, 1)).normed(true), &[0]).unwrap();
    let a = g.node("bias", ChannelBiasLayer, &[a]).unwrap();
    let x = g.node("join", Concat, &[a, b]).unwrap();
    g.node("out", ConvLayer::new(1, ConvGeometry::square(3, 1)), &[x]).unwrap();
    let graph = g.finish(8, 16, &[]).unwrap();
    let plans = plans_of(&["ddim:3:noclip"]);
    let network = network(&graph, 5);
    let ranges = calibrate(&network, &plans, 1, RangeChoice::MinMax).unwrap();
    assert!(ranges[3].largest() * 20.0 < ranges[2].largest(), "{ranges:?}");
    let file = export(&network, &plans);
    let model = Model::parse(file.bytes()).unwrap();
    let join = model.ops().last().unwrap();
    assert_eq!((model.ops().count(), join.inputs().count()), (3, 2), "read together, never copied to one scale");
    // On one scale, the smaller part would use fewer than ten integers.
    let mut memory = ChainMemory::new(&model);
    let x: Vec<f32> = (0..64).map(|i| (i as f32 * 0.7).sin() * 3.0).collect();
    let mut spans = Vec::new();
    let ops: Vec<_> = model.ops().collect();
    brownian::host::probe(&model, Condition::NONE, &[], 0, &x, memory.split().0, |op, arena| {
        let values = arena[ops[usize::from(op)].output().range()].iter().map(|&v| v as i8);
        spans.push(i16::from(values.clone().max().unwrap()) - i16::from(values.min().unwrap()));
    })
    .unwrap();
    assert!(spans[..2].iter().all(|&span| span > 30), "{spans:?}");
}

/// Ranges come from where the plan goes: one that ends early sees other values than one that goes all the way.
#[test]
fn calibration_follows_the_plan() {
    let graph = nets::build("tiny", Shape::new(8, 8, 1), &[10]).unwrap();
    let network = network(&graph, 3);
    let state = |specs: &[&str]| calibrate(&network, &plans_of(specs), 1, RangeChoice::MinMax).unwrap()[0];
    let (clipped, free) = (state(&["ddim:5"]), state(&["ddpm:5:noclip"]));
    assert_ne!(clipped, free);
    let both = state(&["ddim:5", "ddpm:5:noclip"]);
    assert_eq!((both.min, both.max), (clipped.min.min(free.min), clipped.max.max(free.max)));
}

/// A network of two convolutions with a channel bias between them, changed by `change`, which gets its parameters by
/// block name.
fn changed(change: impl Fn(&str, &mut [f32])) -> Network {
    let mut g = Builder::new(Shape::new(8, 8, 1)).unwrap();
    let x = g.node("inner", ConvLayer::new(4, ConvGeometry::square(3, 1)), &[0]).unwrap();
    let x = g.node("bias", ChannelBiasLayer, &[x]).unwrap();
    let x = g.node("silu", Activation::Silu, &[x]).unwrap();
    g.node("outer", ConvLayer::new(1, ConvGeometry::square(3, 1)), &[x]).unwrap();
    let graph = g.finish(8, 16, &[2]).unwrap();
    let mut params = graph.params.init(5);
    graph.params.blocks.iter().for_each(|block| change(&block.name, &mut params[block.range.clone()]));
    graph.fold(&params, &[]).unwrap()
}

/// Channel biases far beyond what the weights can reach once were cut off in silence, and so were biases.
#[test]
fn large_biases_are_kept_and_cost_the_weights_bits_with_a_warning() {
    let plans = plans_of(&["ddim:3:noclip"]);
    let tables = changed(|name, values| match name {
        "inner.weight" => values.iter_mut().for_each(|w| *w *= 1e-6),
        "conditioning.classes" => values.iter_mut().enumerate().for_each(|(i, v)| *v = (i as f32 * 0.7).sin()),
        _ => (),
    });
    let biases = changed(|name, values| match name {
        "inner.weight" => values.iter_mut().for_each(|w| *w *= 1e-10),
        "inner.bias" => values.iter_mut().enumerate().for_each(|(i, v)| *v = 1.0 + i as f32),
        _ => (),
    });
    for network in [tables, biases] {
        let ranges = calibrate(&network, &plans, 1, RangeChoice::MinMax).unwrap();
        let export =
            Export { name: "test", provenance: "", axes: &[], network: &network, ranges: &ranges, plans: &plans };
        let warnings = lower::lower(&export, &Measured::default()).unwrap().warnings;
        assert!(
            warnings.iter().any(|w| w.starts_with("layer inner: the biases of 4 of its 4 channels")),
            "{warnings:?}"
        );
        let error = chain_error(&network, &["ddim:3:noclip"]);
        assert!(error < 0.05, "{error}");
    }
    let usual = changed(|_, _| ());
    let ranges = calibrate(&usual, &plans, 1, RangeChoice::MinMax).unwrap();
    let export = Export { name: "test", provenance: "", axes: &[], network: &usual, ranges: &ranges, plans: &plans };
    assert!(lower::lower(&export, &Measured::default()).unwrap().warnings.is_empty());
}

/// Numbers that are not finite once became the scale 1/127.
#[test]
fn numbers_that_are_not_finite_are_errors_of_their_layer() {
    let plans = plans_of(&["ddim:3:noclip"]);
    let error = |network: &Network, ranges: &[lower::Range]| {
        let export = Export { name: "test", provenance: "", axes: &[], network, ranges, plans: &plans };
        lower::lower(&export, &Measured::default()).unwrap_err().to_string()
    };
    let usual = changed(|_, _| ());
    let ranges = calibrate(&usual, &plans, 1, RangeChoice::MinMax).unwrap();
    for (name, layer) in [("inner.weight", "inner"), ("outer.bias", "outer")] {
        let network = changed(|block, values| {
            if block == name {
                values[0] = f32::NAN;
            }
        });
        let found = error(&network, &ranges);
        assert!(found.contains(&format!("layer {layer}: has a weight or a bias")), "{found}");
        let found = calibrate(&network, &plans, 1, RangeChoice::LeastError).unwrap_err().to_string();
        assert!(found.contains(&format!("layer {layer}: its values are infinite")), "{found}");
    }
    for (id, layer) in [(0, "input"), (2, "inner"), (4, "outer")] {
        let mut ranges = ranges.clone();
        ranges[id].max = f32::INFINITY;
        assert!(error(&usual, &ranges).contains(&format!("layer {layer}: its values are infinite")), "{id}");
    }
    let table = changed(|name, values| {
        if name == "conditioning.classes" {
            values[1] = f32::INFINITY;
        }
    });
    assert!(error(&table, &ranges).contains("a channel bias of a timestep or a class is not finite"));
}

/// Moments that cannot be inverted once fell back to nearest rounding without a word.
#[test]
fn four_bits_without_error_compensation_are_a_warning() {
    let (network, plans) = (changed(|_, _| ()), plans_of(&["ddim:3:noclip"]));
    let ranges = calibrate(&network, &plans, 1, RangeChoice::MinMax).unwrap();
    let export = Export { name: "test", provenance: "", axes: &[], network: &network, ranges: &ranges, plans: &plans };
    let warnings = |wrong: bool| {
        let mut moments = lower::windows::collect(&network, &plans, 1, |id| id == 1).unwrap();
        if let Some(moments) = moments[1].as_mut().filter(|_| wrong) {
            moments.add(&[f32::INFINITY; 9]);
        }
        lower::lower(&export, &Measured { moments, ..Measured::default() }).unwrap().warnings
    };
    assert!(warnings(false).is_empty());
    let found = warnings(true);
    assert!(found.len() == 1 && found[0].starts_with("layer inner: the moments"), "{found:?}");
}

/// What no model file holds is found before any training, with the layer's name; sizes beyond 16 bits once became the
/// sizes of another network that looked valid.
#[test]
fn networks_that_no_model_file_holds_are_refused_early() {
    let error = |graph: &Graph| lower::check(graph).unwrap_err().to_string();
    let line = |width: usize, layer: ConvLayer| {
        let mut g = Builder::new(Shape::new(1, width, 1)).unwrap();
        let x = g.node("wide", layer, &[0]).unwrap();
        let x = g.node("bias", ChannelBiasLayer, &[x]).unwrap();
        g.node("out", ConvLayer::new(1, ConvGeometry::line(3, 1)), &[x]).unwrap();
        g.finish(8, 8, &[]).unwrap()
    };
    let plain = ConvLayer::new(1, ConvGeometry::line(3, 1));
    assert!(lower::check(&line(65_535, plain)).is_ok());
    assert!(error(&line(65_540, plain)).contains("layer input: the width of its result is 65540"));
    let channels = error(&line(4, ConvLayer::new(65_540, ConvGeometry::line(1, 1))));
    assert!(channels.contains("layer wide: the channels of its result is 65540"), "{channels}");
    let long = error(&line(65_535, ConvLayer::new(1, ConvGeometry::line(3, 65_536))));
    assert!(long.contains("layer wide: the padding is 65536"), "{long}");
    let digits = nets::build("digits28", Shape::new(320, 320, 1), &[10]).unwrap();
    let macs = error(&digits);
    assert!(macs.contains("multiply-accumulates") && macs.contains("in layer "), "{macs}");
    let deep = "kind = 'mlp'\nwidth = 4\nblocks = 64\nconditioning = { features = 2, hidden = 1 }";
    let deep = nets::Spec::parse(deep).unwrap().build(Shape::new(1, 1, 4), &[]).unwrap();
    assert!(lower::check(&deep).is_ok());
    let mut g = Builder::new(Shape::new(4, 4, 1)).unwrap();
    let mut x = g.node("in", ConvLayer::new(2, ConvGeometry::square(1, 1)), &[0]).unwrap();
    x = g.node("bias", ChannelBiasLayer, &[x]).unwrap();
    for i in 0..260 {
        x = g.node(&format!("c{i}"), ConvLayer::new(2, ConvGeometry::square(1, 1)), &[x]).unwrap();
    }
    g.node("out", ConvLayer::new(1, ConvGeometry::square(1, 1)), &[x]).unwrap();
    assert!(error(&g.finish(2, 1, &[]).unwrap()).contains("262 ops; a model file holds at most 256"));
}

/// A signal's network by its spec: it trains, lowers, and the integer network stays close to the float one.
#[test]
fn a_network_over_signals_trains_and_lowers() {
    let text =
        "kind = 'unet'\npatch = [1, 2]\nchannels = [8, 12, 12]\nblocks = [1, 1, 2]\nkernel = 5\ndilations = [1, 2]\n\
                join = 'concat'\nnorm = 'batch'\nconditioning = { features = 16, hidden = 32 }";
    let shape = Shape::new(1, 64, 1);
    let images: Vec<f32> = (0..32 * 64).map(|i| ((i % 64) as f32 * 0.2 + (i / 64) as f32).sin() * 0.8).collect();
    let data = Dataset { source: "sines".into(), shape, images: images.into(), labels: None, sound: None };
    let network = nets::Choice::Spec(nets::Spec::parse(text).unwrap());
    let config = Config { network, steps: 60, batch: 8, lr: 0.004, ..Config::new("signals", &data) };
    let mut trainer = Trainer::new(config).unwrap();
    for step in 0..60 {
        trainer.train_step(&data, f64::from(step) / 60.0).unwrap();
    }
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let losses = trainer.losses();
    assert!(mean(&losses[40..]) < 0.9 * mean(&losses[..20]), "{losses:?}");
    let network = trainer.network().unwrap();
    let model = export(&network, &plans_of(&["ddim:4"]));
    let blocks: Vec<[u8; 2]> = model
        .model()
        .ops()
        .filter_map(|op| match op {
            Op::SpaceToDepth(op) => Some(op.block),
            Op::DepthToSpace(op) => Some(op.block),
            Op::Upsample(op) => Some(op.block),
            _ => None,
        })
        .collect();
    assert_eq!(blocks, [[1, 2]; 4], "patchify, two enlargements, unpatchify: over width alone");
    let error = chain_error(&network, &["ddim:4"]);
    println!("signals: relative error of a 4-step chain {error:.4}");
    assert!(error < 0.08, "{error}");
}

/// Networks of sound: each trains on signals that are loud in their middle alone, and lowers with its positions as a
/// constant; plans end in the data's units.
#[test]
fn networks_of_sound_train_and_lower() {
    let end = "norm = 'batch'\nconditioning = { features = 16, hidden = 32 }";
    let unet = "kind = 'unet'\npatch = [1, 4]\nchannels = [12, 16]\nblocks = [1, 1]\npositions = 2\njoin = 'concat'\n";
    let diffwave = "kind = 'diffwave'\npatch = 4\nwidth = 12\nlayers = 4\ncycle = 2\nkernel = 3\npositions = 2\n";
    let shape = Shape::new(1, 64, 1);
    let burst =
        |i: usize| if (24..40).contains(&(i % 64)) { (i as f32 * 0.7 + (i / 64) as f32).sin() * 0.3 } else { 0.0 };
    let images: Vec<f32> = (0..32 * 64).map(burst).collect();
    let sound = Some(Sound { rate: 8000, scale: 9.0 });
    let data = Dataset { source: "bursts".into(), shape, images: images.into(), labels: None, sound };
    for text in [unet, diffwave] {
        let network = nets::Choice::Spec(nets::Spec::parse(&format!("{text}{end}")).unwrap());
        let config = Config { network, steps: 80, batch: 8, lr: 0.01, ema: 0.9, ..Config::new("sound", &data) };
        assert_eq!(config.data_scale, 9.0);
        let plans = config.plans(&["ddim:4".into()]).unwrap();
        let mut trainer = Trainer::new(config).unwrap();
        for step in 0..80 {
            trainer.train_step(&data, f64::from(step) / 80.0).unwrap();
        }
        let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
        let losses = trainer.losses();
        assert!(mean(&losses[60..]) < 0.9 * mean(&losses[..20]), "{text} {losses:?}");
        let network = trainer.network().unwrap();
        let file = export(&network, &plans);
        let model = file.model();
        let constants: Vec<usize> = model
            .ops()
            .filter_map(|op| match op {
                Op::Constant(op) => Some(op.output.values()),
                _ => None,
            })
            .collect();
        assert_eq!(constants, [16 * 4], "16 positions of two pairs");
        let batch = Batch { seed: 11, first: 0, count: 12, classes: Classes::None, guidance: Guidance::PLAIN };
        let plan = model.plan(&plans[0].name).unwrap();
        let integer = chain::integer(&model, plan, &batch, || ()).unwrap();
        let float = chain::float(&network, &plans[0], &batch, |_, _, _| ()).unwrap();
        let error = relative_error(&float, &integer);
        println!("{text}: relative error of a 4-step chain {error:.4}");
        assert!(error < 0.12, "{text}: {error}");
        let power = |range: std::ops::Range<usize>| {
            let values = float.chunks_exact(64).flat_map(|signal| &signal[range.clone()]);
            (values.map(|v| v * v).sum::<f32>() / (12 * range.len()) as f32).sqrt()
        };
        let [middle, start] = [power(26..38), power(0..12)];
        assert!((0.05..0.5).contains(&middle) && middle > 1.5 * start, "{text}: {middle} {start}");
    }
}
