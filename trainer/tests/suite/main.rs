//! The tests of the trainer as a whole, in one program, which is compiled and linked once.

mod bits_command;
mod cli_reference;
mod commands;
mod corruption;
mod data;
mod data_command;
mod docs_commands;
mod eval_command;
mod export_command;
mod finetune;
mod import_command;
mod lowering;
mod memory;
mod model_commands;
mod network;
mod outputs;
mod resume;
mod sound;
mod sound_eval;
mod train_command;
mod upgrade;
mod vocoder;
