//! Writes `memory.x` for the machine named by the environment: `BENCH_FLASH` and `BENCH_RAM` are
//! `origin,length`; without them the layout of the MPS2 boards is taken.

use std::{env, fs, path::PathBuf};

fn main() {
    let region = |name: &str, default: &str| {
        println!("cargo:rerun-if-env-changed={name}");
        let text = env::var(name).unwrap_or_else(|_| default.into());
        let (origin, length) = text.split_once(',').expect("BENCH_FLASH and BENCH_RAM are `origin,length`");
        format!("ORIGIN = {origin}, LENGTH = {length}")
    };
    let flash = region("BENCH_FLASH", "0x0,4M");
    let ram = region("BENCH_RAM", "0x20000000,4M");
    let mut script = format!("MEMORY {{\n  FLASH : {flash}\n  RAM : {ram}\n}}\n");
    if env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "riscv32") {
        for (section, memory) in
            [("TEXT", "FLASH"), ("RODATA", "FLASH"), ("DATA", "RAM"), ("BSS", "RAM"), ("HEAP", "RAM"), ("STACK", "RAM")]
        {
            script += &format!("REGION_ALIAS(\"REGION_{section}\", {memory});\n");
        }
    }
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("memory.x"), script).expect("OUT_DIR is writable");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=build.rs");
}
