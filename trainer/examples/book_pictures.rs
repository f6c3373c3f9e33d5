//! Draws the pictures of the book's explanations: `cargo run --release -p brownian-trainer --features examples --example book_pictures [FOLDER]`, which
//! is `docs/pictures` by default.
//!
//! Everything in them is computed: forward processes by those that training uses, chains by the integer runtime from the
//! shipped models, and the bound read from the report beside one.

use brownian::host::{ChainMemory, OwnedModel};
use brownian::{with_state_element, Guidance, Sampler};
use brownian_trainer::chain::{self, Batch, Classes};
use brownian_trainer::data::Dataset;
use brownian_trainer::process::{Binomial, Gaussian, Prediction, Process, ScheduleName, Weighting};
use brownian_trainer::report::chart::{Chart, Series};
use brownian_trainer::report::image;
use rand::SeedableRng;
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
    let noise = Process::Gaussian(process(ScheduleName::Linear));
    forward(&noise, [50, 100, 200, 300, 400, 500, 600, 800, 1000], &folder.join("forward.png"))?;
    let bits = Process::Binomial(Binomial::new(100, 0.5, Weighting::Simple));
    forward(&bits, [10, 20, 30, 40, 50, 60, 70, 85, 100], &folder.join("bits-forward.png"))?;
    schedules(&folder.join("schedules.svg"))?;
    bound(&root.join("models/digits28.json"), &folder.join("bound.svg"))?;
    let model = OwnedModel::read(root.join("models/digits28.brn"))?;
    reverse(&model, "fast10", 1, &folder.join("reverse.png"))?;
    steps(&model, &folder.join("steps.png"))?;
    classes(&model, "fast10", Guidance::PLAIN, &folder.join("classes.png"))?;
    let bits = OwnedModel::read(root.join("models/digits28-bits.brn"))?;
    reverse(&bits, "bits10", 1, &folder.join("bits-reverse.png"))?;
    classes(&bits, "bits20", Guidance::PLAIN, &folder.join("bits-classes.png"))?;
    let scores = OwnedModel::read(root.join("models/digits28-ncsn.brn"))?;
    reverse(&scores, "langevin100", 10, &folder.join("scores-reverse.png"))?;
    classes(&scores, "langevin100", Guidance::new(1.5)?, &folder.join("scores-classes.png"))?;
    roll(&OwnedModel::read(root.join("models/swissroll.brn"))?, &folder.join("swissroll.png"))?;
    beats(&OwnedModel::read(root.join("models/heartbeat.brn"))?, &folder.join("heartbeat.png"))?;
    Ok(())
}

/// The process of a schedule, for a network that predicts v.
fn process(schedule: ScheduleName) -> Gaussian {
    let mut alpha_bars = vec![0.0; TIMESTEPS];
    schedule.schedule(TIMESTEPS).alpha_bars(&mut alpha_bars);
    Gaussian::new(alpha_bars, Prediction::V, Weighting::Simple, 1.0)
}

