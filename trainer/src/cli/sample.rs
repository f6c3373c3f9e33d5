//! `trainer sample`.
use super::condition;
use super::edit::EditArguments;
use super::mel;
use super::options::guidance;
use super::output;
use crate::chain::{self, Batch, Classes, Edit};
use crate::report::note::note;
use crate::report::{image, progress, sound};
use crate::{files, memory, Error, Result};
use brownian::host::{ChainMemory, OwnedModel};
use brownian::sound::Sound;
use brownian::{with_state_element, Guidance, Model, Pieces, Sampler, SnapshotError, StateElement};
use clap::Args;
use npyz::WriterBuilder;
use std::path::{Path, PathBuf};

/// Arguments of `trainer sample`.
#[derive(Debug, Args)]
pub struct Sample {
    /// The model file.
    #[arg(value_name = "FILE.brn")]
    file: PathBuf,
    /// Name of the sampling plan; the model's first by default.
    #[arg(long, value_name = "NAME")]
    plan: Option<String>,
    /// Seed of all noise.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of images; 10, or 1 with `--save-after`, or as many as `--mel` names.
    #[arg(long)]
    count: Option<u32>,
    /// A class by number or name, or classes of several label axes joined by `+` (`glasses+hair=long`; an axis not named
    /// stays without a class), or `cycle`: image i gets class, or combination, i mod their number. Without it draws are
    /// unconditional. `trainer inspect` lists the names.
    #[arg(long, value_name = "CLASS|A+B|cycle")]
    class: Option<String>,
    /// Guidance scale, 0 to 16: how strongly the class of `--class` bends the draw. [default: 1]
    #[arg(long)]
    guidance: Option<f32>,
    /// Compute guidance from two evaluations of the network a step instead of one; with `--class`.
    #[arg(long)]
    two_evaluations: bool,
    /// Draw the sound that this mel spectrogram says, with a model that follows one: of a recording, which is prepared as
    /// those were that the model learned, or an array of frames by bands, -1 for silence to 1; may be given several times:
    /// sound i gets number i mod their number.
    #[arg(long = "mel", value_name = "FILE.wav|FILE.npy")]
    mels: Vec<PathBuf>,
    #[command(flatten)]
    edit: EditArguments,
    /// Draw signals of so many samples, longer than the model's own, in pieces that overlap; of networks that are the same
    /// everywhere in a signal. Each sample is that of a network of this length.
    #[arg(long, value_name = "SAMPLES", value_parser = clap::value_parser!(u32).range(1..), conflicts_with_all = ["two_evaluations", "from", "start", "inpaint", "image",
        "preview", "save_after", "snapshot", "resume"])]
    length: Option<u32>,
    /// Write what every step believes the image to be, one row an image, as one PNG.
    #[arg(long, value_name = "FILE.png")]
    preview: Option<PathBuf>,
    /// Stop after so many steps, counted as `--start` counts them, and save the chain.
    #[arg(long, value_name = "STEPS", requires = "snapshot", conflicts_with_all = ["png", "npy", "print", "preview",
        "wav", "wav_dir", "spectrogram"])]
    save_after: Option<usize>,
    /// Where to save the chain.
    #[arg(long, value_name = "FILE", requires = "save_after")]
    snapshot: Option<PathBuf>,
    /// Take up a saved chain, which knows its plan, seed and condition; inpainting needs its images again.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plan", "seed", "count", "class", "guidance", "two_evaluations",
        "from", "start", "preview", "threads"])]
    resume: Option<PathBuf>,
    /// Write the images as one PNG.
    #[arg(long, value_name = "FILE.png")]
    png: Option<PathBuf>,
    /// Write the images as f32 NHWC in [-1, 1].
    #[arg(long, value_name = "FILE.npy")]
    npy: Option<PathBuf>,
    /// Write signals as one WAV of 16 bits, one after the other.
    #[arg(long, value_name = "FILE.wav")]
    wav: Option<PathBuf>,
    /// Write signals as WAVs, `0000.wav` and so on, into a folder, which is made.
    #[arg(long, value_name = "FOLDER")]
    wav_dir: Option<PathBuf>,
    /// Draw the waveform and the spectrogram of each signal, as one PNG.
    #[arg(long, value_name = "FILE.png")]
    spectrogram: Option<PathBuf>,
    /// Samples a second of what `--wav` and `--wav-dir` write. [default: as the model learned]
    #[arg(long, value_name = "HERTZ", value_parser = clap::value_parser!(u32).range(1000..=192_000))]
    rate: Option<u32>,
    /// Draw the images in the terminal.
    #[arg(long)]
    print: bool,
    /// Threads; all cores by default.
    #[arg(long)]
    threads: Option<usize>,
}

