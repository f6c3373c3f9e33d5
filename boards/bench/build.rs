//! Writes the chosen machine's memory layout, and what a tick of its counter is worth.

fn main() {
    let machine = brownian_machines::chosen();
    brownian_machines::write_memory_layout(machine, machine.ram.kilobytes);
    println!("cargo:rustc-env=INSTRUCTIONS_PER_100_TICKS={}", machine.instructions_per_100_ticks);
    println!("cargo:rerun-if-changed=build.rs");
}
