//! The frozen classifier of digits whose hidden layer is the space in which samples are compared with real digits.
//!
//! A network of LeNet-5's kind (LeCun et al. 1998): 28×28×1 → conv 5×5, 16 (padded) → maximum of 2×2 → conv 5×5, 32 →
//! maximum of 2×2 (5×5) → dense 128 → dense 64 (the features) → dense 10, ReLU between.
use crate::autograd::{
    conv::conv as record_conv, conv::Conv, dropout::dropout, max_pool, Act, Buffer, Parameters, Tape,
};
use crate::graph::{BlockId, ConvGeometry, Init, Layout, Shape};
use crate::ops::Activation;
use crate::{Error, Result};
use safetensors::{tensor::TensorView, Dtype, SafeTensors};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Shape of the images it reads.
pub const IMAGE: Shape = Shape::new(28, 28, 1);
/// Number of classes.
pub const CLASSES: usize = 10;
/// Number of features: the values of the last hidden layer, behind its ReLU.
pub const FEATURES: usize = 64;

/// The weights that come with the program, made by `trainer classifier`.
const SHIPPED: &[u8] = include_bytes!("../../assets/classifier/digits.safetensors");
/// SHA-256 of [`SHIPPED`].
const SHIPPED_SHA256: &str = include_str!("../../assets/classifier/digits.sha256");

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
    layers: Vec<Layer>,
    pub(super) params: Layout,
}

impl Architecture {
    pub(super) fn new() -> Self {
        let mut this = Self { layers: vec![], params: Layout::default() };
        let padded = ConvGeometry::square(5, 1);
        let unpadded = ConvGeometry { pad: [0; 2], ..padded };
        let shapes =
            [IMAGE, Shape::new(28, 28, 16), Shape::new(14, 14, 16), Shape::new(10, 10, 32), Shape::new(5, 5, 32)];
        this.push("conv1", Conv { geometry: padded, input: shapes[0], output: shapes[1] }, true, false);
        this.push("conv2", Conv { geometry: unpadded, input: shapes[2], output: shapes[3] }, true, false);
        this.push("dense", Conv::linear(shapes[4].len(), 128), false, true);
        this.push("hidden", Conv::linear(128, FEATURES), false, true);
        this.push("logits", Conv::linear(FEATURES, CLASSES), false, false);
        this
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
        let batch = images.len() / IMAGE.len();
        let mut x = tape.hold(images, batch, IMAGE);
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
}

/// What the classifier makes of a set of images.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// [`FEATURES`] values an image.
    pub features: Vec<f32>,
    /// The most likely class of every image.
    pub classes: Vec<u8>,
}

/// A classifier with its weights.
#[derive(Clone, Debug)]
pub struct Classifier {
    architecture: Architecture,
    params: Vec<f32>,
    sha256: String,
}

impl Classifier {
    /// The classifier that comes with the program.
    ///
    /// # Errors
    /// Weights whose hash is not the recorded one; none in practice.
    pub fn shipped() -> Result<Self> {
        let this = Self::from_bytes(SHIPPED)?;
        if this.sha256 != SHIPPED_SHA256.trim() {
            let expected = SHIPPED_SHA256.trim();
            return Err(Error::Invalid(format!(
                "the classifier's weights have the hash {}, but {expected} was recorded",
                this.sha256
            )));
        }
        Ok(this)
    }

    /// Reads the bytes of a safetensors file.
    ///
    /// # Errors
    /// Bytes that are no such file or hold other tensors.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let wrong = |what: String| Error::Invalid(format!("the classifier's weights cannot be used: {what}"));
        let file = SafeTensors::deserialize(bytes).map_err(|e| wrong(e.to_string()))?;
        let architecture = Architecture::new();
        let mut params = Vec::with_capacity(architecture.params.len());
        for block in &architecture.params.blocks {
            let tensor = file.tensor(&block.name).map_err(|e| wrong(format!("{}: {e}", block.name)))?;
            if tensor.dtype() != Dtype::F32 || tensor.shape() != block.shape {
                return Err(wrong(format!("{} is not f32 of {:?}", block.name, block.shape)));
            }
            params.extend(tensor.data().as_chunks::<4>().0.iter().map(|v| f32::from_le_bytes(*v)));
        }
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { architecture, params, sha256 })
    }

    /// The bytes of a safetensors file with these parameters, in the order of the architecture's layout.
    ///
    /// # Errors
    /// None for parameters of the right number.
    pub(super) fn encode(params: &[f32]) -> Result<Vec<u8>> {
        let layout = Architecture::new().params;
        let bytes: Vec<u8> = params.iter().flat_map(|v| v.to_le_bytes()).collect();
        let views: std::result::Result<Vec<_>, _> = layout
            .blocks
            .iter()
            .map(|block| {
                let data = &bytes[block.range.start * 4..block.range.end * 4];
                TensorView::new(Dtype::F32, block.shape.clone(), data).map(|view| (block.name.clone(), view))
            })
            .collect();
        views
            .and_then(|views| safetensors::serialize(views, None::<HashMap<String, String>>))
            .map_err(|e| Error::Invalid(format!("the classifier's weights cannot be encoded: {e}")))
    }

    /// SHA-256 of the file, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Features and classes of images (NHWC in [-1, 1], 28×28×1 each).
    pub fn read(&self, images: &[f32]) -> Reading {
        let mut reading = Reading { features: vec![], classes: vec![] };
        for images in images.chunks(BATCH * IMAGE.len()) {
            let mut x = Buffer::copy_of(images);
            for (i, layer) in self.architecture.layers.iter().enumerate() {
                if i > 0 {
                    x = Activation::Relu.values(&x);
                }
                if i + 1 == self.architecture.layers.len() {
                    reading.features.extend_from_slice(&x);
                }
                let [weight, bias] =
                    [layer.weight, layer.bias].map(|id| self.architecture.params.slice(id, &self.params));
                x = layer.conv.forward(&x, weight, Some(bias));
                if layer.pool {
                    x = max_pool::forward(&x, layer.conv.output);
                }
            }
            reading.classes.extend(x.chunks_exact(CLASSES).map(most_likely));
        }
        reading
    }
}

/// The index of the largest logit.
fn most_likely(logits: &[f32]) -> u8 {
    let mut best = 0;
    for (k, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = k;
        }
    }
    best as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;

    #[test]
    fn reads_the_test_set() {
        let (classifier, test) = (Classifier::shipped().unwrap(), digits::test().unwrap());
        let labels = test.single_labels().unwrap();
        let classes = classifier.read(&test.images.to_vec()).classes;
        let right = classes.iter().zip(labels).filter(|(a, b)| a == b).count();
        assert!(right >= 9850, "{right} of 10000");
    }

    #[test]
    fn other_weights_are_refused() {
        let reason = |bytes: &[u8]| Classifier::from_bytes(bytes).unwrap_err().to_string();
        assert!(reason(b"no weights").contains("cannot be used"));
        let empty = safetensors::serialize(Vec::<(String, TensorView)>::new(), None::<HashMap<String, String>>);
        assert!(reason(&empty.unwrap()).contains("conv1.weight"));
    }
}
