//! For build scripts: the machine that the Cargo features choose, and its memory layout.

use crate::list::MACHINES;
use crate::machine::Machine;
use std::{env, fs, path::PathBuf};

/// Bytes at the end of the flash where the emulator puts what a chain is given: an image, a mask, a snapshot.
pub const INPUTS_LEN: u32 = 48 * 1024;

/// The machine whose Cargo feature is on, for a build script.
///
/// # Panics
/// No machine is chosen, or several are.
pub fn chosen() -> &'static Machine {
    let is_on = |machine: &&Machine| env::var_os(format!("CARGO_FEATURE_{}", machine.name.to_uppercase())).is_some();
    let chosen: Vec<_> = MACHINES.iter().filter(is_on).collect();
    let names: Vec<_> = MACHINES.iter().map(|m| m.name).collect();
    match chosen[..] {
        [machine] => machine,
        _ => panic!("choose exactly one machine with --features, out of {}", names.join(", ")),
    }
}

/// Writes `memory.x` where the linker of this build script's package looks for it: `ram` kilobytes of RAM, and all of the
/// flash but for the inputs, which lie between the symbols `_inputs` and `_inputs_end`.
///
/// # Panics
/// Cargo's output folder is not there, or cannot be written.
pub fn write_memory_layout(machine: &Machine, ram: u32) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("memory.x"), memory_layout(machine, ram)).expect("OUT_DIR is writable");
    println!("cargo:rustc-link-search={}", out.display());
}

fn memory_layout(machine: &Machine, ram: u32) -> String {
    let (flash, ram_origin) = (machine.flash, machine.ram.origin);
    let code = flash.kilobytes * 1024 - INPUTS_LEN;
    let mut script = format!(
        "MEMORY\n{{\n  FLASH : ORIGIN = {:#010x}, LENGTH = {code}\n  RAM : ORIGIN = {ram_origin:#010x}, LENGTH = {ram}K\n}}\n\
         _inputs = {:#010x};\n_inputs_end = {:#010x};\n",
        flash.origin,
        flash.origin + code,
        flash.origin + code + INPUTS_LEN,
    );
    if machine.is_riscv() {
        for (section, memory) in
            [("TEXT", "FLASH"), ("RODATA", "FLASH"), ("DATA", "RAM"), ("BSS", "RAM"), ("HEAP", "RAM"), ("STACK", "RAM")]
        {
            script += &format!("REGION_ALIAS(\"REGION_{section}\", {memory});\n");
        }
    }
    script
}

#[cfg(test)]
mod tests {
    use crate::find;

    #[test]
    fn layouts() {
        assert_eq!(
            super::memory_layout(find("m33").unwrap(), 24),
            "MEMORY\n{\n  FLASH : ORIGIN = 0x10000000, LENGTH = 4145152\n  RAM : ORIGIN = 0x38000000, LENGTH = 24K\n}\n\
             _inputs = 0x103f4000;\n_inputs_end = 0x10400000;\n"
        );
        let riscv = super::memory_layout(find("rv32").unwrap(), 24);
        assert!(
            riscv.contains("_inputs = 0x803f4000;\n_inputs_end = 0x80400000;\nREGION_ALIAS(\"REGION_TEXT\", FLASH);\n"),
            "{riscv}"
        );
        assert!(riscv.ends_with("REGION_ALIAS(\"REGION_STACK\", RAM);\n"), "{riscv}");
    }
}
