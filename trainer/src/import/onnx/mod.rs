//! Networks of ONNX files as networks of ours.
//!
//! A file is read (`model`), and its nodes are converted one after the other (`convert`): what reads no image is
//! computed (`host`), the rest becomes nodes of a [`Listed`] network with their weights (`net`). What timestep and
//! classes give is then tabulated: a row of bias columns a timestep and a class.
mod arithmetic;
mod convert;
mod hints;
mod host;
mod layers;
mod model;
mod movement;
mod net;
mod node;
pub mod proto;
mod sums;
mod tensor;
#[cfg(test)]
mod tests;
mod views;
mod window;

use crate::data::Axis;
use crate::graph::Shape;
use crate::nets::{Listed, Spec};
use crate::{Error, Result};
use convert::Converter;
use host::Host;
use model::Model;
use net::{Column, NetNode};
use std::collections::HashMap;
use std::path::Path;

/// How the network of a file counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timesteps {
    /// Number of timesteps T.
    pub count: usize,
    /// The number that the network has for the first one: 0 in most of PyTorch's code.
    pub first: usize,
}

/// A network with its weights.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its nodes.
    pub spec: Spec,
    /// The shape of an image.
    pub image: Shape,
    /// The axes of its classes, none where it has no classes.
    pub axes: Vec<Axis>,
    /// Parameters in the layout of the graph that `spec` makes; there are no statistics.
    pub params: Vec<f32>,
}

/// Reads a network.
///
/// # Errors
/// A file that is no whole ONNX file of a known version; weights that are no finite numbers; inputs that are not `x`,
/// `t` and classes; an operator or a use of one that no op of ours computes exactly. Each names the file and the tensor
/// or node.
pub fn read(path: &Path, timesteps: Timesteps) -> Result<Imported> {
    let model = Model::read(path)?;
    imported(&model, timesteps).map_err(|e| Error::file(path, e))
}

fn imported(model: &Model, timesteps: Timesteps) -> Result<Imported> {
    let mut converter = Converter::new(model)?;
    for node in &model.nodes {
        converter.add(node)?;
    }
    let output = converter.output(model)?;
    let Converter { host, net, .. } = converter;
    let image = net.shape(0);
    let (nodes, list) = net.finish(output);
    let counts = host.class_counts()?;
    let spec = Spec::Listed(Listed { timesteps: timesteps.count, nodes: list });
    let graph = spec.build(image, &counts)?;
    let mut blocks: HashMap<String, Vec<f32>> = HashMap::new();
    let columns: Vec<&Column> = nodes.iter().flat_map(|node| &node.columns).collect();
    if !columns.iter().any(|column| matches!(column, Column::Of { name, .. } if host.depends_on_time(name))) {
        return Err(Error::Invalid(
            "adds nothing that depends on the timestep; export with an input t whose embedding is added to channels"
                .into(),
        ));
    }
    blocks.insert("conditioning.times".into(), times(&host, &columns, timesteps, &counts)?);
    blocks.insert("conditioning.classes".into(), classes(&host, &columns, timesteps, &counts)?);
    for NetNode { name, weight, bias, .. } in nodes {
        blocks.insert(format!("{name}.weight"), weight);
        blocks.insert(format!("{name}.bias"), bias);
    }
    let mut params: Vec<f32> = vec![];
    for block in &graph.params.blocks {
        match blocks.get(&block.name).filter(|values| values.len() == block.range.len()) {
            Some(values) => params.extend(values),
            None => return Err(Error::Invalid(format!("{} has no weights of {:?}", block.name, block.shape))),
        }
    }
    if !params.iter().all(|value| value.is_finite()) {
        return Err(Error::Invalid(
            "has weights that are infinite once its norms and factors are multiplied in".into(),
        ));
    }
    let axes = model.classes.iter().zip(&counts);
    let axes = axes.map(|(label, count)| Axis { name: label.name.clone(), ..Axis::numbered(*count) }).collect();
    Ok(Imported { spec, image, axes, params })
}

/// The bias columns at a timestep, as the network counts it, and classes.
fn row(host: &Host, columns: &[&Column], timestep: usize, classes: &[usize]) -> Result<Vec<f64>> {
    let values = host.at(timestep, classes)?;
    let mut lists: HashMap<&str, Vec<f32>> = HashMap::new();
    let mut found = vec![];
    for column in columns {
        found.push(match column {
            Column::Fixed(value) => f64::from(*value),
            Column::Of { name, place, factor } => {
                if !lists.contains_key(&**name) {
                    let tensor = values.get(&**name);
                    let tensor = tensor.ok_or_else(|| Error::Invalid(format!("adds {name}, which is not known")))?;
                    lists.insert(name, tensor.float_values().map_err(|e| Error::Invalid(format!("{name}: {e}")))?);
                }
                f64::from(factor * lists[&**name][*place])
            }
        });
    }
    Ok(found)
}

/// A row a timestep, with the null classes, which are the last ones.
fn times(host: &Host, columns: &[&Column], timesteps: Timesteps, counts: &[usize]) -> Result<Vec<f32>> {
    let mut table = vec![];
    for t in 0..timesteps.count {
        table.extend(row(host, columns, timesteps.first + t, counts)?.into_iter().map(|value| value as f32));
    }
    Ok(table)
}

/// A row a class of each axis: what it adds to that of its null class, which is the same at every timestep.
fn classes(host: &Host, columns: &[&Column], timesteps: Timesteps, counts: &[usize]) -> Result<Vec<f32>> {
    if counts.is_empty() {
        return Ok(vec![0.0; columns.len()]);
    }
    let mut table = vec![];
    let nulls = row(host, columns, timesteps.first, counts)?;
    for (axis, count) in counts.iter().enumerate() {
        for class in 0..*count {
            let mut chosen = counts.to_vec();
            chosen[axis] = class;
            let with = row(host, columns, timesteps.first, &chosen)?;
            table.extend(with.iter().zip(&nulls).map(|(with, null)| (with - null) as f32));
        }
        table.extend(vec![0.0; columns.len()]);
    }
    Ok(table)
}
