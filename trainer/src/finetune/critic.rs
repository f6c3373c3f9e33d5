//! A critic: a space in which drawn images are compared with the data while a network is fine-tuned.
use super::moments::{Running, Target};
use crate::autograd::soft_histogram::{soft_histogram, Bin};
use crate::autograd::{conv::conv, conv::Conv, cross_entropy};
use crate::autograd::{Act, Adam, Buffer, Parameters, Tape};
use crate::data::augment::Placement;
use crate::data::Dataset;
use crate::graph::{BlockId, ConvGeometry, Init, Layout, Shape};
use crate::ops::Activation;
use crate::{Error, Result};
use rand::{seq::SliceRandom, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Kernel, channels and stride of each convolution.
pub type Convolutions = &'static [(usize, usize, usize)];

/// Principal components of the pixels.
const COMPONENTS: usize = 64;
/// Gray levels near black and white, which most pixels of the data have exactly.
const GRAYS: [Bin; 8] = {
    const fn near(centre: f32, width: f32) -> Bin {
        Bin { centre, width }
    }
    [
        near(-1.0, 0.03),
        near(-1.0, 0.06),
        near(-1.0, 0.12),
        near(-1.0, 0.25),
        near(1.0, 0.03),
        near(1.0, 0.06),
        near(1.0, 0.12),
        near(1.0, 0.25),
    ]
};
/// Images a step of training.
pub(super) const BATCH: usize = 64;
/// Highest learning rate.
const LEARNING_RATE: f64 = 3e-3;
/// Largest shift of a training image, in pixels.
const SHIFT: i64 = 2;

#[derive(Clone, Debug)]
struct Layer {
    conv: Conv,
    weight: BlockId,
    bias: BlockId,
}

/// A trained classifier with the moments of the data in its features.
#[derive(Debug)]
pub struct Critic {
    layers: Vec<Layer>,
    layout: Layout,
    params: Parameters,
    /// Moments of features and class.
    joint: Target,
    /// Moments of features alone.
    plain: Target,
    /// Factor on a class's indicator beside the features.
    class_scale: f64,
    /// How often each class occurs in the data.
    shares: Vec<f64>,
    /// Whether the last layer, behind the features, tells the class.
    classifies: bool,
}

/// What a critic has seen of the samples of one plan, with classes or without.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub(super) moments: Running,
    /// Mean probability of each class.
    pub(super) shares: Vec<f64>,
}

/// How a batch of samples differs from the data.
#[derive(Debug)]
pub struct Comparison {
    /// Fréchet distance over the data's variance.
    pub distance: f64,
    /// Cross-entropy of the classes that were asked for; without, the divergence of the drawn classes' shares from the
    /// data's.
    pub class_loss: f64,
    /// The gradients of `distance` and of the weighted class loss with respect to features and logits.
    pub gradients: Vec<(Act, Buffer)>,
}

impl Critic {
    /// A classifier that is not trained yet.
    ///
    /// # Errors
    /// Images that are too small.
    pub fn new(data: &Dataset, convolutions: Convolutions, hidden: usize, seed: u64) -> Result<Self> {
        let (mut layers, mut layout) = (vec![], Layout::default());
        let mut push = |conv: Conv| {
            let [height, width] = conv.geometry.kernel;
            let dims = vec![conv.output.channels, height, width, conv.input.channels];
            let std = (2.0 / (height * width * conv.input.channels) as f32).sqrt();
            let weight = layout.push(format!("{}.weight", layers.len()), dims, Init::Normal(std));
            let bias = layout.push(format!("{}.bias", layers.len()), vec![conv.output.channels], Init::Constant(0.0));
            layers.push(Layer { conv, weight, bias });
        };
        let mut input = data.shape;
        for (kernel, channels, stride) in convolutions {
            let geometry = ConvGeometry::square(*kernel, *stride);
            let [height, width] = geometry.output(input.height, input.width)?;
            let output = Shape::new(height, width, *channels);
            push(Conv { geometry, input, output });
            input = output;
        }
        push(Conv::linear(input.len(), hidden));
        push(Conv::linear(hidden, data.classes()));
        let params = Parameters::new(layout.init(seed));
        let target = Target::new(&[0.0], 1);
        let (joint, plain) = (target.clone(), target);
        let shares = shares(data);
        Ok(Self { layers, layout, params, joint, plain, class_scale: 1.0, shares, classifies: true })
    }

    /// The critic of gray levels, which has no layers.
    pub fn without_layers(data: &Dataset) -> Self {
        let target = Target::new(&[0.0], 1);
        Self {
            layers: vec![],
            layout: Layout::default(),
            params: Parameters::new(vec![]),
            joint: target.clone(),
            plain: target,
            class_scale: 1.0,
            shares: shares(data),
            classifies: false,
        }
    }

