//! An emulated core's chains against the host's.

use super::report::Chain;
use anyhow::{bail, ensure, Result};

/// The host's run of one seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostChain {
    /// The seed.
    pub seed: u64,
    /// Digest after each step.
    pub digests: Vec<u32>,
}

/// Fails with the first seed and step whose state differs from the host's.
pub fn chains(host: &[HostChain], core: &[Chain]) -> Result<()> {
    ensure!(host.len() == core.len(), "{} chains were asked for, {} reported", host.len(), core.len());
    for (host, core) in host.iter().zip(core) {
        ensure!(host.seed == core.seed, "seed {} was asked for, {} reported", host.seed, core.seed);
        for (step, (expected, found)) in host.digests.iter().zip(&core.digests).enumerate() {
            if expected != found {
                let step = step + 1;
                bail!("seed {}: step {step} differs first: {found:08x}, on the host {expected:08x}", host.seed);
            }
        }
        ensure!(
            host.digests.len() == core.digests.len(),
            "seed {}: {} steps, on the host {}",
            host.seed,
            core.digests.len(),
            host.digests.len()
        );
        ensure!(host.digests.last() == Some(&core.image), "seed {}: the image is not the last state", host.seed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core(digests: &[u32]) -> Vec<Chain> {
        let image = digests.last().copied().unwrap_or(0);
        vec![Chain { seed: 5, digests: digests.to_vec(), image, ..Chain::default() }]
    }

    /// The first of two differences is named.
    #[test]
    fn names_the_first_divergence() {
        let host = [HostChain { seed: 5, digests: vec![1, 2, 3, 4] }];
        assert!(chains(&host, &core(&[1, 2, 3, 4])).is_ok());
        let error = chains(&host, &core(&[1, 2, 9, 8])).unwrap_err().to_string();
        assert_eq!(error, "seed 5: step 3 differs first: 00000009, on the host 00000003");
        assert!(chains(&host, &core(&[1, 2, 3])).is_err());
        assert!(chains(&host, &[]).is_err());
    }
}
