//! A model of a board in a process of its own, driven by requests and answers; `tools/boards/README.md` has their list.

use super::list::Board;
use super::packages;
use anyhow::{bail, ensure, Context, Result};
use serde::Deserialize;
use serde_json::{json, Value};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::time::{Duration, Instant};
use wait_timeout::ChildExt;

/// The most instructions of a run, twice those of the longest draw.
const INSTRUCTIONS: u64 = 2_000_000_000;
/// The longest that a run may take on the board, in microseconds.
const MICROS: u64 = 60_000_000;

/// How long it may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// A running model of a board.
pub struct Machine {
    child: Child,
    requests: Option<ChildStdin>,
    answers: Receiver<String>,
    deadline: Instant,
    /// Instructions executed so far; of several cores those of the longest way through all of them.
    pub instructions: u64,
    /// Those of each core, where the model counts them.
    pub cores: Vec<u64>,
    /// Resets so far.
    pub resets: u64,
    /// Microseconds in which all cores have slept; none where the model does not tell.
    pub asleep: Option<u64>,
}

/// What every answer says.
#[derive(Debug, Deserialize)]
struct Answer {
    error: Option<String>,
    #[serde(default)]
    instructions: u64,
    #[serde(default)]
    cores: Vec<u64>,
    #[serde(default)]
    resets: u64,
    asleep: Option<u64>,
    stopped: Option<String>,
    said: Option<String>,
    rows: Option<Vec<String>>,
    #[serde(default)]
    period: u64,
    #[serde(default)]
    feeds: u64,
    frames: Option<Vec<[i16; 2]>>,
    #[serde(default)]
    mean: f64,
    #[serde(default)]
    longest: f64,
}

/// What an amplifier has heard.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heard {
    /// Left and right samples.
    pub frames: Vec<[i16; 2]>,
    /// Microseconds from one to the next, in the mean.
    pub mean: f64,
    /// The most of them.
    pub longest: f64,
}

/// A watchdog, by what the firmware has written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watchdog {
    /// Milliseconds after which it bites; 0 if it has not been started.
    pub millis: u64,
    /// How often it was fed.
    pub feeds: u64,
}

impl Machine {
    /// A board with this firmware, an ELF file or one to flash, before its first instruction. It answers until `deadline`.
    pub fn start(board: &Board, firmware: &Path, deadline: Instant) -> Result<Self> {
        let model = board.model.with_context(|| format!("there is no model of the chip of a {}", board.name))?;
        let mut command = packages::server(board, model);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("cannot run {}", command.get_program().display()))?;
        let requests = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (sender, answers) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let (instructions, cores) = (0, Vec::new());
        let mut machine = Self { child, requests, answers, deadline, instructions, cores, resets: 0, asleep: None };
        machine.ask(json!({"do": "start", "firmware": firmware}))?;
        Ok(machine)
    }

    fn ask(&mut self, request: Value) -> Result<Answer> {
        let requests = self.requests.as_mut().expect("taken when it is dropped");
        writeln!(requests, "{request}").context("the model of the board has ended")?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let Ok(line) = self.answers.recv_timeout(left) else {
            bail!("the model of the board did not answer {request} in time");
        };
        let answer: Answer = serde_json::from_str(&line).with_context(|| format!("answer {line}"))?;
        if let Some(error) = answer.error {
            bail!("{error}");
        }
        (self.instructions, self.resets, self.asleep) = (answer.instructions, answer.resets, answer.asleep);
        self.cores.clone_from(&answer.cores);
        Ok(answer)
    }

    /// Runs until `line` has said a whole line with `text`; returns what it has said since the last run.
    ///
    /// Fails where that does not come in time, and at once where the firmware panics or faults.
    pub fn until(&mut self, line: &str, text: &str) -> Result<String> {
        let limits = json!({"instructions": INSTRUCTIONS, "micros": MICROS});
        let mut request = json!({"do": "run", "line": line, "until": text});
        request.as_object_mut().expect("an object").extend(limits.as_object().expect("an object").clone());
        let answer = self.ask(request)?;
        let (stopped, said) = (answer.stopped.unwrap_or_default(), answer.said.unwrap_or_default());
        let last: Vec<&str> = said.lines().rev().take(4).collect();
        if let Some((_, message)) = said.split_once("panicked at") {
            bail!("the firmware panicked at {}", message.trim());
        }
        ensure!(stopped == "done", "'{text}' did not come ({stopped}); the last lines, newest first: {last:?}");
        Ok(said)
    }

    /// Runs for so long on the board.
    pub fn wait(&mut self, millis: u64) -> Result<()> {
        let request = json!({"do": "run", "instructions": INSTRUCTIONS, "micros": millis * 1000});
        let answer = self.ask(request)?;
        let stopped = answer.stopped.unwrap_or_default();
        ensure!(stopped == "limit", "{stopped}");
        Ok(())
    }

    /// Types on a line.
    pub fn type_text(&mut self, line: &str, text: &str) -> Result<()> {
        self.ask(json!({"do": "type", "line": line, "text": text})).map(|_| ())
    }

    /// Holds the button down, or lets go of it.
    pub fn button(&mut self, is_down: bool) -> Result<()> {
        self.ask(json!({"do": "button", "down": is_down})).map(|_| ())
    }

    /// Plugs the display in or out.
    pub fn plug(&mut self, is_in: bool) -> Result<()> {
        self.ask(json!({"do": "plug", "in": is_in})).map(|_| ())
    }

    /// From now on an instruction of this core takes so many cycles, where a model has several cores.
    pub fn slow(&mut self, core: usize, cycles: u32) -> Result<()> {
        self.ask(json!({"do": "slow", "core": core, "cycles": cycles})).map(|_| ())
    }

    /// A debug probe fetches from now on what the firmware says by RTT, whose control block is at this address.
    pub fn attach(&mut self, address: u64) -> Result<()> {
        self.ask(json!({"do": "attach", "address": address})).map(|_| ())
    }

    /// What the probe has fetched since it was asked last.
    pub fn fetch(&mut self) -> Result<Vec<u8>> {
        let said = self.ask(json!({"do": "fetch"}))?.said.unwrap_or_default();
        said.chars().map(|byte| u8::try_from(byte).context("the probe has fetched something else than bytes")).collect()
    }

    /// The watchdog, where a model keeps what is written to it.
    pub fn watchdog(&mut self) -> Result<Watchdog> {
        let answer = self.ask(json!({"do": "watchdog"}))?;
        // It counts at 32,768 Hz.
        Ok(Watchdog { millis: answer.period * 1000 / 32_768, feeds: answer.feeds })
    }

    /// What the amplifier has heard since it was asked last.
    pub fn sound(&mut self) -> Result<Heard> {
        let answer = self.ask(json!({"do": "sound"}))?;
        let frames = answer.frames.context("the model of the board has no amplifier")?;
        Ok(Heard { frames, mean: answer.mean, longest: answer.longest })
    }

    /// The display's rows, `#` where it is lit.
    pub fn display(&mut self) -> Result<Vec<String>> {
        let answer = self.ask(json!({"do": "display"}))?;
        answer.rows.context("the model of the board has no display")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // At the end of the requests it ends, and what it has started. It may have ended already.
        drop(self.requests.take());
        if !matches!(self.child.wait_timeout(GRACE), Ok(Some(_))) {
            _ = self.child.kill();
            _ = self.child.wait();
        }
    }
}
