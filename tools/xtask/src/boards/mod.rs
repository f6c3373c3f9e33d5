//! Firmware of boards: built, measured, run on models of their chips, and made ready to be flashed.
//!
//! - `cargo xtask boards`: builds every board's firmware and prints what it takes; with `--run` it is executed;
//! - `cargo xtask uf2 BOARD`, `cargo xtask flash BOARD`, `cargo xtask dist`: files for drives that boards offer.

mod build;
mod command;
mod dist;
mod file;
mod first_frame;
mod flash;
mod image;
mod list;
mod machine;
mod model_file;
mod out;
mod packages;
mod page_picture;
mod picture;
mod probe;
mod scenario;
mod script;
mod uf2;

#[cfg(test)]
pub use command::target_of;
pub use command::{boards, check, dist_all, file_of, flash_board, sizes, uf2_file, Boards, Dist, Flash, Uf2};
pub use list::{folders, variants};
pub use packages::{install, node_tests};
