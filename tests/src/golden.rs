//! Goldens: the digests of every step of some chains of the shipped models, under `tests/goldens`.
//!
//! `cargo test` compares the host with them and `cargo xtask qemu` the emulated cores; only
//! `cargo xtask bless` writes them.

use crate::cases::{self, Case};
use crate::{condition, draw, root};
use anyhow::{ensure, Context, Result};
use brownian::host::OwnedModel;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A plan with more steps than this has a golden for the first seed only, so that the tests stay short.
const SHORT: usize = 10;
/// Seeds that have goldens.
pub const SEEDS: std::ops::RangeInclusive<u64> = 1..=8;

/// The goldens of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goldens {
    /// Bytes of the model file that they were made with.
    pub model_len: usize,
    /// One a plan and seed; the class is the seed modulo the number of classes.
    #[serde(rename = "chain")]
    pub chains: Vec<GoldenChain>,
    /// One a case of [`cases`].
    #[serde(rename = "case", default)]
    pub cases: Vec<GoldenCase>,
}

/// The golden of one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoldenChain {
    /// Name of the plan.
    pub plan: String,
    /// Seed; the image number is 0.
    pub seed: u64,
    /// CRC-32 of x_t after each step, hexadecimal, separated by spaces.
    pub digests: String,
}

/// The golden of one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoldenCase {
    /// Its words.
    pub words: String,
    /// CRC-32 of x_t after each step, hexadecimal, separated by spaces.
    pub digests: String,
}

/// Folders of models, below the root: those that are shipped, and those made for tests alone.
const FOLDERS: [&str; 2] = ["models", "tests/models"];

/// The names of all models that have goldens.
pub fn models() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in FOLDERS.map(|folder| root().join(folder)) {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if let (Some("brn"), Some(name)) = (path.extension().and_then(|e| e.to_str()), path.file_stem()) {
                names.push(name.to_string_lossy().into_owned());
            }
        }
    }
    names.sort();
    Ok(names)
}

/// Where the model of that name lies.
pub fn model_path(name: &str) -> PathBuf {
    let paths = FOLDERS.map(|folder| root().join(folder).join(name).with_extension("brn"));
    paths.iter().find(|path| path.exists()).unwrap_or(&paths[0]).clone()
}

/// Where a model's goldens lie.
pub fn path(name: &str) -> PathBuf {
    root().join("tests/goldens").join(name).with_extension("toml")
}

/// Reads a model's goldens.
pub fn read(name: &str) -> Result<Goldens> {
    let path = path(name);
    let hint = || format!("cannot read {}: `cargo xtask bless` writes it", path.display());
    toml::from_str(&std::fs::read_to_string(&path).with_context(hint)?).with_context(hint)
}

/// Runs a model's golden chains on the host: every plan of at most 100 steps; every seed where the
/// plan is short, else the first.
pub fn compute(name: &str) -> Result<Goldens> {
    let host = OwnedModel::read(model_path(name))?;
    let model = host.model();
    let mut chains = Vec::new();
    for plan in model.plans().filter(|plan| plan.len() <= 100) {
        for seed in SEEDS.take(if plan.len() > SHORT { 1 } else { usize::MAX }) {
            let chain = draw(&model, plan.name(), condition(&model, seed), seed)?;
            chains.push(GoldenChain { plan: plan.name().into(), seed, digests: hexadecimal(&chain.digests) });
        }
    }
    let golden = |case: Case| Ok(GoldenCase { digests: hexadecimal(&case.run(&host)?.digests), words: case.words });
    let cases = cases::cases(&host)?.into_iter().map(golden).collect::<Result<_>>()?;
    Ok(Goldens { model_len: host.bytes().len(), chains, cases })
}

/// Writes a model's goldens anew, whole or not at all.
pub fn bless(name: &str) -> Result<PathBuf> {
    let path = path(name);
    let text = format!("# Written by `cargo xtask bless`.\n{}", toml::to_string(&compute(name)?)?);
    let temporary = path.with_extension("tmp");
    std::fs::create_dir_all(path.parent().expect("has a parent"))?;
    std::fs::write(&temporary, text)
        .and_then(|()| std::fs::rename(&temporary, &path))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Compares two sets of goldens; names the first step that differs.
pub fn compare(name: &str, expected: &Goldens, found: &Goldens) -> Result<()> {
    const BLESS: &str = "if that is meant, `cargo xtask bless` takes the new ones over";
    let chains = |g: &Goldens| -> Vec<(String, String)> {
        let chain = |c: &GoldenChain| (format!("plan {}, seed {}", c.plan, c.seed), c.digests.clone());
        let case = |c: &GoldenCase| (format!("case {}", c.words), c.digests.clone());
        g.chains.iter().map(chain).chain(g.cases.iter().map(case)).collect()
    };
    let (expected_chains, found_chains) = (chains(expected), chains(found));
    let same = expected_chains.iter().map(|c| &c.0).eq(found_chains.iter().map(|c| &c.0));
    ensure!(
        expected.model_len == found.model_len && same,
        "{name}: the goldens are of another model or of other plans; {BLESS}"
    );
    for ((key, expected), (_, found)) in expected_chains.iter().zip(&found_chains) {
        let differs = expected.split(' ').zip(found.split(' ')).position(|(a, b)| a != b);
        ensure!(
            expected == found,
            "{name}: {key}: step {} differs from the golden; {BLESS}",
            differs.map_or_else(|| "count".into(), |step| (step + 1).to_string())
        );
    }
    Ok(())
}

/// Digests as a golden holds them.
pub fn hexadecimal(digests: &[u32]) -> String {
    digests.iter().map(|d| format!("{d:08x}")).collect::<Vec<_>>().join(" ")
}
