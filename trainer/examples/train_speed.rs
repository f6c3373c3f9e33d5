//! Milliseconds of a training step of digits28, all included (noise, forward and backward pass, Adam, averages):
//! `cargo run --release -p brownian-trainer --features examples --example train_speed -- [THREADS] [BATCH] [ROUNDS]`.
//!
//! The least and the median of rounds of ten steps are printed: on a machine that does other work too, the least is the figure to compare.

use brownian_trainer::data::Dataset;
use brownian_trainer::run::Config;
use brownian_trainer::train::Trainer;
use std::time::Instant;

const STEPS: u32 = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |usual| numbers.next().unwrap_or(Ok(usual));
    let (threads, batch, rounds) = (next(1)?, next(32)?, next(20)?.max(1));
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let data = Dataset::open("digits")?;
    let mut trainer = Trainer::new(Config { batch, ..Config::new("digits28", &data) })?;
    let mut times = Vec::new();
    for round in 0..=rounds {
        let start = Instant::now();
        for _ in 0..STEPS {
            trainer.train_step(&data, 0.0)?;
        }
        // The first round warms up.
        if round > 0 {
            times.push(start.elapsed().as_secs_f64() * 1000.0 / f64::from(STEPS));
        }
    }
    times.sort_by(f64::total_cmp);
    println!("{threads} threads, batch {batch}: {:.2} ms a step, median {:.2}", times[0], times[times.len() / 2]);
    Ok(())
}
