//! Graphs of every kind of node: shapes, counts, and the folded network against the training pass.
use brownian_trainer::autograd::{Parameters, Tape};
use brownian_trainer::graph::{Builder, ConvGeometry, Graph, Shape};
use brownian_trainer::nets::{self, NormName, Spec, UNet, Variation};
use brownian_trainer::ops::{
    Activation, Add, ChannelBiasLayer, Concat, ConvLayer, DepthToSpace, LinearLayer, SpaceToDepth, Upsample,
};
use brownian_trainer::train::{forward, Batch};

/// A network with every kind of node.
fn everything() -> Graph {
    let mut g = Builder::new(Shape::new(8, 8, 2)).unwrap();
    let x = g.node("deep", SpaceToDepth { block: [2; 2], pad: [0; 2] }, &[0]).unwrap();
    let x = g.node("dense", ConvLayer::new(6, ConvGeometry::square(3, 1)).normed(true), &[x]).unwrap();
    let x = g.node("bias1", ChannelBiasLayer, &[x]).unwrap();
    let skip = g.node("silu", Activation::Silu, &[x]).unwrap();
    let x =
        g.node("depthwise", ConvLayer::new(0, ConvGeometry::square(3, 1).depthwise()).normed(true), &[skip]).unwrap();
    let x = g.node("down", ConvLayer::new(10, ConvGeometry::square(3, 2)), &[x]).unwrap();
    let x = g.node("bias2", ChannelBiasLayer, &[x]).unwrap();
    let x = g.node("relu", Activation::Relu, &[x]).unwrap();
    let x = g.node("up", Upsample::TWICE, &[x]).unwrap();
    let x = g.node("concat", Concat, &[x, skip]).unwrap();
    let x = g.node("narrow", ConvLayer::new(6, ConvGeometry::square(1, 1)).normed(true), &[x]).unwrap();
    let x = g.node("add", Add, &[x, skip]).unwrap();
    let x = g.node("out", ConvLayer::new(8, ConvGeometry::square(3, 1)), &[x]).unwrap();
    g.node("wide", DepthToSpace { block: [2; 2], crop: [0; 2] }, &[x]).unwrap();
    g.finish(8, 12, &[3]).unwrap()
}

/// A dilated net over signals of length 24.
fn line() -> Graph {
    let mut g = Builder::new(Shape::new(1, 24, 2)).unwrap();
    let mut x = g.node("in", ConvLayer::new(6, ConvGeometry::line(3, 1)).normed(true), &[0]).unwrap();
    for (name, dilation) in [("a", 2), ("b", 4)] {
        let h = g.node(&format!("{name}.silu"), Activation::Silu, &[x]).unwrap();
        let h = g
            .node(&format!("{name}.conv"), ConvLayer::new(6, ConvGeometry::line(3, dilation)).normed(true), &[h])
            .unwrap();
        let h = g.node(&format!("{name}.bias"), ChannelBiasLayer, &[h]).unwrap();
        x = g.node(&format!("{name}.add"), Add, &[h, x]).unwrap();
    }
    g.node("out", ConvLayer::new(2, ConvGeometry::line(3, 1)), &[x]).unwrap();
    g.finish(8, 12, &[]).unwrap()
}

/// A multilayer perceptron over points of 3 values.
fn perceptron() -> Graph {
    let mut g = Builder::new(Shape::new(1, 1, 3)).unwrap();
    let x = g.node("in", LinearLayer(16), &[0]).unwrap();
    let x = g.node("bias", ChannelBiasLayer, &[x]).unwrap();
    let x = g.node("silu", Activation::Silu, &[x]).unwrap();
    let x = g.node("middle", LinearLayer(16), &[x]).unwrap();
    let x = g.node("relu", Activation::Relu, &[x]).unwrap();
    g.node("out", LinearLayer(3), &[x]).unwrap();
    g.finish(8, 12, &[4]).unwrap()
}

