//! Writes `memory.x` for the chosen machine.

use std::{env, fs, path::PathBuf};

/// Feature, code memory, variables and stack.
const MACHINES: [(&str, &str, &str); 8] = [
    ("m0", "ORIGIN = 0x0, LENGTH = 4M", "ORIGIN = 0x20000000, LENGTH = 4M"),
    ("m3", "ORIGIN = 0x0, LENGTH = 4M", "ORIGIN = 0x20000000, LENGTH = 4M"),
    ("m4", "ORIGIN = 0x0, LENGTH = 4M", "ORIGIN = 0x20000000, LENGTH = 4M"),
    ("m7", "ORIGIN = 0x0, LENGTH = 4M", "ORIGIN = 0x20000000, LENGTH = 4M"),
    ("m33", "ORIGIN = 0x10000000, LENGTH = 4M", "ORIGIN = 0x38000000, LENGTH = 2M"),
    ("m55", "ORIGIN = 0x0, LENGTH = 512K", "ORIGIN = 0x20000000, LENGTH = 512K"),
    ("rv32", "ORIGIN = 0x80000000, LENGTH = 4M", "ORIGIN = 0x80400000, LENGTH = 4M"),
    ("microbit", "ORIGIN = 0x0, LENGTH = 256K", "ORIGIN = 0x20000000, LENGTH = 16K"),
];

fn main() {
    let chosen: Vec<_> = MACHINES
        .into_iter()
        .filter(|(name, ..)| env::var_os(format!("CARGO_FEATURE_{}", name.to_uppercase())).is_some())
        .collect();
    let [(machine, flash, ram)] = chosen[..] else {
        panic!("choose exactly one machine with --features, out of {}", MACHINES.map(|m| m.0).join(", "));
    };
    let mut script = format!("MEMORY {{\n  FLASH : {flash}\n  RAM : {ram}\n}}\n");
    if machine == "rv32" {
        for (section, memory) in
            [("TEXT", "FLASH"), ("RODATA", "FLASH"), ("DATA", "RAM"), ("BSS", "RAM"), ("HEAP", "RAM"), ("STACK", "RAM")]
        {
            script += &format!("REGION_ALIAS(\"REGION_{section}\", {memory});\n");
        }
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("memory.x"), script).expect("OUT_DIR is writable");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=build.rs");
}
