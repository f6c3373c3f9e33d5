//! Results whose values were moved: where each value is stored, and which ops of ours move them so.
use super::net::{Map, Net};
use crate::graph::Shape;
use crate::nets::ListedOp;
use crate::{Error, Result};
use ndarray::{ArrayD, IxDyn};

/// Values of a node that were moved by `Reshape`, `Transpose`, `Slice`, …
#[derive(Clone, Debug)]
pub struct View {
    /// The node.
    pub node: usize,
    /// For each value its place among the node's, which are stored channels last.
    pub at: ArrayD<usize>,
    /// As [`Map::sole`], but that others may take other parts of the node.
    pub sole: bool,
    /// Whether it is such a part.
    pub part: bool,
    /// The operator and name of the last node that moved them.
    pub mover: String,
}

/// A node that holds moved values, the stored channel of each channel, and whether nothing else reads it.
type Made = (usize, Vec<usize>, bool);

/// The spatial sizes and channels of a result with ONNX's sizes.
///
/// # Errors
/// Another number of axes than 2, 3 or 4, or a first size that is not 1.
pub fn shape_of(dims: &[usize]) -> Result<Shape> {
    match *dims {
        [1, channels] => Ok(Shape::new(1, 1, channels)),
        [1, channels, length] => Ok(Shape::new(1, length, channels)),
        [1, channels, height, width] => Ok(Shape::new(height, width, channels)),
        _ => Err(Error::Invalid(format!("makes the sizes {dims:?}, which are no images"))),
    }
}

impl Map {
    /// Where each of its values is stored.
    pub fn view(&self, net: &Net) -> Result<View> {
        let shape = net.shape(self.node);
        let at = match self.order.len() == shape.channels {
            true => {
                let order = &self.order;
                order.iter().flat_map(|c| (0..shape.pixels()).map(move |pixel| pixel * shape.channels + c)).collect()
            }
            false => self.order.clone(),
        };
        let at = ArrayD::from_shape_vec(IxDyn(&self.dims), at)
            .map_err(|_| Error::Invalid(format!("has the sizes {:?} of a result {shape}", self.dims)))?;
        Ok(View { node: self.node, at, sole: self.sole, part: false, mover: String::new() })
    }
}

impl View {
    /// The moved values as the result of ops.
    ///
    /// # Errors
    /// A move that no op makes.
    pub fn map(&self, net: &mut Net) -> Result<Map> {
        let (dims, at) = (self.at.shape().to_vec(), self.at.iter().copied().collect::<Vec<_>>());
        let wanted = shape_of(&dims).map_err(|e| Error::Invalid(format!("{}: {e}", self.mover)))?;
        let stored = net.shape(self.node);
        if dims.len() == 2 && stored.pixels() > 1 && is_order(&at, stored.len()) {
            return Ok(Map { node: self.node, dims, order: at, sole: self.sole && !self.part });
        }
        let named = |e: Error| Error::Invalid(format!("{}: {e}", self.mover));
        let mut found = self.channels(net, stored, wanted, &at).map_err(named)?;
        if found.is_none() {
            found = self.to_depth(net, stored, wanted, &at).map_err(named)?;
        }
        if found.is_none() {
            found = self.to_space(net, stored, wanted, &at).map_err(named)?;
        }
        found.map(|(node, order, sole)| Map { node, dims: dims.clone(), order, sole }).ok_or_else(|| {
            Error::Invalid(format!(
                "{}: makes {dims:?} of a result {stored} in a way that is neither flattening, choosing channels, \
                 enlarging nor moving blocks of pixels into channels or back; GroupNorm and attention reshape so: train \
                 with BatchNorm in place of norms over groups, and without attention",
                self.mover
            ))
        })
    }

    /// Another order or choice of the same pixels' channels.
    fn channels(&self, net: &mut Net, stored: Shape, wanted: Shape, at: &[usize]) -> Result<Option<Made>> {
        if (stored.height, stored.width) != (wanted.height, wanted.width) {
            return Ok(None);
        }
        let order: Vec<usize> = (0..wanted.channels).map(|c| at[c * wanted.pixels()]).collect();
        let same = at.iter().enumerate().all(|(i, at)| {
            let (c, pixel) = (i / wanted.pixels(), i % wanted.pixels());
            order[c] < stored.channels && *at == pixel * stored.channels + order[c]
        });
        if !same {
            return Ok(None);
        }
        if is_order(&order, stored.channels) {
            return Ok(Some((self.node, order, self.sole && !self.part)));
        }
        let node = match self.sole {
            true => net.chosen_rows(self.node, &order)?,
            false => net.chosen(self.node, &order)?,
        };
        Ok(Some((node, (0..wanted.channels).collect(), true)))
    }

