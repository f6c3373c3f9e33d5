//! Writes the chosen machine's memory layout, and names the model file in `MODEL`: the one in `BROWNIAN_MODEL`
//! (absolute, or relative to this folder), or the machine's shipped one.

use std::{env, path::PathBuf};

fn main() {
    let machine = brownian_machines::chosen();
    // A model of one's own may need all there is.
    let own = env::var_os("BROWNIAN_MODEL").is_some();
    brownian_machines::write_memory_layout(machine, if own { machine.ram.kilobytes } else { machine.model_ram });
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let shipped = || format!("../../models/{}.brn", machine.model).into();
    let model = folder.join(env::var_os("BROWNIAN_MODEL").unwrap_or_else(shipped));
    println!("cargo:rustc-env=MODEL={}", model.display());
    println!("cargo:rerun-if-env-changed=BROWNIAN_MODEL");
    println!("cargo:rerun-if-changed=build.rs");
}
