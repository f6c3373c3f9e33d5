//! Writes the chosen machine's memory layout, what a tick of its counter is worth, and the model that is evaluated: the file in
//! `BROWNIAN_MODEL`, or digits28.

fn main() {
    let machine = brownian_machines::chosen();
    brownian_machines::write_memory_layout(machine, machine.ram.kilobytes);
    println!("cargo:rustc-env=INSTRUCTIONS_PER_100_TICKS={}", machine.instructions_per_100_ticks);
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let shipped = || format!("{folder}/../../models/digits28.brn");
    println!("cargo:rustc-env=MODEL={}", std::env::var("BROWNIAN_MODEL").unwrap_or_else(|_| shipped()));
    println!("cargo:rerun-if-env-changed=BROWNIAN_MODEL");
    println!("cargo:rerun-if-changed=build.rs");
}
