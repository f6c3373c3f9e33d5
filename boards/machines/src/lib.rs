//! The emulated machines, written once: `boards/qemu` and `boards/bench` take their memory layout and their clock from
//! here when they are built, `cargo xtask` how to build and run them.

mod build;
mod list;
mod machine;

pub use build::{chosen, write_memory_layout, INPUTS_LEN};
pub use list::MACHINES;
pub use machine::{Machine, Region};

/// The machine of that name, or a line that lists the names.
///
/// # Errors
/// No machine has this name.
pub fn find(name: &str) -> Result<&'static Machine, String> {
    MACHINES.iter().find(|m| m.name == name).ok_or_else(|| {
        let names: Vec<_> = MACHINES.iter().map(|m| m.name).collect();
        format!("no emulated core '{name}': choose one of {}", names.join(", "))
    })
}
