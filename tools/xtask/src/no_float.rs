//! A chain over bits needs no arithmetic on floats: on a core without a unit for it every such operation is a call of a
//! routine, and the firmware that draws bits must hold none of them.

use crate::firmware::{self, cargo_command, target_dir};
use crate::machines;
use anyhow::{ensure, Context, Result};
use object::{Object, ObjectSymbol};

/// A core without a floating-point unit.
const MACHINE: &str = "m0";
/// How the routines of floats begin, in the run-time ABI of Arm (IHI 0043, section 4.1.2) and in compiler_builtins:
/// operations of f32 and f64, and conversions from and to integers.
const ROUTINES: [&str; 8] =
    ["__aeabi_f", "__aeabi_d", "__aeabi_cf", "__aeabi_cd", "__aeabi_i2", "__aeabi_ui2", "__aeabi_l2", "__aeabi_ul2"];
/// The module `float` of compiler_builtins in a mangled name.
const MODULE: &str = "17compiler_builtins5float";

/// Links a chain over bits with the portable kernels and the core's own, and one over values, in which the routines must be
/// found.
pub fn run() -> Result<()> {
    for portable in [true, false] {
        let found = routines(&["--features", "bits"], portable)?;
        ensure!(found.is_empty(), "a chain over bits has routines of floats: {}", found.join(", "));
        let found = routines(&[], portable)?;
        ensure!(!found.is_empty(), "no routine of floats was found in a chain over values, which has them");
    }
    println!("{MACHINE}: no arithmetic on floats in a chain over bits, and that of a chain over values is noticed");
    Ok(())
}

/// The routines of floats in the program `size` with these arguments.
fn routines(more: &[&str], portable: bool) -> Result<Vec<String>> {
    let machine = machines::find(MACHINE)?;
    firmware::require_target(machine.target)?;
    let args = ["build", "--quiet", "--release", "--bin", "size", "--no-default-features"];
    let mut command = cargo_command("boards/qemu", &args);
    let status = command.args(machine.cargo_args(portable)).args(more).status().context("cannot run cargo")?;
    ensure!(status.success(), "building the program size failed");
    let elf = target_dir().join(machine.target).join("release/size");
    let bytes = std::fs::read(&elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let file = object::File::parse(&*bytes).with_context(|| format!("{} is no ELF file", elf.display()))?;
    let names = file.symbols().filter(|symbol| symbol.is_definition()).filter_map(|symbol| symbol.name().ok());
    Ok(names.filter(|name| is_routine(name)).map(str::to_owned).collect())
}

fn is_routine(name: &str) -> bool {
    name.contains(MODULE) || ROUTINES.iter().any(|routine| name.starts_with(routine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routines_of_floats_are_told_from_those_of_integers() {
        for name in ["__aeabi_fadd", "__aeabi_fcmplt", "__aeabi_dmul", "__aeabi_i2f", "__aeabi_ul2d"] {
            assert!(is_routine(name), "{name}");
        }
        assert!(is_routine("_RNvNtNtCsjc7sn2q0iDy_17compiler_builtins5float3add8___addsf3"));
        for name in ["__aeabi_uldivmod", "__aeabi_lmul", "__aeabi_memcpy4", "__aeabi_uidiv", "draw"] {
            assert!(!is_routine(name), "{name}");
        }
    }
}
