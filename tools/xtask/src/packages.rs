//! What would be published builds by itself.

use crate::firmware;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The crates that are published.
const CRATES: [&str; 2] = ["brownian", "brownian-trainer"];

/// Packs and builds them at once, since the trainer needs a runtime that is not published yet.
///
/// # Errors
///
/// If one does not build from what its package holds.
pub fn run() -> Result<()> {
    forget_unpacked(&cargo_home().context("neither CARGO_HOME nor a home folder is known")?)?;
    forget_compiled(&firmware::host_target_dir().join("debug"))?;
    let mut args = vec!["package", "--quiet", "--allow-dirty"];
    args.extend(CRATES.iter().flat_map(|name| ["-p", name]));
    firmware::host_cargo(&args, "cargo package")
}

/// Where cargo keeps what it unpacked.
fn cargo_home() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

/// Removes what cargo unpacked of these crates for an earlier check.
///
/// `cargo package` keeps the packages in a registry of its own, whose name in the caches is a hash behind `-`. It takes an
/// unpacked crate of the same version for today's, whatever has changed since.
fn forget_unpacked(home: &Path) -> Result<()> {
    for kind in ["src", "cache"] {
        let Ok(registries) = std::fs::read_dir(home.join("registry").join(kind)) else { continue };
        for registry in registries {
            let registry = registry?;
            if !registry.file_name().to_string_lossy().starts_with('-') {
                continue;
            }
            for item in std::fs::read_dir(registry.path())? {
                let path = item?.path();
                if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(CRATES[0])) {
                    let removed =
                        if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
                    removed.with_context(|| format!("cannot remove {}", path.display()))?;
                }
            }
        }
    }
    Ok(())
}

/// Removes what says that these crates are compiled, where they came from a package: their files have always the same
/// times, so cargo takes them for those that it compiled.
fn forget_compiled(debug: &Path) -> Result<()> {
    let Ok(files) = std::fs::read_dir(debug.join("deps")) else { return Ok(()) };
    for file in files {
        let path = file?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // `brownian-HASH.d` names the sources of what has this hash.
        let Some(unit) = name.strip_suffix(".d").filter(|name| name.starts_with(CRATES[0])) else { continue };
        let sources = std::fs::read_to_string(&path)?;
        if sources.contains(&format!("{0}registry{0}src{0}-", std::path::MAIN_SEPARATOR)) {
            let fingerprint = debug.join(".fingerprint").join(unit.replace('_', "-"));
            if fingerprint.exists() {
                std::fs::remove_dir_all(fingerprint)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_compiled_for_an_earlier_check_are_forgotten() {
        let debug = std::env::temp_dir().join(format!("brownian-compiled-{}", std::process::id()));
        let units = [
            ("brownian-1", "/home/me/registry/src/-15957fc8e3fb02c5/brownian-0.1.0/src/lib.rs"),
            ("brownian-2", "/home/me/brownian/runtime/src/lib.rs"),
            ("serde-3", "/home/me/registry/src/-15957fc8e3fb02c5/serde-1.0.0/src/lib.rs"),
        ];
        std::fs::create_dir_all(debug.join("deps")).unwrap();
        for (unit, source) in units {
            std::fs::create_dir_all(debug.join(".fingerprint").join(unit)).unwrap();
            std::fs::write(debug.join("deps").join(unit).with_extension("d"), format!("lib.rmeta: {source}\n"))
                .unwrap();
        }
        forget_compiled(&debug).unwrap();
        assert_eq!(units.map(|(unit, _)| debug.join(".fingerprint").join(unit).exists()), [false, true, true]);
        forget_compiled(&debug.join("nowhere")).unwrap();
        std::fs::remove_dir_all(&debug).unwrap();
    }

    #[test]
    fn crates_of_an_earlier_check_are_forgotten() {
        let home = std::env::temp_dir().join(format!("brownian-packages-{}", std::process::id()));
        let of = |path: &str| home.join("registry").join(path);
        let earlier = [of("src/-15957fc8e3fb02c5/brownian-0.1.0"), of("src/-15957fc8e3fb02c5/brownian-trainer-0.1.0")];
        let others =
            [of("src/index.crates.io-1949cf8c6b5b557f/brownian-0.1.0"), of("src/-22c3805da5a543b4/serde-1.0.0")];
        for path in earlier.iter().chain(&others) {
            std::fs::create_dir_all(path).unwrap();
            std::fs::write(path.join("file"), "").unwrap();
        }
        std::fs::create_dir_all(of("cache/-15957fc8e3fb02c5")).unwrap();
        let packed = of("cache/-15957fc8e3fb02c5/brownian-0.1.0.crate");
        std::fs::write(&packed, "").unwrap();

        forget_unpacked(&home).unwrap();
        assert!(earlier.iter().chain([&packed]).all(|path| !path.exists()));
        assert!(others.iter().all(|path| path.join("file").exists()));
        forget_unpacked(&home.join("nowhere")).unwrap();
        std::fs::remove_dir_all(&home).unwrap();
    }
}