const MAX_THREADS: usize = 1024;
/// Values that are drawn before they are written, where nothing but the array is wanted.
const MOST_TOGETHER: usize = 1 << 22;

/// The plan of this name, or the first.
///
/// # Errors
/// An unknown name; the line lists those there are.
fn find_plan<'a>(model: &Model<'a>, path: &Path, name: Option<&str>) -> Result<brownian::Plan<'a>> {
    let plan = match name {
        Some(name) => model.plan(name),
        None => model.plans().next(),
    };
    plan.ok_or_else(|| {
        let known: Vec<&str> = model.plans().map(|p| p.name()).collect();
        let name = name.unwrap_or_default();
        Error::Usage(format!("{} has no plan {name:?}; it has {}", path.display(), known.join(", ")))
    })
}

impl Sample {
    /// Draws and writes.
    ///
    /// # Errors
    /// Bad arguments or files.
    pub fn run(self) -> Result<()> {
        if self.count == Some(0) {
            return Err(Error::Usage("--count 0: give at least 1".into()));
        }
        if let Some(threads) = self.threads.filter(|n| !(1..=MAX_THREADS).contains(n)) {
            return Err(Error::Usage(format!("--threads {threads}: give 1 to {MAX_THREADS}")));
        }
        if self.snapshot.is_none() && self.preview.is_none() && !self.wants_samples() {
            return Err(Error::Usage(
                "nothing would be written: give --png, --npy, --preview, --print, or of sound --wav, --wav-dir or \
                 --spectrogram"
                    .into(),
            ));
        }
        let heard = self.wav.is_some() || self.wav_dir.is_some();
        if self.rate.is_some() && !heard {
            return Err(Error::Usage("--rate: is of sound that is written; give --wav or --wav-dir too".into()));
        }
        let guidance = self.guidance()?;
        let outputs = [
            ("--png", &self.png),
            ("--npy", &self.npy),
            ("--preview", &self.preview),
            ("--snapshot", &self.snapshot),
            ("--wav", &self.wav),
            ("--spectrogram", &self.spectrogram),
        ];
        let outputs: Vec<(&str, &Path)> =
            outputs.iter().filter_map(|(option, path)| Some((*option, path.as_deref()?))).collect();
        let mut read = self.edit.paths();
        read.extend([Some(&*self.file), self.resume.as_deref()].into_iter().flatten());
        read.extend(self.mels.iter().map(|path| &**path));
        files::check_apart(&read, &outputs)?;
        outputs.iter().try_for_each(|(_, path)| files::check_writable(path))?;
        let file = OwnedModel::read(&self.file)?;
        let model = file.model();
        let heard_as = self.check_sound(&model)?;
        let pieces = self.length.map(|length| self.pieces(&model, length)).transpose()?;
        let length = pieces.map_or(model.shape()[1], |pieces| pieces.length());
        let locals = mel::read(&self.mels, &model, &self.file, length)?;
        if let Some(path) = &self.resume {
            return with_state_element!(&model, Element => self.resume::<Element>(&model, path, &locals, heard_as));
        }
        let one =
            pieces.map_or(model.local_shape().map_or(0, |shape| shape.iter().product()), |pieces| pieces.local_len());
        let followed = locals.len().checked_div(one);
        let usual = if self.snapshot.is_some() { 1 } else { 10 };
        let count = self.count.unwrap_or(followed.map_or(usual, |count| count as u32));
        let plan = find_plan(&model, &self.file, self.plan.as_deref())?;
        let classes = self.class.as_ref().map_or(Ok(Classes::None), |text| condition::classes(text, &model))?;
        let count = count as usize;
        let batch = Batch { seed: self.seed, first: 0, count, classes, guidance };
        let (shape, values) = (model.shape(), model.sample_len());
        if let (Some(pieces), Some(length)) = (pieces, self.length) {
            let samples = self.draw_long(&model, plan, &batch, pieces, &locals)?;
            let whole = samples.chunks(pieces.length() * shape[2]);
            let cut: Vec<f32> = whole.flat_map(|signal| &signal[..length as usize * shape[2]]).copied().collect();
            return self.write(&cut, [1, length as usize, shape[2]], heard_as);
        }
        let images = self.edit.read(shape, plan.len())?;
        let edit = Edit { locals: &locals, ..images.as_edit() };
        if let (Some(steps), Some(path)) = (self.save_after, &self.snapshot) {
            let mut memory = ChainMemory::new(&model);
            if count != 1 {
                return Err(Error::Usage(format!("--count {count}: a snapshot holds one chain; give --count 1")));
            }
            return with_state_element!(&model, Element => {
                save_after(edit.start::<Element>(&model, plan, &batch, 0, &mut memory)?, steps, path)
            });
        }
        let pool = self.pool()?;
        let bytes = (count * values * size_of::<f32>()) as u64;
        let too_many = |e: Error| Error::Usage(format!("--count {count}: {e}"));
        let bar = progress::image_bar(count);
        let array_alone =
            self.png.is_none() && self.preview.is_none() && !self.print && self.spectrogram.is_none() && !heard;
        if let (Some(path), true) = (&self.npy, array_alone) {
            // The file alone holds all images.
            files::check_room(path, bytes).map_err(too_many)?;
            let together = (MOST_TOGETHER / values).max(1);
            let draw = |batch: Batch| pool.install(|| chain::edited(&model, plan, &batch, &edit, || bar.inc(1)));
            write_npy(path, count, shape, parts(batch, together).map(draw))?;
            bar.finish_and_clear();
            return Ok(());
        }
        let shown = if self.preview.is_some() { plan.len() as u64 } else { 0 };
        memory::check(bytes * (1 + shown), "holding all images").map_err(too_many)?;
        let mut samples = Vec::new();
        if self.wants_samples() {
            samples = pool.install(|| chain::edited(&model, plan, &batch, &edit, || bar.inc(1)))?;
        }
        if let Some(path) = &self.preview {
            let previews = pool.install(|| chain::previews(&model, plan, &batch, &edit, || ()))?;
            image::write_grid(path, &previews, shape, previews.len() / count / values, 2)?;
        }
        bar.finish_and_clear();
        self.write(&samples, shape, heard_as)
    }

