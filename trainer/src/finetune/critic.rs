//! A critic: a space in which drawn images are compared with the data while a network is fine-tuned.
use super::comb;
use super::measure::Measure;
use super::moments::{Running, Target};
use crate::autograd::soft_histogram::{soft_histogram, Bin};
use crate::autograd::{conv::conv, conv::Conv, cross_entropy};
use crate::autograd::{Act, Buffer, Parameters, Tape};
use crate::data::{Dataset, Labels};
use crate::graph::{BlockId, ConvGeometry, Init, Layout, Shape};
use crate::ops::Activation;
use crate::recognition::{Lesson, View};
use crate::Result;

/// Kernel, channels and stride of each convolution.
pub type Convolutions = &'static [(usize, usize, usize)];

/// Principal components of the pixels.
const COMPONENTS: usize = 64;
/// Values of an image, at most, whose principal components are found; larger images are made smaller first.
const LARGEST_IMAGE: usize = 1024;
/// Images, at most, that they are found with.
const COMPONENT_IMAGES: usize = 10_000;
/// The last convolution sees at most this many rows and columns; larger images get more convolutions.
const LARGEST_GRID: usize = 8;

/// A convolution or dense layer: its shapes and where its weights and biases lie.
#[derive(Clone, Debug)]
struct Layer {
    conv: Conv,
    weight: BlockId,
    bias: BlockId,
}

/// A way to see images, with the moments of the data in what it sees.
#[derive(Debug)]
pub struct Critic {
    /// What it sees of the samples.
    view: View,
    layers: Vec<Layer>,
    layout: Layout,
    pub(super) params: Parameters,
    /// Bins of a histogram, of the critic without layers.
    bins: Vec<Bin>,
    /// Moments of features and class.
    joint: Target,
    /// Moments of features alone.
    plain: Target,
    /// Factor on a class's indicator beside the features.
    class_scale: f64,
    /// The number of classes of each axis of the labels that it compares with; none without labels.
    heads: Vec<usize>,
    /// How often each class occurs in the data, axis after axis.
    shares: Vec<f64>,
    /// Whether the last layer, behind the features, was taught a lesson, and whether that is the labels.
    taught: Option<Taught>,
}

/// What the last layer of a critic tells.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Taught {
    Labels,
    Alterations,
}

/// What a critic has seen of the samples of one plan, with classes or without.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub(super) moments: Running,
    /// Mean probability of each class, axis after axis.
    pub(super) shares: Vec<f64>,
}

/// How the class loss of a batch counts.
#[derive(Clone, Copy, Debug)]
pub struct ClassLoss {
    /// Its weight in the gradients.
    pub weight: f32,
    /// A class that was asked for and is told with at least this probability adds nothing to the gradients.
    pub confidence: f64,
}

/// How a batch of samples differs from the data.
#[derive(Debug)]
pub struct Comparison {
    /// Fréchet distance over the data's variance, or its root.
    pub distance: f64,
    /// Cross-entropy of the classes that were asked for; without, the divergence of the drawn classes' shares from the
    /// data's.
    pub class_loss: f64,
    /// The gradients of `distance` and of the weighted class loss with respect to features and logits.
    pub gradients: Vec<(Act, Buffer)>,
}

