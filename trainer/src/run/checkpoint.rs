//! Checkpoints: a run's folder holds one folder a checkpoint, `step-000001500`, with
//! - `state.safetensors`: parameters (`param.*`), their average (`ema.*`), Adam's moments (`adam1.*`, `adam2.*`) and the averaged
//!   statistics of the norms (`stat.*`);
//! - `run.toml`: the configuration, the step and the position of the random generator;
//! - `loss.csv`: the loss of every step;
//! - `validation.csv`: where images are held out, the losses on them and on training images, now and then.
//!
//! A checkpoint is written under a temporary name and renamed when it is complete, and older ones are removed after that, so a run
//! that is killed at any moment can be resumed.
use super::config::Config;
use crate::graph::{Graph, Layout};
use crate::network::Network;
use crate::{Error, Result};
use safetensors::{tensor::TensorView, Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The losses of the averaged network at one moment, without augmentation and label dropout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Validation {
    /// Steps done.
    pub step: u64,
    /// On training images.
    pub training: f32,
    /// On the images that were held out.
    pub validation: f32,
}

/// A run at one moment. Vectors follow the layouts of its [`Graph`].
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What the run is.
    pub config: Config,
    /// Parameters.
    pub params: Vec<f32>,
    /// Adam's first moment.
    pub adam_first: Vec<f32>,
    /// Adam's second moment.
    pub adam_second: Vec<f32>,
    /// Average of the parameters: what is exported.
    pub ema: Vec<f32>,
    /// Averaged statistics of the norms.
    pub stats: Vec<f32>,
    /// The loss of every step so far; its length is the step.
    pub losses: Vec<f32>,
    /// The losses on training and on held-out images at some steps; empty where none are held out.
    pub validation: Vec<Validation>,
}

impl Checkpoint {
    /// Steps done.
    pub fn step(&self) -> u64 {
        self.losses.len() as u64
    }

    /// The averaged network, folded.
    ///
    /// # Errors
    /// A preset that is unknown.
    pub fn network(&self) -> Result<Network> {
        self.config.graph()?.fold(&self.ema, &self.stats)
    }
}

/// The content of `run.toml`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunFile {
    step: u64,
    random_position: RandomPosition,
    config: Config,
}

/// The generator is ChaCha8 and counts: a step's numbers depend on the seed and the step alone.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RandomPosition {
    seed: u64,
    next_step: u64,
}

const STATE_FILE: &str = "state.safetensors";
const RUN_FILE: &str = "run.toml";
const LOSS_FILE: &str = "loss.csv";
const VALIDATION_FILE: &str = "validation.csv";
const PREFIX: &str = "step-";
const TEMPORARY: &str = "unfinished.tmp";

/// The prefixes in the state file, with the vectors they stand for and whether those are parameters (else statistics).
const PARTS: [(&str, bool); 5] = [("param", true), ("ema", true), ("adam1", true), ("adam2", true), ("stat", false)];

/// Writes a checkpoint into the run's folder, which is made if need be, and removes older ones.
///
/// # Errors
/// A file that cannot be written; earlier checkpoints are then untouched.
pub fn save(run: &Path, checkpoint: &Checkpoint) -> Result<()> {
    let temporary = run.join(TEMPORARY);
    let done = write_all(run, &temporary, checkpoint);
    if done.is_err() {
        // What could not be completed is of no use; the error that made it so matters more than one from here.
        let _ = fs::remove_dir_all(&temporary);
    }
    done
}

fn write_all(run: &Path, temporary: &Path, checkpoint: &Checkpoint) -> Result<()> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |e: std::io::Error| Error::file(path, format!("cannot be written: {e}"))
    };
    fs::create_dir_all(run).map_err(failed(run))?;
    if temporary.exists() {
        fs::remove_dir_all(temporary).map_err(failed(temporary))?;
    }
    fs::create_dir(temporary).map_err(failed(temporary))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = temporary.join(name);
        let written = File::create(&path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
        written.map_err(failed(&path))
    };
    write(STATE_FILE, &encode_state(checkpoint)?)?;
    let step = checkpoint.step();
    let position = RandomPosition { seed: checkpoint.config.seed, next_step: step };
    let file = RunFile { step, random_position: position, config: checkpoint.config.clone() };
    let text = toml::to_string_pretty(&file)
        .map_err(|e| Error::Invalid(format!("the configuration cannot be stored: {e}")))?;
    write(RUN_FILE, text.as_bytes())?;
    let mut csv = String::from("step,loss\n");
    for (i, loss) in checkpoint.losses.iter().enumerate() {
        csv.push_str(&format!("{},{loss}\n", i + 1));
    }
    write(LOSS_FILE, csv.as_bytes())?;
    if checkpoint.config.validation > 0.0 {
        let mut csv = String::from("step,training,validation\n");
        for Validation { step, training, validation } in &checkpoint.validation {
            csv.push_str(&format!("{step},{training},{validation}\n"));
        }
        write(VALIDATION_FILE, csv.as_bytes())?;
    }
    let finished = run.join(format!("{PREFIX}{step:09}"));
    let older = checkpoints(run)?;
    if finished.exists() {
        fs::remove_dir_all(&finished).map_err(failed(&finished))?;
    }
    fs::rename(temporary, &finished).map_err(failed(&finished))?;
    // Directory entries are made durable where the system allows a folder to be opened.
    if let Ok(folder) = File::open(run) {
        let _ = folder.sync_all();
    }
    for path in older.into_iter().filter(|path| *path != finished) {
        // A half-removed checkpoint must not look like one: it loses its name first.
        fs::rename(&path, temporary).and_then(|()| fs::remove_dir_all(temporary)).map_err(failed(&path))?;
    }
    Ok(())
}

