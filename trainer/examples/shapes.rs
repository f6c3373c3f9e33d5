//! Makes a data set to practise on, for the tutorial's chapter on own images: 16×16 gray images of discs, squares and crosses, with
//! their classes, as a pair of IDX files: `cargo run --release -p brownian-trainer --features examples --example shapes [FOLDER]`, `shapes` by default.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;

/// Pixels of a side.
const SIDE: usize = 16;
const COUNT: usize = 3000;
/// Samples of a pixel on each axis, for soft edges.
const FINE: usize = 4;

/// Whether a shape covers a point, in units of its size from its centre.
type Shape = fn(f64, f64) -> bool;
const SHAPES: [Shape; 3] = [
    |x, y| x * x + y * y < 1.0,
    |x, y| x.abs() < 0.85 && y.abs() < 0.85,
    |x, y| (x.abs() < 0.3 || y.abs() < 0.3) && x.abs() < 1.0 && y.abs() < 1.0,
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "shapes".into()));
    std::fs::create_dir_all(&folder)?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for i in 0..COUNT {
        let class = i % SHAPES.len();
        let size = rng.random_range(4.0..6.0);
        let centre = [0; 2].map(|_| rng.random_range(size + 0.5..SIDE as f64 - size - 0.5));
        let turn: f64 = rng.random_range(-0.2..0.2);
        images.extend(draw(SHAPES[class], centre, size, turn));
        labels.push(class as u8);
    }
    write(&folder.join("shapes-images-idx3-ubyte"), &[COUNT, SIDE, SIDE], &images)?;
    write(&folder.join("shapes-labels-idx1-ubyte"), &[COUNT], &labels)?;
    println!("{}: {COUNT} images of {SIDE}x{SIDE} in {} classes", folder.display(), SHAPES.len());
    Ok(())
}

/// The pixels of a shape, white on black.
fn draw(shape: Shape, [centre_x, centre_y]: [f64; 2], size: f64, turn: f64) -> Vec<u8> {
    let (sin, cos) = turn.sin_cos();
    let covered = |x: usize, y: usize, part: usize| {
        let at = |pixel: usize, part: usize| pixel as f64 + (part as f64 + 0.5) / FINE as f64;
        let (x, y) = (at(x, part % FINE) - centre_x, at(y, part / FINE) - centre_y);
        shape((cos * x + sin * y) / size, (cos * y - sin * x) / size)
    };
    let pixel = |i: usize| {
        let parts = (0..FINE * FINE).filter(|part| covered(i % SIDE, i / SIDE, *part)).count();
        (parts * 255 / (FINE * FINE)) as u8
    };
    (0..SIDE * SIDE).map(pixel).collect()
}

/// Writes an IDX file: two zeros, the type 8 (bytes), the number of axes, their sizes, the values.
fn write(path: &std::path::Path, sizes: &[usize], values: &[u8]) -> std::io::Result<()> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| bytes.extend((*size as u32).to_be_bytes()));
    bytes.extend(values);
    std::fs::write(path, bytes)
}
