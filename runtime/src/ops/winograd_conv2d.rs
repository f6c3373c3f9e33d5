//! Convolution by Winograd's algorithm.

use super::buffers::Buffers;
use super::checker::{Checker, MAX_ARENA};
use super::conv2d::Conv2d;
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::operation::{as_its_layer, Operation};
use super::weights::Bits;
use crate::format::{record, Tensor};
use crate::kernels::{conv_scratch, Winograd};
#[cfg(feature = "host")]
use std::string::String;

record! {
    /// A convolution that has scratch for Winograd's algorithm. It computes what the layer says, bit for bit; kernels
    /// without the algorithm ignore the scratch.
    #[derive(Eq)]
    pub struct WinogradConv2d {
        /// The layer: three columns of taps, one group, no strides, whole words of channels.
        pub layer: Conv2d,
        /// Rows of outputs in a band, at least 1; see [`Winograd`].
        pub rows: u16,
        /// Groups of four tiles side by side that are transformed at a time, at least 1.
        pub groups: u16,
        /// Rows of outputs in a tile, 1 or 2; see [`Winograd`].
        pub tile_rows: u8,
    }
}

impl WinogradConv2d {
    /// How it is cut.
    pub const fn cut(&self) -> Winograd {
        Winograd { rows: self.rows as usize, groups: self.groups as usize, tile_rows: self.tile_rows as usize }
    }

    /// Whether Winograd's algorithm can compute this layer by tiles of so many rows.
    pub fn applies(layer: &Conv2d, tile_rows: u8) -> bool {
        let channels = [layer.a.tensor.shape[2] as usize, layer.b.map_or(0, |b| b.tensor.shape[2] as usize)];
        layer.groups == 1 && Winograd::applies(tile_rows as usize, &layer.window.window(), channels)
    }

    /// Bytes of scratch: biases of the step, then the larger of what either algorithm needs.
    pub fn scratch_len(&self) -> usize {
        let layer = &self.layer;
        let channels = layer.input_channels();
        let direct = conv_scratch(layer.window.taps() * channels);
        let own = self.cut().scratch(layer.window.kernel[0] as usize, channels);
        layer.requantization.scratch_len(layer.output.shape[2] as usize)
            + if own > direct { own.next_multiple_of(4) } else { direct }
    }
}

impl Operation for WinogradConv2d {
    as_its_layer!();

    #[cfg(feature = "two-cores")]
    fn second_scratch_len(&self) -> usize {
        let (direct, rows) = (self.layer.second_scratch_len(), self.layer.window.kernel[0] as usize);
        self.cut().second_scratch(rows, self.layer.input_channels()).max(direct)
    }

    #[cfg(feature = "weight-memory")]
    fn weights_read_often(&self) -> Option<(u32, usize)> {
        self.layer.weights_read_often()
    }

    fn check(&self, checker: &mut Checker) -> Result<(), OpFault> {
        self.layer.check_with(checker, Bits::Eight)?;
        if self.layer.groups != 1 || self.rows == 0 || self.groups == 0 || self.rows > self.layer.output.shape[0] {
            return Err(OpFault::Shape);
        }
        if !Self::applies(&self.layer, self.tile_rows) {
            return Err(OpFault::Winograd);
        }
        let lines = self.rows as u64 + self.layer.window.kernel[0] as u64;
        if self.groups as u64 * lines * 96 * self.layer.input_channels() as u64 > 2 * MAX_ARENA {
            return Err(OpFault::Outside);
        }
        Ok(())
    }

    fn run(&self, evaluation: &Evaluation, buffers: Buffers) -> Option<()> {
        self.layer.run_with(evaluation, buffers, Some(self.cut()))
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        self.layer.label_with("winograd conv")
    }

    #[cfg(feature = "host")]
    fn weight_bytes(&self) -> usize {
        self.layer.weight_bytes()
    }
}