/// Reads the newest checkpoint of a run.
///
/// # Errors
/// A folder without one, or files that are missing, broken or do not belong together.
pub fn load(run: &Path) -> Result<Checkpoint> {
    let Some(folder) = checkpoints(run)?.pop() else {
        return Err(Error::file(run, "holds no checkpoint; train a run first"));
    };
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).map_err(|e| Error::file(&path, format!("cannot be read: {e}"))).map(|bytes| (path, bytes))
    };
    let (path, bytes) = read(RUN_FILE)?;
    let text = String::from_utf8(bytes).map_err(|_| Error::file(&path, "is not text"))?;
    let file: RunFile = toml::from_str(&text).map_err(|e| Error::file(&path, one_line(&e.to_string())))?;
    file.config.check().map_err(|e| Error::file(&path, e))?;
    let graph = file.config.graph().map_err(|e| Error::file(&path, e))?;
    let (path, bytes) = read(LOSS_FILE)?;
    let losses = decode_losses(&path, &bytes)?;
    if losses.len() as u64 != file.step {
        return Err(Error::file(&path, format!("holds {} losses, but the run is at step {}", losses.len(), file.step)));
    }
    let validation = if file.config.validation > 0.0 {
        let (path, bytes) = read(VALIDATION_FILE)?;
        decode_validation(&path, &bytes, file.step)?
    } else {
        vec![]
    };
    let (path, bytes) = read(STATE_FILE)?;
    let [params, ema, adam_first, adam_second, stats] = decode_state(&path, &bytes, &graph)?;
    Ok(Checkpoint { config: file.config, params, adam_first, adam_second, ema, stats, losses, validation })
}

/// Whether a folder holds a run.
pub fn exists(run: &Path) -> bool {
    checkpoints(run).is_ok_and(|found| !found.is_empty())
}

/// The checkpoints of a run, oldest first; none where there is no such folder.
fn checkpoints(run: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let failed = |e: std::io::Error| Error::file(run, format!("cannot be read: {e}"));
    let entries = match fs::read_dir(run) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.strip_prefix(PREFIX).is_some_and(|n| n.len() == 9 && n.bytes().all(|b| b.is_ascii_digit())) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn vectors(checkpoint: &Checkpoint) -> [&[f32]; 5] {
    let c = checkpoint;
    [&c.params, &c.ema, &c.adam_first, &c.adam_second, &c.stats]
}

fn encode_state(checkpoint: &Checkpoint) -> Result<Vec<u8>> {
    let graph = checkpoint.config.graph()?;
    let invalid = |e: safetensors::SafeTensorError| Error::Invalid(format!("the state cannot be stored: {e}"));
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for ((prefix, is_param), values) in PARTS.into_iter().zip(vectors(checkpoint)) {
        for block in &layout(&graph, is_param).blocks {
            let bytes = values[block.range.clone()].iter().flat_map(|v| v.to_le_bytes()).collect();
            tensors.push((format!("{prefix}.{}", block.name), block.shape.clone(), bytes));
        }
    }
    let views: Result<Vec<(&str, TensorView)>> = tensors
        .iter()
        .map(|(name, shape, bytes)| {
            Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(invalid)?))
        })
        .collect();
    safetensors::serialize(views?, None).map_err(invalid)
}

fn decode_state(path: &Path, bytes: &[u8], graph: &Graph) -> Result<[Vec<f32>; 5]> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|e| Error::file(path, format!("is not a readable safetensors file ({e})")))?;
    let mut parts: [Vec<f32>; 5] = Default::default();
    for ((prefix, is_param), values) in PARTS.into_iter().zip(&mut parts) {
        for block in &layout(graph, is_param).blocks {
            let name = format!("{prefix}.{}", block.name);
            let tensor = file.tensor(&name).map_err(|_| Error::file(path, format!("lacks the tensor {name}")))?;
            if tensor.dtype() != Dtype::F32 || tensor.shape() != block.shape {
                return Err(Error::file(path, format!("{name} is {:?}, not {:?}", tensor.shape(), block.shape)));
            }
            values.extend(tensor.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)));
        }
        if values.iter().any(|v| !v.is_finite()) {
            return Err(Error::file(path, format!("{prefix} holds a value that is not a number")));
        }
    }
    Ok(parts)
}

fn layout(graph: &Graph, is_param: bool) -> &Layout {
    if is_param {
        &graph.params
    } else {
        &graph.stats
    }
}

fn decode_losses(path: &Path, bytes: &[u8]) -> Result<Vec<f32>> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::file(path, "is not text"))?;
    let rows = text.lines().skip(1).enumerate().map(|(i, line)| {
        let loss =
            line.split_once(',').filter(|(step, _)| step.parse() == Ok(i + 1)).and_then(|(_, loss)| loss.parse().ok());
        loss.ok_or_else(|| Error::file(path, format!("line {} is not \"{},loss\"", i + 2, i + 1)))
    });
    rows.collect()
}

fn decode_validation(path: &Path, bytes: &[u8], last: u64) -> Result<Vec<Validation>> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::file(path, "is not text"))?;
    let mut before = 0;
    let rows = text.lines().skip(1).enumerate().map(|(i, line)| {
        let mut fields = line.split(',');
        let step = fields.next().and_then(|step| step.parse().ok()).filter(|step| (before + 1..=last).contains(step));
        let mut loss = || fields.next().and_then(|loss| loss.parse().ok());
        let (Some(step), Some(training), Some(validation), None) = (step, loss(), loss(), fields.next()) else {
            return Err(Error::file(
                path,
                format!("line {} is not \"step,loss,loss\" of a later step up to {last}", i + 2),
            ));
        };
        before = step;
        Ok(Validation { step, training, validation })
    });
    rows.collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
