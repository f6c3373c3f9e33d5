//! What augmentation does to the training digits: gray levels, sharpness and Fréchet distance to the originals:
//! `cargo run --release -p brownian-trainer --features examples --example augmentation`.
//!
//! Every digit is moved once. "Sharpness" is the mean absolute difference of neighbouring pixels, relative to the originals'.

use brownian_trainer::data::augment::{Augment, Kernel, Motion, Shift};
use brownian_trainer::data::digits;
use brownian_trainer::eval::frechet::Moments;
use brownian_trainer::eval::{Evaluator, FEATURES};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (train, test) = (digits::train()?, digits::test()?);
    let train_images = train.images.to_vec();
    let evaluator = Evaluator::digits()?;
    let moments = |images: &[f32]| {
        let reading = evaluator.read(images);
        let count = images.len() / train.shape.len();
        (Moments::of(&reading.features, FEATURES, 0..count), reading.classes)
    };
    let (reference, _) = moments(&train_images);
    let sharpness = |images: &[f32]| {
        let lines = images.chunks_exact(train.shape.width);
        lines.flat_map(|line| line.windows(2)).map(|w| f64::from((w[1] - w[0]).abs())).sum::<f64>()
            / images.len() as f64
    };
    let original = sharpness(&train_images);
    println!("| images | black | dark | middle | light | white | sharpness | Fréchet distance | read as their class |");
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let show = |name: &str, images: &[f32], labels: Option<&[u8]>| {
        let mut levels = [0usize; 5];
        for v in images {
            let byte = ((v + 1.0) * 127.5).round() as u8;
            levels[[1, 64, 192, 250, 256].iter().position(|edge| i32::from(byte) < *edge).unwrap_or(4)] += 1;
        }
        let [black, dark, middle, light, white] = levels.map(|n| 100.0 * n as f64 / images.len() as f64);
        let (found, classes) = moments(images);
        let labels = labels.unwrap_or_default();
        let right = classes.iter().zip(labels).filter(|(class, label)| class == label).count();
        println!(
            "| {name} | {black:.2} % | {dark:.2} % | {middle:.2} % | {light:.2} % | {white:.2} % | {:.3} | {:.2} | {:.2} % |",
            sharpness(images) / original,
            found.distance(&reference),
            100.0 * right as f64 / classes.len() as f64,
        );
    };
    show("training digits", &train_images, train.single_labels());
    show("test digits", &test.images.to_vec(), test.single_labels());
    let affine = Motion::SMALL;
    let still = |motion| Motion { angle: 0.0, scale: 0.0, shear: 0.0, shift: Shift::Whole(0), ..motion };
    let soft = Motion { contrast: 1.0, ..affine };
    let cases = [
        ("`shift`", Augment::Shift.motion()),
        (
            "shifts of up to 1 px, linear kernel",
            Some(Motion { shift: Shift::Any(1.0), kernel: Kernel::Linear, ..still(soft) }),
        ),
        ("shifts of up to 1 px, cubic kernel", Some(Motion { shift: Shift::Any(1.0), ..still(soft) })),
        ("turns, cubic kernel", Some(Motion { angle: affine.angle, ..still(soft) })),
        ("scalings, cubic kernel", Some(Motion { scale: affine.scale, ..still(soft) })),
        ("shears, cubic kernel", Some(Motion { shear: affine.shear, ..still(soft) })),
        ("`affine` with the linear kernel, no contrast", Some(Motion { kernel: Kernel::Linear, ..soft })),
        ("`affine` without contrast", Some(soft)),
        ("`affine` with shifts of up to 1 px", Some(Motion { shift: Shift::Any(1.0), ..affine })),
        ("`affine`", Augment::Affine.motion()),
    ];
    for (name, motion) in cases {
        let motion = motion.ok_or("every case moves")?;
        for share in [100, 50] {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            let mut images = train_images.clone();
            for (i, out) in images.chunks_exact_mut(train.shape.len()).enumerate() {
                let placement = motion.draw(&mut rng);
                if i % 100 < share {
                    placement.apply(train.shape, &train.image(i), out);
                }
            }
            show(&format!("{name}, {share} % of the digits"), &images, train.single_labels());
        }
    }
    Ok(())
}
