//! Checkpoints: a run's folder holds one folder a checkpoint, with
//! - `state.safetensors`: parameters (`param.*`), their average (`ema.*`), Adam's moments (`adam1.*`, `adam2.*`) and
//!   the averaged statistics of the norms (`stat.*`), and local conditions of some training images (`local`), where the
//!   network follows one;
//! - `run.toml`: the configuration and the step;
//! - `loss.csv`: the loss of every step;
//! - `validation.csv`: where images are held out, the losses on them and on training images, now and then;
//! - `tuning.safetensors`: of a fine-tuning that is not finished, what it needs to go on.
//!
//! A packed run has the average and the statistics alone, and no losses: enough to export it, to fine-tune it, or to
//! start another training.
//!
//! The folder is called `step-000001500`; of a fine-tuning that is not finished `tuning-000000600-000`, by the step and
//! the rounds of class-prior calibration that are done. A checkpoint is written under a temporary name and renamed when
//! it is complete, and older ones are removed after that, so a run that is killed at any moment can be resumed.
use super::check::check_step;
use super::config::Config;
use super::history::{self, Validation};
use super::tensors::Tensors;
use crate::graph::{Graph, Layout};
use crate::network::Network;
use crate::{Error, Result};
use serde::{de::IgnoredAny, Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

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
    /// Local conditions of some training images, where the network follows one: what calibration draws with.
    pub locals: Vec<f32>,
    /// Seconds spent, where the run has a budget of time.
    pub seconds: f64,
    /// What a fine-tuning that is not finished needs to go on.
    pub unfinished: Option<Unfinished>,
    /// The step of a packed run, whose parameters are the average, and which has neither moments nor losses.
    pub packed_at: Option<u64>,
}

/// The part of a fine-tuning that matters only while it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfinished {
    /// Rounds of class-prior calibration that are done.
    pub calibration_rounds: usize,
    /// Its state beyond the vectors of a [`Checkpoint`].
    pub state: Tensors,
}

impl Checkpoint {
    /// Steps done.
    pub fn step(&self) -> u64 {
        self.packed_at.unwrap_or(self.losses.len() as u64)
    }

    /// It with the averaged weights and the statistics alone.
    pub fn packed(self) -> Self {
        let packed_at = Some(self.step());
        let (ema, stats, config) = (self.ema, self.stats, self.config);
        let (adam_first, adam_second, losses, validation) = Default::default();
        Self {
            config,
            params: ema.clone(),
            ema,
            stats,
            packed_at,
            adam_first,
            adam_second,
            losses,
            validation,
            locals: self.locals,
            seconds: self.seconds,
            unfinished: None,
        }
    }

    /// The averaged network, folded.
    ///
    /// # Errors
    /// A preset that is unknown.
    pub fn network(&self) -> Result<Network> {
        Ok(Network { locals: self.locals.clone(), ..self.config.graph()?.fold(&self.ema, &self.stats)? })
    }
}

/// The content of `run.toml`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunFile {
    step: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calibration_rounds: Option<usize>,
    #[serde(default, skip_serializing_if = "is_false")]
    packed: bool,
    /// Written by earlier versions, never needed: a step's random numbers depend on the seed and the step alone.
    #[serde(default, rename = "random_position", skip_serializing)]
    _random_position: Option<IgnoredAny>,
    config: Config,
}

fn is_false(value: &bool) -> bool {
    !*value
}

const STATE_FILE: &str = "state.safetensors";
const RUN_FILE: &str = "run.toml";
const LOSS_FILE: &str = "loss.csv";
const VALIDATION_FILE: &str = "validation.csv";
const TUNING_FILE: &str = "tuning.safetensors";
/// The tensor of local conditions in the state file.
const LOCALS: &str = "local";
const PREFIX: &str = "step-";
const UNFINISHED_PREFIX: &str = "tuning-";
/// A checkpoint that is being written or removed.
const TEMPORARY: &str = "unfinished.tmp";
/// A whole checkpoint that is being replaced by one of the same name.
const REPLACED: &str = "replaced.tmp";

/// A folder that is made and removed to see whether one can be.
const PROBE: &str = "probe.tmp";

/// One vector in the state file.
struct Part {
    /// Before the names of its tensors.
    prefix: &'static str,
    /// Whether it is of parameters, else of statistics.
    is_param: bool,
    /// Whether a packed run has it.
    is_packed: bool,
}

