//! `cargo xtask docs`: the book and every other Markdown page. Links and anchors lead somewhere, lines are short, the table of
//! contents is complete, pictures are used and small, and the commands named exist.

use crate::Cli;
use anyhow::{ensure, Context, Result};
use clap::Parser as _;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Characters of a line.
const LINE: usize = 120;
/// Bytes of a picture.
const PICTURE: u64 = 100 * 1024;
/// The book's table of contents.
const SUMMARY: &str = "docs/SUMMARY.md";
/// Where the book's pictures lie.
const PICTURES: &str = "docs/pictures/";

/// Checks every page of the repository and names every fault found.
pub fn run() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tree = Tree::read(&root)?;
    let mut faults = tree.faults();
    for (path, _) in tree.files.range(PICTURES.to_owned()..).take_while(|(path, _)| path.starts_with(PICTURES)) {
        let size = std::fs::metadata(root.join(path))?.len();
        if size > PICTURE {
            faults.push(format!("{path}: {size} bytes, more than {PICTURE}"));
        }
    }
    ensure!(faults.is_empty(), "{} faults in the documentation\n{}", faults.len(), faults.join("\n"));
    Ok(())
}

/// The files of the repository, by their path from the root, and the text of those that are read here.
#[derive(Default)]
struct Tree {
    files: BTreeMap<String, Option<String>>,
}

/// What a page holds.
#[derive(Default)]
struct Page {
    anchors: BTreeSet<String>,
    /// Line and target.
    links: Vec<(usize, String)>,
    /// Line and command.
    commands: Vec<(usize, String)>,
    /// Line and path of what is named as code.
    paths: Vec<(usize, String)>,
    faults: Vec<String>,
}

impl Tree {
    /// Everything that git tracks or would track.
    fn read(root: &Path) -> Result<Self> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("git cannot be run")?;
        ensure!(output.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&output.stderr));
        let listed = String::from_utf8(output.stdout).context("a path is not UTF-8")?;
        let mut tree = Self::default();
        for path in listed.split('\0').filter(|path| root.join(path).is_file()) {
            let text = match path.rsplit('.').next() {
                Some("md" | "rs" | "toml") => {
                    Some(std::fs::read_to_string(root.join(path)).with_context(|| format!("{path} cannot be read"))?)
                }
                _ => None,
            };
            tree.files.insert(path.into(), text);
        }
        Ok(tree)
    }

    fn exists(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.contains_key(path)
            || path.is_empty()
            || self.files.range(folder.clone()..).next().is_some_and(|(found, _)| found.starts_with(&folder))
    }

    fn texts<'a>(&'a self, end: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        let of_kind = self.files.iter().filter(move |(path, _)| path.ends_with(end));
        of_kind.filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    fn faults(&self) -> Vec<String> {
        let pages: BTreeMap<&str, Page> = self.texts(".md").map(|(path, text)| (path, page(text))).collect();
        let mut faults = Vec::new();
        let mut linked = BTreeSet::new();
        for (path, page) in &pages {
            faults.extend(page.faults.iter().map(|fault| format!("{path}:{fault}")));
            for (line, target) in &page.links {
                match self.link(&pages, path, target) {
                    Ok(file) => drop(linked.insert(file)),
                    Err(reason) => faults.push(format!("{path}:{line}: {target} {reason}")),
                }
            }
            for (line, command) in &page.commands {
                faults.extend(self.command(command).err().map(|reason| format!("{path}:{line}: {reason}")));
            }
            let missing = page.paths.iter().filter(|(_, named)| !self.exists(named));
            faults.extend(missing.map(|(line, named)| format!("{path}:{line}: {named} does not exist")));
        }
        for (path, _) in self.files.range(PICTURES.to_owned()..).take_while(|(path, _)| path.starts_with(PICTURES)) {
            if !linked.contains(path) {
                faults.push(format!("{path}: no page shows it"));
            }
        }
        faults.extend(contents(&pages));
        faults.extend(self.mentions());
        faults
    }

    /// The file that a link of the page `from` leads to.
    fn link(&self, pages: &BTreeMap<&str, Page>, from: &str, target: &str) -> Result<String, String> {
        if target.contains("://") || target.starts_with("mailto:") {
            return Ok(String::new());
        }
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let file = if path.is_empty() { from.to_owned() } else { joined(from, path).ok_or("leaves the repository")? };
        if !self.exists(&file) {
            return Err("does not exist".into());
        }
        match pages.get(file.as_str()) {
            Some(page) if !anchor.is_empty() && !page.anchors.contains(anchor) => Err("names no heading there".into()),
            _ => Ok(file),
        }
    }

    /// Refuses a command of ours that does not exist.
    fn command(&self, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        if let ["cargo", "xtask", arguments @ ..] = &words[..] {
            let parsed = Cli::try_parse_from(std::iter::once(&"xtask").chain(arguments));
            return match parsed {
                Err(error) if error.use_stderr() => {
                    Err(format!("{line}: {}", error.to_string().lines().next().unwrap_or_default()))
                }
                _ => Ok(()),
            };
        }
        match words.iter().position(|word| *word == "--example").and_then(|at| words.get(at + 1)) {
            Some(name) if !["runtime", "trainer"].iter().any(|c| self.exists(&format!("{c}/examples/{name}.rs"))) => {
                Err(format!("there is no example {name}"))
            }
            _ => Ok(()),
        }
    }

    /// Pages that code names in its comments.
    fn mentions(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (path, text) in self.texts(".rs").chain(self.texts(".toml")).filter(|(path, _)| !path.ends_with("docs.rs"))
        {
            for (number, line) in text.lines().enumerate() {
                for (at, _) in line.match_indices("docs/") {
                    let named = |c: char| c.is_ascii_alphanumeric() || "/-_.".contains(c);
                    let end = line[at..].find(|c| !named(c)).map_or(line.len(), |end| at + end);
                    let page = line[at..end].trim_end_matches('.');
                    if page.ends_with(".md") && !self.exists(page) {
                        faults.push(format!("{path}:{}: {page} does not exist", number + 1));
                    }
                }
            }
        }
        faults
    }
}

