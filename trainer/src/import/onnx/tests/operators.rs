//! What is converted equals what ONNX defines.
use super::files::Setting::{Float, Int, Ints, Text};
use super::files::{file, floats, ints, network, node, weights};
use super::reference;
use crate::graph::Shape;
use crate::import::onnx::proto::{Model, Node, Tensor};
use crate::import::onnx::{read, Timesteps};
use crate::nets::{ListedOp, Spec};

const TIMESTEPS: Timesteps = Timesteps { count: 40, first: 0 };

/// Imports a network and compares it with the reference on images, timesteps and classes; returns the ops it became.
fn equals(model: &Model) -> Vec<ListedOp> {
    let (_folder, path) = file(model);
    let made = read(&path, TIMESTEPS).unwrap();
    let counts: Vec<usize> = made.axes.iter().map(|axis| axis.classes.len()).collect();
    let network = made.spec.build(made.image, &counts).unwrap().fold(&made.params, &[]).unwrap();
    let Shape { height, width, channels } = made.image;
    let pixels = height * width;
    for (seed, t) in [0, 1, 17, 39].into_iter().enumerate() {
        let x = super::files::values(pixels * channels, 50 + seed);
        let classes: Vec<usize> = counts.iter().enumerate().map(|(axis, count)| (seed + axis) % (count + 1)).collect();
        let condition: Vec<Option<usize>> =
            classes.iter().zip(&counts).map(|(class, count)| (class < count).then_some(*class)).collect();
        let ours: Vec<f32> = (0..x.len()).map(|i| x[i % channels * pixels + i / channels]).collect();
        let found = network.forward(&ours, &network.bias(t + 1, &condition).unwrap(), &[], |_, _| ()).unwrap();
        let expected = reference::run(model, &x, t, &classes);
        let largest = expected.iter().fold(0f32, |largest, value| largest.max(value.abs()));
        assert_eq!(expected.len(), found.len());
        assert!(largest > 1e-2, "the network answers nothing to compare");
        for (i, value) in expected.iter().enumerate() {
            let ours = found[i % pixels * channels + i / pixels];
            assert!((ours - value).abs() <= 1e-5 * largest, "t {t}, {classes:?}, value {i}: {ours}, not {value}");
        }
    }
    let Spec::Listed(listed) = made.spec else { panic!("no list") };
    listed.nodes.into_iter().map(|node| node.op).collect()
}

/// As [`equals`] of a network over images of 3×8×6.
fn image(channels: usize, nodes: Vec<Node>, tensors: Vec<Tensor>) -> Vec<ListedOp> {
    equals(&network(&[1, 3, 8, 6], channels, 1, nodes, tensors))
}

fn convs(ops: &[ListedOp]) -> usize {
    ops.iter().filter(|op| matches!(op, ListedOp::Conv { .. })).count()
}

#[test]
fn convolutions_of_every_form() {
    let ops = image(
        4,
        vec![
            node("Conv", &["x", "a", "a.bias"], &["h1"], &[("pads", Ints(vec![1, 1, 1, 1]))]),
            node("Add", &["h1", "bias"], &["h2"], &[]),
            // One filter a channel, with holes.
            node(
                "Conv",
                &["h2", "b"],
                &["h3"],
                &[("group", Int(4)), ("dilations", Ints(vec![2, 1])), ("pads", Ints(vec![2, 1, 2, 1]))],
            ),
            node("Relu", &["h3"], &["h4"], &[]),
            // More zeros below and to the right than above and to the left, by the node itself and by a Pad before it.
            node(
                "Conv",
                &["h4", "c", "c.bias"],
                &["h5"],
                &[("strides", Ints(vec![2, 2])), ("pads", Ints(vec![0, 0, 1, 1]))],
            ),
            node("Pad", &["h4", "sides"], &["h4.padded"], &[]),
            node("Conv", &["h4.padded", "c"], &["h6"], &[("strides", Ints(vec![2, 2]))]),
            node("Sub", &["h5", "h6"], &["h7"], &[]),
            node("Add", &["h7", "h5"], &["h8"], &[]),
            node(
                "Resize",
                &["h8", "", "twice"],
                &["h9"],
                &[("coordinate_transformation_mode", Text("asymmetric")), ("nearest_mode", Text("floor"))],
            ),
            node("Conv", &["h9", "d"], &["out"], &[("auto_pad", Text("SAME_UPPER"))]),
        ],
        vec![
            weights("a", &[4, 3, 3, 3], 10),
            weights("a.bias", &[4], 11),
            weights("b", &[4, 1, 3, 3], 12),
            weights("c", &[5, 4, 3, 3], 13),
            weights("c.bias", &[5], 14),
            weights("d", &[3, 5, 2, 3], 15),
            ints("sides", &[0, 0, 0, 0, 0, 0, 1, 1]),
            floats("twice", &[4], &[1.0, 1.0, 2.0, 2.0]),
        ],
    );
    assert!(ops.contains(&ListedOp::Upsample { factor: [2, 2] }));
    // The factor −1 of the difference joined the weights.
    assert_eq!(convs(&ops), 5);
}

