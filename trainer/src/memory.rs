//! Whether work fits the memory, asked before it begins.
use crate::{Error, Result};

/// Checks that `bytes` can be had.
///
/// # Errors
/// More than the system gives; `what` says what for.
pub fn check(bytes: u64, what: &str) -> Result<()> {
    let reserved = usize::try_from(bytes).is_ok_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok());
    let available = available();
    if reserved && available.is_none_or(|available| bytes <= available) {
        return Ok(());
    }
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    let available = available.map_or(String::new(), |n| format!(", of which {:.1} are free", gigabytes(n)));
    Err(Error::Invalid(format!("{what} needs about {:.1} GB of memory{available}", gigabytes(bytes))))
}

/// Bytes that the system can still give, where it says so.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_fits_and_the_impossible_does_not() {
        check(1000, "a little").unwrap();
        let error = check(1 << 60, "--batch 65536").unwrap_err().to_string();
        assert!(error.starts_with("--batch 65536 needs about 1152921504.6 GB of memory"), "{error}");
    }
}