/// In a training pass the norms use the batch's own statistics; folded with these, the network must give the same
/// output.
fn folded_equals_training(graph: &Graph) {
    let batch = 5;
    let params: Vec<f32> =
        graph.params.init(3).iter().enumerate().map(|(i, p)| p + 0.1 * (i as f32 * 0.37).sin()).collect();
    let x: Vec<f32> = (0..batch * graph.input.len()).map(|i| (i as f32 * 0.61).sin()).collect();
    let timesteps = [1, 40, 300, 999, 1000];
    // The axes take turns with classes and null classes at different speeds.
    let spec = &graph.conditioning;
    let rows: Vec<usize> = (0..batch)
        .flat_map(|i| {
            let row = move |axis: usize| spec.first_row(axis) + i / (axis + 1) % (spec.classes[axis] + 1);
            (0..spec.axes()).map(row)
        })
        .collect();
    let mut tape = Tape::default();
    let held = tape.hold(x.clone().into(), batch, graph.input);
    let times = timesteps.map(|t| t as f64);
    let locals: Vec<f32> = (0..batch * graph.local().map_or(0, Shape::len)).map(|i| (i as f32 * 0.3).sin()).collect();
    let local = graph.local().map(|shape| tape.hold(locals.clone().into(), batch, shape));
    let inputs = Batch { x: (held, false), local, timesteps: &times, class_rows: &rows, plan_row: 0, rounding: None };
    let output = forward(graph, &mut tape, &Parameters::new(params.clone()), inputs);
    let network = graph.fold(&params, &output.stats).unwrap();
    let without_norms = graph.folded(vec![]);
    let values = graph.folded_params(&without_norms, &params, &output.stats).unwrap();
    let again = without_norms.fold(&values, &[]).unwrap();
    assert!(
        again.nodes() == network.nodes() && again.params[..network.params.len()] == network.params[..],
        "a network folds into one without norms that computes the same"
    );

    let columns: Vec<f32> = timesteps
        .iter()
        .zip(rows.chunks(spec.axes()))
        .flat_map(|(t, rows)| network.bias(*t, &spec.condition(rows)).unwrap())
        .collect();
    let mut seen = Vec::new();
    let f = network.forward(&x, &columns, &locals, |id, values| seen.push((id, values.len()))).unwrap();
    let expected: Vec<(usize, usize)> =
        graph.nodes.iter().enumerate().map(|(id, n)| (id, batch * n.shape.len())).collect();
    assert_eq!(seen, expected, "every node is handed out once, in order");
    for (i, (found, expected)) in f.iter().zip(output.f.values()).enumerate() {
        assert!((found - expected).abs() < 2e-4 * (1.0 + expected.abs()), "value {i}: {found} instead of {expected}");
    }
}

#[test]
fn folding_changes_nothing() {
    for graph in [everything(), line(), perceptron(), nets::build("tiny", Shape::new(8, 8, 1), &[2, 3, 4]).unwrap()] {
        folded_equals_training(&graph);
    }
    for name in nets::NAMES {
        let of_sound = matches!(name, "speech" | "speech-half" | "diffwave" | "vocoder");
        let input = if of_sound { Shape::new(1, 256, 1) } else { Shape::new(28, 28, 1) };
        folded_equals_training(&nets::build(name, input, &[10]).unwrap());
    }
    let changed = Variation { norm: Some(NormName::None), width: 2.0, blocks: Some(2) };
    let tiny = changed.of(&nets::preset("tiny", Shape::new(28, 28, 1)).unwrap()).unwrap();
    folded_equals_training(&tiny.build(Shape::new(8, 8, 1), &[3]).unwrap());
}