    /// One layer: the projection on the directions in which the pixels vary most.
    pub fn of_pixels(data: &Dataset) -> Self {
        let len = data.shape.len();
        let values: Vec<f64> = data.images.to_vec().iter().map(|v| f64::from(*v)).collect();
        let components = Target::new(&values, len).principal(COMPONENTS);
        let mut layout = Layout::default();
        let conv = Conv::linear(len, components.len() / len);
        let weight = layout.push("pixels.weight".into(), vec![components.len() / len, len], Init::Constant(0.0));
        let bias = layout.push("pixels.bias".into(), vec![components.len() / len], Init::Constant(0.0));
        let zeros = std::iter::repeat_n(0.0, components.len() / len);
        let params = Parameters::new(components.iter().map(|v| *v as f32).chain(zeros).collect());
        Self { layers: vec![Layer { conv, weight, bias }], layout, params, ..Self::without_layers(data) }
    }

    /// What it has learned: its parameters if it classifies, else nothing.
    pub fn learned(&self) -> Option<&[f32]> {
        self.classifies.then(|| self.params.values())
    }

    /// Takes the parameters of a critic that was trained before.
    pub fn learn(&mut self, params: Vec<f32>) {
        self.params = Parameters::new(params);
    }

    /// The moments of the data, with their classes or without.
    pub fn target(&self, with_classes: bool) -> &Target {
        if with_classes {
            &self.joint
        } else {
            &self.plain
        }
    }

    /// How often each class occurs in the data.
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// The logits of images, one row an image; nothing of a critic that does not classify.
    pub fn logits(&self, images: &[f32], shape: Shape) -> Option<Act> {
        let mut tape = Tape::default();
        let x = tape.hold(Buffer::copy_of(&images), images.len() / shape.len(), shape);
        self.classifies.then(|| {
            let [_, logits] = self.record(&mut tape, &self.params, &x, false);
            logits
        })
    }

