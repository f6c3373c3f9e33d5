//! Files that cannot be imported: one error each, which names what is wrong.
use super::files::Setting::{Float, Int, Ints, Text};
use super::files::{file, floats, ints, network, node, value, weights, written};
use crate::import::onnx::proto::{element, Dimension, Entry, Model, Node, OperatorSet, Size, Tensor};
use crate::import::onnx::{read, Timesteps};
use prost::Message;

/// Timesteps of every test.
pub const TIMESTEPS: Timesteps = Timesteps { count: 40, first: 0 };

/// A network that can be imported: one convolution with a bias of timestep and class.
pub fn good() -> Model {
    with(vec![conv("x", "h1"), node("Add", &["h1", "bias"], &["out"], &[])])
}

/// A convolution that keeps the size.
pub fn conv(from: &str, to: &str) -> Node {
    node("Conv", &[from, "a"], &[to], &[("pads", Ints(vec![1, 1, 1, 1]))])
}

/// The network of these nodes, with tensors for them.
pub fn with(nodes: Vec<Node>) -> Model {
    let tensors = vec![
        weights("a", &[3, 3, 3, 3], 10),
        weights("map", &[1, 3, 8, 6], 11),
        weights("each", &[3], 12),
        ints("flat", &[1, 3, 48]),
        ints("sides", &[0, 0, 1, 1, 0, 0, 1, 1]),
        floats("scales", &[4], &[1.0, 1.0, 1.5, 2.0]),
        floats("twice", &[4], &[1.0, 1.0, 2.0, 2.0]),
    ];
    network(&[1, 3, 8, 6], 3, 1, nodes, tensors)
}

/// What is said of a network that cannot be imported.
pub fn error(model: &Model) -> String {
    let (_folder, path) = file(model);
    let error = read(&path, TIMESTEPS).expect_err("a network that cannot be imported").to_string();
    assert!(error.contains("net.onnx") && !error.contains(char::is_control), "{error}");
    error
}

#[test]
fn the_good_one_is_taken() {
    let (_folder, path) = file(&good());
    let made = read(&path, TIMESTEPS).unwrap();
    assert_eq!((made.axes.len(), &*made.axes[0].name, made.axes[0].classes.len()), (1, "class0", 3));
}

/// Each operator that is not supported is named with its node and what to use instead.
#[test]
fn operators_are_named_with_what_to_use_instead() {
    let conv_of = |settings: &[(&str, super::files::Setting)]| behind("Conv", &["a"], settings);
    for (model, words) in [
        (behind("InstanceNormalization", &["each", "each"], &[]), ["InstanceNormalization node h3", "BatchNorm2d"]),
        (behind("GroupNormalization", &["each", "each"], &[]), ["GroupNormalization node h3", "BatchNorm2d"]),
        (behind("Softmax", &[], &[]), ["Softmax node h3", "convolutions with dilation"]),
        (behind("MaxPool", &[], &[]), ["MaxPool node h3", "stride 2"]),
        (behind("GlobalAveragePool", &[], &[]), ["GlobalAveragePool node h3", "AveragePool"]),
        (behind("Gelu", &[], &[]), ["Gelu node h3", "SiLU or ReLU"]),
        (behind("LeakyRelu", &[], &[]), ["LeakyRelu node h3", "SiLU or ReLU"]),
        (behind("Swish", &[], &[("alpha", Float(1.7))]), ["Swish node h3", "SiLU or ReLU"]),
        (behind("Sigmoid", &[], &[]), ["Sigmoid node h3", "stands alone before Conv node out"]),
        (behind("Tanh", &[], &[]), ["Tanh node h3", "stands alone"]),
        (behind("Sin", &[], &[]), ["Sin node h3", "only on the timestep"]),
        (behind("Frobnicate", &[], &[]), ["Frobnicate node h3", "how-to"]),
        (behind("Mul", &["h1"], &[]), ["Mul node h3", "multiplies two values of the image"]),
        (behind("Mul", &["bias"], &[]), ["Mul node h3", "x*(1 + scale) + shift"]),
        (behind("Div", &["h1"], &[]), ["Div node h3", "divides by an image's values"]),
        (behind("Add", &["map"], &[]), ["Add node h3", "only one value a channel"]),
        (behind("Mul", &["map"], &[]), ["Mul node h3", "only one value a channel"]),
        (behind("Concat", &["h1"], &[("axis", Int(2))]), ["Concat node h3", "along axis 2"]),
        (behind("Concat", &["map"], &[("axis", Int(1))]), ["Concat node h3", "depends on no image"]),
        (behind("Reshape", &["flat"], &[]), ["Reshape node h3", "GroupNorm"]),
        (behind("Transpose", &[], &[("perm", Ints(vec![0, 1, 3, 2]))]), ["Transpose node h3", "GroupNorm"]),
        (behind("Resize", &["", "scales"], &[]), ["Resize node h3", "only whole factors"]),
        (behind("Resize", &["", "twice"], &[("mode", Text("linear"))]), ["Resize node h3", "nearest"]),
        (behind("Resize", &["", "twice"], &[("nearest_mode", Text("ceil"))]), ["Resize node h3", "other pixels"]),
        (behind("DepthToSpace", &[], &[("blocksize", Int(2))]), ["DepthToSpace node h3", "3 channels"]),
        (behind("SpaceToDepth", &[], &[("blocksize", Int(5))]), ["SpaceToDepth node h3", "blocks of 5"]),
        (behind("Pad", &["sides"], &[("mode", Text("reflect"))]), ["Pad node h3", "only zeros"]),
        (
            behind("AveragePool", &[], &[("kernel_shape", Ints(vec![3, 3])), ("pads", Ints(vec![1; 4]))]),
            ["AveragePool node h3", "edge"],
        ),
        (conv_of(&[("group", Int(3))]), ["Conv node h3", "3 groups"]),
        (conv_of(&[("auto_pad", Text("SAME"))]), ["Conv node h3", "auto_pad"]),
        (conv_of(&[("pads", Ints(vec![9; 4]))]), ["Conv node h3", "does not fit"]),
        (
            conv_of(&[("dilations", Ints(vec![2, 2])), ("pads", Ints(vec![1, 1, 2, 2]))]),
            ["Conv node h3", "pad as much on both sides"],
        ),
        (behind("Conv", &["each"], &[]), ["Conv node h3", "weights of [3]"]),
        (behind("Conv", &["h1"], &[]), ["Conv node h3", "depends on the input"]),
        (behind("Gemm", &["each"], &[]), ["Gemm node h3", "multiplies an image of [1, 3, 8, 6]"]),
        (behind("Cast", &[], &[("to", Int(7))]), ["Cast node h3", "whole numbers"]),
        (
            behind("BatchNormalization", &["each", "each", "each", "each"], &[("training_mode", Int(1))]),
            ["BatchNormalization node h3", "model.eval()"],
        ),
        (
            behind("BatchNormalization", &["each", "each", "each"], &[]),
            ["BatchNormalization node h3", "lacks its input"],
        ),
    ] {
        let error = error(&model);
        words.iter().for_each(|word| assert!(error.contains(word), "{word}: {error}"));
    }
}

