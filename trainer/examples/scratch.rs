//! Gives the convolutions of an exported model more or less scratch for Winograd's algorithm:
//! `cargo run --release -p brownian-trainer --features examples --example scratch -- FILE.brn BYTES OUT.brn`.
//!
//! It prints what `trainer export --scratch BYTES` prints; the weights and the samples stay the same.

use brownian_trainer::lower::winograd;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, bytes, out] = &arguments[..] else { return Err("usage: scratch FILE.brn BYTES OUT.brn".into()) };
    let (file, extra) = (std::fs::read(file)?, bytes.parse()?);
    let choice = winograd::choose(&file, extra)?;
    winograd::describe(&file, extra, &choice)?.iter().for_each(|line| println!("{line}"));
    println!("arena {} bytes", choice.arena);
    std::fs::write(out, choice.file)?;
    Ok(())
}
