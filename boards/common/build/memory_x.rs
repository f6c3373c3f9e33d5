//! The build script of boards: puts their `memory.x` where the linker looks for it, with the stack's size for those that
//! say nothing of it, and defmt's part of the linker script for those that speak to a probe.

use std::{env, fs, path::PathBuf};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let memory = fs::read_to_string("memory.x").expect("memory.x can be read");
    if !memory.contains("__stack_size") {
        // `STACK` of src/demo/memory.rs. In a script of its own: linkers may take the board's `memory.x` itself.
        fs::write(out.join("stack.x"), "__stack_size = 8K;\n").expect("stack.x can be written");
        println!("cargo:rustc-link-arg-bins=-Tstack.x");
    }
    if env::var_os("CARGO_FEATURE_RTT").is_some() {
        println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    }
    fs::write(out.join("memory.x"), memory).expect("memory.x can be written");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=memory.x");
}
