//! The emulated machines, by name.

pub use brownian_machines::{Machine, INPUTS_LEN, MACHINES};

/// The machine of that name, or a line that lists the names.
pub fn find(name: &str) -> anyhow::Result<&'static Machine> {
    brownian_machines::find(name).map_err(anyhow::Error::msg)
}