/// A digit and its x_t at nine timesteps, with one noise.
fn forward(process: &Process, timesteps: [usize; 9], path: &Path) -> Result {
    let digits = Dataset::open("digits")?;
    let five = digits
        .single_labels()
        .unwrap_or_default()
        .iter()
        .position(|label| *label == 5)
        .ok_or("no 5 among the digits")?;
    let mut images = digits.image(five).to_vec();
    for t in timesteps {
        let mut x = digits.image(five).to_vec();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut random: Vec<f32> = x.iter().map(|_| process.random(&mut rng)).collect();
        process.noise(t, &mut x, &mut random);
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

/// Chains of four classes, every `every`-th step: the states, and below them what each step estimates of x0.
fn reverse(model: &OwnedModel, plan: &str, every: usize, path: &Path) -> Result {
    let (plan, model) = (model.plan(plan)?, model.model());
    let mut memory = ChainMemory::new(&model);
    let mut images = Vec::new();
    for class in [2, 3, 5, 8] {
        with_state_element!(&model, Element => {
            let chain = Sampler::builder(&model, plan).seed(1).image(u32::from(class)).class(class);
            let mut sampler = memory.start::<Element>(chain)?;
            let (mut states, mut estimates): (Vec<f32>, Vec<f32>) = (sampler.values().collect(), Vec::new());
            for step in 1..=plan.len() {
                let preview = sampler.evaluate().filter(|_| step % every == 0);
                estimates.extend(preview.iter().flat_map(|preview| preview.x0_hat()));
                sampler.step();
                if step % every == 0 {
                    states.extend(sampler.values());
                }
            }
            estimates.extend(sampler.values());
            images.extend(states);
            images.extend(estimates);
        });
    }
    let columns = plan.len() / every + 1;
    Ok(image::write_grid(path, &images, SHAPE, columns, 2)?)
}

/// The same noise and classes in plans of 3, 5, 10 and 50 steps.
fn steps(model: &OwnedModel, path: &Path) -> Result {
    let mut images = Vec::new();
    for plan in ["fast3", "fast5", "fast10", "ddim50"] {
        images.extend(draw(model, plan, 10, Guidance::PLAIN)?);
    }
    Ok(image::write_grid(path, &images, SHAPE, 10, 2)?)
}

/// Six draws of each class.
fn classes(model: &OwnedModel, plan: &str, guidance: Guidance, path: &Path) -> Result {
    Ok(image::write_grid(path, &draw(model, plan, 60, guidance)?, SHAPE, 10, 2)?)
}

/// The states of many chains of points after every eighth step, and last the data, as densities.
fn roll(model: &OwnedModel, path: &Path) -> Result {
    let mut points = states(model, "learned40", 8000, 8)?;
    points.push(Dataset::open("swissroll")?.images.range(0..16_000).into_owned());
    let images: Vec<f32> = points.iter().flat_map(|points| density(points)).collect();
    Ok(image::write_grid(path, &images, [SIDE, SIDE, 1], 7, 2)?)
}

/// The states of `count` chains without a class, one after the other, at the start and after every `every`-th step.
fn states(model: &OwnedModel, plan: &str, count: u32, every: usize) -> Result<Vec<Vec<f32>>> {
    let (plan, model) = (model.plan(plan)?, model.model());
    let mut memory = ChainMemory::new(&model);
    let mut states = vec![vec![]; plan.len() / every + 1];
    for image in 0..count {
        with_state_element!(&model, Element => {
            let mut sampler = memory.start::<Element>(Sampler::builder(&model, plan).seed(1).image(image))?;
            for step in 0..=plan.len() {
                if step % every == 0 {
                    states[step / every].extend(sampler.values());
                }
                sampler.step();
            }
        });
    }
    Ok(states)
}

/// Rows and columns of a picture of points.
const SIDE: usize = 64;

/// How dense points (x, y) are in [-1.2, 1.2]², white from a few a cell on.
fn density(points: &[f32]) -> Vec<f32> {
    let mut image = vec![-1.0; SIDE * SIDE];
    for point in points.chunks_exact(2) {
        let [x, y] = [point[0], -point[1]].map(|v| ((v / 1.2 + 1.0) / 2.0 * SIDE as f32).floor());
        if (0.0..SIDE as f32).contains(&x) && (0.0..SIDE as f32).contains(&y) {
            let cell: &mut f32 = &mut image[y as usize * SIDE + x as usize];
            *cell = (*cell + 0.25).min(1.0);
        }
    }
    image
}

/// Sequences at some steps of the same chains, one a row: from the draw of the prior to heartbeats.
fn beats(model: &OwnedModel, path: &Path) -> Result {
    const ROWS: u32 = 24;
    let states = states(model, "bits100", ROWS, 25)?;
    Ok(image::write_grid(path, &states.concat(), [ROWS as usize, 20, 1], 5, 6)?)
}

/// `count` images, image i of class i modulo ten.
fn draw(model: &OwnedModel, plan: &str, count: usize, guidance: Guidance) -> Result<Vec<f32>> {
    let (plan, model) = (model.plan(plan)?, model.model());
    let batch = Batch { seed: 20, first: 0, count, classes: Classes::Cycle, guidance };
    Ok(chain::integer(&model, plan, &batch, || ())?)
}
