//! The program and its subcommands.
use super::{
    data, demo, eval, export, finetune, import, inspect, judge, network, pack, run_to_torch, sample, train, upgrade,
};
use crate::Result;
use clap::{Parser, Subcommand};

/// Diffusion models for microcontrollers: train, quantize, export, sample.
#[derive(Debug, Parser)]
#[command(name = "trainer", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the shape of a named network, to edit and train with `train --net FILE.toml`.
    Net(network::Net),
    /// Show what a data set holds: images, classes, values, copies, and what is doubtful.
    Data(data::Data),
    /// Train a network.
    Train(Box<train::Train>),
    /// Fine-tune a trained run for integers and for its plans.
    Finetune(finetune::FineTune),
    /// Keep of a run what can be exported, fine-tuned or trained from, in a fifth of its bytes.
    Pack(pack::Pack),
    /// Make a run of weights that were trained elsewhere.
    Import(Box<import::Import>),
    /// Write a run's weights for PyTorch, and perhaps its data.
    RunToTorch(run_to_torch::RunToTorch),
    /// Quantize a trained run and write it as a model file.
    Export(export::Export),
    /// Draw samples from a model file, exactly as the chip does.
    Sample(sample::Sample),
    /// Show what a model file holds and what it needs on a chip.
    Inspect(inspect::Inspect),
    /// Write a model file of an earlier format version anew, with the same weights.
    Upgrade(upgrade::Upgrade),
    /// Measure how good a model's samples are.
    Eval(eval::Eval),
    /// Train an evaluator for your data, which `eval` takes.
    Judge(judge::Judge),
    /// From nothing to digits in less than four minutes: train, quantize, export, sample.
    Demo(demo::Demo),
}

impl Cli {
    /// Does what the command line asks.
    ///
    /// # Errors
    /// Anything that goes wrong, as one line.
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Net(command) => command.run(),
            Command::Data(command) => command.run(),
            Command::Train(command) => command.run(),
            Command::Finetune(command) => command.run(),
            Command::Pack(command) => command.run(),
            Command::Import(command) => command.run(),
            Command::RunToTorch(command) => command.run(),
            Command::Export(command) => command.run(),
            Command::Sample(command) => command.run(),
            Command::Inspect(command) => command.run(),
            Command::Upgrade(command) => command.run(),
            Command::Eval(command) => command.run(),
            Command::Judge(command) => command.run(),
            Command::Demo(command) => command.run(),
        }
    }
}
