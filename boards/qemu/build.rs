//! Puts the chosen machine's memory layout where the linker looks for `memory.x`.

use std::{env, fs, path::PathBuf};

const MACHINES: [&str; 8] = ["m0", "m3", "m4", "m7", "m33", "m55", "rv32", "microbit"];

fn main() {
    let chosen: Vec<&str> = MACHINES
        .into_iter()
        .filter(|name| env::var_os(format!("CARGO_FEATURE_{}", name.to_uppercase())).is_some())
        .collect();
    let [machine] = chosen[..] else {
        panic!("choose exactly one machine with --features, out of {}", MACHINES.join(", "));
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let layout = format!("memory/{machine}.x");
    fs::copy(&layout, out.join("memory.x")).expect("the memory layout can be copied");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed={layout}");
    println!("cargo:rerun-if-changed=build.rs");
}
