//! The commands of the book are commands of the program: each `trainer …` in a page parses, and each option that a page names
//! beside a subcommand exists there. Nothing is run.

use brownian_trainer::cli::Cli;
use clap::{CommandFactory, Parser as _};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::path::{Path, PathBuf};

/// How the program is called in the pages.
const CALLS: [&str; 2] = ["trainer ", "cargo run --release --bin trainer -- "];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every page that names commands.
fn pages() -> Vec<(PathBuf, String)> {
    let mut found = vec![root().join("README.md"), root().join("CONTRIBUTING.md"), root().join("models/README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                Some(end) if end == "md" => found.push(path),
                None if path.is_dir() => folders.push(path),
                _ => (),
            }
        }
    }
    found.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// What follows the program's name in a line, if it calls the program.
fn arguments(line: &str) -> Option<&str> {
    let line = line.trim_start_matches("$ ").trim_start();
    CALLS.iter().find_map(|call| line.strip_prefix(call))
}

/// The commands in a page's shell blocks, continued lines joined, and its code spans that begin with the program's name.
fn commands(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut whole, mut spans, mut shell) = (Vec::new(), Vec::new(), false);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                shell = ["sh", "console", ""].contains(&&*language);
            }
            Event::End(TagEnd::CodeBlock) => shell = false,
            Event::Text(text) if shell => {
                let joined = text.replace("\\\n", " ");
                whole.extend(joined.lines().filter_map(arguments).map(str::to_owned));
            }
            Event::Code(code) => spans.extend(arguments(&code).map(str::to_owned)),
            _ => (),
        }
    }
    (whole, spans)
}

#[test]
fn commands_of_the_pages_parse() {
    let mut count = 0;
    for (path, text) in pages() {
        for command in commands(&text).0 {
            let words = shlex::split(&command).unwrap_or_else(|| panic!("{}: {command}", path.display()));
            let words = words.into_iter().take_while(|word| !word.starts_with(['#', '>', '|']));
            let parsed = Cli::try_parse_from(std::iter::once("trainer".to_owned()).chain(words));
            // Help is no error.
            if let Some(error) = parsed.err().filter(clap::Error::use_stderr) {
                panic!("{}: trainer {command}\n{error}", path.display());
            }
            count += 1;
        }
    }
    assert!(count > 30, "only {count} commands were found");
}

#[test]
fn options_beside_a_subcommand_exist() {
    let program = Cli::command();
    let mut count = 0;
    for (path, text) in pages() {
        for span in commands(&text).1 {
            let mut words = span.split_whitespace();
            let name = words.next().unwrap_or_default();
            // Such as `trainer → runtime`.
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                continue;
            }
            let subcommand = program.find_subcommand(name);
            let subcommand = subcommand.unwrap_or_else(|| panic!("{}: `trainer {span}`", path.display()));
            for option in words.filter_map(|word| word.trim_start_matches('[').strip_prefix("--")) {
                let option = option.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
                let known = subcommand.get_arguments().any(|argument| argument.get_long() == Some(option));
                assert!(known, "{}: `trainer {span}`: there is no --{option}", path.display());
                count += 1;
            }
        }
    }
    assert!(count > 5, "only {count} options were found");
}

#[test]
fn a_wrong_command_is_found() {
    let page = "```sh\ntrainer sample a.brn \\\n  --prnt # x\n```\n`trainer export RUN --colour`\n";
    let (whole, spans) = commands(page);
    assert_eq!((whole.len(), spans.len()), (1, 1));
    let words = shlex::split(&whole[0]).unwrap();
    assert!(Cli::try_parse_from(std::iter::once("trainer".to_owned()).chain(words)).is_err());
    assert_eq!(spans[0], "export RUN --colour");
}
