//! The command line, one file a subcommand.
mod command;
mod condition;
mod data;
mod demo;
mod edit;
mod eval;
mod export;
mod finetune;
mod fit;
mod import;
mod inspect;
mod judge;
mod mel;
mod network;
mod options;
mod output;
mod pack;
mod process;
mod run_data;
mod run_to_torch;
mod sample;
mod train;
mod upgrade;

pub use command::Cli;