    /// How signals of `length` samples are cut; what is more than whole steps is drawn and cut off.
    fn pieces(&self, model: &Model, length: u32) -> Result<Pieces> {
        let refused = |e| Error::Usage(format!("--length {length}: {}: {e}", self.file.display()));
        let own = model.shape()[1] as u32;
        let step = Pieces::new(model, own).map_err(refused)?.step() as u32;
        Pieces::new(model, length.max(own).checked_next_multiple_of(step).unwrap_or(u32::MAX)).map_err(refused)
    }

    /// Draws signals cut into these pieces.
    fn draw_long(
        &self,
        model: &Model,
        plan: brownian::Plan,
        batch: &Batch,
        pieces: Pieces,
        locals: &[i8],
    ) -> Result<Vec<f32>> {
        let [_, own, channels] = model.shape();
        memory::check((batch.count * pieces.length() * channels * size_of::<f32>()) as u64, "holding all signals")
            .map_err(|e| Error::Usage(format!("--count {}: {e}", batch.count)))?;
        let bar = progress::image_bar(batch.count);
        let drawn = self.pool()?.install(|| chain::long(model, plan, batch, pieces, locals, || bar.inc(1)))?;
        bar.finish_and_clear();
        let ([left, right], count) = (pieces.overlap(), pieces.count());
        if count > 1 {
            note(format_args!(
                "{count} pieces of {own} samples, which overlap by {left} + {right}: {count} evaluations a step, {} bytes of \
                 arena, {} of state",
                pieces.arena_len(),
                pieces.state_len() * model.state_element_len()
            ));
        }
        Ok(drawn)
    }

    /// The threads that draw.
    fn pool(&self) -> Result<rayon::ThreadPool> {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(self.threads.unwrap_or(0));
        threads.build().map_err(|e| Error::Invalid(format!("threads cannot be started: {e}")))
    }