const PARTS: [Part; 5] = [
    Part { prefix: "param", is_param: true, is_packed: false },
    Part { prefix: "ema", is_param: true, is_packed: true },
    Part { prefix: "adam1", is_param: true, is_packed: false },
    Part { prefix: "adam2", is_param: true, is_packed: false },
    Part { prefix: "stat", is_param: false, is_packed: true },
];

/// Checks that a run's folder can be made or written, before work begins whose checkpoints are to lie there. Leaves
/// nothing behind.
///
/// # Errors
/// A place where no folder can be made.
pub fn check_writable(run: &Path) -> Result<()> {
    let nearest = run.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let probe = nearest.join(PROBE);
    match fs::create_dir(&probe) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| fs::remove_dir(&probe)),
    }
    .map_err(|e| Error::file(run, format!("cannot be written: {e}")))
}

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
    write(STATE_FILE, &state(checkpoint)?.encode()?)?;
    let step = checkpoint.step();
    let calibration_rounds = checkpoint.unfinished.as_ref().map(|unfinished| unfinished.calibration_rounds);
    let config = checkpoint.config.clone();
    let seconds = config.minutes.is_some().then_some(checkpoint.seconds);
    let packed = checkpoint.packed_at.is_some();
    let file = RunFile { step, seconds, calibration_rounds, packed, _random_position: None, config };
    let text = toml::to_string_pretty(&file)
        .map_err(|e| Error::Invalid(format!("the configuration cannot be stored: {e}")))?;
    write(RUN_FILE, text.as_bytes())?;
    if !packed {
        write(LOSS_FILE, history::encode_losses(&checkpoint.losses).as_bytes())?;
    }
    if !packed && checkpoint.config.validation > 0.0 {
        write(VALIDATION_FILE, history::encode_validation(&checkpoint.validation).as_bytes())?;
    }
    if let Some(unfinished) = &checkpoint.unfinished {
        write(TUNING_FILE, &unfinished.state.encode()?)?;
    }
    let finished = run.join(match calibration_rounds {
        None => format!("{PREFIX}{step:09}"),
        Some(rounds) => format!("{UNFINISHED_PREFIX}{step:09}-{rounds:03}"),
    });
    if finished.exists() {
        let replaced = run.join(REPLACED);
        if replaced.exists() {
            fs::remove_dir_all(&replaced).map_err(failed(&replaced))?;
        }
        fs::rename(&finished, &replaced).map_err(failed(&finished))?;
    }
    fs::rename(temporary, &finished).map_err(failed(&finished))?;
    // Directory entries are made durable where the system allows a folder to be opened.
    if let Ok(folder) = File::open(run) {
        let _ = folder.sync_all();
    }
    for path in checkpoints(run)?.into_iter().filter(|path| *path != finished) {
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
    let tensors = |name: &str| -> Result<(PathBuf, Tensors)> {
        let (path, bytes) = read(name)?;
        let tensors = Tensors::decode(&bytes).map_err(|e| Error::file(&path, e))?;
        Ok((path, tensors))
    };
    let (path, bytes) = read(RUN_FILE)?;
    let text = String::from_utf8(bytes).map_err(|_| Error::file(&path, "is not text"))?;
    let file: RunFile = toml::from_str(&text).map_err(|e| Error::file(&path, one_line(&e.to_string())))?;
    file.config.check().map_err(|e| Error::file(&path, e))?;
    check_step(file.step).map_err(|e| Error::file(&path, e))?;
    let graph = file.config.graph().map_err(|e| Error::file(&path, e))?;
    let (mut losses, mut validation) = (vec![], vec![]);
    if !file.packed {
        let (path, bytes) = read(LOSS_FILE)?;
        losses = history::decode_losses(&bytes).map_err(|e| Error::file(&path, e))?;
        if losses.len() as u64 != file.step {
            let what = format!("holds {} losses, but the run is at step {}", losses.len(), file.step);
            return Err(Error::file(&path, what));
        }
    }
    if !file.packed && file.config.validation > 0.0 {
        let (path, bytes) = read(VALIDATION_FILE)?;
        validation = history::decode_validation(&bytes, file.step).map_err(|e| Error::file(&path, e))?;
    }
    let (path, state) = tensors(STATE_FILE)?;
    let vectors = vectors(&state, &graph, file.packed).map_err(|e| Error::file(&path, e))?;
    let locals = match graph.local() {
        Some(shape) => state.get_some(LOCALS, &[shape.width, shape.channels]).map_err(|e| Error::file(&path, e))?,
        None => vec![],
    };
    let [mut params, ema, adam_first, adam_second, stats] = vectors;
    if file.packed {
        params.clone_from(&ema);
    }
    let unfinished = match file.calibration_rounds {
        Some(calibration_rounds) => Some(Unfinished { calibration_rounds, state: tensors(TUNING_FILE)?.1 }),
        None => None,
    };
    let (config, seconds) = (file.config, file.seconds.unwrap_or(0.0));
    let packed_at = file.packed.then_some(file.step);
    Ok(Checkpoint {
        config,
        params,
        adam_first,
        adam_second,
        ema,
        stats,
        losses,
        validation,
        locals,
        seconds,
        unfinished,
        packed_at,
    })
}