impl Critic {
    /// A network that is taught `lesson` and has learned nothing yet.
    ///
    /// # Errors
    /// None for images of at least one pixel.
    pub fn new(data: &Dataset, lesson: Lesson, convolutions: Convolutions, hidden: usize, seed: u64) -> Result<Self> {
        let (mut layers, mut layout) = (vec![], Layout::default());
        let mut push = |conv: Conv| {
            let [height, width] = conv.geometry.kernel;
            let dims = vec![conv.output.channels, height, width, conv.input.channels];
            let std = (2.0 / (height * width * conv.input.channels) as f32).sqrt();
            let weight = layout.push(format!("{}.weight", layers.len()), dims, Init::Normal(std));
            let bias = layout.push(format!("{}.bias", layers.len()), vec![conv.output.channels], Init::Constant(0.0));
            layers.push(Layer { conv, weight, bias });
        };
        let mut input = View::of_data(data).shape();
        let further = std::iter::repeat(convolutions.last().map(|(_, channels, _)| (3, *channels, 2))).flatten();
        for (i, (kernel, channels, stride)) in convolutions.iter().copied().chain(further).enumerate() {
            if i >= convolutions.len() && input.height.max(input.width) <= LARGEST_GRID {
                break;
            }
            let geometry = ConvGeometry::square(kernel, stride);
            let [height, width] = geometry.output(input.height, input.width)?;
            let output = Shape::new(height, width, channels);
            push(Conv { geometry, input, output });
            input = output;
        }
        push(Conv::linear(input.len(), hidden));
        push(Conv::linear(hidden, lesson.heads(View::of_data(data).shape()).iter().sum()));
        let params = Parameters::new(layout.init(seed));
        let taught = Some(if lesson.labels().is_some() { Taught::Labels } else { Taught::Alterations });
        Ok(Self { layers, layout, params, taught, ..Self::of_colours(data, lesson, vec![]) })
    }

    /// The critic of colours: how many pixels lie near each of some. It has no layers.
    pub fn of_colours(data: &Dataset, lesson: Lesson, bins: Vec<Bin>) -> Self {
        let target = Target::new(&[0.0], 1);
        let view = View::of_data(data);
        Self {
            layers: vec![],
            layout: Layout::default(),
            params: Parameters::new(vec![]),
            bins,
            joint: target.clone(),
            plain: target,
            class_scale: 1.0,
            heads: lesson.labels().map(|_| lesson.heads(view.shape())).unwrap_or_default(),
            shares: lesson.labels().map(shares).unwrap_or_default(),
            taught: None,
            view,
        }
    }

    /// One layer: the projection on the directions in which the pixels vary most, or nothing where they do not vary.
    pub fn of_pixels(data: &Dataset, lesson: Lesson) -> Option<Self> {
        let view = View::of_data(data);
        let components = components(data, &view);
        Self::of_rows(data, lesson, view, components)
    }

    /// One layer: the [means of a signal at each place of a period](comb), or nothing where there are none.
    pub fn of_periods(data: &Dataset, lesson: Lesson) -> Option<Self> {
        Self::of_rows(data, lesson, View::Pictures(data.shape), comb::rows(data))
    }

    /// One layer with these rows of weights over what is seen of an image, or nothing without any.
    fn of_rows(data: &Dataset, lesson: Lesson, view: View, rows: Vec<f32>) -> Option<Self> {
        let len = view.shape().len();
        let count = rows.len() / len;
        if count == 0 {
            return None;
        }
        let mut layout = Layout::default();
        let conv = Conv::linear(len, count);
        let weight = layout.push("rows.weight".into(), vec![count, len], Init::Constant(0.0));
        let bias = layout.push("rows.bias".into(), vec![count], Init::Constant(0.0));
        let zeros = std::iter::repeat_n(0.0, count);
        let params = Parameters::new(rows.into_iter().chain(zeros).collect());
        let layers = vec![Layer { conv, weight, bias }];
        Some(Self { view, layers, layout, params, ..Self::of_colours(data, lesson, vec![]) })
    }