/// A node behind the first sum, whose result h3 a convolution reads.
pub fn behind(op: &str, more: &[&str], settings: &[(&str, super::files::Setting)]) -> Model {
    let inputs = [&["h2"], more].concat();
    with(vec![
        conv("x", "h1"),
        node("Add", &["h1", "bias"], &["h2"], &[]),
        node(op, &inputs, &["h3"], settings),
        conv("h3", "out"),
    ])
}

/// Timestep and class must be added, each by itself.
#[test]
fn biases_that_are_no_sum_are_refused() {
    let mixed = |nodes: Vec<Node>| {
        let last = nodes.last().unwrap().output[0].clone();
        let ends = vec![
            conv("x", "h1"),
            node("Unsqueeze", &[&last, "spatial"], &["b"], &[]),
            node("Add", &["h1", "b"], &["out"], &[]),
        ];
        with(nodes.into_iter().chain(ends).collect())
    };
    let silu = vec![node("Sigmoid", &["time1"], &["s"], &[]), node("Mul", &["time1", "s"], &["both"], &[])];
    let error_of = error(&mixed(silu));
    assert!(error_of.contains("Sigmoid node s: computes with t and class0 together"), "{error_of}");
    let product = vec![node("Mul", &["time0", "row0"], &["both"], &[])];
    assert!(error(&mixed(product)).contains("Mul node both: computes with t and class0 together"));
    // What computes over all values of a row is named with what to use instead.
    for (op, words) in [
        (
            "ReduceMean",
            "ReduceMean node both: is not supported on what t and the classes give: it computes over all values",
        ),
        ("Softmax", "use nn.Linear"),
        ("Mish", "use SiLU, GELU, ReLU or Softplus"),
        ("Frobnicate", "register_buffer"),
    ] {
        let error = error(&mixed(vec![node(op, &["time0"], &["both"], &[])]));
        assert!(error.contains(words), "{error}");
    }
    // A function of each alone is a sum of two.
    let apart = vec![
        node("Tanh", &["row0"], &["s"], &[]),
        node("Gemm", &["s", "mix"], &["m"], &[]),
        node("Sub", &["time0", "m"], &["both"], &[]),
    ];
    let mut model = mixed(apart);
    model.graph.as_mut().unwrap().initializer.push(weights("mix", &[3, 3], 20));
    let (_folder, path) = file(&model);
    read(&path, TIMESTEPS).unwrap();
    // No timestep, or one that is not added.
    let none = with(vec![conv("x", "h1"), node("Add", &["h1", "each4"], &["out"], &[])]);
    let mut none = none;
    none.graph.as_mut().unwrap().initializer.push(weights("each4", &[1, 3, 1, 1], 20));
    assert!(error(&none).contains("timestep"), "{}", error(&none));
    // A class that goes through no table.
    let mut direct = good();
    let graph = direct.graph.as_mut().unwrap();
    for node in graph.node.iter_mut().filter(|node| node.op_type == "Gather") {
        (node.op_type, node.input) = ("Cast".into(), vec!["class0".into()]);
        node.attribute = super::files::node("Cast", &["x"], &["y"], &[("to", Int(1))]).attribute;
    }
    assert!(error(&direct).contains("class0: chooses no row of a table"), "{}", error(&direct));
}

