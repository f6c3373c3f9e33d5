//! The network of an evaluator, of LeNet-5's kind (LeCun et al. 1998). For 28×28×1: conv 5×5, 16 (padded) → maximum of
//! 2×2 → conv 5×5, 32 → maximum of 2×2 (5×5) → dense 128 → dense 64 (the features) → the logits, ReLU between. Larger
//! images get more convolutions, until at most 8×8 are left; small ones are padded before the second, too; lines are
//! halved by a stride in place of the maximum.
use crate::autograd::{conv::conv as record_conv, conv::Conv};
use crate::autograd::{dropout::dropout, max_pool, Act, Buffer, Parameters, Tape};
use crate::graph::{BlockId, ConvGeometry, Init, Layout, Shape};
use crate::ops::Activation;
use crate::Result;

/// Number of features: the values of the last hidden layer, behind its ReLU.
pub const FEATURES: usize = 64;

/// Side of the convolutions' kernels.
const KERNEL: usize = 5;
/// Output channels of the first convolutions; further ones have as many as the last.
const CHANNELS: [usize; 4] = [16, 32, 48, 64];
/// Fewest rows and columns that a convolution without padding is used for.
const UNPADDED: usize = 10;
/// Most rows and columns that the dense layers see.
const LARGEST_GRID: usize = 8;
/// Images computed together.
const BATCH: usize = 256;

/// A layer: its shapes and where its weights and biases lie.
#[derive(Clone, Debug)]
struct Layer {
    conv: Conv,
    /// Whether the maximum of 2×2 pixels follows.
    pool: bool,
    /// Whether values of the input are dropped in training.
    drop: bool,
    weight: BlockId,
    bias: BlockId,
}

/// The layers and the place of every parameter.
#[derive(Clone, Debug)]
pub(super) struct Architecture {
    input: Shape,
    outputs: usize,
    layers: Vec<Layer>,
    pub(super) params: Layout,
}

impl Architecture {
    /// The network from images of `input` to `outputs` logits.
    pub(super) fn new(input: Shape, outputs: usize) -> Result<Self> {
        let mut this = Self { input, outputs, layers: vec![], params: Layout::default() };
        let mut shape = input;
        let mut convolutions = 0;
        while convolutions < 2 || shape.height.max(shape.width) > LARGEST_GRID {
            let (geometry, pool) = geometry(shape, convolutions);
            let [height, width] = geometry.output(shape.height, shape.width)?;
            let output = Shape::new(height, width, CHANNELS[convolutions.min(CHANNELS.len() - 1)]);
            this.push(&format!("conv{}", convolutions + 1), Conv { geometry, input: shape, output }, pool, false);
            shape = if pool { max_pool::output(output) } else { output };
            convolutions += 1;
        }
        this.push("dense", Conv::linear(shape.len(), 128), false, true);
        this.push("hidden", Conv::linear(128, FEATURES), false, true);
        this.push("logits", Conv::linear(FEATURES, outputs), false, false);
        Ok(this)
    }

    fn push(&mut self, name: &str, conv: Conv, pool: bool, drop: bool) {
        let [height, width] = conv.geometry.kernel;
        let fan_in = height * width * conv.input.channels;
        let dims = vec![conv.output.channels, height, width, conv.input.channels];
        // The gain that keeps the variance behind a ReLU (He et al. 2015).
        let init = Init::Normal((2.0 / fan_in as f32).sqrt());
        let weight = self.params.push(format!("{name}.weight"), dims, init);
        let bias = self.params.push(format!("{name}.bias"), vec![conv.output.channels], Init::Constant(0.0));
        self.layers.push(Layer { conv, pool, drop, weight, bias });
    }

