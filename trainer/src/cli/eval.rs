//! `trainer eval`.
use super::options::guidance;
use super::output;
use crate::data::Options;
use crate::eval::evaluation::{evaluate, Evaluation, Request};
use crate::eval::source::{Arithmetic, Source};
use crate::eval::subject::{self, Subject};
use crate::eval::{comparison, html, vectors, Evaluator};
use crate::report::{note::note, progress::opened};
use crate::{files, memory, Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Arguments of `trainer eval`.
#[derive(Debug, Args)]
pub struct Eval {
    /// The model file, or the folder of a run, which is evaluated as it would be exported and as its float network; with
    /// --reference, pictures.
    #[arg(value_name = "FILE.brn|RUN|PICTURES")]
    model: PathBuf,
    /// The evaluator that `trainer judge` made of the model's data; that of the built-in digits comes with the program.
    #[arg(long, value_name = "FILE")]
    judge: Option<PathBuf>,
    /// Where the evaluator's data lie, if not where they lay when it was made.
    #[arg(long, value_name = "DATA", conflicts_with = "reference")]
    data: Option<String>,
    /// The same of its test images; with --reference, the images that are not to be compared with but show the floor.
    #[arg(long, value_name = "DATA")]
    test: Option<String>,
    /// Compare pictures of any origin with these: folders or arrays, as in `trainer train --data`. Without --judge by the
    /// figures that need no evaluator.
    #[arg(long, value_name = "DATA", conflicts_with_all = ["plans", "guidance", "float", "only", "count"])]
    reference: Option<String>,
    /// A plan: its name in the model file, or `[NAME=]METHOD:STEPS[:OPTION...]` for a run; may be given several times.
    /// All of a file's plans by default, or a run's usual ones.
    #[arg(long = "plan", value_name = "PLAN")]
    plans: Vec<String>,
    /// Images of each draw.
    #[arg(long, default_value_t = 10_000)]
    count: u32,
    /// Seed of the draws and of the bootstrap.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Guidance scale of the draw with classes, 0 to 16.
    #[arg(long)]
    guidance: Option<f32>,
    /// The run whose float network a model file is compared with.
    #[arg(long, value_name = "RUN")]
    float: Option<PathBuf>,
    /// Draw in one arithmetic alone.
    #[arg(long, value_name = "int8|float", conflicts_with = "float")]
    only: Option<Arithmetic>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Write the report as a page with plots.
    #[arg(long, value_name = "FILE.html")]
    html: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// The fewest images whose features have a covariance worth comparing.
const FEWEST: u32 = 100;
/// The most images, which all lie in memory.
const MOST: u32 = 100_000;

impl Eval {
    /// Draws, measures and prints the report.
    ///
    /// # Errors
    /// Bad arguments or files, or a model of other data than the evaluator.
    pub fn run(self) -> Result<()> {
        if let Some(path) = &self.html {
            // A page may well lie in the folder of its run.
            let model = Some(&*self.model).filter(|model| self.reference.is_some() || model.is_file());
            let data = [&self.data, &self.test, &self.reference].map(|data| data.as_deref().map(Path::new));
            let read: Vec<&Path> = data.into_iter().chain([model, self.judge.as_deref()]).flatten().collect();
            files::check_apart(&read, &[("--html", path)])?;
            files::check_writable(path)?;
        }
        if self.reference.is_none() && self.judge.is_none() && vectors::of_vectors(&self.model)? {
            return self.vectors();
        }
        let evaluation = match &self.reference {
            Some(reference) => self.compared(reference)?,
            None => self.drawn()?,
        };
        if let Some(path) = &self.html {
            files::write_atomically(path, html::page(&evaluation)?.as_bytes())?;
        }
        if self.json {
            let text = serde_json::to_string_pretty(&evaluation.report).map_err(|e| Error::Invalid(e.to_string()))?;
            output::print(&text)
        } else {
            output::print(evaluation.report.to_string().trim_end())
        }
    }

    /// Prints the report of a model of vectors, which have no evaluator.
    fn vectors(&self) -> Result<()> {
        let given = [
            ("--html", self.html.is_some()),
            ("--guidance", self.guidance.is_some()),
            ("--data", self.data.is_some()),
            ("--test", self.test.is_some()),
        ];
        if let Some((name, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(Error::Usage(format!("{name} means nothing for a model of vectors, which are no pictures")));
        }
        self.check_draw()?;
        let source = Source::open(&self.model, &self.plans, self.float.as_deref())?;
        let (model, guidance) = (self.model.display().to_string(), guidance(1.0)?);
        let request = Request { model, count: self.count as usize, seed: self.seed, guidance, only: self.only };
        let report = vectors::evaluate(&source, &request)?;
        if self.json {
            return output::print(&serde_json::to_string_pretty(&report).map_err(|e| Error::Invalid(e.to_string()))?);
        }
        output::print(report.to_string().trim_end())
    }

    /// Checks how much is drawn, and of what.
    fn check_draw(&self) -> Result<()> {
        if !(FEWEST..=MOST).contains(&self.count) {
            return Err(Error::Usage(format!("--count {}: give {FEWEST} to {MOST}", self.count)));
        }
        if self.only == Some(Arithmetic::Float) && !self.model.is_dir() {
            let path = self.model.display();
            return Err(Error::Usage(format!(
                "--only float: {path} is no run, and a model file holds no float network"
            )));
        }
        Ok(())
    }

    fn drawn(&self) -> Result<Evaluation> {
        if !self.options.is_usual() {
            let what =
                "options of how data are read go with --reference; a model's data are read as those of its evaluator";
            return Err(Error::Usage(what.into()));
        }
        self.check_draw()?;
        let scale = guidance(self.guidance.unwrap_or(1.0))?;
        let evaluator = subject::evaluator(&self.model, self.judge.as_deref(), self.data.as_deref())?;
        if let Some(path) = &self.html {
            let about = evaluator.about();
            let read: Vec<&Path> =
                [Some(&about.data), about.test.as_ref()].into_iter().flatten().map(Path::new).collect();
            files::check_apart(&read, &[("--html", path)])?;
        }
        let data = Subject::of(evaluator.about(), self.data.as_deref(), self.test.as_deref())?;
        let mut source = Source::open(&self.model, &self.plans, self.float.as_deref())?;
        if self.guidance.is_some() && source.classes() == 0 {
            return Err(Error::Usage(format!("--guidance: {} is not conditioned on classes", self.model.display())));
        }
        // Images of one plan at a time, beside those of floats where both are drawn.
        let bytes = 2 * u64::from(self.count) * (source.integer.model().sample_len() * size_of::<f32>()) as u64;
        memory::check(bytes, &format!("--count {}: holding all images", self.count))?;
        let model = self.model.display().to_string();
        data.lines.iter().for_each(note);
        let request = Request { model, count: self.count as usize, seed: self.seed, guidance: scale, only: self.only };
        evaluate(&mut source, evaluator, &data, &request)
    }

    fn compared(&self, reference: &str) -> Result<Evaluation> {
        let evaluator = self.judge.as_deref().map(Evaluator::open).transpose()?;
        let pictures = opened(&self.model.to_string_lossy(), &self.options)?;
        let reference = Subject::open(reference, &self.options, self.test.as_deref(), None)?;
        comparison::check(&pictures.data, evaluator.as_ref(), &reference)?;
        pictures.lines().iter().chain(&reference.lines).for_each(note);
        comparison::compare(&pictures.data, evaluator, &reference, self.seed)
    }
}