/// `path` as seen from the page `from`; none outside of the repository.
fn joined(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => (),
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Each page of the book is in its table of contents, once.
fn contents(pages: &BTreeMap<&str, Page>) -> Vec<String> {
    let Some(summary) = pages.get(SUMMARY) else { return vec![format!("{SUMMARY} is missing")] };
    let mut faults = Vec::new();
    let mut listed = BTreeSet::new();
    for (line, target) in &summary.links {
        if !listed.insert(joined(SUMMARY, target).unwrap_or_default()) {
            faults.push(format!("{SUMMARY}:{line}: {target} is listed twice"));
        }
    }
    let of_book = pages.keys().filter(|path| path.starts_with("docs/") && **path != SUMMARY);
    faults.extend(of_book.filter(|path| !listed.contains(**path)).map(|path| format!("{path}: not in {SUMMARY}")));
    faults
}

/// Reads a page.
fn page(text: &str) -> Page {
    let mut page = Page::default();
    for (number, line) in text.lines().enumerate() {
        let length = line.chars().count();
        if length > LINE {
            page.faults.push(format!("{}: {length} characters, more than {LINE}", number + 1));
        }
    }
    let line_at = |offset: usize| text[..offset].matches('\n').count() + 1;
    let mut heading: Option<String> = None;
    let mut image: Option<(usize, bool)> = None;
    let mut shell = false;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        let line = line_at(range.start);
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let base = anchor(&heading.take().unwrap_or_default());
                let free = |n: &usize| !page.anchors.contains(&numbered(&base, *n));
                let n = (0..).find(free).unwrap_or_default();
                page.anchors.insert(numbered(&base, n));
            }
            Event::Start(Tag::Link { dest_url, .. }) => page.links.push((line, dest_url.into_string())),
            Event::Start(Tag::Image { dest_url, .. }) => {
                page.links.push((line, dest_url.into_string()));
                image = Some((line, false));
            }
            Event::End(TagEnd::Image) => {
                if let Some((line, false)) = image.take() {
                    page.faults.push(format!("{line}: an image without a text for those who cannot see it"));
                }
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                shell = ["sh", "console", ""].contains(&&*language);
            }
            Event::End(TagEnd::CodeBlock) => shell = false,
            Event::Code(code) => {
                page.paths.extend(is_path(&code).then(|| (line, code.trim_end_matches('/').to_owned())));
                page.commands.extend(code.starts_with("cargo xtask ").then(|| (line, code.to_string())));
                heading.iter_mut().for_each(|heading| heading.push_str(&code));
            }
            Event::Text(words) => {
                image.iter_mut().for_each(|(_, described)| *described = true);
                heading.iter_mut().for_each(|heading| heading.push_str(&words));
                let commands = words.lines().enumerate().filter(|_| shell);
                page.commands.extend(commands.map(|(n, command)| (line + n, command.to_owned())));
            }
            _ => (),
        }
    }
    page
}

