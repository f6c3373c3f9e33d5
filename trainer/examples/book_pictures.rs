//! Draws the pictures of the book's explanations: `cargo run --release -p brownian-trainer --example book_pictures [FOLDER]`, which
//! is `docs/pictures` by default.
//!
//! Everything in them is computed: the forward process by the process that training uses, chains by the integer runtime from the
//! shipped model, and the bound read from the report beside it.

use brownian::host::{ChainMemory, OwnedModel};
use brownian::{Guidance, Sampler};
use brownian_trainer::chain::{self, Batch, Classes};
use brownian_trainer::data::Dataset;
use brownian_trainer::process::{Gaussian, Prediction, ScheduleName, Weighting};
use brownian_trainer::report::chart::{Chart, Series};
use brownian_trainer::report::image;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::error::Error;
use std::path::{Path, PathBuf};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const TIMESTEPS: usize = 1000;
/// Height, width and channels of a digit.
const SHAPE: [usize; 3] = [28, 28, 1];

fn main() -> Result {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = std::env::args().nth(1).map_or(root.join("docs/pictures"), PathBuf::from);
    forward(&folder.join("forward.png"))?;
    schedules(&folder.join("schedules.svg"))?;
    bound(&root.join("models/digits28.json"), &folder.join("bound.svg"))?;
    let model = OwnedModel::read(root.join("models/digits28.brn"))?;
    reverse(&model, &folder.join("reverse.png"))?;
    steps(&model, &folder.join("steps.png"))?;
    classes(&model, &folder.join("classes.png"))?;
    Ok(())
}

/// The process of a schedule, for a network that predicts v.
fn process(schedule: ScheduleName) -> Gaussian {
    let mut alpha_bars = vec![0.0; TIMESTEPS];
    schedule.schedule(TIMESTEPS).alpha_bars(&mut alpha_bars);
    Gaussian::new(alpha_bars, Prediction::V, Weighting::Simple, 1.0)
}

/// x_t of one digit, with one noise, at ten timesteps.
fn forward(path: &Path) -> Result {
    let digits = Dataset::open("digits")?;
    let five = digits
        .single_labels()
        .unwrap_or_default()
        .iter()
        .position(|label| *label == 5)
        .ok_or("no 5 among the digits")?;
    let process = process(ScheduleName::Linear);
    let mut images = digits.image(five).to_vec();
    for t in [50, 100, 200, 300, 400, 500, 600, 800, 1000] {
        let mut x = digits.image(five).to_vec();
        let noise = ChaCha8Rng::seed_from_u64(1);
        let mut epsilon: Vec<f32> = noise.sample_iter(rand_distr::StandardNormal).take(x.len()).collect();
        process.noise(t, &mut x, &mut epsilon);
        images.extend(x);
    }
    Ok(image::write_grid(path, &images, SHAPE, 10, 2)?)
}

/// ᾱ_t of every schedule.
fn schedules(path: &Path) -> Result {
    let series =
        [("linear", ScheduleName::Linear), ("cosine", ScheduleName::Cosine), ("sigmoid", ScheduleName::Sigmoid)].map(
            |(name, schedule)| {
                let process = process(schedule);
                let points = (1..=TIMESTEPS).step_by(9).map(|t| (t as f64, process.alpha_bar(t))).collect();
                Series { name: name.into(), points }
            },
        );
    let chart = Chart {
        title: "Share of the image's variance that is left".into(),
        x: "timestep t",
        y: "alpha_bar",
        logarithmic: false,
        from_zero: true,
        marks: false,
        names: Vec::new(),
        series: series.into(),
    };
    Ok(std::fs::write(path, chart.svg()?)?)
}

/// L_{t−1} in bits a pixel, of the report of `trainer eval`.
fn bound(report: &Path, path: &Path) -> Result {
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(report)?)?;
    let mut series = Vec::new();
    for arithmetic in ["int8", "float"] {
        let terms = report["bound"][arithmetic]["per_timestep"].as_array().ok_or("the report holds no bound")?;
        let terms: Vec<f64> = terms.iter().filter_map(serde_json::Value::as_f64).collect();
        // Each term is the mean of a few digits: the mean of neighbours is smoother, and where there are many, enough.
        let width = |t: usize| (t / 12).max(1);
        let mut points = Vec::new();
        let mut t = 2;
        while t - 2 < terms.len() {
            let group = &terms[t - 2..(t - 2 + width(t)).min(terms.len())];
            let mean = group.iter().sum::<f64>() / group.len() as f64;
            points.push((t as f64 + (group.len() - 1) as f64 / 2.0, mean));
            t += group.len();
        }
        series.push(Series { name: arithmetic.into(), points });
    }
    let chart = Chart {
        title: "Terms of the variational bound".into(),
        x: "timestep t",
        y: "bits a pixel",
        logarithmic: true,
        from_zero: false,
        marks: false,
        names: Vec::new(),
        series,
    };
    Ok(std::fs::write(path, chart.svg()?)?)
}

/// Ten-step chains of four classes: the states, and below them each step's x0_hat.
fn reverse(model: &OwnedModel, path: &Path) -> Result {
    let (plan, model) = (model.plan("fast10")?, model.model());
    let mut memory = ChainMemory::new(&model);
    let mut images = Vec::new();
    for class in [2, 3, 5, 8] {
        let chain = Sampler::builder(&model, plan).seed(1).image(u32::from(class)).class(class);
        let mut sampler = memory.start(chain)?;
        let (mut states, mut estimates) = (sampler.x().to_vec(), Vec::new());
        while let Some(preview) = sampler.evaluate() {
            estimates.extend(preview.x0_hat());
            sampler.step();
            states.extend(sampler.x());
        }
        estimates.extend(sampler.x());
        images.extend(states);
        images.extend(estimates);
    }
    let columns = plan.len() + 1;
    Ok(image::write_grid(path, &images, SHAPE, columns, 2)?)
}

/// The same noise and classes in plans of 3, 5, 10 and 50 steps.
fn steps(model: &OwnedModel, path: &Path) -> Result {
    let mut images = Vec::new();
    for plan in ["fast3", "fast5", "fast10", "ddim50"] {
        images.extend(draw(model, plan, 10)?);
    }
    Ok(image::write_grid(path, &images, SHAPE, 10, 2)?)
}

/// Six draws of each class.
fn classes(model: &OwnedModel, path: &Path) -> Result {
    Ok(image::write_grid(path, &draw(model, "fast10", 60)?, SHAPE, 10, 2)?)
}

/// `count` images, image i of class i modulo ten.
fn draw(model: &OwnedModel, plan: &str, count: usize) -> Result<Vec<f32>> {
    let (plan, model) = (model.plan(plan)?, model.model());
    let batch = Batch { seed: 20, first: 0, count, classes: Classes::Cycle, guidance: Guidance::PLAIN };
    Ok(chain::integer(&model, plan, &batch, || ())?)
}