#[test]
fn transposed_convolutions_are_convolutions_and_blocks() {
    // Kernel, stride, zeros before and behind, more behind: each from 4×3 to 8×6.
    for (kernel, pads, extra) in [
        ([4, 4], [1, 1, 1, 1], [0, 0]),
        ([2, 2], [0, 0, 0, 0], [0, 0]),
        ([3, 3], [1, 1, 1, 1], [1, 1]),
        ([5, 3], [2, 0, 1, 1], [0, 0]),
        ([1, 2], [0, 0, 0, 0], [1, 0]),
    ] {
        let ops = image(
            4,
            vec![
                node("Conv", &["x", "a"], &["h1"], &[("strides", Ints(vec![2, 2]))]),
                node("Add", &["h1", "bias"], &["h2"], &[]),
                node(
                    "ConvTranspose",
                    &["h2", "b", "b.bias"],
                    &["out"],
                    &[
                        ("strides", Ints(vec![2, 2])),
                        ("pads", Ints(pads.to_vec())),
                        ("output_padding", Ints(extra.to_vec())),
                    ],
                ),
            ],
            vec![
                weights("a", &[4, 3, 2, 2], 10),
                weights("b", &[4, 3, kernel[0], kernel[1]], 11),
                weights("b.bias", &[3], 12),
            ],
        );
        assert_eq!(ops.last(), Some(&ListedOp::DepthToSpace { block: [2, 2], crop: [0, 0] }), "{kernel:?}");
    }
    // Stride 3 with what the blocks make too much, and stride 1.
    let ops = image(
        4,
        vec![
            node("Conv", &["x", "a"], &["h1"], &[("strides", Ints(vec![3, 3]))]),
            node("Add", &["h1", "bias"], &["h2"], &[]),
            node(
                "ConvTranspose",
                &["h2", "b"],
                &["h3"],
                &[("strides", Ints(vec![3, 3])), ("pads", Ints(vec![1, 0, 0, 0]))],
            ),
            node("ConvTranspose", &["h3", "c"], &["out"], &[("pads", Ints(vec![1, 1, 1, 1]))]),
        ],
        vec![weights("a", &[4, 3, 2, 3], 10), weights("b", &[4, 3, 3, 3], 11), weights("c", &[3, 3, 3, 3], 12)],
    );
    assert!(ops.contains(&ListedOp::DepthToSpace { block: [3, 3], crop: [1, 0] }), "{ops:?}");
}

#[test]
fn norms_and_factors_join_the_weights_where_they_can() {
    let norm = |from: &str, to: &str| {
        node("BatchNormalization", &[from, "g", "s", "m", "v"], &[to], &[("epsilon", Float(1e-3))])
    };
    let tensors = || {
        vec![
            weights("a", &[4, 3, 3, 3], 10),
            weights("g", &[4], 11),
            weights("s", &[4], 12),
            weights("m", &[4], 13),
            floats("v", &[4], &[0.5, 1.5, 0.2, 1.0]),
            weights("b", &[3, 4, 1, 1], 14),
            floats("half", &[], &[0.5]),
            weights("each", &[1, 4, 1, 1], 15),
        ]
    };
    let conv = || node("Conv", &["x", "a"], &["h1"], &[("pads", Ints(vec![1, 1, 1, 1]))]);
    let out = || node("Conv", &["h9", "b"], &["out"], &[]);
    let ops = image(
        4,
        vec![
            conv(),
            norm("h1", "h2"),
            node("Mul", &["half", "h2"], &["h3"], &[]),
            node("Add", &["h3", "bias"], &["h4"], &[]),
            node("Relu", &["h4"], &["h9"], &[]),
            out(),
        ],
        tensors(),
    );
    assert_eq!(convs(&ops), 2, "{ops:?}");
    // Where others read the convolution too, and behind a sum and a bias.
    let ops = image(
        4,
        vec![
            conv(),
            norm("h1", "h2"),
            node("Add", &["h2", "h1"], &["h3"], &[]),
            node("Mul", &["h3", "each"], &["h4"], &[]),
            node("Add", &["bias", "h4"], &["h5"], &[]),
            norm("h5", "h6"),
            node("Sub", &["h6", "each"], &["h7"], &[]),
            node("Div", &["h7", "half"], &["h8"], &[]),
            node("Neg", &["h8"], &["h9"], &[]),
            out(),
        ],
        tensors(),
    );
    assert!(convs(&ops) > 3, "{ops:?}");
    // A constant minus the image, the image minus a bias of the timestep.
    image(
        4,
        vec![
            conv(),
            node("Sub", &["each", "h1"], &["h2"], &[]),
            node("Relu", &["h2"], &["h3"], &[]),
            node("Sub", &["h3", "bias"], &["h4"], &[]),
            node("Add", &["h4", "half"], &["h9"], &[]),
            out(),
        ],
        tensors(),
    );
}