/// Whether code names a file or folder of this repository. NAME is where the reader puts a name of his own.
fn is_path(code: &str) -> bool {
    let path = |c: char| c.is_ascii_alphanumeric() || "/_.-".contains(c);
    let folders = ["boards/", "docs/", "models/", "runtime/", "tests/", "tools/", "trainer/"];
    folders.iter().any(|folder| code.starts_with(folder)) && code.chars().all(path) && !code.contains("NAME")
}

/// The anchor of a heading, as code hosts and mdBook make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The anchor of the (n + 1)-th heading of one text.
fn numbered(base: &str, n: usize) -> String {
    if n == 0 {
        base.into()
    } else {
        format!("{base}-{n}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let text = |(path, text): &(&str, &str)| (path.to_string(), Some(text.to_string()));
        Tree { files: files.iter().map(text).collect() }
    }

    #[test]
    fn the_repository_has_no_fault() {
        run().unwrap();
    }

    #[test]
    fn faults_are_named_with_their_line() {
        let long = "x".repeat(121);
        let pages = tree(&[
            ("docs/SUMMARY.md", "- [A](a.md)\n- [A](a.md)\n- [C](c.md)\n"),
            (
                "docs/a.md",
                "# A `b` c\n\n[x](b.md) [y](b.md#two-words) [z](b.md#none)\n[w](../../x) ![](pictures/p.png)\n",
            ),
            ("docs/b.md", &format!("# Two words\n\n# Two words\n\n{long}\n[own](#two-words-1) [up](a.md#a-b-c)\n")),
            ("docs/pictures/p.png", ""),
            ("docs/pictures/unused.png", ""),
            ("src/lib.rs", "// see docs/a.md\n// and docs/gone.md.\n"),
            ("README.md", "`cargo xtask nothing` `docs/none.md` `docs/NAME.md` `docs/a.md`\n\n```sh\ncargo xtask docs\ncargo run --example gone\n```\n"),
        ]);
        let faults = pages.faults();
        let expected = [
            "README.md:1: cargo xtask nothing",
            "README.md:1: docs/none.md does not exist",
            "README.md:5: there is no example gone",
            "docs/SUMMARY.md:3: c.md does not exist",
            "docs/a.md:4: an image without a text",
            "docs/a.md:3: b.md#none names no heading there",
            "docs/a.md:4: ../../x leaves the repository",
            "docs/b.md:5: 121 characters",
            "docs/pictures/unused.png: no page shows it",
            "docs/SUMMARY.md:2: a.md is listed twice",
            "docs/b.md: not in docs/SUMMARY.md",
            "src/lib.rs:2: docs/gone.md does not exist",
        ];
        for fault in expected {
            assert!(faults.iter().any(|found| found.starts_with(fault)), "{fault} is missing of {faults:#?}");
        }
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    }

    #[test]
    fn anchors_are_those_of_code_hosts() {
        assert_eq!(anchor("Prediction (`--prediction`)".replace('`', "").as_str()), "prediction---prediction");
        assert_eq!(anchor("What the ops compute"), "what-the-ops-compute");
        assert_eq!(joined("docs/how-to/train.md", "../reference/cli.md"), Some("docs/reference/cli.md".into()));
    }
}
