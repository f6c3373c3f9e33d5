//! Weights as PyTorch has them, in a safetensors file with one tensor for each block of the network's two layouts, by the
//! block's name ([`Graph::params`], [`Graph::stats`]).
//!
//! Tensors of four dimensions, the weights of convolutions, are `[O][KH][KW][I]` in a run and `[O][I][KH][KW]` in the
//! file (depthwise `[C][1][KH][KW]`); all others are the same on both sides. The file's metadata have under `brownian` a
//! [`Header`] as JSON, which says what else a run needs.
use super::values::floats;
use crate::graph::{Block, Graph, Layout};
use crate::run::{Checkpoint, Config};
use crate::{Error, Result};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The key of the metadata.
const KEY: &str = "brownian";
/// The most missing or superfluous tensors that an error lists.
const LISTED: usize = 3;

/// What a file says beside its tensors.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Header {
    /// Steps that the weights were trained for.
    pub step: u64,
    /// What the run is, as in its `run.toml`.
    pub config: Config,
}

/// The same to be written, with the network's description for whoever builds it elsewhere; a reader of ours makes that
/// anew.
#[derive(Serialize)]
struct Described<'a> {
    step: u64,
    config: &'a Config,
    graph: &'a Graph,
}

/// A file that was read.
#[derive(Debug)]
pub struct File<'a> {
    tensors: SafeTensors<'a>,
    /// What the file says of itself; `None` where it is not from here.
    pub header: Option<Header>,
}

impl<'a> File<'a> {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// Bytes that are no whole safetensors file, or a header that cannot be understood.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let broken = |e: safetensors::SafeTensorError| {
            Error::Invalid(format!("is not a whole safetensors file ({e}); copy or save it again"))
        };
        let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let text = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
        let header = text.map(|text| serde_json::from_str(text)).transpose();
        let header = header.map_err(|e| Error::Invalid(format!("its metadata {KEY:?} cannot be read: {e}")))?;
        Ok(Self { tensors, header })
    }

    /// The weights and statistics of `graph`, in its layouts.
    ///
    /// # Errors
    /// Tensors that are missing, superfluous, of another shape or type, or that hold what is no number; each by name.
    pub fn weights(&self, graph: &Graph) -> Result<[Vec<f32>; 2]> {
        let blocks = || [&graph.params, &graph.stats].into_iter().flat_map(|layout| &layout.blocks);
        let names = self.tensors.names();
        let missing: Vec<&str> = blocks().map(|block| &block.name[..]).filter(|name| !names.contains(name)).collect();
        if let Some(first) = blocks().find(|block| missing.first() == Some(&&block.name[..])) {
            let shape = file_shape(first);
            let of_first = if missing.len() > 1 { " for the first" } else { "" };
            return Err(Error::Invalid(format!("lacks {}, of shape {shape:?}{of_first}", listed(missing))));
        }
        let mut others: Vec<&str> =
            names.into_iter().filter(|name| !blocks().any(|block| block.name == *name)).collect();
        if !others.is_empty() {
            others.sort_unstable();
            let remedy = match self.header {
                Some(_) => "the network is that of its own metadata: save both from one training",
                None => "give the --preset or --net whose weights these are",
            };
            let what = listed(others);
            return Err(Error::Invalid(format!("holds {what}, which the network does not have; {remedy}")));
        }
        // Before anything is held: a network of any size can be written down.
        blocks().try_for_each(|block| self.check_shape(block))?;
        Ok([self.vector(&graph.params)?, self.vector(&graph.stats)?])
    }

    fn tensor(&self, block: &Block) -> Result<TensorView<'a>> {
        self.tensors.tensor(&block.name).map_err(|e| Error::Invalid(format!("{}: {e}", block.name)))
    }

    fn check_shape(&self, block: &Block) -> Result<()> {
        let (name, found, expected) = (&block.name, self.tensor(block)?.shape().to_vec(), file_shape(block));
        match found == expected {
            true => Ok(()),
            false => Err(Error::Invalid(format!("the tensor {name} has the shape {found:?}, not {expected:?}"))),
        }
    }

    fn vector(&self, layout: &Layout) -> Result<Vec<f32>> {
        let mut values = Vec::with_capacity(layout.len());
        for block in &layout.blocks {
            let tensor = self.tensor(block)?;
            values.extend(from_file(block, floats(&block.name, &tensor)?));
        }
        Ok(values)
    }
}

