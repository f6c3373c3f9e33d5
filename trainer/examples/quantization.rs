//! What the choices of quantization cost: the Fréchet distance of integer models against the float network from the same noise.
//! `cargo run --release -p brownian-trainer --features examples --example quantization -- RUN [COUNT] [SEEDS]`; docs/notebook/quantization.md holds figures.

use brownian::host::OwnedModel;
use brownian_trainer::chain::{self, Batch, Classes};
use brownian_trainer::data::digits;
use brownian_trainer::eval::frechet::Moments;
use brownian_trainer::eval::{Evaluator, FEATURES};
use brownian_trainer::export;
use brownian_trainer::lower::{calibrate::RangeChoice, quantize, Choices, WeightBits};
use brownian_trainer::run::checkpoint;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let checkpoint = checkpoint::load(Path::new(&args.next().ok_or("name the folder of a run")?))?;
    let count: usize = args.next().map_or(Ok(10_000), |n| n.parse())?;
    let seeds: u64 = args.next().map_or(Ok(2), |n| n.parse())?;
    let network = checkpoint.network()?;
    let plans = checkpoint.config.plans(&export::DEFAULT_PLANS.map(str::to_owned))?;

    let evaluator = Evaluator::digits()?;
    let train = digits::train()?;
    let real = Moments::of(&evaluator.read(&train.images.to_vec()).features, FEATURES, 0..train.len());
    let distance = |images: &[f32]| {
        let images: Vec<f32> = images.iter().map(|v| v.clamp(-1.0, 1.0)).collect();
        Moments::of(&evaluator.read(&images).features, FEATURES, 0..count).distance(&real)
    };
    println!("evaluator {}, {count} images a figure, guidance 1", &evaluator.sha256()[..16]);

    let plain = Choices {
        weights: WeightBits::Eight,
        ranges: RangeChoice::MinMax,
        bias_correction: false,
        ..Choices::default()
    };
    let fitted = Choices { ranges: RangeChoice::LeastError, ..plain };
    let corrected = Choices { bias_correction: true, ..fitted };
    let four = Choices { weights: WeightBits::Four, ..corrected };
    for plan in &plans {
        let alone = std::slice::from_ref(plan);
        let variants = [
            ("min-max", plain, &plans[..]),
            ("least error", fitted, &plans),
            ("least error, corrected", corrected, &plans),
            ("the same, this plan alone", corrected, alone),
            ("4-bit weights", four, &plans),
            ("4-bit, this plan alone", four, alone),
        ];
        let quantized = |(name, choices, plans)| -> brownian_trainer::Result<_> {
            let bytes = quantize((name, ""), &network, plans, checkpoint.config.seed, &choices)?.file;
            Ok((name, OwnedModel::new(&bytes)?))
        };
        let files = variants.into_iter().map(quantized).collect::<brownian_trainer::Result<Vec<_>>>()?;
        for seed in 0..seeds {
            let batch = Batch { seed, first: 0, count, classes: Classes::Cycle, guidance: brownian::Guidance::PLAIN };
            let mut float = Vec::new();
            for first in (0..count).step_by(100) {
                let part = Batch { first: first as u32, count: 100.min(count - first), ..batch };
                float.extend(chain::float(&network, plan, &part, |_, _, _| ())?);
            }
            let base = distance(&float);
            println!("{}, seed {seed}: float {base:.2}", plan.name);
            for (name, file) in &files {
                let model = file.model();
                let images = chain::integer(&model, model.plan(&plan.name).ok_or("the plan is there")?, &batch, || ())?;
                let square = |v: f32| f64::from(v) * f64::from(v);
                let sum: f64 = float.iter().zip(&images).map(|(a, b)| square(a - b)).sum();
                let (value, rms) = (distance(&images), (sum / float.len() as f64).sqrt());
                let (change, bytes) = (100.0 * (value / base - 1.0), file.bytes().len());
                println!("  {name:<26} {value:>6.2} ({change:+.1} %), rms difference {rms:.4}, {bytes} bytes");
            }
        }
    }
    Ok(())
}