    /// Records the pass of a batch of images (NHWC in [-1, 1]) and returns the logits. `mask` gives the mask of a
    /// dropout over so many values.
    pub(super) fn record(
        &self,
        tape: &mut Tape,
        params: &Parameters,
        images: Buffer,
        mut mask: impl FnMut(usize) -> Vec<f32>,
    ) -> Act {
        let batch = images.len() / self.input.len();
        let mut x = tape.hold(images, batch, self.input);
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                x = Activation::Relu.of(tape, &x);
            }
            if layer.conv.input.pixels() == 1 {
                x = x.flat();
            }
            let [weight, bias] = [layer.weight, layer.bias].map(|id| self.params.blocks[id].range.clone());
            if layer.drop {
                let mask = mask(x.values().len());
                x = dropout(tape, &x, mask);
            }
            x = record_conv(tape, &x, layer.conv, params, weight, Some(bias), i > 0);
            if layer.pool {
                x = max_pool::max_pool(tape, &x);
            }
        }
        x
    }

    /// Features and logits of images (NHWC in [-1, 1]), image after image.
    pub(super) fn read(&self, params: &[f32], images: &[f32]) -> [Vec<f32>; 2] {
        let count = images.len() / self.input.len();
        let (mut features, mut logits) =
            (Vec::with_capacity(count * FEATURES), Vec::with_capacity(count * self.outputs));
        for images in images.chunks(BATCH * self.input.len()) {
            let mut x = Buffer::copy_of(images);
            for (i, layer) in self.layers.iter().enumerate() {
                if i > 0 {
                    x = Activation::Relu.values(&x);
                }
                if i + 1 == self.layers.len() {
                    features.extend_from_slice(&x);
                }
                let [weight, bias] = [layer.weight, layer.bias].map(|id| self.params.slice(id, params));
                x = layer.conv.forward(&x, weight, Some(bias));
                if layer.pool {
                    x = max_pool::forward(&x, layer.conv.output);
                }
            }
            logits.extend_from_slice(&x);
        }
        [features, logits]
    }
}

/// The convolution number `index`, of images of `shape`, and whether the maximum of 2×2 pixels follows.
fn geometry(shape: Shape, index: usize) -> (ConvGeometry, bool) {
    let Shape { height, width, .. } = shape;
    let padded = ConvGeometry::square(KERNEL, 1);
    if height > 1 && width > 1 {
        let unpadded = index > 0 && height.min(width) >= UNPADDED;
        return (if unpadded { ConvGeometry { pad: [0; 2], ..padded } } else { padded }, true);
    }
    let along = |size: usize, long: usize| if size > 1 { long } else { 1 };
    let each = |long: usize| [along(height, long), along(width, long)];
    (ConvGeometry { kernel: each(KERNEL), stride: each(2), pad: each(KERNEL).map(|k| k / 2), ..padded }, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shipped weights of 28×28×1 have a meaning in this architecture alone.
    #[test]
    fn digits_keep_their_network() {
        let shapes: Vec<String> = Architecture::new(Shape::new(28, 28, 1), 10)
            .unwrap()
            .layers
            .iter()
            .map(|layer| format!("{} {}{}", layer.conv.input, layer.conv.output, if layer.pool { " pool" } else { "" }))
            .collect();
        let expected =
            ["28x28x1 28x28x16 pool", "14x14x16 10x10x32 pool", "1x1x800 1x1x128", "1x1x128 1x1x64", "1x1x64 1x1x10"];
        assert_eq!(shapes, expected);
    }

    #[test]
    fn every_shape_has_a_network() {
        for (height, width, channels) in [
            (1, 1, 1),
            (1, 7, 2),
            (1, 1024, 1),
            (4, 4, 1),
            (8, 8, 4),
            (16, 16, 3),
            (24, 16, 3),
            (2, 50, 1),
            (64, 64, 3),
            (33, 65, 2),
        ] {
            let shape = Shape::new(height, width, channels);
            let architecture = Architecture::new(shape, 5).unwrap();
            let params = architecture.params.init(1);
            assert!(params.len() < 400_000, "{shape}: {}", params.len());
            let images: Vec<f32> = (0..3 * shape.len()).map(|i| (i as f32 * 0.37).sin()).collect();
            let [features, logits] = architecture.read(&params, &images);
            assert_eq!((features.len(), logits.len()), (3 * FEATURES, 15), "{shape}");
            let mut tape = Tape::default();
            let recorded =
                architecture.record(&mut tape, &Parameters::new(params), Buffer::from(images), |len| vec![1.0; len]);
            assert!(logits.iter().zip(recorded.values()).all(|(a, b)| (a - b).abs() < 1e-4), "{shape}");
            assert!(logits.iter().any(|v| *v != 0.0) && logits.iter().all(|v| v.is_finite()));
        }
    }
}