    /// Whether finished samples are wanted.
    fn wants_samples(&self) -> bool {
        let files = [&self.png, &self.npy, &self.wav, &self.wav_dir, &self.spectrogram];
        files.into_iter().any(Option::is_some) || self.print
    }

    /// Checks what is asked of sound before anything is drawn; how it is written.
    ///
    /// # Errors
    /// A model of pictures, or one that does not say its rate.
    fn check_sound(&self, model: &Model) -> Result<Sound> {
        let silent = Sound { rate: 0, level: None };
        let asked = [("--wav", &self.wav), ("--wav-dir", &self.wav_dir), ("--spectrogram", &self.spectrogram)];
        let Some((option, _)) = asked.into_iter().find(|(_, path)| path.is_some()) else { return Ok(silent) };
        let [height, width, channels] = model.shape();
        if height != 1 {
            let what = format!("{option}: {} draws pictures of {height}x{width}x{channels}", self.file.display());
            return Err(Error::Usage(format!("{what}; sound is of height 1")));
        }
        if let Some(folder) = &self.wav_dir {
            std::fs::create_dir_all(folder).map_err(|e| Error::file(folder, format!("cannot be made: {e}")))?;
            files::check_writable(&folder.join("0000.wav"))?;
        }
        let learned = Sound::of(model);
        match self.rate.or(learned.map(|sound| sound.rate)) {
            Some(rate) => Ok(Sound { rate, level: learned.and_then(|sound| sound.level) }),
            None if self.wav.is_none() && self.wav_dir.is_none() => Ok(silent),
            None => Err(Error::Usage(format!(
                "{option}: {} does not say how many samples a second it learned; give --rate",
                self.file.display()
            ))),
        }
    }

    /// How the class bends the draws.
    fn guidance(&self) -> Result<Guidance> {
        let flags = [("--guidance", self.guidance.is_some()), ("--two-evaluations", self.two_evaluations)];
        if let Some((flag, _)) = flags.into_iter().find(|(_, given)| *given && self.class.is_none()) {
            return Err(Error::Usage(format!("{flag}: a draw without a class is not guided; give --class too")));
        }
        let guidance = guidance(self.guidance.unwrap_or(1.0))?;
        Ok(if self.two_evaluations { guidance.two_evaluations() } else { guidance })
    }

    /// Writes samples wherever that was asked for.
    fn write(&self, samples: &[f32], shape: [usize; 3], heard_as: Sound) -> Result<()> {
        let (values, channels) = (shape.iter().product::<usize>(), shape[2]);
        let count = samples.len() / values;
        if let Some(path) = &self.wav {
            files::write_atomically(path, &sound::wav(samples, values, channels, heard_as)?)?;
        }
        for (i, signal) in samples.chunks_exact(values).enumerate().filter(|_| self.wav_dir.is_some()) {
            let path = self.wav_dir.iter().map(|folder| folder.join(format!("{i:04}.wav")));
            let bytes = sound::wav(signal, values, channels, heard_as)?;
            path.into_iter().try_for_each(|path| files::write_atomically(&path, &bytes))?;
        }
        if let Some(path) = &self.spectrogram {
            let pictures: Vec<_> =
                samples.chunks_exact(values).map(|signal| sound::picture(signal, channels)).collect();
            if let Some((shape, _)) = pictures.first() {
                let pixels: Vec<f32> = pictures.iter().flat_map(|(_, pixels)| pixels).copied().collect();
                image::write_grid(path, &pixels, *shape, columns(count), 1)?;
            }
        }
        if let Some(path) = &self.npy {
            write_npy(path, count, shape, [Ok(samples.to_vec())])?;
        }
        if let Some(path) = &self.png {
            image::write_grid(path, samples, shape, columns(count), 2)?;
        }
        if self.print {
            let row = shape.iter().product::<usize>() * (110 / (shape[1] + 1)).max(1);
            let texts: Vec<String> = samples.chunks(row).map(|row| image::text(row, shape)).collect();
            output::print(texts.join("\n").trim_end_matches('\n'))?;
        }
        Ok(())
    }

