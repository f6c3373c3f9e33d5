//! What is done to a board that runs: draws, presses, words, a display that is unplugged, a watchdog that bites, models in
//! its flash region, sound.

use super::build;
use super::file;
use super::first_frame;
use super::image::Image;
use super::list::{Board, Display, Model};
use super::machine::Machine;
use super::model_file;
use super::page_picture::Pair;
use super::picture;
use super::probe::Probe;
use super::script::Draw;
use crate::firmware::target_dir;
use anyhow::{bail, ensure, Context, Result};
use brownian::host::{Classes, OwnedModel};
use brownian::Guidance;
use brownian_board::demo::frame::Note;
use brownian_board::demo::REST_MICROS;
use brownian_tests::shipped_model;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The longest that all of it may take, on a machine that has much else to do.
const LIMIT: Duration = Duration::from_secs(1800);

/// The shipped model of sound.
const SPOKEN: &str = "speech-half";

/// Milliseconds in which LEDs can be seen, less than a step takes.
const LIT: u64 = 100;

/// What a board showed.
#[derive(Debug)]
pub struct Outcome {
    /// Steps whose digests are the host's.
    pub digests: usize,
    /// The draw of five steps after power-up.
    pub instructions: Instructions,
    /// Microseconds of it in which all cores slept; none where the model does not tell.
    pub asleep: Option<u64>,
    /// Lines that a debug probe has shown as the serial line said them; none where the board has no RTT.
    pub probed: usize,
    /// Bytes that the stack has had.
    pub stack: u64,
    /// The captured display.
    pub png: PathBuf,
    /// What the pages show of it.
    pub pictures: Vec<Pair>,
    /// What was heard, where it was played.
    pub sound: Option<Spoken>,
}

/// A sound that was drawn and played.
#[derive(Debug, Clone, Copy)]
pub struct Spoken {
    /// Bytes of RAM for arena and state of its model.
    pub memory: usize,
    /// Instructions of a step, its frame on the display among them.
    pub step: u64,
    /// Samples that were heard and are the host's.
    pub samples: usize,
}

/// Instructions of a draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instructions {
    /// Along the longest way through all cores: while at least one of them executes.
    pub longest: u64,
    /// Of each core, where the model counts them.
    pub cores: Vec<u64>,
}

impl Instructions {
    fn of(machine: &Machine) -> Self {
        Self { longest: machine.instructions, cores: machine.cores.clone() }
    }

    /// Since `before`.
    fn since(self, before: &Self) -> Self {
        let cores = self.cores.iter().zip(&before.cores).map(|(now, before)| now - before).collect();
        Self { longest: self.longest - before.longest, cores }
    }
}

/// The number, and where more than one core executes those of each.
impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.longest)?;
        if self.cores.iter().filter(|&&count| count > 0).count() > 1 {
            let cores: Vec<String> = self.cores.iter().map(u64::to_string).collect();
            write!(f, " ({} by its cores)", cores.join(" and "))?;
        }
        Ok(())
    }
}

/// Plays all of it.
pub fn play(board: &Board, elf: &Path) -> Result<Outcome> {
    let png = target_dir().join("displays").join(format!("{}.png", board.name));
    std::fs::create_dir_all(png.parent().expect("has a parent"))?;
    let deadline = Instant::now() + LIMIT;
    let mut player = Player {
        board,
        deadline,
        line: board.lines[0],
        model: OwnedModel::read(shipped_model(board.built_in))?,
        machine: Machine::start(board, elf, deadline)?,
        said: String::new(),
        digests: 0,
    };
    let probe = if board.rtt { Some(Probe::attach(&mut player.machine, elf)?) } else { None };
    let (instructions, asleep) = player.power_up(&png).context("after power-up")?;
    // With a second core it is the same demo, but for who computes.
    if board.figures().cores > 1 {
        player.wait_for_second_core(&instructions).context("second core")?;
        let (stack, probed) = (player.stack()?, player.compare_probe(probe)?);
        let pictures = pairs(board, &[&png]);
        let sound = None;
        return Ok(Outcome { digests: player.digests, instructions, asleep, probed, stack, png, pictures, sound });
    }
    player.press().context("button")?;
    player.unplug().context("display unplugged")?;
    player.bad_lines().context("bad lines")?;
    for line in &board.lines[1..] {
        player.other_line(line).with_context(|| format!("words over {line}"))?;
    }
    let (stack, probed) = (player.stack()?, player.compare_probe(probe)?);
    if board.model == Some(Model::Qemu) {
        player.feeds().context("feeding the watchdog")?;
    }
    // A variant restarts as its board does.
    if board.variant.is_none() {
        player.watchdog().context("watchdog")?;
    }
    player.region(elf).context("model in its flash region")?;
    let bits = png.with_extension("bits.png");
    if board.display == Display::Oled {
        player.bits(elf, &bits).context("model over bits")?;
    }
    let mut sound = None;
    let mut stack = stack;
    if board.speaks && board.variant.is_none() {
        sound = Some(player.sound(elf).context("sound")?);
        stack = stack.max(player.stack()?);
    }
    let pictures = pairs(board, &[&png, &bits]);
    Ok(Outcome { digests: player.digests, instructions, asleep, probed, stack, png, pictures, sound })
}

