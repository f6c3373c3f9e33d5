//! The program, run as a user runs it.

use std::path::Path;
use std::process::{Command, Output};

/// The program in a folder, which also keeps its cache.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
    program.current_dir(folder).env("XDG_CACHE_HOME", folder.join("cache")).args(arguments);
    program
}

/// Runs it to its end.
pub fn trainer(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

/// What it prints to standard output and to standard error, where it succeeds.
pub fn says(folder: &Path, arguments: &[&str]) -> (String, String) {
    let output = trainer(folder, arguments);
    let [out, said] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{arguments:?}: {said}");
    (out, said)
}

/// What it prints to standard output, where it succeeds.
pub fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    says(folder, arguments).0
}

/// It ends with this code and gives the reason on standard error, which is returned.
pub fn rejects(folder: &Path, arguments: &[&str], code: i32, reason: &str) -> String {
    let output = trainer(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert!(text.contains(reason), "{arguments:?}: {text}");
    text
}

/// The same, and the reason is all that is said, on one line.
pub fn refuses(folder: &Path, arguments: &[&str], code: i32, reason: &str) {
    let text = rejects(folder, arguments, code, reason);
    assert!(text.trim_end().lines().count() == 1, "{arguments:?}: {text}");
}