    /// Takes up the chain saved at `path`, and finishes it or saves it again.
    fn resume<E: StateElement>(&self, model: &Model, path: &Path, locals: &[i8], heard_as: Sound) -> Result<()> {
        let bytes = std::fs::read(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))?;
        let images = self.edit.read(model.shape(), 1)?;
        let mut memory = ChainMemory::new(model);
        let (arena, state) = memory.split_as::<E>();
        // A snapshot holds image 0 of a batch.
        let known = images.as_edit().known(0, model.sample_len());
        let refused = |e| match e {
            SnapshotError::Known => Error::Usage(format!("{}: {e} (--inpaint and --image, or --mel)", path.display())),
            e => Error::file(path, e),
        };
        let local = model.local_shape().map_or(locals, |shape| chain::local_of(locals, 0, shape));
        let mut chain = Sampler::resume(model, &bytes).map_err(refused)?.two_evaluations().local(local);
        if let Some(known) = known {
            chain = chain.keep(known, images.as_edit().keeping);
        }
        let mut sampler = chain.start(arena, state).map_err(refused)?;
        if let (Some(steps), Some(path)) = (self.save_after, &self.snapshot) {
            return save_after(sampler, steps, path);
        }
        while sampler.step() {}
        let samples: Vec<f32> = sampler.values().collect();
        self.write(&samples, model.shape(), heard_as)
    }
}

/// Goes on until `steps` steps of the plan are made, and saves the chain.
fn save_after<E: StateElement>(mut sampler: Sampler<E>, steps: usize, path: &Path) -> Result<()> {
    let (done, all) = (sampler.steps_done(), sampler.steps());
    if !(done..=all).contains(&steps) {
        return Err(Error::Usage(format!(
            "--save-after {steps}: the chain stands after step {done} of {all}; give a number from {done} to {all}"
        )));
    }
    while sampler.steps_done() < steps && sampler.step() {}
    let mut bytes = Vec::new();
    sampler.save_to(|piece| bytes.extend_from_slice(piece));
    files::write_atomically(path, &bytes)?;
    note(format_args!("{}: saved after step {steps} of {all}, {} bytes", path.display(), bytes.len()));
    Ok(())
}

/// A batch in parts of at most `together` images, which are the same as in the whole.
fn parts(batch: Batch, together: usize) -> impl Iterator<Item = Batch> {
    (0..batch.count).step_by(together).map(move |first| Batch {
        first: batch.first + first as u32,
        count: together.min(batch.count - first),
        ..batch
    })
}

/// Images a row of a grid: ten, or fewer for a small or more for a large square.
fn columns(count: usize) -> usize {
    count.min(10).max((count as f64).sqrt().ceil() as usize)
}

/// Writes an array of `count` images, part by part.
fn write_npy(
    path: &Path,
    count: usize,
    [height, width, channels]: [usize; 3],
    parts: impl IntoIterator<Item = Result<Vec<f32>>>,
) -> Result<()> {
    let dims = [count, height, width, channels].map(|d| d as u64);
    let failed = |e: std::io::Error| Error::file(path, format!("cannot be written: {e}"));
    files::write_with(path, |file| {
        let array = npyz::WriteOptions::new().default_dtype().shape(&dims).writer(file);
        let mut array = array.begin_nd().map_err(failed)?;
        for part in parts {
            array.extend(part?).map_err(failed)?;
        }
        array.finish().map_err(failed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_whole() {
        let file = OwnedModel::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits28-nano.brn")).unwrap();
        let model = file.model();
        let plan = model.plan("fast5").unwrap();
        let batch =
            Batch { seed: 4, first: 0, count: 5, classes: Classes::Cycle, guidance: Guidance::new(1.0).unwrap() };
        let images: Vec<f32> = (0..2 * 784).map(|i| (i as f32 * 0.1).sin()).collect();
        let edit = Edit { from: Some((&images, 3)), ..Edit::default() };
        let draw = |batch: Batch| chain::edited(&model, plan, &batch, &edit, || ()).unwrap();
        let counts: Vec<usize> = parts(batch, 2).map(|part| part.count).collect();
        assert_eq!(counts, [2, 2, 1]);
        assert_eq!(parts(batch, 2).flat_map(draw).collect::<Vec<f32>>(), draw(batch));
    }
}