/// The captured displays and the pages' pictures of them.
fn pairs(board: &Board, captured: &[&PathBuf]) -> Vec<Pair> {
    captured.iter().zip(board.pictures).map(|(captured, name)| Pair::of(captured, name)).collect()
}

struct Player<'a> {
    board: &'a Board,
    deadline: Instant,
    line: &'static str,
    model: OwnedModel,
    machine: Machine,
    /// What the line that is listened to has said.
    said: String,
    digests: usize,
}

impl Player<'_> {
    fn until(&mut self, text: &str) -> Result<String> {
        let said = self.machine.until(self.line, text)?;
        self.said += &said;
        Ok(said)
    }

    /// Where a probe is attached, it has got the lines that were said; returns how many.
    fn compare_probe(&mut self, probe: Option<Probe>) -> Result<usize> {
        probe.map_or(Ok(0), |probe| probe.compare(&mut self.machine, &self.said).context("debug probe"))
    }

    fn type_line(&mut self, text: &str) -> Result<()> {
        self.machine.type_text(self.line, &format!("{text}\r\n"))
    }

    /// The classes of image `number` where the combinations take turns, by their names.
    fn class(&self, number: u32) -> String {
        Self::class_of(&self.model, number)
    }

    /// The same of another model.
    fn class_of(model: &OwnedModel, number: u32) -> String {
        let model = model.model();
        let condition = Classes::Cycle.condition(number, model.class_counts(), Guidance::PLAIN);
        let names = model.axes().filter_map(|axis| axis.classes().nth(condition.class_on(axis.index())?.into()));
        names.collect::<Vec<&str>>().join("+")
    }

    fn shortest_plan(&self) -> Result<String> {
        let plan = self.model.model().plans().min_by_key(|plan| plan.len()).context("the model has no plan")?;
        Ok(plan.name().to_owned())
    }

    /// Waits for the end of a draw and compares it.
    fn finish(&mut self, draw: Draw) -> Result<String> {
        let said = self.until(&format!("done {}", draw.words()))?;
        self.digests += draw.compare(&self.model, &said, true)?;
        Ok(said)
    }

    /// The display's rows, which must be the host's, with the built-in model or another. LEDs need a while to be seen.
    fn compare_display(&mut self, other: Option<&OwnedModel>, draw: Draw, said: &str) -> Result<Vec<String>> {
        if matches!(self.board.display, Display::Leds(_)) {
            self.machine.wait(300)?;
        }
        let rows = self.machine.display()?;
        let model = other.unwrap_or(&self.model);
        match self.board.display {
            Display::Oled => draw.compare_display(model, &rows)?,
            Display::Leds(side) => draw.compare_leds(model, side, &rows, said)?,
            Display::Tft => draw.compare_colour(model, &rows)?,
        }
        Ok(rows)
    }

    /// Before the first step of a draw of the built-in model the display says what there is to say of the model's region.
    fn compare_first(&mut self, draw: Draw, note: Note) -> Result<()> {
        if matches!(self.board.display, Display::Leds(_)) {
            self.machine.wait(LIT)?;
        }
        let rows = self.machine.display()?;
        let plan = self.model.plan(draw.plan).with_context(|| format!("the model has no plan {}", draw.plan))?;
        first_frame::compare(self.board.display, &rows, draw, plan.len(), note)
    }

    /// It draws, sleeps between the steps, and shows what it draws. Returns what it executed and how long it slept.
    fn power_up(&mut self, png: &Path) -> Result<(Instructions, Option<u64>)> {
        let class = self.class(0);
        let draw = Draw { seed: 1, class: &class, plan: "fast5" };
        let hello = self.until("display answers")?;
        ensure!(hello.contains("model built in") && !hello.contains("error"), "{hello}");
        let (start, slept) = (Instructions::of(&self.machine), self.machine.asleep);
        self.compare_first(draw, Note::BuiltIn).context("empty model region")?;
        let said = self.until(&format!("done {}", draw.words()))?;
        let steps = draw.compare(&self.model, &(hello + &said), true)?;
        self.digests += steps;
        let instructions = Instructions::of(&self.machine).since(&start);
        let asleep = self.machine.asleep.zip(slept).map(|(now, before)| now - before);
        let least = (steps as u64 - 1) * REST_MICROS;
        ensure!(asleep.is_none_or(|asleep| asleep >= least), "{steps} steps, and {asleep:?} us of sleep between them");
        let rows = self.compare_display(None, draw, &said)?;
        match self.board.display {
            Display::Tft => picture::write_colour(png, &rows)?,
            _ => picture::write(png, &rows)?,
        }
        Ok((instructions, asleep))
    }

    /// Holds the button down for so long.
    fn hold(&mut self, millis: u64) -> Result<()> {
        self.machine.button(true)?;
        self.machine.wait(millis)?;
        self.machine.button(false)?;
        // Longer than contacts bounce.
        self.machine.wait(50)
    }

    /// A short press draws the next seed, a long one the next class; one within a chain drops it.
    fn press(&mut self) -> Result<()> {
        let [first, second] = [0, 1].map(|number| self.class(number));
        self.hold(100)?;
        self.finish(Draw { seed: 2, class: &first, plan: "fast5" })?;
        self.hold(800)?;
        let long = Draw { seed: 2, class: &second, plan: "fast5" };
        let mut said = self.until("step 1 ")?;
        self.digests += long.compare(&self.model, &said, false)?;
        self.hold(100)?;
        let next = Draw { seed: 3, class: &second, plan: "fast5" };
        said = self.until(&format!("draw {}", next.words()))?;
        said += &self.until("step 1 ")?;
        self.digests += next.compare(&self.model, &said, false)?;
        self.type_line("cancel")?;
        self.until("cancelled within step ").map(|_| ())
    }

    /// Words draw. A display that is unplugged is reported, and the chain goes on; plugged in again it shows the next draw.
    fn unplug(&mut self) -> Result<()> {
        let can_be_unplugged = self.board.display == Display::Oled;
        if can_be_unplugged {
            self.machine.plug(false)?;
        }
        let plan = self.shortest_plan()?;
        let class = self.class(3);
        let draw = Draw { seed: 7, class: &class, plan: &plan };
        self.type_line(&format!("sample {}", draw.words()))?;
        let said = self.finish(draw)?;
        if can_be_unplugged {
            ensure!(said.contains("display: it does not answer; going on without"), "{said}");
            self.machine.plug(true)?;
        }
        let again = Draw { seed: 7, class: "none", plan: &plan };
        self.type_line("sample class=none")?;
        let said = self.finish(again)?;
        ensure!(said.contains("display answers") == can_be_unplugged, "{said}");
        self.compare_display(None, again, &said).map(|_| ())
    }

    /// The second core has had its share of a draw. One that is far behind, as where it waits for memory, is waited for.
    fn wait_for_second_core(&mut self, drawn: &Instructions) -> Result<()> {
        let [first, second] = drawn.cores[..] else { bail!("the model does not count both cores: {drawn:?}") };
        ensure!(second > first / 2, "the first core did nearly everything: {drawn}");
        self.machine.slow(1, 3)?;
        let (class, plan) = (self.class(3), self.shortest_plan()?);
        let draw = Draw { seed: 7, class: &class, plan: &plan };
        self.type_line(&format!("sample {}", draw.words()))?;
        let said = self.finish(draw)?;
        self.compare_display(None, draw, &said).map(|_| ())
    }

    /// Each is one line that says what is wrong; then the board still answers.
    fn bad_lines(&mut self) -> Result<()> {
        let long = "x".repeat(10_000);
        for (text, words) in [
            (long.as_str(), "at most 80 characters"),
            ("\u{1}\u{2}\u{ff}\u{fe}", "printable"),
            ("sample se", "'se'"),
            ("sample plan=fast5000", "no plan 'fast5000'"),
            ("sample class=10", "no class '10': classes names"),
            ("draw", "no word 'draw'"),
        ] {
            self.type_line(text)?;
            self.type_line("digest on")?;
            let said = self.until("digests are on")?;
            let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
            ensure!(matches!(errors[..], [error] if error.contains(words)), "{words}: {said}");
        }
        Ok(())
    }

    /// Another line takes words and answers too.
    fn other_line(&mut self, line: &'static str) -> Result<()> {
        let class = self.class(4);
        let draw = Draw { seed: 8, class: &class, plan: "fast3" };
        self.machine.type_text(line, &format!("plans\nsample {}\n", draw.words()))?;
        let said = self.machine.until(line, &format!("done {}", draw.words()))?;
        ensure!(said.contains("plan fast5: 5 steps"), "{said}");
        self.digests += draw.compare(&self.model, &said, true)?;
        self.until("done seed=8").map(|_| ())
    }

    /// The stack's bytes, from `info`.
    fn stack(&mut self) -> Result<u64> {
        self.type_line("info")?;
        let said = self.until("stack ")?;
        let line = said.lines().find_map(|line| line.strip_prefix("stack ")).context("no line of the stack")?;
        Ok(line.split(' ').next().unwrap_or("").parse()?)
    }

    /// A board that hangs is restarted, says so, and draws.
    fn watchdog(&mut self) -> Result<()> {
        ensure!(self.machine.resets == 0, "the watchdog has bitten {} times before", self.machine.resets);
        let elf = build::firmware(self.board, "hang")?;
        self.machine = Machine::start(self.board, &elf, self.deadline)?;
        self.until("step 1 ")?;
        self.type_line("hang")?;
        self.until("hangs")?;
        // QEMU's chip does not tell why it was reset.
        let is_told = self.board.model != Some(Model::Qemu);
        let mut said = self.until(if is_told { "restarted by the watchdog" } else { "brownian on" })?;
        ensure!(self.machine.resets == 1, "{} resets", self.machine.resets);
        said += &self.until("step 1 ")?;
        let class = self.class(0);
        let draw = Draw { seed: 1, class: &class, plan: "fast5" };
        self.digests += draw.compare(&self.model, &said, false)?;
        Ok(())
    }

    /// The watchdog is started, and fed while nothing is done and within an evaluation.
    fn feeds(&mut self) -> Result<()> {
        let before = self.machine.watchdog()?;
        self.machine.wait(1000)?;
        let idle = self.machine.watchdog()?;
        ensure!(before.millis > 0 && idle.feeds >= before.feeds + 4, "idle: {before:?}, a second later {idle:?}");
        self.type_line("sample")?;
        self.until("step 1 ")?;
        let drawing = self.machine.watchdog()?;
        let ops = self.model.model().ops().count() as u64;
        ensure!(drawing.feeds >= idle.feeds + ops, "{ops} ops: {idle:?} before them, {drawing:?} after");
        Ok(())
    }

    /// A file to flash with another model runs that model; one whose model is damaged, or of another version, says so on
    /// display and serial line and runs its own.
    fn region(&mut self, elf: &Path) -> Result<()> {
        let image = Image::read(elf)?;
        let draw = Draw { seed: 1, class: "0", plan: "fast5" };
        let nano = self.with_model(&image, "digits28-nano")?;
        let said = self.until("done ")?;
        ensure!(said.contains("model from its flash region"), "{said}");
        self.digests += draw.compare(&nano, &said, true)?;
        self.compare_display(Some(&nano), draw, &said)?;
        // The file's version begins at byte 4.
        self.bad_region(&image, &nano, 1000, "damaged", Note::BadModel).context("damaged")?;
        self.bad_region(&image, &nano, 4, "version", Note::BadFormat).context("of another version")
    }

    /// Starts the board with a model in its region of which a byte has changed, which it says in these words.
    fn bad_region(&mut self, image: &Image, model: &OwnedModel, byte: usize, words: &str, note: Note) -> Result<()> {
        let mut image = image.clone();
        let mut bytes = model.bytes().to_vec();
        bytes[byte] ^= 64;
        image.add(image.symbol("__model_start")? as u32, bytes);
        let path = target_dir().join("elf").join(format!("{}-{words}", self.board.name));
        std::fs::write(&path, file::of(self.board, &image)?)?;
        self.machine = Machine::start(self.board, &path, self.deadline)?;
        let class = self.class(0);
        let draw = Draw { seed: 1, class: &class, plan: "fast5" };
        let mut said = self.until("display answers")?;
        self.compare_first(draw, note)?;
        said += &self.until("step 1 ")?;
        let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
        let is_said = |error: &str| error.contains("the model region cannot be used: ") && error.contains(words);
        ensure!(matches!(errors[..], [error] if is_said(error)), "{said}");
        self.digests += draw.compare(&self.model, &said, false)?;
        Ok(())
    }

    /// A model over bits draws from the flash region, and the display shows its bits as they are.
    fn bits(&mut self, elf: &Path, png: &Path) -> Result<()> {
        let bits = self.with_model(&Image::read(elf)?, "digits28-bits")?;
        self.until("step 1 ")?;
        let draw = Draw { seed: 7, class: "3", plan: "bits10" };
        self.type_line(&format!("sample {}", draw.words()))?;
        let said = self.until(&format!("done {}", draw.words()))?;
        self.digests += draw.compare(&bits, &said, true)?;
        let rows = self.machine.display()?;
        draw.compare_display(&bits, &rows)?;
        picture::write(png, &rows)
    }

    /// A model of sound draws from the flash region, and what an amplifier hears are the host's samples; the display shows the
    /// wave. A long press speaks the next class; a press meanwhile ends the sound and draws anew.
    fn sound(&mut self, elf: &Path) -> Result<Spoken> {
        let model = self.with_model(&Image::read(elf)?, SPOKEN)?;
        let plan = model.model().plans().min_by_key(|plan| (plan.len() < 5, plan.len())).context("no plan")?;
        let (name, steps) = (plan.name().to_owned(), plan.len() as u64);
        let [first, second] = [0, 1].map(|number| Self::class_of(&model, number));
        let draw = Draw { seed: 1, class: &first, plan: &name };
        let mut said = self.until("step 1 ")?;
        let start = self.machine.instructions;
        said += &self.until(&format!("step {steps} "))?;
        let step = (self.machine.instructions - start) / (steps - 1);
        said += &self.until("played ")?;
        self.digests += draw.compare(&model, &said, true)?;
        let samples = draw.compare_sound(&model, &self.machine.sound()?, true)?;
        let all = model.model().shape()[1];
        ensure!(said.contains(&format!("played {all} of {all} samples, ")), "{said}");
        self.compare_display(Some(&model), draw, &said)?;
        self.hold(800)?;
        let next = Draw { class: &second, ..draw };
        self.until(&format!("done {}", next.words()))?;
        self.machine.wait(50)?;
        self.hold(100)?;
        let said = self.until("played ")?;
        ensure!(!said.contains(&format!("played {all} of")), "a press has not ended the sound: {said}");
        next.compare_sound(&model, &self.machine.sound()?, false).context("a sound that a press ends")?;
        let last = Draw { seed: 2, ..next };
        let said = self.until("step 1 ")?;
        self.digests += last.compare(&model, &said, false)?;
        self.type_line("cancel")?;
        self.until("cancelled within step ")?;
        ensure!(self.machine.resets == 0, "the watchdog has bitten {} times", self.machine.resets);
        Ok(Spoken { memory: brownian_board::demo::source::ram(model.bytes()), step, samples })
    }

    /// Starts the board with a shipped model in its flash region.
    fn with_model(&mut self, image: &Image, name: &str) -> Result<OwnedModel> {
        let model = model_file::read(self.board, &shipped_model(name))?;
        let mut whole = image.clone();
        whole.add_model(&model)?;
        let path = target_dir().join("elf").join(format!("{}-{name}", self.board.name));
        std::fs::write(&path, file::of(self.board, &whole)?)?;
        self.machine = Machine::start(self.board, &path, self.deadline)?;
        Ok(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those of each core are told where more than one executes.
    #[test]
    fn instructions_of_several_cores_are_told_apart() {
        let of = |longest, cores: &[u64]| Instructions { longest, cores: cores.to_vec() };
        assert_eq!(of(9, &[]).to_string(), "9");
        assert_eq!(of(9, &[10, 7]).since(&of(2, &[3, 7])).to_string(), "7");
        assert_eq!(of(9, &[10, 7]).since(&of(2, &[3, 1])).to_string(), "7 (7 and 6 by its cores)");
    }
}
