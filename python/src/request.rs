//! What a draw is asked for.

use crate::error::refuse;
use brownian::host::{ChainMemory, Classes};
use brownian::{Builder, Condition, Image, Keeping, KnownPixels, Model, Plan, Sampler, StateElement};
use pyo3::prelude::*;
use std::collections::BTreeMap;

/// A class by number or name; of several axes, texts as `glasses+hair=long`, or a class an axis.
#[derive(Debug, Clone, FromPyObject)]
pub enum Class {
    /// By number.
    Number(u16),
    /// By name.
    Name(String),
    /// One an axis, by the axis's name.
    OnAxes(BTreeMap<String, OnAxis>),
}

/// A class of an axis.
#[derive(Debug, Clone, FromPyObject)]
pub enum OnAxis {
    /// By number.
    Number(u16),
    /// By name.
    Name(String),
}

impl Class {
    fn condition(&self, model: &Model) -> Result<Classes, String> {
        match self {
            Self::Number(class) if model.axes().count() > 1 => {
                let axes: Vec<&str> = model.axes().map(|axis| axis.name()).collect();
                Err(format!(
                    "class {class} of which axis? The model has {}: give {{{:?}: {class}}}, or names joined by +",
                    axes.join(", "),
                    axes[0]
                ))
            }
            Self::Number(class) => Ok(Classes::One(Condition::class(*class))),
            Self::Name(text) => Classes::named(text, model),
            Self::OnAxes(classes) => {
                let mut condition = Condition::NONE;
                for (name, class) in classes {
                    let axis = model.axis(name).ok_or_else(|| {
                        let axes: Vec<&str> = model.axes().map(|axis| axis.name()).collect();
                        format!("there is no label axis {name:?}; the model has {}", axes.join(", "))
                    })?;
                    condition = match class {
                        OnAxis::Number(class) if usize::from(*class) >= axis.classes().count() => {
                            let classes: Vec<&str> = axis.classes().collect();
                            return Err(format!("{name} has no class {class}; it has {}", classes.join(", ")));
                        }
                        OnAxis::Number(class) => condition.with(axis.index(), *class),
                        OnAxis::Name(class) => match Classes::named(&format!("{name}={class}"), model)? {
                            Classes::One(one) => match one.class_on(axis.index()) {
                                Some(class) => condition.with(axis.index(), class),
                                None => return Err(format!("{name} has no class {class:?}")),
                            },
                            _ => return Err(format!("{name} has no class {class:?}")),
                        },
                    };
                }
                Ok(Classes::One(condition))
            }
        }
    }
}

/// Images, HWC one after the other: f32 or bytes.
#[derive(Debug, Clone, FromPyObject)]
#[pyo3(from_item_all)]
pub struct Images {
    /// Little endian.
    data: Vec<u8>,
    /// Whether values are bytes of which b stands for b/127.5 − 1; else they are f32.
    is_bytes: bool,
}

/// [`Images`] as chains take them.
#[derive(Debug)]
enum Pixels {
    Values(Vec<f32>),
    Bytes(Vec<u8>),
}

impl From<Images> for Pixels {
    fn from(images: Images) -> Self {
        match images.is_bytes {
            true => Self::Bytes(images.data),
            false => Self::Values(images.data.as_chunks().0.iter().map(|word| f32::from_le_bytes(*word)).collect()),
        }
    }
}

impl Pixels {
    /// Image number `image` modulo their count.
    fn pick(&self, image: usize, values: usize) -> Image<'_> {
        let at = |len: usize| {
            let first = image % (len / values.max(1)).max(1) * values;
            // What is too short is refused by the chain.
            first..(first + values).min(len)
        };
        match self {
            Self::Values(all) => Image::Values(&all[at(all.len())]),
            Self::Bytes(all) => Image::Bytes(&all[at(all.len())]),
        }
    }
}

