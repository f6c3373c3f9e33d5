//! `docs/reference/cli.md` is what the program's help says. After a change of the command line write it anew on purpose:
//! `BLESS=1 cargo test -p brownian-trainer --test suite cli_reference`.

use brownian_trainer::cli::Cli;
use clap::{Arg, Command, CommandFactory};
use std::fmt::Write;
use std::path::Path;

/// Characters of a line.
const WIDTH: usize = 118;

/// The page.
fn page() -> String {
    let mut program = Cli::command();
    program.build();
    let mut page = String::from("# Command line\n\n");
    paragraph(&mut page, "", &format!("`trainer`: {}", text(program.get_about())));
    page += "\nThis page is generated from the program's own help, which `--help` behind any command prints.\n\n";
    let commands = || program.get_subcommands().filter(|command| command.get_name() != "help");
    for command in commands() {
        let name = command.get_name();
        paragraph(&mut page, "", &format!("- [`trainer {name}`](#trainer-{name}): {}", text(command.get_about())));
    }
    commands().for_each(|command| section(&mut page, command));
    page
}

/// One subcommand.
fn section(page: &mut String, command: &Command) {
    let positionals: Vec<String> = command.get_positionals().map(value).collect();
    let name = command.get_name();
    let needed = command.get_arguments().filter(|a| a.is_required_set() && a.get_long().is_some());
    let needed: String = needed.map(|a| format!(" {}", spelling(a))).collect();
    write!(page, "\n## trainer {name}\n\n").unwrap();
    paragraph(page, "", &text(command.get_about()));
    write!(
        page,
        "\n```text\ntrainer {name}{}{needed} [OPTIONS]\n```\n\n",
        positionals.iter().fold(String::new(), |all, one| all + " " + one)
    )
    .unwrap();
    for argument in command.get_arguments().filter(|a| a.get_id() != "help" && a.get_id() != "version") {
        let mut line = format!("- `{}`: {}", spelling(argument), text(argument.get_help()));
        let values: Vec<String> = argument
            .get_possible_values()
            .iter()
            .filter(|value| !value.is_hide_set() && argument.get_action().takes_values())
            .map(|value| match value.get_help() {
                Some(help) => format!("`{}` ({})", value.get_name(), text(Some(help)).trim_end_matches('.')),
                None => format!("`{}`", value.get_name()),
            })
            .collect();
        if !values.is_empty() {
            write!(line, " One of {}.", values.join(", ")).unwrap();
        }
        let defaults: Vec<_> = argument.get_default_values().iter().map(|v| v.to_string_lossy()).collect();
        if !defaults.is_empty() && argument.get_action().takes_values() {
            write!(line, " Default: `{}`.", defaults.join(" ")).unwrap();
        }
        paragraph(page, "  ", &line);
    }
}

/// An argument as it is typed.
fn spelling(argument: &Arg) -> String {
    match argument.get_long() {
        Some(long) if argument.get_action().takes_values() => format!("--{long} {}", value(argument)),
        Some(long) => format!("--{long}"),
        None => value(argument),
    }
}

/// The name of an argument's value.
fn value(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    names.first().map_or_else(|| argument.get_id().as_str().to_uppercase(), ToString::to_string)
}

/// A help text as Markdown: one line, which ends with a full stop.
fn text(help: Option<&clap::builder::StyledStr>) -> String {
    let text = help.map(ToString::to_string).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    // Square brackets are links in Markdown.
    let text = text.replace("[default: ", "(default: ").replace(']', ")").replace('[', "(");
    match text.ends_with('.') || text.is_empty() {
        true => text,
        false => text + ".",
    }
}

/// Appends `text`, its lines broken; all but the first begin with `indent`.
fn paragraph(page: &mut String, indent: &str, text: &str) {
    let mut length = 0;
    for word in words(text) {
        let size = word.chars().count();
        if length > 0 && length + 1 + size > WIDTH {
            write!(page, "\n{indent}").unwrap();
            length = indent.len();
        } else if length > 0 {
            page.push(' ');
            length += 1;
        }
        page.push_str(&word);
        length += size;
    }
    page.push('\n');
}

/// Words, with what is in backquotes kept whole.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut code = false;
    for c in text.chars() {
        code ^= c == '`';
        match c == ' ' && !code {
            true => words.push(String::new()),
            false => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[test]
fn the_reference_says_what_the_help_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/cli.md");
    let expected = page();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/reference/cli.md differs from the help; BLESS=1 cargo test -p brownian-trainer --test suite cli_reference writes it"
    );
}

#[test]
fn every_option_is_explained() {
    for command in Cli::command().get_subcommands() {
        for argument in command.get_arguments() {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.len() > 5, "trainer {}: {} has no help", command.get_name(), argument.get_id());
        }
    }
}
