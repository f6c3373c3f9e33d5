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

#[cfg(test)]
mod tests {
    use super::*;

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
