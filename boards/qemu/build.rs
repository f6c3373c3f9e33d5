//! Writes the chosen machine's memory layout, and names the model file in `MODEL`: the one in `BROWNIAN_MODEL`
//! (absolute, or relative to this folder), or the machine's shipped one. With `BROWNIAN_ANY_RAM` it may take all the
//! RAM that the machine has.

use std::{env, path::PathBuf};

fn main() {
    let machine = brownian_machines::chosen();
    let any_ram = env::var_os("BROWNIAN_ANY_RAM").is_some();
    brownian_machines::write_memory_layout(machine, if any_ram { machine.ram.kilobytes } else { machine.model_ram });
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let shipped = || format!("../../models/{}.brn", machine.model).into();
    let model = folder.join(env::var_os("BROWNIAN_MODEL").unwrap_or_else(shipped));
    println!("cargo:rustc-env=MODEL={}", model.display());
    println!("cargo:rerun-if-env-changed=BROWNIAN_MODEL");
    println!("cargo:rerun-if-env-changed=BROWNIAN_ANY_RAM");
    println!("cargo:rerun-if-changed=build.rs");
}
