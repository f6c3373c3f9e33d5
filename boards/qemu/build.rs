//! Puts the chosen machine's memory layout where the linker looks for `memory.x`, and names the model file
//! in `MODEL`: the one in `BROWNIAN_MODEL` (absolute, or relative to this folder), or a shipped one.

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
    let text = fs::read_to_string(&layout).expect("the memory layout can be read");
    fs::write(out.join("memory.x"), text).expect("the memory layout can be written");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed={layout}");
    let shipped = if machine == "microbit" { "digits28-nano" } else { "digits28" };
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let model = env::var_os("BROWNIAN_MODEL").unwrap_or_else(|| format!("../../models/{shipped}.brn").into());
    let model = folder.join(model);
    println!("cargo:rustc-env=MODEL={}", model.display());
    println!("cargo:rerun-if-env-changed=BROWNIAN_MODEL");
    println!("cargo:rerun-if-changed=build.rs");
}
