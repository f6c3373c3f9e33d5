//! ONNX files that tests make.
use crate::import::onnx::proto::{
    element, setting as setting_kind, Attribute, Dimension, Graph, Model, Node, OperatorSet, Size, Tensor, TensorShape,
    TensorType, Type, ValueInfo,
};
use prost::Message;
use std::path::PathBuf;

/// A setting of a node.
pub enum Setting {
    Int(i64),
    Ints(Vec<i64>),
    Float(f32),
    Floats(Vec<f32>),
    Text(&'static str),
}

/// Values that look random: normal enough, and the same on every run.
pub fn values(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7 + seed * 131 + 1) as f32 * 0.731).sin() * 0.6).collect()
}

/// A tensor of floats.
pub fn floats(name: &str, dims: &[usize], values: &[f32]) -> Tensor {
    Tensor {
        name: name.into(),
        dims: dims.iter().map(|size| *size as i64).collect(),
        data_type: element::FLOAT,
        raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ..Tensor::default()
    }
}

/// A tensor of [`values`].
pub fn weights(name: &str, dims: &[usize], seed: usize) -> Tensor {
    floats(name, dims, &values(dims.iter().product(), seed))
}

/// A list of whole numbers.
pub fn ints(name: &str, values: &[i64]) -> Tensor {
    Tensor {
        name: name.into(),
        dims: vec![values.len() as i64],
        data_type: element::INT64,
        int64_data: values.to_vec(),
        ..Tensor::default()
    }
}

/// A node named as its first result.
pub fn node(op: &str, inputs: &[&str], outputs: &[&str], settings: &[(&str, Setting)]) -> Node {
    let attribute = |(name, setting): &(&str, Setting)| {
        let mut attribute = Attribute { name: (*name).into(), ..Attribute::default() };
        attribute.r#type = match setting {
            Setting::Int(_) => setting_kind::INT,
            Setting::Ints(_) => setting_kind::INTS,
            Setting::Float(_) => setting_kind::FLOAT,
            Setting::Floats(_) => setting_kind::FLOATS,
            Setting::Text(_) => setting_kind::STRING,
        };
        match setting {
            Setting::Int(value) => attribute.i = *value,
            Setting::Ints(values) => attribute.ints.clone_from(values),
            Setting::Float(value) => attribute.f = *value,
            Setting::Floats(values) => attribute.floats.clone_from(values),
            Setting::Text(text) => attribute.s = text.as_bytes().to_vec(),
        }
        attribute
    };
    Node {
        op_type: op.into(),
        name: outputs[0].into(),
        input: inputs.iter().map(|name| (*name).into()).collect(),
        output: outputs.iter().map(|name| (*name).into()).collect(),
        attribute: settings.iter().map(attribute).collect(),
        ..Node::default()
    }
}

/// An input or output with fixed sizes.
pub fn value(name: &str, kind: i32, dims: &[usize]) -> ValueInfo {
    let size = |size: &usize| Dimension { size: Some(Size::Fixed(*size as i64)) };
    let shape = Some(TensorShape { dim: dims.iter().map(size).collect() });
    let tensor_type = Some(TensorType { elem_type: kind, shape });
    ValueInfo { name: name.into(), r#type: Some(Type { tensor_type }) }
}

/// A network of `x`, `t` and `classes` axes of three classes and none that answers `out`. Where the nodes read `bias`,
/// it is [1, channels, 1, 1]: a sine of the timestep through a dense layer plus a row for each class.
pub fn network(dims: &[usize], channels: usize, axes: usize, nodes: Vec<Node>, tensors: Vec<Tensor>) -> Model {
    use Setting::Int;
    let mut input = vec![value("x", element::FLOAT, dims), value("t", element::INT64, &[1])];
    let mut all = vec![
        node("Cast", &["t"], &["t.float"], &[("to", Int(1))]),
        node("Unsqueeze", &["t.float", "one"], &["t.column"], &[]),
        node("Mul", &["t.column", "frequencies"], &["angles"], &[]),
        node("Sin", &["angles"], &["sines"], &[]),
        node("Gemm", &["sines", "mlp.weight", "mlp.bias"], &["mlp"], &[("transB", Int(1))]),
        node("Sigmoid", &["mlp"], &["mlp.sigmoid"], &[]),
        node("Mul", &["mlp", "mlp.sigmoid"], &["mlp.silu"], &[]),
        node("MatMul", &["mlp.silu", "time.weight"], &["time0"], &[]),
    ];
    for axis in 0..axes {
        let [name, table, row] = ["class", "table", "row"].map(|name| format!("{name}{axis}"));
        input.push(value(&name, element::INT64, &[1]));
        all.push(node("Gather", &[&table, &name], &[&row], &[]));
        all.push(node("Add", &[&format!("time{axis}"), &row], &[&format!("time{}", axis + 1)], &[]));
    }
    let spatial: Vec<i64> = (2..dims.len() as i64).collect();
    all.push(match spatial.is_empty() {
        true => node("Identity", &[&format!("time{axes}")], &["bias"], &[]),
        false => node("Unsqueeze", &[&format!("time{axes}"), "spatial"], &["bias"], &[]),
    });
    all.extend(nodes);
    let mut initializer = vec![
        ints("one", &[1]),
        ints("spatial", &spatial),
        floats("frequencies", &[1, 4], &[1.0, 0.1, 0.01, 0.001]),
        weights("mlp.weight", &[5, 4], 1),
        weights("mlp.bias", &[5], 2),
        weights("time.weight", &[5, channels], 3),
    ];
    initializer.extend((0..axes).map(|axis| weights(&format!("table{axis}"), &[4, channels], 4 + axis)));
    initializer.extend(tensors);
    let output = vec![value("out", element::FLOAT, dims)];
    let opset_import = vec![OperatorSet { domain: String::new(), version: 18 }];
    let graph = Some(Graph { node: all, initializer, input, output });
    Model { ir_version: 8, graph, opset_import, functions: vec![] }
}

/// A file that holds `bytes`, in a folder of its own.
pub fn written(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.onnx");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// The file of a network.
pub fn file(model: &Model) -> (tempfile::TempDir, PathBuf) {
    written(&model.encode_to_vec())
}
