//! Developer tools of the Brownian workspace: `cargo xtask <COMMAND>`.

mod bench;
mod boards;
mod ci;
mod docs;
mod emulator;
mod firmware;
mod lint;
mod machines;
mod no_float;
mod no_panic;
mod packages;
mod page;
mod parallel;
mod pico2;
mod python;
mod qemu;
mod size;
mod template;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer tools of the Brownian workspace", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the firmware, run it on every emulated core and compare its bytes with the host's
    Qemu(qemu::Options),
    /// Count the instructions of every kernel on every emulated core, or check the kernels there
    Bench(bench::Options),
    /// Check that nothing in the runtime can panic, by linking it without a panic handler
    NoPanic,
    /// Build the Pico 2's firmware and check that its boot ROM would take it
    Pico2,
    /// Expand the template of a firmware of one's own for each chip, and build what it gives
    Template,
    /// Build the firmware of boards, measure it, and run it on models of their chips
    Boards(boards::Boards),
    /// Write a board's firmware as a UF2 file
    Uf2(boards::Uf2),
    /// Drop a board's firmware on the drive that the board offers
    Flash(boards::Flash),
    /// Write a folder of all boards' firmware, ready to be dropped on them
    Dist(boards::Dist),
    /// Write a folder that is a page: the Pico's firmware and the runtime in a browser
    Page(page::Page),
    /// Check the book and every other page: links, anchors, lines, commands
    Docs,
    /// Bytes of code of a firmware that only draws, what each thing that it may be asked for adds, and what boards take
    Size,
    /// Everything: format, clippy, tests, documentation, links, emulated cores, boards
    Ci(ci::Options),
    /// Write the goldens anew, from the shipped models as they now run on this host
    Bless,
}

fn bless() -> anyhow::Result<()> {
    for name in brownian_tests::golden::models()? {
        println!("wrote {}", brownian_tests::golden::bless(&name)?.display());
    }
    Ok(())
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Qemu(options) => qemu::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::NoPanic => no_panic::run(),
        Command::Pico2 => pico2::run(),
        Command::Template => template::run(),
        Command::Boards(options) => boards::boards(&options),
        Command::Uf2(options) => boards::uf2_file(&options),
        Command::Flash(options) => boards::flash_board(&options),
        Command::Dist(options) => boards::dist_all(&options),
        Command::Page(options) => page::write(&options),
        Command::Docs => docs::run(),
        Command::Size => size::run(),
        Command::Ci(options) => ci::run(&options),
        Command::Bless => bless(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