#[test]
fn activations_and_gates() {
    let ops = image(
        4,
        vec![
            node("Conv", &["x", "a"], &["h1"], &[("pads", Ints(vec![1, 1, 1, 1]))]),
            node("Add", &["h1", "bias"], &["h2"], &[]),
            node("Sigmoid", &["h2"], &["h2.s"], &[]),
            node("Mul", &["h2.s", "h2"], &["h3"], &[]),
            node("Conv", &["h3", "b", "b.bias"], &["h4"], &[]),
            node("Split", &["h4"], &["h4.a", "h4.b"], &[("axis", Int(1)), ("num_outputs", Int(2))]),
            node("Tanh", &["h4.a"], &["h5"], &[]),
            node("Sigmoid", &["h4.b"], &["h6"], &[]),
            node("Mul", &["h6", "h5"], &["h7"], &[]),
            node("Concat", &["h7", "h1", "h3"], &["h8"], &[("axis", Int(1))]),
            node("Slice", &["h8", "from", "to", "axis"], &["h9"], &[]),
            node("Swish", &["h9"], &["h10"], &[]),
            node("Conv", &["h10", "c"], &["out"], &[]),
        ],
        vec![
            weights("a", &[4, 3, 3, 3], 10),
            weights("b", &[6, 4, 1, 1], 11),
            weights("b.bias", &[6], 12),
            weights("c", &[3, 7, 1, 1], 13),
            ints("from", &[2]),
            ints("to", &[9]),
            ints("axis", &[1]),
        ],
    );
    assert!(ops.contains(&ListedOp::Gate) && ops.contains(&ListedOp::Silu), "{ops:?}");
    // The halves of the gate are convolutions of their own, by rows of the one's weights.
    assert!(ops.iter().filter(|op| matches!(op, ListedOp::Conv { channels: 3, .. })).count() >= 2);
}

#[test]
fn pixels_move_between_channels_and_blocks() {
    for (mode, deep) in [("CRD", "SpaceToDepth"), ("DCR", "SpaceToDepth"), ("CRD", "Reshape"), ("DCR", "Reshape")] {
        let mut nodes = match deep {
            "SpaceToDepth" => vec![node("SpaceToDepth", &["x"], &["h1"], &[("blocksize", Int(2))])],
            // As PyTorch writes pixel_unshuffle.
            _ => vec![
                node("Reshape", &["x", "six"], &["x.six"], &[]),
                node("Transpose", &["x.six"], &["x.turned"], &[("perm", Ints(vec![0, 1, 3, 5, 2, 4]))]),
                node("Reshape", &["x.turned", "four"], &["h1"], &[]),
            ],
        };
        nodes.extend([
            node("Add", &["h1", "bias"], &["h2"], &[]),
            node("Conv", &["h2", "a"], &["h3"], &[("pads", Ints(vec![1, 1, 1, 1]))]),
            node("DepthToSpace", &["h3"], &["h4"], &[("blocksize", Int(2)), ("mode", Text(mode))]),
            // Without a convolution before it, whose rows could be stored in another order.
            node("DepthToSpace", &["h2"], &["h5"], &[("blocksize", Int(2)), ("mode", Text(mode))]),
            node("Add", &["h4", "h5"], &["out"], &[]),
        ]);
        let tensors =
            vec![ints("six", &[1, 3, 4, 2, 3, 2]), ints("four", &[1, 12, 4, 3]), weights("a", &[12, 12, 3, 3], 10)];
        image(12, nodes, tensors);
    }
    // As PyTorch writes pixel_shuffle where it has no operator for it, and an enlargement without Resize.
    image(
        3,
        vec![
            node("Conv", &["x", "a"], &["h1"], &[("strides", Ints(vec![2, 2]))]),
            node("Reshape", &["h1", "six"], &["h2"], &[]),
            node("Transpose", &["h2"], &["h3"], &[("perm", Ints(vec![0, 1, 4, 2, 5, 3]))]),
            node("Reshape", &["h3", "four"], &["h4"], &[]),
            node("Add", &["h4", "bias"], &["out"], &[]),
        ],
        vec![weights("a", &[12, 3, 2, 2], 10), ints("six", &[1, 3, 2, 2, 4, 3]), ints("four", &[1, 3, 8, 6])],
    );
    image(
        3,
        vec![
            node("AveragePool", &["x"], &["h1"], &[("kernel_shape", Ints(vec![2, 2])), ("strides", Ints(vec![2, 2]))]),
            node("Add", &["h1", "bias"], &["h2"], &[]),
            node("Resize", &["h2", "", "twice"], &["out"], &[]),
        ],
        vec![floats("twice", &[4], &[1.0, 1.0, 2.0, 2.0])],
    );
}