#[test]
fn presets_have_their_sizes() {
    let digits = nets::build("digits28", Shape::new(28, 28, 1), &[10]).unwrap();
    assert_eq!((digits.weight_count(), digits.macs()), (113_168, 8_501_696));
    let nano = nets::build("digits28-nano", Shape::new(28, 28, 1), &[10]).unwrap();
    assert_eq!((nano.weight_count(), nano.macs()), (29_860, 2_342_592));
    let preset = nets::preset("digits28", Shape::new(28, 28, 1)).unwrap();
    let varied = |variation: Variation| variation.of(&preset).unwrap().build(Shape::new(28, 28, 1), &[10]).unwrap();
    assert_eq!(varied(Variation::default()), digits);
    let bare = varied(Variation { norm: Some(NormName::None), ..Variation::default() });
    assert_eq!((bare.weight_count(), bare.stats.len()), (113_168, 0));
    // 20 and 48 channels become 16 and 36, 15 being rounded up to 16.
    let narrow = varied(Variation { width: 0.75, ..Variation::default() });
    let channels = |graph: &Graph, name: &str| graph.nodes.iter().find(|n| n.name == name).unwrap().shape.channels;
    assert_eq!([channels(&narrow, "stem"), channels(&narrow, "down")], [16, 36]);
    let deep = varied(Variation { blocks: Some(3), ..Variation::default() });
    assert_eq!(deep.weight_count() - digits.weight_count(), 2 * (9 * 48 * 48 + 48));
    assert_eq!(nets::build("huge", Shape::new(28, 28, 1), &[10]).unwrap_err().exit_code(), 2);
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let mut g = Builder::new(Shape::new(6, 6, 3)).unwrap();
    assert!(g.node("a", SpaceToDepth { block: [4; 2], pad: [0; 2] }, &[0]).is_err());
    assert!(g.node("a", DepthToSpace { block: [2; 2], crop: [0; 2] }, &[0]).is_err());
    assert!(g.node("a", ConvLayer::new(4, ConvGeometry::square(9, 1)), &[0]).is_ok());
    assert!(g.node("a", ConvLayer::new(4, ConvGeometry::square(3, 1)), &[0]).is_err(), "the name is taken");
    assert!(g.node("b", ConvLayer::new(0, ConvGeometry::square(3, 1)), &[0]).is_err());
    assert!(g.node("b", ConvLayer::new(4, ConvGeometry { pad: [3, 3], ..ConvGeometry::square(3, 1) }), &[0]).is_err());
    assert!(g
        .node("b", ConvLayer::new(4, ConvGeometry { stride: [0, 1], ..ConvGeometry::square(3, 1) }), &[0])
        .is_err());
    assert!(g.node("b", ConvLayer::new(4, ConvGeometry { pad: [0, 0], ..ConvGeometry::square(7, 1) }), &[0]).is_err());
    let small = g.node("small", ConvLayer::new(3, ConvGeometry::square(3, 2)), &[0]).unwrap();
    assert!(g.node("sum", Add, &[0, small]).is_err() && g.node("join", Concat, &[0, small]).is_err());
    assert!(g.finish(8, 8, &[]).is_err(), "the output is smaller than the input");
    assert!(Builder::new(Shape::new(0, 4, 1)).is_err());
    let g = Builder::new(Shape::new(4, 4, 1)).unwrap();
    assert!(g.finish(8, 8, &[]).is_err(), "no channel bias");
}

#[test]
fn classes_and_lengths_are_checked() {
    let graph = everything();
    let network = graph.fold(&graph.params.init(0), &graph.stats.init(0)).unwrap();
    assert!(network.class_bias(&[Some(2)]).is_ok() && network.class_bias(&[]).is_ok());
    assert_eq!(network.class_bias(&[Some(3)]).unwrap_err().exit_code(), 2);
    assert_eq!(network.time_bias(7).len(), network.bias_columns());
    assert!(network.forward(&[0.0; 100], &[], &[], |_, _| ()).is_err());
    assert!(graph.fold(&[0.0; 3], &[]).is_err());
}

/// A U-Net of `tiny`'s kind with these levels over `input`.
fn levels(patch: [usize; 2], channels: &[usize], change: impl Fn(&mut UNet)) -> Spec {
    let Spec::UNet(mut net) = nets::preset("tiny", Shape::new(28, 28, 1)).unwrap() else {
        panic!("tiny is of another kind")
    };
    (net.patch, net.channels, net.blocks) = (patch, channels.to_vec(), vec![1; channels.len()]);
    change(&mut net);
    Spec::UNet(net)
}