/// Some tensors by name, and how many there are more.
fn listed(names: Vec<&str>) -> String {
    let few = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    match names.len() {
        1 => format!("the tensor {few}"),
        count if count <= LISTED => format!("the tensors {few}"),
        count => format!("the tensors {few} and {} more", count - LISTED),
    }
}

/// A safetensors file of a run: the averaged weights, or the latest where `raw` says so, and the averaged statistics.
///
/// # Errors
/// Raw weights of a packed run, which has the average alone, or shapes that do not fit their values.
pub fn encode(run: &Checkpoint, raw: bool) -> Result<Vec<u8>> {
    if raw && run.packed_at.is_some() {
        return Err(Error::Usage("--raw: the run is packed and has the averaged weights alone".into()));
    }
    let graph = run.config.graph()?;
    let params = if raw { &run.params } else { &run.ema };
    let parts = [(&graph.params, params), (&graph.stats, &run.stats)];
    let blocks = parts
        .iter()
        .flat_map(|(layout, values)| layout.blocks.iter().map(move |block| (block, &values[block.range.clone()])));
    let tensors: Vec<(&str, Vec<usize>, Vec<u8>)> = blocks
        .map(|(block, values)| {
            let bytes = to_file(block, values).iter().flat_map(|value| value.to_le_bytes()).collect();
            (&block.name[..], file_shape(block), bytes)
        })
        .collect();
    let invalid = |e: &dyn std::fmt::Display| Error::Invalid(format!("the weights cannot be stored: {e}"));
    let views: Vec<(&str, TensorView)> = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<std::result::Result<_, safetensors::SafeTensorError>>()
        .map_err(|e| invalid(&e))?;
    let described = Described { step: run.step(), config: &run.config, graph: &graph };
    let header = serde_json::to_string(&described).map_err(|e| invalid(&e))?;
    safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), header)]))).map_err(|e| invalid(&e))
}

/// Output channels, taps and input channels of the weights of a convolution.
fn filter(block: &Block) -> Option<[usize; 3]> {
    match block.shape[..] {
        [outputs, rows, columns, inputs] => Some([outputs, rows * columns, inputs]),
        _ => None,
    }
}

/// The shape of a block's tensor in a file.
pub fn file_shape(block: &Block) -> Vec<usize> {
    match block.shape[..] {
        [outputs, rows, columns, inputs] => vec![outputs, inputs, rows, columns],
        _ => block.shape.clone(),
    }
}

/// OHWI to OIHW.
fn to_file(block: &Block, values: &[f32]) -> Vec<f32> {
    filter(block).map_or_else(|| values.to_vec(), |[_, taps, inputs]| swapped(values, taps, inputs))
}

/// OIHW to OHWI.
fn from_file(block: &Block, values: Vec<f32>) -> Vec<f32> {
    match filter(block) {
        Some([_, taps, inputs]) => swapped(&values, inputs, taps),
        None => values,
    }
}

