//! Figures of both ways of inpainting, on test digits whose halves are masked, and of denoising by multiplying
//! distributions: a table in Markdown. Arguments: the folder of a run on the built-in digits, and how many digits.

use brownian::host::OwnedModel;
use brownian::{mask_len, Guidance, Keeping};
use brownian_trainer::chain::{self, Batch, Classes, Edit};
use brownian_trainer::data::digits;
use brownian_trainer::eval::Evaluator;
use brownian_trainer::run::checkpoint;
use brownian_trainer::{export, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::path::Path;

const PLANS: [&str; 2] = ["d50=ddpm:50:variance=beta-tilde", "d50b=ddpm:50"];
const PIXELS: usize = 784;
/// Whether a pixel is unknown.
type Unknown = fn(usize) -> bool;
/// Standard deviation of the noise on digits to denoise, in [-1, 1].
const NOISE: f32 = 1.0;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let run = arguments.next().unwrap_or_else(|| "models/runs/digits28-nano".into());
    let count: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(500);
    let run = checkpoint::load(Path::new(&run))?;
    let file = OwnedModel::new(&export::export(&run, &PLANS.map(str::to_owned), &Default::default())?.file)?;
    let (evaluator, test) = (Evaluator::digits()?, digits::test()?);
    let images = test.images.range(0..count * PIXELS).into_owned();
    let labels = &test.single_labels().unwrap_or_default()[..count];
    println!("{count} digits; read right as they are: {:.1} %", 100.0 * evaluator.accuracy(&images, labels));
    println!("| plan | unknown | way | accuracy % | pixel error |\n|---|---|---|--:|--:|");
    let model = file.model();
    let batch = Batch { seed: 0, first: 0, count, classes: Classes::None, guidance: Guidance::PLAIN };
    let row = |plan: &str, what: &str, way: &str, drawn: &[f32], unknown: &dyn Fn(usize) -> bool| {
        let places = (0..images.len()).filter(|i| unknown(i % PIXELS));
        let [mut squares, mut places_seen] = [0.0; 2];
        for i in places {
            squares += f64::from(drawn[i].clamp(-1.0, 1.0) - images[i]).powi(2);
            places_seen += 1.0;
        }
        // In units of the whole range from black to white.
        let error = (squares / places_seen).sqrt() / 2.0;
        println!("| `{plan}` | {what} | {way} | {:.1} | {error:.3} |", 100.0 * evaluator.accuracy(drawn, labels));
    };
    let halves: [(&str, Unknown); 2] =
        [("lower half", |pixel| pixel / 28 >= 14), ("right half", |pixel| pixel % 28 >= 14)];
    for (what, unknown) in halves {
        let mut mask = vec![0u8; mask_len(PIXELS)];
        (0..PIXELS).filter(|pixel| !unknown(*pixel)).for_each(|pixel| mask[pixel / 8] |= 1 << (pixel % 8));
        let masked: Vec<f32> =
            images.iter().enumerate().map(|(i, v)| if unknown(i % PIXELS) { -1.0 } else { *v }).collect();
        row("–", what, "left black", &masked, &unknown);
        for plan in model.plans() {
            for (way, keeping) in [("replace", Keeping::Replace), ("multiply", Keeping::Multiply(0.0))] {
                let edit = Edit { known: Some((&images, &mask)), keeping, ..Edit::default() };
                let drawn = chain::edited(&model, plan, &batch, &edit, || ())?;
                row(plan.name(), what, way, &drawn, &unknown);
            }
        }
    }
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let noisy: Vec<f32> = images.iter().map(|v| v + NOISE * rng.sample::<f32, _>(StandardNormal)).collect();
    let (all, mask) = (|_: usize| true, vec![255u8; mask_len(PIXELS)]);
    row("–", "noise", "as it is", &noisy, &all);
    for plan in model.plans() {
        let edit = Edit { known: Some((&noisy, &mask)), keeping: Keeping::Multiply(NOISE), ..Edit::default() };
        let drawn = chain::edited(&model, plan, &batch, &edit, || ())?;
        row(plan.name(), "noise", "multiply", &drawn, &all);
    }
    Ok(())
}
