//! Settings, inputs, sizes and names that no operator has or no memory holds: one error each, which names the node.
use super::files::Setting::{Float, Floats, Int, Ints, Text};
use super::files::{file, floats, ints, network, node, weights};
use super::refusals::{behind, changed, conv, error, good, with, TIMESTEPS};
use crate::import::onnx::proto::{Dimension, Graph, Node, Size, Tensor};
use crate::import::onnx::read;

/// Settings of another kind or number, and inputs more or fewer than an operator has, are not left out of account.
#[test]
fn settings_and_inputs_are_what_the_operator_takes() {
    let conv_of = |name: &str, setting| behind("Conv", &["a"], &[(name, setting)]);
    let twice = {
        let mut model = conv_of("strides", Ints(vec![1, 1]));
        let node = model.graph.as_mut().unwrap().node.iter_mut().find(|node| node.name == "h3").unwrap();
        node.attribute.push(node.attribute[0].clone());
        model
    };
    let garbled = {
        let mut model = conv_of("auto_pad", Text("VALID"));
        let node = model.graph.as_mut().unwrap().node.iter_mut().find(|node| node.name == "h3").unwrap();
        node.attribute[0].s = vec![0xff, 0xfe];
        model
    };
    let alone =
        |op: &str, inputs: &[&str]| with(vec![conv("x", "h1"), node(op, inputs, &["h3"], &[]), conv("h3", "out")]);
    for (model, words) in [
        (conv_of("strides", Text("2")), "Conv node h3: has the setting strides of another kind than whole numbers"),
        (conv_of("strides", Floats(vec![2.0, 2.0])), "the setting strides of another kind than whole numbers"),
        (conv_of("strides", Int(2)), "the setting strides of another kind"),
        (conv_of("strides", Ints(vec![])), "has the strides []"),
        (conv_of("pads", Int(1)), "the setting pads of another kind"),
        (conv_of("group", Float(3.0)), "the setting group of another kind than one whole number"),
        (conv_of("auto_pad", Int(1)), "the setting auto_pad of another kind than a text"),
        (garbled, "the setting auto_pad of another kind than a text"),
        (twice, "Conv node h3: has the setting strides twice"),
        (behind("Swish", &[], &[("alpha", Int(1))]), "the setting alpha of another kind than one float"),
        (behind("Swish", &[], &[("alpha", Float(f32::NAN))]), "has the setting alpha, which is NaN or infinite"),
        (
            conv_of("kernel_shape", Ints(vec![0, 0])),
            "Conv node h3: has the kernel_shape [0, 0] for weights of [3, 3, 3, 3]",
        ),
        (conv_of("kernel_shape", Ints(vec![-1, 3])), "has the kernel_shape [-1, 3]"),
        (conv_of("kernel_shape", Ints(vec![1 << 62, 3])), "has the kernel_shape [4611686018427387904, 3]"),
        (conv_of("kernel_shape", Ints(vec![3])), "has the kernel_shape [3]"),
        (conv_of("kernel_shape", Ints(vec![1, 1])), "has the kernel_shape [1, 1]"),
        (behind("ConvTranspose", &["a"], &[("kernel_shape", Ints(vec![2, 2]))]), "has the kernel_shape [2, 2]"),
        (behind("AveragePool", &[], &[("kernel_shape", Ints(vec![-1, 2]))]), "has the kernel_shape [-1, 2]"),
        (behind("Conv", &["a", "each", "each"], &[]), "Conv node h3: has 4 inputs; it takes at most 3"),
        (
            behind("ConvTranspose", &["a", "each", "each"], &[]),
            "ConvTranspose node h3: has 4 inputs; it takes at most 3",
        ),
        (behind("Relu", &["h1"], &[]), "Relu node h3: has 2 inputs; it takes at most 1"),
        (behind("DepthToSpace", &["h1"], &[]), "DepthToSpace node h3: has 2 inputs; it takes at most 1"),
        (behind("Add", &["h1", "h1"], &[]), "Add node h3: has 3 inputs; it takes at most 2"),
        (behind("Identity", &["h1"], &[]), "Identity node h3: has 2 inputs; it takes at most 1"),
        (alone("Conv", &["", "a"]), "Conv node h3: lacks its input number 1 of at least 2"),
        (alone("Conv", &[]), "Conv node h3: lacks its input number 1 of at least 2"),
        (alone("Conv", &["h1"]), "Conv node h3: lacks its input number 2 of at least 2"),
        (alone("Identity", &[""]), "Identity node h3: lacks its input number 1 of at least 1"),
        (alone("Dropout", &["each", "h1"]), "Dropout node h3: reads each, which depends on no image"),
    ] {
        let error = error(&model);
        assert!(error.contains(words), "{words}: {error}");
    }
    // Files of old versions do not say of which kind a setting is.
    let mut silent = good();
    silent.graph.as_mut().unwrap().node.iter_mut().flat_map(|node| &mut node.attribute).for_each(|a| a.r#type = 0);
    let (_folder, path) = file(&silent);
    read(&path, TIMESTEPS).unwrap();
}

/// Sizes that no memory holds end neither in a panic nor with all memory taken.
#[test]
fn sizes_beyond_every_bound_are_refused() {
    const HUGE: i64 = 1 << 62;
    for size in [1_000_000_000, HUGE, i64::MAX, 65_536] {
        for axis in 1..4 {
            let error = changed(|model| {
                let input = &mut model.graph.as_mut().unwrap().input[0];
                let shape = input.r#type.as_mut().unwrap().tensor_type.as_mut().unwrap().shape.as_mut().unwrap();
                shape.dim[axis] = Dimension { size: Some(Size::Fixed(size)) };
            });
            assert!(error.contains("input x: "), "{size} {axis}: {error}");
        }
    }
    let padded = |extra: &[i64]| behind("ConvTranspose", &["a"], &[("output_padding", Ints(extra.to_vec()))]);
    let constant = |nodes: Vec<Node>| with([nodes, good().graph.unwrap().node[11..].to_vec()].concat());
    let mut cases = vec![
        (behind("Reshape", &["huge"], &[]), "Reshape node h3: the sizes [1, 4611686018427387904"),
        (behind("Reshape", &["open"], &[]), "Reshape node h3: cannot make [1, -1, -1]"),
        (behind("Reshape", &["half"], &[]), "Reshape node h3: the sizes [4611686018427387904, 1, 4"),
        (behind("Expand", &["huge"], &[]), "Expand node h3: "),
        (
            with(vec![node("Split", &["x", "thirds"], &["h1", "h2", "out"], &[("axis", Int(1))])]),
            "Split node h1: cannot split 3 into",
        ),
        (
            with(vec![
                node("Resize", &["x", "", "most"], &["h1"], &[]),
                node("Resize", &["h1", "", "most"], &["out"], &[]),
            ]),
            "Resize node out: the sizes [32768, 24576, 3]",
        ),
        (
            behind("Conv", &["two"], &[("dilations", Ints(vec![65_536; 2])), ("pads", Ints(vec![65_535; 4]))]),
            "Conv node h3: the sizes [65542, 65540, 3]",
        ),
        (behind("ConvTranspose", &["a"], &[("strides", Ints(vec![65_536; 2]))]), "ConvTranspose node h3: "),
        (
            behind("ConvTranspose", &["a"], &[("strides", Ints(vec![HUGE; 2]))]),
            "ConvTranspose node h3: has the strides",
        ),
        (constant(vec![node("ConstantOfShape", &["huge"], &["big"], &[])]), "ConstantOfShape node big: the sizes"),
        (
            constant(vec![node("Expand", &["each", "tall"], &["big"], &[])]),
            "Expand node big: the sizes [4611686018427387904, 3]",
        ),
        (constant(vec![node("MatMul", &["column", "line"], &["big"], &[])]), "MatMul node big: the sizes [5000, 5000]"),
        (constant(vec![node("Gather", &["line", "many"], &["big"], &[])]), "Gather node big: the sizes [5000, 5000]"),
        (
            constant(
                (0..13)
                    .map(|i| {
                        let [from, to] = [i, i + 1].map(|i| if i == 0 { "line".into() } else { format!("big{i}") });
                        node("Concat", &[&from, &from], &[&to], &[("axis", Int(0))])
                    })
                    .collect(),
            ),
            "Concat node big12: the sizes [4096, 5000]",
        ),
    ];
    for extra in [vec![1 << 31; 2], vec![HUGE; 2], vec![50_000; 2], vec![-1; 2], vec![0], vec![0; 3], vec![1, 1]] {
        cases.push((padded(&extra), "ConvTranspose node h3: has the output_padding"));
    }
    for (mut model, words) in cases {
        model.graph.as_mut().unwrap().initializer.extend([
            ints("huge", &[1, HUGE, 4, 3]),
            ints("half", &[HUGE, -1, 4]),
            ints("open", &[1, -1, -1]),
            ints("tall", &[HUGE, 1]),
            ints("thirds", &[i64::MAX; 3]),
            ints("many", &[0; 5000]),
            floats("most", &[4], &[1.0, 1.0, 64.0, 64.0]),
            floats("column", &[5000, 1], &[0.0; 5000]),
            floats("line", &[1, 5000], &[0.0; 5000]),
            weights("two", &[3, 3, 2, 2], 10),
        ]);
        let error = error(&model);
        assert!(error.contains(words), "{words}: {error}");
    }
    // Channels that would be put into another order by a weight for each pair of them.
    let wide = 40_000;
    let nodes = vec![
        node("DepthToSpace", &["x"], &["h1"], &[("blocksize", Int(2)), ("mode", Text("CRD"))]),
        node("SpaceToDepth", &["h1"], &["out"], &[("blocksize", Int(2))]),
    ];
    let error = error(&network(&[1, wide, 1, 1], 3, 1, nodes, vec![]));
    assert!(error.contains("DepthToSpace node h1: puts 40000 channels into another order"), "{error}");
}

/// Names are whatever a file says; an error stays a line.
#[test]
fn names_cannot_break_the_line() {
    let odd = "a\nb\u{1b}[2J";
    let named = |change: &dyn Fn(&mut Graph)| {
        let error = changed(|model| change(model.graph.as_mut().unwrap()));
        assert!(error.contains("a\\nb\\u{1b}[2J"), "{error}");
    };
    named(&|graph| {
        (graph.node.last_mut().unwrap().name, graph.node.last_mut().unwrap().op_type) = (odd.into(), "X".into())
    });
    named(&|graph| graph.node.last_mut().unwrap().op_type = odd.into());
    named(&|graph| graph.node.last_mut().unwrap().domain = odd.into());
    named(&|graph| graph.node.last_mut().unwrap().input[0] = odd.into());
    named(&|graph| graph.output[0].name = odd.into());
    named(&|graph| graph.input[0].name = odd.into());
    named(&|graph| graph.initializer.push(Tensor { name: odd.into(), data_type: 8, ..Tensor::default() }));
}