/// `[..][a][b]` to `[..][b][a]`.
fn swapped(values: &[f32], a: usize, b: usize) -> Vec<f32> {
    values.chunks_exact((a * b).max(1)).flat_map(|m| (0..a * b).map(move |i| m[i % a * b + i / a])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::graph::Shape;
    use crate::run::{checkpoint, MOST_STEPS};
    use crate::train::Trainer;

    fn started(preset: &str, shape: Shape) -> Checkpoint {
        let images = vec![0.0; shape.len()].into();
        let data = Dataset { source: "t".into(), shape, images, labels: None, sound: None };
        Trainer::new(Config::new(preset, &data)).unwrap().checkpoint().unwrap()
    }

    #[test]
    fn weights_change_their_order_and_come_back() {
        let block =
            Block { name: "a".into(), shape: vec![2, 1, 3, 2], range: 0..12, init: crate::graph::Init::Constant(0.0) };
        let values: Vec<f32> = (0..12).map(|i| i as f32).collect();
        assert_eq!(file_shape(&block), [2, 2, 1, 3]);
        let file = to_file(&block, &values);
        assert_eq!(file[..6], [0., 2., 4., 1., 3., 5.]);
        assert_eq!(from_file(&block, file), values);
    }

    #[test]
    fn runs_go_out_and_come_back() {
        for (preset, shape) in
            [("tiny", Shape::new(9, 13, 3)), ("small", Shape::new(1, 1, 2)), ("diffwave", Shape::new(1, 300, 1))]
        {
            let run = started(preset, shape);
            let bytes = encode(&run, true).unwrap();
            assert_eq!(bytes, encode(&run, true).unwrap(), "the same bytes every time");
            let file = File::decode(&bytes).unwrap();
            let header = file.header.clone().unwrap();
            assert_eq!((header.step, &header.config), (0, &run.config));
            let [params, stats] = file.weights(&header.config.graph().unwrap()).unwrap();
            let back = super::super::run(header.config, params, stats, header.step).unwrap();
            assert_eq!(back, run.packed());
        }
    }

    /// Tensors by name.
    type Views<'a> = Vec<(String, TensorView<'a>)>;

    /// A file with one thing wrong, and the words about it.
    #[test]
    fn what_is_wrong_is_named() {
        let run = started("tiny", Shape::new(8, 8, 1));
        let graph = run.config.graph().unwrap();
        let bytes = encode(&run, false).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let with = |change: &dyn Fn(&mut Views)| {
            let mut views: Views = tensors.tensors();
            views.sort_by(|a, b| a.0.cmp(&b.0));
            change(&mut views);
            let bytes = safetensors::serialize(views, None).unwrap();
            File::decode(&bytes).and_then(|file| file.weights(&graph)).unwrap_err().to_string()
        };
        let view = |dtype: Dtype, shape: &[usize], bytes: &'static [u8]| {
            TensorView::new(dtype, shape.to_vec(), bytes).unwrap()
        };
        let put = |views: &mut Views, name: &str, view| {
            views.retain(|(other, _)| other != name);
            views.push((name.into(), view));
        };
        assert_eq!(with(&|v| v.retain(|(name, _)| name != "out.bias")), "lacks the tensor out.bias, of shape [4]");
        let error = with(&|v| v.clear());
        assert!(error.starts_with("lacks the tensors stem.weight, stem.gamma, stem.beta and "), "{error}");
        assert!(error.ends_with(", of shape [4, 4, 3, 3] for the first"), "{error}");
        static ZEROS: [u8; 32] = [0; 32];
        static NAN: [u8; 16] = [0, 0, 0, 0, 0, 0, 0xC0, 0x7F, 0, 0, 0, 0, 0, 0, 0, 0];
        let error = with(&|v| put(v, "module.x", view(Dtype::F32, &[2], &ZEROS[..8])));
        assert_eq!(
            error,
            "holds the tensor module.x, which the network does not have; give the --preset or --net whose weights these are"
        );
        let error = with(&|v| put(v, "out.bias", view(Dtype::F32, &[2], &ZEROS[..8])));
        assert_eq!(error, "the tensor out.bias has the shape [2], not [4]");
        let error = with(&|v| put(v, "out.bias", view(Dtype::I32, &[4], &ZEROS[..16])));
        assert!(error.starts_with("the tensor out.bias is of type I32"), "{error}");
        let error = with(&|v| put(v, "out.bias", view(Dtype::F32, &[4], &NAN)));
        assert!(error.starts_with("the tensor out.bias holds NaN at 1"), "{error}");
        for len in [0, 7, 100, bytes.len() - 1] {
            let error = File::decode(&bytes[..len]).unwrap_err().to_string();
            assert!(error.starts_with("is not a whole safetensors file"), "{error}");
        }
    }

    /// What the file says of itself can be as wrong as its tensors.
    #[test]
    fn steps_that_no_run_has_are_refused() {
        let run = started("tiny", Shape::new(8, 8, 1));
        for step in [MOST_STEPS + 1, u64::MAX] {
            let error = super::super::run(run.config.clone(), run.params.clone(), run.stats.clone(), step).unwrap_err();
            assert_eq!(error.to_string(), format!("is at step {step}; a run has at most {MOST_STEPS}"));
        }
        let folder = tempfile::tempdir().unwrap();
        for step in [0, 999_999_999, 1_000_000_000, MOST_STEPS] {
            let kept = super::super::run(run.config.clone(), run.params.clone(), run.stats.clone(), step).unwrap();
            let at = folder.path().join(step.to_string());
            checkpoint::save(&at, &kept).unwrap();
            assert_eq!(checkpoint::load(&at).unwrap(), kept);
        }
    }

    #[test]
    fn variances_are_not_negative() {
        let run = started("tiny", Shape::new(8, 8, 1));
        let graph = run.config.graph().unwrap();
        let mut stats = run.stats.clone();
        let block = graph.stats.blocks.iter().find(|block| block.name == "stem.variance").unwrap();
        stats[block.range.start + 2] = -0.5;
        let error = super::super::run(run.config, run.params, stats, 1).unwrap_err().to_string();
        assert_eq!(error, "the tensor stem.variance holds -0.5 at 2; variances are 0 or more");
    }
}