/// A draw, as the package asks for it.
#[derive(Debug, FromPyObject)]
#[pyo3(from_item_all)]
pub struct Arguments {
    plan: Option<String>,
    seed: u64,
    first: u32,
    count: usize,
    classes: Vec<Option<Class>>,
    guidance: Option<f32>,
    two_evaluations: bool,
    start_from: Option<Images>,
    start: usize,
    image: Option<Images>,
    /// Bits of the pixels that are kept.
    keep: Option<Vec<u8>>,
    /// Where distributions are multiplied, the deviation of the noise on what is kept.
    keep_noise: Option<f32>,
    threads: usize,
}

/// A draw, checked as far as it can be without a chain.
#[derive(Debug)]
pub struct Request<'m> {
    /// The plan.
    pub plan: Plan<'m>,
    /// Number of images.
    pub count: usize,
    /// Threads.
    pub threads: usize,
    /// The first step.
    pub start: usize,
    seed: u64,
    first: u32,
    /// Image i gets number i modulo their count.
    classes: Vec<Classes>,
    guidance: Option<f32>,
    two_evaluations: bool,
    start_from: Option<Pixels>,
    known: Option<(Pixels, Vec<u8>)>,
    keeping: Keeping,
}

impl<'m> Request<'m> {
    /// What `arguments` ask of a model.
    pub fn new(arguments: Arguments, owned: &'m brownian::host::OwnedModel, model: &Model<'m>) -> PyResult<Self> {
        let Arguments { seed, first, count, guidance, two_evaluations, start, .. } = arguments;
        if count == 0 {
            return Err(refuse("count 0: give at least 1"));
        }
        if u32::try_from(count).ok().and_then(|count| first.checked_add(count - 1)).is_none() {
            return Err(refuse(format!("images are numbered up to 4294967295: {count} from {first} on are too many")));
        }
        let plan = match &arguments.plan {
            Some(name) => owned.plan(name).map_err(refuse)?,
            None => model.plans().next().ok_or_else(|| refuse("the model has no plan"))?,
        };
        let class = |class: &Option<Class>| class.as_ref().map_or(Ok(Classes::None), |class| class.condition(model));
        let classes = arguments.classes.iter().map(class).collect::<Result<_, _>>().map_err(refuse)?;
        let available = || std::thread::available_parallelism().map_or(1, |threads| threads.get());
        let threads = if arguments.threads == 0 { available() } else { arguments.threads };
        let known = arguments.image.map(Pixels::from).zip(arguments.keep);
        let start_from = arguments.start_from.map(Pixels::from);
        let keeping = arguments.keep_noise.map_or(Keeping::Replace, Keeping::Multiply);
        Ok(Self {
            plan,
            count,
            threads: threads.min(count),
            start,
            seed,
            first,
            classes,
            guidance,
            two_evaluations,
            start_from,
            known,
            keeping,
        })
    }

    /// Steps that a chain makes.
    pub fn steps(&self) -> usize {
        self.plan.len().saturating_sub(self.start)
    }

    /// Starts the chain of image number `index` of the draw.
    pub fn start<'a, E: StateElement>(
        &'a self,
        model: &'a Model<'a>,
        index: usize,
        memory: &'a mut ChainMemory,
    ) -> Result<Sampler<'a, E>, brownian::SamplerError>
    where
        'm: 'a,
    {
        let (values, image) = (model.sample_len(), self.first + index as u32);
        let mut chain: Builder<'a, E> = Sampler::builder(model, self.plan).seed(self.seed).image(image);
        let classes = self.classes.get(index % self.classes.len().max(1)).copied().unwrap_or(Classes::None);
        chain = chain.condition(classes.condition(image, model.class_counts(), brownian::Guidance::PLAIN));
        if let Some(scale) = self.guidance {
            chain = chain.guidance(scale);
        }
        if self.two_evaluations {
            chain = chain.two_evaluations();
        }
        if let Some(images) = &self.start_from {
            chain = chain.from_image(images.pick(index, values), self.start);
        }
        if let Some((images, mask)) = &self.known {
            chain = chain.keep(KnownPixels { image: images.pick(index, values), mask }, self.keeping);
        }
        memory.start(chain)
    }
}
