//! `docs/reference/packages.md` names every package that a crate of this repository uses, and no other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The manifests of all crates.
fn manifests() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["runtime", "trainer", "tests", "tools/page", "tools/rtt", "tools/xtask", "python"] {
        found.push(root().join(folder).join("Cargo.toml"));
    }
    for entry in std::fs::read_dir(root().join("boards")).unwrap() {
        let manifest = entry.unwrap().path().join("Cargo.toml");
        found.extend(manifest.is_file().then_some(manifest));
    }
    found
}

/// Adds the packages of each table of dependencies in `table`, at any depth; crates of this repository have a path.
fn collect(table: &toml::Table, packages: &mut BTreeSet<String>) {
    for (key, value) in table {
        let Some(inner) = value.as_table() else { continue };
        if !key.ends_with("dependencies") {
            collect(inner, packages);
            continue;
        }
        let foreign = inner.iter().filter(|(_, value)| value.get("path").is_none());
        packages.extend(foreign.map(|(name, value)| {
            let renamed = value.get("package").and_then(toml::Value::as_str);
            renamed.unwrap_or(name).to_owned()
        }));
    }
}

#[test]
fn every_package_has_its_reason() {
    let page = std::fs::read_to_string(root().join("docs/reference/packages.md")).unwrap();
    let used_part = page.split("## Not used").next().unwrap();
    let named: BTreeSet<String> = used_part
        .lines()
        .filter_map(|line| line.strip_prefix("- **")?.split_once("**:"))
        .inspect(|(names, reason)| assert!(reason.len() > 15, "{names} has no reason"))
        .flat_map(|(names, _)| names.split(", ").map(str::to_owned))
        .collect();
    let mut used = BTreeSet::new();
    for manifest in manifests() {
        collect(&std::fs::read_to_string(manifest).unwrap().parse().unwrap(), &mut used);
    }
    assert!(used.len() > 30, "{used:?}");
    assert_eq!(used.difference(&named).collect::<Vec<_>>(), Vec::<&String>::new(), "used, but not named");
    assert_eq!(named.difference(&used).collect::<Vec<_>>(), Vec::<&String>::new(), "named, but not used");
}