    /// What it has learned: its parameters if it is taught, else nothing.
    pub fn learned(&self) -> Option<&[f32]> {
        self.taught.map(|_| self.params.values())
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

    /// The number of classes of each axis; none without labels.
    pub fn heads(&self) -> &[usize] {
        &self.heads
    }

    /// How often each class occurs in the data, axis after axis.
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    fn tells_classes(&self) -> bool {
        self.taught == Some(Taught::Labels)
    }

    /// The logits of images, one row an image; nothing of a critic that does not tell classes.
    pub fn logits(&self, images: &[f32], shape: Shape) -> Option<Act> {
        let mut tape = Tape::default();
        let x = tape.hold(Buffer::copy_of(images), images.len() / shape.len(), shape);
        self.tells_classes().then(|| {
            let [_, logits] = self.record(&mut tape, &self.params, &x, false);
            logits
        })
    }

    /// Records features and logits of a batch of images; the logits of a critic that is not taught are its features.
    pub(super) fn record(&self, tape: &mut Tape, params: &Parameters, images: &Act, images_learn: bool) -> [Act; 2] {
        let pictures = self.view.record(tape, images);
        self.record_seen(tape, params, &pictures, images_learn)
    }

    /// The same of what it sees of them.
    pub(super) fn record_seen(
        &self,
        tape: &mut Tape,
        params: &Parameters,
        images: &Act,
        images_learn: bool,
    ) -> [Act; 2] {
        if self.layers.is_empty() {
            let features = soft_histogram(tape, images, &self.bins);
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
            if self.taught.is_some() {
                features = x.clone();
            }
            let [weight, bias] = [layer.weight, layer.bias].map(|id| self.layout.blocks[id].range.clone());
            x = conv(tape, &x, layer.conv, params, weight, Some(bias), images_learn || i > 0);
        }
        [if self.taught.is_some() { features } else { x.clone() }, x]
    }

    /// Takes the moments of the data.
    pub fn take_moments(&mut self, data: &Dataset, lesson: Lesson) {
        let (mut plain, mut width) = (vec![], 0);
        for images in data.images.chunks(256 * data.shape.len()) {
            let mut tape = Tape::default();
            let x = tape.hold(Buffer::copy_of(&images), images.len() / data.shape.len(), data.shape);
            let [features, _] = self.record(&mut tape, &self.params, &x, false);
            width = features.shape().len();
            plain.extend(features.values().iter().map(|v| f64::from(*v)));
        }
        self.plain = Target::new(&plain, width);
        // All axes together weigh as much as all features together.
        self.class_scale = (self.plain.trace() / self.heads.len().max(1) as f64).sqrt();
        self.joint = match lesson.labels() {
            Some(labels) => Target::new(&self.with_classes(&plain, width, &labels.values), width + self.shares.len()),
            None => self.plain.clone(),
        };
    }

    /// Features with the indicators of the classes behind them; `classes` has one for each vector and axis.
    fn with_classes(&self, features: &[f64], width: usize, classes: &[u8]) -> Vec<f64> {
        let indicators = |(class, len): (&u8, &usize)| {
            let class = usize::from(*class);
            (0..*len).map(move |c| if c == class { self.class_scale } else { 0.0 })
        };
        let rows = features.chunks_exact(width).zip(classes.chunks_exact(self.heads.len()));
        rows.flat_map(|(features, classes)| {
            features.iter().copied().chain(classes.iter().zip(&self.heads).flat_map(indicators))
        })
        .collect()
    }

    /// Compares a batch of images with the data: images of the `classes` that were asked for, one for each image and
    /// axis, or all without class. `seen` holds what earlier batches were like.
    pub fn compare(
        &self,
        tape: &mut Tape,
        images: &Act,
        classes: Option<&[u8]>,
        seen: &mut Seen,
        measure: Measure,
        how: ClassLoss,
    ) -> Comparison {
        let [features, logits] = self.record(tape, &self.params, images, true);
        let width = features.shape().len();
        let values: Vec<f64> = features.values().iter().map(|v| f64::from(*v)).collect();
        let (distance, gradient) = match classes {
            Some(classes) => {
                seen.moments.distance(&self.with_classes(&values, width, classes), &self.joint, measure.memory)
            }
            None => seen.moments.distance(&values, &self.plain, measure.memory),
        };
        let scale = 1.0 / self.plain.trace().max(f64::MIN_POSITIVE);
        let [distance, slope] = measure.of(distance * scale);
        let scale = scale * slope;
        let rows = gradient.chunks_exact(gradient.len() / images.batch());
        let gradient: Vec<f32> = rows.flat_map(|row| row[..width].iter().map(|g| (g * scale) as f32)).collect();
        let mut gradients = vec![(features, Buffer::from(gradient))];
        let mut class_loss = 0.0;
        if self.tells_classes() {
            let (value, mut gradient) = match classes {
                Some(classes) => {
                    let (value, mut gradient) = cross_entropy::value_and_gradient(&logits, &self.heads, classes);
                    cross_entropy::forgive(&mut gradient, &logits, &self.heads, classes, how.confidence);
                    (value, gradient)
                }
                None => self.divergence(&logits, &mut seen.shares, measure.shares),
            };
            gradient.iter_mut().for_each(|g| *g *= how.weight);
            class_loss = value;
            gradients.push((logits, gradient));
        }
        Comparison { distance, class_loss, gradients }
    }

    /// Σ p·ln(p/q) over the classes, p their mean probabilities in the samples and q their shares in the data, and its
    /// gradient; of several axes the sum.
    fn divergence(&self, logits: &Act, seen: &mut Vec<f64>, decay: f64) -> (f64, Buffer) {
        let classes = self.shares.len();
        let count = logits.batch() as f64;
        let softmax = |row: &[f32]| -> Vec<f64> {
            cross_entropy::parts(&self.heads).flat_map(|head| cross_entropy::softmax(&row[head])).collect()
        };
        let rows: Vec<Vec<f64>> = logits.values().chunks_exact(classes).map(softmax).collect();
        let mean = (0..classes).map(|k| rows.iter().map(|row| row[k]).sum::<f64>() / count);
        *seen = match seen.is_empty() {
            true => mean.collect(),
            false => seen.iter().zip(mean).map(|(old, new)| decay * old + (1.0 - decay) * new).collect(),
        };
        let slopes: Vec<f64> = seen.iter().zip(&self.shares).map(|(p, q)| (p.max(1e-9) / q.max(1e-9)).ln()).collect();
        let value = seen.iter().zip(&slopes).map(|(p, slope)| p * slope).sum();
        let gradient = rows.iter().flat_map(|row| {
            cross_entropy::parts(&self.heads).flat_map(|head| {
                let (row, slopes) = (&row[head.clone()], &slopes[head]);
                let mean: f64 = row.iter().zip(slopes).map(|(p, slope)| p * slope).sum();
                row.iter().zip(slopes).map(move |(p, slope)| (p * (slope - mean) / count) as f32)
            })
        });
        (value, Buffer::from(gradient.collect::<Vec<f32>>()))
    }
}

/// The share of each class, axis after axis.
fn shares(labels: &Labels) -> Vec<f64> {
    let share = |count: usize| count as f64 / labels.len().max(1) as f64;
    (0..labels.axes.len()).flat_map(|axis| labels.counts(axis)).map(share).collect()
}

/// The directions in which the pixels vary most, one after the other. Of images that are too large for it they are
/// found with the means of squares of pixels.
fn components(data: &Dataset, view: &View) -> Vec<f32> {
    let shape = view.shape();
    let Shape { height, width, channels } = shape;
    let size = |side: usize| [height.div_ceil(side), width.div_ceil(side)];
    let small = |side: &usize| size(*side).iter().product::<usize>() * channels <= LARGEST_IMAGE;
    let side = (1..).find(small).unwrap_or(1);
    let [rows, columns] = size(side);
    let len = rows * columns * channels;
    // The place among the means of each value.
    let place =
        |i: usize| (i / channels / width / side * columns + i / channels % width / side) * channels + i % channels;
    let mut counts = vec![0.0; len];
    (0..shape.len()).for_each(|i| counts[place(i)] += 1.0);
    let mut means = vec![];
    for image in (0..data.len()).step_by(data.len().div_ceil(COMPONENT_IMAGES)).map(|i| data.image(i)) {
        let first = means.len();
        means.resize(first + len, 0.0f64);
        view.of(&image).iter().enumerate().for_each(|(i, v)| means[first + place(i)] += f64::from(*v));
        means[first..].iter_mut().zip(&counts).for_each(|(mean, count)| *mean /= count);
    }
    let found = Target::new(&means, len).principal(COMPONENTS);
    let spread = |component: &[f64]| -> Vec<f32> {
        (0..shape.len()).map(|i| (component[place(i)] / counts[place(i)]) as f32).collect()
    };
    found.chunks_exact(len).flat_map(spread).collect()
}