    /// Blocks of pixels into channels.
    fn to_depth(&self, net: &mut Net, stored: Shape, wanted: Shape, at: &[usize]) -> Result<Option<Made>> {
        let Some(block @ [rows, columns]) = blocks(stored, wanted) else { return Ok(None) };
        let line = stored.width * stored.channels;
        // The first pixel's values give the order: the place within a block, then the channel.
        let order: Vec<usize> = (0..wanted.channels)
            .map(|c| at[c * wanted.pixels()])
            .map(|at| (at / line * columns + at % line / stored.channels) * stored.channels + at % stored.channels)
            .collect();
        let deep = stored.channels * rows * columns;
        let of = |i: usize| {
            let (c, y, x) = position(wanted, i);
            let (within, channel) = (order[c] / stored.channels, order[c] % stored.channels);
            let (y, x) = (y * rows + within / columns, x * columns + within % columns);
            (y * stored.width + x) * stored.channels + channel
        };
        if !is_order(&order, deep) || !at.iter().enumerate().all(|(i, at)| *at == of(i)) {
            return Ok(None);
        }
        let name = format!("{}.to_depth", net.nodes[self.node].name);
        let node =
            net.push(&name, ListedOp::SpaceToDepth { block }, &[self.node], Shape { channels: deep, ..wanted })?;
        Ok(Some((node, order, true)))
    }

    /// Channels into blocks of pixels, or each pixel repeated.
    fn to_space(&self, net: &mut Net, stored: Shape, wanted: Shape, at: &[usize]) -> Result<Option<Made>> {
        let Some(block @ [rows, columns]) = blocks(wanted, stored) else { return Ok(None) };
        // The first block gives, for each channel and place within a block, the stored channel.
        let first = |c: usize, dy: usize, dx: usize| at[(c * wanted.height + dy) * wanted.width + dx];
        let same = at.iter().enumerate().all(|(i, at)| {
            let (c, y, x) = position(wanted, i);
            let channel = first(c, y % rows, x % columns);
            channel < stored.channels && *at == (y / rows * stored.width + x / columns) * stored.channels + channel
        });
        if !same {
            return Ok(None);
        }
        let order: Vec<usize> = (0..wanted.channels).map(|c| first(c, 0, 0)).collect();
        let name = net.nodes[self.node].name.clone();
        let repeated = (0..wanted.channels)
            .all(|c| (0..rows * columns).all(|within| first(c, within / columns, within % columns) == order[c]));
        if repeated && is_order(&order, stored.channels) {
            let op = ListedOp::Upsample { factor: block };
            let node = net.push(&format!("{name}.enlarged"), op, &[self.node], wanted)?;
            return Ok(Some((node, order, true)));
        }
        // The stored order that the op wants: the place within a block, then the channel.
        let wish = |k: usize| {
            let (within, c) = (k / wanted.channels, k % wanted.channels);
            first(c, within / columns, within % columns)
        };
        let from: Vec<usize> = (0..stored.channels).map(wish).collect();
        if !is_order(&from, stored.channels) {
            return Ok(None);
        }
        let dims = [1, stored.channels, stored.height, stored.width].to_vec();
        let deep = Map { node: self.node, dims, order: from, sole: self.sole && !self.part };
        let deep = net.reordered(deep, &(0..stored.channels).collect::<Vec<_>>())?;
        let op = ListedOp::DepthToSpace { block, crop: [0; 2] };
        let node = net.push(&format!("{name}.to_space"), op, &[deep.node], wanted)?;
        Ok(Some((node, (0..wanted.channels).collect(), true)))
    }
}

/// Whether `order` has every number below `count` once.
fn is_order(order: &[usize], count: usize) -> bool {
    let mut seen = vec![false; count];
    order.len() == count && order.iter().all(|at| *at < count && !std::mem::replace(&mut seen[*at], true))
}

/// The rows and columns of blocks of `wide` that are pixels of `deep`, more than one pixel.
fn blocks(wide: Shape, deep: Shape) -> Option<[usize; 2]> {
    let block = [wide.height / deep.height.max(1), wide.width / deep.width.max(1)];
    let fits = block[0] * deep.height == wide.height && block[1] * deep.width == wide.width;
    (fits && block[0] * block[1] > 1 && !block.contains(&0)).then_some(block)
}

/// Channel, row and column of a value of ONNX's order.
fn position(shape: Shape, i: usize) -> (usize, usize, usize) {
    (i / shape.pixels(), i / shape.width % shape.height, i % shape.width)
}
