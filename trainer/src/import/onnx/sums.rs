//! Sums and products in the image's part: residuals, biases, factors, SiLU and gates.
use super::convert::{Converter, Half, Value};
use super::net::{Column, Map};
use super::node::Node;
use crate::nets::ListedOp;
use crate::Result;

impl Converter<'_> {
    /// Sums, differences, products and quotients of two values, at least one of which is an image.
    ///
    /// # Errors
    /// What is neither a sum, a constant factor, SiLU nor a gate; the error names the node.
    pub fn arithmetic(&mut self, node: &Node) -> Result<Map> {
        let sign = if matches!(&*node.op, "Sub" | "Neg") { -1.0 } else { 1.0 };
        match (&*node.op, self.is_image(node, 0), self.is_image(node, 1)) {
            ("Neg", ..) => {
                let map = self.map(node, 0)?;
                self.scaled(node, &map, -1.0)
            }
            ("Mul", true, true) => self.product(node),
            ("Add" | "Sub", true, true) => {
                let (a, b) = (self.map(node, 0)?, self.map(node, 1)?);
                if a.dims != b.dims {
                    return Err(node.error(format!("adds {:?} to {:?}; only equal sizes are known", b.dims, a.dims)));
                }
                let b = if sign < 0.0 { self.scaled(node, &b, -1.0)? } else { b };
                let shape = self.net.shape(a.node);
                if shape != self.net.shape(b.node) {
                    return Err(node.error("adds an image to a flattened one; add before Flatten"));
                }
                let (a, b) = match a.sole {
                    true => (self.net.reordered(a, &b.order).map_err(|e| node.error(e))?, b),
                    false => (a.clone(), self.net.reordered(b, &a.order).map_err(|e| node.error(e))?),
                };
                let made =
                    self.net.push(&node.name, ListedOp::Add, &[a.node, b.node], shape).map_err(|e| node.error(e))?;
                Ok(Map { node: made, sole: true, ..a })
            }
            ("Add" | "Sub", true, false) => {
                let map = self.map(node, 0)?;
                self.biased(node, &map, 1, sign)
            }
            ("Add" | "Sub", false, true) => {
                let map = self.map(node, 1)?;
                let map = if sign < 0.0 { self.scaled(node, &map, -1.0)? } else { map };
                self.biased(node, &map, 0, 1.0)
            }
            ("Mul", image, _) | ("Div", image @ true, false) => {
                let (image, factor) = if image { (0, 1) } else { (1, 0) };
                let map = self.map(node, image)?;
                if node.inputs.get(factor).is_none_or(|name| self.host.constant(name).is_none()) {
                    return Err(node.error(
                        "multiplies by what depends on the timestep or class; only adding it is known: x + bias in \
                         place of x*(1 + scale) + shift",
                    ));
                }
                let factors = self.per_channel(node, factor, &map)?;
                let scale: Vec<f64> = match &*node.op {
                    "Div" => factors.iter().map(|by| 1.0 / f64::from(*by)).collect(),
                    _ => factors.iter().map(|by| f64::from(*by)).collect(),
                };
                if !scale.iter().all(|scale| scale.is_finite()) {
                    return Err(node.error("divides by 0"));
                }
                self.check_uniform(node, &map, &factors)?;
                self.net.affine(&node.name, &map, &scale, &vec![0.0; scale.len()]).map_err(|e| node.error(e))
            }
            _ => Err(node.error("divides by an image's values; only constants are known there")),
        }
    }

    fn scaled(&mut self, node: &Node, map: &Map, by: f64) -> Result<Map> {
        let (scale, shift) = (vec![by; map.order.len()], vec![0.0; map.order.len()]);
        self.net.affine(&node.name, map, &scale, &shift).map_err(|e| node.error(e))
    }

    /// x·sigmoid(x) or tanh(a)·sigmoid(b).
    fn product(&mut self, node: &Node) -> Result<Map> {
        let [a, b] = [0, 1].map(|i| self.values[&*node.inputs[i]].clone());
        let (op, first, second) = match (a, b) {
            (Value::Half(Half::Tanh, a, _), Value::Half(Half::Sigmoid, b, _))
            | (Value::Half(Half::Sigmoid, b, _), Value::Half(Half::Tanh, a, _)) => (ListedOp::Gate, a, Some(b)),
            (Value::Half(Half::Sigmoid, of, _), _) if Some(&of) == self.plain(node, 1)?.as_ref() => {
                (ListedOp::Silu, of, None)
            }
            (_, Value::Half(Half::Sigmoid, of, _)) if Some(&of) == self.plain(node, 0)?.as_ref() => {
                (ListedOp::Silu, of, None)
            }
            _ => return Err(node.error(
                "multiplies two values of the image; only x*sigmoid(x) (SiLU) and tanh(a)*sigmoid(b) are known: use \
                     these, or ReLU",
            )),
        };
        let Some(second) = second else { return self.after(node, op, first) };
        if first.dims != second.dims || self.net.shape(first.node) != self.net.shape(second.node) {
            return Err(node.error(format!("gates {:?} by {:?}", first.dims, second.dims)));
        }
        let second = self.net.reordered(second, &first.order).map_err(|e| node.error(e))?;
        let shape = self.net.shape(first.node);
        let made = self.net.push(&node.name, op, &[first.node, second.node], shape).map_err(|e| node.error(e))?;
        Ok(Map { node: made, sole: true, ..first })
    }

    /// An input that is a whole result.
    fn plain(&mut self, node: &Node, i: usize) -> Result<Option<Map>> {
        match self.values.get(&*node.inputs[i]) {
            Some(Value::Map(_) | Value::View(_)) => self.map(node, i).map(Some),
            _ => Ok(None),
        }
    }

    /// x + sign·bias, of a constant or of timestep and class.
    fn biased(&mut self, node: &Node, map: &Map, i: usize, sign: f32) -> Result<Map> {
        let name = &node.inputs[i];
        if self.host.constant(name).is_some() {
            let values = self.per_channel(node, i, map)?;
            self.check_uniform(node, map, &values)?;
            let shift: Vec<f64> = values.iter().map(|value| f64::from(sign * value)).collect();
            let scale = vec![1.0; shift.len()];
            return self.net.affine(&node.name, map, &scale, &shift).map_err(|e| node.error(e));
        }
        let places = self.places(node, i, map)?;
        let channels = self.net.shape(map.node).channels;
        if places.len() != channels {
            return Err(node.error("adds a bias to a flattened image; add it before Flatten"));
        }
        let mut columns = vec![Column::Fixed(0.0); channels];
        for (at, place) in map.order.iter().zip(places) {
            columns[*at] = Column::Of { name: name.clone(), place, factor: sign };
        }
        let made = self.net.add_columns(&node.name, map.node, columns).map_err(|e| node.error(e))?;
        Ok(Map { node: made, sole: true, ..map.clone() })
    }

    /// For each channel of a map the place among the values of an input that has one value a channel, or one.
    fn places(&self, node: &Node, i: usize, map: &Map) -> Result<Vec<usize>> {
        let Some(value) = self.host.sample(&node.inputs[i]) else {
            return Err(node.error(format!("reads {}, which is not known", node.inputs[i])));
        };
        let (dims, count) = (value.dims(), map.order.len());
        // Sizes from the channels' axis on, which is the second one of the map.
        let axes = map.dims.len() - 1;
        let channels = dims.len().checked_sub(axes).map_or(1, |axis| dims[axis]);
        match value.len() == channels && dims.len() <= axes + 1 && (channels == 1 || channels == count) {
            true => Ok((0..count).map(|c| if channels == 1 { 0 } else { c }).collect()),
            false => Err(node.error(format!(
                "computes {dims:?} with an image of {:?}; only one value a channel is known, [1, {count}, 1, 1]",
                map.dims
            ))),
        }
    }

    /// The values of a constant for each channel of a map.
    fn per_channel(&self, node: &Node, i: usize, map: &Map) -> Result<Vec<f32>> {
        let places = self.places(node, i, map)?;
        let values = self.constant(node, i, "factor")?.float_values().map_err(|e| node.error(e))?;
        Ok(places.into_iter().map(|place| values[place]).collect())
    }

    /// Checks that values of a flattened image are all the same.
    fn check_uniform(&self, node: &Node, map: &Map, values: &[f32]) -> Result<()> {
        match self.net.shape(map.node).channels == values.len() || values.windows(2).all(|pair| pair[0] == pair[1]) {
            true => Ok(()),
            false => Err(node.error("computes a flattened image with a value each; do it before Flatten")),
        }
    }
}