/// The error of the good one with a change.
pub fn changed(change: impl FnOnce(&mut Model)) -> String {
    let mut model = good();
    change(&mut model);
    error(&model)
}

fn tensor(model: &mut Model) -> &mut Tensor {
    model.graph.as_mut().unwrap().initializer.iter_mut().find(|tensor| tensor.name == "a").unwrap()
}

#[test]
fn broken_files_are_refused() {
    for version in [7, 12, 99] {
        let error = changed(|model| model.opset_import[0].version = version);
        assert!(error.contains(&format!("version {version} of ONNX's operators")), "{error}");
    }
    let two = changed(|model| model.opset_import.push(OperatorSet { domain: "ai.onnx".into(), version: 20 }));
    assert!(two.contains("names two versions of ONNX's operators"), "{two}");
    assert!(changed(|model| model.opset_import.clear()).contains("names no version"));
    let custom = changed(|model| {
        model.opset_import.push(OperatorSet { domain: "com.custom".into(), version: 1 });
        model.graph.as_mut().unwrap().node.last_mut().unwrap().domain = "com.custom".into();
    });
    assert!(custom.contains("Add node out: is of the domain com.custom"), "{custom}");
    // Cut anywhere, or no ONNX at all.
    let bytes = good().encode_to_vec();
    for end in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        let (_folder, path) = written(&bytes[..end]);
        let error = read(&path, TIMESTEPS).unwrap_err().to_string();
        assert!(error.contains("net.onnx") && error.contains("export it again"), "{end}: {error}");
    }
    for other in [&b"not a network"[..], &[0xff; 400], b"{}"] {
        let (folder, path) = written(other);
        assert!(read(&path, TIMESTEPS).unwrap_err().to_string().contains("ONNX"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
    assert!(read("none.onnx".as_ref(), TIMESTEPS).unwrap_err().to_string().contains("none.onnx: cannot be read"));
}

#[test]
fn tensors_are_named() {
    for value in [f32::NAN, f32::INFINITY] {
        let error = changed(|model| tensor(model).raw_data[4..8].copy_from_slice(&value.to_le_bytes()));
        assert!(error.contains("tensor a: holds a value that is NaN, infinite"), "{error}");
    }
    assert!(changed(|model| tensor(model).dims[0] = 4).contains("tensor a: has another number of values"));
    assert!(changed(|model| tensor(model).dims[0] = -4).contains("tensor a: has the impossible sizes"));
    assert!(changed(|model| tensor(model).raw_data.truncate(323)).contains("tensor a: has 323 bytes"));
    assert!(changed(|model| tensor(model).data_type = 8).contains("tensor a: has elements of kind 8"));
    let external = |location: &str| {
        let entry = |key: &str, value: &str| Entry { key: key.into(), value: value.into() };
        let entries = vec![entry("location", location), entry("offset", "0"), entry("length", "324")];
        changed(|model| (tensor(model).external_data, tensor(model).data_location) = (entries, 1))
    };
    assert!(
        external("weights.data").contains("tensor a: is in") && external("weights.data").contains("cannot be read")
    );
    assert!(external("../x").contains("external_data=False"));
}

/// Weights of every kind of float, and in another file, are the same weights.
#[test]
fn other_kinds_of_floats_are_converted() {
    let exact: Vec<f32> = (0..81).map(|i| (i as f32 - 40.0) / 64.0).collect();
    let model = |change: &dyn Fn(&mut Tensor)| {
        let mut model = good();
        *tensor(&mut model) = floats("a", &[3, 3, 3, 3], &exact);
        change(tensor(&mut model));
        model
    };
    let (_folder, path) = file(&model(&|_| ()));
    let wanted = read(&path, TIMESTEPS).unwrap().params;
    type Change<'a> = &'a dyn Fn(&mut Tensor);
    let raw = |tensor: &mut Tensor, kind: i32, bytes: Vec<u8>| (tensor.data_type, tensor.raw_data) = (kind, bytes);
    let halves: Change = &|tensor| {
        let bytes = exact.iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()).collect();
        raw(tensor, element::FLOAT16, bytes);
    };
    let brains: Change = &|tensor| {
        let bytes = exact.iter().flat_map(|value| half::bf16::from_f32(*value).to_le_bytes()).collect();
        raw(tensor, element::BFLOAT16, bytes);
    };
    let doubles: Change = &|tensor| {
        let bytes = exact.iter().flat_map(|value| f64::from(*value).to_le_bytes()).collect();
        raw(tensor, element::DOUBLE, bytes);
    };
    let bits: Change = &|tensor| {
        raw(tensor, element::FLOAT16, vec![]);
        tensor.int32_data = exact.iter().map(|value| i32::from(half::f16::from_f32(*value).to_bits())).collect();
    };
    let listed: Change = &|tensor| {
        raw(tensor, element::FLOAT, vec![]);
        tensor.float_data.clone_from(&exact);
    };
    for change in [halves, brains, doubles, bits, listed] {
        let (_folder, path) = file(&model(change));
        assert!(read(&path, TIMESTEPS).unwrap().params == wanted);
    }
    let outside = model(&|tensor| {
        tensor.raw_data.clear();
        tensor.data_location = 1;
        let entry = |key: &str, value: &str| Entry { key: key.into(), value: value.into() };
        tensor.external_data = vec![entry("location", "a.data"), entry("offset", "8"), entry("length", "324")];
    });
    let (folder, path) = file(&outside);
    let bytes: Vec<u8> = [0; 8].into_iter().chain(exact.iter().flat_map(|value| value.to_le_bytes())).collect();
    std::fs::write(folder.path().join("a.data"), &bytes).unwrap();
    assert!(read(&path, TIMESTEPS).unwrap().params == wanted);
    std::fs::write(folder.path().join("a.data"), &bytes[..300]).unwrap();
    assert!(read(&path, TIMESTEPS).unwrap_err().to_string().contains("which ends too early"));
}

#[test]
fn inputs_of_another_form_are_named() {
    let input = |change: &dyn Fn(&mut Vec<crate::import::onnx::proto::ValueInfo>)| {
        changed(|model| change(&mut model.graph.as_mut().unwrap().input))
    };
    let sized = |axis: usize, size: Option<Size>| {
        input(&move |inputs| {
            let shape = inputs[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap().shape.as_mut().unwrap();
            shape.dim[axis] = Dimension { size: size.clone() };
        })
    };
    assert!(sized(2, Some(Size::Named("height".into()))).contains("input x: has the dynamic size height on axis 2"));
    assert!(sized(3, None).contains("input x: has no fixed size on axis 3"));
    assert!(sized(0, Some(Size::Fixed(2))).contains("input x: holds a fixed batch of 2"));
    assert!(input(&|inputs| inputs[0].name = "sample".into()).contains("input_names"));
    assert!(input(&|inputs| inputs[0] = value("x", element::INT64, &[1, 3, 8, 6])).contains("holds no floats"));
    assert!(
        input(&|inputs| inputs[0] = value("x", element::FLOAT, &[1, 3, 2, 8, 6])).contains("input x: has the sizes")
    );
    assert!(input(&|inputs| inputs[1] = value("t", element::INT64, &[1, 7])).contains("input t: has the sizes [1, 7]"));
    assert!(input(&|inputs| inputs[1] = value("t", element::BOOL, &[1])).contains("input t: holds neither"));
    assert!(input(&|inputs| inputs.push(value("mask", element::INT64, &[1]))).contains("mask: chooses no row"));
    let graph = |change: &dyn Fn(&mut crate::import::onnx::proto::Graph)| {
        changed(|model| change(model.graph.as_mut().unwrap()))
    };
    assert!(graph(&|graph| graph.output.push(value("h1", element::FLOAT, &[1]))).contains("has 2 outputs"));
    assert!(graph(&|graph| graph.output[0].name = "nowhere".into()).contains("answers nowhere"));
    assert!(graph(&|graph| graph.output[0].name = "bias".into()).contains("output bias: is no result"));
    assert!(graph(&|graph| graph.node.reverse()).contains("which nothing before it makes"));
    assert!(graph(&|graph| graph.node.last_mut().unwrap().output = vec!["h1".into()]).contains("there already"));
    let half = graph(&|graph| {
        graph.node.push(node("AveragePool", &["out"], &["less"], &[("kernel_shape", Ints(vec![2, 2]))]));
        graph.output[0].name = "less".into();
    });
    assert!(half.contains("output less: is [1, 3, 7, 5], but x is [1, 3, 8, 6]"), "{half}");
}