/// One to four levels, signals, sizes that come down to 1, and vectors.
#[test]
fn specs_of_every_kind_fold() {
    let cases: [(Spec, Shape); 11] = [
        // Sizes that patches and levels do not divide.
        (levels([2, 2], &[4, 8], |_| ()), Shape::new(7, 5, 1)),
        (levels([2, 2], &[4, 4, 8], |net| net.join = nets::Join::Add), Shape::new(27, 31, 3)),
        (levels([1, 4], &[4, 8], |_| ()), Shape::new(1, 30, 2)),
        (levels([2, 2], &[4], |_| ()), Shape::new(6, 10, 1)),
        (levels([1, 1], &[4, 8, 8], |net| net.blocks = vec![2, 1, 2]), Shape::new(12, 8, 2)),
        (levels([2, 2], &[4, 4, 8, 8], |net| net.join = nets::Join::Add), Shape::new(16, 32, 1)),
        (levels([1, 4], &[4, 8, 8], |net| (net.kernel, net.dilations) = (5, vec![1, 2, 4])), Shape::new(1, 64, 2)),
        (levels([1, 1], &[4, 8], |net| net.dilations = vec![2]), Shape::new(12, 1, 1)),
        // The height is 1 at the lowest level but one.
        (levels([2, 2], &[4, 4, 4], |_| ()), Shape::new(4, 16, 1)),
        (levels([3, 2], &[4, 4], |net| net.norm = NormName::None), Shape::new(18, 8, 1)),
        (
            Spec::parse("kind = 'mlp'\nwidth = 16\nblocks = 2\nconditioning = { features = 8, hidden = 8 }").unwrap(),
            Shape::new(1, 1, 6),
        ),
    ];
    for (spec, shape) in cases {
        let graph = spec.build(shape, &[3]).unwrap_or_else(|e| panic!("{spec:?} {shape}: {e}"));
        folded_equals_training(&graph);
        brownian_trainer::lower::check(&graph).unwrap_or_else(|e| panic!("{spec:?} {shape}: {e}"));
    }
}

#[test]
fn images_that_do_not_fit_a_spec_are_refused() {
    let three = levels([2, 2], &[4, 4, 4], |_| ());
    for (spec, shape, words) in [
        (&three, Shape::new(4, 4, 1), "a single position before the last of 3 levels"),
        (&three, Shape::new(1, 3, 1), "a single position before the last of 3 levels"),
    ] {
        let error = spec.build(shape, &[]).unwrap_err().to_string();
        assert!(error.contains(words), "{shape}: {error}");
    }
    let mlp = Spec::parse("kind = 'mlp'\nwidth = 8\nblocks = 1\nconditioning = { features = 8, hidden = 8 }").unwrap();
    assert!(mlp.build(Shape::new(8, 8, 1), &[]).unwrap_err().to_string().contains("vectors"));
}

/// Checkpoints name their tensors after the layers, and start values follow their order.
#[test]
fn layers_of_presets_keep_their_names_and_order() {
    let graph = nets::build("tiny", Shape::new(8, 8, 1), &[]).unwrap();
    let names: Vec<&str> = graph.params.blocks.iter().map(|b| &b.name[..]).filter(|n| n.ends_with("weight")).collect();
    assert_eq!(
        names,
        [
            "stem.weight",
            "first.conv1.weight",
            "first.conv2.weight",
            "down.weight",
            "middle0.conv1.weight",
            "middle0.conv2.weight",
            "up.weight",
            "last.skip.weight",
            "last.conv1.weight",
            "last.conv2.weight",
            "out.weight",
            "conditioning.1.weight",
            "conditioning.2.weight",
            "conditioning.columns.weight",
        ]
    );
    // Of start values that bit-equal trainings need.
    let graph = nets::build("digits28", Shape::new(28, 28, 1), &[10]).unwrap();
    let sum: f32 = graph.params.init(1).iter().sum();
    assert_eq!((graph.params.len(), graph.stats.len(), sum), (157_400, 720, 224.90506));
}