    /// Records features and logits of a batch of images; the logits of a critic that does not classify are its
    /// features.
    fn record(&self, tape: &mut Tape, params: &Parameters, images: &Act, images_learn: bool) -> [Act; 2] {
        if self.layers.is_empty() {
            let features = soft_histogram(tape, images, &GRAYS);
            return [features.clone(), features];
        }
        let mut x = images.clone();
        let mut features = x.clone();
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                x = Activation::Relu.of(tape, &x);
            }
            if layer.conv.input.pixels() == 1 {
                x = x.flat();
            }
            if self.classifies {
                features = x.clone();
            }
            let [weight, bias] = [layer.weight, layer.bias].map(|id| self.layout.blocks[id].range.clone());
            x = conv(tape, &x, layer.conv, params, weight, Some(bias), images_learn || i > 0);
        }
        [if self.classifies { features } else { x.clone() }, x]
    }

    /// Trains a classifier on labelled images for `epochs` passes.
    ///
    /// # Errors
    /// A loss that is not a number.
    pub fn train(
        &mut self,
        data: &Dataset,
        labels: &[u8],
        epochs: usize,
        seed: u64,
        mut on_step: impl FnMut(u64),
    ) -> Result<()> {
        let mut params = self.params.clone();
        let mut adam = Adam::new([0.9, 0.99]);
        let steps = (epochs * data.len().div_ceil(BATCH)) as u64;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut step = 0;
        for _ in 0..epochs {
            let mut order: Vec<usize> = (0..data.len()).collect();
            order.shuffle(&mut rng);
            for images in order.chunks(BATCH) {
                let fail = |reason: String| Error::Training { step: step + 1, reason };
                let mut x = Buffer::stale(images.len() * data.shape.len());
                for (image, out) in images.iter().zip(x.chunks_exact_mut(data.shape.len())) {
                    let shift = [(); 2].map(|()| rng.random_range(-SHIFT..=SHIFT) as f32);
                    Placement { shift, ..Placement::STILL }.apply(data.shape, &data.image(*image), out);
                }
                let labels: Vec<u8> = images.iter().map(|i| labels[*i]).collect();
                let mut tape = Tape::default();
                let x = tape.hold(x, images.len(), data.shape);
                let [_, logits] = self.record(&mut tape, &params, &x, false);
                let loss = cross_entropy::softmax_cross_entropy(&mut tape, &logits, &labels);
                if !loss.value.is_finite() {
                    return Err(fail("a critic's loss is not a number".into()));
                }
                let mut grads = loss.backward(tape).map_err(|e| fail(e.to_string()))?;
                let progress = step as f64 / steps as f64;
                let rate = LEARNING_RATE * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
                adam.update(&mut params, &mut grads, step + 1, rate).map_err(|e| fail(e.to_string()))?;
                step += 1;
                on_step(step);
            }
        }
        self.params = params;
        Ok(())
    }

    /// Takes the moments of the data.
    pub fn take_moments(&mut self, data: &Dataset, labels: &[u8]) {
        let (mut plain, mut width) = (vec![], 0);
        for images in data.images.chunks(256 * data.shape.len()) {
            let mut tape = Tape::default();
            let x = tape.hold(Buffer::copy_of(&images), images.len() / data.shape.len(), data.shape);
            let [features, _] = self.record(&mut tape, &self.params, &x, false);
            width = features.shape().len();
            plain.extend(features.values().iter().map(|v| f64::from(*v)));
        }
        self.plain = Target::new(&plain, width);
        // A class weighs as much as all features together.
        self.class_scale = self.plain.trace().sqrt();
        self.joint = Target::new(&self.with_classes(&plain, width, labels), width + self.shares.len());
    }

    fn with_classes(&self, features: &[f64], width: usize, classes: &[u8]) -> Vec<f64> {
        let indicators = |class: u8| {
            (0..self.shares.len()).map(move |c| if c == usize::from(class) { self.class_scale } else { 0.0 })
        };
        let rows = features.chunks_exact(width).zip(classes);
        rows.flat_map(|(features, class)| features.iter().copied().chain(indicators(*class))).collect()
    }

    /// Compares a batch of images with the data: images of the `classes` that were asked for, or all without class.
    /// `seen` holds what earlier batches were like, which fade by `decay`; the class loss counts `class_weight` times
    /// in the gradients.
    pub fn compare(
        &self,
        tape: &mut Tape,
        images: &Act,
        classes: Option<&[u8]>,
        seen: &mut Seen,
        decay: f64,
        class_weight: f32,
    ) -> Comparison {
        let [features, logits] = self.record(tape, &self.params, images, true);
        let width = features.shape().len();
        let values: Vec<f64> = features.values().iter().map(|v| f64::from(*v)).collect();
        let (distance, gradient) = match classes {
            Some(classes) => seen.moments.distance(&self.with_classes(&values, width, classes), &self.joint, decay),
            None => seen.moments.distance(&values, &self.plain, decay),
        };
        let scale = 1.0 / self.plain.trace();
        let rows = gradient.chunks_exact(gradient.len() / images.batch());
        let gradient: Vec<f32> = rows.flat_map(|row| row[..width].iter().map(|g| (g * scale) as f32)).collect();
        let mut gradients = vec![(features, Buffer::from(gradient))];
        let mut class_loss = 0.0;
        if self.classifies {
            let (value, mut gradient) = match classes {
                Some(classes) => cross_entropy::value_and_gradient(&logits, classes),
                None => self.divergence(&logits, &mut seen.shares, decay),
            };
            gradient.iter_mut().for_each(|g| *g *= class_weight);
            class_loss = value;
            gradients.push((logits, gradient));
        }
        Comparison { distance: distance * scale, class_loss, gradients }
    }

    /// Σ p·ln(p/q) over the classes, p their mean probabilities in the samples and q their shares in the data, and its
    /// gradient.
    fn divergence(&self, logits: &Act, seen: &mut Vec<f64>, decay: f64) -> (f64, Buffer) {
        let classes = self.shares.len();
        let count = logits.batch() as f64;
        let rows: Vec<Vec<f64>> = logits.values().chunks_exact(classes).map(cross_entropy::softmax).collect();
        let mean = (0..classes).map(|k| rows.iter().map(|row| row[k]).sum::<f64>() / count);
        *seen = match seen.is_empty() {
            true => mean.collect(),
            false => seen.iter().zip(mean).map(|(old, new)| decay * old + (1.0 - decay) * new).collect(),
        };
        let slopes: Vec<f64> = seen.iter().zip(&self.shares).map(|(p, q)| (p.max(1e-9) / q.max(1e-9)).ln()).collect();
        let value = seen.iter().zip(&slopes).map(|(p, slope)| p * slope).sum();
        let gradient = rows.iter().flat_map(|row| {
            let mean: f64 = row.iter().zip(&slopes).map(|(p, slope)| p * slope).sum();
            row.iter().zip(&slopes).map(move |(p, slope)| (p * (slope - mean) / count) as f32)
        });
        (value, Buffer::from(gradient.collect::<Vec<f32>>()))
    }
}

fn shares(data: &Dataset) -> Vec<f64> {
    let labels = data.single_labels().unwrap_or_default();
    let count = |class: usize| labels.iter().filter(|l| usize::from(**l) == class).count() as f64;
    (0..data.classes()).map(|class| count(class) / labels.len().max(1) as f64).collect()
}