#[test]
fn dense_layers_read_and_make_images() {
    image(
        5,
        vec![
            node("Conv", &["x", "a"], &["h1"], &[("strides", Ints(vec![2, 2]))]),
            node("Flatten", &["h1"], &["h2"], &[]),
            node("Relu", &["h2"], &["h3"], &[]),
            node(
                "Gemm",
                &["h3", "b", "b.bias"],
                &["h4"],
                &[("transB", Int(1)), ("alpha", Float(0.5)), ("beta", Float(2.0))],
            ),
            node("Add", &["h4", "row"], &["h5"], &[]),
            node("MatMul", &["h5", "c"], &["h6"], &[]),
            node("Reshape", &["h6", "four"], &["out"], &[]),
        ]
        .into_iter()
        .map(|mut node| {
            // The bias of a vector has no axes behind the channels.
            node.input.iter_mut().filter(|name| *name == "row").for_each(|name| *name = "time1".into());
            node
        })
        .collect(),
        vec![
            weights("a", &[2, 3, 2, 2], 10),
            weights("b", &[5, 24], 11),
            weights("b.bias", &[5], 12),
            weights("c", &[5, 144], 13),
            ints("four", &[1, 3, 8, 6]),
        ],
    );
}

#[test]
fn vectors_signals_and_axes_of_classes() {
    let ops = equals(&network(
        &[1, 5],
        7,
        2,
        vec![
            node("Gemm", &["x", "a"], &["h1"], &[]),
            node("Add", &["h1", "bias"], &["h2"], &[]),
            node("Relu", &["h2"], &["h3"], &[]),
            node("Gemm", &["h3", "b"], &["h4"], &[]),
            node("Add", &["h4", "x"], &["out"], &[]),
        ],
        vec![weights("a", &[5, 7], 10), weights("b", &[7, 5], 11)],
    ));
    // What ends in a sum gets a convolution, from which every answer comes.
    assert!(matches!(ops.last(), Some(ListedOp::Conv { kernel: [1, 1], .. })), "{ops:?}");
    let ops = equals(&network(
        &[1, 2, 12],
        4,
        0,
        vec![
            node(
                "Conv",
                &["x", "a"],
                &["h1"],
                &[("strides", Ints(vec![2])), ("pads", Ints(vec![1, 0])), ("dilations", Ints(vec![1]))],
            ),
            node("Add", &["h1", "bias"], &["h2"], &[]),
            node("Conv", &["h2", "b"], &["h3"], &[("dilations", Ints(vec![2])), ("pads", Ints(vec![2, 2]))]),
            node("ConvTranspose", &["h3", "c"], &["out"], &[("strides", Ints(vec![2])), ("pads", Ints(vec![1, 1]))]),
        ],
        vec![weights("a", &[4, 2, 3], 10), weights("b", &[4, 4, 3], 11), weights("c", &[4, 2, 4], 12)],
    ));
    assert_eq!(ops.last(), Some(&ListedOp::DepthToSpace { block: [1, 2], crop: [0, 0] }));
}