/// Whether a folder holds a run.
pub fn exists(run: &Path) -> bool {
    checkpoints(run).is_ok_and(|found| !found.is_empty())
}

/// The moment of a run that a checkpoint of this name is of: later ones are greater.
fn moment(name: &str) -> Option<(u64, u64)> {
    // As many digits as are written, and more where the number has them.
    let number =
        |text: &str, digits: usize| text.parse::<u64>().ok().filter(|number| format!("{number:0digits$}") == text);
    match (name.strip_prefix(PREFIX), name.strip_prefix(UNFINISHED_PREFIX)) {
        (Some(step), _) => Some((number(step, 9)?, u64::MAX)),
        (_, Some(rest)) => rest.split_once('-').and_then(|(step, rounds)| Some((number(step, 9)?, number(rounds, 3)?))),
        _ if name == REPLACED => Some((0, 0)),
        _ => None,
    }
}

/// The checkpoints of a run, oldest first; none where there is no such folder.
fn checkpoints(run: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let failed = |e: std::io::Error| Error::file(run, format!("cannot be read: {e}"));
    let entries = match fs::read_dir(run) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(vec![]),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.extend(moment(&name).map(|moment| (moment, path)));
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// The tensors of the state file.
fn state(checkpoint: &Checkpoint) -> Result<Tensors> {
    let (graph, c) = (checkpoint.config.graph()?, checkpoint);
    let mut tensors = Tensors::default();
    let vectors = [&c.params, &c.ema, &c.adam_first, &c.adam_second, &c.stats];
    let packed = checkpoint.packed_at.is_some();
    for (part, values) in PARTS.iter().zip(vectors).filter(|(part, _)| part.is_packed || !packed) {
        for block in &layout(&graph, part.is_param).blocks {
            tensors.put(format!("{}.{}", part.prefix, block.name), &block.shape, &values[block.range.clone()]);
        }
    }
    if let Some(shape) = graph.local().filter(|_| !c.locals.is_empty()) {
        let count = c.locals.len() / shape.len();
        tensors.put(LOCALS, &[count, shape.width, shape.channels], &c.locals);
    }
    Ok(tensors)
}

/// The vectors that the tensors of a state file stand for; those that a packed run lacks are empty.
fn vectors(state: &Tensors, graph: &Graph, packed: bool) -> Result<[Vec<f32>; 5]> {
    let mut vectors: [Vec<f32>; 5] = Default::default();
    for (part, values) in PARTS.iter().zip(&mut vectors).filter(|(part, _)| part.is_packed || !packed) {
        for block in &layout(graph, part.is_param).blocks {
            values.extend(state.get(&format!("{}.{}", part.prefix, block.name), &block.shape)?);
        }
    }
    Ok(vectors)
}

fn layout(graph: &Graph, is_param: bool) -> &Layout {
    if is_param {
        &graph.params
    } else {
        &graph.stats
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_moment() {
        let order = [
            "replaced.tmp tuning-000000000-000 tuning-000000300-000 tuning-000000300-002 step-000000300",
            "step-999999999 step-1000000000 step-2147483647",
        ];
        let order = order.join(" ");
        let moments: Vec<_> = order.split(' ').map(|name| moment(name).unwrap()).collect();
        assert!(moments.is_sorted());
        for name in [
            "unfinished.tmp",
            "step-1",
            "step-00000000x",
            "step-+00000001",
            "step-0000000001",
            "tuning-000000300",
            "loss.png",
        ] {
            assert_eq!(moment(name), None, "{name}");
        }
    }

    #[test]
    fn a_place_where_no_folder_can_be_made_is_known_early() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        for wrong in [file.clone(), file.join("run")] {
            let error = check_writable(&wrong).unwrap_err().to_string();
            assert!(error.contains("cannot be written"), "{error}");
        }
        check_writable(folder.path()).unwrap();
        check_writable(&folder.path().join("deep/run")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
